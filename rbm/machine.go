package rbm

import (
	"fmt"

	"bethe/internal/kernel"
	"bethe/spin"
)

// A Machine is a restricted Boltzmann machine with known synapses.
type Machine struct {
	Params
	Synapses Synapses
}

// Clone returns a deep copy.
func (m *Machine) Clone() *Machine { return &Machine{m.Params.Clone(), m.Synapses.Clone()} }

// Plain returns the machine of the same distribution without offsets, fields
// b_i - J sum_mu xi_{i mu} nu_mu and c_mu - J sum_i xi_{i mu} mu_i, and the
// constant J sum mu_i xi_{i mu} nu_mu: the logarithm of the centred machine's
// weights minus that of the plain one's.
func (m *Machine) Plain() (plain *Machine, constant float64) {
	plain = &Machine{m.Params.Clone(), m.Synapses}
	if !m.Centred() {
		return plain, 0
	}
	constant = m.Synapses.Uncentre(plain.VisibleField, plain.HiddenField, &m.Params)
	clear(plain.VisibleOffset)
	clear(plain.HiddenOffset)
	return plain, constant
}

// NetworkOf returns the machine as a network with couplings J xi (J w where the
// synapses are real) and no offsets, of the same weights.
func NetworkOf[T Real](m *Machine) *Network[T] {
	plain, constant := m.Plain()
	net := NewNetwork[T](m.Visible(), m.Hidden())
	net.Constant = constant
	setCouplings(net, &m.Params, Values(m.Synapses))
	copyTo(net.VisibleField, plain.VisibleField)
	copyTo(net.HiddenField, plain.HiddenField)
	return net
}

// Energy returns the energy of each pair of columns of s (visible x M) and h
// (hidden x M): -J sum (s-mu) xi (h-nu) - b.s - c.h.
func (m *Machine) Energy(s, h *spin.Matrix) []float64 {
	if s.Rows() != m.Visible() || h.Rows() != m.Hidden() || s.Cols() != h.Cols() {
		panic(fmt.Sprintf("rbm: Energy of %d x %d and %d x %d spins, for %d visible and %d hidden units",
			s.Rows(), s.Cols(), h.Rows(), h.Cols(), m.Visible(), m.Hidden()))
	}
	net := NetworkOf[float64](m)
	cols := s.Cols()
	fields := make([]float64, m.Hidden()*cols)
	net.HiddenFields(fields, s)
	energy := make([]float64, cols)
	spin.Mul(energy, net.VisibleField, 1, s)
	for a := range energy {
		energy[a] += net.Constant
		for mu := range m.Hidden() {
			energy[a] += float64(h.At(mu, a)) * fields[mu*cols+a]
		}
		energy[a] = -energy[a]
	}
	return energy
}

// FreeEnergy returns F(s) = -ln sum_h exp(-Energy) of each column of s, so
// that ln P(s) = -F(s) - ln Z.
func (m *Machine) FreeEnergy(s *spin.Matrix) []float64 {
	f := make([]float64, s.Cols())
	NetworkOf[float64](m).LogWeights(f, s)
	for a := range f {
		f[a] = -f[a]
	}
	return f
}

// HiddenMeans returns E[h_mu | s] of each column of s, hidden x columns.
func (m *Machine) HiddenMeans(s *spin.Matrix) []float64 {
	x := make([]float64, m.Hidden()*s.Cols())
	NetworkOf[float64](m).HiddenFields(x, s)
	kernel.Tanh(x, x)
	return x
}

// VisibleMeans returns E[s_i | h] of each column of h, visible x columns.
func (m *Machine) VisibleMeans(h *spin.Matrix) []float64 {
	net := NetworkOf[float64](m)
	x := make([]float64, m.Visible()*h.Cols())
	t := make([]float64, len(net.Coupling))
	net.TransposeCoupling(t)
	net.VisibleFields(x, t, h)
	kernel.Tanh(x, x)
	return x
}

// ZeroOne is a machine in the convention of units v, k in {0, 1}:
// P ∝ exp( Constant + sum v_i W_{i mu} k_mu + visible.v + hidden.k ), which
// most other packages use.
type ZeroOne struct {
	W               []float64 // hidden x visible
	Visible, Hidden []float64
	Constant        float64
}

// ZeroOne converts the machine by s = 2v - 1 and h = 2k - 1: W = 4 J xi,
// visible = 2b - 2 J sum_mu xi, hidden = 2c - 2 J sum_i xi.
func (m *Machine) ZeroOne() ZeroOne {
	net := NetworkOf[float64](m)
	n, p := m.Visible(), m.Hidden()
	z := ZeroOne{make([]float64, n*p), make([]float64, n), make([]float64, p), net.Constant}
	for i, b := range net.VisibleField {
		z.Visible[i] = 2 * b
		z.Constant -= b
	}
	for mu, c := range net.HiddenField {
		z.Hidden[mu] = 2 * c
		z.Constant -= c
		for i := range n {
			w := net.Coupling[mu*n+i]
			z.W[mu*n+i] = 4 * w
			z.Visible[i] -= 2 * w
			z.Hidden[mu] -= 2 * w
			z.Constant += w
		}
	}
	return z
}
