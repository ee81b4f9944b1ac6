package verify

import (
	"math"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/stream"
)

// TestRedrawing: chains that draw each synapse anew given the states of both its ends keep the dual
// network, at any coupling; those that draw it from the posterior alone keep another law, whose
// divergence from the dual network grows with the coupling. Enumerated, 3 x 2 units with fields.
func TestRedrawing(t *testing.T) {
	rng := stream.New(7).Rand()
	theta, lambda := make([]float64, 6), make([]float64, 6)
	for k := range theta {
		theta[k] = 0.7 * rng.NormFloat64()
		lambda[k] = math.Tanh(theta[k])
	}
	fields := rbm.NewParams(3, 2, 0)
	for _, x := range [][]float64{fields.VisibleField, fields.HiddenField} {
		for i := range x {
			x[i] = 0.5 * rng.NormFloat64()
		}
	}
	last := 0.0
	for _, j := range []float64{0.1, 0.2, 0.4, 0.8} {
		params := fields.Clone()
		params.SetCoupling(j)
		net := dual.NewNetwork(&params, lambda)
		e := &redrawing{params: &params, theta: theta, s: layerStates(3), h: layerStates(2)}
		e.enumerate(lambda)
		e.dual = e.ofNetwork(net)
		given, fromQ := e.chains()
		kl := func(p []float64) (sum float64) {
			for k, v := range p {
				sum += v * math.Log(v/e.dual[k])
			}
			return sum
		}
		if d := kl(given); math.Abs(d) > 1e-12 {
			t.Errorf("J = %v: redrawn given the state, it diverges by %v from the dual network", j, d)
		}
		d := kl(fromQ)
		if d < 1e-6 || d < 4*last {
			t.Errorf("J = %v: redrawn from the posterior it diverges by %v, at half the coupling by %v", j, d, last)
		}
		t.Logf("J = %v: %.2g nats", j, d)
		last = d
	}
}
