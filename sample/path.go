package sample

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A path is the family of distributions exp(-(1-t) base - t energy) that leads
// from independent visible spins in the base field (t = 0) to a network (t = 1).
// The hidden units are summed over, but for their part in drawing.
type path[T rbm.Real] struct {
	base    []T // visible fields at t = 0
	network []T // visible fields at t = 1
	tilt    []T // network - base: of the visible weight a unit of t
}

// newPath makes a path from baseField, nil for none, to the visible fields of
// a network.
func newPath[T rbm.Real](baseField []float64, network []T) *path[T] {
	n := len(network)
	if baseField != nil && len(baseField) != n {
		panic(fmt.Sprintf("sample: %d base fields for %d visible units", len(baseField), n))
	}
	w := &path[T]{base: make([]T, n), tilt: make([]T, n)}
	for i, b := range baseField {
		w.base[i] = T(b)
	}
	w.set(network)
	return w
}

// lnBase returns ln Z at t = 0 with p hidden units.
func (w *path[T]) lnBase(p int) float64 {
	sum := float64(p) * math.Ln2
	for _, b := range w.base {
		sum += kernel.Log2Cosh(float64(b))
	}
	return sum
}

// set changes the network's visible fields.
func (w *path[T]) set(network []T) {
	w.network = network
	for i, b := range network {
		w.tilt[i] = b - w.base[i]
	}
}

// fields writes the visible fields at t to dst.
func (w *path[T]) fields(dst []T, t T) {
	if t == 1 { // without rounding
		copy(dst, w.network)
		return
	}
	for i, b := range w.base {
		dst[i] = b + t*w.tilt[i]
	}
}

// draw sets every column of s to a draw from the base.
func (w *path[T]) draw(s *spin.Matrix, key stream.Key) {
	fields := make([]T, len(w.base)*s.Cols())
	for i, b := range w.base {
		for l := range s.Cols() {
			fields[i*s.Cols()+l] = b
		}
	}
	spin.Draw(s, fields, key)
}

// lanes is what the number of chains in a piece of work is a multiple of.
const lanes = kernel.DrawLanes

// addSteps adds to sum what the log-weight of each column of s, with the
// network's hidden fields (hidden x columns), gains from t = from to t = to.
// visible is scratch of a number a column.
func (w *path[T]) addSteps(sum []float64, visible []T, s *spin.Matrix, hiddenFields []T, from, to T) {
	chains := s.Cols()
	p := len(hiddenFields) / chains
	spin.Mul(visible, w.tilt, 1, s)
	grain := max(1, parallel.Grain(10*p)/lanes) * lanes
	parallel.For(chains, grain, func(lo, hi int) {
		for l := lo; l < hi; l++ {
			sum[l] += float64(visible[l]) * float64(to-from)
		}
		for mu := range p {
			kernel.AddLog2CoshStep(sum[lo:hi], hiddenFields[mu*chains+lo:mu*chains+hi], from, to)
		}
	})
}
