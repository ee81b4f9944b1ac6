package learn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/internal/durable"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// stacked is the family of stacks: machines upon each other, learned one after the other,
// each from draws of the hidden units of the one below.
type stacked struct{ *Run }

// Settings of the upside-down copy of the machine below: where it starts, and how it is compared with the machine learned from it.
const (
	copyTheta        = 2.5 // of every synapse: mean 0.987 of its sign
	copySamples      = 1000
	copyTemperatures = 2000
	copyChains       = 64
	copySweeps       = 1000
)

// level returns the recipe of the machine above layer l (0: the data).
func (r *Recipe) level(l int) Recipe {
	one := *r
	one.Above, one.Hidden = Above{}, r.Layers.Sizes()[l]
	return one
}

// checkStack returns a *SettingError if a setting does not go with a stack.
func (r *Recipe) checkStack() error {
	switch {
	case !r.deep():
		return setting.Phrase("stack", "{stack} is of two hidden layers or more, such as {hidden 500,500}")
	case r.Recognition != "" || r.Rounds != 0 || r.Stage != 0 || r.UpperCoupling != "":
		return setting.Phrase("stack", "{stack} learns a machine after another: {recognition}, {recognition_rounds}, {stage} and {upper_coupling} are of deep machines that learn as one")
	case r.Beta != 0:
		return setting.Phrase("beta", "{stack} with {beta}: each machine has a coupling of its own")
	case r.Sampler != "":
		return setting.Phrase("sampler", "{sampler} is not of {stack}")
	case r.Together < 0:
		return setting.Phrase("together", "{together %d}: it must not be negative", r.Together)
	case r.Together > 0 && (!r.kind().LogOdds() || !movesKnown(r.Rule)):
		return setting.Phrase("together", "{together} is of synapses that are bits, and of {rule adam}, {rule lion}, {rule schedule-free} and {rule hyperadam}")
	}
	return nil
}

// complete sets what depends on the data, and checks the machines that are to come.
func (r stacked) complete() error {
	d := &r.job.Data
	if r.recipe.Epochs == 0 && r.recipe.Steps == 0 && r.recipe.Time == 0 {
		r.recipe.Epochs = r.recipe.defaultEpochs(d.Len())
	}
	n := d.Visible()
	for l, hidden := range r.recipe.Layers.Sizes() {
		one := &Run{recipe: r.recipe.level(l), job: Job{Data: Data{Set: &dataset.Set{Samples: spin.New(n, d.Len())}}}}
		if err := one.recipe.Check(); err != nil {
			return err
		}
		if err := one.checkMemory(); err != nil {
			return err
		}
		n = hidden
	}
	return nil
}

// folderOfLevel is where the machine above layer l is learned; empty if nothing is kept.
func (r stacked) folderOfLevel(l int) string {
	if r.job.Folder == "" {
		return ""
	}
	return filepath.Join(r.job.Folder, fmt.Sprintf("layer-%d", l+1))
}

func (r stacked) learn(ctx context.Context, watching observers) (*Result, error) {
	total := &Result{Seed: r.job.Seed, BoundBy: "none: that of each machine is in stack"}
	data, validation := r.job.Data, r.job.Validation
	stack := &rbm.Stack{}
	for l := range r.recipe.Layers.Sizes() {
		file, result, met, err := r.learnLevel(ctx, watching, l, data, validation, stack.Files)
		if err != nil {
			return nil, err
		}
		stack.Files = append(stack.Files, file)
		total.Stack = append(total.Stack, result)
		total.Steps, total.Seconds, total.SynapseBits = total.Steps+result.Steps, total.Seconds+result.Seconds, total.SynapseBits+result.SynapseBits
		r.met = met
		if l < len(r.recipe.Layers.Sizes())-1 {
			data, validation = r.above(stack, l, data, stream.StackDraws), r.above(stack, l, validation, stream.StackValidation)
		}
		total.BoundKind = result.BoundKind
	}
	if r.recipe.Together > 0 {
		var err error
		if total.Together, err = r.together(ctx, watching, stack, total.Stack, data); err != nil {
			return nil, err
		}
		total.Steps, total.Seconds = total.Steps+total.Together.Steps, total.Seconds+total.Together.Seconds
		r.met = nil // of another machine
	}
	stack.Info = r.info(total.Steps)
	r.shippedStack = stack
	return total, r.finish(ctx, watching, total)
}

