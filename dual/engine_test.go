package dual

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

func TestExactEngine(t *testing.T) {
	for _, shape := range [][2]int{{5, 3}, {3, 5}} {
		net := randomNetwork(shape[0], shape[1], 0.7, 0.5, rand.New(rand.NewPCG(1, 2)))
		want, lnz := exactMoments(net)
		got, report := moments(t, Exact[float64]{}, net)
		nearMoments(t, "exact", got, want, 1e-12)
		near(t, "ln Z", report.LnZ, lnz, 1e-12)
	}
	net := rbm.NewNetwork[float64](MaxExact+1, MaxExact+1)
	_, err := Exact[float64]{}.Moments(context.Background(), rbm.NewMoments[float64](MaxExact+1, MaxExact+1), net)
	if !errors.Is(err, rbm.ErrTooLarge) || !strings.Contains(err.Error(), "up to 20 units, not 21; use chains") {
		t.Errorf("error %v", err)
	}
}

// The errors of mean field of the second order fall with the power of the
// coupling of the first term left out: K^3 for ln Z and magnetisations in
// fields, K^2 for correlations; without fields K^4 for ln Z.
func TestTAPOrder(t *testing.T) {
	for k, shape := range [][2]int{{5, 4}, {3, 6}} {
		for _, c := range []struct{ field, lnZ, mean, correlation float64 }{{0.7, 3, 3, 2}, {0, 4, 0, 3}} {
			errors := func(coupling float64) (lnZ, mean, correlation float64) {
				net := randomNetwork(shape[0], shape[1], coupling, c.field, rand.New(rand.NewPCG(uint64(k), 3)))
				tap := NewTAP[float64](nil)
				tap.Tolerance = 1e-14
				want, lnz := exactMoments(net)
				got, report := moments(t, tap, net)
				if !report.Converged || report.Engine != "tap" || report.Residual > 1e-14 {
					t.Errorf("report %+v", report)
				}
				return math.Abs(report.LnZ - lnz), max(worst(got.Visible, want.Visible), worst(got.Hidden, want.Hidden)), worst(got.Correlation, want.Correlation)
			}
			lnZ, mean, correlation := errors(0.04)
			lnZ2, mean2, correlation2 := errors(0.02)
			for name, v := range map[string][3]float64{"ln Z": {lnZ, lnZ2, c.lnZ}, "magnetisation": {mean, mean2, c.mean}, "correlation": {correlation, correlation2, c.correlation}} {
				if v[2] == 0 {
					if v[0] > 1e-12 {
						t.Errorf("%v, field %g: %s off by %g", shape, c.field, name, v[0])
					}
				} else if power := math.Log2(v[0] / v[1]); math.Abs(power-v[2]) > 0.35 || v[0] > 0.02 {
					t.Errorf("%v, field %g: %s off by %.3g, then %.3g: power %.2f, not %g", shape, c.field, name, v[0], v[1], power, v[2])
				}
			}
		}
	}
}

