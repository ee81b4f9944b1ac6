package verify

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"bethe/dual"
	"bethe/rbm"
)

// A law holds moments of a distribution of the spins of both layers.
type law struct {
	VisibleMean []float64   `json:"visible_mean"`
	HiddenMean  []float64   `json:"hidden_mean"`
	Correlation [][]float64 `json:"correlation"`
	KL          float64     `json:"kl_to_dual"`
}

// synapticCase are the keys of the cases of stochastic synapses.
type synapticCase struct {
	DualCoupling     [][]float64     `json:"dual_coupling"`
	Dual             law             `json:"dual"`
	RedrawGivenState law             `json:"redraw_given_state"`
	RedrawFromQ      law             `json:"redraw_from_q"`
	AverageMachine   law             `json:"average_machine"`
	HiddenFromQ      [][]float64     `json:"hidden_given_visible_from_q"`
	MeanGivenState   [][][][]float64 `json:"synapse_mean_given_state"`
}

// layerStates returns all states of n spins, the first slowest and +1 before -1.
func layerStates(n int) [][]float64 {
	states := make([][]float64, 1<<n)
	for a := range states {
		for i := range n {
			states[a] = append(states[a], float64(1-2*(a>>(n-1-i)&1)))
		}
	}
	return states
}

// synaptic compares what redrawing synapses does with the dual network.
func (c *spikeCase) synaptic(ctx context.Context, r *Result) error {
	n, p := c.Visible, c.Hidden
	if n < 1 || p < 1 || n*p > 8 || n > 4 || p > 4 || !(c.Coupling > 0) || c.Coupling > 100 {
		return fmt.Errorf("%d x %d units, coupling %v: too few or too many, or the coupling is not positive", n, p, c.Coupling)
	}
	list := shapes{{"theta", c.Theta, n, p}, {"field", [][]float64{c.Field}, 1, n}, {"hidden_field", [][]float64{c.HiddenField}, 1, p}, {"dual_coupling", c.DualCoupling, n, p},
		{"hidden_given_visible_from_q", c.HiddenFromQ, 1 << n, 1 << p}}
	laws := map[string]*law{"dual": &c.Dual, "redraw_given_state": &c.RedrawGivenState, "redraw_from_q": &c.RedrawFromQ, "average_machine": &c.AverageMachine}
	for name, l := range laws {
		list = append(list, shapes{{name + ".visible_mean", [][]float64{l.VisibleMean}, 1, n}, {name + ".hidden_mean", [][]float64{l.HiddenMean}, 1, p}, {name + ".correlation", l.Correlation, n, p}}...)
	}
	if err := list.check(); err != nil {
		return err
	}
	params := rbm.NewParams(n, p, c.Coupling)
	params.VisibleField, params.HiddenField = c.Field, c.HiddenField
	if err := params.Validate(); err != nil {
		return err
	}
	theta := byHidden(c.Theta)
	lambda := make([]float64, len(theta))
	for k, t := range theta {
		lambda[k] = math.Tanh(t)
	}
	net := dual.NewNetwork(&params, lambda)
	r.record("ln_z", net.Coupling, byHidden(c.DualCoupling))
	moments := rbm.NewMoments[float64](n, p)
	if _, err := net.ExactMoments(ctx, moments); err != nil {
		return err
	}
	r.record("correlation", moments.Visible, c.Dual.VisibleMean)
	r.record("correlation", moments.Hidden, c.Dual.HiddenMean)
	r.record("correlation", moments.Correlation, byHidden(c.Dual.Correlation))

	e := &redrawing{c: c, params: &params, theta: theta, s: layerStates(n), h: layerStates(p)}
	e.enumerate(lambda)
	e.dual = e.ofNetwork(net)
	given, fromQ := e.chains()
	for _, x := range []struct {
		ours []float64
		law  *law
	}{{e.dual, &c.Dual}, {given, &c.RedrawGivenState}, {fromQ, &c.RedrawFromQ}, {e.average, &c.AverageMachine}} {
		e.compare(r, x.ours, x.law)
	}
	for a, row := range c.HiddenFromQ {
		r.record("redraw", e.meanHidden[a*len(e.h):(a+1)*len(e.h)], row)
	}
	return e.compareSynapses(r)
}

// redrawing is an enumeration of the machines of a posterior.
type redrawing struct {
	c      *spikeCase
	params *rbm.Params
	theta  []float64 // hidden x visible
	s, h   [][]float64

	q                       []float64   // of each machine
	hidden, visible         [][]float64 // P(h | s), states of s x h, and P(s | h), states of h x s, of each
	state                   [][]float64 // P(machine | s, h), states of s x h, of each
	synapses                [][]float64 // of each, hidden x visible
	average, dual           []float64   // states of s x h
	meanHidden, meanVisible []float64   // E_q of the conditionals
}

// logs returns the logarithm of the weight of each state of a network, states of s x h.
func (e *redrawing) logs(net *rbm.Network[float64]) []float64 {
	var x []float64
	n := len(e.s[0])
	for _, s := range e.s {
		for _, h := range e.h {
			sum := 0.0
			for i, v := range s {
				sum += net.VisibleField[i] * v
			}
			for mu, w := range h {
				sum += net.HiddenField[mu] * w
				for i, v := range s {
					sum += net.Coupling[mu*n+i] * v * w
				}
			}
			x = append(x, sum)
		}
	}
	return x
}

// ofNetwork returns the distribution of a network.
func (e *redrawing) ofNetwork(net *rbm.Network[float64]) []float64 {
	x := e.logs(net)
	total := rbm.LogSumExp(x)
	for k := range x {
		x[k] = math.Exp(x[k] - total)
	}
	return x
}

