package causes

import (
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
)

// negligible is the logarithm below which a share counts as 0: far below what any sum
// sees, and far above denormal numbers, which make products slow.
const negligible = -60

// normalise makes each column of x (rows x count) of logarithms a distribution, and adds the
// logarithm of its sum to lnSum, one per column.
func normalise[T rbm.Real](x []T, rows, count int, lnSum []float64) {
	parallel.For(count, max(1, parallel.Grain(20*rows)), func(lo, hi int) {
		top, sum := make([]T, hi-lo), make([]float64, hi-lo)
		copy(top, x[lo:hi])
		for k := 1; k < rows; k++ {
			for a, v := range x[k*count+lo : k*count+hi] {
				top[a] = max(top[a], v)
			}
		}
		for k := range rows {
			row := x[k*count+lo : k*count+hi]
			for a, v := range row {
				e := exp(float64(v - top[a]))
				sum[a] += e
				row[a] = T(e)
			}
		}
		for a, s := range sum {
			lnSum[lo+a] += float64(top[a]) + math.Log(s)
			sum[a] = 1 / s
		}
		for k := range rows {
			row := x[k*count+lo : k*count+hi]
			for a := range row {
				row[a] *= T(sum[a])
			}
		}
	})
}

// exp returns e^d, and 0 where it is negligible.
func exp(d float64) float64 {
	if d < negligible {
		return 0
	}
	return math.Exp(d)
}

// together is how many sums over states are multiplied before a logarithm is taken: each is
// at least the smallest P(state | cause), which is far above 1e-70.
const together = 4

// logProducts writes ln weight + sum over groups of ln of the frame's sums to f.top.
func logProducts[T rbm.Real](f *frame[T], lnWeight []T, groups int) {
	size := len(lnWeight) * f.count
	parallel.For(len(lnWeight), 1, func(lo, hi int) {
		for z := lo; z < hi; z++ {
			for a := range f.count {
				sum, product, n := float64(lnWeight[z]), 1.0, 0
				for g := range groups {
					product *= float64(f.scratch[g*size+z*f.count+a])
					if n++; n == together {
						sum += math.Log(product)
						product, n = 1, 0
					}
				}
				f.top[z*f.count+a] = T(sum + math.Log(product))
			}
		}
	})
}
