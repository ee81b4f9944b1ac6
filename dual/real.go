package dual

import (
	"bethe/internal/parallel"
	"bethe/rbm"
)

// Weighted is the partition term of a machine whose synapses are known real
// numbers: ln Z itself, of the network with couplings J w. It is what Annealed
// and Quenched are held against, and takes the synapses in the place of the
// posterior means.
type Weighted[T rbm.Real] struct {
	Engine  Engine[T]
	net     *rbm.Network[T]
	moments *rbm.Moments[T]
}

// Term computes ln Z and its gradient, of which Synapse is
// J <(s_i - mu_i)(h_mu - nu_mu)>. The error is the engine's.
func (w *Weighted[T]) Term(grad *Gradient[T], params *rbm.Params, synapses []T) (Report, error) {
	n, p := params.Visible(), params.Hidden()
	checkMean(synapses, n, p)
	if w.net == nil || w.net.Visible() != n || w.net.Hidden() != p {
		w.net, w.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	w.net.SetWeights(params, synapses)
	report, err := w.Engine.Moments(w.moments, w.net)
	if err != nil {
		return report, err
	}
	for i, v := range w.moments.Visible {
		grad.VisibleField[i] = float64(v)
	}
	for mu, v := range w.moments.Hidden {
		grad.HiddenField[mu] = float64(v)
	}
	// <(s-mu)(h-nu)> = <sh> - nu <s> + mu (nu - <h>)
	offset, j := narrow[T](params.VisibleOffset), T(params.Coupling)
	coupling := make([]float64, p)
	parallel.For(p, edgeGrain(n), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			row := mu * n
			nu, excess := T(params.HiddenOffset[mu]), T(params.HiddenOffset[mu])-w.moments.Hidden[mu]
			out, sh, synapse := grad.Synapse[row:row+n], w.moments.Correlation[row:row+n], synapses[row:row+n]
			var sum float64
			for i, s := range w.moments.Visible {
				c := sh[i] - nu*s + offset[i]*excess
				out[i] = j * c
				sum += float64(synapse[i]) * float64(c)
			}
			coupling[mu] = sum
		}
	})
	grad.Coupling = 0
	for _, v := range coupling {
		grad.Coupling += v
	}
	return report, nil
}
