package variational

import (
	"math"
	"slices"
	"testing"

	"bethe/stream"
)

// TestPolarised: where signs settle by thetas that decay, the model that is shown and the result have these signs with certainty; what
// learns has other thetas, and goes on as if nobody looked.
func TestPolarised(t *testing.T) {
	samples, _ := plantedSamples(6, 200, stream.New(3))
	learn := func(opt Options, looks bool) *Trainer[float64] {
		model := NewModel[float64](Initial{Hidden: 3, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2), Fields: true, Centre: true}, samples)
		opt.Steps, opt.Rate, opt.FinalRate, opt.Momentum, opt.FieldRate = 10, 0.1, 1, MomentumOf(0), 1
		trainer := exactTrainer(t, model, samples, opt)
		if err := trainer.Run(t.Context(), func(p Progress) error {
			shown := trainer.Shown()
			if settles := opt.ThetaDecay > 0 && opt.Settle > 0 && p.Fraction >= 1-opt.Settle; looks && settles == (shown == trainer.Model) {
				t.Errorf("step %d: shown as it is: %v", p.Step, settles)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return trainer
	}
	for name, opt := range map[string]Options{"last": {Settle: 0.5, ThetaDecay: 0.5}, "average": {Settle: 0.5, ThetaDecay: 0.5, Average: 0.5}, "limited": {Settle: 0.5, ThetaDecay: 0.5, MaxTheta: 2}, "without decay": {Settle: 0.5}, "never settled": {ThetaDecay: 0.5}} {
		trainer := learn(opt, true)
		theta, result := trainer.Model.Posterior.Theta, trainer.Result().Posterior.Theta
		if !slices.Equal(theta, learn(opt, false).Model.Posterior.Theta) {
			t.Errorf("%s: looking changed what is learned", name)
		}
		if opt.Settle == 0 || opt.ThetaDecay == 0 {
			if !slices.Equal(result, theta) {
				t.Errorf("%s: %v, not %v", name, result, theta)
			}
			continue
		}
		size := 4.0
		if opt.MaxTheta > 0 {
			size = opt.MaxTheta
		}
		for k, x := range result {
			if math.Abs(x) != size || opt.Average == 0 && x*theta[k] < 0 || math.Abs(theta[k]) == size {
				t.Errorf("%s: theta %v became %v", name, theta[k], x)
			}
		}
	}
}