// A batch follows several fixed points: below the transition, started at the
// two orders of a ferromagnet, it keeps both and averages over them, and ln Z
// is the best one's. Started at 0 there is only the paramagnet, the trap:
// correlations of K, as if no other unit were there.
func TestTAPPoints(t *testing.T) {
	const n, p = 8, 6
	net := rbm.NewNetwork[float64](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.3
	}
	for i := range net.VisibleField {
		net.VisibleField[i] = 0.01
	}
	start := spin.New(n, 2) // all +1; all -1
	for i := range n {
		start.Set(i, 0, 1)
	}
	both := NewTAP[float64](start)
	got, report := moments(t, both, net)
	if both.Points != 2 || !report.Converged {
		t.Fatalf("%d points, %+v", both.Points, report)
	}
	single := func(column int) (*rbm.Moments[float64], Report) {
		s := spin.New(n, 1)
		start.Gather(s, []int{column})
		return moments(t, NewTAP[float64](s), net)
	}
	up, reportUp := single(0)
	down, reportDown := single(1)
	if !(down.Visible[0] < -0.5 && up.Visible[0] > 0.5 && reportUp.LnZ > reportDown.LnZ) {
		t.Fatalf("magnetisations %g and %g, ln Z %g and %g", down.Visible[0], up.Visible[0], reportDown.LnZ, reportUp.LnZ)
	}
	near(t, "ln Z", report.LnZ, reportUp.LnZ, 1e-6)
	mean := rbm.NewMoments[float64](n, p)
	for _, x := range [][3][]float64{{mean.Visible, up.Visible, down.Visible}, {mean.Hidden, up.Hidden, down.Hidden}, {mean.Correlation, up.Correlation, down.Correlation}} {
		for k := range x[0] {
			x[0][k] = (x[1][k] + x[2][k]) / 2
		}
	}
	nearMoments(t, "mean of the points", got, mean, 1e-5)
	_, again := moments(t, both, net)
	if again.Iterations > 1 {
		t.Errorf("%d iterations from the fixed points", again.Iterations)
	}

	clear(net.VisibleField)
	exact, _ := exactMoments(net)
	trapped, _ := moments(t, NewTAP[float64](nil), net)
	for e, k := range net.Coupling {
		if trapped.Correlation[e] != k || exact.Correlation[e] < 2*k {
			t.Errorf("edge %d: %g, exactly %g", e, trapped.Correlation[e], exact.Correlation[e])
		}
	}
}

func TestTAPNotConverged(t *testing.T) {
	net := randomNetwork(6, 5, 0.5, 0.5, rand.New(rand.NewPCG(4, 5)))
	tap := NewTAP[float64](nil)
	tap.MaxIterations = 3
	if _, report := moments(t, tap, net); report.Converged || report.Iterations != 3 || report.Residual <= tap.Tolerance {
		t.Errorf("report %+v", report)
	}
	// Visible units at rest do not mean that the hidden ones are.
	still := rbm.NewNetwork[float64](2, 3)
	still.HiddenField[1] = 1
	got, report := moments(t, NewTAP[float64](nil), still)
	if !report.Converged || report.Iterations < 3 {
		t.Errorf("no couplings: %+v", report)
	}
	near(t, "hidden magnetisation", got.Hidden[1], math.Tanh(1), 2e-6)
	// The same engine takes a network of another shape.
	tap.MaxIterations = 500
	if _, report := moments(t, tap, randomNetwork(5, 6, 0.1, 0.5, rand.New(rand.NewPCG(4, 5)))); !report.Converged {
		t.Errorf("another shape: %+v", report)
	}
}

// Chains give the exact moments within 6 standard errors (of the raw product
// s h for correlations, which is more than theirs): a false alarm once in 10^7
// choices of the key for all numbers here together. So do chains that moved to
// another network, and chains started at given states.
func TestChainsEngine(t *testing.T) {
	const n, p, count = 5, 4, 20_000
	rng := rand.New(rand.NewPCG(6, 7))
	c := &Chains[float64]{Count: count, Sweeps: 30, Key: stream.New(1), InitialVisible: spin.Random(n, count, rng)}
	for k := range 2 {
		net := randomNetwork(n, p, 0.5, 0.4, rng)
		want, _ := exactMoments(net)
		got, report := moments(t, c, net)
		if report.Engine != "chains" || report.Iterations != 30 || !report.Converged || !math.IsNaN(report.LnZ) {
			t.Errorf("report %+v", report)
		}
		for name, x := range map[string][2][]float64{"visible": {got.Visible, want.Visible}, "hidden": {got.Hidden, want.Hidden}, "correlation": {got.Correlation, want.Correlation}} {
			for e, v := range x[1] {
				if z := (x[0][e] - v) * math.Sqrt(count/(1-v*v)); math.Abs(z) > 6 {
					t.Errorf("network %d: %s %d is %g, exactly %g: %.1f standard errors", k, name, e, x[0][e], v, z)
				}
			}
		}
	}
}

