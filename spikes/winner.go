package spikes

import (
	"fmt"
	"math"
)

// WinnerLaw returns for each neuron of a winner-take-all group the probability that it has the largest
// field, if synapses are the only noise: fields are then sums of many bits, nearly independent
// Gaussian variables with the given means and variances, and
//
//	P(k) = ∫ dy N(y; mean_k, variance_k) Π_{j≠k} Φ((y - mean_j) / √variance_j)
//
// (docs/theory.md). The integral is right to 1e-6 unless deviations differ a thousandfold. It panics
// if there are not as many variances as means, or one of them is not positive. The mean of a softmax
// under the same fields is variational.Groups'.
func WinnerLaw(mean, variance []float64) []float64 {
	if len(mean) != len(variance) {
		panic(fmt.Sprintf("spikes: WinnerLaw of %d means, %d variances", len(mean), len(variance)))
	}
	const far = 8.5 // deviations beyond which there is nothing
	low, high, least := math.Inf(-1), math.Inf(-1), math.Inf(1)
	for k, v := range variance {
		if !(v > 0) || math.IsInf(v, 0) {
			panic(fmt.Sprintf("spikes: WinnerLaw of the variance %v", v))
		}
		s := math.Sqrt(v)
		low, high, least = max(low, mean[k]-far*s), max(high, mean[k]+far*s), min(least, s)
	}
	const most = 1 << 16 // points
	step := max(least/6, (high-low)/most)
	law, below, density := make([]float64, len(mean)), make([]float64, len(mean)), make([]float64, len(mean))
	for y := low; y <= high; y += step {
		product, zeros := 1.0, 0
		for k, m := range mean {
			s := math.Sqrt(variance[k])
			z := (y - m) / s
			below[k] = math.Erfc(-z/math.Sqrt2) / 2
			density[k] = math.Exp(-z*z/2) / (math.Sqrt(2*math.Pi) * s)
			if below[k] == 0 {
				zeros++
			} else {
				product *= below[k]
			}
		}
		for k, b := range below {
			switch {
			case zeros == 0:
				law[k] += step * density[k] * product / b
			case zeros == 1 && b == 0:
				law[k] += step * density[k] * product
			}
		}
	}
	return law
}
