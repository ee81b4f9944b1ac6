package continual

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/learn"
	"bethe/rbm"
	"bethe/sample"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// A Method says how a task is learned after others.
type Method interface {
	// Name is that of the report, and of the folder: a word, and a colon and a number where there is one.
	Name() string
	// Together reports whether all tasks are learned at once, and not one after the other.
	Together() bool
	// Next prepares the next task: it changes the recipe, and returns the data to learn from, given those of the tasks seen so far. before
	// is the model file of the task before, if there is one. The error is the context's, or of that file.
	Next(ctx context.Context, recipe *learn.Recipe, tasks []learn.Data, before string, key stream.Key) (learn.Data, error)
}

// fineTuning starts from the machine before.
type fineTuning struct{}

func (fineTuning) Name() string   { return "fine-tune" }
func (fineTuning) Together() bool { return false }

func (fineTuning) Next(_ context.Context, recipe *learn.Recipe, tasks []learn.Data, before string, _ stream.Key) (learn.Data, error) {
	recipe.Init = before
	return tasks[len(tasks)-1], nil
}

// holding starts from the machine before and is held to it.
type holding struct {
	name     string
	form     string // learn.Recipe.PriorForm
	strength float64
	Priors
}

func (h holding) Name() string { return h.name + ":" + strconv.FormatFloat(h.strength, 'g', -1, 64) }
func (holding) Together() bool { return false }

func (h holding) Next(_ context.Context, recipe *learn.Recipe, tasks []learn.Data, before string, _ stream.Key) (learn.Data, error) {
	recipe.Init, recipe.Prior, recipe.PriorScale, recipe.PriorStrength, recipe.PriorForm = before, before, h.Scale, h.strength, h.form
	recipe.FieldPrior = h.Fields * float64(len(tasks)-1)
	return tasks[len(tasks)-1], nil
}

// replay starts from the machine before, and learns from draws of that machine beside the new data: as many for each earlier
// task as there are new samples.
type replay struct{}

// How many chains draw, their sweeps before the first reading, and between two.
const (
	replayChains = 2000
	replaySweeps = 500
	replayApart  = 20
)

func (replay) Name() string   { return "replay" }
func (replay) Together() bool { return false }

func (replay) Next(ctx context.Context, recipe *learn.Recipe, tasks []learn.Data, before string, key stream.Key) (learn.Data, error) {
	recipe.Init = before
	now := tasks[len(tasks)-1]
	file, err := rbm.Load(before)
	if err != nil {
		return now, err
	}
	drawn := now
	set := *now.Set
	set.Samples, err = draw(ctx, file, (len(tasks)-1)*now.Len(), key)
	drawn.Set = &set
	if err != nil {
		return now, err
	}
	return joined([]learn.Data{now, drawn}), nil
}

// draw returns samples of a machine, by chains from random states that are read several times.
func draw(ctx context.Context, file *rbm.File, count int, key stream.Key) (*spin.Matrix, error) {
	chains := sample.NewChains(sample.OnMachine(file.Machine()), min(count, replayChains), key)
	out := spin.New(file.Visible(), count)
	for at, sweeps := 0, replaySweeps; at < count; sweeps = replayApart {
		for range sweeps {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			chains.Sweep(1)
		}
		some := min(count-at, replayChains)
		read := spin.New(file.Visible(), some)
		chains.Visible.Gather(read, span(0, some))
		out.Put(read, span(at, at+some))
		at += some
	}
	return out, nil
}

// joint learns all tasks at once, with as many steps as all together.
type joint struct{}

func (joint) Name() string   { return "joint" }
func (joint) Together() bool { return true }

func (joint) Next(_ context.Context, recipe *learn.Recipe, tasks []learn.Data, _ string, _ stream.Key) (learn.Data, error) {
	k := len(tasks)
	recipe.Steps *= k
	return joined(tasks), nil
}

// methods are those that there are, by their words.
var methods = map[string]func(strength float64, of Priors) Method{
	"fine-tune": func(float64, Priors) Method { return fineTuning{} },
	"prior":     func(strength float64, of Priors) Method { return holding{"prior", "", strength, of} },
	"ewc":       func(strength float64, of Priors) Method { return holding{"ewc", learn.ElasticPrior, strength, of} },
	"replay":    func(float64, Priors) Method { return replay{} },
	"joint":     func(float64, Priors) Method { return joint{} },
}

// Priors say what methods that hold a machine to the one before have in common.
type Priors struct {
	Scale  float64 // what the means of the posterior before are multiplied by, from 0 to 1
	Fields float64 // how strongly fields are believed for each task before: as if this share of its samples had been seen (learn.Recipe.FieldPrior)
}

// DefaultPriors are those of tasks that count alike and whose synapses do not change.
var DefaultPriors = Priors{Scale: 1, Fields: 1}

// usualStrength is that of priors if none is asked for, chosen on held-out training digits of two permuted tasks (bench/continual). Where data are many
// a posterior whose thetas have limits, and few steps to reach them, says less than the data did.
var usualStrength = map[string]float64{"prior": 100, "ewc": 30}

// DefaultMethods are those that are compared if nothing else is asked for.
var DefaultMethods = []string{"fine-tune", "prior", "ewc", "replay", "joint"}

// Methods returns those of words such as fine-tune, prior, prior:30, ewc, replay and joint. The number is the strength of a prior; without it
// it is the usual one. The error is a *setting.Error.
func Methods(words []string, priors Priors) ([]Method, error) {
	if err := learn.CheckPriorScale(priors.Scale); err != nil {
		return nil, err
	}
	if !(priors.Fields >= 0) || math.IsInf(priors.Fields, 0) {
		return nil, setting.Errorf("field_prior", priors.Fields, "it must not be negative, and finite")
	}
	var out []Method
	for _, word := range words {
		name, number, strong := strings.Cut(word, ":")
		strength := usualStrength[name]
		if strong {
			var err error
			if strength, err = strconv.ParseFloat(number, 64); err != nil || !(strength >= 0) || math.IsInf(strength, 0) {
				return nil, setting.Phrase("methods", "{methods %s}: the strength of a prior is a number that is not negative, such as %s:30", word, name)
			}
		}
		of, known := methods[name]
		if !known {
			return nil, setting.Phrase("methods", "{methods %s}: a method is one of %s", word, strings.Join(DefaultMethods, ", "))
		}
		m := of(strength, priors)
		if held := strings.Contains(m.Name(), ":"); strong && !held {
			return nil, setting.Phrase("methods", "{methods %s}: %s has no strength", word, name)
		}
		if slices.ContainsFunc(out, func(o Method) bool { return o.Name() == m.Name() }) {
			return nil, setting.Phrase("methods", "{methods}: %s stands there twice", m.Name())
		}
		out = append(out, m)
	}
	if len(out) == 0 {
		return nil, setting.Phrase("methods", "{methods}: there must be at least one of %s", strings.Join(DefaultMethods, ", "))
	}
	return out, nil
}
