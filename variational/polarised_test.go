package variational

import (
	"math"
	"slices"
	"testing"

	"bethe/stream"
)

// TestPolarised: where signs settle by thetas that decay, a polarised model has these signs for sure, and the thetas of the given one
// stay; everywhere else it is the given one.
func TestPolarised(t *testing.T) {
	samples, _ := plantedSamples(6, 200, stream.New(3))
	for name, opt := range map[string]Options{"settles": {Settle: 0.5, ThetaDecay: 0.5}, "average": {Settle: 0.5, ThetaDecay: 0.5, Average: 0.5}, "without decay": {Settle: 0.5}, "never settles": {ThetaDecay: 0.5}} {
		model := NewModel[float64](Initial{Hidden: 3, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2), Fields: true, Centre: true}, samples)
		opt.Steps, opt.Rate, opt.FinalRate, opt.Momentum, opt.FieldRate = 10, 0.1, 1, MomentumOf(0), 1
		trainer := exactTrainer(t, model, samples, opt)
		polarises := func(fraction float64) bool { return opt.ThetaDecay > 0 && opt.Settle > 0 && fraction >= 1-opt.Settle }
		if err := trainer.Run(t.Context(), func(p Progress) error {
			if same := trainer.Polarised(model) == model; same == polarises(p.Fraction) {
				t.Errorf("%s, step %d: the model as it is: %v", name, p.Step, same)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		result := trainer.Result()
		before := slices.Clone(result.Posterior.Theta)
		got := trainer.Polarised(result)
		if !slices.Equal(before, result.Posterior.Theta) || (got == result) == polarises(1) || !slices.Equal(got.VisibleField, result.VisibleField) {
			t.Errorf("%s: the given model changed, or another one is polarised", name)
		}
		for k, x := range got.Posterior.Theta {
			if polarises(1) && x != math.Copysign(4, before[k]) {
				t.Errorf("%s: theta %v became %v", name, before[k], x)
			}
		}
	}
}