// Without a sweep the moments are those of the start: visible means exactly,
// hidden ones and correlations given it.
func TestChainsStart(t *testing.T) {
	const n, p = 4, 3
	rng := rand.New(rand.NewPCG(8, 9))
	net := randomNetwork(n, p, 0.5, 0.4, rng)
	start := spin.Random(n, 10, rng)
	got := rbm.NewMoments[float64](n, p)
	if _, err := (&Chains[float64]{Count: 10, InitialVisible: start}).sweep(t.Context(), got, net); err != nil {
		t.Fatal(err)
	}
	want := rbm.NewMoments[float64](n, p)
	for l := range 10 {
		for mu := range p {
			field := net.HiddenField[mu]
			for i := range n {
				field += net.Coupling[mu*n+i] * float64(start.At(i, l))
			}
			want.Hidden[mu] += math.Tanh(field) / 10
			for i := range n {
				want.Correlation[mu*n+i] += math.Tanh(field) * float64(start.At(i, l)) / 10
			}
		}
		for i := range n {
			want.Visible[i] += float64(start.At(i, l)) / 10
		}
	}
	nearMoments(t, "at the start", got, want, 1e-14)
}

// Chains that nobody said to move do not stand for a network.
func TestChainsWithoutSweeps(t *testing.T) {
	net, dst := rbm.NewNetwork[float64](4, 3), rbm.NewMoments[float64](4, 3)
	for _, c := range []*Chains[float64]{{}, {Count: 10}, {Count: 10, Sweeps: -1}, {Sweeps: 1}, {Count: -1, Sweeps: 1}} {
		if _, err := c.Moments(t.Context(), dst, net); err == nil || !strings.Contains(err.Error(), "at least 1") {
			t.Errorf("%d chains of %d sweeps: %v", c.Count, c.Sweeps, err)
		}
	}
	if _, err := (&Chains[float64]{Count: 1, Sweeps: 1}).Moments(t.Context(), dst, net); err != nil {
		t.Error(err)
	}
}

// A ferromagnet has two states of equal weight, and chains that start in one stay
// there; scouts find the other, and half of them go to each (false alarm: 5 in a
// million).
func TestScouts(t *testing.T) {
	const n, p, count = 40, 20, 128
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.2
	}
	up := func(scouts int) float64 {
		c := &Chains[float32]{Count: count, Sweeps: scoutEvery, Key: stream.New(3), InitialVisible: spin.New(n, count), Scouts: scouts}
		m := rbm.NewMoments[float32](n, p)
		for range 2 {
			if _, err := c.Moments(context.Background(), m, net); err != nil {
				t.Fatal(err)
			}
		}
		return (1 + float64(m.Visible[0])) / 2
	}
	if share := up(0); share > 0.05 {
		t.Errorf("without scouts %g of the chains are in the other state", share)
	}
	if share := up(count / 4); share < 0.1 || share > 0.4 {
		t.Errorf("after two rounds of a quarter of the chains %g of them are in the other state", share)
	}
	if share := up(3 * count); math.Abs(share-0.5) > 4.6*0.5/math.Sqrt(count) {
		t.Errorf("where all chains are new %g of them are in the other state", share)
	}
}

// Scouts of a round come from scattered states by their sweeps, and take the places
// that are theirs in turn; other chains stay.
func TestScoutsPlaces(t *testing.T) {
	const n, p, count, scouts, round = 40, 20, 10, 4, 2
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.1 * float32(e%5-2)
	}
	c := &Chains[float32]{Count: count, Sweeps: 1, Key: stream.New(4), InitialVisible: spin.Random(n, count, stream.New(5).Rand()), Scouts: scouts}
	if _, err := c.Moments(context.Background(), rbm.NewMoments[float32](n, p), net); err != nil {
		t.Fatal(err)
	}
	want := c.chains.Hidden.Clone()
	key := c.Key.Sub(stream.ChainsScouts).Sub(round)
	fresh := sample.NewChains(sample.OnNetwork(net).Rounded(), scouts, key)
	fresh.StartAt(sample.Scattered(units.MeanFields(c.InitialVisible), scouts, key.Sub(stream.ChainsScouts)))
	fresh.Sweep(25)
	for k, place := range []int{4, 5, 6, 7} {
		for mu := range p {
			want.Set(mu, place, fresh.Hidden.At(mu, k))
		}
	}
	c.chains.Sweeps = round*scoutEvery - 1
	if c.scout(context.Background(), net); !c.chains.Hidden.Equal(want) {
		t.Error("other chains than those of the second round")
	}
	c.chains.Sweeps += scoutEvery
	if c.scout(context.Background(), net); !equalColumns(c.chains.Hidden, want, 4, 5, 6, 7) || equalColumns(c.chains.Hidden, want, 8, 9, 0, 1) {
		t.Error("the third round has other places than the last and the first ones")
	}
}

