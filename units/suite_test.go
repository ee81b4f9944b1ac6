package units_test

import (
	"math/rand/v2"
	"testing"

	"bethe/spin"
	"bethe/units"
	"bethe/units/unitstest"
)

func spins[T units.Real](count, samples int, seed uint64) unitstest.Case[T] {
	s := spin.Random(count, samples, rand.New(rand.NewPCG(seed, 1)))
	at := func([]float64) (features, base []float64) {
		features = make([]float64, count*samples)
		spin.Values(features, s)
		return features, make([]float64, samples)
	}
	return unitstest.Case[T]{Data: units.NewSpins[T](s), At: at}
}

func TestSpinsKeepTheContract(t *testing.T) {
	unitstest.Samples(t, spins[float64], 1e-9)
	unitstest.Samples(t, spins[float32], 2e-5)
}
