package sample

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// conditionals draw one layer of a network given the other, for many chains at
// once.
type conditionals[T rbm.Real] interface {
	size() (visible, hidden int)
	// drawHidden draws h (hidden x chains) given s (visible x chains) in t times
	// the fields of the hidden units.
	drawHidden(h, s *spin.Matrix, t T, key stream.Key)
	// hiddenFields returns the fields of the last drawHidden, at t = 1, hidden x
	// chains, valid until the next.
	hiddenFields() []T
	// drawVisible draws s given h in fields shift[i] + t (sum over mu of K_{i mu} h_mu).
	drawVisible(s, h *spin.Matrix, shift []T, t T, key stream.Key)
	// visibleFields returns the fields of the last drawVisible, visible x chains.
	visibleFields() []T
}

// realConditionals are those of a network with real couplings.
type realConditionals[T rbm.Real] struct {
	*sharedNetwork[T]
	mayRound, coarse bool // whether fields may be rounded, and are
	fieldV, fieldH   []T
	scaled           []T
}

// A sharedNetwork is what realConditionals of the same network share.
type sharedNetwork[T rbm.Real] struct {
	net       *rbm.Network[T]
	couplingT []T  // visible x hidden, where kept
	drawn     bool // visible states have been drawn on this network
	kept      bool // couplingT is that of the network
}

// ownNetwork returns a network for a single user of it.
func ownNetwork[T rbm.Real](net *rbm.Network[T]) *sharedNetwork[T] {
	return &sharedNetwork[T]{net: net}
}

// shareNetwork returns a network for several users at once.
func shareNetwork[T rbm.Real](net *rbm.Network[T]) *sharedNetwork[T] {
	s := ownNetwork(net)
	s.keep()
	return s
}

func (s *sharedNetwork[T]) set(net *rbm.Network[T]) { s.net, s.drawn, s.kept = net, false, false }

// keep transposes the couplings: for more than one draw of the visible states.
func (s *sharedNetwork[T]) keep() {
	if len(s.couplingT) != len(s.net.Coupling) {
		s.couplingT = make([]T, len(s.net.Coupling))
	}
	s.net.TransposeCoupling(s.couplingT)
	s.kept = true
}

func (s *sharedNetwork[T]) conditionals(chains int) *realConditionals[T] {
	return &realConditionals[T]{sharedNetwork: s, fieldV: make([]T, s.net.Visible()*chains), fieldH: make([]T, s.net.Hidden()*chains)}
}

// round decides whether fields are rounded: where the root of the mean square of
// the error of a field is below tolerableError for the largest coupling, which is not
// looked for where a bound is enough.
func (r *realConditionals[T]) round() {
	fits := func(couplings []T) bool {
		return kernel.CoarseError(couplings, max(r.net.Visible(), r.net.Hidden())) < tolerableError
	}
	bound := r.net.Bound
	r.coarse = r.mayRound && (bound > 0 && fits([]T{bound}) || fits(r.net.Coupling))
}

// tolerableError is far below what a chain's field varies by from sweep to sweep.
const tolerableError = 1e-3

func (r *realConditionals[T]) size() (visible, hidden int) { return r.net.Visible(), r.net.Hidden() }
func (r *realConditionals[T]) hiddenFields() []T           { return r.fieldH }
func (r *realConditionals[T]) visibleFields() []T          { return r.fieldV }

func (r *realConditionals[T]) drawHidden(h, s *spin.Matrix, t T, key stream.Key) {
	if r.coarse {
		spin.MulAffineCoarse(r.fieldH, r.net.Coupling, r.net.Hidden(), s, 1, r.net.HiddenField)
	} else {
		r.net.HiddenFields(r.fieldH, s)
	}
	field := r.fieldH
	if t != 1 {
		if r.scaled == nil {
			r.scaled = make([]T, len(r.fieldH))
		}
		field = r.scaled
		const grain = 1 << 14
		parallel.For(len(field), grain, func(lo, hi int) {
			kernel.Affine(field[lo:hi], r.fieldH[lo:hi], t, 0)
		})
	}
	spin.Draw(h, field, key)
}

