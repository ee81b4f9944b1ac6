package variational

import (
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// spinsOf returns samples in the precision of a model.
func spinsOf[T rbm.Real](_ *rbm.Model[T], samples *spin.Matrix) *units.Spins[T] {
	return units.NewSpins[T](samples)
}