// enumerate goes through all machines.
func (e *redrawing) enumerate(lambda []float64) {
	ns, nh := len(e.s), len(e.h)
	e.average, e.meanHidden, e.meanVisible = make([]float64, ns*nh), make([]float64, ns*nh), make([]float64, ns*nh)
	total := make([]float64, ns*nh)
	for at := range 1 << len(lambda) {
		xi, q := make([]float64, len(lambda)), 1.0
		for k, l := range lambda {
			xi[k] = float64(1 - 2*(at>>k&1))
			q *= (1 + l*xi[k]) / 2
		}
		net := rbm.NewNetwork[float64](e.params.Visible(), e.params.Hidden())
		net.SetWeights(e.params, xi)
		p := e.ofNetwork(net)
		hidden, visible, state := make([]float64, ns*nh), make([]float64, ns*nh), make([]float64, ns*nh)
		rows, columns := make([]float64, ns), make([]float64, nh)
		for a := range ns {
			for b := range nh {
				rows[a] += p[a*nh+b]
				columns[b] += p[a*nh+b]
			}
		}
		for k, x := range e.logs(net) {
			a, b := k/nh, k%nh
			hidden[k], visible[b*ns+a] = p[k]/rows[a], p[k]/columns[b]
			state[k] = q * math.Exp(x)
			total[k] += state[k]
			e.average[k] += q * p[k]
			e.meanHidden[k] += q * hidden[k]
			e.meanVisible[b*ns+a] += q * visible[b*ns+a]
		}
		e.q, e.synapses = append(e.q, q), append(e.synapses, xi)
		e.hidden, e.visible, e.state = append(e.hidden, hidden), append(e.visible, visible), append(e.state, state)
	}
	for _, state := range e.state {
		for k := range state {
			state[k] /= total[k]
		}
	}
}

// chains returns what chains keep that draw all synapses afresh before each half of a sweep: given
// the state of both layers, or from q alone.
func (e *redrawing) chains() (given, fromQ []float64) {
	ns, nh := len(e.s), len(e.h)
	first, second := mat.NewDense(ns*nh, ns*nh, nil), mat.NewDense(ns*nh, ns*nh, nil)
	for a := range ns {
		for b := range nh {
			for to := range nh {
				p := 0.0
				for m := range e.q {
					p += e.state[m][a*nh+b] * e.hidden[m][a*nh+to]
				}
				for seen := range ns {
					back := 0.0
					for m := range e.q {
						back += e.state[m][a*nh+to] * e.visible[m][to*ns+seen]
					}
					at := seen*nh + to
					first.Set(a*nh+b, at, first.At(a*nh+b, at)+p*back)
					second.Set(a*nh+b, at, second.At(a*nh+b, at)+e.meanHidden[a*nh+to]*e.meanVisible[to*ns+seen])
				}
			}
		}
	}
	return kept(first), kept(second)
}

// kept returns the distribution that a chain keeps: after so many steps that it has forgotten
// where it began.
func kept(t *mat.Dense) []float64 {
	n, _ := t.Dims()
	for range 40 {
		var squared mat.Dense
		squared.Mul(t, t)
		t.Copy(&squared)
		for i := range n { // rounding must not add up
			sum := 0.0
			for j := range n {
				sum += t.At(i, j)
			}
			for j := range n {
				t.Set(i, j, t.At(i, j)/sum)
			}
		}
	}
	return mat.Row(nil, 0, t)
}

// compare compares a distribution with what a law tells of it.
func (e *redrawing) compare(r *Result, p []float64, of *law) {
	n, nh := len(e.s[0]), len(e.h)
	visible, hidden, correlation, kl := make([]float64, n), make([]float64, len(e.h[0])), make([]float64, n*len(e.h[0])), 0.0
	for k, v := range p {
		s, h := e.s[k/nh], e.h[k%nh]
		for i, x := range s {
			visible[i] += v * x
		}
		for mu, y := range h {
			hidden[mu] += v * y
			for i, x := range s {
				correlation[mu*n+i] += v * x * y
			}
		}
		kl += v * math.Log(v/e.dual[k])
	}
	r.record("redraw", visible, of.VisibleMean)
	r.record("redraw", hidden, of.HiddenMean)
	r.record("redraw", correlation, byHidden(of.Correlation))
	r.record("redraw", []float64{kl}, []float64{of.KL})
}

// compareSynapses compares the means of the synapses given each state with the oracle, and with
// tanh(theta + J s h).
func (e *redrawing) compareSynapses(r *Result) error {
	n, p, nh := len(e.s[0]), len(e.h[0]), len(e.h)
	if len(e.c.MeanGivenState) != len(e.s) {
		return fmt.Errorf("synapse_mean_given_state has %d states, not %d", len(e.c.MeanGivenState), len(e.s))
	}
	for a, of := range e.c.MeanGivenState {
		if len(of) != nh {
			return fmt.Errorf("synapse_mean_given_state[%d] has %d states, not %d", a, len(of), nh)
		}
		for b, oracle := range of {
			if err := shaped("synapse_mean_given_state", oracle, n, p); err != nil {
				return err
			}
			mean, formula := make([]float64, n*p), make([]float64, n*p)
			for mu := range p {
				for i := range n {
					at := mu*n + i
					formula[at] = math.Tanh(e.theta[at] + e.c.Coupling*e.s[a][i]*e.h[b][mu])
					for m, xi := range e.synapses {
						mean[at] += e.state[m][a*nh+b] * xi[at]
					}
				}
			}
			r.record("redraw", mean, byHidden(oracle))
			r.record("redraw", formula, byHidden(oracle))
		}
	}
	return nil
}