// Of a round the heaviest state is remembered, also while learning leaves the constant of the network open.
func TestScoutsMet(t *testing.T) {
	const n, p, count = 40, 20, 10
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.1 * float32(e%5-2)
	}
	net.Constant = math.NaN()
	c := &Chains[float32]{Count: count, Sweeps: scoutEvery, Key: stream.New(12), InitialVisible: spin.Random(n, count, stream.New(5).Rand()), Scouts: count}
	if _, err := c.Moments(context.Background(), rbm.NewMoments[float32](n, p), net); err != nil {
		t.Fatal(err)
	}
	known := *net
	known.Constant = 0
	key := c.Key.Sub(stream.ChainsScouts).Sub(1)
	scouts, weights, err := scouted(context.Background(), &known, c.far(&known).Scattered(count, key.Sub(stream.ChainsScouts)), key)
	if err != nil {
		t.Fatal(err)
	}
	heaviest := slices.Index(weights, slices.Max(weights))
	if heaviest == 0 {
		t.Fatal("the first state is the heaviest: take another key")
	}
	one := spin.New(n, 1)
	scouts.Visible.Gather(one, []int{heaviest})
	if !c.Met().Equal(one) {
		t.Errorf("not the heaviest of %v", weights)
	}
}

// Probes leave chains alone, to the last spin, on a network without heavy states far from them; where there is one that an
// extreme state leads to, scouts join.
func TestProbe(t *testing.T) {
	const n, p, count = 60, 9, 64
	net := rbm.NewNetwork[float32](n, p)
	for i := range n {
		for mu := range p {
			net.Coupling[mu*n+i] = 0.15 * float32((i*(mu+3))%3-1)
		}
	}
	run := func(probe int, resumed bool) (*spin.Matrix, *spin.Matrix) {
		engine := func() *Chains[float32] {
			return &Chains[float32]{Count: count, Sweeps: 5, Key: stream.New(6), InitialVisible: spin.Random(n, count, stream.New(7).Rand()), Scouts: 8, Probe: probe}
		}
		c, m := engine(), rbm.NewMoments[float32](n, p)
		for k := range 100 {
			if resumed && k == 60 {
				state := c.State()
				c = engine()
				if err := c.Restore(n, p, state); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.Moments(t.Context(), m, net); err != nil {
				t.Fatal(err)
			}
		}
		return c.chains.Visible, c.Met()
	}
	calm, none := run(0, false)
	if probed, met := run(25, false); !probed.Equal(calm) || met.Cols() != none.Cols() {
		t.Error("probes change chains on a network without heavy states")
	}
	hole := make([]int8, n) // the first hidden unit, far down by its field, opens a hole when it is up
	for i := range hole {
		hole[i] = int8(1 - 2*(i*i%7%2))
		net.Coupling[i] = 3 * float32(hole[i])
		net.VisibleField[i] = 3 * float32(hole[i])
	}
	net.HiddenField[0] = -3*n + 60
	in := func(v *spin.Matrix) (there int) {
		for l := range v.Cols() {
			alike := 0
			for i, s := range hole {
				if v.At(i, l) == s {
					alike++
				}
			}
			if alike >= n-1 {
				there++
			}
		}
		return there
	}
	without, _ := run(0, false)
	with, met := run(25, false)
	if in(without) > 0 || in(with) < 4 || in(met) == 0 {
		t.Errorf("%d chains in the hole without probes, %d with them, %d of the states met", in(without), in(with), in(met))
	}
	if again, _ := run(25, true); !again.Equal(with) {
		t.Error("a probe after Restore finds other chains")
	}
	// Three scouts, which miss the hole unless one begins where another was before.
	three := func(known bool) int {
		c, m := &Chains[float32]{Count: count, Sweeps: 20, Key: stream.New(1), InitialVisible: spin.Random(n, count, stream.New(7).Rand()), Scouts: 3, Probe: 20}, rbm.NewMoments[float32](n, p)
		for k := range 9 {
			if k == 6 && !known {
				c.met = nil // as from a checkpoint that has none
			}
			if k == 6 && known {
				c.met = spin.New(n, 1)
				for i, s := range hole {
					c.met.Set(i, 0, s)
				}
			}
			if _, err := c.Moments(t.Context(), m, net); err != nil {
				t.Fatal(err)
			}
		}
		return in(c.chains.Visible)
	}
	if missed, met := three(false), three(true); missed > 0 || met == 0 {
		t.Errorf("%d of the chains in the hole, and %d after a state in it was met", missed, met)
	}
}

func equalColumns(a, b *spin.Matrix, columns ...int) bool {
	x, y := spin.New(a.Rows(), len(columns)), spin.New(b.Rows(), len(columns))
	a.Gather(x, columns)
	b.Gather(y, columns)
	return x.Equal(y)
}

// Restored chains go on as if nothing had happened.
func TestChainsRestore(t *testing.T) {
	const n, p, count = 40, 20, 100
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.1 * float32(e%5-2)
	}
	next := func(c *Chains[float32]) *rbm.Moments[float32] {
		m := rbm.NewMoments[float32](n, p)
		if _, err := c.Moments(context.Background(), m, net); err != nil {
			t.Fatal(err)
		}
		return m
	}
	start := spin.Random(n, count, stream.New(3).Rand())
	engine := func() *Chains[float32] {
		return &Chains[float32]{Count: count, Sweeps: 60, Key: stream.New(2), InitialVisible: start, Scouts: 30}
	}
	a := engine()
	if s := a.State(); s.States != nil || s.Count != 0 {
		t.Error("a state before the first call")
	}
	next(a)
	state := a.State()
	if state.Count != 60 {
		t.Errorf("%d sweeps", state.Count)
	}
	want := []*rbm.Moments[float32]{next(a), next(a)}

	b := engine()
	if err := b.Restore(n, p, state); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual([]*rbm.Moments[float32]{next(b), next(b)}, want) {
		t.Error("restored chains go another way")
	}
	if err := engine().Restore(n, p, State{States: []units.Stored{spin.New(p, count+1).Store()}}); err == nil || !strings.Contains(err.Error(), "101]") {
		t.Errorf("other number of chains: %v", err)
	}
}

