package sample

import (
	"fmt"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A NetworkSource is the path to a network of spins with real couplings. It keeps the
// transpose of the couplings if visible states are drawn on them more than once.
type NetworkSource[T rbm.Real] struct {
	*spinPath[T]
	net              *rbm.Network[T]
	couplingT        []T  // visible x hidden, where kept
	mayRound, coarse bool // whether fields may be rounded, and are
	users            int  // conditionals that were made
	drawn            bool // visible states have been drawn on this network
	kept             bool // couplingT is that of the network
	together         bool // fields of rungs are computed at once
}

// OnNetwork returns the path from fair visible spins to a network, which must not
// change but by Set.
func OnNetwork[T rbm.Real](net *rbm.Network[T]) *NetworkSource[T] {
	return &NetworkSource[T]{spinPath: newSpinPath(net.VisibleField, net.Hidden(), net.Constant, [2]units.Kind{net.VisibleKind, net.HiddenKind}), net: net}
}

// From makes independent visible spins in the given fields the base, and returns s.
// It is for before anything is drawn.
func (s *NetworkSource[T]) From(base []float64) *NetworkSource[T] {
	s.from(base)
	return s
}

// Rounded lets fields in float32 be rounded as in spin.MulCoarse, which makes chains
// about one and a half times as fast with AVX-512, for as long as the network's largest
// coupling lets the error of a field be below 1e-3 (its standard deviation over
// states): 0.13 for layers of up to 784 units. It returns s.
func (s *NetworkSource[T]) Rounded() *NetworkSource[T] {
	s.mayRound = true
	s.round()
	return s
}

// Set changes the network: chains that run on s follow the new one from then on. It
// must have the same shape and not change until the next Set. The base stays.
func (s *NetworkSource[T]) Set(net *rbm.Network[T]) {
	if net.Visible() != s.net.Visible() || net.Hidden() != s.net.Hidden() {
		panic(fmt.Sprintf("sample: a network of %d x %d units in the place of one of %d x %d",
			net.Visible(), net.Hidden(), s.net.Visible(), s.net.Hidden()))
	}
	s.net, s.drawn, s.kept = net, false, false
	s.kinds = [2]units.Kind{net.VisibleKind, net.HiddenKind}
	s.set(net.VisibleField, net.Constant)
	s.round()
	if s.users > 1 {
		s.keep()
	}
}

// Conditionals implements Source.
func (s *NetworkSource[T]) Conditionals(count int) Conditionals[T, *spin.Matrix, *spin.Matrix] {
	if s.users++; s.users > 1 && !s.kept {
		s.keep() // before several goroutines look at it
	}
	return &networkConditionals[T]{source: s, spinLayer: spinLayer[T]{s.spinPath, count}, gains: gains[T]{spinPath: s.spinPath},
		fieldV: make([]T, s.net.Visible()*count), fieldH: make([]T, s.net.Hidden()*count)}
}

// keep transposes the couplings: for more than one draw of the visible states.
func (s *NetworkSource[T]) keep() {
	if len(s.couplingT) != len(s.net.Coupling) {
		s.couplingT = make([]T, len(s.net.Coupling))
	}
	s.net.TransposeCoupling(s.couplingT)
	s.kept = true
}

// round decides whether fields are rounded: if the root of the mean square of the
// error of a field is below tolerableError for the largest coupling, which is not
// looked for if a bound is enough.
func (s *NetworkSource[T]) round() {
	fits := func(couplings []T) bool {
		return kernel.CoarseError(couplings, max(s.net.Visible(), s.net.Hidden())) < tolerableError
	}
	bound := s.net.CouplingLimit
	s.coarse = s.mayRound && (bound > 0 && fits([]T{bound}) || fits(s.net.Coupling))
}

// tolerableError is far below what a chain's field varies by from sweep to sweep.
const tolerableError = 1e-3

// networkConditionals are those of a network with real couplings.
type networkConditionals[T rbm.Real] struct {
	spinLayer[T]
	observation[T]
	gains          gains[T]
	source         *NetworkSource[T]
	fieldV, fieldH []T
	scaled         []T  // hidden fields at t
	shift          []T  // visible fields at t
	givenH, givenV bool // fieldH are the next hidden fields, fieldV what visible fields are made of
}

func (c *networkConditionals[T]) DrawHidden(h, s *spin.Matrix, t T, key stream.Key) {
	net := c.source.net
	given := c.givenH
	c.givenH = false
	switch {
	case given:
	case c.source.coarse:
		spin.MulAffineCoarse(c.fieldH, net.Coupling, net.Hidden(), s, 1, net.HiddenField)
	default:
		net.HiddenFields(c.fieldH, s)
	}
	field := c.fieldH
	if t != 1 {
		if c.scaled == nil {
			c.scaled = make([]T, len(c.fieldH))
		}
		field = c.scaled
		parallel.For(len(field), elementGrain, func(lo, hi int) {
			kernel.Affine(field[lo:hi], c.fieldH[lo:hi], t, 0)
		})
	}
	units.Draw(h, field, net.HiddenKind, key)
}

func (c *networkConditionals[T]) HiddenFields() []T { return c.fieldH }

func (c *networkConditionals[T]) DrawVisible(s, h *spin.Matrix, t T, key stream.Key) {
	source := c.source
	given := c.givenV
	c.givenV = false
	if !given && !source.kept && source.drawn {
		source.keep()
	}
	shift, n := source.at(t, &c.shift), source.net.Visible()
	switch {
	case given:
		c.shifted(t, shift)
	case !source.kept:
		spin.MulAffineAcross(c.fieldV, source.net.Coupling, n, h, t, shift, source.coarse)
		source.drawn = true
	case source.coarse:
		spin.MulAffineCoarse(c.fieldV, source.couplingT, n, h, t, shift)
	default:
		spin.MulAffine(c.fieldV, source.couplingT, n, h, t, shift)
	}
	units.Draw(s, c.fieldV, source.net.VisibleKind, key)
	c.drawn = false
}

func (c *networkConditionals[T]) VisibleFields() []T {
	if c.drawn {
		return c.fields
	}
	return c.fieldV
}

func (c *networkConditionals[T]) DrawObserved(s *spin.Matrix, key stream.Key) {
	c.draw(s, c.fieldV, c.source.net.VisibleKind, key)
}

func (c *networkConditionals[T]) AddGains(sum []float64, s *spin.Matrix, from, to T) {
	c.gains.add(sum, s, c.fieldH, from, to)
}

func (c *networkConditionals[T]) LogWeights(dst []float64, s *spin.Matrix) {
	c.gains.logWeights(dst, s, c.fieldH)
}
