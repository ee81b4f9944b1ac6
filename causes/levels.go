package causes

import (
	"math"

	"bethe/spin"
)

// Levels are the probabilities above the visible units.
type Levels struct {
	LnWeight []float64 // of the causes
	Two      bool      // a tree: causes above groups; else the causes are the states of one group
	LnGiven  []float64 // ln P(state | cause) of a tree, groups x states x causes
}

// Levels returns those of the machine.
func (m *Machine) Levels() Levels { return m.upper.levels() }

func (u mixtureUpper) levels() Levels { return Levels{LnWeight: u.lnWeight} }

func (u treeUpper) levels() Levels {
	given := make([]float64, len(u.p))
	for k, p := range u.p {
		given[k] = math.Log(p)
	}
	return Levels{LnWeight: u.lnWeight, Two: true, LnGiven: given}
}

// Evidence returns ln P(units of its patch | state) of each state of each group for samples
// (visible x M), groups x states x M. It panics if samples are of other units.
func (m *Machine) Evidence(samples *spin.Matrix) []float64 {
	if samples.Rows() != m.Visible() {
		panic("causes: Evidence of samples of other units")
	}
	count, states := samples.Cols(), len(m.Patches)*m.States
	evidence := make([]float64, states*count)
	e := m.evidence()
	for lo := 0; lo < count; lo += blockLen {
		b := blockOf(samples, nil, m.Patches, lo, min(count, lo+blockLen), false)
		part := make([]float64, m.States*b.count)
		for g := range m.Patches {
			e.of(part, g, &b)
			for k := range m.States {
				copy(evidence[(g*m.States+k)*count+lo:], part[k*b.count:(k+1)*b.count])
			}
		}
	}
	return evidence
}
