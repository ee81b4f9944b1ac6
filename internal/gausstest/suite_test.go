package gausstest_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/dual"
	"bethe/dual/dualtest"
	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/units"
	"bethe/units/unitstest"
)

// normals returns n x m numbers that are not standardised.
func normals[T units.Real](n, m int, seed uint64) []T {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := make([]T, n*m)
	for k := range v {
		v[k] = T(0.3 + 1.2*rng.NormFloat64())
	}
	return v
}

func gaussians[T units.Real](count, samples int, seed uint64) unitstest.Case[T] {
	v := normals[T](count, samples, seed)
	own := make([]float64, 2*count)
	for k := range own {
		own[k] = 0.2 * float64(k%3-1)
	}
	at := func(own []float64) (features, base []float64) {
		features, base = make([]float64, len(v)), make([]float64, samples)
		for k, x := range v {
			i, a := k/samples, k%samples
			features[k] = (float64(x) - own[count+i]) / math.Exp(own[i])
			base[a] -= features[k]*features[k]/2 + own[i]
		}
		return features, base
	}
	return unitstest.Case[T]{Data: gausstest.NewSamples(count, v), Own: own, At: at}
}

func TestSamplesKeepTheContract(t *testing.T) {
	unitstest.Samples(t, gaussians[float64], 1e-7)
	unitstest.Samples(t, gaussians[float32], 1e-4)
}

func TestPartitionKeepsTheContract(t *testing.T) {
	for links := 1; links <= 2; links++ {
		var machines []dualtest.Machine
		for _, kind := range []rbm.Kind{rbm.BinaryKind, rbm.SampledKind, rbm.SignKind} {
			machines = append(machines, dualtest.Machine{Form: dual.Form{Synapses: kind, Visible: units.Gauss, Hidden: units.Spin},
				VisibleOffset: 2, HiddenOffset: 0.9, Own: 2, Links: links})
		}
		dualtest.Partition(t, func() dual.Partition[float64] { return gausstest.Partition[float64]{} }, 1e-8, machines...)
	}
	dualtest.TermGivesUp(t, func() dual.Partition[float64] { return gausstest.Partition[float64]{} }, dualtest.Machine{HiddenOffset: 0.9, Own: 2, Links: 1}, 10, gausstest.MaxHidden)
}
