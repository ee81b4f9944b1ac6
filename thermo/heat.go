package thermo

import (
	"math"

	"bethe/rbm"
)

// A Sweeping is an order of draws that makes a sweep of both layers.
type Sweeping int

// Orders. Sweeps of Blocks draw s given h, then h given s: they keep equilibrium, but not
// in detailed balance. Palindromic ones draw h, s, h: they read the same backwards.
const (
	Blocks Sweeping = iota
	Palindromic
)

// A HeatExchange is what machines in equilibrium at one inverse temperature take up as heat from a
// bath of another: averages over all pairs of states before and after.
type HeatExchange struct {
	MeanHeat float64 // taken up
	// MeanExp is <exp((bath - start) Q)> of the heat Q: 1.
	MeanExp float64
	// EntropyProduction is -(bath - start) times MeanHeat, in nats: not negative.
	EntropyProduction float64
	// Violation is half the sum of |P(x,y) exp((bath - start) Q) - P(y,x)| over pairs of states: 0 if
	// the heat obeys its fluctuation theorem P(Q)/P(-Q) = exp((start - bath) Q) in detail.
	Violation float64
}

// pairs are all states of both layers of a small network: visible state + visible states * hidden state.
type pairs struct {
	energy    []float64
	visible   int // states of the layer
	hidden    int
	hByS, sBy [][]float64 // P(h | s) by s, P(s | h) by h
}

func newPairs(net *rbm.Network[float64]) *pairs {
	n, p := net.Visible(), net.Hidden()
	x := &pairs{visible: 1 << n, hidden: 1 << p, energy: make([]float64, 1<<(n+p))}
	e := Enumeration{net: net}
	fields := make([]float64, p)
	for s := range x.visible {
		own := net.Constant
		for i, b := range net.VisibleField {
			own += b * spinOf(s, i)
		}
		for mu := range fields {
			fields[mu] = e.hiddenField(mu, s)
		}
		for h := range x.hidden {
			sum := own
			for mu, f := range fields {
				sum += f * spinOf(h, mu)
			}
			x.energy[s+h*x.visible] = -sum
		}
		row := make([]float64, x.hidden)
		spread(row, 1, fields)
		x.hByS = append(x.hByS, row)
	}
	for h := range x.hidden {
		fields := append([]float64(nil), net.VisibleField...)
		for mu := range p {
			for i, c := range net.Coupling[mu*n : (mu+1)*n] {
				fields[i] += c * spinOf(h, mu)
			}
		}
		row := make([]float64, x.visible)
		spread(row, 1, fields)
		x.sBy = append(x.sBy, row)
	}
	return x
}

// drawHidden returns the measure on pairs (s, h) that m becomes if h is drawn anew given s.
func (x *pairs) drawHidden(m []float64) []float64 {
	out := make([]float64, len(m))
	for s := range x.visible {
		mass := 0.0
		for h := range x.hidden {
			mass += m[s+h*x.visible]
		}
		for h, q := range x.hByS[s] {
			out[s+h*x.visible] = mass * q
		}
	}
	return out
}

// drawVisible is the same of s given h.
func (x *pairs) drawVisible(m []float64) []float64 {
	out := make([]float64, len(m))
	for h := range x.hidden {
		mass := sum(m[h*x.visible : (h+1)*x.visible])
		for s, q := range x.sBy[h] {
			out[s+h*x.visible] = mass * q
		}
	}
	return out
}

func (x *pairs) sweep(m []float64, order Sweeping) []float64 {
	if order == Palindromic {
		return x.drawHidden(x.drawVisible(x.drawHidden(m)))
	}
	return x.drawHidden(x.drawVisible(m))
}

// moves returns the probabilities of some sweeps from each pair to each.
func (x *pairs) moves(sweeps int, order Sweeping) [][]float64 {
	rows := make([][]float64, len(x.energy))
	for k := range rows {
		row := make([]float64, len(rows))
		row[k] = 1
		for range sweeps {
			row = x.sweep(row, order)
		}
		rows[k] = row
	}
	return rows
}

// ExchangeHeat returns the exact exchange of heat of a small network that is in equilibrium at one
// inverse temperature and then takes so many sweeps at that of a bath.
func ExchangeHeat(net *rbm.Network[float64], start, bath float64, sweeps int, order Sweeping) HeatExchange {
	energy := newPairs(net).energy
	moves := newPairs(Scaled(net, bath)).moves(sweeps, order)
	weights := make([]float64, len(energy))
	for k, e := range energy {
		weights[k] = -start * e
	}
	lnZ := rbm.LogSumExp(weights)
	var out HeatExchange
	for x, row := range moves {
		for y, q := range row {
			heat, p := energy[y]-energy[x], math.Exp(weights[x]-lnZ)*q
			weighed := p * math.Exp((bath-start)*heat)
			out.MeanHeat += p * heat
			out.MeanExp += weighed
			out.Violation += math.Abs(weighed-math.Exp(weights[y]-lnZ)*moves[y][x]) / 2
		}
	}
	out.EntropyProduction = -(bath - start) * out.MeanHeat
	return out
}

// Asymmetry returns half the sum of |P(x) B(x,y) - P(y) B(y,x)| over pairs of states of a small
// network, for one sweep B in equilibrium: 0 if it is in detailed balance.
func Asymmetry(net *rbm.Network[float64], order Sweeping) (half float64) {
	x := newPairs(net)
	moves := x.moves(1, order)
	weights := make([]float64, len(x.energy))
	for k, e := range x.energy {
		weights[k] = -e
	}
	lnZ := rbm.LogSumExp(weights)
	for a, row := range moves {
		for b, q := range row {
			half += math.Abs(math.Exp(weights[a]-lnZ)*q-math.Exp(weights[b]-lnZ)*moves[b][a]) / 2
		}
	}
	return half
}
