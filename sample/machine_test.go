package sample

import (
	"context"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// testMachine has fields and offsets.
func testMachine(visible, hidden int, key stream.Key) *rbm.Machine {
	rng := key.Rand()
	m := &rbm.Machine{Params: rbm.NewParams(visible, hidden, 0.4), Synapses: rbm.Binary(spin.Random(visible, hidden, rng))}
	for i := range visible {
		m.VisibleField[i], m.VisibleOffset[i] = 0.5*rng.NormFloat64(), 0.8*rng.Float64()-0.4
	}
	for mu := range hidden {
		m.HiddenField[mu], m.HiddenOffset[mu] = 0.5*rng.NormFloat64(), 0.3
	}
	return m
}

// TestMachineChains: chains on a machine have its joint distribution (false
// alarms: p < 1e-6), clamped or not, and their fields are the network's.
func TestMachineChains(t *testing.T) {
	const chains = 20_000
	m := testMachine(visible, hidden, stream.New(1))
	net := rbm.NetworkOf[float32](m)
	lnw := lnWeights(rbm.NetworkOf[float64](m))
	c := NewChains(OnMachine(m), chains, stream.New(2))
	c.Sweep(30)
	wantDistribution(t, "in equilibrium", c, probabilities(lnw, everything))
	hiddenFields := make([]float32, hidden*chains)
	net.HiddenFields(hiddenFields, c.Visible)
	for k, f := range c.HiddenFields() {
		if math.Abs(float64(f-hiddenFields[k])) > 1e-5 {
			t.Fatalf("hidden field %d is %v, not %v", k, f, hiddenFields[k])
		}
	}
	held := spin.New(visible, chains)
	for l := range chains {
		held.Set(1, l, 1)
	}
	c.Clamp([]int{1, 3}, held)
	c.Sweep(30)
	wantDistribution(t, "clamped", c, probabilities(lnw, func(k int) bool { return k>>1&1 == 1 && k>>3&1 == 0 }))
	fields := c.VisibleFields()
	if fields[chains] != heldField || fields[3*chains] != -heldField || math.Abs(float64(fields[0])) >= heldField {
		t.Errorf("visible fields %v, %v, %v", fields[0], fields[chains], fields[3*chains])
	}
}

// TestAnnealedMachine: both ways of annealing a machine lie within five
// standard errors of the exact ln Z, eight machines each (false alarms below
// 1e-5; the seeds are fixed).
func TestAnnealedMachine(t *testing.T) {
	for k := range 8 {
		key := stream.New(uint64(k))
		m := testMachine(40, 6, key)
		exact, err := m.LnZ(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		a := Annealing{Chains: 200, Temperatures: 200, Key: key.Sub(1)}
		binary, err := AnnealedLnZ(t.Context(), OnMachine(m).From(m.VisibleField), a)
		if err != nil {
			t.Fatal(err)
		}
		network, err := AnnealedLnZ(t.Context(), OnNetwork(rbm.NetworkOf[float32](m)).From(m.VisibleField), a)
		if err != nil {
			t.Fatal(err)
		}
		for _, z := range []LnZEstimate{binary, network} {
			if limit := 5 * z.Spread / math.Sqrt(z.Effective); math.Abs(z.LnZ-exact) > limit {
				t.Errorf("machine %d: ln Z %v, exactly %v; five standard errors are %v", k, z.LnZ, exact, limit)
			}
		}
	}
}

func BenchmarkMachineSweep(b *testing.B) {
	m := testMachine(784, 500, stream.New(1))
	c := NewChains(OnMachine(m), 1000, stream.New(2))
	for b.Loop() {
		c.Sweep(1)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sweeps/s")
}

func BenchmarkNetworkSweep(b *testing.B) {
	m := testMachine(784, 500, stream.New(1))
	c := NewChains(OnNetwork(rbm.NetworkOf[float32](m)), 1000, stream.New(2))
	for b.Loop() {
		c.Sweep(1)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sweeps/s")
}

// TestLargeLayers: layers beyond the 16 bits of counts are sampled all the same.
func TestLargeLayers(t *testing.T) {
	m := &rbm.Machine{Params: rbm.NewParams(1<<16, 2, 0.001), Synapses: rbm.Binary(spin.New(1<<16, 2))}
	c := NewChains(OnMachine(m), 2, stream.New(1))
	c.Sweep(1)
	z, err := AnnealedLnZ(t.Context(), OnMachine(m), Annealing{Chains: 2, Temperatures: 2})
	if want := (1<<16 + 2) * math.Ln2; err != nil || math.Abs(z.LnZ-want) > 1 {
		t.Errorf("ln Z %v, about %v (%v)", z.LnZ, want, err)
	}
}

// Paths that share a machine are those that are made alone: chains on them are the same, also in turns and at another place of the path.
func TestPathsTo(t *testing.T) {
	binary := testMachine(70, 40, stream.New(1))
	w := make([]float32, 70*40)
	spin.Values(w, binary.Signs())
	for k := range w {
		w[k] *= float32(k%7) / 3
	}
	for kind, m := range map[string]*rbm.Machine{"binary": binary, "real": {Params: binary.Params, Synapses: rbm.RealValued(70, 40, w)}} {
		paths := PathsTo(m)
		var shared, alone []*SpinChains[float32]
		for k := range 2 {
			base := make([]float64, 70)
			for i := range base {
				base[i] = float64(i%5) * float64(k) / 10
			}
			for j, count := range []int{3, 40} {
				key := stream.New(uint64(2 + 2*k + j))
				shared = append(shared, newChains(paths(base), count, 0.7, key))
				alone = append(alone, newChains(OnMachine(m).From(base), count, 0.7, key))
			}
		}
		for range 3 {
			for k := range shared {
				shared[k].Sweep(1)
				alone[k].Sweep(1)
			}
		}
		for k, c := range shared {
			for i := range 70 {
				for a := range c.Visible.Cols() {
					if c.Visible.At(i, a) != alone[k].Visible.At(i, a) {
						t.Fatalf("%s synapses: unit %d of chain %d of %d differs", kind, i, a, c.Visible.Cols())
					}
				}
			}
		}
	}
}
