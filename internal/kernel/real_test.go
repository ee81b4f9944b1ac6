package kernel

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
)

func checkMulReal(t *testing.T, seed uint64, m, k, n int, transA, transB bool) {
	rng := testRand(seed)
	a, b, dst := fill(guarded[float32](t, m*k), rng, 1), fill(guarded[float32](t, k*n), rng, 1), guarded[float32](t, m*n)
	for i := range dst {
		dst[i] = float32(math.NaN())
	}
	MulReal(dst, a, b, m, k, n, transA, transB)
	for i := range m {
		for j := range n {
			var want, scale float64
			for r := range k {
				x, y := i*k+r, r*n+j
				if transA {
					x = r*m + i
				}
				if transB {
					y = j*k + r
				}
				p := float64(a[x]) * float64(b[y])
				want += p
				scale += math.Abs(p)
			}
			if d := math.Abs(float64(dst[i*n+j]) - want); !(d <= 1e-6*scale) {
				t.Fatalf("m=%d k=%d n=%d: (%d, %d) = %v, want %v", m, k, n, i, j, dst[i*n+j], want)
			}
		}
	}
}

func TestMulReal(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		seed := uint64(0)
		for _, m := range []int{0, 1, 2, 5, 6, 7, 11, 12, 13, 125} {
			for _, k := range []int{0, 1, 2, 17, 257, 520} {
				for _, n := range []int{0, 1, 7, 15, 16, 17, 31, 33, 64, 150} {
					seed++
					transA, transB := seed%2 == 0, seed/2%2 == 0
					t.Run(fmt.Sprintf("%dx%dx%d/%v/%v", m, k, n, transA, transB), func(t *testing.T) { checkMulReal(t, seed, m, k, n, transA, transB) })
				}
			}
		}
	})
}

// Results do not depend on the number of threads nor, but for gonum's in the
// portable tier, on how rows are split.
func TestMulRealOrder(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		const m, k, n = 250, 300, 270
		rng := testRand(1)
		a, b := fill(make([]float32, m*k), rng, 1), fill(make([]float32, k*n), rng, 1)
		one, two := make([]float32, m*n), make([]float32, m*n)
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		MulReal(one, a, b, m, k, n, false, false)
		runtime.GOMAXPROCS(4)
		MulReal(two, a, b, m, k, n, false, false)
		if !slices.Equal(one, two) {
			t.Error("four threads differ from one")
		}
		if Tier() == "portable" {
			return
		}
		for i := range m {
			MulReal(two[i*n:(i+1)*n], a[i*k:(i+1)*k], b, 1, k, n, false, false)
		}
		if !slices.Equal(one, two) {
			t.Error("rows alone differ")
		}
	})
}

func FuzzMulReal(f *testing.F) {
	f.Add(uint64(1), uint8(13), uint16(300), uint8(33))
	f.Fuzz(func(t *testing.T, seed uint64, m uint8, k uint16, n uint8) {
		onTiers(t, func(t *testing.T) { checkMulReal(t, seed, int(m%40), int(k%600), int(n), seed%2 == 0, seed%3 == 0) })
	})
}

func BenchmarkMulReal(b *testing.B) {
	for _, s := range []struct{ m, k, n int }{{500, 784, 1000}, {500, 784, 10}, {100, 100, 100}} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.m, s.k, s.n), func(b *testing.B) {
			rng := testRand(1)
			x, y, dst := fill(make([]float32, s.m*s.k), rng, 1), fill(make([]float32, s.k*s.n), rng, 1), make([]float32, s.m*s.n)
			benchTiers(b, func(b *testing.B) {
				for b.Loop() {
					MulReal(dst, x, y, s.m, s.k, s.n, false, false)
				}
				b.ReportMetric(2*float64(s.m*s.k*s.n)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GF/s")
			})
		})
	}
}
