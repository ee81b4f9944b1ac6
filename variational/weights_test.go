package variational

import (
	"math"
	"testing"

	"bethe/stream"
)

// Samples are taken as often as their weights say, to less than one time.
func TestWeightedOrder(t *testing.T) {
	weights := []float64{1, 0.5, 0, 0.25, 3, 0.25}
	total := 5.0
	for seed := range 20 {
		rng := stream.New(uint64(seed)).Rand()
		order := weighted(rng.Perm(len(weights)), weights, rng)
		counts := make([]float64, len(weights))
		for _, a := range order {
			counts[a]++
		}
		if len(order) != len(weights) {
			t.Fatalf("%d of %d samples", len(order), len(weights))
		}
		for a, w := range weights {
			if want := w / total * float64(len(order)); math.Abs(counts[a]-want) >= 1 {
				t.Errorf("seed %d: sample %d of weight %v comes %v times, not %v", seed, a, w, counts[a], want)
			}
		}
	}
	for _, bad := range [][]float64{{1}, {1, -1}, {0, 0}, {1, math.NaN()}, {1, math.Inf(1)}} {
		if _, err := sumOfWeights(bad, 2); err == nil {
			t.Errorf("weights %v", bad)
		}
	}
	if sum, err := sumOfWeights(weights, 6); err != nil || sum != total {
		t.Error(sum, err)
	}
}
