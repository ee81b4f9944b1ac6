package sample

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

const visible, hidden = 5, 3

// testNetwork has fields and couplings of both signs.
func testNetwork[T rbm.Real](visible, hidden int) *rbm.Network[T] {
	rng := rand.New(rand.NewPCG(1, 2))
	net := rbm.NewNetwork[T](visible, hidden)
	net.Constant = 0.7
	for _, x := range [][]T{net.Coupling, net.VisibleField, net.HiddenField} {
		for k := range x {
			x[k] = T(0.5 * rng.NormFloat64())
		}
	}
	return net
}

func spinOf(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

// lnWeights lists the exponents of all states of a network, by its definition;
// bits 0 ... N-1 of the index are the visible spins, the others the hidden.
func lnWeights[T rbm.Real](net *rbm.Network[T]) []float64 {
	n, p := net.Visible(), net.Hidden()
	lnw := make([]float64, 1<<(n+p))
	for k := range lnw {
		lnw[k] = net.Constant
		for i, b := range net.VisibleField {
			lnw[k] += float64(b) * spinOf(k, i)
		}
		for mu, c := range net.HiddenField {
			lnw[k] += float64(c) * spinOf(k, n+mu)
			for i := range n {
				lnw[k] += float64(net.Coupling[mu*n+i]) * spinOf(k, i) * spinOf(k, n+mu)
			}
		}
	}
	return lnw
}

func lnSum(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v)
	}
	return math.Log(sum)
}

