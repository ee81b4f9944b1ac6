package sample

import (
	"context"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

func profile(t *testing.T, m *rbm.Machine, seed uint64) *Profile {
	t.Helper()
	p, err := MeasureProfile(t.Context(), OnMachine(m), Measuring{Chains: 100, Steps: 1000, Key: stream.New(seed)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Ladders rise from 0 to 1 in as many steps as were asked for.
func TestLadders(t *testing.T) {
	p := profile(t, testMachine(40, 20, stream.New(1)), 2)
	for _, ladder := range [][]float64{p.ExchangeLadder(0.5), p.AnnealingLadder(1), p.AnnealingLadder(2), p.AnnealingLadder(1234)} {
		if ladder[0] != 0 || ladder[len(ladder)-1] != 1 || !slices.IsSorted(ladder) || len(slices.Compact(slices.Clone(ladder))) != len(ladder) {
			t.Errorf("ladder %v", ladder)
		}
	}
	if n := len(p.AnnealingLadder(1234)); n != 1235 {
		t.Errorf("%d temperatures of 1234 steps", n)
	}
	if n, want := len(p.ExchangeLadder(0.5))-1, int(math.Ceil(p.Length()/0.5)); n != want {
		t.Errorf("%d rungs, not %d", n, want)
	}
}

// The length of a path whose visible spins do not interact is known: with fields
// t b_i from base 0 it is the integral of sqrt(sum b_i^2 sech^2(t b_i)). It is
// found to 5 % (the pilot's own error is near 1 %).
func TestProfileLength(t *testing.T) {
	m := testMachine(40, 3, stream.New(1))
	m.SetCoupling(1e-9)
	clear(m.HiddenField)
	for i := range m.VisibleField {
		m.VisibleField[i] = 0.1 * float64(i)
	}
	const steps = 10_000
	want := 0.0
	for k := range steps {
		variance := 0.0
		for _, b := range m.VisibleField {
			f := b / math.Cosh((float64(k)+0.5)/steps*b)
			variance += f * f
		}
		want += math.Sqrt(variance) / steps
	}
	if got := profile(t, m, 3).Length(); math.Abs(got/want-1) > 0.05 {
		t.Errorf("length %v, not %v", got, want)
	}
}

// Neighbours of an exchange ladder exchange at about erfc(step/2), all of them.
func TestExchangeLadder(t *testing.T) {
	const step = 0.75
	m := testMachine(60, 20, stream.New(1))
	m.SetCoupling(0.2)
	e := NewTempered(OnMachine(m), Tempering{Chains: 128, Ladder: profile(t, m, 4).ExchangeLadder(step), Key: stream.New(5)})
	e.Sweep(200)
	e.Exchanges.Reset()
	e.Sweep(400)
	for k, rate := range e.Exchanges.Rates() {
		if math.Abs(rate-math.Erfc(step/2)) > 0.12 {
			t.Errorf("pair %d exchanges at %v, not about %v", k, rate, math.Erfc(step/2))
		}
	}
}

// An annealing ladder makes the log-weights' variance smaller than equal steps
// do, on a machine that hardly relaxes near t = 1: by 7.5 % (with 2,000 chains the
// ratio varies by 1.2 % from key to key).
func TestAnnealingLadderHelps(t *testing.T) {
	m := testMachine(60, 40, stream.New(7))
	for k := range m.VisibleField {
		m.VisibleField[k], m.VisibleOffset[k] = 0, 0
	}
	clear(m.HiddenField)
	clear(m.HiddenOffset)
	m.SetCoupling(0.3)
	a := Annealing{Chains: 2000, Temperatures: 300, Key: stream.New(6)}
	equal, err := AnnealedLnZ(t.Context(), OnMachine(m), a)
	if err != nil {
		t.Fatal(err)
	}
	a.Ladder = profile(t, m, 8).AnnealingLadder(300)
	adapted, err := AnnealedLnZ(t.Context(), OnMachine(m), a)
	if err != nil {
		t.Fatal(err)
	}
	if !(adapted.Spread < 0.97*equal.Spread) {
		t.Errorf("spread %v on the ladder, %v in equal steps", adapted.Spread, equal.Spread)
	}
}

func TestProfileDeterminism(t *testing.T) {
	m := testMachine(70, 40, stream.New(1))
	run := func(threads int) *Profile {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		return profile(t, m, 9)
	}
	if want := run(1); !reflect.DeepEqual(run(2), want) || !reflect.DeepEqual(run(5), want) {
		t.Error("other threads, another profile")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	net := rbm.NetworkOf[float64](m)
	if _, err := MeasureProfile(ctx, OnNetwork(net), Measuring{Chains: 10, Steps: 500}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if p, err := MeasureProfile(t.Context(), OnNetwork(net), Measuring{Chains: 10, Steps: 500}); err != nil || !(p.Length() > 0) {
		t.Errorf("length %v, error %v", p.Length(), err)
	}
}

// exactStates draws visible states from the exact distribution of a network.
func exactStates[T rbm.Real](net *rbm.Network[T], count int, key stream.Key) *spin.Matrix {
	p := probabilities(lnWeights(net), everything)
	s := spin.New(net.Visible(), count)
	rng := key.Rand()
	for l := range count {
		u, k := rng.Float64(), 0
		for ; k < len(p)-1 && u >= p[k]; k++ {
			u -= p[k]
		}
		for i := range net.Visible() {
			s.Set(i, l, int8(k>>i&1))
		}
	}
	return s
}

// From exact samples the mean of exp(-log-weight) is 1/Z whatever the
// temperatures, the base and the precision: within 5 standard errors of 20,000
// chains (a false alarm in 10^5 changes of keys, all cases together).
func TestReverseUnbiased(t *testing.T) {
	reverseUnbiased[float32](t)
	reverseUnbiased[float64](t)
}

func reverseUnbiased[T rbm.Real](t *testing.T) {
	const chains = 20_000
	net := testNetwork[T](visible, hidden)
	lnz := lnSum(lnWeights(net))
	starts := exactStates(net, chains, stream.New(1))
	before := starts.Clone()
	for k, ladder := range [][]float64{{0, 1}, {0, 0.3, 1}, {0, 0.1, 0.2, 0.5, 0.7, 0.9, 1}} {
		for _, base := range [][]float64{make([]float64, visible), testBase} {
			e, err := ReverseLnZ(t.Context(), OnNetwork(net).From(base), starts, Annealing{Ladder: ladder, Key: stream.New(uint64(k))})
			if err != nil {
				t.Fatal(err)
			}
			var sum, square float64
			for _, w := range e.LogWeights {
				ratio := math.Exp(lnz - w)
				sum += ratio / chains
				square += ratio * ratio / chains
			}
			if z := (sum - 1) / math.Sqrt((square-sum*sum)/chains); math.Abs(z) > 5 {
				t.Errorf("ladder %v, base %v: mean of 1/Z estimates %.4f/Z, %.1f standard errors off", ladder, base, sum, z)
			}
			if math.Abs(e.LnZ-lnz+math.Log(sum)) > 1e-9 {
				t.Errorf("ln Z %v of weights whose mean says %v", e.LnZ, lnz-math.Log(sum))
			}
		}
	}
	if !starts.Equal(before) {
		t.Error("the starts have changed")
	}
}

// A machine is annealed in reverse as its network is.
func TestReverseMachine(t *testing.T) {
	const chains = 2000
	m := testMachine(visible, hidden, stream.New(1))
	net := rbm.NetworkOf[float64](m)
	starts := exactStates(net, chains, stream.New(2))
	exact := lnSum(lnWeights(net))
	e, err := ReverseLnZ(t.Context(), OnMachine(m), starts, Annealing{Temperatures: 50, Key: stream.New(3)})
	if err != nil || math.Abs(e.LnZ-exact) > 5*e.Spread/math.Sqrt(e.Effective) || e.Spread > 0.5 {
		t.Errorf("ln Z %v with spread %v, exactly %v (%v)", e.LnZ, e.Spread, exact, err)
	}
}

// The exchanges' estimate of ln Z is right on a network that Gibbs sampling does
// not cross: within 5 standard errors over ensembles (false alarms below 1e-6),
// and so are its log-weights.
func TestTemperedLnZ(t *testing.T) {
	const chains = 1000
	net := strongNetwork[float64]()
	net.Constant = 3
	e := NewTempered(OnNetwork(net).From(testBase), Tempering{Chains: chains, Ladder: testLadder, Key: stream.New(2)})
	e.Sweep(100)
	e.Exchanges.Reset()
	e.Sweep(60)
	exact := lnSum(lnWeights(net))
	const groups = 20
	var mean, square float64
	for g := range groups {
		d := e.LnZ(every(chains)[g*chains/groups:(g+1)*chains/groups]) - exact
		mean += d / groups
		square += d * d / groups
	}
	error := math.Sqrt((square - mean*mean) / (groups - 1))
	if all := e.LnZ(nil); math.Abs(all-exact) > 5*error || error > 0.05 {
		t.Errorf("ln Z %v ± %v, exactly %v", all, error, exact)
	}
	weights, want := make([]float64, chains), make([]float64, chains)
	e.LogWeights(weights)
	net.LogWeights(want, e.Top().Visible)
	for l := range want {
		if math.Abs(weights[l]-want[l]) > 1e-10 {
			t.Fatalf("log-weight %v, not %v", weights[l], want[l])
		}
	}
}
