package continual

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"

	"bethe/setting"
	"bethe/stream"
	"bethe/trial"
)

// A Sequence is tasks that are learned one after the other, by each of some methods. What is in its folder is not learned or measured again: the
// run folder of the first task, which all methods share, those of the others below the name of their method, and the report.
type Sequence struct {
	Tasks   []Task
	Methods []Method
	Recipe  learn.Recipe     // of each task
	Options evaluate.Options // of the likelihoods; numbers that are 0 have their defaults
	Seed    uint64
	Folder  string
	Program string // that files say made them: name and version
	Command string // that folders say made them, for a shell: runs.Info
	// Pictures draws what run folders hold; nil: nothing is drawn.
	Pictures learn.Illustrator
}

// measuredFile is that of the likelihoods of the machine of a run folder.
const measuredFile = "tasks.json"

// row is what measuredFile holds.
type row struct {
	Of      string    `json:"of"` // what was measured, and how: another is measured anew
	Nats    []float64 `json:"nats"`
	Machine Machine   `json:"machine"`
}

// key is that of tasks.
func (s *Sequence) key() stream.Key { return stream.New(s.Seed).Sub(stream.RunTasks) }

// Check returns a *setting.Error if the tasks cannot be learned one after the other.
func (s *Sequence) Check() error {
	if err := check(s.Tasks); err != nil {
		return err
	}
	r := &s.Recipe
	switch {
	case r.Init != "" || r.Prior != "":
		return setting.Phrase("recipe", "{recipe}: tasks set {init} and {prior} themselves")
	case r.Synapses != rbm.BinaryKind.String() || len(r.Layers.Sizes()) > 1 || r.Model != "" && r.Model != "rbm" || r.Units != "" || r.HiddenUnits != "":
		return setting.Phrase("recipe", "{recipe}: tasks are learned by machines of spins with one hidden layer and binary synapses")
	case r.Time > 0 || r.Steps == 0 && r.Epochs == 0:
		return setting.Phrase("steps", "{steps}: tasks are learned in a number of steps or epochs, not a time")
	}
	return r.Check()
}

// Run learns and measures all that is not in the folder yet, and writes the report. The error is that of Check, of learn.Start and
// of its Run (an *learn.InterruptedError if the context is done: the same call goes on from there), or of a file.
func (s *Sequence) Run(ctx context.Context, progress trial.Progress) (*Report, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r := &Report{Visible: s.Tasks[0].Train.Visible(), Hidden: s.Recipe.Hidden, Steps: s.Recipe.Steps, Epochs: s.Recipe.Epochs, Rate: s.Recipe.RateFor(s.Tasks[0].Train.Len()), Seed: s.Seed}
	r.Nothing = -float64(r.Visible) * math.Ln2
	for _, t := range s.Tasks {
		r.Tasks = append(r.Tasks, t.Name)
	}
	for _, m := range s.Methods {
		l, err := s.learn(ctx, m, progress)
		if err != nil {
			return nil, err
		}
		end := l.Nats[len(l.Nats)-1]
		for _, x := range end {
			l.End += x / float64(len(end))
		}
		if !m.Together() {
			measures := Measure(l.Nats, r.Nothing)
			l.Measures = &measures
		}
		r.Methods = append(r.Methods, *l)
	}
	return r, r.save(s.Folder)
}

// learn learns all tasks by a method.
func (s *Sequence) learn(ctx context.Context, m Method, progress trial.Progress) (*Learned, error) {
	l := &Learned{Method: m.Name()}
	var seen []learn.Data
	model := ""
	for k, t := range s.Tasks {
		seen = append(seen, t.Train)
		if m.Together() && k < len(s.Tasks)-1 {
			continue
		}
		folder, stage := filepath.Join(s.Folder, strings.ReplaceAll(m.Name(), ":", "-"), fmt.Sprintf("task%d", k+1)), fmt.Sprintf("%s, task %d", m.Name(), k+1)
		recipe, data := s.Recipe, t.Train
		if k == 0 {
			folder, stage = filepath.Join(s.Folder, "task1"), "task 1"
		} else {
			var err error
			if data, err = m.Next(ctx, &recipe, seen, model, s.key().Sub(stream.TasksReplay).Sub(uint64(k))); err != nil {
				return nil, s.interrupted(ctx, err)
			}
		}
		got, err := s.task(ctx, folder, stage, recipe, data, progress)
		if err != nil {
			return nil, err
		}
		model = got.Machine.Model
		l.Nats, l.Machines = append(l.Nats, got.Nats), append(l.Machines, got.Machine)
	}
	return l, nil
}

