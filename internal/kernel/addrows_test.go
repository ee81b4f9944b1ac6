package kernel

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
)

// Rows are added to within their precision, in an order that does not depend on the threads.
func TestAddRows(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {3, 2}, {7, 5}, {100, 1}, {784, 33}, {31, 200}, {40, 65}, {5, 0}} {
		t.Run(fmt.Sprintf("%dx%d", shape[0], shape[1]), func(t *testing.T) {
			onTiers(t, func(t *testing.T) { checkAddRows[float32](t, shape[0], shape[1], 1e-6) })
			checkAddRows[float64](t, shape[0], shape[1], 1e-14)
		})
	}
}

func checkAddRows[T Real](t *testing.T, n, p int, tolerance float64) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rng := testRand(1)
	x, scale, start := make([]T, n*p), make([]T, p), make([]float64, n)
	for k := range x {
		x[k] = T(rng.NormFloat64())
	}
	for mu := range scale {
		scale[mu] = T(rng.NormFloat64())
	}
	for i := range start {
		start[i] = rng.NormFloat64()
	}
	var first []float64
	for _, threads := range []int{1, 2, 3, 5} {
		runtime.GOMAXPROCS(threads)
		sum := slices.Clone(start)
		AddRows(sum, x, scale)
		if first == nil {
			first = sum
		}
		if !slices.Equal(sum, first) {
			t.Fatalf("%T: sums %v by %d threads, not %v", x, sum[:min(n, 5)], threads, first[:min(n, 5)])
		}
	}
	for i, got := range first {
		want, size := start[i], math.Abs(start[i])
		for mu, s := range scale {
			want += float64(s) * float64(x[mu*n+i])
			size += math.Abs(float64(s) * float64(x[mu*n+i]))
		}
		if math.Abs(got-want) > tolerance*size {
			t.Errorf("%T: sum %d is %v, want %v", x, i, got, want)
		}
	}
}