// learnLevel learns the machine above layer l, whose states are the data. If the layer below
// that has as many units as the machine has hidden ones, it starts at the machine below upside down, with
// which the likelihood is as it was; if learning has not raised it, it stays there.
func (r stacked) learnLevel(ctx context.Context, watching observers, l int, data, validation Data, below []*rbm.File) (*rbm.File, *Result, *spin.Matrix, error) {
	recipe := r.recipe.level(l)
	job := r.job
	job.Data, job.Validation, job.Evaluation, job.Folder = data, validation, Evaluation{}, r.folderOfLevel(l)
	if l > 0 && recipe.Hidden == below[l-1].Visible() && recipe.Restarts == 1 && recipe.Fields {
		job.Init = below[l-1].UpsideDown(copyTheta)
	}
	run, err := Start(recipe, job)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("layer %d: %w", l+1, err)
	}
	result, err := run.Run(ctx, watching...)
	var file *rbm.File
	if err == nil {
		file, err = run.File()
	}
	if err = errors.Join(err, run.Close()); err != nil {
		return nil, nil, nil, err
	}
	met := run.Met()
	if job.Init == nil {
		return file, result, met, nil
	}
	some := data.Samples.Choose(min(copySamples, data.Len()), r.key().Sub(stream.RunStack).Sub(uint64(l)).Sub(stream.StackSome).Rand())
	of := func(file *rbm.File, label uint64) (evaluate.LogLikelihood, error) {
		return evaluate.MachineLikelihood(ctx, file.Machine(), nil, some, evaluate.Options{Temperatures: copyTemperatures, Chains: copyChains, Equilibration: copySweeps,
			Key: r.key().Sub(stream.RunStack).Sub(uint64(l)).Sub(label), Progress: func(f float64) { watching.working(Annealing, f) }})
	}
	defer watching.ended(Annealing)
	before, err := of(job.Init, stream.StackCopy)
	if err != nil {
		return nil, nil, nil, r.orInterrupted(ctx, err)
	}
	after, err := of(file, stream.StackLearned)
	if err != nil {
		return nil, nil, nil, r.orInterrupted(ctx, err)
	}
	if after.Lowest() <= before.Highest() {
		result.Copied, file, met = true, job.Init, nil
		file.Info = r.info(0)
	}
	return file, result, met, nil
}

// above returns draws of the layer above layer l given data of that layer; if there are none, nothing.
func (r stacked) above(stack *rbm.Stack, l int, d Data, label uint64) Data {
	if d.Set == nil {
		return d
	}
	key := r.key().Sub(stream.RunStack).Sub(uint64(l)).Sub(label)
	up := evaluate.Stack(stack.Machines()).Up(l, d.Samples, key)
	set := &dataset.Set{Samples: up}
	if r.recipe.LabelWeight > 0 {
		set.Labels = d.Labels
	}
	return Data{Set: set, Name: fmt.Sprintf("layer %d of %s", l+1, r.job.Data.Name)}
}

// finish keeps the model, a picture of samples, the likelihood if it was asked for, and the result.
func (r stacked) finish(ctx context.Context, watching observers, result *Result) error {
	machines := evaluate.Stack(r.shippedStack.Machines())
	if folder := r.keeper.where(); folder != "" {
		if err := saveStack(ctx, r.keeper.model(), r.shippedStack); err != nil {
			return r.orInterrupted(ctx, err)
		}
		if r.job.Pictures != nil {
			if err := r.job.Pictures.DrawSynapses(filepath.Join(folder, runs.SynapsesFile), r.shippedStack.Files[0]); err != nil {
				return err
			}
		}
	}
	err := r.keeper.drawSamples(func() (units.Shown, error) {
		defer watching.ended(Drawing)
		count := shownSamples(lastSamples, machines[0].Visible())
		drawn, err := machines.Sample(ctx, evaluate.Sampling{Count: count, Sweeps: lastSweeps, Key: r.key().Sub(stream.RunPictures), Progress: func(f float64) { watching.working(Drawing, f) }})
		if err != nil {
			return units.Shown{}, err
		}
		return units.Shown{Values: drawn.Means, Count: count}, nil
	})
	if err != nil {
		return r.orInterrupted(ctx, err)
	}
	if e := &r.job.Evaluation; e.Asked {
		opt := e.Options
		opt.Key, opt.Progress = r.key().Sub(stream.RunLikelihood), func(f float64) { watching.working(Annealing, f) }
		found, err := machines.Likelihood(ctx, r.met, e.Data.Samples, opt)
		watching.ended(Annealing)
		if err != nil {
			return r.orInterrupted(ctx, err)
		}
		result.LogLikelihood, result.Evaluated = &found, e.Data.Name
	}
	if v := &r.job.Validation; v.Set != nil {
		found, err := machines.Likelihood(ctx, r.met, v.Samples, evaluate.Options{Temperatures: copyTemperatures, Chains: copyChains, Equilibration: copySweeps,
			Key: r.key().Sub(stream.RunStack).Sub(uint64(len(machines))).Sub(stream.StackValidation), Progress: func(f float64) { watching.working(Annealing, f) }})
		watching.ended(Annealing)
		if err != nil {
			return r.orInterrupted(ctx, err)
		}
		result.Validation = recordedLikelihood(v.Name, &found)
	}
	result.Model = r.keeper.model()
	return r.keeper.finish(result)
}

func saveStack(ctx context.Context, path string, stack *rbm.Stack) error {
	arrays, err := stack.Arrays()
	if err != nil {
		return fmt.Errorf("%s: not written: %w", path, err)
	}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(durable.Until(ctx, w), arrays) })
}

func (r stacked) model(path string) (Model, error) {
	if r.shippedStack != nil {
		return r.shippedStack, nil
	}
	return rbm.LoadStack(path)
}

// stackText tells how the machines of a stack did, a line each.
func (r *Result) stackText() (text string) {
	for l, one := range r.Stack {
		text += fmt.Sprintf("layer %d: %s", l+1, one.Heading())
		if one.Copied {
			text += "  that is not above the machine below upside down, which stays in its place\n"
		}
	}
	if r.Together != nil {
		text += r.Together.Text()
	}
	return text
}
