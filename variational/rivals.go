package variational

import (
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// Products have types of their own, so that no compiler joins them with a sum: the bytes are those of every processor.

// lionKeep is what Lion's average of the gradient keeps a step.
const lionKeep = 0.99

// lion is the state of Lion.
type lion[T rbm.Real] struct {
	first []T
	beta  float64
}

func (s *lion[T]) step(x, grad []T, m move) {
	rate, limit, keep, take := T(m.rate), T(m.limit), T(s.beta), T(rest(s.beta))
	parallel.For(len(x), adamGrain, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			g := grad[k]
			switch d := T(keep*s.first[k]) + T(take*g); {
			case d > 0:
				x[k] = min(limit, x[k]+rate)
			case d < 0:
				x[k] = max(-limit, x[k]-rate)
			}
			s.first[k] = T(lionKeep*s.first[k]) + T((1-lionKeep)*g)
		}
	})
}

func (s *lion[T]) kept() []keptArray[T] { return []keptArray[T]{{"first", &s.first}} }

// bayesian is the state of the Bayesian learning rule with momentum. The rate of a move is that times the number of samples.
type bayesian[T rbm.Real] struct {
	first []T
	beta  float64
}

func (s *bayesian[T]) step(x, grad []T, m move) {
	keep, take, limit := T(s.beta), T(rest(s.beta)), T(m.limit)
	scale := T(m.rate / (1 - math.Pow(s.beta, float64(m.count))))
	parallel.For(len(x), adamGrain, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			s.first[k] = T(keep*s.first[k]) + T(take*grad[k])
			x[k] = max(-limit, min(limit, x[k]+T(scale*s.first[k])))
		}
	})
}

func (s *bayesian[T]) kept() []keptArray[T] { return []keptArray[T]{{"first", &s.first}} }

// scheduleFree is the state of schedule-free Adam: the parameters are a mix of where steps lead and of the mean of that.
type scheduleFree[T rbm.Real] struct {
	led, mean, second []T
	beta              float64
}

func (s *scheduleFree[T]) step(x, grad []T, m move) {
	root := unbias(m.count)
	rate, tiny, limit := T(m.rate*root), T(adamEpsilon*root), T(m.limit)
	keep, share := T(s.beta), T(1/float64(m.count))
	const square = kernel.AdamSecond
	parallel.For(len(x), adamGrain, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			if m.count == 1 {
				s.led[k], s.mean[k] = x[k], x[k]
			}
			g := grad[k]
			s.second[k] = T(square*s.second[k]) + T(T((1-square)*g)*g)
			s.led[k] = max(-limit, min(limit, s.led[k]+rate*g/(T(math.Sqrt(float64(s.second[k])))+tiny)))
			s.mean[k] += T(share * (s.led[k] - s.mean[k]))
			x[k] = T(keep*s.mean[k]) + T((1-keep)*s.led[k])
		}
	})
}

func (s *scheduleFree[T]) kept() []keptArray[T] {
	return []keptArray[T]{{"led", &s.led}, {"mean", &s.mean}, {"second", &s.second}}
}
