package evaluate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// hole returns a machine with one state that outweighs all others by 40 nats and that nothing leads to: nearly
// all of many hidden units must have the signs of a pattern before any visible unit turns.
func hole(key stream.Key) (m *rbm.Machine, state *spin.Matrix) {
	const n, p, slack, a = 200, 80, 40, 0.1
	rng := key.Rand()
	weights, pattern := make([]float32, n*p), make([]float64, p)
	for mu := range pattern {
		pattern[mu] = float64(1 - 2*rng.IntN(2))
	}
	m, state = &rbm.Machine{Params: rbm.NewParams(n, p, 1), Synapses: rbm.RealValued(n, p, weights)}, spin.New(n, 1)
	up, down := 0.0, 0.0
	lnCosh := func(x float64) float64 { return math.Abs(x) + math.Log1p(math.Exp(-2*math.Abs(x))) }
	for i := range n {
		sign := float64(1 - 2*rng.IntN(2))
		for mu, h := range pattern {
			weights[mu*n+i] = float32(a * sign * h)
		}
		m.VisibleField[i] = a * sign * (p + slack)
		if i%2 == 0 {
			m.VisibleField[i] = -a * sign * (p - slack)
		}
		state.Set(i, 0, int8(sign))
		up += lnCosh(m.VisibleField[i] + sign*a*p)
		down += lnCosh(m.VisibleField[i] - sign*a*p)
	}
	for mu, h := range pattern {
		m.HiddenField[mu] = h * (down - up + 40) / (2 * p)
	}
	return m, state
}

// No chain finds the state of a golf hole, and the estimate is silent, until somebody remembers
// the state.
func TestRemember(t *testing.T) {
	m, state := hole(stream.New(1))
	samples := spin.New(state.Rows(), 50)
	for i := range samples.Rows() {
		for k := range samples.Cols() {
			samples.Set(i, k, state.At(i, 0)*int8(1-2*((i+1)%2))) // as in most of the others: even units turned
		}
	}
	opt := Options{Temperatures: 50, Chains: 32, Equilibration: 60, Key: stream.New(2), Anneal: true}
	known := func(states *spin.Matrix) LogLikelihood {
		l, err := Likelihood(t.Context(), OnMachine(m).Remember(states), samples, opt)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	silent := known(nil)
	if silent.Equilibrium.Search.Remembered != 0 || strings.Contains(silent.Text("x"), "given") {
		t.Errorf("%+v", silent.Equilibrium.Search)
	}
	if l := known(spin.New(state.Rows(), 3)); l.Equilibrium.Search.Remembered != 3 || l.Mean != silent.Mean || *l.Ceiling != *silent.Ceiling {
		t.Errorf("states that are of no weight: %+v, %v", l.Equilibrium.Search, l.Mean)
	}
	many := spin.Random(state.Rows(), 2*mostRemembered, stream.New(3).Rand())
	many.Put(state, []int{mostRemembered + 7})
	l := known(many)
	if s := l.Equilibrium.Search; s.Remembered != mostRemembered || s.Starts != searchStarts+mostRemembered || !strings.Contains(l.Text("x"), "256 of 512 starts") {
		t.Errorf("%+v: %s", s, l.Text("x"))
	}
	if silent.Mean-l.Mean < 35 || l.Equilibrium.Reached || !slices.ContainsFunc(l.Equilibrium.Reasons, func(r Reason) bool { return r.Doubt == CeilingDoubt }) {
		t.Errorf("%.2f, and %.2f before: %+v", l.Mean, silent.Mean, l.Equilibrium.Reasons)
	}
	if !silent.Equilibrium.Reached {
		t.Errorf("the hole was found without help: %s", silent.Text("x"))
	}
	if _, err := Likelihood(t.Context(), OnMachine(m).Remember(spin.New(3, 1)), samples, opt); err == nil || !strings.Contains(err.Error(), "states of 3 units") {
		t.Errorf("%v", err)
	}
}
