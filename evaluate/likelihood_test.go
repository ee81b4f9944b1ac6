package evaluate

import (
	"context"
	"errors"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// machine returns a random machine with fields and offsets.
func machine(n, p int, key stream.Key) *rbm.Machine {
	rng := key.Rand()
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1.5/math.Sqrt(float64(n))), Synapses: spin.Random(n, p, rng)}
	for i := range n {
		m.VisibleField[i], m.VisibleOffset[i] = 0.5*rng.NormFloat64(), 0.5*rng.Float64()
	}
	for mu := range p {
		m.HiddenField[mu], m.HiddenOffset[mu] = 0.5*rng.NormFloat64(), -0.3
	}
	return m
}

// TestExactIsNormalised: the probabilities of all states add up to 1.
func TestExactIsNormalised(t *testing.T) {
	const n = 9
	m := machine(n, 3, stream.New(1))
	all := spin.New(n, 1<<n)
	for a := range 1 << n {
		for i := range n {
			all.Set(i, a, int8(a>>i&1)*2-1)
		}
	}
	total, mean := 0.0, 0.0
	one := spin.New(n, 1)
	for a := range 1 << n {
		all.Gather(one, []int{a})
		l, err := Likelihood(t.Context(), m, one, Options{})
		if err != nil || !l.Exact || l.ForwardAIS != nil || l.ReverseAIS != nil {
			t.Fatalf("%+v, %v", l, err)
		}
		total += math.Exp(l.Mean)
		mean += l.Mean / (1 << n)
	}
	if math.Abs(total-1) > 1e-10 {
		t.Errorf("probabilities add up to %v", total)
	}
	if l, err := Likelihood(t.Context(), m, all, Options{}); err != nil || math.Abs(l.Mean-mean) > 1e-10 {
		t.Errorf("mean %v, of one at a time %v (%v)", l.Mean, mean, err)
	}
}

// TestForward: the annealed estimate lies within six standard errors of the
// exact value (false alarms below 1e-8 a machine, if weights were normal; the
// seeds are fixed), and is optimistic where chains and temperatures are few.
func TestForward(t *testing.T) {
	optimism := 0.0
	const machines = 8
	for k := range machines {
		key := stream.New(uint64(k))
		m := machine(20, 8, key)
		samples := spin.Random(20, 2500, key.Sub(1).Rand()) // more than one block
		exact, err := Likelihood(t.Context(), m, samples, Options{})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		l, err := Likelihood(t.Context(), m, samples, Options{Anneal: true, Temperatures: 400, Chains: 300, Equilibration: 100, Key: key.Sub(2), Progress: func(f float64) {
			calls++
			if f < 0 || f > 1 {
				t.Errorf("progress %v", f)
			}
		}})
		if err != nil || l.Exact || *l.ReverseAIS != l.Mean || calls == 0 {
			t.Fatalf("%+v, %v, %d calls", l, err, calls)
		}
		gap := *l.ForwardAIS - exact.Mean
		if limit := 6 * l.Spread / math.Sqrt(l.Effective); math.Abs(gap) > limit {
			t.Errorf("machine %d: off by %v, six standard errors are %v", k, gap, limit)
		}
		if l.Effective < 100 || l.Effective > 300.001 {
			t.Errorf("machine %d: %v effective chains of 300", k, l.Effective)
		}
		for r := range 20 { // two chains at a time: the logarithm of their mean is biased
			few, err := Likelihood(t.Context(), m, samples, Options{Anneal: true, Temperatures: 3, Chains: 2, Equilibration: LeastEquilibration, Key: key.Sub(3).Sub(uint64(r))})
			if err != nil {
				t.Fatal(err)
			}
			optimism += (*few.ForwardAIS - exact.Mean) / (20 * machines)
		}
	}
	if optimism < 0.5 {
		t.Errorf("two chains of three temperatures overstate the likelihood by %v nats on the mean", optimism)
	}
}

func TestErrors(t *testing.T) {
	m := machine(30, 28, stream.New(3))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Likelihood(ctx, m, spin.New(30, 2), Options{Chains: 2, Temperatures: 5, Equilibration: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, samples := range []*spin.Matrix{spin.New(29, 2), spin.New(30, 0)} {
		if _, err := Likelihood(t.Context(), m, samples, Options{Chains: 2, Temperatures: 5, Equilibration: 10}); err == nil {
			t.Errorf("no error for %d x %d samples", samples.Rows(), samples.Cols())
		}
	}
	if _, err := Likelihood(t.Context(), m, spin.New(30, 2), Options{Chains: 1, Temperatures: 5}); err == nil {
		t.Error("no error for one chain")
	}
}