// Engines and terms that keep something go on from their state as if nothing
// had happened, and refuse another's.
func TestStateful(t *testing.T) {
	const n, p = 9, 4
	params := rbm.NewParams(n, p, 0.3)
	for i := range params.VisibleField {
		params.VisibleField[i] = 0.2 * float64(i%3)
	}
	means := func(step int) []float32 {
		m := make([]float32, n*p)
		for k := range m {
			m[k] = float32(math.Sin(float64(k + step)))
		}
		return m
	}
	start := spin.Random(n, 5, stream.New(3).Rand())
	for name, make := range map[string]func() (Partition[float32], Stateful){
		"bethe": func() (Partition[float32], Stateful) {
			e := NewBethe[float32]()
			e.MaxIterations = 3
			return &Annealed[float32]{Engine: e}, e
		},
		"tap": func() (Partition[float32], Stateful) {
			e := NewTAP[float32](start)
			e.MaxIterations = 3
			return &Annealed[float32]{Engine: e}, e
		},
		"quenched": func() (Partition[float32], Stateful) {
			q := &Quenched[float32]{Engine: Exact[float32]{}, Draws: 4, Key: stream.New(4)}
			return q, q
		},
	} {
		term := func(a Partition[float32], step int) *Gradient[float32] {
			g := NewGradient[float32](&params)
			if _, err := Term(context.Background(), a, g, &params, means(step)); err != nil {
				t.Fatal(err)
			}
			return g
		}
		a, part := make()
		term(a, 0)
		state := part.State()
		want := term(a, 1)
		b, other := make()
		if err := other.Restore(n, p, state); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(term(b, 1), want) {
			t.Errorf("%s: restored, it goes another way", name)
		}
		c, _ := make()
		if reflect.DeepEqual(term(c, 1), want) {
			t.Errorf("%s: its state has no say", name)
		}
		if name != "quenched" {
			if err := other.Restore(n+1, p, state); err == nil {
				t.Errorf("%s: takes the state of another size", name)
			}
			if err := other.Restore(n, p, State{}); err != nil {
				t.Errorf("%s: no state: %v", name, err)
			}
		}
	}
}

