package units

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// GaussSamples are samples of Gaussian visible units, real numbers v with the feature
// u = (v - mean)/sigma and the base -u²/2 - ln sigma. Their own parameters are ln sigma of
// all units, then their means; they have no fields and no offsets. They are Data.
type GaussSamples[T Real] struct {
	v     *Reals[T] // visible x samples
	own   []float64
	u, uu []T // u and u², visible x samples, at the parameters of the last Prepare
}

// NewGauss returns samples (visible x samples), which must not change while the result is in use.
func NewGauss[T Real](samples *Reals[T]) *GaussSamples[T] {
	n, m := samples.Units(), samples.Len()
	s := &GaussSamples[T]{v: samples, own: make([]float64, 2*n), u: make([]T, n*m), uu: make([]T, n*m)}
	s.Prepare(s.own, false)
	return s
}

// Kind implements Samples.
func (s *GaussSamples[T]) Kind() string { return Gauss }

// Fieldless implements Fieldless.
func (s *GaussSamples[T]) Fieldless() {}

// Value implements Valued: u.
func (s *GaussSamples[T]) Value(feature, sample int) float64 {
	return float64(s.u[feature*s.v.Len()+sample])
}

// leastSigma is the smallest deviation of standardised units: a narrower one says that its
// column is a function of few values, and would fall for ever.
const leastSigma = 0.02

// Bound implements Bounding.
func (s *GaussSamples[T]) Bound(own []float64) { boundSigma(own) }

// boundSigma bounds deviations, whose logarithms are the first half of the parameters.
func boundSigma(own []float64) {
	for i := range len(own) / 2 {
		own[i] = max(own[i], math.Log(leastSigma))
	}
}

// Features implements Samples.
func (s *GaussSamples[T]) Features() int { return s.v.Units() }

// Len implements Samples.
func (s *GaussSamples[T]) Len() int { return s.v.Len() }

// OffsetLimit implements Samples: their means take the place of offsets.
func (s *GaussSamples[T]) OffsetLimit() float64 { return 0 }

// OwnSize implements Samples: ln sigma and means.
func (s *GaussSamples[T]) OwnSize() int { return 2 * s.v.Units() }

// Extra implements Samples: 1 - lambda², and products of First with u and of Second with u² and
// with u, each rows x visible.
func (s *GaussSamples[T]) Extra(rows int) int { return 4 * rows * s.v.Units() }

// RowsTogether implements Blocked: each block arranges the samples anew for its products.
func (s *GaussSamples[T]) RowsTogether() int { return 64 }

// Prepare implements Samples.
func (s *GaussSamples[T]) Prepare(own []float64, _ bool) {
	copy(s.own, own)
	n, m := s.v.Units(), s.v.Len()
	parallel.For(n, parallel.Grain(m*4), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			inverse, mean := T(math.Exp(-own[i])), T(own[n+i])
			u, uu := s.u[i*m:(i+1)*m], s.uu[i*m:(i+1)*m]
			for a, v := range s.v.Row(i) {
				x := (v - mean) * inverse
				u[a], uu[a] = x, x*x
			}
		}
	})
}

// parts of the extra work space.
func (s *GaussSamples[T]) parts(w *Block[T]) (free, first, second, secondMean []T) {
	size := len(w.Extra) / 4
	return w.Extra[:size], w.Extra[size : 2*size], w.Extra[2*size : 3*size], w.Extra[3*size:]
}

// row returns the means of the synapses of row k of a block.
func (s *GaussSamples[T]) row(w *Block[T], l *Link[T], k int) []T {
	n := s.v.Units()
	return l.Mean[(w.Lo+k)*n:][:n]
}

// Fields implements Samples: lambda.u as First, (1 - lambda²).u² as Second.
func (s *GaussSamples[T]) Fields(w *Block[T], l *Link[T]) {
	n, m, rows := s.v.Units(), s.v.Len(), w.Rows
	kernel.MulReal(w.First[:rows*m], l.Mean[w.Lo*n:(w.Lo+rows)*n], s.u, rows, n, m, false, false)
	if l.Known {
		clear(w.Second[:rows*m])
		return
	}
	free, _, _, _ := s.parts(w)
	for k, v := range l.Mean[w.Lo*n : (w.Lo+rows)*n] {
		free[k] = (1 - v) * (1 + v)
	}
	kernel.MulReal(w.Second[:rows*m], free[:rows*n], s.uu, rows, n, m, false, false)
}

// Field implements Samples.
func (s *GaussSamples[T]) Field(w *Block[T], l *Link[T], k int, mean, variance []T, shift float64) bool {
	m, j := s.v.Len(), l.Coupling
	kernel.Affine(mean, w.First[k*m:(k+1)*m], T(j), T(shift))
	kernel.AffineFloor(variance, w.Second[k*m:(k+1)*m], T(j*j), 0)
	return l.Known
}

// Correlate implements Samples.
func (s *GaussSamples[T]) Correlate(w *Block[T], l *Link[T]) {
	n, m, rows := s.v.Units(), s.v.Len(), w.Rows
	_, first, second, secondMean := s.parts(w)
	kernel.MulReal(first[:rows*n], w.First[:rows*m], s.u, rows, m, n, false, true)
	if l.Second {
		kernel.MulReal(second[:rows*n], w.Second[:rows*m], s.uu, rows, m, n, false, true)
		kernel.MulReal(secondMean[:rows*n], w.Second[:rows*m], s.u, rows, m, n, false, true)
	}
}

