package variational

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/npy"
	"bethe/stream"
)

// TestMomentum holds three steps of the thetas against Adam's formulas at several beta_1, with a decay of thetas and without.
func TestMomentum(t *testing.T) {
	samples, _ := plantedSamples(10, 60, stream.New(11))
	const rate, square = 0.2, kernel.AdamSecond
	for _, c := range []struct {
		momentum Momentum
		beta     float64
		decay    float64 // more than 2.5 takes half off
	}{{Momentum{}, 0.9, 0}, {MomentumOf(0.9), 0.9, 0.5}, {MomentumOf(0.35), 0.35, 0}, {MomentumOf(0), 0, 0}, {MomentumOf(0), 0, 0.7}, {MomentumOf(0), 0, 3}} {
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2)}, samples)
		trainer := exactTrainer(t, model, samples, Options{Steps: 3, Rate: rate, FinalRate: 1, Momentum: c.momentum, ThetaDecay: c.decay})
		grad, theta := dual.NewGradient[float64](&model.Params), model.Posterior.Theta
		m, v := make([]float64, len(theta)), make([]float64, len(theta))
		for step := 1.0; step <= 3; step++ {
			if _, err := trainer.Objective.Gradient(context.Background(), grad, model, spinsOf(model, samples)); err != nil {
				t.Fatal(err)
			}
			want := append([]float64(nil), theta...)
			for k, g := range grad.Synapse {
				m[k], v[k] = c.beta*m[k]+(1-c.beta)*g, square*v[k]+(1-square)*g*g
				want[k] = max(0.5, 1-rate*c.decay)*want[k] + rate*m[k]/(1-math.Pow(c.beta, step))/(math.Sqrt(v[k]/(1-math.Pow(square, step)))+1e-8)
			}
			if _, err := trainer.learn(context.Background(), rate); err != nil {
				t.Fatal(err)
			}
			for k, x := range theta {
				if !(math.Abs(x-want[k]) < 1e-12) {
					t.Fatalf("beta %v, decay %v, step %v: theta %d is %v, not %v", c.beta, c.decay, step, k, x, want[k])
				}
			}
		}
	}
	for _, wrong := range []Options{{ThetaDecay: -1}, {ThetaDecay: math.Inf(1)}, {ThetaDecay: math.NaN()}, {ThetaDecay: 1, Rule: Lion}} {
		wrong.Steps, wrong.Rate = 1, 0.1
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3}, samples)
		if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, wrong); err == nil || !strings.Contains(err.Error(), "decay of thetas") {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	for _, beta := range []float64{-0.1, 1, math.NaN()} {
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3}, samples)
		if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, Options{Steps: 1, Rate: 0.1, Momentum: MomentumOf(beta)}); err == nil {
			t.Errorf("momentum %v: no error", beta)
		}
		if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, Options{Steps: 1, Rate: 0.1, FieldMomentum: MomentumOf(beta)}); err == nil {
			t.Errorf("momentum %v of fields: no error", beta)
		}
	}
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3}, samples)
	if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, Options{Steps: 1, Rate: 0.1, Rule: BayesianRule, Momentum: MomentumOf(0)}); err == nil {
		t.Error("the Bayesian rule with momentum: no error")
	}
}

// The rest of a momentum is that of the decimal: else 0.9 would not be what it was in 0.2.0.
func TestRest(t *testing.T) {
	for beta, want := range map[float64]float64{0: 1, 0.9: 0.1, 0.5: 0.5, 0.99: 0.01, 0.999: 0.001, 0.35: 0.65} {
		if got := rest(beta); got != want {
			t.Errorf("1 - %v is %v", beta, got)
		}
	}
}

// Without momentum a checkpoint has an array less, and goes on to the same bytes; one of
// another momentum is refused.
func TestCheckpointWithoutMomentum(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 20, Batch: 50, Settle: 0.3, Momentum: MomentumOf(0)}
	whole, _ := learner(t, samples, opt)
	if err := whole.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	half, chains := learner(t, samples, opt)
	_ = runUntil(t, half, 7)
	if err := SaveCheckpoint(t.Context(), path, "a run", half, chains); err != nil {
		t.Fatal(err)
	}
	if a, err := npy.ReadArchive(path, 1<<20); err != nil || a.Has("theta_first") || !a.Has("theta_second") {
		t.Errorf("arrays of another optimiser, or %v", err)
	}
	resumed, chains := learner(t, samples, opt)
	if err := LoadCheckpoint(path, "a run", resumed, chains); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(modelBytes(t, whole.Model), modelBytes(t, resumed.Model)) {
		t.Error("resumed, another model")
	}
	opt.Momentum = Momentum{}
	other, chains := learner(t, samples, opt)
	if err := LoadCheckpoint(path, "a run", other, chains); err == nil {
		t.Error("a checkpoint without momentum was read for learning with it")
	}
	if err := SaveCheckpoint(t.Context(), path, "a run", other, chains); err != nil {
		t.Fatal(err)
	}
	if err := LoadCheckpoint(path, "a run", resumed, chains); err == nil {
		t.Error("a checkpoint with momentum was read for learning without it")
	}
}
