package variational

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// sumOfWeights returns the sum of the weights of m samples. The error tells of weights that are none.
func sumOfWeights(weights []float64, m int) (sum float64, err error) {
	if len(weights) != m {
		return 0, fmt.Errorf("%d weights of %d samples", len(weights), m)
	}
	for a, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return 0, fmt.Errorf("sample %d has the weight %v: it must not be negative, and finite", a, w)
		}
		sum += w
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return 0, fmt.Errorf("the weights of the samples add up to %v", sum)
	}
	return sum, nil
}

// weighted returns as many samples as order has, each as often as its weight says, to less than one: systematic
// resampling of the order, shuffled.
func weighted(order []int, weights []float64, rng *rand.Rand) []int {
	total := 0.0
	for _, w := range weights {
		total += w
	}
	step := total / float64(len(order))
	out := make([]int, 0, len(order))
	next, sum := rng.Float64()*step, 0.0
	for k, a := range order {
		sum += weights[a]
		for len(out) < len(order) && (next < sum || k == len(order)-1) {
			out = append(out, a)
			next += step
		}
	}
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
