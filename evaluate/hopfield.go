package evaluate

import (
	"context"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// A HopfieldMachine is an rbm.Machine of Gaussian hidden units that is evaluated. Its
// features are the means of the hidden units.
type HopfieldMachine struct{ SpinMachine }

// OnHopfield returns a machine of visible units of bits and Gaussian hidden units to be
// evaluated, which must not change from then on.
func OnHopfield(machine *rbm.Machine) HopfieldMachine { return HopfieldMachine{OnMachine(machine)} }

// Source implements Evaluated.
func (m HopfieldMachine) Source(like *spin.Matrix) sample.Source[float32, *spin.Matrix, *units.Reals[float32]] {
	return sample.OnHopfield(m.fields(), units.FeatureFields(like, m.machine.VisibleKind))
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