func (r *realConditionals[T]) drawVisible(s, h *spin.Matrix, shift []T, t T, key stream.Key) {
	if !r.kept && r.drawn {
		r.keep()
	}
	switch {
	case !r.kept:
		spin.MulAffineAcross(r.fieldV, r.net.Coupling, r.net.Visible(), h, t, shift, r.coarse)
		r.drawn = true
	case r.coarse:
		spin.MulAffineCoarse(r.fieldV, r.couplingT, r.net.Visible(), h, t, shift)
	default:
		spin.MulAffine(r.fieldV, r.couplingT, r.net.Visible(), h, t, shift)
	}
	spin.Draw(s, r.fieldV, key)
}

// binaryConditionals are those of a machine with binary synapses, whose fields
// are counts of agreeing spins: no product of real numbers is done.
type binaryConditionals struct {
	coupling             float32
	hiddenField          []float32
	synapses, synapsesT  *spin.Matrix // visible x hidden, hidden x visible
	overlapsV, overlapsH spin.Overlaps
	slopeV               float32 // of the last drawVisible
	shiftV, shiftH       []float32
	fieldV, fieldH       []float32
}

// countable reports whether fields are counts of spins, which must fit in 16 bits.
func countable(machine *rbm.Machine) bool {
	_, signed := machine.Synapses.(rbm.Signed)
	return signed && machine.Whole() && max(machine.Visible(), machine.Hidden()) < 1<<16
}

// newBinaryConditionals takes a machine without offsets.
func newBinaryConditionals(plain *rbm.Machine) *binaryConditionals {
	b := &binaryConditionals{coupling: float32(plain.Coupling()), synapses: plain.Signs(),
		synapsesT: spin.New(plain.Hidden(), plain.Visible()), shiftH: make([]float32, plain.Hidden())}
	plain.Signs().Transpose(b.synapsesT)
	for _, c := range plain.HiddenField {
		b.hiddenField = append(b.hiddenField, float32(c))
	}
	return b
}

// machineConditionals returns a maker of the conditionals of a machine, which
// share what does not change, its visible fields, and the constant of its
// weights (rbm.Machine.Plain).
func machineConditionals(machine *rbm.Machine, chains int) (layers func() conditionals[float32], fields []float32, constant float64) {
	if !countable(machine) {
		shared := shareNetwork(rbm.NetworkOf[float32](machine))
		return func() conditionals[float32] { return shared.conditionals(chains) }, shared.net.VisibleField, shared.net.Constant
	}
	plain, constant := machine.Plain()
	fields = make([]float32, plain.Visible())
	for i, b := range plain.VisibleField {
		fields[i] = float32(b)
	}
	shared := newBinaryConditionals(plain)
	return func() conditionals[float32] {
		own := *shared
		own.shiftH = make([]float32, plain.Hidden())
		return &own
	}, fields, constant
}

func (b *binaryConditionals) size() (visible, hidden int) {
	return b.synapses.Rows(), b.synapses.Cols()
}

func (b *binaryConditionals) drawHidden(h, s *spin.Matrix, t float32, key stream.Key) {
	for mu, c := range b.hiddenField {
		b.shiftH[mu] = t * c
	}
	b.overlapsH.SetDraw(h, b.synapses, s, t*b.coupling, b.shiftH, key)
}

func (b *binaryConditionals) hiddenFields() []float32 {
	return b.fields(&b.fieldH, &b.overlapsH, b.coupling, b.hiddenField)
}

func (b *binaryConditionals) drawVisible(s, h *spin.Matrix, shift []float32, t float32, key stream.Key) {
	b.slopeV, b.shiftV = t*b.coupling, append(b.shiftV[:0], shift...)
	b.overlapsV.SetDraw(s, b.synapsesT, h, b.slopeV, b.shiftV, key)
}

func (b *binaryConditionals) visibleFields() []float32 {
	return b.fields(&b.fieldV, &b.overlapsV, b.slopeV, b.shiftV)
}

func (b *binaryConditionals) fields(dst *[]float32, o *spin.Overlaps, slope float32, shift []float32) []float32 {
	if n := len(shift) * o.Cols(); len(*dst) != n {
		*dst = make([]float32, n)
	}
	o.Fields(*dst, slope, shift)
	return *dst
}
