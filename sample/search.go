package sample

import (
	"math"
	"slices"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Searching is implemented by sources that know more kinds of starts than Scattering's,
// hidden states first. From these, chains may fall into heavy states far from
// all data and from independent visible units.
type Searching[V any] interface {
	// Extremes returns such visible states in count columns.
	Extremes(count int, key stream.Key) V
}

// Extremes implements Searching.
func (s *MachineSource) Extremes(count int, key stream.Key) *spin.Matrix {
	return extremes(OnMachine(s.machine), count, key)
}

// Extremes implements Searching.
func (s *NetworkSource[T]) Extremes(count int, key stream.Key) *spin.Matrix {
	return extremes(s, count, key)
}

// descent are the inverse temperatures at which states descend, a sweep each: those
// after the first few hardly ever go uphill.
var descent = []float64{1, 2, 4, 8, 16, 16, 16, 16}

// extremes returns visible states drawn given hidden ones of the kinds of extremeHiddenStates
// on a path from fair spins; every other column then descends.
func extremes[T rbm.Real](source SpinSource[T], count int, key stream.Key) *spin.Matrix {
	layers, h := source.Conditionals(count), source.NewHidden(count)
	v := source.NewVisible(count)
	extremeHiddenStates(h, key.Sub(stream.ExtremeHidden))
	layers.DrawVisible(v, h, 1, key.Sub(stream.ExtremeVisible))
	low := v.Clone()
	for k, at := range descent {
		step := key.Sub(stream.ExtremeDescent).Sub(uint64(k))
		layers.DrawHidden(h, low, T(at), step.Sub(stream.DescentHidden))
		layers.DrawVisible(low, h, T(at), step.Sub(stream.DescentVisible))
	}
	descended := make([]int, 0, count/2)
	for l := 1; l < count; l += 2 {
		descended = append(descended, l)
	}
	v.Swap(low, descended)
	return v
}

// extremeHiddenStates sets pairs of neighbouring columns of h in turn to: one unit up,
// all others down; the same with all turned; spins of one mean, spread evenly over columns; fair
// spins; all up in the first pair, all down in the next.
func extremeHiddenStates(h *spin.Matrix, key stream.Key) {
	rng := key.Rand()
	order := rng.Perm(h.Rows())
	column := make([]int8, h.Rows())
	for l := range h.Cols() {
		kind, turn := l/2%5, l/10
		set := func(v int8) {
			for mu := range column {
				column[mu] = v
			}
		}
		switch kind {
		case 0:
			set(-1)
			column[order[turn%len(order)]] = 1
		case 1:
			set(1)
			column[order[turn%len(order)]] = -1
		case 2, 3:
			share := 0.5
			if kind == 2 {
				_, share = math.Modf((float64(turn) + 0.5) / math.Phi)
			}
			for mu := range column {
				column[mu] = -1
				if rng.Float64() < share {
					column[mu] = 1
				}
			}
		default:
			set(int8(1 - 2*(turn%2)))
		}
		for mu, v := range column {
			h.Set(mu, l, v)
		}
	}
}

// Heaviest returns the count columns of the largest weights, heaviest first, equal ones
// by their place.
func Heaviest(weights []float64, count int) []int {
	order := every(len(weights))
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case weights[a] > weights[b]:
			return -1
		case weights[a] < weights[b]:
			return 1
		}
		return 0
	})
	return order[:min(count, len(order))]
}
