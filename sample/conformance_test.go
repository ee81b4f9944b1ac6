package sample_test

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/sample/sampletest"
	"bethe/spin"
	"bethe/stream"
)

// plain is a network in float64 and the base of a path to it: what enumeration needs.
type plain struct {
	net  *rbm.Network[float64]
	base []float64
}

// bit returns spin i of state k.
func bit(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

// lnWeight returns ln w of visible spins and hidden ones, bits of s and h, at t.
func (p plain) lnWeight(s, h int, t float64) float64 {
	n, sum := p.net.Visible(), p.net.Constant
	for i, b := range p.net.VisibleField {
		sum += ((1-t)*p.base[i] + t*b) * bit(s, i)
	}
	for mu, c := range p.net.HiddenField {
		f := c
		for i := range n {
			f += p.net.Coupling[mu*n+i] * bit(s, i)
		}
		sum += t * f * bit(h, mu)
	}
	return sum
}

// lnWeights are the log-weights of all joint states. A state has the bits of s below the bits of h.
func (p plain) lnWeights(t float64) []float64 {
	n := p.net.Visible()
	w := make([]float64, 1<<(n+p.net.Hidden()))
	for k := range w {
		w[k] = p.lnWeight(k&(1<<n-1), k>>n, t)
	}
	return w
}

func normalised(lnw []float64) []float64 {
	z, p := rbm.LogSumExp(lnw), make([]float64, len(lnw))
	for k, w := range lnw {
		p[k] = math.Exp(w - z)
	}
	return p
}

// state returns the spins of a column as bits.
func state(s *spin.Matrix, column int) (k int) {
	for i := range s.Rows() {
		k |= int(s.At(i, column)+1) / 2 << i
	}
	return k
}

func spinCase[T rbm.Real](p plain, tolerance float64, source func() sample.SpinSource[T]) sampletest.Case[T, *spin.Matrix, *spin.Matrix] {
	n := p.net.Visible()
	return sampletest.Case[T, *spin.Matrix, *spin.Matrix]{
		New: source,
		Cells: func(v, h *spin.Matrix) []int {
			cells := make([]int, v.Cols())
			for l := range cells {
				cells[l] = state(v, l) | state(h, l)<<n
			}
			return cells
		},
		Probabilities: func(t float64) []float64 { return normalised(p.lnWeights(t)) },
		LnZ:           func(t float64) float64 { return rbm.LogSumExp(p.lnWeights(t)) },
		LogWeights: func(v *spin.Matrix, t float64) []float64 {
			weights, of := make([]float64, v.Cols()), map[int]float64{}
			for l := range weights {
				s := state(v, l)
				if _, ok := of[s]; !ok {
					list := make([]float64, 1<<p.net.Hidden())
					for h := range list {
						list[h] = p.lnWeight(s, h, t)
					}
					of[s] = rbm.LogSumExp(list)
				}
				weights[l] = of[s]
			}
			return weights
		},
		Values: func(v *spin.Matrix) []float64 {
			x := make([]float64, v.Rows()*v.Cols())
			spin.Values(x, v)
			return x
		},
		Observed: func(y *spin.Matrix, strength float64) []float64 {
			lnw := p.lnWeights(1)
			for k := range lnw {
				for i := range n {
					lnw[k] += strength * float64(y.At(i, 0)) * bit(k, i)
				}
			}
			return normalised(lnw)
		},
		Tolerance: tolerance,
	}
}

func narrowed[T rbm.Real](net *rbm.Network[float64]) *rbm.Network[T] {
	out := rbm.NewNetwork[T](net.Visible(), net.Hidden())
	out.Constant = net.Constant
	for k, v := range net.Coupling {
		out.Coupling[k] = T(v)
	}
	for i, v := range net.VisibleField {
		out.VisibleField[i] = T(v)
	}
	for mu, v := range net.HiddenField {
		out.HiddenField[mu] = T(v)
	}
	return out
}

// Every source of spins keeps the contract: networks in both precisions, rounded ones,
// machines with binary and real synapses, and networks that have changed.
func TestConformance(t *testing.T) {
	const n, p = 5, 3
	rng := stream.New(5).Rand()
	network := func(scale float64) plain {
		net := rbm.NewNetwork[float64](n, p)
		net.Constant = 0.7
		for _, x := range [][]float64{net.Coupling, net.VisibleField, net.HiddenField} {
			for k := range x {
				x[k] = 0.5 * rng.NormFloat64()
			}
		}
		for k := range net.Coupling {
			net.Coupling[k] *= scale
		}
		return plain{net, []float64{0.5, -0.5, 0.8, 0, 0.2}}
	}
	strong, weak, other := network(1), network(0.1), network(1)
	for k, v := range weak.net.Coupling { // that rounding takes
		weak.net.Coupling[k] = max(-0.12, min(0.12, v))
	}
	other.base = strong.base
	machine := &rbm.Machine{Params: rbm.NewParams(n, p, 0.4), Synapses: rbm.Binary(spin.Random(n, p, rng))}
	for i := range n {
		machine.VisibleField[i], machine.VisibleOffset[i] = 0.5*rng.NormFloat64(), 0.8*rng.Float64()-0.4
	}
	for mu := range p {
		machine.HiddenField[mu], machine.HiddenOffset[mu] = 0.5*rng.NormFloat64(), 0.3
	}
	weighted := machine.Clone()
	weights := make([]float32, n*p)
	for k := range weights {
		weights[k] = float32(rng.NormFloat64())
	}
	weighted.Synapses = rbm.RealValued(n, p, weights)

	t.Run("network in float64", func(t *testing.T) {
		sampletest.Run(t, spinCase(strong, 1e-10, func() sample.SpinSource[float64] { return sample.OnNetwork(strong.net).From(strong.base) }))
	})
	t.Run("network in float32", func(t *testing.T) {
		sampletest.Run(t, spinCase(strong, 1e-5, func() sample.SpinSource[float32] {
			return sample.OnNetwork(narrowed[float32](strong.net)).From(strong.base)
		}))
	})
	t.Run("rounded", func(t *testing.T) {
		sampletest.Run(t, spinCase(weak, 1e-3, func() sample.SpinSource[float32] {
			return sample.OnNetwork(narrowed[float32](weak.net)).From(weak.base).Rounded()
		}))
	})
	t.Run("changed network", func(t *testing.T) {
		sampletest.Run(t, spinCase(strong, 1e-5, func() sample.SpinSource[float32] {
			source := sample.OnNetwork(narrowed[float32](other.net)).From(other.base)
			sample.NewChains(source, 3, stream.New(1)).Sweep(3)
			source.Set(narrowed[float32](strong.net))
			return source
		}))
	})
	for name, m := range map[string]*rbm.Machine{"binary machine": machine, "real machine": weighted} {
		t.Run(name, func(t *testing.T) {
			base := []float64{-0.3, 0.2, 0, 0.5, 0.1}
			sampletest.Run(t, spinCase(plain{rbm.NetworkOf[float64](m), base}, 1e-5,
				func() sample.SpinSource[float32] { return sample.OnMachine(m).From(base) }))
		})
	}
}