// Slopes implements Samples.
func (s *GaussSamples[T]) Slopes(out []T, w *Block[T], l *Link[T], k int, _, _ float64) float64 {
	n, perSample := s.v.Units(), 1/float64(s.v.Len())
	j, jj := T(l.Coupling*perSample), T(l.Coupling*l.Coupling*perSample)
	_, first, second, _ := s.parts(w)
	first, second = first[k*n:(k+1)*n], second[k*n:(k+1)*n]
	theta := l.Theta[(w.Lo+k)*n:][:n]
	if !l.Second {
		second, jj = first, 0
	}
	for i, mean := range s.row(w, l, k) {
		out[i] = j*first[i] - jj*mean*second[i] - w.Partition[i] - l.Share*theta[i]
	}
	return kernel.Sum(out)
}

// Own implements Samples. By u the data term has the derivative J lambda (T - nu) + J² u (1 -
// lambda²) R, and u has -u by ln sigma and -1/sigma by the mean, so that the sums over samples
// are those of Correlate but for the sums of (T - nu) and of u R.
func (s *GaussSamples[T]) Own(own []float64, w *Block[T], l *Link[T], k int, firstSum, _ float64) {
	n, j := s.v.Units(), l.Coupling
	_, first, second, secondMean := s.parts(w)
	if l.Known {
		for i, mean := range s.row(w, l, k) {
			own[i] -= j * float64(mean) * float64(first[k*n+i])
			own[n+i] -= j * float64(mean) * firstSum * math.Exp(-s.own[i])
		}
		return
	}
	if !l.Second {
		panic("units: synapses that are not known and have no second order")
	}
	for i, mean := range s.row(w, l, k) {
		free := j * j * float64((1-mean)*(1+mean))
		own[i] -= j*float64(mean)*float64(first[k*n+i]) + free*float64(second[k*n+i])
		own[n+i] -= (j*float64(mean)*firstSum + free*float64(secondMean[k*n+i])) * math.Exp(-s.own[i])
	}
}

// Sums implements Samples.
func (s *GaussSamples[T]) Sums(dst []float64) {
	m := s.v.Len()
	for i := range dst {
		dst[i] += kernel.Sum(s.u[i*m : (i+1)*m])
	}
}

// Base implements Samples: -u²/2 - ln sigma + b u.
func (s *GaussSamples[T]) Base(total float64, field, own []float64) float64 {
	n, m := s.v.Units(), s.v.Len()
	if len(field) != n {
		panic(fmt.Sprintf("units: %d fields for %d Gaussian units", len(field), n))
	}
	for i, b := range field {
		first, second := kernel.Sum(s.u[i*m:(i+1)*m]), kernel.Sum(s.uu[i*m:(i+1)*m])
		total += b*first - second/2 - float64(m)*s.own[i]
		if len(own) > 0 {
			own[i] += second - b*first - float64(m)
			own[n+i] += (first - float64(m)*b) * math.Exp(-s.own[i])
		}
	}
	return total
}

// Batch implements Data.
func (s *GaussSamples[T]) Batch(last Samples[T], places []int) Samples[T] {
	batch, ok := last.(*GaussSamples[T])
	if !ok || batch.Len() != len(places) {
		batch = NewGauss(NewReals[T](s.v.Units(), len(places)))
	}
	s.v.Gather(batch.v, places)
	batch.Prepare(s.own, false)
	return batch
}

// MeanFields implements Data: the means of u.
func (s *GaussSamples[T]) MeanFields() []float64 {
	mean := make([]float64, s.v.Units())
	s.Sums(mean)
	for i := range mean {
		mean[i] /= float64(s.v.Len())
	}
	return mean
}

// Moments returns the means and standard deviations of numbers, a unit each.
func Moments[T Real](samples *Reals[T]) (mean, deviation []float64) {
	n, m := samples.Units(), float64(samples.Len())
	mean, deviation = make([]float64, n), make([]float64, n)
	for i := range n {
		sum, square := 0.0, 0.0
		for _, v := range samples.Row(i) {
			sum += float64(v)
		}
		mean[i] = sum / m
		for _, v := range samples.Row(i) {
			square += (float64(v) - mean[i]) * (float64(v) - mean[i])
		}
		deviation[i] = math.Sqrt(square / m)
	}
	return mean, deviation
}

// Standardised returns (v - mean)/deviation of numbers.
func Standardised[T Real](samples *Reals[T], mean, deviation []float64) *Reals[T] {
	out := RealsOf(samples.Units(), samples.Len(), slices.Clone(samples.Values()))
	out.scale(func(i int) (slope, shift float64) { return 1 / deviation[i], -mean[i] / deviation[i] })
	return out
}

// Restored is the inverse of Standardised.
func Restored[T Real](samples *Reals[T], mean, deviation []float64) *Reals[T] {
	out := RealsOf(samples.Units(), samples.Len(), slices.Clone(samples.Values()))
	out.scale(func(i int) (slope, shift float64) { return deviation[i], mean[i] })
	return out
}

func (r *Reals[T]) scale(of func(i int) (slope, shift float64)) {
	for i := range r.units {
		slope, shift := of(i)
		for a, v := range r.Row(i) {
			r.Row(i)[a] = T(slope*float64(v) + shift)
		}
	}
}
