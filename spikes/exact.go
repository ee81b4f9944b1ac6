package spikes

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"bethe/rbm"
	"bethe/spin"
)

// Fire returns the probability that a neuron of log-odds u spikes in a step if its window lets it.
func Fire(u float64, tau int) float64 { return 1 / (1 + math.Exp(math.Log(float64(tau))-u)) }

// A Chain is the Markov chain of a small circuit, written out. A state says how many steps are
// left in each neuron's window, from 0 to tau, the first neuron slowest. It specifies circuits.
type Chain struct {
	Neurons, Tau int
	T            *mat.Dense // probabilities from row to column
	Stationary   []float64
}

// counters returns the state of a number.
func (c *Chain) counters(state int) []int {
	left := make([]int, c.Neurons)
	for k := c.Neurons - 1; k >= 0; k-- {
		left[k], state = state%(c.Tau+1), state/(c.Tau+1)
	}
	return left
}

// On returns the spins of all neurons in each state, states x neurons.
func (c *Chain) On() [][]float64 {
	rows, _ := c.T.Dims()
	on := make([][]float64, rows)
	for state := range on {
		for _, left := range c.counters(state) {
			on[state] = append(on[state], float64(2*min(left, 1)-1))
		}
	}
	return on
}

// half returns the transitions of some neurons given log-odds of all in each state.
func (c *Chain) half(states int, odds func(on []float64) []float64, moves func(neuron int) bool) *mat.Dense {
	t := mat.NewDense(states, states, nil)
	for state := range states {
		left := c.counters(state)
		on := make([]float64, c.Neurons)
		for k, l := range left {
			on[k] = float64(2*min(l, 1) - 1)
		}
		u := odds(on)
		to, p := []int{0}, []float64{1}
		for k, l := range left {
			next, chance := []int{max(l-1, 0)}, []float64{1}
			switch {
			case !moves(k):
				next = []int{l}
			case l <= 1:
				fire := Fire(u[k], c.Tau)
				next, chance = []int{c.Tau, 0}, []float64{fire, 1 - fire}
			}
			var places []int
			var products []float64
			for at, place := range to {
				for j, n := range next {
					places, products = append(places, place*(c.Tau+1)+n), append(products, p[at]*chance[j])
				}
			}
			to, p = places, products
		}
		for at, place := range to {
			t.Set(state, place, t.At(state, place)+p[at])
		}
	}
	return t
}

// NewChain writes out the circuit of a machine, the hidden neurons before the visible ones; all at
// once if together is set, which is wrong. Neurons are the visible ones, then the hidden ones.
func NewChain(machine *rbm.Machine, tau int, together bool) *Chain {
	n, p := machine.Visible(), machine.Hidden()
	net := rbm.NetworkOf[float64](machine)
	c := &Chain{Neurons: n + p, Tau: tau}
	states := int(math.Round(math.Pow(float64(tau+1), float64(n+p))))
	odds := func(on []float64) []float64 {
		u := make([]float64, n+p)
		for i, b := range net.VisibleField {
			u[i] = 2 * b
		}
		for mu, f := range net.HiddenField {
			u[n+mu] = 2 * f
			for i := range n {
				k := 2 * net.Coupling[mu*n+i]
				u[i] += k * on[n+mu]
				u[n+mu] += k * on[i]
			}
		}
		return u
	}
	if together {
		c.T = c.half(states, odds, func(int) bool { return true })
	} else {
		c.T = mat.NewDense(states, states, nil)
		c.T.Mul(c.half(states, odds, func(k int) bool { return k >= n }), c.half(states, odds, func(k int) bool { return k < n }))
	}
	c.Stationary = stationary(c.T)
	return c
}

// NewNeuron writes out an isolated neuron.
func NewNeuron(u float64, tau int) *Chain {
	c := &Chain{Neurons: 1, Tau: tau}
	c.T = c.half(tau+1, func([]float64) []float64 { return []float64{u} }, func(int) bool { return true })
	c.Stationary = stationary(c.T)
	return c
}

// Predicted returns P(spins) / tau^(neurons that are on) of each state, which is what the chain
// keeps.
func (c *Chain) Predicted(machine *rbm.Machine) []float64 {
	on := c.On()
	n := machine.Visible()
	s, h := spin.New(n, len(on)), spin.New(machine.Hidden(), len(on))
	for a, row := range on {
		for k, v := range row {
			if k < n {
				s.Set(k, a, int8(v))
			} else {
				h.Set(k-n, a, int8(v))
			}
		}
	}
	p, total := make([]float64, len(on)), 0.0
	for a, e := range machine.Energy(s, h) {
		p[a] = -e
		for _, v := range on[a] {
			if v > 0 {
				p[a] -= math.Log(float64(c.Tau))
			}
		}
		p[a] = math.Exp(p[a])
		total += p[a]
	}
	for a := range p {
		p[a] /= total
	}
	return p
}

// stationary returns the distribution that t keeps.
func stationary(t *mat.Dense) []float64 {
	n, _ := t.Dims()
	a, b := mat.NewDense(n, n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		for j := range n {
			a.Set(j, i, -t.At(i, j))
		}
		a.Set(i, i, a.At(i, i)+1)
	}
	for j := range n {
		a.Set(n-1, j, 1) // in the place of one of the equations, which follows from the others
	}
	b.SetVec(n-1, 1)
	var x mat.VecDense
	if err := x.SolveVec(a, b); err != nil {
		return make([]float64, n)
	}
	return x.RawVector().Data
}

// Autocorrelations returns the integrated autocorrelation times, 1 + 2 sum over t of rho_t, in
// steps, of functions of the states (functions x states) under a chain that keeps pi.
func Autocorrelations(t *mat.Dense, pi []float64, functions [][]float64) []float64 {
	n, _ := t.Dims()
	a := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			a.Set(i, j, pi[j]-t.At(i, j))
		}
		a.Set(i, i, a.At(i, i)+1)
	}
	f := mat.NewDense(n, len(functions), nil)
	for k, values := range functions {
		mean := 0.0
		for i, v := range values {
			mean += pi[i] * v
		}
		for i, v := range values {
			f.Set(i, k, v-mean)
		}
	}
	var z mat.Dense
	times := make([]float64, len(functions))
	if z.Solve(a, f) != nil {
		return times
	}
	for k := range times {
		both, square := 0.0, 0.0
		for i := range n {
			both += pi[i] * f.At(i, k) * z.At(i, k)
			square += pi[i] * f.At(i, k) * f.At(i, k)
		}
		times[k] = (2*both - square) / square
	}
	return times
}

// Columns returns the spins of each neuron in all states, neurons x states.
func (c *Chain) Columns() [][]float64 {
	on := c.On()
	columns := make([][]float64, c.Neurons)
	for k := range columns {
		for _, row := range on {
			columns[k] = append(columns[k], row[k])
		}
	}
	return columns
}
