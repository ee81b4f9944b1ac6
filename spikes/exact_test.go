package spikes

import (
	"math"
	"testing"

	"bethe/stream"
)

// TestChain: the chain written out keeps P(spins) / tau^(neurons that are on), an isolated neuron has
// the autocorrelation time 1 + (tau - 1)(1 - p) to 1e-8, and all neurons at once keep another
// distribution.
func TestChain(t *testing.T) {
	m := machine(2, 1, stream.New(6))
	for _, tau := range []int{1, 2, 5} {
		c := NewChain(m, tau, false)
		want := c.Predicted(m)
		for state, p := range c.Stationary {
			if math.Abs(p-want[state]) > 1e-10 {
				t.Errorf("tau %d: state %d has probability %v, not %v", tau, state, p, want[state])
			}
		}
		apart := 0.0
		for state, p := range NewChain(m, tau, true).Stationary {
			apart += math.Abs(p-want[state]) / 2
		}
		if apart < 0.01 {
			t.Errorf("tau %d: all at once is only %v from the machine", tau, apart)
		}
	}
	for _, tau := range []int{1, 2, 5, 20} {
		for _, u := range []float64{-2, 0, 1.5} {
			c := NewNeuron(u, tau)
			p := 1 / (1 + math.Exp(-u))
			on := 0.0
			for k, v := range c.Columns()[0] {
				on += c.Stationary[k] * (1 + v) / 2
			}
			time := Autocorrelations(c.T, c.Stationary, c.Columns())[0]
			if math.Abs(on-p) > 1e-10 || math.Abs(time-1-float64(tau-1)*(1-p)) > 1e-8 {
				t.Errorf("tau %d, log-odds %v: on %v of the time, not %v; autocorrelation time %v", tau, u, on, p, time)
			}
		}
	}
}
