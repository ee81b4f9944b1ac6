package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// TestBaseHasTheMeansOfTheSamples: annealing a machine of nearly independent
// spins whose fields are those of the samples has nothing to do, so that one
// step is enough.
func TestBaseHasTheMeansOfTheSamples(t *testing.T) {
	const n, p, count = 12, 3, 30
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1e-6), Synapses: rbm.Binary(spin.Random(n, p, stream.New(1).Rand()))}
	samples := spin.New(n, count)
	for i := range n {
		up := (5 * i) % (count + 1) // from none to nearly all
		for a := range count {
			samples.Set(i, a, -1)
			if a < up {
				samples.Set(i, a, 1)
			}
		}
		m.VisibleField[i] = math.Atanh(float64(2*up-count) / (count + 2))
	}
	exact, err := Likelihood(t.Context(), OnMachine(m), samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Likelihood(t.Context(), OnMachine(m), samples, Options{Anneal: true, Temperatures: 1, Chains: 20, Equilibration: 20, Key: stream.New(2)})
	if err != nil {
		t.Fatal(err)
	}
	if !(math.Abs(l.Mean-exact.Mean) < 1e-4 && l.Spread < 1e-4 && l.Effective > 19.99) {
		t.Errorf("%+v, exactly %v", l, exact.Mean)
	}
}
