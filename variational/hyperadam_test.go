package variational

import (
	"bytes"
	"math"
	"path/filepath"
	"testing"

	"bethe/dual"
	"bethe/hyperadam"
	"bethe/rbm"
	"bethe/stream"
)

// someWeights are weights that move otherwise than Adam does.
func someWeights() hyperadam.Weights {
	x := make([]float64, hyperadam.Numbers)
	for k := range x {
		x[k] = 0.5 * math.Sin(float64(3*k+1))
	}
	return *hyperadam.OfVector(x)
}

// TestHyperAdamOfZeros: learning with weights of 0 is learning with Adam, to rounding; others learn another model.
func TestHyperAdamOfZeros(t *testing.T) {
	samples, _ := plantedSamples(12, 80, stream.New(2))
	learned := func(opt Options) []float64 {
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.5, Key: stream.New(3)}, samples)
		opt.Steps, opt.Rate, opt.FinalRate, opt.MaxTheta, opt.Settle = 20, 0.1, 0.1, 4, 0.5
		if err := exactTrainer(t, model, samples, opt).Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		return model.Posterior.Theta
	}
	for _, m := range []Momentum{{}, MomentumOf(0.5)} {
		want, got, other := learned(Options{Momentum: m}), learned(Options{Rule: HyperAdam, Momentum: m}), learned(Options{Rule: HyperAdam, Momentum: m, Weights: someWeights()})
		var change float64
		for k, x := range want {
			if !(math.Abs(got[k]-x) < 1e-8) {
				t.Fatalf("momentum %v, theta %d: %v, Adam's %v", m.Beta(), k, got[k], x)
			}
			change = max(change, math.Abs(other[k]-x))
		}
		if change < 0.01 {
			t.Errorf("other weights change thetas by %v at most", change)
		}
	}
}

// TestHyperAdamGoesOn: a run from a checkpoint ends with the same bytes.
func TestHyperAdamGoesOn(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 24, Batch: 50, Settle: 0.3, Rule: HyperAdam, Weights: someWeights(), Average: 0.3}
	whole, _ := learner(t, samples, opt)
	if err := whole.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	half, chains := learner(t, samples, opt)
	_ = runUntil(t, half, 11)
	if err := SaveCheckpoint(t.Context(), path, "a run", half, chains); err != nil {
		t.Fatal(err)
	}
	resumed, chains := learner(t, samples, opt)
	if err := LoadCheckpoint(path, "a run", resumed, chains); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(modelBytes(t, whole.Result()), modelBytes(t, resumed.Result())) {
		t.Error("resumed, another model")
	}
}

// Real synapses have no log-odds.
func TestHyperAdamIsOfLogOdds(t *testing.T) {
	samples, _ := plantedSamples(10, 30, stream.New(1))
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3}, samples)
	if _, err := NewTrainer(model, spinsOf(model, samples), dual.TermFor[float64](rbm.RealKind, dual.Exact[float64]{}), Mixture[float64]{},
		Options{Steps: 1, Rate: 0.1, Rule: HyperAdam, Synapses: rbm.RealKind}); err == nil {
		t.Error("no error")
	}
}
