package variational_test

import (
	"math"
	"testing"

	"bethe/units"
	"bethe/units/unitstest"
	"bethe/variational"
)

func ln2cosh(f []float64) float64 { return math.Abs(f[0]) + math.Log1p(math.Exp(-2*math.Abs(f[0]))) }

// The errors that the doc comments state.
func TestHiddenSpinsKeepTheContract(t *testing.T) {
	mixture := unitstest.Accuracy{Value: 2e-5, First: 1e-5, Second: 1e-4}
	unitstest.Hidden(t, func() units.Hidden[float64] { return variational.Mixture[float64]{} }, ln2cosh, mixture)
	unitstest.Hidden(t, func() units.Hidden[float32] { return variational.Mixture[float32]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5, First: 5e-6, Second: 5e-6})
	unitstest.Hidden(t, func() units.Hidden[float64] { return variational.NewQuadrature[float64](201) }, ln2cosh, unitstest.Accuracy{Value: 1e-8, First: 1e-8, Second: 1e-7})
	unitstest.Hidden(t, func() units.Hidden[float32] { return variational.NewQuadrature[float32](201) }, ln2cosh, unitstest.Accuracy{Value: 1e-6, First: 1e-6, Second: 1e-6})
}

// Cavity puts something else in the place of the averages, but its value is that of Mixture.
func TestCavityKeepsTheContract(t *testing.T) {
	unitstest.HiddenValue(t, func() units.Hidden[float64] { return variational.Cavity[float64]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5})
	unitstest.HiddenValue(t, func() units.Hidden[float32] { return variational.Cavity[float32]{} }, ln2cosh, unitstest.Accuracy{Value: 2e-5})
}
