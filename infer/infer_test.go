package infer

import (
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// TestOneSampleIsExact: with one sample and one hidden unit the graph is a tree.
func TestOneSampleIsExact(t *testing.T) {
	for seed := range uint64(5) {
		key := stream.New(seed)
		const n = 16
		for _, j := range []float64{0.05, 0.25, 1, 3} {
			opt := DefaultOptions(1, j, key)
			opt.Pin, opt.Tolerance, opt.PriorTheta = false, 1e-13, randomPrior(n, 1, 0.7, key.Sub(1))
			data := spin.Random(n, 1, key.Sub(2).Rand())
			p, r := settle[float64](t, data, opt)
			mean, _, evidence, entropy := exactly(t, data, 1, j, p.prior)
			if d := furthest(r.Mean, mean); d > 1e-10 {
				t.Errorf("J = %v: means off by %v", j, d)
			}
			if math.Abs(r.Evidence-evidence) > 1e-9 {
				t.Errorf("J = %v: ln P(D) %v, not %v", j, r.Evidence, evidence)
			}
			// The energy is an average over Gaussian fields.
			if math.Abs(r.Entropy-entropy) > 0.05 {
				t.Errorf("J = %v: entropy %v, not %v", j, r.Entropy, entropy)
			}
			if r.Growth > 1e-6 {
				t.Errorf("J = %v: a change on a tree is gone at once, but grows by %v", j, r.Growth)
			}
		}
	}
}

// TestTry
func TestTry(t *testing.T) {
	for seed := range uint64(4) {
		key := stream.New(seed)
		for _, c := range []struct{ hidden, n, m int }{{1, 16, 8}, {1, 16, 32}, {1, 16, 64}, {2, 10, 1}, {2, 10, 10}, {2, 10, 40}} {
			for _, pin := range []bool{false, true} {
				n := c.n
				opt := DefaultOptions(c.hidden, 1/math.Sqrt(float64(n)), key)
				opt.Pin, opt.Tolerance = pin, 1e-12
				opt.MaxIterations = 5000
				if !pin {
					opt.PriorTheta = randomPrior(n, c.hidden, 0.7, key.Sub(1))
				}
				data := spin.Random(n, c.m, key.Sub(2).Rand())
				p, err := New[float64](data, opt)
				if err != nil {
					t.Fatal(err)
				}
				r, _ := p.Run(t.Context(), nil)
				mean, pair, evidence, entropy := exactly(t, data, c.hidden, opt.Coupling, p.prior)
				t.Logf("P=%d N=%d M=%d pin=%v: conv %v it %d res %.2g growth %.3f means off %.3f pair %.3f; lnP %.4f vs %.4f; S %.3f vs %.3f", c.hidden, n, c.m, pin, r.Converged, r.Iterations, r.Residual, r.Growth,
					furthest(r.Mean, mean), furthest(r.Pair, pair), r.Evidence, evidence, r.Entropy, entropy)
			}
		}
	}
}
