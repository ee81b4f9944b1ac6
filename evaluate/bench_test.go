package evaluate

import (
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// BenchmarkLoss is one step of fitting ten classes to 500 features of 10,000 samples.
func BenchmarkLoss(b *testing.B) {
	const m, p, classes = 10_000, 500, 10
	x := make([]float32, m*p)
	spin.Values(x, spin.Random(m, p, stream.New(1).Rand()))
	r := &regression{in: RealInputs(x, p), samples: m, features: p, classes: classes, class: make([]int, m), used: make([]bool, m),
		scores: make([]float32, classes*m), means: make([]float64, p)}
	for a := range m {
		r.class[a], r.used[a] = a%classes, true
	}
	w, grad := make([]float64, classes*(p+1)), make([]float64, classes*(p+1))
	for b.Loop() {
		r.loss(b.Context(), grad, w, 1e-4)
	}
}
