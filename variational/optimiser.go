package variational

import (
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// A Rule updates thetas from the gradient of the bound by the posterior means.
// As the Fisher metric of q turns that gradient into the natural gradient by
// theta, no clipping is needed.
type Rule int

// The rules.
const (
	// Adam takes Adam's step (Kingma and Ba 2015) along the gradient by lambda, in theta.
	Adam Rule = iota
	// BayesianRule is theta <- (1-rate) theta + rate (theta0 + d(data - M ln E_q Z)/dlambda):
	// the Bayesian learning rule (Meng, Bachmann and Khan 2020), natural-gradient
	// ascent, whose fixed points are those of the bound. The rate must be small
	// against 1/(curvature), about 1/M of the gradient's.
	BayesianRule
	// ClippedAdam takes Adam's step in lambda and clips at ±0.99999: the rule of
	// the code published with the paper, kept for reproducing the paper. It polarises synapses.
	ClippedAdam
)

// lambdaLimit is where ClippedAdam clips.
const lambdaLimit = 0.99999

// adam is the state of Adam for some parameters, as kept in checkpoints.
type adam[T rbm.Real] struct{ First, Second []T }

func newAdam[T rbm.Real](n int) adam[T] { return adam[T]{make([]T, n), make([]T, n)} }

// step moves x uphill and keeps it within ±limit; count is the number of steps
// including this one.
func (s adam[T]) step(x, grad []T, rate float64, count int, limit float64) {
	const epsilon = 1e-8
	// rate * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon)
	root := math.Sqrt(1 - math.Pow(kernel.AdamSecond, float64(count)))
	scale := rate * root / (1 - math.Pow(kernel.AdamFirst, float64(count)))
	const grain = 1 << 13
	parallel.For(len(x), grain, func(lo, hi int) {
		kernel.Adam(x[lo:hi], s.First[lo:hi], s.Second[lo:hi], grad[lo:hi], T(scale), T(epsilon*root), T(limit))
	})
}
