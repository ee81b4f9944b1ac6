package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"bethe/dual"
	"bethe/evaluate"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/runs"
	"bethe/stream"
	"bethe/variational"
)

// A TogetherResult tells what came of learning all machines of a stack at once. Likelihoods are of 1,000 training samples, in nats a
// sample; where they are no exact sums they are bounds.
type TogetherResult struct {
	Steps   int     `json:"steps"`
	Seconds float64 `json:"seconds"` // over all resumed runs
	Before  float64 `json:"before"`  // of the stack before, the higher one of both directions of annealing
	After   float64 `json:"after"`   // of the stack after, the lower one
	Kept    bool    `json:"kept"`    // else the stack before stays
}

// Text says it on a line.
func (t *TogetherResult) Text() string {
	text := fmt.Sprintf("together: %d steps in %.1f s; 1,000 training samples from %.2f to %.2f nats\n", t.Steps, t.Seconds, t.Before, t.After)
	if !t.Kept {
		text += "  that is not above, and the stack of before stays in its place\n"
	}
	return text
}

// togetherFolder is the folder of their checkpoint, in that of the stack.
const togetherFolder = "together"

// together learns all machines of a stack at once, from where they are; top are the samples that the topmost one has learned from. The
// stack changes if its likelihood rises.
func (r stacked) together(ctx context.Context, watching observers, stack *rbm.Stack, learned []*Result, top Data) (*TogetherResult, error) {
	key := r.key().Sub(stream.RunStack).Sub(uint64(len(stack.Files)))
	one := &Run{recipe: r.recipe.level(len(stack.Files) - 1), job: r.job, weights: r.weights}
	one.job.Data = top
	one.recipe.completeDecay(top.Len(), true)
	from, err := r.asKept(stack, learned)
	if err != nil {
		return nil, err
	}
	to, engine, err := newTogether(one, from, r.job.Data, r.recipe.Together, key.Sub(stream.StackTogether))
	if err != nil {
		return nil, err
	}
	parts := []dual.Stateful{to}
	if p, ok := engine.(dual.Stateful); ok {
		parts = append(parts, p)
	}
	path := ""
	if r.job.Folder != "" {
		folder := filepath.Join(r.job.Folder, togetherFolder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return nil, err
		}
		path = filepath.Join(folder, runs.CheckpointFile)
	}
	label := togetherFolder + " " + r.label
	if path != "" && r.job.Resume {
		if _, err := os.Stat(path); err == nil {
			if err := variational.LoadCheckpoint(path, label, to.Top, parts...); err != nil {
				return nil, err
			}
		}
	}
	save := func() error {
		if path == "" {
			return nil
		}
		return variational.SaveCheckpoint(ctx, path, label, to.Top, parts...)
	}
	sizes := r.recipe.Layers.Sizes()
	if err := watching.began(Beginning{Step: to.Top.Step(), Resumed: to.Top.Step() > 0, Visible: r.job.Data.Visible(), Hidden: sizes[0], Layers: sizes, Samples: r.job.Data.Len(), Engine: "all machines together"}); err != nil {
		return nil, err
	}
	some := r.job.Data.Samples.Choose(min(copySamples, r.job.Data.Len()), key.Sub(stream.StackSome).Rand())
	m, err := r.newTogetherMeasuring(watching, to, some, key)
	if err != nil {
		return nil, err
	}
	defer m.log.Close()
	savedAt, resumedAt, last := time.Now(), to.Top.Step(), variational.Progress{Step: to.Top.Step(), Fraction: 1, Rate: math.NaN()}
	if resumedAt == 0 {
		err = m.first(ctx, one.recipe.Rate)
	}
	each := func(p variational.Progress) error {
		last = p
		watching.stepped(m.shown(p))
		if err := m.after(ctx, p); err != nil {
			return err
		}
		if r.job.Checkpoints.due(p.Step, savedAt) {
			savedAt = time.Now()
			return save()
		}
		return nil
	}
	if err == nil {
		err = to.Run(ctx, each)
	}
	watching.ended(Learning)
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		if err := save(); err != nil {
			return nil, fmt.Errorf("interrupted after step %d of learning together, and %w", to.Top.Step(), err)
		}
		return nil, &InterruptedError{Folder: r.job.Folder, Step: to.Top.Step(), Err: err}
	case errors.Is(err, variational.ErrDiverged):
		return nil, fmt.Errorf("after step %d of learning together: %w", to.Top.Step(), err)
	case err != nil:
		return nil, err
	}
	if to.Top.Step() > resumedAt {
		if err := save(); err != nil {
			return nil, err
		}
	}
	result := &TogetherResult{Steps: to.Top.Step(), Seconds: to.Top.Elapsed().Seconds()}
	after := stackOf(to.Result(), stack.Files)
	of := func(s *rbm.Stack, label uint64) (evaluate.LogLikelihood, error) {
		return evaluate.Stack(s.Machines()).Likelihood(ctx, nil, some, evaluate.Options{Temperatures: copyTemperatures, Chains: copyChains, Equilibration: copySweeps,
			Key: key.Sub(label), Progress: func(f float64) { watching.working(Annealing, f) }})
	}
	defer watching.ended(Annealing)
	was, err := of(stack, stream.StackBefore)
	if err != nil {
		return nil, r.orInterrupted(ctx, err)
	}
	is, err := of(after, stream.StackAfter)
	if err != nil {
		return nil, r.orInterrupted(ctx, err)
	}
	if err := m.end(last, &is); err != nil {
		return nil, err
	}
	result.Before, result.After = was.Highest(), is.Lowest()
	if result.Kept = result.After > result.Before; result.Kept {
		stack.Files = after.Files
	}
	return result, nil
}

