package dual

import (
	"math"
	"math/rand/v2"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// DrawVisible implements sample.Conditionals by a step from the states in u.
func (c *movingLayers[T]) DrawVisible(u *units.Reals[T], h *spin.Matrix, at T, key stream.Key) {
	c.weighed = false
	t := float64(at)
	c.set(u, t)
	spin.Values(c.signs, h)
	if c.step == nil {
		c.step = &movingStep[T]{movingLayers: c, proposed: units.NewReals[T](c.reals, c.chains)}
		for _, x := range []*[]T{&c.step.x, &c.step.tau, &c.step.gain, &c.step.before, &c.step.after} {
			*x = make([]T, c.reals*c.chains)
		}
	}
	s := c.step
	s.h, s.j = h, t*c.coupling
	s.propose(key)
	s.series(u)
	parallel.For(c.reals, 4, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			s.take(u.Row(r), r, key.Sub(uint64(c.reals+r)).Rand())
		}
	})
}

// A movingStep is a step of all Gaussian units.
type movingStep[T rbm.Real] struct {
	*movingLayers[T]
	h             *spin.Matrix
	j             float64 // t J
	proposed      *units.Reals[T]
	x, tau        []T // proposed values
	gain          []T // of sum ln f if they are taken, in units of the series
	before, after []T // powers of z
}

// propose draws from the matched Gaussians.
func (s *movingStep[T]) propose(key stream.Key) {
	m, j := s.chains, s.j
	spin.MulAffine(s.linear, s.rows, s.reals, s.h, 1, s.tilt)
	if s.tight != nil {
		shift := make([]T, s.reals)
		for r, v := range s.wide {
			shift[r] = T(1 - j*j*v)
		}
		spin.MulAffine(s.rho, s.tight, s.reals, s.h, T(2*j*j), shift)
	}
	parallel.For(s.reals, 4, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			rng := key.Sub(uint64(r)).Rand()
			linear, rho, proposed := s.linear[r*m:(r+1)*m], s.rho[r*m:(r+1)*m], s.proposed.Row(r)
			b, offset := s.realField[r], s.realOffset[r]
			for l, g := range linear {
				if s.tight == nil {
					rho[l] = T(1 - j*j*s.wide[r])
				}
				width := max(float64(rho[l]), leastRho)
				mean := offset + (b-offset+j*float64(g))/width
				linear[l] = T(mean)
				proposed[l] = T(mean + rng.NormFloat64()/math.Sqrt(width))
			}
			kernel.Affine(s.x[r*m:(r+1)*m], proposed, T(j), T(-j*offset))
			kernel.Tanh(s.tau[r*m:(r+1)*m], s.x[r*m:(r+1)*m])
		}
	})
}

// within reports whether the series serves an element, as it is and as proposed.
func (s *movingStep[T]) within(k int) bool {
	old, z := s.movingLayers.z()[k], s.tau[k]
	if !s.plain {
		z = s.x[k]
	}
	return float64(max(old, -old)) <= s.cap && float64(max(z, -z)) <= s.cap
}

// series sets gain for the units that stay within the series' range, before and after.
func (s *movingStep[T]) series(u *units.Reals[T]) {
	old, z := s.movingLayers.z(), s.tau
	if !s.plain {
		z = s.x
	}
	largest := make([]float64, s.reals)
	m := s.chains
	parallel.For(s.reals, parallel.Grain(m*4), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			for _, x := range [][]T{s.gain, s.before, s.after} {
				clear(x[r*m : (r+1)*m])
			}
			for k := r * m; k < (r+1)*m; k++ {
				if s.within(k) {
					s.before[k], s.after[k] = old[k], z[k]
					largest[r] = max(largest[r], math.Abs(float64(old[k])), math.Abs(float64(z[k])))
				}
			}
		}
	})
	top := 0.0
	for _, v := range largest {
		top = max(top, v)
	}
	terms := s.terms(top)
	s.grow(terms)
	product := s.product[:s.reals*m]
	for n := 1; n <= terms; n++ {
		if n > 1 {
			multiply(s.before, old)
			multiply(s.after, z)
		}
		if s.signed[n] != nil {
			spin.MulAffine(product, s.signed[n], s.reals, s.h, 1, s.free[n])
		}
		parallel.For(s.reals, parallel.Grain(m*3), func(lo, hi int) {
			for r := lo; r < hi; r++ {
				before, after, gain := s.before[r*m:(r+1)*m], s.after[r*m:(r+1)*m], s.gain[r*m:(r+1)*m]
				if s.signed[n] == nil {
					for l, v := range after {
						gain[l] += s.free[n][r] * (v - before[l])
					}
					continue
				}
				for l, p := range product[r*m : (r+1)*m] {
					gain[l] += p * (after[l] - before[l])
				}
			}
		})
	}
}

