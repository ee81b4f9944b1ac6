package variational

import (
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
)

// Cavity replaces the Gaussian averages of Mixture by those of the cavity
// method, in the gradient only: the bound stays what it was. With few samples
// mean field neglects that a synapse acts back on the fields it is judged by.
// Belief propagation on the posterior of one hidden unit (H. Huang and T.
// Toyoizumi, Phys. Rev. E 94, 062310) takes that into account, and for many
// synapses its factors need, of each field with mean m and variance V,
//
//	T = tanh(m - V T),   R = 1 - T^2
//
// in the place of E tanh and E sech^2 (the Onsager reaction term, as in
// approximate message passing). A few natural-gradient steps with them, from
// where the bound ended, bring the means of the synapses nearer to those of the
// exact posterior; they do not climb the bound.
type Cavity[T rbm.Real] struct{ Mixture[T] }

// Averages implements units.Hidden. T is good to 1e-6 in float32, to 1e-12 in float64.
func (Cavity[T]) Averages(tanh, sech2, mean, variance []T, _ int) {
	n := len(mean)
	variance = eachVariance(variance, n)
	t, y := make([]T, n), make([]T, n)
	for j, m := range mean {
		t[j] = m / (1 + variance[j])
	}
	kernel.Tanh(t, t)
	for range 4 { // Newton steps; nearly all t need no more
		at(y, t, mean, variance)
		for j, v := range variance {
			t[j] -= (t[j] - y[j]) / (1 + v*(1-y[j]*y[j]))
		}
	}
	at(y, t, mean, variance)
	enough := 1e-12
	if tiny := T(1e-12); 1+tiny == 1 { // float32
		enough = 1e-6
	}
	for j, m := range mean {
		if math.Abs(float64(t[j]-y[j])) > enough {
			t[j] = T(reaction(float64(m), float64(variance[j])))
		}
		tanh[j], sech2[j] = t[j], 1-t[j]*t[j]
	}
}

// at sets y to tanh(mean - variance t).
func at[T rbm.Real](y, t, mean, variance []T) {
	for j, m := range mean {
		y[j] = m - variance[j]*t[j]
	}
	kernel.Tanh(y, y)
}

// reaction solves t = tanh(m - v t), v >= 0, whose right side falls as t
// grows: Newton steps, halving instead where one leaves the bracket.
func reaction(m, v float64) float64 {
	const enough = 1e-12
	low, high := -1.0, 1.0
	t := math.Tanh(m / (1 + v))
	for range 60 {
		y := math.Tanh(m - v*t)
		excess := t - y
		if math.Abs(excess) < enough {
			break
		}
		if excess > 0 {
			high = t
		} else {
			low = t
		}
		t -= excess / (1 + v*(1-y*y))
		if !(t > low && t < high) {
			t = (low + high) / 2
		}
	}
	return t
}
