package kernel

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// Rows are added one after the other, whatever the threads.
func TestAddRows(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, shape := range [][2]int{{1, 1}, {3, 2}, {7, 5}, {100, 1}, {784, 33}, {31, 200}} {
		n, p := shape[0], shape[1]
		rng := rand.New(rand.NewPCG(1, 2))
		x, scale, start := make([]float32, n*p), make([]float64, p), make([]float64, n)
		for k := range x {
			x[k] = float32(rng.NormFloat64())
		}
		for mu := range scale {
			scale[mu] = rng.NormFloat64()
		}
		for i := range start {
			start[i] = rng.NormFloat64()
		}
		want := slices.Clone(start)
		for mu, s := range scale {
			for i := range want {
				want[i] += float64(s * float64(x[mu*n+i]))
			}
		}
		for _, threads := range []int{1, 2, 3, 5} {
			t.Run(fmt.Sprintf("%dx%d/%d", n, p, threads), func(t *testing.T) {
				runtime.GOMAXPROCS(threads)
				for range 20 {
					sum := slices.Clone(start)
					AddRows(sum, x, scale)
					if !slices.Equal(sum, want) {
						t.Fatalf("sums %v, not %v", sum[:min(n, 5)], want[:min(n, 5)])
					}
				}
			})
		}
	}
}
