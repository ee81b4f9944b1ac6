package evaluate

import (
	"testing"

	"bethe/rbm"
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

// BenchmarkFirstAnswers is what one sample costs a program that has loaded a machine of 784 x 500:
// the first answer, which makes a network, and later ones.
func BenchmarkFirstAnswers(b *testing.B) {
	rng := stream.New(1).Rand()
	loaded := &rbm.Machine{Params: rbm.NewParams(784, 500, 0.05), Synapses: rbm.Binary(spin.Random(784, 500, rng))}
	kept, one := OnMachine(loaded), spin.Random(784, 1, rng)
	unknown := first(392)
	for name, answer := range map[string]func(SpinMachine){
		"features": func(m SpinMachine) { Features(m, one, 1) },
		"weight":   func(m SpinMachine) { m.LogWeights(one) },
		"complete": func(m SpinMachine) {
			if _, err := Complete(b.Context(), m, one, unknown, Restoring{Chains: 4, Sweeps: 10, Key: stream.New(2)}); err != nil {
				b.Fatal(err)
			}
		},
	} {
		b.Run(name+"/first", func(b *testing.B) {
			for b.Loop() {
				answer(OnMachine(loaded))
			}
		})
		b.Run(name+"/next", func(b *testing.B) {
			for b.Loop() {
				answer(kept)
			}
		})
	}
}
