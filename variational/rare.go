package variational

import (
	"math"

	"bethe/rbm"
	"bethe/units"
)

// rare are visible units that hardly ever change in the samples. The data say nothing about their synapses; what these
// would learn from chains is that states with many such units lit are to be unlearned, all in one direction, and
// that makes the opposite states heavy. So their synapses keep the signs that they were drawn with, and fields hold the units.
type rare[T rbm.Real] struct {
	places []int
	kept   []T // of a step: thetas of all rows of the places
}

// rareUnits returns the units that have one of two values in at most that share of the samples; none if the share is 0.
func rareUnits[T rbm.Real](samples units.Samples[T], share float64) *rare[T] {
	r := &rare[T]{}
	if share == 0 {
		return r
	}
	sums, m := make([]float64, samples.Features()), float64(samples.Len())
	samples.Sums(sums)
	for i, s := range sums {
		if (m-math.Abs(s))/2 <= share*m {
			r.places = append(r.places, i)
		}
	}
	return r
}

// hold returns a function that sets the thetas of the units, columns of a matrix of so many, to what they are now.
func (r *rare[T]) hold(theta []T, columns int) (release func()) {
	r.kept = r.kept[:0]
	for row := 0; row < len(theta) && len(r.places) > 0; row += columns {
		for _, i := range r.places {
			r.kept = append(r.kept, theta[row+i])
		}
	}
	return func() {
		kept := r.kept
		for row := 0; len(kept) > 0; row += columns {
			for k, i := range r.places {
				theta[row+i] = kept[k]
			}
			kept = kept[len(r.places):]
		}
	}
}
