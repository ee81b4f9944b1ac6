package sample

import (
	"testing"

	"bethe/stream"
)

// BenchmarkTempering is a sweep of 64 ensembles at 8 temperatures.
func BenchmarkTempering(b *testing.B) {
	m := testMachine(784, 100, stream.New(1))
	e := NewTempered(OnMachine(m).From(m.VisibleField), Tempering{Chains: 64, Ladder: []float64{0, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1}, Key: stream.New(2)})
	for b.Loop() {
		e.Sweep(1)
	}
}

// BenchmarkAnnealing is 128 chains through 50 temperatures.
func BenchmarkAnnealing(b *testing.B) {
	m := testMachine(784, 100, stream.New(1))
	for b.Loop() {
		if _, err := AnnealedLnZ(b.Context(), OnMachine(m).From(m.VisibleField), Annealing{Chains: 128, Temperatures: 50, Key: stream.New(3)}); err != nil {
			b.Fatal(err)
		}
	}
}
