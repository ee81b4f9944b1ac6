package sample

import (
	"context"
	"errors"
	"slices"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Partial is implemented by sources that know how much a part of the visible units weighs in their base.
type Partial[V any] interface {
	// LnZKnown writes ln Z at t = 0 of each column of v, on the scale of LnZBase: the sum is over hidden units and over
	// the visible ones that are missing (units x columns: +1), and the others are as in v.
	LnZKnown(dst []float64, v V, missing *spin.Matrix)
}

// ErrCannotHold is the error of states that cannot be held one by one, so that none can be missing.
var ErrCannotHold = errors.New("states of this kind cannot be held one by one, so none can be missing")

// Known are samples with missing units: each column of Missing (units x samples) is +1 where one of States is
// missing. A unit may have several features.
type Known[V units.States[V]] struct {
	States  V
	Missing *spin.Matrix
}

// In returns what holds the known units of the columns of Known in chains: visible has count times as many columns, those of a
// sample beside each other. The error is ErrCannotHold.
func (k Known[V]) In(visible V, count int) (put func(), err error) {
	masked, ok := any(visible).(units.Masked[V])
	if !ok {
		return nil, ErrCannotHold
	}
	columns := make([]int, visible.Len())
	for l := range columns {
		columns[l] = l / count
	}
	each, where := visible.Blank(len(columns)), spin.New(visible.Units(), len(columns))
	k.States.Gather(each, columns)
	of := visible.Units() / k.Missing.Rows()
	for i := range where.Rows() {
		for l, a := range columns {
			where.Set(i, l, -k.Missing.At(i/of, a))
		}
	}
	return func() { masked.CopyWhere(each, where) }, nil
}

// A KnownEstimate has estimates of ln Z of each sample's known units, by annealed importance sampling in both directions with these
// held: the logarithm of the mean weight over the runs, forward on average below the truth, reverse above if its chains have settled.
type KnownEstimate struct{ Forward, Reverse []LnZEstimate }

// AnnealedKnown estimates the weight of the known values of samples, summed over hidden and missing units, by a.Chains runs of each
// sample. Chains of the way back go on from where those of the way up end, after as many sweeps at the machine as said.
// It also returns their states before the way back, at the machine: the runs of a sample are columns beside each other.
// The error is the context's, ErrCannotHold, or of the options.
func AnnealedKnown[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], known Known[V], sweeps int, a Annealing) (e *KnownEstimate, states V, err error) {
	if err := a.check(); err != nil {
		return nil, states, err
	}
	partial, ok := source.(Partial[V])
	if !ok {
		return nil, states, ErrCannotHold
	}
	samples := known.States.Len()
	count := samples * a.Chains
	s := source.Base(count, a.Key.Sub(stream.ChainsStart))
	put, err := known.In(s, a.Chains)
	if err != nil {
		return nil, states, err
	}
	put()
	base := make([]float64, samples)
	partial.LnZKnown(base, known.States, known.Missing)
	ladder := temperatures[T](&a)
	up, err := anneal(ctx, source, s, ladder, a.Key, put, a.progress())
	if err != nil {
		return nil, states, err
	}
	settling := newChains(source, count, 1, a.Key.Sub(stream.KnownSettling))
	settling.Visible = s
	settling.Hold(put)
	for range sweeps {
		if err := ctx.Err(); err != nil {
			return nil, states, err
		}
		settling.Sweep(1)
	}
	states = s.Clone()
	slices.Reverse(ladder)
	back := a
	if a.Progress != nil {
		back.Progress = func(done int) { a.Progress(len(ladder) - 1 + done) }
	}
	down, err := anneal(ctx, source, s, ladder, a.Key.Sub(stream.KnownReverse), put, back.progress())
	if err != nil {
		return nil, states, err
	}
	e = &KnownEstimate{}
	for k, b := range base {
		for l := k * a.Chains; l < (k+1)*a.Chains; l++ {
			up[l], down[l] = b+up[l], b-down[l]
		}
		e.Forward = append(e.Forward, estimate(up[k*a.Chains:(k+1)*a.Chains], 1))
		e.Reverse = append(e.Reverse, estimate(down[k*a.Chains:(k+1)*a.Chains], -1))
	}
	return e, states, nil
}
