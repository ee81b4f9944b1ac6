package dual

import "bethe/rbm"

// Weighted is the partition term of a machine whose synapses are known real
// numbers: ln Z itself, of the network with couplings J w. It is what Annealed
// and Quenched are held against, and takes the synapses in the place of the
// posterior means.
type Weighted[T rbm.Real] struct {
	Engine  Engine[T]
	net     *rbm.Network[T]
	moments *rbm.Moments[T]
}

// Rows implements Partition: ln Z and its gradient, by a synapse
// J <(s_i - mu_i)(h_mu - nu_mu)>. The error is the engine's.
func (w *Weighted[T]) Rows(grad *Gradient[T], params *rbm.Params, synapses []T) (Row[T], Report, error) {
	n, p := params.Visible(), params.Hidden()
	checkMean(synapses, n, p)
	if w.net == nil || w.net.Visible() != n || w.net.Hidden() != p {
		w.net, w.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	w.net.SetWeights(params, synapses)
	report, err := w.Engine.Moments(w.moments, w.net)
	if err != nil {
		return nil, report, err
	}
	setFields(grad, w.moments)
	// <(s-mu)(h-nu)> = <sh> - nu <s> + mu (nu - <h>)
	offset, j := narrow[T](params.VisibleOffset), T(params.Coupling)
	return func(dst []T, mu int) (byCoupling float64) {
		nu, excess := T(params.HiddenOffset[mu]), T(params.HiddenOffset[mu])-w.moments.Hidden[mu]
		sh, synapse := w.moments.Correlation[mu*n:(mu+1)*n], synapses[mu*n:(mu+1)*n]
		for i, s := range w.moments.Visible {
			c := sh[i] - nu*s + offset[i]*excess
			dst[i] = j * c
			byCoupling += float64(synapse[i]) * float64(c)
		}
		return byCoupling
	}, report, nil
}
