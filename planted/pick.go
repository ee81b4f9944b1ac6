package planted

import (
	"math"
	"slices"
	"sort"
)

// cumulate turns logarithms of weights into running sums of the weights, as
// multiples of the largest.
func cumulate(x []float64) {
	top := slices.Max(x)
	var sum float64
	for k, w := range x {
		sum += math.Exp(w - top)
		x[k] = sum
	}
}

// pick returns the first place where the running sum exceeds the share u, in
// [0, 1), of the total: a draw from the weights, for uniform u.
func pick(sums []float64, u float64) int {
	last := len(sums) - 1
	u *= sums[last]
	return min(sort.Search(last, func(k int) bool { return sums[k] > u }), last)
}
