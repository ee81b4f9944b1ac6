// Package gausstest has Gaussian visible units in plain loops, for tests: what the
// interfaces of packages units, dual and sample must be able to hold besides spins.
//
// A visible unit is a real number v with u = (v - m)/sigma. The machine is
//
//	ln w(v, h) = J sum (u_i - mu_i) xi_{i mu} (h_mu - nu_mu) - u²/2 - sum ln sigma + b.u + c.h
//
// with hidden spins h. Its own parameters are ln sigma of all units, then their means m.
package gausstest

import (
	"fmt"
	"math"
	"slices"

	"bethe/units"
)

// Samples are samples of Gaussian units. They are units.Data.
type Samples[T units.Real] struct {
	n, m int
	v    []T // visible x samples
	u    []T // (v - m)/sigma, at the parameters of the last Prepare
	own  []float64
}

// NewSamples returns samples v, visible x samples, of n units. It panics if the length
// is no multiple of n.
func NewSamples[T units.Real](n int, v []T) *Samples[T] {
	if len(v)%n != 0 {
		panic(fmt.Sprintf("gausstest: %d numbers for samples of %d units", len(v), n))
	}
	return &Samples[T]{n: n, m: len(v) / n, v: v, u: slices.Clone(v), own: make([]float64, 2*n)}
}

// Kind implements units.Samples.
func (s *Samples[T]) Kind() string { return units.Gauss }

// Features implements units.Samples.
func (s *Samples[T]) Features() int { return s.n }

// Len implements units.Samples.
func (s *Samples[T]) Len() int { return s.m }

// OffsetLimit implements units.Samples: real units have no limit.
func (s *Samples[T]) OffsetLimit() float64 { return math.MaxFloat64 }

// OwnSize implements units.Samples: ln sigma and means.
func (s *Samples[T]) OwnSize() int { return 2 * s.n }

// Extra implements units.Samples: sums over samples of First (u - mu) and of Second
// (u - mu)^2, each rows x visible.
func (s *Samples[T]) Extra(rows int) int { return 2 * rows * s.n }

// Prepare implements units.Samples.
func (s *Samples[T]) Prepare(own []float64, _ bool) {
	copy(s.own, own)
	for i := range s.n {
		inverse := math.Exp(-own[i])
		for a := i * s.m; a < (i+1)*s.m; a++ {
			s.u[a] = T((float64(s.v[a]) - own[s.n+i]) * inverse)
		}
	}
}

// row returns the means of the synapses of row k of a block.
func (s *Samples[T]) row(w *units.Block[T], l *units.Link[T], k int) []T {
	return l.Mean[(w.Lo+k)*s.n:][:s.n]
}

// free is the variance of a synapse of the given mean.
func free[T units.Real](l *units.Link[T], mean T) T {
	if l.Known {
		return 0
	}
	return 1 - mean*mean
}

// Fields implements units.Samples: sum lambda (u - mu) as First, sum (1 - lambda^2)
// (u - mu)^2 as Second.
func (s *Samples[T]) Fields(w *units.Block[T], l *units.Link[T]) {
	for k := range w.Rows {
		first, second := w.First[k*s.m:(k+1)*s.m], w.Second[k*s.m:(k+1)*s.m]
		clear(first)
		clear(second)
		for i, mean := range s.row(w, l, k) {
			mu, free := l.Offset[i], free(l, mean)
			for a, u := range s.u[i*s.m : (i+1)*s.m] {
				first[a] += mean * (u - mu)
				second[a] += free * (u - mu) * (u - mu)
			}
		}
	}
}

// Field implements units.Samples.
func (s *Samples[T]) Field(w *units.Block[T], l *units.Link[T], k int, mean, variance []T, shift float64) bool {
	j := T(l.Coupling)
	for a := range s.m {
		mean[a] = j*w.First[k*s.m+a] + T(shift)
		variance[a] = j * j * w.Second[k*s.m+a]
	}
	return l.Known
}

// sums are the parts of the extra work space.
func (s *Samples[T]) sums(w *units.Block[T], k int) (first, second []T) {
	half := len(w.Extra) / 2
	return w.Extra[k*s.n : (k+1)*s.n], w.Extra[half+k*s.n : half+(k+1)*s.n]
}

// Correlate implements units.Samples.
func (s *Samples[T]) Correlate(w *units.Block[T], l *units.Link[T]) {
	for k := range w.Rows {
		first, second := s.sums(w, k)
		for i := range s.n {
			var f, r T
			for a, u := range s.u[i*s.m : (i+1)*s.m] {
				u -= l.Offset[i]
				f += w.First[k*s.m+a] * u
				r += w.Second[k*s.m+a] * u * u
			}
			first[i], second[i] = f, r
		}
	}
}

// Slopes implements units.Samples.
func (s *Samples[T]) Slopes(out []T, w *units.Block[T], l *units.Link[T], k int, _, _ float64) (sum float64) {
	j, perSample := T(l.Coupling), 1/T(s.m)
	first, second := s.sums(w, k)
	for i, mean := range s.row(w, l, k) {
		slope := j * first[i]
		if l.Second {
			slope -= j * j * mean * second[i]
		}
		out[i] = slope*perSample - w.Partition[i] - l.Share*l.Theta[(w.Lo+k)*s.n+i]
		sum += float64(out[i])
	}
	return sum
}

// Own implements units.Samples: by u the data term has the derivative J lambda (T - nu)
// + J^2 (u - mu)(1 - lambda^2) R, and u has -u by ln sigma, -1/sigma by the mean.
func (s *Samples[T]) Own(own []float64, w *units.Block[T], l *units.Link[T], k int, _, _ float64) {
	j := l.Coupling
	for i, mean := range s.row(w, l, k) {
		inverse, free := math.Exp(-s.own[i]), float64(free(l, mean))
		for a, v := range s.u[i*s.m : (i+1)*s.m] {
			u := float64(v)
			slope := j*float64(mean)*float64(w.First[k*s.m+a]) + j*j*(u-float64(l.Offset[i]))*free*float64(w.Second[k*s.m+a])
			own[i] -= slope * u
			own[s.n+i] -= slope * inverse
		}
	}
}

// Sums implements units.Samples.
func (s *Samples[T]) Sums(dst []float64) {
	for i := range s.n {
		for _, u := range s.u[i*s.m : (i+1)*s.m] {
			dst[i] += float64(u)
		}
	}
}

// Base implements units.Samples: -u²/2 - ln sigma + b u.
func (s *Samples[T]) Base(total float64, field, own []float64) float64 {
	for i := range s.n {
		inverse, b := math.Exp(-s.own[i]), field[i]
		for _, v := range s.u[i*s.m : (i+1)*s.m] {
			u := float64(v)
			total += (b-u/2)*u - s.own[i]
			own[i] += (u-b)*u - 1
			own[s.n+i] += (u - b) * inverse
		}
	}
	return total
}

// Batch implements units.Data.
func (s *Samples[T]) Batch(last units.Samples[T], places []int) units.Samples[T] {
	batch, ok := last.(*Samples[T])
	if !ok || batch.m != len(places) {
		batch = NewSamples(s.n, make([]T, s.n*len(places)))
	}
	for i := range s.n {
		for k, a := range places {
			batch.v[i*batch.m+k] = s.v[i*s.m+a]
		}
	}
	batch.Prepare(s.own, false)
	return batch
}

// MeanFields implements units.Data: u of mean b.
func (s *Samples[T]) MeanFields() []float64 {
	mean := make([]float64, s.n)
	s.Sums(mean)
	for i := range mean {
		mean[i] /= float64(s.m)
	}
	return mean
}