// take accepts the proposal for unit r, or leaves the unit as it is, or redraws its synapses.
func (s *movingStep[T]) take(u []T, r int, rng *rand.Rand) {
	m, j := s.chains, s.j
	field := s.realField[r]
	cosh, coshBefore := make([]float64, m), make([]float64, m)
	if s.plain {
		kernel.AddLog2Cosh(cosh, s.x[r*m:(r+1)*m])
		kernel.AddLog2Cosh(coshBefore, s.movingLayers.x[r*m:(r+1)*m])
	}
	for l, v := range s.proposed.Row(r) {
		k := r*m + l
		width, chance := float64(s.rho[k]), -rng.ExpFloat64() // drawn for all chains, so that places do not matter
		if width < leastRho {
			u[l] = T(s.redraw(r, l, j, rng))
			continue
		}
		gain := float64(s.gain[k]) + float64(s.bits)*(cosh[l]-coshBefore[l])
		if !s.within(k) {
			gain = s.exactly(r, l, float64(s.x[k])) - s.exactly(r, l, float64(s.movingLayers.x[k]))
		}
		mean, to, from := float64(s.linear[k]), float64(v), float64(u[l])
		gain += (field-to/2)*to - (field-from/2)*from + ((to-mean)*(to-mean)-(from-mean)*(from-mean))*width/2
		if chance < gain {
			u[l] = v
		}
	}
}

// exactly returns the sum of ln f of unit r in a chain.
func (s *movingStep[T]) exactly(r, l int, x float64) (sum float64) {
	for b, lambda := range s.lambda64(r) {
		sum += kernel.EdgeLog(lambda, x*(float64(s.signs[b*s.chains+l])-s.bitOffset[b]))
	}
	return sum
}

// lambda64 returns the posterior means of the synapses of a unit.
func (s *movingStep[T]) lambda64(r int) []float64 {
	return s.mixed.lambda[r*s.bits : (r+1)*s.bits]
}

// redraw draws the synapses of unit r in a chain, and u given them.
func (s *movingStep[T]) redraw(r, l int, j float64, rng *rand.Rand) float64 {
	m, sum := s.chains, 0.0
	x, tau := float64(s.movingLayers.x[r*m+l]), float64(s.movingLayers.tau[r*m+l])
	for b, lambda := range s.lambda64(r) {
		nu, h := s.bitOffset[b], float64(s.signs[b*m+l])
		shift := 0.0
		if nu != 0 {
			shift = math.Tanh(nu * x)
		}
		f := max((1-lambda*shift)+h*tau*(lambda-shift), smallest[T]())
		mean := (lambda*(1-h*tau*shift) + h*tau - shift) / f // tanh(theta + a)
		if 2*rng.Float64() < 1+mean {
			sum += h - nu
		} else {
			sum -= h - nu
		}
	}
	return s.realField[r] + j*sum + rng.NormFloat64()
}

// smallest is what factors are at least: that of a decided synapse against a field of some 8 is
// lost in the rounding of tanh.
func smallest[T rbm.Real]() float64 {
	if _, single := any(T(0)).(float32); single {
		return 3e-8
	}
	return 1e-16
}

// factors multiply up the factors of many edges in each of some chains. The range of float64
// holds the product of a flush of them.
type factors[T rbm.Real] struct {
	num, den, cosh []float64 // products: of f with h = 1, with h = -1, and of 1/cosh² nu x
	odds, weight   []float64 // ln num/den, and half of ln num den cosh, of those before the last flush
	s              []T       // tanh nu x
	least          T
	since          int  // factors since the last flush
	weighing       bool // whether weight is set
}

// flushEvery factors, each at least smallest, are multiplied before a logarithm is taken.
const flushEvery = 16

func newFactors[T rbm.Real](chains int) *factors[T] {
	f := &factors[T]{s: make([]T, chains), least: T(smallest[T]())}
	for _, x := range []*[]float64{&f.num, &f.den, &f.cosh, &f.odds, &f.weight} {
		*x = make([]float64, chains)
	}
	return f
}

func (f *factors[T]) start(weighing bool) {
	f.weighing = weighing
	clear(f.odds)
	clear(f.weight)
	f.one()
}

func (f *factors[T]) one() {
	f.since = 0
	for l := range f.num {
		f.num[l], f.den[l], f.cosh[l] = 1, 1, 1
	}
}

// end takes the logarithms. num times den with cosh would leave the range.
func (f *factors[T]) end() {
	for l, v := range f.num {
		f.odds[l] += math.Log(v / f.den[l])
	}
	if f.weighing {
		for l, v := range f.den {
			f.weight[l] += math.Log(v) + math.Log(f.num[l]/v)/2 - math.Log(f.cosh[l])/2
		}
	}
	f.one()
}

func (f *factors[T]) count() {
	if f.since++; f.since == flushEvery {
		f.end()
	}
}

// shift sets s.
func (f *factors[T]) shift(x []T, nu T) {
	kernel.Affine(f.s, x, nu, 0)
	kernel.Tanh(f.s, f.s)
}

// both multiplies by the factors of an edge with h = 1, into num, and h = -1, into den.
func (f *factors[T]) both(lambda T, tau []T) {
	num, den, cosh := f.num[:len(tau)], f.den[:len(tau)], f.cosh[:len(tau)]
	for l, t := range tau {
		s := f.s[l]
		a, d := 1-lambda*s, t*(lambda-s)
		num[l] *= float64(max(a+d, f.least))
		den[l] *= float64(max(a-d, f.least))
		cosh[l] *= float64(max((1-s)*(1+s), f.least))
	}
	f.count()
}
