package spin

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

func TestMulCoarse(t *testing.T) {
	const p, rows, cols = 70, 95, 333
	rng := rand.New(rand.NewPCG(3, 4))
	m := Random(rows, cols, rng)
	a, shift := make([]float32, p*rows), make([]float32, p)
	for k := range a {
		a[k] = float32(rng.NormFloat64())
	}
	for i := range shift {
		shift[i] = float32(rng.NormFloat64())
	}
	exact, coarse, affine := make([]float32, p*cols), make([]float32, p*cols), make([]float32, p*cols)
	Mul(exact, a, p, m)
	MulCoarse(coarse, a, p, m)
	MulAffineCoarse(affine, a, p, m, -0.5, shift)
	for i := range p {
		var largest float64
		for _, v := range a[i*rows : (i+1)*rows] {
			largest = max(largest, math.Abs(float64(v)))
		}
		for j := range cols {
			k := i*cols + j
			if d := math.Abs(float64(coarse[k] - exact[k])); d > 6*math.Sqrt(rows/12.)*largest/1092 {
				t.Fatalf("(%d, %d) = %v, exactly %v", i, j, coarse[k], exact[k])
			}
			if want := -0.5*coarse[k] + shift[i]; math.Abs(float64(affine[k]-want)) > 1e-5 {
				t.Fatalf("(%d, %d) = %v after the affine map, want %v", i, j, affine[k], want)
			}
		}
	}
	if slices.Equal(exact, coarse) {
		t.Error("nothing is rounded")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	again := make([]float32, p*cols)
	MulCoarse(again, a, p, m)
	if !slices.Equal(again, coarse) {
		t.Error("three threads give another product")
	}
}
