package variational

import (
	"bethe/units"
	"math"
	"slices"
	"testing"
)

// meansAndVariances covers what fields of a machine can be.
func meansAndVariances() (mean, variance []float64) {
	for m := -12.0; m <= 12; m += 0.37 {
		for _, v := range []float64{0, 1e-6, 0.01, 0.3, 1, 2, 5} {
			mean, variance = append(mean, m), append(variance, v)
		}
	}
	return mean, variance
}

func TestMixtureAgainstQuadrature(t *testing.T) {
	mean, variance := meansAndVariances()
	n := len(mean)
	tanh, sech2 := make([]float64, n), make([]float64, n)
	Mixture[float64]{}.Averages(tanh, sech2, mean, variance, 0)
	reference, slope := make([]float64, n), make([]float64, n)
	quadrature := NewQuadrature[float64](201)
	quadrature.Averages(reference, slope, mean, variance, 0)
	for k := range mean {
		if d := math.Abs(tanh[k] - reference[k]); d > 1e-5 {
			t.Errorf("E tanh at mean %.2f, variance %g is off by %.2g", mean[k], variance[k], d)
		}
		if d := math.Abs(sech2[k] - slope[k]); d > 1e-4 {
			t.Errorf("E sech^2 at mean %.2f, variance %g is off by %.2g", mean[k], variance[k], d)
		}
		one := mean[k : k+1]
		if d := math.Abs(Mixture[float64]{}.Value(one, variance[k:k+1], 0) - quadrature.Value(one, variance[k:k+1], 0)); d > 2e-5 {
			t.Errorf("E ln 2cosh at mean %.2f, variance %g is off by %.2g", mean[k], variance[k], d)
		}
	}
}

func TestMixtureInFloat32(t *testing.T) {
	mean, variance := meansAndVariances()
	n := len(mean)
	mean32, variance32 := make([]float32, n), make([]float32, n)
	for k := range mean {
		mean32[k], variance32[k] = float32(mean[k]), float32(variance[k])
	}
	tanh, sech2 := make([]float64, n), make([]float64, n)
	NewQuadrature[float64](201).Averages(tanh, sech2, mean, variance, 0)
	if d := math.Abs(Mixture[float32]{}.Value(mean32, variance32, 0)/Mixture[float64]{}.Value(mean, variance, 0) - 1); d > 1e-6 {
		t.Errorf("E ln 2cosh in float32 is off by a share of %.2g", d)
	}
	Mixture[float32]{}.Averages(mean32, variance32, mean32, variance32, 0) // in place
	for k := range mean {
		if d := math.Abs(float64(mean32[k]) - tanh[k]); d > 4e-6 {
			t.Errorf("E tanh at mean %.2f, variance %g is off by %.2g in float32", mean[k], variance[k], d)
		}
		if d := math.Abs(float64(variance32[k]) - sech2[k]); d > 4e-6 {
			t.Errorf("E sech^2 at mean %.2f, variance %g is off by %.2g in float32", mean[k], variance[k], d)
		}
	}
}

// TestQuadratureConverges holds the claimed rate: exp(-pi sqrt(nodes/variance)).
func TestQuadratureConverges(t *testing.T) {
	for _, variance := range []float64{0.5, 1, 2} {
		reference := NewQuadrature[float64](201).Value([]float64{0.7}, []float64{variance}, 0)
		for _, nodes := range []int{8, 16, 32, 64} {
			claimed := 10*math.Exp(-math.Pi*math.Sqrt(float64(nodes)/variance)) + 1e-11
			if d := math.Abs(NewQuadrature[float64](nodes).Value([]float64{0.7}, []float64{variance}, 0) - reference); d > claimed {
				t.Errorf("%d nodes at variance %g: off by %.2g, claimed %.2g", nodes, variance, d, claimed)
			}
		}
	}
}

func TestCavityMoments(t *testing.T) {
	mean, variance := meansAndVariances()
	for _, v := range []float64{20, 300} { // where Newton steps overshoot
		mean, variance = append(mean, 3, 40, -7), append(variance, v, v, v)
	}
	n := len(mean)
	tanh, sech2 := make([]float64, n), make([]float64, n)
	Cavity[float64]{}.Averages(tanh, sech2, mean, variance, 0)
	for k := range mean {
		if d := math.Abs(tanh[k] - math.Tanh(mean[k]-variance[k]*tanh[k])); d > 1e-11 || math.Abs(sech2[k]+tanh[k]*tanh[k]-1) > 1e-12 {
			t.Errorf("mean %.2f, variance %g: T = %v misses its equation by %.2g, R = %v", mean[k], variance[k], tanh[k], d, sech2[k])
		}
	}
}

func TestCavityMomentsInFloat32(t *testing.T) {
	mean, variance := meansAndVariances()
	n := len(mean)
	m, v := make([]float32, n), make([]float32, n)
	for k := range mean {
		m[k], v[k] = float32(mean[k]), float32(variance[k])
	}
	tanh, sech2 := make([]float32, n), make([]float32, n)
	Cavity[float32]{}.Averages(tanh, sech2, m, v, 0)
	for k := range mean {
		if want := reaction(mean[k], variance[k]); math.Abs(float64(tanh[k])-want) > 2e-6 || math.Abs(float64(sech2[k])-(1-want*want)) > 4e-6 {
			t.Errorf("mean %.2f, variance %g: T = %v, not %v; R = %v", mean[k], variance[k], tanh[k], want, sech2[k])
		}
	}
}

// A single variance is that of all fields, for every way to average.
func TestMomentsAlike(t *testing.T) {
	mean := []float64{-2, -0.3, 0, 0.7, 5}
	for name, average := range map[string]units.Hidden[float64]{"mixture": Mixture[float64]{}, "quadrature": NewQuadrature[float64](41), "cavity": Cavity[float64]{}} {
		tanh, sech2, want, want2 := make([]float64, 5), make([]float64, 5), make([]float64, 5), make([]float64, 5)
		average.Averages(tanh, sech2, mean, []float64{0.4}, 0)
		average.Averages(want, want2, mean, []float64{0.4, 0.4, 0.4, 0.4, 0.4}, 0)
		if !slices.Equal(tanh, want) || !slices.Equal(sech2, want2) {
			t.Errorf("%s: %v and %v, not %v and %v", name, tanh, sech2, want, want2)
		}
	}
}
