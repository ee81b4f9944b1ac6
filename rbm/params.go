// Package rbm provides the restricted Boltzmann machine with binary synapses,
// the posterior over its synapses, exact sums over its states, and the model
// file.
//
// The machine has visible spins s_i = ±1 (i < N), hidden spins h_mu = ±1
// (mu < P) and synapses xi_{i mu} = ±1 that share one coupling J > 0:
//
//	P(s, h) ∝ exp( J sum (s_i - mu_i) xi_{i mu} (h_mu - nu_mu) + b.s + c.h )
//
// with fields b, c and offsets mu, nu in [-1, 1] (H. Huang, Phys. Rev. E 102,
// 030301, where fields and offsets are 0; offsets as in the centred machine of
// Montavon and Müller 2012). Real matrices that belong to synapses are
// hidden x visible, row-major: row mu is what hidden unit mu sees.
package rbm

import (
	"fmt"
	"math"
	"slices"

	"bethe/spin"
	"bethe/units"
)

// Real is a type of real number: float32 in training, float64 where results
// are held against exact ones.
type Real = spin.Real

// Params are all parameters of a machine but its synapses.
type Params struct {
	Links         []Link    // which synapses there are, and J of each block of them
	VisibleField  []float64 // b, of length N
	HiddenField   []float64 // c, of length P
	VisibleOffset []float64 // mu, of length N
	HiddenOffset  []float64 // nu, of length P
	// VisibleOwn are parameters that only some kinds of visible units have
	// (units.Samples.OwnSize): ln sigma and mu of Gaussian ones. Spins have none.
	VisibleOwn []float64
	// VisibleKind and HiddenKind are the kinds of units; the zero value is that of spins.
	// There is a field, an offset and a row of synapses for each feature of a unit.
	VisibleKind, HiddenKind units.Kind
}

// NewParams returns parameters of a machine of one link, without fields and offsets.
func NewParams(visible, hidden int, coupling float64) Params {
	return Params{
		Links:        []Link{{coupling, Range{0, visible}, Range{0, hidden}}},
		VisibleField: make([]float64, visible), HiddenField: make([]float64, hidden),
		VisibleOffset: make([]float64, visible), HiddenOffset: make([]float64, hidden),
	}
}

// Visible returns N, the number of visible units.
func (p *Params) Visible() int { return len(p.VisibleField) }

// Hidden returns P, the number of hidden units.
func (p *Params) Hidden() int { return len(p.HiddenField) }

// Centred reports whether any offset is not 0.
func (p *Params) Centred() bool {
	nonzero := func(x float64) bool { return x != 0 }
	return slices.ContainsFunc(p.VisibleOffset, nonzero) || slices.ContainsFunc(p.HiddenOffset, nonzero)
}

// Spins reports whether all units are spins.
func (p *Params) Spins() bool { return p.VisibleKind == units.Kind{} && p.HiddenKind == units.Kind{} }

// HasFields reports whether any field is not 0.
func (p *Params) HasFields() bool {
	nonzero := func(x float64) bool { return x != 0 }
	return slices.ContainsFunc(p.VisibleField, nonzero) || slices.ContainsFunc(p.HiddenField, nonzero)
}

// Clone returns a deep copy.
func (p *Params) Clone() Params {
	return Params{slices.Clone(p.Links), slices.Clone(p.VisibleField), slices.Clone(p.HiddenField),
		slices.Clone(p.VisibleOffset), slices.Clone(p.HiddenOffset), slices.Clone(p.VisibleOwn), p.VisibleKind, p.HiddenKind}
}

// Validate returns an error that names the first parameter that is out of its range
// for the kinds of units.
func (p *Params) Validate() error {
	if err := p.VisibleKind.Check(p.Visible()); err != nil {
		return fmt.Errorf("visible units: %w", err)
	}
	if err := p.HiddenKind.Check(p.Hidden()); err != nil {
		return fmt.Errorf("hidden units: %w", err)
	}
	return p.ValidateWithin(p.VisibleKind.OffsetLimit(), p.HiddenKind.OffsetLimit())
}

// ValidateWithin is Validate of units of any kind, whose offsets lie within the
// given limits (1 for spins; see units.Samples and units.Hidden).
func (p *Params) ValidateWithin(visibleOffset, hiddenOffset float64) error {
	n, h := p.Visible(), p.Hidden()
	switch {
	case n == 0 || h == 0:
		return fmt.Errorf("a machine of %d visible and %d hidden units: both must be at least 1", n, h)
	case len(p.VisibleOffset) != n:
		return fmt.Errorf("visible_offset has %d elements, visible_field %d", len(p.VisibleOffset), n)
	case len(p.HiddenOffset) != h:
		return fmt.Errorf("hidden_offset has %d elements, hidden_field %d", len(p.HiddenOffset), h)
	}
	if err := p.checkLinks(); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		x     []float64
		limit float64
	}{
		{"visible_field", p.VisibleField, math.MaxFloat64}, {"hidden_field", p.HiddenField, math.MaxFloat64},
		{"visible_offset", p.VisibleOffset, visibleOffset}, {"hidden_offset", p.HiddenOffset, hiddenOffset},
		{"visible_own", p.VisibleOwn, math.MaxFloat64},
	} {
		for i, v := range f.x {
			if !(math.Abs(v) <= f.limit) {
				return fmt.Errorf("%s[%d] is %v: it must lie between %g and %g", f.name, i, v, -f.limit, f.limit)
			}
		}
	}
	return nil
}
