package apply

import (
	"context"
	"errors"
	"image"
	"io"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/exchange"
	"bethe/figure"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// stacked are machines upon each other.
type stacked struct {
	*rbm.Stack
	machines evaluate.Stack
}

func (stacked) family() string { return rbm.StackModel }

func (s stacked) about() *rbm.Info { return &s.Info }

// Visible is the number of units of the data's layer.
func (s stacked) Visible() int { return s.machines[0].Visible() }

func (s stacked) count() int { return s.machines[0].Hidden() }

// in is that of formats that hold machines upon each other.
func (s stacked) in(to exchange.Format) (func(exchange.Options) ([]exchange.File, error), bool) {
	of, ok := to.(exchange.OfStacks)
	return func(o exchange.Options) ([]exchange.File, error) { return of.Stack(s.Stack, o) }, ok
}

func (s stacked) takes() (units.Kind, bool) { return units.Kind{}, false }

func (s stacked) read(_ context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	return evaluate.Features(s.machines.Layers()[0], set.Samples, gain), nil
}

// A stackLayer is features of another hidden layer than the first.
type stackLayer struct {
	stacked
	number int
}

func (l stackLayer) count() int { return l.machines[l.number-1].Hidden() }

func (l stackLayer) read(_ context.Context, set *dataset.Set, gain float64) ([]float32, error) {
	return evaluate.Features(l.machines.Layers()[l.number-1], set.Samples, gain), nil
}

func (s stacked) layer(number int) (features, bool) {
	return stackLayer{s, number}, number <= len(s.machines)
}

// Evaluate implements Evaluating.
func (s stacked) Evaluate(ctx context.Context, samples, missing *spin.Matrix, opt evaluate.Options) (evaluate.LogLikelihood, error) {
	if missing != nil {
		return evaluate.LogLikelihood{}, errors.New("a stack is measured on complete samples, and values are missing")
	}
	return s.machines.Likelihood(ctx, nil, samples, opt)
}

// sample draws states of the topmost machine by chains, then the layers below them, down to the data.
func (s stacked) sample(ctx context.Context, how *Sampling) (*SamplingReport, error) {
	if how.Clamp != "" {
		return nil, setting.Phrase("clamp", "{clamp} is for machines that are not stacked")
	}
	for _, machine := range s.machines {
		if err := (count{"count", how.Count}).fits(machine, 1, "samples", true); err != nil {
			return nil, err
		}
	}
	if how.Integers {
		packed, err := exchange.PackStack(s.Stack)
		return &SamplingReport{Model: how.Model, Samples: how.Count, Sweeps: how.Sweeps, Files: how.Files}, how.integers(ctx, packed, err)
	}
	drawn, err := s.machines.Sample(ctx, evaluate.Sampling{Count: how.Count, Sweeps: how.Sweeps, Tempered: how.Tempered, Key: stream.New(how.Seed), Progress: how.progress("sampling")})
	if err != nil {
		return nil, err
	}
	r := &SamplingReport{Model: how.Model, Samples: how.Count, Sweeps: how.Sweeps, Files: how.Files, Rungs: drawn.Temperatures}
	return r, how.write(func(w io.Writer) error { return evaluate.WriteDrawn(w, drawn.Visible, drawn.Means) }, func() image.Image {
		return figure.Headed(figure.Means(s.Visible(), how.Count, func(i, a int) float64 { return float64(drawn.Means[i*how.Count+a]) }, s.Info.Width, s.Info.Height), figure.SamplesTitle, figure.SpinKey)
	})
}

// complete infers hidden layers by Gibbs chains, given the units that are known.
func (s stacked) complete(ctx context.Context, c *Completing) (*CompletionReport, error) {
	if c.fills() {
		return nil, setting.Errorf("missing", c.Data.Reading.Missing, "a stack completes units that are named with {clamp}, of complete samples")
	}
	if c.Truth != "" {
		return nil, setting.Errorf("truth", c.Truth, "it is of data with missing values, which a stack does not take")
	}
	return c.spins(ctx, &s.Info, s.Visible(), s.machines, s.machines.CompleteKnown)
}

func (s stacked) mend(ctx context.Context, m *Mending) (*MendingReport, error) {
	return m.spins(s.Visible(), s.machines, func(samples *spin.Matrix, key stream.Key, r evaluate.Restoring) (*evaluate.Mended, error) {
		return s.machines.Mend(ctx, samples, m.Flip, m.Noisy, key, r)
	})
}
