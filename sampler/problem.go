// Package sampler learns with samplers that are not ours: programs, annealers and machines that
// sample Ising problems at a temperature that nobody knows. It writes the problems, reads the
// samples, measures their temperature and follows it.
package sampler

import (
	"fmt"
	"math"
	"slices"

	"bethe/rbm"
)

// A Problem is an Ising problem whose energy is to be minimised, or sampled:
// sum Linear_u x_u + sum Quadratic_{i mu} x_i x_mu over spins x, the visible units first. Its
// Boltzmann distribution at inverse temperature 1/Scale is the machine's.
type Problem struct {
	Visible, Hidden int
	Linear          []float64 // of visible units, then of hidden ones
	Quadratic       []float64 // hidden x visible
	Scale           float64   // what energies of the machine were multiplied by
}

// NewProblem returns the problem of a network, with its energies multiplied by scale. The constant
// of the network has no place in it.
func NewProblem(net *rbm.Network[float64], scale float64) *Problem {
	p := &Problem{Visible: net.Visible(), Hidden: net.Hidden(), Scale: scale}
	for _, list := range [][]float64{net.VisibleField, net.HiddenField} {
		for _, v := range list {
			p.Linear = append(p.Linear, -scale*v)
		}
	}
	for _, v := range net.Coupling {
		p.Quadratic = append(p.Quadratic, -scale*v)
	}
	return p
}

// Network returns the network whose energy is the problem's over its scale.
func (p *Problem) Network() *rbm.Network[float64] {
	net := rbm.NewNetwork[float64](p.Visible, p.Hidden)
	for i := range net.VisibleField {
		net.VisibleField[i] = -p.Linear[i] / p.Scale
	}
	for mu := range net.HiddenField {
		net.HiddenField[mu] = -p.Linear[p.Visible+mu] / p.Scale
	}
	for k := range net.Coupling {
		net.Coupling[k] = -p.Quadratic[k] / p.Scale
	}
	return net
}

// Turn applies a gauge of ±1, visible units first: a spin-reversal transformation x_u -> gauge_u x_u
// that keeps the problem's energies. Samples of the turned problem are turned back by the same gauge.
func (p *Problem) Turn(gauge []int8) {
	for u := range p.Linear {
		p.Linear[u] *= float64(gauge[u])
	}
	for mu := range p.Hidden {
		for i := range p.Visible {
			p.Quadratic[mu*p.Visible+i] *= float64(gauge[i]) * float64(gauge[p.Visible+mu])
		}
	}
}

// A Range is what a machine can be given: fields within ±Field, couplings within ±Coupling, both
// with Bits of precision, the sign among them. What is 0 is not limited.
type Range struct {
	Field, Coupling float64
	Bits            int
}

// Scale returns the largest number that a network's energies can be multiplied by within the
// range; +Inf if nothing limits it.
func (r Range) Scale(net *rbm.Network[float64]) float64 {
	scale := math.Inf(1)
	if r.Coupling > 0 {
		scale = r.Coupling / largest(net.Coupling)
	}
	if r.Field > 0 {
		scale = min(scale, r.Field/max(largest(net.VisibleField), largest(net.HiddenField)))
	}
	return scale
}

func largest(x []float64) float64 {
	top := 0.0
	for _, v := range x {
		top = max(top, math.Abs(v))
	}
	return top
}

// Round rounds a problem to the levels of the range, k range/(2^(Bits-1) - 1) with whole k, and
// to the range itself. Fields have a step of their own. Where a range is not limited it is the
// largest number that there is.
func (r Range) Round(p *Problem) {
	round := func(x []float64, limit float64) {
		if limit == 0 {
			if limit = largest(x); limit == 0 {
				return
			}
		}
		levels := math.Exp2(float64(r.Bits-1)) - 1
		for k, v := range x {
			v = min(limit, max(-limit, v))
			if r.Bits > 0 {
				v = math.Round(v/limit*levels) / levels * limit
			}
			x[k] = v
		}
	}
	round(p.Linear, r.Field)
	round(p.Quadratic, r.Coupling)
}

// finite returns an error if no sampler can be sent the problem: its scale is not above 0 and finite, or a coefficient is not finite.
func (p *Problem) finite() error {
	if !(p.Scale > 0) || math.IsInf(p.Scale, 0) {
		return fmt.Errorf("nothing is sent: energies times %v", p.Scale)
	}
	for _, list := range [][]float64{p.Linear, p.Quadratic} {
		for _, v := range list {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("nothing is sent: a coefficient of the problem is %v (energies times %v)", v, p.Scale)
			}
		}
	}
	return nil
}

// clone returns a copy.
func (p *Problem) clone() *Problem {
	q := *p
	q.Linear, q.Quadratic = slices.Clone(p.Linear), slices.Clone(p.Quadratic)
	return &q
}
