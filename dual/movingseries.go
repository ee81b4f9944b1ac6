package dual

import (
	"math"
	"slices"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// A series is ln f of all edges in powers of a number z of each Gaussian unit, so that sums over
// edges are products of matrices. Without offsets z = tau = tanh x, and
//
//	ln f = ln cosh x + sum_n -(-lambda)^n/n h^n z^n,
//
// else z = x, and with the Taylor coefficients a_n of tanh at atanh lambda
//
//	ln f = sum_n a_(n-1)/n (h - nu)^n z^n.
//
// Either way d ln f/d lambda = sum_n m_n (h - nu)^n z^n. Units whose |z| is beyond the cap are left to
// exact sums.
type series[T rbm.Real] struct {
	plain     bool
	nReals    int
	nBits     int
	cap       float64 // of |z|
	tolerance float64 // of a sum over all edges
	reach     float64 // 1 + the largest |nu|: |z| times it counts for convergence
	nu        []float64

	mutex  sync.Mutex
	mean   []float64 // lambda, bits x reals
	m      [][]T     // m_n, bits x reals; m[0] is not used
	cols   [][]T     // coefficients of ln f, bits x reals
	signed [][]T     // part of cols that is multiplied by h, reals x bits; nil if none is
	free   [][]T     // part of cols that is not, summed over the bits: one number for each Gaussian unit
	spare  [][]T     // memory of matrices
}

// mostTerms is the largest power.
const mostTerms = 21

// newSeries takes the memory of a series that is not used any more.
func newSeries[T rbm.Real](x *mixed, plain bool, cols []T, old *series[T]) *series[T] {
	s := &series[T]{plain: plain, nReals: x.reals, nBits: x.bits, tolerance: 1e-4, nu: x.bitOffset, reach: 1, mean: sized(old.mean, len(cols)), m: make([][]T, 1), cols: make([][]T, 1), signed: make([][]T, 1), free: make([][]T, 1),
		spare: slices.Concat(old.spare, old.m, old.cols, old.signed)}
	if _, single := any(T(0)).(float32); !single {
		s.tolerance = 1e-7
	}
	for k, v := range cols {
		s.mean[k] = float64(v)
	}
	for _, nu := range x.bitOffset {
		s.reach = max(s.reach, 1+math.Abs(nu))
	}
	for s.cap = 0.9; s.cap > 0 && s.rest(s.cap, mostTerms) > s.tolerance; s.cap -= 0.01 {
	}
	return s
}

// rest bounds the terms after the n-th in the sum over the edges of a row or a column. The
// nearest singularity of ln cosh is pi/2 away, and that of ln(1 + lambda z) is 1.
func (s *series[T]) rest(z float64, n int) float64 {
	q, size := z, 1.0
	if !s.plain {
		q, size = z*s.reach*2/math.Pi, 2
	}
	if q >= 1 {
		return math.Inf(1)
	}
	return float64(max(s.nReals, s.nBits)) * size * math.Pow(q, float64(n+1)) / (float64(n+1) * (1 - q))
}

// terms returns how many are enough up to |z|.
func (s *series[T]) terms(z float64) int {
	for n := 1; ; n++ {
		if s.rest(z, n) <= s.tolerance || n == mostTerms {
			return n
		}
	}
}

// leastOver is the smallest number that termsOver may return instead of terms.
const leastOver = 3

// termsOver returns how many terms are enough in sums over Gaussian units. No |z| is beyond largest, and the sum of z⁴ is not beyond fourth,
// which is far less than if every |z| were the largest.
func (s *series[T]) termsOver(largest, fourth float64) int {
	scale, size, most := 1.0, 1.0, s.terms(largest)
	if !s.plain {
		scale, size = s.reach*2/math.Pi, 2
	}
	q := largest * scale
	for n := leastOver; n < most && q < 1; n++ {
		if size*fourth*math.Pow(scale, 4)*math.Pow(q, float64(n-leastOver))/(float64(n+1)*(1-q)) <= s.tolerance {
			return n
		}
	}
	return most
}

// powersOf returns the parts of (h - nu)^n: even + h odd.
func powersOf(nu float64, n int) (even, odd float64) {
	up, down := math.Pow(1-nu, float64(n)), math.Pow(-1-nu, float64(n))
	return (up + down) / 2, (up - down) / 2
}

// matrix returns memory for one, of anything.
func (s *series[T]) matrix() (x []T) {
	for len(s.spare) > 0 && x == nil {
		last := len(s.spare) - 1
		x, s.spare = s.spare[last], s.spare[:last]
	}
	return sized(x, len(s.mean))
}

// grow makes the coefficients of so many terms.
func (s *series[T]) grow(terms int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for n := len(s.m); n <= terms; n++ {
		m, cols := s.matrix(), s.matrix()
		parallel.For(s.nBits, parallel.Grain(s.nReals*8), func(lo, hi int) {
			s.fill(m, cols, n, lo*s.nReals, hi*s.nReals)
		})
		s.m, s.cols = append(s.m, m), append(s.cols, cols)
		rows := s.matrix()
		kernel.Transpose(rows, s.nBits, cols, s.nReals, s.nBits, s.nReals)
		free, some := make([]T, s.nReals), false
		even, odd := make([]float64, s.nBits), make([]float64, s.nBits)
		for b, nu := range s.nu {
			even[b], odd[b] = powersOf(nu, n)
			some = some || odd[b] != 0
		}
		for r := range s.nReals {
			sum := 0.0
			for b, v := range rows[r*s.nBits : (r+1)*s.nBits] {
				sum += even[b] * float64(v)
				rows[r*s.nBits+b] = T(odd[b]) * v
			}
			free[r] = T(sum)
		}
		if !some {
			s.spare, rows = append(s.spare, rows), nil
		}
		s.signed, s.free = append(s.signed, rows), append(s.free, free)
	}
}

// fill sets the elements from lo to hi-1 of the coefficients of term n, from those of earlier terms.
func (s *series[T]) fill(m, cols []T, n, lo, hi int) {
	for k := lo; k < hi; k++ {
		lambda := s.mean[k]
		wide := (1 - lambda) * (1 + lambda)
		switch {
		case n == 1:
			m[k], cols[k] = 1, T(lambda)
			continue
		case s.plain:
			m[k] = -T(lambda) * s.m[n-1][k]
			cols[k] = T(lambda) * m[k] / T(n)
			continue
		}
		cols[k] = T(wide) * s.m[n-1][k] / T(n)
		sum := -2 * lambda * float64(s.m[n-1][k])
		for i := 1; i < n-1; i++ {
			sum -= wide * float64(s.m[i][k]) * float64(s.m[n-1-i][k])
		}
		m[k] = T(sum / float64(n))
	}
}
