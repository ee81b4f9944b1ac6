package thermo

import (
	"math"

	"bethe/rbm"
)

// A Score is what changes along the path of At, at one t. It is the derivative by t of the
// log-weight of a state.
type Score struct {
	LnZ      float64
	Mean     float64 // d ln Z / dt
	Marginal float64 // variance over visible states, the hidden ones summed over
	Joint    float64 // variance over pairs of visible and hidden states
}

// ScoreAt returns the score of the path from base fields to net, exactly. Net must be fit
// for Enumerate. Its constant counts at every t.
func ScoreAt(net *rbm.Network[float64], base []float64, t float64) Score {
	at := At(net, base, t)
	at.Constant = net.Constant
	e := Enumerate(at)
	whole := Enumeration{net: net}
	var mean, square, within float64
	for k, w := range e.LogWeights {
		p := math.Exp(w - e.LnZ)
		score, variance := 0.0, 0.0
		for i, b := range net.VisibleField {
			score += (b - base[i]) * spinOf(k, i)
		}
		for mu := range net.HiddenField {
			f := whole.hiddenField(mu, k)
			h := math.Tanh(t * f)
			score += f * h
			variance += f * f * (1 - h*h)
		}
		mean += p * score
		square += p * score * score
		within += p * variance
	}
	marginal := square - mean*mean
	return Score{LnZ: e.LnZ, Mean: mean, Marginal: marginal, Joint: marginal + within}
}

// Lengths returns the thermodynamic lengths of the path from base fields to net: the
// integrals over t of the standard deviations of both scores, by Simpson's rule with the given
// even number of steps. L^2/2K is about what K steps of equal length dissipate, in nats, if
// states are independent from step to step.
func Lengths(net *rbm.Network[float64], base []float64, steps int) (marginal, joint float64) {
	steps += steps % 2
	for k := range steps + 1 {
		weight := 2.0
		switch {
		case k == 0 || k == steps:
			weight = 1
		case k%2 == 1:
			weight = 4
		}
		s := ScoreAt(net, base, float64(k)/float64(steps))
		marginal += weight * math.Sqrt(max(0, s.Marginal))
		joint += weight * math.Sqrt(max(0, s.Joint))
	}
	return marginal / float64(3*steps), joint / float64(3*steps)
}

// A Point is where a machine stands at an inverse temperature: all energies times Beta.
type Point struct {
	Beta         float64 `json:"beta"`
	LnZ          float64 `json:"ln_z"`
	Energy       float64 `json:"energy"` // mean
	Entropy      float64 `json:"entropy"`
	HeatCapacity float64 `json:"heat_capacity"` // beta^2 times the variance of the energy
}
