package evaluate

import (
	"context"
	"sync"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/units"
)

// Evaluated is what a machine of any kind of units must be able to do to be
// evaluated: OnMachine makes it of an rbm.Machine. What only some can do is an optional
// interface: Exact. T, V and H are those of its sample.Source.
type Evaluated[T rbm.Real, V units.States[V], H units.States[H]] interface {
	// Visible returns the number of visible units.
	Visible() int
	// LogWeights returns the logarithm of the weight of each column of samples,
	// summed over the hidden units: minus the free energy. For units that are real
	// numbers it is a density.
	LogWeights(samples V) []float64
	// Source returns the path to the machine from independent visible units that
	// look like samples, on the scale of LogWeights.
	Source(like V) sample.Source[T, V, H]
}

// Exact is implemented by machines whose partition function can be computed, if they
// are small.
type Exact interface {
	// LnZ returns ln Z on the scale of LogWeights. The error is the context's, or
	// wraps rbm.ErrTooLarge at once if there are too many units.
	LnZ(ctx context.Context) (float64, error)
}

// Mirrored is implemented by machines that may not tell samples from their mirror
// images: half of their states are then unlike all data, and weigh as much as the other half.
type Mirrored[V any] interface {
	// Mirror returns samples and their mirror images, and whether all have the same
	// weights as they.
	Mirror(samples V) (both V, ok bool)
}

// Remembering is implemented by machines that know states which may be heavy, such as
// those that scouts met in learning: the search for heavy states begins at them too.
type Remembering[V any] interface {
	// Remembered returns such visible states, and whether there are any.
	Remembered() (states V, ok bool)
}

// Limited is implemented by machines whose likelihoods have an upper limit, such as 0
// where they are probabilities.
type Limited interface{ Limit() float64 }

// Featuring is implemented by machines whose hidden units give features of samples.
type Featuring[V any] interface {
	// Hidden returns the number of features.
	Hidden() int
	// HiddenMeans writes the means of the hidden units in gain times their fields
	// to dst, hidden x samples.
	HiddenMeans(dst []float32, samples V, gain float64)
}

// Opposing is implemented by machines whose visible states have an opposite. Chains that start
// there tell whether others have settled.
type Opposing[V any] interface {
	// Opposite returns states as far as can be from the given ones, which stay.
	Opposite(states V) V
}

// A SpinMachine is an rbm.Machine that is evaluated. It keeps the networks with real
// couplings that its answers are computed with: the first answer makes them, the next ones take
// as long as their products.
type SpinMachine struct {
	machine    *rbm.Machine
	fields     func() *rbm.Network[float32] // for means of hidden units
	weights    func() *rbm.Network[float64] // for weights of samples
	paths      func() func(base []float64) *sample.MachineSource
	remembered *spin.Matrix // visible states, a column each; nil if there are none
}

// OnMachine returns a machine of spins to be evaluated, which must not change from then on.
func OnMachine(machine *rbm.Machine) SpinMachine {
	return SpinMachine{machine: machine,
		fields:  sync.OnceValue(func() *rbm.Network[float32] { return rbm.NetworkOf[float32](machine) }),
		weights: sync.OnceValue(func() *rbm.Network[float64] { return rbm.NetworkOf[float64](machine) }),
		paths:   sync.OnceValue(func() func([]float64) *sample.MachineSource { return sample.PathsTo(machine) })}
}

// Remember returns the machine with visible states, a column each, at which the search for
// heavy states begins too. There are none if states is nil.
func (m SpinMachine) Remember(states *spin.Matrix) SpinMachine {
	m.remembered = states
	return m
}

// Remembered implements Remembering.
func (m SpinMachine) Remembered() (*spin.Matrix, bool) {
	return m.remembered, m.remembered != nil && m.remembered.Cols() > 0
}

// Visible implements Evaluated.
func (m SpinMachine) Visible() int { return m.machine.Visible() }

// Hidden implements Featuring.
func (m SpinMachine) Hidden() int { return m.machine.Hidden() }

// LogWeights implements Evaluated.
func (m SpinMachine) LogWeights(samples *spin.Matrix) []float64 {
	weights := make([]float64, samples.Cols())
	m.weights().LogWeights(weights, samples)
	return weights
}

// Source implements Evaluated. The spins of the base have the means of samples.
func (m SpinMachine) Source(like *spin.Matrix) sample.Source[float32, *spin.Matrix, *spin.Matrix] {
	return m.paths()(units.FeatureFields(like, m.machine.VisibleKind))
}

// LnZ implements Exact.
func (m SpinMachine) LnZ(ctx context.Context) (float64, error) { return m.machine.LnZ(ctx) }

// Limit implements Limited: states of spins have probabilities.
func (m SpinMachine) Limit() float64 { return 0 }

// Mirror implements Mirrored: a machine without fields, its offsets taken into them,
// does not tell a state from the one with all spins turned.
func (m SpinMachine) Mirror(samples *spin.Matrix) (both *spin.Matrix, ok bool) {
	plain, _ := m.machine.Plain()
	if plain.HasFields() || !plain.Spins() {
		return nil, false
	}
	n, count := samples.Rows(), samples.Cols()
	both = spin.New(n, 2*count)
	to := first(count)
	both.Put(samples, to)
	for k := range to {
		to[k] += count
	}
	both.Put(m.Opposite(samples), to)
	return both, true
}

// Opposite implements Opposing: all spins are turned, and units have the next colour.
func (m SpinMachine) Opposite(states *spin.Matrix) *spin.Matrix {
	turned := spin.New(states.Rows(), states.Cols())
	if of := m.machine.VisibleKind.States; of > 0 {
		for i := range states.Rows() {
			next := i + 1
			if next%of == 0 {
				next = i + 1 - of
			}
			for a := range states.Cols() {
				turned.Set(next, a, states.At(i, a))
			}
		}
		return turned
	}
	for i := range states.Rows() {
		for a := range states.Cols() {
			turned.Set(i, a, -states.At(i, a))
		}
	}
	return turned
}

// HiddenMeans implements Featuring.
func (m SpinMachine) HiddenMeans(dst []float32, samples *spin.Matrix, gain float64) {
	m.fields().HiddenFields(dst, samples)
	if gain != 1 {
		kernel.Affine(dst, dst, float32(gain), 0)
	}
	if m.machine.HiddenKind.OneHot() {
		probabilities(dst, m.machine.HiddenKind, samples.Cols())
		return
	}
	kernel.Tanh(dst, dst)
}

// probabilities sets fields of the features of hidden groups to the probabilities of each.
func probabilities(fields []float32, kind units.Kind, m int) {
	rbm.SetMeans(fields, fields, kind, m)
	kernel.Affine(fields, fields, 0.5, 0.5)
}
