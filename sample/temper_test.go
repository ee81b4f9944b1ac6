package sample

import (
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

var (
	testLadder = []float64{0, 0.3, 0.6, 0.85, 1}
	testBase   = []float64{0.5, -0.5, 1, 0, 0.2}
)

// tempering returns the network of the distribution at temperature t.
func tempering[T rbm.Real](net *rbm.Network[T], base []float64, t float64) *rbm.Network[T] {
	at := rbm.NewNetwork[T](net.Visible(), net.Hidden())
	for k, v := range net.Coupling {
		at.Coupling[k] = T(t) * v
	}
	for i, b := range net.VisibleField {
		at.VisibleField[i] = T(1-t)*T(base[i]) + T(t)*b
	}
	for mu, c := range net.HiddenField {
		at.HiddenField[mu] = T(t) * c
	}
	return at
}

// strongNetwork has two far-apart groups of states that Gibbs sampling does not
// cross, of unequal weights.
func strongNetwork[T rbm.Real]() *rbm.Network[T] {
	net := testNetwork[T](visible, hidden)
	for k := range net.Coupling {
		net.Coupling[k] = T(1.1 + 0.2*math.Abs(float64(net.Coupling[k])))
	}
	for i := range net.VisibleField {
		net.VisibleField[i] *= 0.3
	}
	for mu := range net.HiddenField {
		net.HiddenField[mu] *= 0.3
	}
	return net
}

// Tempered chains have the exact joint distribution at each temperature, where
// Gibbs chains from the same start are stuck; clamped and on another network
// too. Each chi-squared test raises a false alarm at 1e-6.
func TestTemperedDistribution(t *testing.T) {
	temperedDistribution[float32](t)
	temperedDistribution[float64](t)
}

func temperedDistribution[T rbm.Real](t *testing.T) {
	const chains = 5000
	net := strongNetwork[T]()
	lnw := lnWeights(net)
	up := spin.New(visible, chains)
	for i := range visible {
		for l := range chains {
			up.Set(i, l, 1)
		}
	}
	gibbs := NewChains(OnNetwork(net), chains, stream.New(1))
	gibbs.StartAt(up)
	gibbs.Sweep(100)
	crossed, want := 0, 0.0
	for l := range chains {
		if gibbs.Visible.At(0, l) < 0 {
			crossed++
		}
	}
	for k, p := range probabilities(lnw, everything) {
		if k&1 == 0 {
			want += p * chains
		}
	}
	if float64(crossed) > want/3 {
		t.Errorf("%d Gibbs chains crossed, %.0f would be right: too easy a network for a test of tempering", crossed, want)
	}

	source := OnNetwork(net).From(testBase)
	e := NewTempered(source, Tempering{Chains: chains, Ladder: testLadder, Key: stream.New(2)})
	e.StartAt(up)
	e.Sweep(100)
	check := func(what string, net *rbm.Network[T], keep func(int) bool) {
		t.Helper()
		for r, at := range testLadder {
			wantDistribution(t, what, e.Rung(r), probabilities(lnWeights(tempering(net, testBase, at)), keep))
		}
	}
	check("in equilibrium", net, everything)
	e.Sweep(1)
	check("one sweep later", net, everything)
	if e.Sweeps() != 101 || e.Top() != e.Rung(len(testLadder)-1) {
		t.Errorf("%d sweeps", e.Sweeps())
	}
	for k, rate := range e.Exchanges.Rates() {
		if !(rate > 0.1 && rate < 1) {
			t.Errorf("pair %d exchanges at a rate of %v", k, rate)
		}
	}
	if e.Exchanges.RoundTrips < chains {
		t.Errorf("%d round trips in %d ensembles", e.Exchanges.RoundTrips, chains)
	}
	e.Exchanges.Reset()
	if e.Exchanges.RoundTrips != 0 || e.Exchanges.Rates()[0] != 0 {
		t.Errorf("%+v after Reset", e.Exchanges)
	}
	e.Clamp([]int{1, 3}, up)
	e.Sweep(60)
	check("clamped", net, func(k int) bool { return k>>1&1 == 1 && k>>3&1 == 1 })
	e.Clamp(nil, up)
	other := strongNetwork[T]()
	for i := range visible {
		other.Coupling[i] *= -1
		other.VisibleField[i] += 0.2
	}
	source.Set(other)
	e.Redraw()
	e.Sweep(100)
	check("on another network", other, everything)
}

// Exchanges leave the exact distribution alone: started in it at each
// temperature, tempered chains are in it after one sweep of either parity, though
// one exchange alone would show.
func TestTemperedStationary(t *testing.T) {
	const chains = 40_000
	net := strongNetwork[float32]()
	e := NewTempered(OnNetwork(net).From(testBase), Tempering{Chains: chains, Ladder: testLadder, Key: stream.New(3)})
	for r, at := range testLadder {
		p := probabilities(lnWeights(tempering(net, testBase, at)), everything)
		s := spin.New(visible, chains)
		rng := stream.New(4).Sub(uint64(r)).Rand()
		for l := range chains {
			u, k := rng.Float64(), 0
			for ; k < len(p)-1 && u >= p[k]; k++ {
				u -= p[k]
			}
			for i := range visible {
				s.Set(i, l, int8(k>>i&1))
			}
		}
		e.Rung(r).StartAt(s)
	}
	e.shown = true
	for range 2 {
		e.Sweep(1)
		for r, at := range testLadder {
			wantDistribution(t, "stationary", e.Rung(r), probabilities(lnWeights(tempering(net, testBase, at)), everything))
		}
	}
}

// The fields that the chains at the top show are those of their states, after
// exchanges too, and machines are followed as their networks are.
func TestTemperedMachine(t *testing.T) {
	const chains = 20_000
	m := testMachine(visible, hidden, stream.New(1))
	net := rbm.NetworkOf[float32](m)
	e := NewTempered(OnMachine(m), Tempering{Chains: chains, Ladder: testLadder, Key: stream.New(2)})
	e.Sweep(30)
	none := make([]float64, visible)
	for r, at := range testLadder {
		wantDistribution(t, "machine", e.Rung(r), probabilities(lnWeights(tempering(net, none, at)), everything))
	}
	hiddenFields := make([]float32, hidden*chains)
	net.HiddenFields(hiddenFields, e.Top().Visible)
	for k, f := range e.Top().HiddenFields() {
		if math.Abs(float64(f-hiddenFields[k])) > 1e-5 {
			t.Fatalf("hidden field %d is %v, not %v", k, f, hiddenFields[k])
		}
	}
	agree, expected, variance := 0.0, 0.0, 0.0 // visible spins were drawn from the fields shown
	for k, f := range e.Top().VisibleFields() {
		mean := math.Tanh(float64(f))
		agree += mean * float64(e.Top().Visible.At(k/chains, k%chains))
		expected += mean * mean
		variance += mean * mean * (1 - mean*mean)
	}
	if z := (agree - expected) / math.Sqrt(variance); math.Abs(z) > 5 {
		t.Errorf("visible spins and their fields disagree by %.1f standard errors", z)
	}
}

func TestTemperedDeterminism(t *testing.T) {
	m := testMachine(70, 40, stream.New(1))
	run := func(threads int, seed uint64, sweeps ...int) *SpinTempered[float32] {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		e := NewTempered(OnMachine(m), Tempering{Chains: 100, Ladder: []float64{0, 0.2, 0.4, 0.5, 0.7, 1}, Key: stream.New(seed)})
		for _, k := range sweeps {
			e.Sweep(k)
		}
		return e
	}
	want := run(1, 3, 20)
	same := func(e *SpinTempered[float32]) bool {
		for r := range 6 {
			if !e.Rung(r).Visible.Equal(want.Rung(r).Visible) || !e.Rung(r).Hidden.Equal(want.Rung(r).Hidden) {
				return false
			}
		}
		return reflect.DeepEqual(e.Exchanges, want.Exchanges)
	}
	if !same(run(2, 3, 20)) || !same(run(5, 3, 7, 0, 13)) {
		t.Error("other threads, other chains")
	}
	if same(run(1, 4, 20)) {
		t.Error("other key, same chains")
	}
}

func TestTemperedPanics(t *testing.T) {
	net := testNetwork[float32](visible, hidden)
	for want, ladder := range map[string][]float64{
		"1 temperatures":           {1},
		"rise from 0 or above":     {0, 0.5},
		"temperature 2, 0.4, is":   {0, 0.4, 0.4, 1},
		"temperature 1, NaN, is":   {0, math.NaN(), 1},
		"3 temperatures that must": {-0.1, 0.4, 1},
	} {
		func() {
			defer func() {
				if got, ok := recover().(string); !ok || !strings.Contains(got, want) {
					t.Errorf("panic %q does not say %q", got, want)
				}
			}()
			NewTempered(OnNetwork(net), Tempering{Chains: 4, Ladder: ladder})
		}()
	}
}
