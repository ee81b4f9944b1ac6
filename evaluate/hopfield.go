package evaluate

import (
	"context"
	"sync"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// A HopfieldMachine is an rbm.Machine of Gaussian hidden units that is evaluated. Its
// features are the means of the hidden units.
type HopfieldMachine struct {
	SpinMachine
	paths func() func(base []float64) *sample.HopfieldSource
}

// OnHopfield returns a machine of visible units of bits and Gaussian hidden units to be
// evaluated, which must not change from then on.
func OnHopfield(machine *rbm.Machine) HopfieldMachine {
	m := HopfieldMachine{SpinMachine: OnMachine(machine)}
	m.paths = sync.OnceValue(func() func([]float64) *sample.HopfieldSource { return sample.PathsToHopfield(m.fields()) })
	return m
}

// Source implements Evaluated.
func (m HopfieldMachine) Source(like *spin.Matrix) sample.Source[float32, *spin.Matrix, *units.Reals[float32]] {
	return m.paths()(units.FeatureFields(like, m.machine.VisibleKind))
}

// LnZ implements Exact.
func (m HopfieldMachine) LnZ(ctx context.Context) (float64, error) { return m.weights().LnZ(ctx) }

// HiddenMeans implements Featuring.
func (m HopfieldMachine) HiddenMeans(dst []float32, samples *spin.Matrix, gain float64) {
	m.fields().HiddenFields(dst, samples)
	for k := range dst {
		dst[k] *= float32(gain)
	}
}
