package variational

import (
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Synapses says what the synapses of a learning machine are, and so what the
// thetas of its model stand for. All kinds but Posterior are baselines. One
// objective serves all, as it is exact where each synapse is known.
type Synapses int

// The kinds.
const (
	// Posterior synapses are binary and known as far as their means tanh theta.
	Posterior Synapses = iota
	// Real synapses are the real numbers theta: learning is persistent
	// contrastive divergence. The partition term must be dual.Weighted.
	Real
	// Sampled synapses are drawn from the posterior for each step, and the
	// gradient at the draw is passed straight through to theta.
	Sampled
	// Sign synapses are the signs of theta, which gets the gradient there
	// (straight-through: Courbariaux, Bengio and David 2015).
	Sign
)

// set writes what takes the place of lambda in the objective to dst; the key
// is that of the draws of Sampled.
func set[T rbm.Real](dst []T, kind Synapses, q *rbm.Posterior[T], key stream.Key) {
	switch kind {
	case Posterior:
		q.Mean(dst)
	case Real:
		copy(dst, q.Theta)
	case Sampled:
		m := spin.New(q.Hidden, q.Visible)
		spin.Draw(m, q.Theta, key)
		spin.Values(dst, m)
	case Sign:
		spin.Values(dst, spin.FromSigns(q.Hidden, q.Visible, q.Theta))
	}
}

// known reports whether the objective's synapses are known, without variance.
func (o *Objective[T]) known() bool { return o.Synapses != Posterior }

// share is the factor of theta in the gradient: that of the divergence from the
// prior, or the decay.
func (o *Objective[T]) share() float64 {
	switch o.Synapses {
	case Posterior:
		return (1 - o.Release) / float64(o.Samples)
	case Real:
		return o.Decay
	}
	return 0
}

// kl returns the divergence from the prior in nats a sample.
func (o *Objective[T]) kl(q *rbm.Posterior[T]) float64 {
	if o.known() {
		return 0
	}
	return q.KL() / float64(o.Samples)
}
