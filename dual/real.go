package dual

import (
	"context"
	"fmt"

	"bethe/rbm"
	"bethe/sample"
	"bethe/units"
)

// TermFor returns the exact partition term of synapses of a kind: Annealed for
// binary ones, Weighted for real ones.
func TermFor[T rbm.Real](kind rbm.Kind, engine Engine[T]) Partition[T] {
	if kind.LogOdds() {
		return &Annealed[T]{Engine: engine}
	}
	return &Weighted[T]{Engine: engine}
}

// Weighted is the partition term of a machine whose synapses are known real
// numbers: ln Z itself, of the network with couplings J w. It is what Annealed
// and Quenched are held against, and takes the synapses in the place of the
// posterior means.
type Weighted[T rbm.Real] struct {
	Engine  Engine[T]
	net     *rbm.Network[T]
	moments *rbm.Moments[T]
}

// Serves implements Partition: known synapses, if at least one layer is held
// as bits.
func (w *Weighted[T]) Serves(form Form) error {
	if !form.Synapses.Known() {
		return fmt.Errorf("%w: the term of known synapses is no average over %s ones: learn with dual.Annealed", ErrNotServed, form.Synapses)
	}
	visible, err := units.ParseKind(form.Visible)
	hidden, errHidden := units.ParseKind(form.Hidden)
	if err != nil || errHidden != nil {
		return fmt.Errorf("%w: units are %s and %s", ErrNotServed, form.Visible, form.Hidden)
	}
	if err := units.CheckPair(visible, hidden); err != nil {
		return fmt.Errorf("%w: %w", ErrNotServed, err)
	}
	return nil
}

// GivesLnZ implements Summing, as the engine does.
func (w *Weighted[T]) GivesLnZ() bool { return GivesLnZ(w.Engine) }

// Undo implements Undoer, as the engine does.
func (w *Weighted[T]) Undo() { Undo(w.Engine) }

// AnnealedLnZ implements Annealable.
func (w *Weighted[T]) AnnealedLnZ(ctx context.Context, params *rbm.Params, synapses []T, base []float64, with sample.Annealing) (sample.LnZEstimate, error) {
	net := rbm.NewNetwork[T](params.Visible(), params.Hidden())
	net.SetWeights(params, synapses)
	return annealedNetwork(ctx, net, base, with)
}

// Rows implements Partition: ln Z and its gradient, by a synapse
// J <(s_i - mu_i)(h_mu - nu_mu)>. The error is the engine's.
func (w *Weighted[T]) Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, synapses []T) (Row[T], Report, error) {
	n, p := params.Visible(), params.Hidden()
	checkMean(synapses, n, p)
	if w.net == nil || w.net.Visible() != n || w.net.Hidden() != p {
		w.net, w.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	w.net.SetWeights(params, synapses)
	report, err := engineOf(w.Engine, "weighted").Moments(ctx, w.moments, w.net)
	if err != nil {
		return nil, report, err
	}
	setFields(grad, w.moments)
	// <(s-mu)(h-nu)> = <sh> - nu <s> + mu (nu - <h>)
	offset := narrow[T](params.VisibleOffset)
	return func(dst []T, byCoupling []float64, mu int) {
		if !params.Whole() {
			clear(dst)
		}
		nu, excess := T(params.HiddenOffset[mu]), T(params.HiddenOffset[mu])-w.moments.Hidden[mu]
		sh, synapse := w.moments.Correlation[mu*n:(mu+1)*n], synapses[mu*n:(mu+1)*n]
		for k, l := range params.Links {
			if !l.Joins(mu) {
				continue
			}
			j, sum := T(l.Coupling), 0.0
			for i := l.Visible.From; i < l.Visible.To; i++ {
				c := sh[i] - nu*w.moments.Visible[i] + offset[i]*excess
				dst[i] = j * c
				sum += float64(synapse[i]) * float64(c)
			}
			byCoupling[k] += sum
		}
	}, report, nil
}
