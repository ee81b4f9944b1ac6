package rbm

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/stream"
)

// A Posterior is a factorised distribution over the synapses of N visible and
// P hidden units,
//
//	q(xi) = prod (1 + lambda xi)/2,   lambda = tanh theta,
//
// with a prior of the same form. Arrays are hidden x visible.
type Posterior[T Real] struct {
	Visible, Hidden int
	Theta           []T
	PriorTheta      []T // nil for the uniform prior
}

// NewPosterior returns the uniform posterior with the uniform prior.
func NewPosterior[T Real](visible, hidden int) *Posterior[T] {
	return &Posterior[T]{Visible: visible, Hidden: hidden, Theta: make([]T, visible*hidden)}
}

// Randomize draws every theta from a normal distribution of the given standard
// deviation. The key names the random stream.
func (q *Posterior[T]) Randomize(deviation float64, key stream.Key) {
	rng := key.Rand()
	for k := range q.Theta {
		q.Theta[k] = T(deviation * rng.NormFloat64())
	}
}

// Mean writes lambda = tanh theta to dst.
func (q *Posterior[T]) Mean(dst []T) {
	const grain = 1 << 13
	parallel.For(len(q.Theta), grain, func(lo, hi int) { kernel.Tanh(dst[lo:hi], q.Theta[lo:hi]) })
}

// KL returns the Kullback-Leibler divergence of the posterior from the prior,
// in nats: the sum over synapses of lambda (theta - theta0) - ln cosh theta +
// ln cosh theta0.
func (q *Posterior[T]) KL() float64 {
	const grain = 1 << 12
	parts := make([]float64, parallel.Pieces(len(q.Theta), grain))
	parallel.For(len(q.Theta), grain, func(lo, hi int) {
		var sum float64
		for k := lo; k < hi; k++ {
			theta, prior := float64(q.Theta[k]), 0.0
			if q.PriorTheta != nil {
				prior = float64(q.PriorTheta[k])
			}
			sum += klOne(theta, prior)
		}
		parts[lo/grain] = sum
	})
	var sum float64
	for _, p := range parts {
		sum += p
	}
	return sum
}

// Entropy returns the entropy of q in nats: the logarithm of the number of sets of
// synapses that it holds possible.
func (q *Posterior[T]) Entropy() float64 {
	uniform := *q
	uniform.PriorTheta = nil
	return float64(len(q.Theta))*math.Ln2 - uniform.KL()
}

// klOne is the divergence of one synapse. It is infinite only where the prior
// rules out what the posterior holds possible.
func klOne(theta, prior float64) float64 {
	switch {
	case math.IsInf(prior, 0):
		if theta == prior {
			return 0
		}
		return math.Inf(1)
	case math.IsInf(theta, 0): // the synapse is known
		return kernel.Log2Cosh(prior) - math.Copysign(1, theta)*prior
	}
	return math.Tanh(theta)*(theta-prior) - kernel.Log2Cosh(theta) + kernel.Log2Cosh(prior)
}

// AsPrior returns the thetas of the prior that this posterior is for a later
// task: means are multiplied by strength, from 0 (forget all) to 1 (keep all).
// If synapses flip between the tasks with probability (1 - strength)/2 each, that
// is the exact distribution of the later ones. It panics if strength is out of range.
func (q *Posterior[T]) AsPrior(strength float64) []T {
	if !(strength >= 0 && strength <= 1) {
		panic(fmt.Sprintf("rbm: AsPrior of strength %v", strength))
	}
	theta := make([]T, len(q.Theta))
	for k, v := range q.Theta {
		theta[k] = v
		if strength < 1 {
			theta[k] = T(math.Atanh(strength * math.Tanh(float64(v))))
		}
	}
	return theta
}

// Sign returns the most probable synapses, visible x hidden; theta = 0 counts as +1.
func (q *Posterior[T]) Sign() *spin.Matrix {
	t := spin.New(q.Visible, q.Hidden)
	spin.FromSigns(q.Hidden, q.Visible, q.Theta).Transpose(t)
	return t
}

// Sample draws synapses from the posterior, visible x hidden.
func (q *Posterior[T]) Sample(key stream.Key) *spin.Matrix {
	m := spin.New(q.Hidden, q.Visible)
	spin.Draw(m, q.Theta, key) // P(+1) = (1 + tanh theta)/2 = 1/(1 + exp(-2 theta))
	t := spin.New(q.Visible, q.Hidden)
	m.Transpose(t)
	return t
}

// Decided is the |lambda| above which Typical takes a synapse as known.
const Decided = 0.9

// Typical returns synapses that are typical of the posterior, visible x hidden:
// the sign of lambda where |lambda| is above Decided, drawn elsewhere.
//
// It is the machine to ship. The bound holds for machines drawn from q, on
// average; the signs alone are no such draw: where the data leave synapses
// undecided, as those of a pixel that hardly ever changes, their faint means
// often lean one way for many hidden units at once, and signs of full strength
// then add up to couplings that the bound never saw.
func (q *Posterior[T]) Typical(key stream.Key) *spin.Matrix {
	limit := T(math.Atanh(Decided))
	synapses := q.Sample(key)
	for k, v := range q.Theta {
		if v > limit {
			synapses.Set(k%q.Visible, k/q.Visible, 1)
		} else if v < -limit {
			synapses.Set(k%q.Visible, k/q.Visible, -1)
		}
	}
	return synapses
}

// Polarised returns the share of synapses with |lambda| above the threshold.
func (q *Posterior[T]) Polarised(threshold float64) float64 {
	limit := T(math.Atanh(threshold))
	count := 0
	for _, v := range q.Theta {
		if v > limit || v < -limit {
			count++
		}
	}
	return float64(count) / float64(len(q.Theta))
}

// A Model is a machine whose synapses are known as far as their posterior.
type Model[T Real] struct {
	Params
	Posterior *Posterior[T]
}

// Machine returns the machine with the most probable synapses; see Typical for
// the better one to ship.
func (m *Model[T]) Machine() *Machine {
	return &Machine{Params: m.Params.Clone(), Synapses: Binary(m.Posterior.Sign())}
}

// Clone returns a deep copy.
func (q *Posterior[T]) Clone() *Posterior[T] {
	return &Posterior[T]{q.Visible, q.Hidden, slices.Clone(q.Theta), slices.Clone(q.PriorTheta)}
}

// Clone returns a deep copy.
func (m *Model[T]) Clone() *Model[T] { return &Model[T]{m.Params.Clone(), m.Posterior.Clone()} }

// Convert returns a model of the other precision.
func Convert[To, From Real](m *Model[From]) *Model[To] {
	q := &Posterior[To]{Visible: m.Posterior.Visible, Hidden: m.Posterior.Hidden, Theta: convert[To](m.Posterior.Theta)}
	if m.Posterior.PriorTheta != nil {
		q.PriorTheta = convert[To](m.Posterior.PriorTheta)
	}
	return &Model[To]{m.Params.Clone(), q}
}

func convert[To, From Real](x []From) []To {
	y := make([]To, len(x))
	for i, v := range x {
		y[i] = To(v)
	}
	return y
}
