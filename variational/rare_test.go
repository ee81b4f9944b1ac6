package variational

import (
	"slices"
	"testing"

	"bethe/dual"
	"bethe/stream"
)

// TestRare: thetas of units that hardly ever change stay what they were, whatever decays or settles, and all others move.
func TestRare(t *testing.T) {
	const hidden = 3
	samples, _ := plantedSamples(6, 200, stream.New(3))
	n := samples.Rows()
	for a := range samples.Cols() {
		samples.Set(1, a, 1)          // always lit
		samples.Set(4, a, lit(a < 2)) // lit in two samples of 200
	}
	for share, want := range map[float64][]int{0: nil, 0.001: {1}, 0.01: {1, 4}, 0.009: {1}} {
		model := NewModel[float64](Initial{Hidden: hidden, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2), Fields: true, Centre: true}, samples)
		before := slices.Clone(model.Posterior.Theta)
		trainer := exactTrainer(t, model, samples, Options{Steps: 10, Rate: 0.1, FinalRate: 1, Settle: 0.5, ThetaDecay: 0.5, Rare: share, Momentum: MomentumOf(0), FieldRate: 1})
		if err := trainer.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for k, x := range model.Posterior.Theta {
			if held := slices.Contains(want, k%n); (x == before[k]) != held {
				t.Errorf("share %v: theta of unit %d: %v, before %v", share, k%n, x, before[k])
			}
		}
	}
	for _, wrong := range []float64{-0.1, 1} {
		model := NewModel[float64](Initial{Hidden: hidden, Coupling: 0.3}, samples)
		if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, Options{Steps: 1, Rate: 0.1, Rare: wrong}); err == nil {
			t.Errorf("a share of %v: no error", wrong)
		}
	}
}

func lit(up bool) int8 {
	if up {
		return 1
	}
	return -1
}
