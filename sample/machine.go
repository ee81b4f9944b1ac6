package sample

import (
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A MachineSource is the path to a machine with known synapses.
type MachineSource struct {
	*spinPath[float32]
	machine      *rbm.Machine
	conditionals func(count int) spinConditionals[float32]
}

// OnMachine returns the path from fair visible spins to a machine. If synapses are
// binary, fields are counts of spins, and chains several times as fast as those on
// the machine's network.
func OnMachine(machine *rbm.Machine) *MachineSource {
	if countable(machine) {
		return countedPaths(machine)(make([]float64, machine.Visible()))
	}
	net := OnNetwork(rbm.NetworkOf[float32](machine))
	return &MachineSource{net.spinPath, machine, net.Conditionals}
}

// PathsTo returns a function that makes paths to a machine from independent visible spins in given fields (OnMachine, From).
// The machine must not change. What paths need of it is computed once and shared. Several goroutines may make and use paths at a time.
func PathsTo(machine *rbm.Machine) func(base []float64) *MachineSource {
	if countable(machine) {
		return countedPaths(machine)
	}
	shared := OnNetwork(rbm.NetworkOf[float32](machine))
	shared.keep()
	return func(base []float64) *MachineSource {
		net := OnNetwork(shared.net).From(base)
		net.couplingT, net.kept = shared.couplingT, true
		return &MachineSource{net.spinPath, machine, net.Conditionals}
	}
}

// countedPaths is PathsTo where fields are counts.
func countedPaths(machine *rbm.Machine) func(base []float64) *MachineSource {
	plain, constant := machine.Plain()
	fields := make([]float32, plain.Visible())
	for i, b := range plain.VisibleField {
		fields[i] = float32(b)
	}
	shared := newBinarySynapses(plain)
	return func(base []float64) *MachineSource {
		path := newSpinPath(fields, plain.Hidden(), constant, [2]units.Kind{})
		path.from(base)
		return &MachineSource{path, machine, func(int) spinConditionals[float32] {
			return &binaryConditionals{binarySynapses: shared, spinLayer: spinLayer[float32]{path: path}, gains: gains[float32]{spinPath: path}, shiftH: make([]float32, plain.Hidden())}
		}}
	}
}

// From makes independent visible spins in the given fields the base, and returns s.
// It is for before anything is drawn.
func (s *MachineSource) From(base []float64) *MachineSource {
	s.from(base)
	return s
}

// Conditionals implements Source.
func (s *MachineSource) Conditionals(count int) Conditionals[float32, *spin.Matrix, *spin.Matrix] {
	return s.conditionals(count)
}

// countable reports whether fields are counts of spins, which must fit in 16 bits.
func countable(machine *rbm.Machine) bool {
	_, signed := machine.Synapses.(rbm.Signed)
	return signed && machine.Whole() && machine.Spins() && max(machine.Visible(), machine.Hidden()) < 1<<16
}

// binarySynapses are what the conditionals of a machine with binary synapses share.
type binarySynapses struct {
	coupling            float32
	hiddenField         []float32
	synapses, synapsesT *spin.Matrix // visible x hidden, hidden x visible
}

// newBinarySynapses takes a machine without offsets.
func newBinarySynapses(plain *rbm.Machine) *binarySynapses {
	b := &binarySynapses{coupling: float32(plain.Coupling()), synapses: plain.Signs(), synapsesT: spin.New(plain.Hidden(), plain.Visible())}
	plain.Signs().Transpose(b.synapsesT)
	for _, c := range plain.HiddenField {
		b.hiddenField = append(b.hiddenField, float32(c))
	}
	return b
}

// binaryConditionals are those of a machine with binary synapses, whose fields
// are counts of agreeing spins: no product of real numbers is done.
type binaryConditionals struct {
	*binarySynapses
	spinLayer[float32]
	observation[float32]
	gains                gains[float32]
	overlapsV, overlapsH spin.Overlaps
	slopeV               float32   // of the last DrawVisible
	shiftV, shiftH       []float32 // the same; hidden fields at t
	scratch              []float32 // visible fields at t
	fieldV, fieldH       []float32
}

func (b *binaryConditionals) DrawHidden(h, s *spin.Matrix, t float32, key stream.Key) {
	for mu, c := range b.hiddenField {
		b.shiftH[mu] = t * c
	}
	b.overlapsH.SetDraw(h, b.synapses, s, t*b.coupling, b.shiftH, key)
}

func (b *binaryConditionals) HiddenFields() []float32 {
	return overlapFields(&b.fieldH, &b.overlapsH, b.coupling, b.hiddenField)
}

func (b *binaryConditionals) DrawVisible(s, h *spin.Matrix, t float32, key stream.Key) {
	b.slopeV, b.shiftV = t*b.coupling, b.gains.at(t, &b.scratch)
	b.overlapsV.SetDraw(s, b.synapsesT, h, b.slopeV, b.shiftV, key)
	b.drawn = false
}

func (b *binaryConditionals) VisibleFields() []float32 {
	if b.drawn {
		return b.fields
	}
	return b.ownFields()
}

// ownFields are the visible fields but for an observation.
func (b *binaryConditionals) ownFields() []float32 {
	return overlapFields(&b.fieldV, &b.overlapsV, b.slopeV, b.shiftV)
}

func (b *binaryConditionals) DrawObserved(s *spin.Matrix, key stream.Key) {
	b.draw(s, b.ownFields(), units.Kind{}, key)
}

func (b *binaryConditionals) AddGains(sum []float64, s *spin.Matrix, from, to float32) {
	b.gains.add(sum, s, b.HiddenFields(), from, to)
}

func (b *binaryConditionals) LogWeights(dst []float64, s *spin.Matrix) {
	b.gains.logWeights(dst, s, b.HiddenFields())
}

// overlapFields writes shift + slope times overlaps to *dst.
func overlapFields(dst *[]float32, o *spin.Overlaps, slope float32, shift []float32) []float32 {
	if n := len(shift) * o.Cols(); len(*dst) != n {
		*dst = make([]float32, n)
	}
	o.Fields(*dst, slope, shift)
	return *dst
}
