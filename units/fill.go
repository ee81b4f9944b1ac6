package units

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// leastPrecision is the smallest precision of a missing Gaussian value, where hidden units that are
// not decided would leave less.
const leastPrecision = 0.1

// Start implements Filling.
func (s *Incomplete[T]) Start(field []float64) {
	s.dense()
	s.start(field)
}

func (s *Incomplete[T]) start(field []float64) {
	of := s.kind.Features()
	b, means := make([]float64, of), make([]float64, of)
	for unit, samples := range s.holes {
		if field != nil {
			copy(b, field[unit*of:])
		}
		if len(samples) == 0 {
			continue
		}
		s.kind.Means(means, b)
		for _, a := range samples {
			s.set(unit, a, means, 1)
		}
	}
	s.covered()
}

// set sets the means of the features of a missing unit, with variance that of Gaussian units.
func (s *Incomplete[T]) set(unit int, a int32, means []float64, variance float64) {
	for f, mean := range means {
		k := (unit*len(means)+f)*s.Len() + int(a)
		s.mean[k], s.square[k] = T(mean), T(mean*mean)
		if s.bits != nil {
			variance = (1 - mean) * (1 + mean)
		}
		s.spread[k] = T(variance)
	}
}

// covered sums the variances of each sample.
func (s *Incomplete[T]) covered() {
	clear(s.cover)
	of, m := s.kind.Features(), s.Len()
	for unit, samples := range s.holes {
		for f := range of {
			spread := s.spread[(unit*of+f)*m:][:m]
			for _, a := range samples {
				s.cover[a] += spread[a]
			}
		}
	}
}

// Refill implements Filling. With A = J lambda.(T - nu), B = J² lambda².R and C = J² (1 - lambda²).R of
// each feature, spins have the mean tanh(b + A - E x B - mu C), features of one-hot units the fields b + A + B -
// 2 J² sum lambda (lambda.p) R - mu C, and numbers the mean (b + A)/(1 - C) and the variance 1/(1 - B - C).
func (s *Incomplete[T]) Refill(l *Link[T], field []float64, first, second []T, share float64) {
	n, m, of := s.Features(), s.Len(), s.kind.Features()
	p := len(first) / m
	across, squares := make([]T, n*p), make([]T, n*p)
	kernel.Transpose(across, p, l.Mean, n, p, n)
	for k, v := range across {
		squares[k] = v * v
	}
	total := make([]T, m) // the sum of R
	for mu := range p {
		for a, r := range second[mu*m : (mu+1)*m] {
			total[a] += r
		}
	}
	j, jj := l.Coupling, l.Coupling*l.Coupling
	parallel.For(len(s.holes), parallel.Grain(of*p*m), func(lo, hi int) {
		one, two := make([]T, of*m), make([]T, of*m)
		fields, means, weight := make([]float64, of), make([]float64, of), make([]float64, p)
		for unit := lo; unit < hi; unit++ {
			if len(s.holes[unit]) == 0 {
				continue
			}
			at := unit * of
			kernel.MulReal(one, across[at*p:(at+of)*p], first, of, p, m, false, false)
			kernel.MulReal(two, squares[at*p:(at+of)*p], second, of, p, m, false, false)
			for _, a := range s.holes[unit] {
				if s.kind.OneHot() {
					s.together(weight, across[at*p:], second, unit, a)
				}
				variance := 1.0
				for f := range of {
					i := at + f
					x := float64(s.mean[i*m+int(a)])
					drive, bend := field[i]+j*float64(one[f*m+int(a)]), jj*float64(two[f*m+int(a)])
					free := jj*float64(total[a]) - bend
					if l.Known {
						free = 0
					}
					switch mu := float64(l.Offset[i]); {
					case s.bits == nil:
						fields[f] = drive / max(leastPrecision, 1-free)
						variance = 1 / max(leastPrecision, 1-free-bend)
						old := float64(s.spread[i*m+int(a)])
						variance = old + share*(variance-old)
					case s.kind.OneHot():
						var pull float64
						for mu, v := range across[i*p : (i+1)*p] {
							pull += float64(v) * weight[mu]
						}
						fields[f] = drive + bend - 2*jj*pull - mu*free
					default:
						fields[f] = drive - x*bend - mu*free
					}
				}
				s.kind.Means(means, fields)
				for f, v := range means {
					x := float64(s.mean[(at+f)*m+int(a)])
					means[f] = x + share*(v-x)
				}
				s.set(unit, a, means, variance)
			}
		}
	})
	s.covered()
}

// together sets weight to (lambda.p) R of each hidden feature, for the probabilities p of a missing unit.
// lambda has the rows of its features.
func (s *Incomplete[T]) together(weight []float64, lambda, second []T, unit int, a int32) {
	clear(weight)
	p := len(weight)
	for f := range s.kind.States {
		x := float64(s.probability(unit*s.kind.States+f, a))
		for mu, v := range lambda[f*p : (f+1)*p] {
			weight[mu] += x * float64(v)
		}
	}
	for mu := range weight {
		weight[mu] *= float64(second[mu*s.Len()+int(a)])
	}
}
