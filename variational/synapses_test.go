package variational

import (
	"bytes"
	"context"
	"math"
	"path/filepath"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

var baselines = map[string]rbm.Kind{"real": rbm.RealKind, "sampled": rbm.SampledKind, "sign": rbm.SignKind}

// known returns an objective on samples with an exact engine, and a random model.
func known(kind rbm.Kind, samples *spin.Matrix) (*Objective[float64], *rbm.Model[float64]) {
	key := stream.New(3)
	model := NewModel[float64](Initial{Hidden: 3, Coupling: 0.3, Fields: true, Centre: true, Deviation: 1, Key: key.Sub(0)}, samples)
	rng := key.Sub(1).Rand()
	for mu := range model.HiddenField {
		model.HiddenField[mu], model.HiddenOffset[mu] = rng.NormFloat64(), 2*rng.Float64()-1
	}
	o := &Objective[float64]{Partition: &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Hidden: Mixture[float64]{},
		Samples: samples.Cols(), Synapses: kind, Draw: key.Sub(2)}
	if kind == rbm.RealKind {
		o.Partition = &dual.Weighted[float64]{Engine: dual.Exact[float64]{}}
	}
	return o, model
}

// Where synapses are known the objective is the log-likelihood of their machine,
// but for the error of the averages.
func TestObjectiveOfKnownSynapses(t *testing.T) {
	samples, _ := plantedSamples(8, 60, stream.New(1))
	for name, kind := range baselines {
		o, model := known(kind, samples)
		terms, _, err := o.Terms(context.Background(), model, spinsOf(model, samples))
		if err != nil {
			t.Fatal(err)
		}
		machine := &rbm.Machine{Params: model.Params}
		switch kind {
		case rbm.RealKind:
			machine.Synapses = rbm.RealKind.Ship(rbm.Convert[float32](model).Posterior, false, o.Draw)
		case rbm.SignKind:
			machine.Synapses = rbm.Binary(model.Posterior.Sign())
		case rbm.SampledKind:
			machine.Synapses = rbm.Binary(model.Posterior.Sample(o.Draw))
		}
		lnz, err := machine.LnZ(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var want float64
		for _, f := range machine.FreeEnergy(samples) {
			want -= (f + lnz) / float64(samples.Cols())
		}
		if got := terms.Bound(); math.Abs(got-want) > 1e-4 || terms.KL != 0 {
			t.Errorf("%s: %v, not %v; divergence %v", name, got, want, terms.KL)
		}
		estimate, err := o.AnnealedTerms(t.Context(), model, spinsOf(model, samples), annealing(500, 500))
		if err != nil || math.Abs(estimate.Bound()-want) > 0.05 {
			t.Errorf("%s: by annealing %v, not %v (%v)", name, estimate.Bound(), want, err)
		}
	}
}

// The gradient by real synapses, fields and coupling is that of differences;
// the decay comes off it.
func TestGradientOfRealSynapses(t *testing.T) {
	samples, _ := plantedSamples(8, 60, stream.New(1))
	o, model := known(rbm.RealKind, samples)
	o.Decay = 0.01
	grad := dual.NewGradient[float64](&model.Params)
	if _, err := o.Gradient(context.Background(), grad, model, spinsOf(model, samples)); err != nil {
		t.Fatal(err)
	}
	check := func(name string, x *float64, got float64) {
		const step = 1e-4
		before := *x
		at := func(v float64) float64 {
			*x = v
			terms, _, err := o.Terms(context.Background(), model, spinsOf(model, samples))
			if err != nil {
				t.Fatal(err)
			}
			return terms.Bound()
		}
		want := (at(before+step) - at(before-step)) / (2 * step)
		*x = before
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: gradient %v, by differences %v", name, got, want)
		}
	}
	for k := range model.Posterior.Theta {
		check("synapse", &model.Posterior.Theta[k], grad.Synapse[k]+o.Decay*model.Posterior.Theta[k])
	}
	for i := range model.VisibleField {
		check("visible field", &model.VisibleField[i], grad.VisibleField[i])
	}
	for mu := range model.HiddenField {
		check("hidden field", &model.HiddenField[mu], grad.HiddenField[mu])
	}
	check("coupling", &model.Links[0].Coupling, grad.Coupling[0])
}

// The gradient by a sign is half the difference of the log-likelihoods with the
// synapse up and down, to second order in the coupling.
func TestGradientOfSigns(t *testing.T) {
	samples, _ := plantedSamples(8, 60, stream.New(1))
	o, model := known(rbm.SignKind, samples)
	model.SetCoupling(0.02)
	grad := dual.NewGradient[float64](&model.Params)
	if _, err := o.Gradient(context.Background(), grad, model, spinsOf(model, samples)); err != nil {
		t.Fatal(err)
	}
	for k, theta := range model.Posterior.Theta {
		at := func(v float64) float64 {
			model.Posterior.Theta[k] = v
			terms, _, err := o.Terms(context.Background(), model, spinsOf(model, samples))
			if err != nil {
				t.Fatal(err)
			}
			return terms.Bound()
		}
		want := (at(1) - at(-1)) / 2
		model.Posterior.Theta[k] = theta
		if math.Abs(grad.Synapse[k]-want) > 5e-5 {
			t.Errorf("synapse %d: gradient %v, half the difference %v", k, grad.Synapse[k], want)
		}
	}
}

func TestBaselinesLearnAndResume(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	for name, kind := range baselines {
		start := func() (*Trainer[float32], *dual.Chains[float32]) {
			key := stream.New(7)
			model := NewModel[float32](Initial{Hidden: 3, Coupling: 0.25, Fields: true, Centre: true, Deviation: 0.3, Key: key.Sub(0)}, samples)
			chains := &dual.Chains[float32]{Count: 20, Sweeps: 1, Key: key.Sub(1)}
			trainer, err := NewTrainer(model, spinsOf(model, samples), dual.TermFor(kind, chains), Mixture[float32]{}, Options{
				Steps: 240, Batch: 50, Synapses: kind, Rate: 0.05, FinalRate: 0.1, FieldRate: 1, OffsetRate: 0.02, Key: key.Sub(2), Draw: key.Sub(3),
			})
			if err != nil {
				t.Fatal(err)
			}
			return trainer, chains
		}
		likelihood := func(trainer *Trainer[float32]) float64 {
			o := &Objective[float32]{Partition: dual.TermFor[float32](kind, dual.Exact[float32]{}), Hidden: Mixture[float32]{},
				Samples: samples.Cols(), Synapses: kind}
			const draws = 16 // of sampled synapses
			var sum float64
			for d := range draws {
				o.Draw = stream.New(1).Sub(uint64(d))
				terms, _, err := o.Terms(t.Context(), trainer.Model, spinsOf(trainer.Model, samples))
				if err != nil {
					t.Fatal(err)
				}
				sum += terms.Bound()
			}
			return sum / draws
		}
		whole, _ := start()
		before := likelihood(whole)
		if err := whole.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		after := likelihood(whole)
		if !(after > before+0.3) {
			t.Errorf("%s: %.3f nats per sample before and %.3f after learning", name, before, after)
		}
		half, chains := start()
		if err := runUntil(t, half, 31); err == nil {
			t.Fatal("not stopped")
		}
		path := filepath.Join(t.TempDir(), "checkpoint.npz")
		if err := SaveCheckpoint(t.Context(), path, name, half, chains); err != nil {
			t.Fatal(err)
		}
		resumed, chains := start()
		if err := LoadCheckpoint(path, name, resumed, chains); err != nil {
			t.Fatal(err)
		}
		if err := resumed.Run(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(modelBytes(t, whole.Model), modelBytes(t, resumed.Model)) {
			t.Errorf("%s: resumed, another model", name)
		}
	}
}
