package evaluate

import (
	"math"
	"slices"
	"testing"

	"bethe/stream"
)

func TestRanks(t *testing.T) {
	got := ranks([][]float64{{5, 1}, {5, -3}, {9, 5}})
	for k, want := range [][]float64{{3, 1}, {3, 0}, {5, 3}} {
		if !slices.Equal(got[k], want) {
			t.Errorf("time %d: %v, not %v", k, got[k], want)
		}
	}
}

// One series that stays far from the others does not stand for all of them by ranks, and two halves that stay
// apart do.
func TestAutocorrelationOfRanks(t *testing.T) {
	const times, series = 200, 100
	rng := stream.New(1).Rand()
	draw := func(shift func(l int) float64) [][]float64 {
		x := make([][]float64, times)
		for k := range x {
			x[k] = make([]float64, series)
			for l := range x[k] {
				x[k][l] = rng.NormFloat64() + shift(l)
			}
		}
		return x
	}
	one := draw(func(l int) float64 { return 1000 * math.Floor(float64(l)/(series-1)) })
	halves := draw(func(l int) float64 { return 5 * float64(l%2) })
	if plain, ranked := autocorrelation(one), autocorrelation(ranks(one)); plain < times/2 || ranked > 3 {
		t.Errorf("one of %d series apart: %v, and %v by ranks", series, plain, ranked)
	}
	if ranked := autocorrelation(ranks(halves)); ranked < times/2 {
		t.Errorf("halves apart: %v by ranks", ranked)
	}
}
