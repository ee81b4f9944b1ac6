package spin

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"bethe/stream"
)

// The product with a factor that lies transposed has the bits of that with its transpose.
func TestMulAffineAcross(t *testing.T) {
	for _, shape := range [][3]int{{1, 1, 1}, {17, 0, 5}, {3, 30, 64}, {40, 31, 65}, {131, 95, 333}, {900, 16, 40}} {
		t.Run(fmt.Sprint(shape), func(t *testing.T) {
			across[float32](t, shape[0], shape[1], shape[2])
			across[float64](t, shape[0], shape[1], shape[2])
		})
	}
}

func across[T Real](t *testing.T, p, rows, cols int) {
	rng := rand.New(rand.NewPCG(5, 6))
	m := Random(rows, cols, rng)
	a, transposed, shift := make([]T, p*rows), make([]T, p*rows), make([]T, p)
	for i := range p {
		shift[i] = T(rng.NormFloat64())
		for r := range rows {
			a[i*rows+r] = T(rng.NormFloat64())
			transposed[r*p+i] = a[i*rows+r]
		}
	}
	got, want := make([]T, p*cols), make([]T, p*cols)
	MulAffine(want, a, p, m, -0.5, shift)
	MulAffineAcross(got, transposed, p, m, -0.5, shift, false)
	if !slices.Equal(got, want) {
		t.Errorf("%T: the product differs", a)
	}
	MulAffineCoarse(want, a, p, m, -0.5, shift)
	MulAffineAcross(got, transposed, p, m, -0.5, shift, true)
	if !slices.Equal(got, want) {
		t.Errorf("%T: the rounded product differs", a)
	}
}

// A product that is one piece of work takes nothing from the heap: learning makes hundreds per step.
func TestSmallProductsAllocateNothing(t *testing.T) {
	m := Random(60, 40, stream.New(1).Rand())
	a, dst, shift := make([]float32, 3*60), make([]float32, 3*40), make([]float32, 3)
	for name, product := range map[string]func(){
		"Mul":       func() { Mul(dst, a, 3, m) },
		"MulAffine": func() { MulAffine(dst, a, 3, m, 2, shift) },
	} {
		if n := testing.AllocsPerRun(20, product); n != 0 {
			t.Errorf("%s: %g allocations, want none", name, n)
		}
	}
}
