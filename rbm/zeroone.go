package rbm

import "math"

// FromZeroOne returns the machine of units 0 and 1 as one of spins with real synapses, and the
// largest change of a weight by its rounding, as a share of the largest weight: a synapse is a float32 in
// units of the coupling, which is 1/sqrt(visible). It has no offsets: J w = W/4,
// b = visible/2 + sum_mu W/4, c = hidden/2 + sum_i W/4. The constant is not used.
func FromZeroOne(z *ZeroOne) (machine *Machine, rounding float64) {
	n, p := len(z.Visible), len(z.Hidden)
	weights := make([]float32, n*p)
	m := &Machine{Params: NewParams(n, p, 1/math.Sqrt(float64(n))), Synapses: RealValued(n, p, weights)}
	for i, v := range z.Visible {
		m.VisibleField[i] = v / 2
	}
	for mu, v := range z.Hidden {
		m.HiddenField[mu] = v / 2
	}
	change, size := 0.0, 0.0
	for i := range n {
		for mu := range p {
			v := z.W[mu*n+i] / 4
			synapse := float32(v / m.Coupling())
			weights[mu*n+i] = synapse
			change, size = max(change, math.Abs(float64(synapse)*m.Coupling()-v)), max(size, math.Abs(v))
			m.VisibleField[i] += v
			m.HiddenField[mu] += v
		}
	}
	if size > 0 {
		rounding = change / size
	}
	return m, rounding
}