// probabilities are those of all states, given that the state satisfies keep.
func probabilities(lnw []float64, keep func(k int) bool) []float64 {
	p := make([]float64, len(lnw))
	sum := 0.0
	for k, w := range lnw {
		if keep(k) {
			p[k] = math.Exp(w)
			sum += p[k]
		}
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

func everything(int) bool { return true }

// wantDistribution is a chi-squared test of the chains' joint states, rare
// ones pooled. It fails where p < 1e-6.
func wantDistribution[T rbm.Real](t *testing.T, what string, c *SpinChains[T], probability []float64) {
	t.Helper()
	n, chains := c.Visible.Rows(), c.Visible.Cols()
	counts := make([]float64, len(probability))
	for l := range chains {
		k := 0
		for i := range n {
			k |= int(c.Visible.At(i, l)+1) / 2 << i
		}
		for mu := range c.Hidden.Rows() {
			k |= int(c.Hidden.At(mu, l)+1) / 2 << (n + mu)
		}
		counts[k]++
	}
	chi2, cells := 0.0, -1
	var rare, rareCount float64
	add := func(expected, count float64) {
		chi2 += (count - expected) * (count - expected) / expected
		cells++
	}
	for k, p := range probability {
		e := p * float64(chains)
		switch {
		case e == 0 && counts[k] > 0:
			t.Errorf("%s: %g chains in the impossible state %d", what, counts[k], k)
		case e < 10:
			rare, rareCount = rare+e, rareCount+counts[k]
		default:
			add(e, counts[k])
		}
	}
	if rare > 0 {
		add(max(rare, 1e-9), rareCount)
	}
	if p := mathext.GammaIncRegComp(float64(cells)/2, chi2/2); !(p > 1e-6) {
		t.Errorf("%s: chi-squared %.1f for %d degrees of freedom, p = %.2g", what, chi2, cells, p)
	}
}

// Independent chains, once in equilibrium, are samples of the exact joint
// distribution; they stay so, clamped or not, and reach that of another network.
func TestChainsDistribution(t *testing.T) {
	chainsDistribution[float32](t)
	chainsDistribution[float64](t)
}

func chainsDistribution[T rbm.Real](t *testing.T) {
	const chains, sweeps = 20_000, 30
	net := testNetwork[T](visible, hidden)
	lnw := lnWeights(net)
	source := OnNetwork(net)
	c := NewChains(source, chains, stream.New(1))
	c.Sweep(sweeps)
	wantDistribution(t, "in equilibrium", c, probabilities(lnw, everything))
	c.Sweep(1)
	wantDistribution(t, "one sweep later", c, probabilities(lnw, everything))

	// From one visible state: the hidden spins are distributed given it at once.
	s := spin.New(visible, chains)
	for l := range chains {
		s.Set(1, l, 1)
		s.Set(4, l, 1)
	}
	c.StartAt(s)
	wantDistribution(t, "just started", c, probabilities(lnw, func(k int) bool { return k&(1<<visible-1) == 1<<1|1<<4 }))
	c.Visible.Set(0, 0, 1)
	if s.At(0, 0) == 1 {
		t.Error("Start keeps the matrix it was given")
	}
	c.Sweep(sweeps)
	wantDistribution(t, "in equilibrium again", c, probabilities(lnw, everything))

	other := testNetwork[T](visible, hidden)
	for k := range other.Coupling {
		other.Coupling[k] *= -1
	}
	source.Set(other)
	c.Sweep(sweeps)
	wantDistribution(t, "in another network", c, probabilities(lnWeights(other), everything))

	c.Clamp([]int{0, 3}, s) // at -1
	c.Sweep(sweeps)
	wantDistribution(t, "clamped", c, probabilities(lnWeights(other), func(k int) bool { return k&(1<<0|1<<3) == 0 }))
}

// Chains whose network changes draw as those do that have the new one from the
// beginning, with couplings transposed for one sweep or kept for more.
func TestSetSweeps(t *testing.T) {
	const n, p, count = 45, 33, 70
	first, second := testNetwork[float32](n, p), testNetwork[float32](n, p)
	for k := range second.Coupling {
		second.Coupling[k] *= -0.7
	}
	for _, rounded := range []bool{false, true} {
		on := func(net *rbm.Network[float32]) *NetworkSource[float32] {
			if rounded {
				return OnNetwork(net).Rounded()
			}
			return OnNetwork(net)
		}
		for _, sweeps := range [][2]int{{0, 1}, {1, 1}, {3, 1}, {1, 3}} {
			changing, fixed := on(first), on(second)
			c := NewChains(changing, count, stream.New(4))
			c.Sweep(sweeps[0])
			changing.Set(second)
			other := NewChains(fixed, count, stream.New(4))
			fixed.keep()
			other.Hidden, other.Sweeps = c.Hidden.Clone(), c.Sweeps
			c.Sweep(sweeps[1])
			other.Sweep(sweeps[1])
			if !c.Visible.Equal(other.Visible) || !c.Hidden.Equal(other.Hidden) {
				t.Errorf("%v sweeps before and after: other states", sweeps)
			}
		}
	}
}

// The fields that chains show are those of the network and the states.
func TestChainsFields(t *testing.T) {
	net := testNetwork[float64](visible, hidden)
	c := NewChains(OnNetwork(net), 7, stream.New(2))
	c.Sweep(1)
	before := c.Hidden.Clone()
	c.Sweep(1)
	for l := range 7 {
		for i, want := range net.VisibleField {
			for mu := range hidden {
				want += net.Coupling[mu*visible+i] * float64(before.At(mu, l))
			}
			if got := c.VisibleFields()[i*7+l]; math.Abs(got-want) > 1e-14 {
				t.Errorf("visible field %g, not %g", got, want)
			}
		}
		for mu, want := range net.HiddenField {
			for i := range visible {
				want += net.Coupling[mu*visible+i] * float64(c.Visible.At(i, l))
			}
			if got := c.HiddenFields()[mu*7+l]; math.Abs(got-want) > 1e-14 {
				t.Errorf("hidden field %g, not %g", got, want)
			}
		}
	}
}

// The same key gives the same states whatever the threads and however the
// sweeps are counted out; chains go on from hidden states and sweeps alone.
func TestChainsDeterminism(t *testing.T) {
	const n, p, chains = 70, 40, 500
	net := testNetwork[float32](n, p)
	run := func(threads int, key stream.Key, sweeps ...int) *SpinChains[float32] {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		c := NewChains(OnNetwork(net), chains, key)
		for _, k := range sweeps {
			c.Sweep(k)
		}
		return c
	}
	same := func(a, b *SpinChains[float32]) bool {
		return a.Visible.Equal(b.Visible) && a.Hidden.Equal(b.Hidden) && a.Sweeps == b.Sweeps && reflect.DeepEqual(a.HiddenFields(), b.HiddenFields())
	}
	want := run(1, stream.New(3), 5)
	for _, threads := range []int{2, 5} {
		if !same(run(threads, stream.New(3), 2, 0, 3), want) {
			t.Errorf("%d threads: other chains than 1", threads)
		}
	}
	if same(run(1, stream.New(4), 5), want) {
		t.Error("another key gives the same chains")
	}
	half := run(1, stream.New(3), 2)
	resumed := NewChains(OnNetwork(net), chains, stream.New(3))
	resumed.Hidden, resumed.Sweeps = half.Hidden.Clone(), half.Sweeps
	resumed.Sweep(3)
	if !same(resumed, want) {
		t.Error("resumed chains differ")
	}
}

func TestChainsPanics(t *testing.T) {
	net := testNetwork[float32](visible, hidden)
	source := OnNetwork(net)
	c := NewChains(source, 4, stream.New(1))
	for want, f := range map[string]func(){
		"sample: 0 chains": func() { NewChains(OnNetwork(net), 0, stream.New(1)) },
		"sample: a network of 6 x 3 units in the place of one of 5 x 3": func() { source.Set(testNetwork[float32](6, 3)) },
		"sample: a network of 5 x 2 units in the place of one of 5 x 3": func() { source.Set(testNetwork[float32](5, 2)) },
		"sample: Start of 5 x 4 chains at 5 x 3 states":                 func() { c.StartAt(spin.New(5, 3)) },
		"sample: Start of 5 x 4 chains at 4 x 4 states":                 func() { c.StartAt(spin.New(4, 4)) },
		"sample: 4 base fields for 5 visible units": func() {
			_, _ = AnnealedLnZ(t.Context(), OnNetwork(net).From(make([]float64, 4)), Annealing{Chains: 2, Temperatures: 1})
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %q, not %q", got, want)
				}
			}()
			f()
		}()
	}
}
