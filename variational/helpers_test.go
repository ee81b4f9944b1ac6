package variational

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// spinsOf returns samples in the precision of a model.
func spinsOf[T rbm.Real](_ *rbm.Model[T], samples *spin.Matrix) *units.Spins[T] {
	return units.NewSpins[T](samples)
}

// byDifferences returns a check of gradients: got must be the change of value with x.
func byDifferences(t *testing.T, value func() float64) func(name string, x *float64, got float64) {
	return func(name string, x *float64, got float64) {
		t.Helper()
		const step = 1e-5
		was := *x
		*x = was + step
		up := value()
		*x = was - step
		want := (up - value()) / (2 * step)
		*x = was
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: gradient %.8f, by differences %.8f", name, got, want)
		}
	}
}