// asKept returns a stack with the machines as their model files have them, whose thetas are rounded: a run that was interrupted reads
// these.
func (r stacked) asKept(stack *rbm.Stack, learned []*Result) (*rbm.Stack, error) {
	kept := &rbm.Stack{}
	for l, file := range stack.Files {
		var err error
		switch path := learned[l].Model; {
		case learned[l].Copied: // it is made anew
		case path != "":
			file, err = rbm.LoadKinds(path)
		default:
			var arrays []npy.Array
			if arrays, err = file.Arrays(); err == nil {
				file, err = rbm.Decode(fmt.Sprintf("layer %d", l+1), arrays)
			}
		}
		if err != nil {
			return nil, err
		}
		kept.Files = append(kept.Files, file)
	}
	return kept, nil
}

// newTogether returns what learns the machines of a stack from samples, and the engine of the topmost one; the run is that of the
// topmost machine.
func newTogether(r *Run, stack *rbm.Stack, samples Data, steps int, key stream.Key) (*variational.Together[float32], dual.Engine[float32], error) {
	f := &r.recipe
	opt := r.options(key)
	opt.Steps, opt.Epochs, opt.Time, opt.Settle, opt.LabelWeight, opt.SampleWeights, opt.FieldPrior = steps, 0, 0, 0, 0, nil, 0
	opt.Synapses = opt.Synapses.Settled()
	how, err := expect(r, r.job.Data.Samples.Choose(f.Chains, key.Sub(stream.StartChainStates).Rand()), key.Sub(stream.StartChains), key.Sub(stream.StartDraws))
	if err != nil {
		return nil, nil, err
	}
	_, hidden := f.kinds()
	var models []*rbm.Model[float32]
	for _, file := range stack.Files {
		models = append(models, modelOf(file))
	}
	partition := dual.TermFor(opt.Synapses, how.engine)
	to, err := variational.NewTogether(models, samples.Samples, partition, variational.HiddenOf[float32](hidden), opt, key.Sub(stream.StartLower))
	return to, how.engine, err
}

// modelOf returns the model whose signs are the machine of a file: thetas of its posterior, turned where a draw has another sign.
func modelOf(file *rbm.File) *rbm.Model[float32] {
	q := file.Synapses.(rbm.Uncertain).Posterior().Clone() // of bits that were learned
	for k, v := range rbm.Values(file.Synapses) {
		q.Theta[k] = v * float32(math.Abs(float64(q.Theta[k])))
	}
	return &rbm.Model[float32]{Params: file.Params.Clone(), Posterior: q}
}
