package dual

import (
	"context"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A ferromagnet with lean has a heavy state that chains from data do not meet. Scouts meet it, and it
// is remembered: one state a round, not those of a call that was taken back, no more than are
// kept, and also by an engine that goes on from a state. A state of an earlier program, without them,
// is taken.
func TestMet(t *testing.T) {
	const n, p, count = 40, 20, 30
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.2
	}
	for i := range net.VisibleField {
		net.VisibleField[i] = 0.1
	}
	engine := func() *Chains[float32] {
		return &Chains[float32]{Count: count, Sweeps: scoutEvery, Key: stream.New(3), InitialVisible: spin.New(n, count), Scouts: 20}
	}
	call := func(c *Chains[float32]) *spin.Matrix {
		if _, err := c.Moments(context.Background(), rbm.NewMoments[float32](n, p), net); err != nil {
			t.Fatal(err)
		}
		return c.Met()
	}
	c := engine()
	if c.Met() != nil {
		t.Error("states before the first round")
	}
	one := call(c)
	up := 0
	for i := range n {
		up += int(one.At(i, 0))
	}
	if one.Cols() != 1 || up < n/2 {
		t.Errorf("%d states, the first with magnetisation %d of %d", one.Cols(), up, n)
	}
	two := call(c)
	if two.Cols() != 2 || !equalColumns(two, one, 0) {
		t.Errorf("%d states after two rounds", two.Cols())
	}
	c.Undo()
	if !c.Met().Equal(one) {
		t.Error("a call that is taken back leaves what its scouts met")
	}
	if again := call(c); !again.Equal(two) {
		t.Error("the second round meets other states the second time")
	}
	state := c.State()
	other := engine()
	if err := other.Restore(n, p, state); err != nil || !other.Met().Equal(two) {
		t.Errorf("restored: %v", err)
	}
	if a, b := call(other), call(c); !a.Equal(b) || a.Cols() != 3 {
		t.Error("restored engines meet other states")
	}
	last := c.Met()
	for last.Cols() < metRounds {
		last = call(c)
	}
	next, column := call(c), spin.New(n, 1)
	next.Gather(column, []int{metRounds - 1})
	want := last.Clone()
	for k := range metRounds - 1 {
		for i := range n {
			want.Set(i, k, last.At(i, k+1))
		}
	}
	want.Put(column, []int{metRounds - 1})
	if !next.Equal(want) {
		t.Error("the oldest state does not make room")
	}
	old := state
	old.States = state.States[:1]
	if err := other.Restore(n, p, old); err != nil || other.Met() != nil {
		t.Errorf("a state without them: %v", err)
	}
	for _, shape := range [][]int{{n + 1, 1}, {n, metRounds + 1}} {
		bad := state
		bad.States = []units.Stored{state.States[0], spin.New(shape[0], shape[1]).Store()}
		if err := other.Restore(n, p, bad); err == nil || !strings.Contains(err.Error(), "states of scouts of shape") {
			t.Errorf("states of shape %v: %v", shape, err)
		}
	}
}

// The heaviest scout of a round is remembered.
func TestMeetsTheHeaviest(t *testing.T) {
	const n, p, count, scouts = 40, 20, 10, 10
	net := rbm.NewNetwork[float32](n, p)
	for e := range net.Coupling {
		net.Coupling[e] = 0.1 * float32(e%5-2)
	}
	c := &Chains[float32]{Count: count, Sweeps: scoutEvery, Key: stream.New(4), InitialVisible: spin.Random(n, count, stream.New(5).Rand()), Scouts: scouts}
	if _, err := c.Moments(context.Background(), rbm.NewMoments[float32](n, p), net); err != nil {
		t.Fatal(err)
	}
	key := c.Key.Sub(stream.ChainsScouts).Sub(1)
	fresh := sample.NewChains(sample.OnNetwork(net).Rounded(), scouts, key)
	fresh.StartAt(sample.Scattered(units.MeanFields(c.InitialVisible), scouts, key.Sub(stream.ChainsScouts)))
	fresh.Sweep(scoutSweeps)
	weights := make([]float64, scouts)
	fresh.LogWeights(weights)
	best := sample.Heaviest(weights, 1)[0]
	for i := range n {
		if c.Met().At(i, 0) != fresh.Visible.At(i, best) {
			t.Fatalf("unit %d of another state than the heaviest, %d", i, best)
		}
	}
}