func TestAuto(t *testing.T) {
	for _, c := range []struct {
		visible, hidden int
		want, why       string
	}{
		{100, 3, "exact", "exact: the smaller layer has 3 units"},
		{784, 9, "exact", "exact: the smaller layer has 9 units"},
		{9, 784, "exact", "exact: the smaller layer has 9 units"},
		{784, 10, "chains", "chains: 784 x 10 units are too many to enumerate every step"},
		{14, 14, "exact", "exact: the smaller layer has 14 units"},
		{17, 17, "chains", "chains: 17 x 17"},
		{784, 500, "chains", "chains: 784 x 500"},
	} {
		engine, why := Auto(c.visible, c.hidden, Chains[float32]{Count: 10, Sweeps: 2, Key: 5})
		got := "chains"
		if _, ok := engine.(Exact[float32]); ok {
			got = "exact"
		} else if chains, ok := engine.(*Chains[float32]); !ok || chains.Count != 10 || chains.Sweeps != 2 || chains.Key != 5 {
			t.Errorf("%d x %d: engine %+v", c.visible, c.hidden, engine)
		}
		if got != c.want || !strings.HasPrefix(why, c.why) {
			t.Errorf("%d x %d: %s, %q", c.visible, c.hidden, got, why)
		}
	}
}

// Every engine and both terms have the same bytes whatever the threads.
func TestThreads(t *testing.T) {
	const n, p = 120, 10
	rng := rand.New(rand.NewPCG(10, 11))
	m := rbm.NewParams(n, p, 0.15)
	mean := make([]float32, n*p)
	for k := range mean {
		mean[k] = float32(math.Tanh(rng.NormFloat64()))
	}
	for i := range m.VisibleField {
		m.VisibleField[i] = 0.3 * rng.NormFloat64()
	}
	starts := spin.Random(n, 40, rng)
	engines := map[string]func() Engine[float32]{
		"exact":  func() Engine[float32] { return Exact[float32]{} },
		"bethe":  func() Engine[float32] { return NewBethe[float32]() },
		"tap":    func() Engine[float32] { return NewTAP[float32](starts) },
		"chains": func() Engine[float32] { return &Chains[float32]{Count: 300, Sweeps: 2, Key: stream.New(3)} },
	}
	for name, engine := range engines {
		for _, quenched := range []bool{false, true} {
			run := func(threads int) (*Gradient[float32], float64) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
				var term Partition[float32] = &Annealed[float32]{Engine: engine()}
				params := m.Clone()
				if quenched {
					term = &Quenched[float32]{Engine: engine(), Draws: 2, Key: stream.New(4)}
				} else {
					params.VisibleOffset[3], params.HiddenOffset[2] = 0.5, -0.5
				}
				grad := NewGradient[float32](&params)
				report, err := Term(context.Background(), term, grad, &params, mean)
				if err != nil {
					t.Fatal(err)
				}
				return grad, report.LnZ
			}
			want, lnz := run(1)
			for _, threads := range []int{2, 5} {
				if got, z := run(threads); !reflect.DeepEqual(got, want) || math.Float64bits(z) != math.Float64bits(lnz) {
					t.Errorf("%s, quenched %v: %d threads give another gradient than 1", name, quenched, threads)
				}
			}
		}
	}
}
