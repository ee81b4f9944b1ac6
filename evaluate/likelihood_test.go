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
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1.5/math.Sqrt(float64(n))), Synapses: rbm.Binary(spin.Random(n, p, rng))}
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
		l, err := Likelihood(t.Context(), OnMachine(m), one, Options{})
		if err != nil || !l.Exact || l.ForwardAIS != nil || l.ReverseAIS != nil {
			t.Fatalf("%+v, %v", l, err)
		}
		total += math.Exp(l.Mean)
		mean += l.Mean / (1 << n)
	}
	if math.Abs(total-1) > 1e-10 {
		t.Errorf("probabilities add up to %v", total)
	}
	if l, err := Likelihood(t.Context(), OnMachine(m), all, Options{}); err != nil || math.Abs(l.Mean-mean) > 1e-10 {
		t.Errorf("mean %v, of one at a time %v (%v)", l.Mean, mean, err)
	}
}

func TestErrors(t *testing.T) {
	m := machine(30, 28, stream.New(3))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Likelihood(ctx, OnMachine(m), spin.New(30, 2), Options{Chains: 2, Temperatures: 5, Equilibration: 10}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for _, samples := range []*spin.Matrix{spin.New(29, 2), spin.New(30, 0)} {
		if _, err := Likelihood(t.Context(), OnMachine(m), samples, Options{Chains: 2, Temperatures: 5, Equilibration: 10}); err == nil {
			t.Errorf("no error for %d x %d samples", samples.Rows(), samples.Cols())
		}
	}
	if _, err := Likelihood(t.Context(), OnMachine(m), spin.New(30, 2), Options{Chains: 1, Temperatures: 5}); err == nil {
		t.Error("no error for one chain")
	}
}
