// Package unitstest holds kinds of units against enumeration and differences: what any
// implementation of units.Data and units.Hidden must keep, as tests to call.
package unitstest

import (
	"math"
	"runtime"
	"testing"

	"bethe/units"
)

// near fails unless |got - want| <= tolerance max(1, |want|).
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
		t.Errorf("%s is %.15g, not %.15g: off by %.3g, more than %.3g", what, got, want, math.Abs(got-want), tolerance)
	}
}

// nearAll is near of all elements. It reports the first that is not.
func nearAll[T units.Real](t *testing.T, what string, got []T, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d numbers of %s, not %d", len(got), what, len(want))
		return
	}
	for k, v := range want {
		if !(math.Abs(float64(got[k])-v) <= tolerance*max(1, math.Abs(v))) {
			t.Errorf("%s[%d] is %.15g, not %.15g: off by %.3g, more than %.3g", what, k, got[k], v, math.Abs(float64(got[k])-v), tolerance)
			return
		}
	}
}

// same fails unless the numbers are the same to the last bit.
func same[T units.Real](t *testing.T, what string, got, want []T) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d numbers, not %d", what, len(got), len(want))
		return
	}
	for k, v := range want {
		if math.Float64bits(float64(got[k])) != math.Float64bits(float64(v)) {
			t.Errorf("%s: number %d is %v, not %v", what, k, got[k], v)
			return
		}
	}
}

// sameBytes fails if results depend on the number of threads.
func sameBytes(t *testing.T, what string, results func() []float64) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := results()
	for _, threads := range []int{2, 3} {
		runtime.GOMAXPROCS(threads)
		same(t, what+" with other threads", results(), want)
	}
}

// difference is the derivative of f by x, exact for polynomials of the fourth degree.
func difference(f func() float64, x *float64, e float64) float64 {
	at := *x
	defer func() { *x = at }()
	sum := 0.0
	for _, s := range [][2]float64{{1, 8}, {-1, -8}, {2, -1}, {-2, 1}} {
		*x = at + s[0]*e
		sum += s[1] * f()
	}
	return sum / (12 * e)
}

func narrow[T units.Real](x []float64) []T {
	y := make([]T, len(x))
	for k, v := range x {
		y[k] = T(v)
	}
	return y
}

func widen[T units.Real](x []T) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

// is32 reports whether T is of single precision.
func is32[T units.Real]() bool {
	tiny := T(1e-12)
	return 1+tiny == 1
}
