package gausstest_test

import (
	"testing"

	"bethe/dual"
	"bethe/dual/dualtest"
	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/units"
	"bethe/units/unitstest"
)

func gaussians[T units.Real](count, samples int, seed uint64) unitstest.Case[T] {
	v := unitstest.Normals[T](count, samples, seed)
	return unitstest.Gaussians(count, v, gausstest.NewSamples(count, v))
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
