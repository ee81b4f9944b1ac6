package sample

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/stream"
)

// Fields are rounded while that is harmless, and then differ from the exact
// ones by what the documentation states.
func TestCoarseChains(t *testing.T) {
	const n, p, chains = 300, 40, 50
	key := stream.New(6)
	rng := key.Rand()
	net := rbm.NewNetwork[float32](n, p)
	for k := range net.Coupling {
		net.Coupling[k] = float32(0.1 * (2*rng.Float64() - 1))
	}
	source := OnNetwork(net).Rounded()
	c := NewChains(source, chains, key.Sub(1))
	deviation := func() float64 {
		c.Sweep(1)
		exact := make([]float32, p*chains)
		net.HiddenFields(exact, c.Visible)
		var square float64
		for k, f := range c.HiddenFields() {
			square += float64(f-exact[k]) * float64(f-exact[k])
		}
		return math.Sqrt(square / float64(len(exact)))
	}
	if d := deviation(); !(d > 1e-4 && d < tolerableError) {
		t.Errorf("fields of small couplings are off by %v", d)
	}
	net.Coupling[5] = 1
	source.Set(net)
	if d := deviation(); d != 0 {
		t.Errorf("fields of large couplings are off by %v", d)
	}
	net.CouplingLimit = 1 // that is too large to tell
	source.Set(net)
	if d := deviation(); d != 0 {
		t.Errorf("fields of large couplings are off by %v", d)
	}
	net.Coupling[5] = 0
	for _, bound := range []float32{0.1, 1, 0} {
		net.CouplingLimit = bound
		source.Set(net)
		if d := deviation(); d == 0 {
			t.Errorf("fields of small couplings, bounded by %v, are not rounded again", bound)
		}
	}
}
