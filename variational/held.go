package variational

import (
	"math"

	"bethe/rbm"
)

// A PriorForm is how learning is held to a prior of the synapses that is not uniform.
type PriorForm int

// The forms. They agree near the prior.
const (
	// Divergence is the divergence of the posterior from the prior, as in the bound.
	Divergence PriorForm = iota
	// Elastic is the divergence to second order about the prior, in the means: the sum of
	// (lambda - lambda0)²/(2 (1 - lambda0²)). This is elastic weight consolidation (Kirkpatrick et al.
	// 2017) with the Fisher information of q. A decided synapse is held much more firmly than by the divergence.
	Elastic
)

// hold adds to the gradient of a row by the means what the prior adds to that of a uniform one, which pulls
// theta to 0 with the given share.
func hold[T rbm.Real](f PriorForm, grad, prior, theta, mean []T, share T) {
	if f == Divergence {
		for i, v := range prior {
			grad[i] += share * v
		}
		return
	}
	for i, v := range prior {
		c := T(math.Cosh(float64(v)))
		grad[i] += share * (theta[i] + c*c*(T(math.Tanh(float64(v)))-mean[i]))
	}
}

// heldFields are the fields that learning starts from, if a prior holds it to them. The prior is exact: samples of independent units
// with these fields, a of them for each sample that is learned from. Their log-likelihood adds
// a (tanh b0 - tanh b) to the gradient by a field b.
type heldFields struct{ visible, hidden []float64 }

func holdFields(params *rbm.Params, weight float64) heldFields {
	if weight == 0 {
		return heldFields{}
	}
	start := params.Clone()
	return heldFields{start.VisibleField, start.HiddenField}
}

// pull adds to the gradient by the fields.
func (h *heldFields) pull(byVisible, byHidden []float64, params *rbm.Params, weight float64) {
	for i, b := range h.visible {
		byVisible[i] += weight * (math.Tanh(b) - math.Tanh(params.VisibleField[i]))
	}
	for mu, b := range h.hidden {
		byHidden[mu] += weight * (math.Tanh(b) - math.Tanh(params.HiddenField[mu]))
	}
}
