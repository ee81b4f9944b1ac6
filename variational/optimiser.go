package variational

import (
	"math"

	"bethe/hyperadam"
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
	// HyperAdam is a learned combination of Adams (package hyperadam), in theta, of log-odds only.
	HyperAdam
	// Lion moves every theta by the rate, in the direction of its momentum with a share of the gradient (Chen et al. 2023).
	Lion
	// BayesianMomentum is BayesianRule along an average of the gradient, as BayesBiNN has it.
	BayesianMomentum
	// ScheduleFree is Adam without momentum whose gradient is taken at a mix of where its steps lead, 1 - Momentum, and of the mean of that
	// (Defazio et al. 2024). Its rate should not fall.
	ScheduleFree
)

// ofPosterior reports whether the rule needs synapses that are not known.
func (r Rule) ofPosterior() bool {
	return r == BayesianRule || r == BayesianMomentum || r == ClippedAdam
}

// lambdaLimit is where ClippedAdam clips.
const lambdaLimit = 0.99999

// DefaultMomentum is the beta_1 that Adam has if nothing else is asked for.
const DefaultMomentum = 0.9

// A Momentum is the share beta_1 that Adam's average of the gradient keeps a step, from 0
// up to less than 1. The zero value asks for none in particular: DefaultMomentum.
type Momentum struct {
	beta  float64
	asked bool
}

// MomentumOf returns a momentum. At 0 the gradient itself takes the place of its average (RMSProp).
func MomentumOf(beta float64) Momentum { return Momentum{beta, true} }

// Beta returns the share that is kept.
func (m Momentum) Beta() float64 {
	if !m.asked {
		return DefaultMomentum
	}
	return m.beta
}

// rest returns 1 - beta, of the decimals that they are: that of 0.9 is 0.1.
func rest(beta float64) float64 { return math.Round((1-beta)*1e15) / 1e15 }

// An optimiser moves parameters, and keeps its averages from step to step.
type optimiser[T rbm.Real] interface {
	// step moves x uphill.
	step(x, grad []T, m move)
	// kept are the arrays that a checkpoint keeps, with a number or more for each row of x, by what their names end in.
	kept() []keptArray[T]
}

// A move says how far parameters move, and where learning is.
type move struct {
	rate     float64
	count    int     // of steps, including this one
	decay    float64 // before it moves, x loses a share of rate decay, at most half
	limit    float64 // parameters stay within ±limit
	fraction float64 // of learning that is done
	settled  bool    // the gradient is that of the machine of signs
}

// stay is the share that x keeps.
func (m *move) stay() float64 { return max(0.5, 1-m.rate*m.decay) }

// A keptArray is one that an optimiser keeps.
type keptArray[T rbm.Real] struct {
	name string
	x    *[]T
}

// newOptimiser returns that of the synapses.
func newOptimiser[T rbm.Real](opt *Options, visible, hidden int) optimiser[T] {
	n, beta := visible*hidden, opt.Momentum.Beta()
	switch {
	case opt.Rule == HyperAdam:
		return &learned[T]{hyperadam.NewState[T](&opt.Weights, visible, hidden), beta}
	case opt.Rule == Lion:
		return &lion[T]{make([]T, n), beta}
	case opt.Rule == BayesianMomentum:
		return &bayesian[T]{make([]T, n), beta}
	case opt.Rule == ScheduleFree:
		return &scheduleFree[T]{make([]T, n), make([]T, n), make([]T, n), beta}
	case beta == 0:
		return &rmsProp[T]{make([]T, n)}
	}
	a := newAdam[T](n, beta)
	return &a
}

// adam is the state of Adam for some parameters.
type adam[T rbm.Real] struct {
	First, Second []T
	beta          float64
}

func newAdam[T rbm.Real](n int, beta float64) adam[T] {
	return adam[T]{make([]T, n), make([]T, n), beta}
}

const (
	adamEpsilon = 1e-8
	adamGrain   = 1 << 13 // parameters that a thread takes at once
)

// unbias returns by what the root of the average of squares is to be multiplied: it
// started at 0, count steps ago.
func unbias(count int) float64 { return math.Sqrt(1 - math.Pow(kernel.AdamSecond, float64(count))) }

func (s *adam[T]) step(x, grad []T, m move) {
	// rate * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + epsilon)
	root := unbias(m.count)
	scale := m.rate * root / (1 - math.Pow(s.beta, float64(m.count)))
	keep, take := T(s.beta), T(rest(s.beta))
	parallel.For(len(x), adamGrain, func(lo, hi int) {
		kernel.Adam(x[lo:hi], s.First[lo:hi], s.Second[lo:hi], grad[lo:hi], keep, take, T(m.stay()), T(scale), T(adamEpsilon*root), T(m.limit))
	})
}

func (s *adam[T]) kept() []keptArray[T] {
	return []keptArray[T]{{"first", &s.First}, {"second", &s.Second}}
}

// rmsProp is the state of Adam without momentum.
type rmsProp[T rbm.Real] struct{ second []T }

func (s *rmsProp[T]) step(x, grad []T, m move) {
	root := unbias(m.count)
	parallel.For(len(x), adamGrain, func(lo, hi int) {
		kernel.RMSProp(x[lo:hi], s.second[lo:hi], grad[lo:hi], T(m.stay()), T(m.rate*root), T(adamEpsilon*root), T(m.limit))
	})
}

func (s *rmsProp[T]) kept() []keptArray[T] { return []keptArray[T]{{"second", &s.second}} }

// learned is the state of HyperAdam.
type learned[T rbm.Real] struct {
	*hyperadam.State[T]
	beta float64
}

func (s *learned[T]) step(x, grad []T, m move) {
	s.Move(x, grad, hyperadam.Step{Count: m.count, Rate: m.rate, Limit: m.limit, Keep: s.beta, Take: rest(s.beta), Fraction: m.fraction, Settled: m.settled})
}

func (s *learned[T]) kept() []keptArray[T] {
	return []keptArray[T]{{"first", &s.First}, {"second", &s.Second}, {"slow", &s.Slow}, {"fast", &s.Fast}, {"rows", &s.Rows}}
}
