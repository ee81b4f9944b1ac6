// Package thermo has the thermodynamics of machines of spins and of changing them: work, heat,
// dissipation and the identities that they keep, temperature curves, and thermometers for
// samples of unknown temperature.
//
// Energies, works and heats are in units of kT. A network has the weights exp(-E(s, h)).
// The weight of a visible state s is exp(-Phi(s)), with Phi(s) = -ln sum_h exp(-E). The work
// of a change of parameters at a fixed s is the change of Phi: log-weights gain minus
// the work. The heat of a sweep at fixed parameters is the change of Phi, too. A sweep draws
// h given s, then s given h, by the new parameters (docs/thermodynamics.md).
package thermo

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
)

// MaxStates is the largest number of units whose states an Enumeration holds.
const MaxStates = 16

// An Enumeration holds all states of the visible layer of a small network, in float64: the
// plain reference for everything sampled elsewhere. State k has spin +1 at unit i if bit i of k is 1.
type Enumeration struct {
	LogWeights []float64 // -Phi of each state, with the network's constant
	LnZ        float64

	net *rbm.Network[float64]
}

// Enumerate returns the states of a network. It panics if there are more than MaxStates
// visible units.
func Enumerate(net *rbm.Network[float64]) *Enumeration {
	n := net.Visible()
	if n > MaxStates {
		panic(fmt.Sprintf("thermo: the states of %d visible units, of at most %d", n, MaxStates))
	}
	e := &Enumeration{net: net, LogWeights: make([]float64, 1<<n)}
	for k := range e.LogWeights {
		sum := net.Constant
		for i, b := range net.VisibleField {
			sum += b * spinOf(k, i)
		}
		for mu := range net.HiddenField {
			sum += kernel.Log2Cosh(e.hiddenField(mu, k))
		}
		e.LogWeights[k] = sum
	}
	e.LnZ = rbm.LogSumExp(e.LogWeights)
	return e
}

// spinOf returns the spin of unit i in state k.
func spinOf(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

// hiddenField returns the field of hidden unit mu in visible state k.
func (e *Enumeration) hiddenField(mu, k int) float64 {
	n := e.net.Visible()
	sum := e.net.HiddenField[mu]
	for i, c := range e.net.Coupling[mu*n : (mu+1)*n] {
		sum += c * spinOf(k, i)
	}
	return sum
}

// Probabilities returns those of the states.
func (e *Enumeration) Probabilities() []float64 {
	p := make([]float64, len(e.LogWeights))
	for k, w := range e.LogWeights {
		p[k] = math.Exp(w - e.LnZ)
	}
	return p
}

// Sweep returns where a sweep s -> h -> s' takes a measure on the visible states.
func (e *Enumeration) Sweep(measure []float64) []float64 {
	n, p := e.net.Visible(), e.net.Hidden()
	fields := make([]float64, p)
	hidden := make([]float64, 1<<p)
	for k, m := range measure {
		for mu := range fields {
			fields[mu] = e.hiddenField(mu, k)
		}
		spread(hidden, m, fields)
	}
	after := make([]float64, len(measure))
	fields = make([]float64, n)
	for h, m := range hidden {
		copy(fields, e.net.VisibleField)
		for mu := range p {
			s := spinOf(h, mu)
			for i, c := range e.net.Coupling[mu*n : (mu+1)*n] {
				fields[i] += c * s
			}
		}
		spread(after, m, fields)
	}
	return after
}

// spread adds to dst, one number per state, a mass times the probability of each state of
// independent spins in fields.
func spread(dst []float64, mass float64, fields []float64) {
	up := make([]float64, len(fields))
	for i, f := range fields {
		up[i] = fermi(-2 * f)
	}
	for k := range dst {
		q := mass
		for i, u := range up {
			if k>>i&1 == 1 {
				q *= u
			} else {
				q *= 1 - u
			}
		}
		dst[k] += q
	}
}

// Divergence returns the Kullback-Leibler divergence of p from q, in nats.
func Divergence(p, q []float64) (sum float64) {
	for k, v := range p {
		if v > 0 {
			sum += v * math.Log(v/q[k])
		}
	}
	return sum
}

// At returns the network at t of the path from independent visible spins in the base
// fields (t = 0) to net (t = 1): t K, (1-t) base + t b, t c.
func At(net *rbm.Network[float64], base []float64, t float64) *rbm.Network[float64] {
	at := Scaled(net, t)
	for i, f := range base {
		at.VisibleField[i] += (1 - t) * f
	}
	return at
}

// Scaled returns the network whose energies are beta times those of net: net at inverse
// temperature beta.
func Scaled(net *rbm.Network[float64], beta float64) *rbm.Network[float64] {
	at := rbm.NewNetwork[float64](net.Visible(), net.Hidden())
	at.Constant = beta * net.Constant
	for k, v := range net.Coupling {
		at.Coupling[k] = beta * v
	}
	for i, v := range net.VisibleField {
		at.VisibleField[i] = beta * v
	}
	for mu, v := range net.HiddenField {
		at.HiddenField[mu] = beta * v
	}
	return at
}
