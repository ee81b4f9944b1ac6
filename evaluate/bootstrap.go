package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"

	"bethe/rbm"
)

// An Interval holds 95 % of bootstrap replicates.
type Interval [2]float64

// replicates is the number of bootstrap replicates.
const replicates = 1000

// tail is the number of replicates beyond each end of an interval.
const tail = replicates * 25 / 1000

// bootstrap returns the statistic of replicates, in growing order, each of as
// many draws with replacement from the n things as there are.
func bootstrap(n int, rng *rand.Rand, statistic func(chosen []int) float64) []float64 {
	values := make([]float64, replicates)
	chosen := make([]int, n)
	for r := range values {
		for k := range chosen {
			chosen[k] = rng.IntN(n)
		}
		values[r] = statistic(chosen)
	}
	slices.Sort(values)
	return values
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// lnMean returns ln of the mean of exp(x).
func lnMean(x []float64) float64 { return rbm.LogSumExp(x) - math.Log(float64(len(x))) }

// lnHarmonicMean returns minus ln of the mean of exp(-x).
func lnHarmonicMean(x []float64) float64 {
	minus := make([]float64, len(x))
	for k, v := range x {
		minus[k] = -v
	}
	return -lnMean(minus)
}

func deviation(x []float64) float64 {
	m, square := mean(x), 0.0
	for _, v := range x {
		square += (v - m) * (v - m)
	}
	return math.Sqrt(square / float64(max(1, len(x)-1)))
}
