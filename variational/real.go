package variational

import (
	"math"

	"bethe/rbm"
	"bethe/units"
)

// GaussHidden are Gaussian hidden units, y of base -y²/2: phi(f) = f²/2 + ln(2 pi)/2. The
// averages of Gaussian fields are exact for any fields of the same mean and variance.
// With spins they are a Hopfield machine. They have no field and no offset.
type GaussHidden[T rbm.Real] struct{}

// Kind implements units.Hidden.
func (GaussHidden[T]) Kind() string { return units.Gauss }

// Together implements units.Hidden.
func (GaussHidden[T]) Together() int { return 1 }

// OffsetLimit implements units.Hidden.
func (GaussHidden[T]) OffsetLimit() float64 { return 0 }

// Fieldless implements units.Fieldless.
func (GaussHidden[T]) Fieldless() {}

// Averages implements units.Hidden: E phi' is the mean, E phi” is 1.
func (GaussHidden[T]) Averages(first, second, mean, _ []T, _ int) {
	copy(first, mean)
	for k := range second {
		second[k] = 1
	}
}

// Value implements units.Hidden.
func (GaussHidden[T]) Value(mean, variance []T, m int) float64 {
	alike := len(variance) == 1
	sum := float64(m) * math.Log(2*math.Pi) / 2
	for k, f := range mean {
		v := variance[0]
		if !alike {
			v = variance[k]
		}
		sum += (float64(f)*float64(f) + float64(v)) / 2
	}
	return sum
}

// HiddenOf returns the hidden units of a kind for learning.
func HiddenOf[T rbm.Real](kind units.Kind) units.Hidden[T] {
	switch {
	case kind.OneHot():
		return newDrawnGroups(NewGroups[T](kind))
	case !kind.Bits():
		return GaussHidden[T]{}
	}
	return Mixture[T]{}
}

// ExactHiddenOf returns the same with averages to some 1e-11, for reference.
func ExactHiddenOf[T rbm.Real](kind units.Kind) units.Hidden[T] {
	switch {
	case kind.OneHot():
		return ExactGroups[T](kind)
	case !kind.Bits():
		return GaussHidden[T]{}
	}
	return NewQuadrature[T](401)
}
