package rbm

import (
	"fmt"
	"math"
	"slices"
)

// A Link is a block of synapses that share one coupling: those between a range
// of visible units and a range of hidden units. A restricted Boltzmann machine
// has one link, between all of them. A deep machine folds into a bipartite one,
// even layers against odd layers, that has a link for each pair of neighbours.
type Link struct {
	Coupling        float64 // J
	Visible, Hidden Range
}

// A Range holds the units From, From+1, ... To-1 of a layer.
type Range struct{ From, To int }

// Len returns the number of units.
func (r Range) Len() int { return r.To - r.From }

// within reports whether the range is in a layer of n units and not empty.
func (r Range) within(n int) bool { return 0 <= r.From && r.From < r.To && r.To <= n }

func (r Range) overlaps(o Range) bool { return r.From < o.To && o.From < r.To }

// Coupling returns J of a machine of one link. It panics if there are several.
func (p *Params) Coupling() float64 { return p.only().Coupling }

// SetCoupling sets J of a machine of one link. It panics if there are several.
func (p *Params) SetCoupling(j float64) { p.only().Coupling = j }

func (p *Params) only() *Link {
	if len(p.Links) != 1 {
		panic(fmt.Sprintf("rbm: the coupling of a machine of %d links", len(p.Links)))
	}
	return &p.Links[0]
}

// Whole reports whether one link joins all visible units to all hidden units.
func (p *Params) Whole() bool {
	return len(p.Links) == 1 && p.Links[0].Visible == Range{0, p.Visible()} && p.Links[0].Hidden == Range{0, p.Hidden()}
}

// Complete reports whether the links, which do not overlap, join all visible units to all hidden units: those of a machine of
// one or of two hidden layers do.
func (p *Params) Complete() bool {
	pairs := 0
	for _, l := range p.Links {
		pairs += l.Visible.Len() * l.Hidden.Len()
	}
	return pairs == p.Visible()*p.Hidden()
}

// Joins reports whether the link has synapses of hidden unit mu.
func (l *Link) Joins(mu int) bool { return l.Hidden.From <= mu && mu < l.Hidden.To }

// Couplings returns J of each link.
func (p *Params) Couplings() []float64 {
	j := make([]float64, len(p.Links))
	for k, l := range p.Links {
		j[k] = l.Coupling
	}
	return j
}

// LargestCoupling returns the largest J of all links.
func (p *Params) LargestCoupling() float64 { return slices.Max(p.Couplings()) }

// checkLinks returns an error that names the first link that does not fit.
func (p *Params) checkLinks() error {
	if len(p.Links) == 0 {
		return fmt.Errorf("a machine without links: it has no synapses")
	}
	for k, l := range p.Links {
		if !(l.Coupling > 0) || math.IsInf(l.Coupling, 0) {
			if k == 0 {
				return fmt.Errorf("coupling is %v: it must be positive and finite", l.Coupling)
			}
			return fmt.Errorf("coupling of link %d is %v: it must be positive and finite", k, l.Coupling)
		}
		if !l.Visible.within(p.Visible()) || !l.Hidden.within(p.Hidden()) {
			return fmt.Errorf("link %d joins visible units %d to %d and hidden units %d to %d of %d and %d", k, l.Visible.From, l.Visible.To-1, l.Hidden.From, l.Hidden.To-1, p.Visible(), p.Hidden())
		}
		for e, o := range p.Links[:k] {
			if l.Visible.overlaps(o.Visible) && l.Hidden.overlaps(o.Hidden) {
				return fmt.Errorf("links %d and %d share synapses", e, k)
			}
		}
	}
	return nil
}