// interrupted returns an error as that of an interrupted run if the context is done.
func (s *Sequence) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return &learn.InterruptedError{Folder: s.Folder, Over: true, Err: err}
	}
	return err
}

// task learns data in a run folder and measures all tasks.
func (s *Sequence) task(ctx context.Context, folder, stage string, recipe learn.Recipe, data learn.Data, progress trial.Progress) (*row, error) {
	run, err := learn.Start(recipe, learn.Job{Data: data, Seed: s.Seed, Program: s.Program, Command: s.Command, Folder: folder, Resume: true, Pictures: s.Pictures})
	if err != nil {
		return nil, err
	}
	defer func() { _ = run.Close() }() // the process's end releases the lock too
	result, err := run.Run(ctx, &watcher{stage: stage, progress: progress})
	if err != nil {
		return nil, err
	}
	file, err := run.File()
	if err != nil {
		return nil, err
	}
	o := s.Options
	for _, number := range []struct {
		value *int
		usual int
	}{{&o.Temperatures, defaultTemperatures}, {&o.Chains, defaultChains}, {&o.Equilibration, defaultEquilibration}} {
		if *number.value == 0 {
			*number.value = number.usual
		}
	}
	got := &row{Of: fmt.Sprintf("%d temperatures, %d chains, %d sweeps, model %s", o.Temperatures, o.Chains, o.Equilibration, modelSum(file))}
	for _, t := range s.Tasks {
		got.Of += fmt.Sprintf(", %016x", t.Test.Hash())
	}
	path := filepath.Join(folder, measuredFile)
	var kept row
	if text, err := os.ReadFile(path); err == nil && json.Unmarshal(text, &kept) == nil && kept.Of == got.Of {
		kept.Machine.Model = result.Model
		return &kept, nil
	}
	got.Machine = Machine{Model: result.Model, Steps: result.Steps}
	o.Key = s.key().Sub(stream.TasksLikelihood)
	o.Progress = func(f float64) { progress(stage+", likelihoods", f, "") }
	if err := s.measure(ctx, got, file, o); err != nil {
		return nil, s.interrupted(ctx, err)
	}
	return got, writeJSON(path, got)
}

// What likelihoods are measured with if nothing else is asked for. One ln Z serves all tasks.
const (
	defaultTemperatures  = 3000
	defaultChains        = 64
	defaultEquilibration = 2000
)

// measure sets the likelihoods of all tasks: ln Z is measured with samples of all of them, so that tempered chains start at those of each.
func (s *Sequence) measure(ctx context.Context, got *row, file *rbm.File, o evaluate.Options) error {
	met, _, err := learn.Scouted(got.Machine.Model, file.Visible())
	if err != nil {
		return err
	}
	var all []learn.Data
	for _, t := range s.Tasks {
		all = append(all, t.Test)
	}
	l, err := evaluate.MachineLikelihood(ctx, file.Machine(), met, joined(all).Samples, o)
	if err != nil {
		return err
	}
	got.Machine.Exact, got.Machine.Gap = l.Exact, l.Gap
	got.Machine.Settled = l.Exact || l.Equilibrium.Reached
	for _, d := range all {
		weights, err := evaluate.FileLogWeights(ctx, file, evaluate.FileSamples{Bits: d.Samples}, o.Key)
		if err != nil {
			return err
		}
		sum := 0.0
		for _, w := range weights {
			sum += w
		}
		got.Nats = append(got.Nats, l.Best+sum/float64(len(weights))-l.LogWeight)
	}
	return nil
}

// modelSum tells machines apart.
func modelSum(file *rbm.File) string {
	signs := file.Machine().Signs()
	return fmt.Sprintf("%016x at %v", signs.Hash(), file.Coupling())
}

// watcher tells how learning goes.
type watcher struct {
	learn.Silent
	stage    string
	progress trial.Progress
	told     time.Time
}

// Stepped implements learn.Observer.
func (w *watcher) Stepped(p learn.Progress) {
	if time.Since(w.told) > 100*time.Millisecond {
		w.told = time.Now()
		w.progress(w.stage, p.Fraction, "")
	}
}
