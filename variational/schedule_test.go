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

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name string
		opt  Options
		at   map[float64]float64
	}{
		{"linear", Options{FinalRate: 0.2}, map[float64]float64{0: 1, 0.5: 0.6, 1: 0.2}},
		{"cosine", Options{FinalRate: 0.2, Fall: Cosine}, map[float64]float64{0: 1, 0.5: 0.6, 0.25: 0.2 + 0.4*(1+math.Sqrt2/2), 1: 0.2}},
		{"geometric", Options{FinalRate: 0.01, Fall: Geometric}, map[float64]float64{0: 1, 0.5: 0.1, 1: 0.01}},
		{"warm-up", Options{FinalRate: 0.2, Warmup: 0.2}, map[float64]float64{0: 0.01, 0.1: 0.5, 0.2: 1, 0.6: 0.6, 1: 0.2}},
	} {
		for fraction, want := range c.at {
			if got := c.opt.share(fraction); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s at %v: %v, not %v", c.name, fraction, got, want)
			}
		}
	}
	samples, _ := plantedSamples(10, 30, stream.New(1))
	for _, opt := range []Options{
		{FinalRate: -1}, {FinalRate: 2}, {Fall: Geometric}, {Warmup: -0.1}, {Warmup: 1.1}, {Average: 2}, {Release: 1.1}, {Release: math.Inf(-1)}, {Form: Elastic + 1}, {FieldPrior: -1}, {Decay: -1},
		{OffsetRate: 1.1}, {OffsetRate: -0.1}, {OffsetRate: math.NaN()}, {FieldRate: -1}, {FieldRate: math.NaN()}, {CouplingRate: -1}, {CouplingRate: math.Inf(1)},
		{OwnRate: math.NaN()}, {MaxTheta: -1}, {MaxTheta: math.NaN()}, {Rule: ScheduleFree + 1}, {Rule: -1}, {Fall: Geometric + 1}, {Fall: -1}} {
		opt.Steps, opt.Rate = 1, 0.1
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3}, samples)
		if _, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
}

// Result is the mean over the steps that count, and what a resumed run has is
// the same to the last bit.
func TestAverage(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	opt := Options{Steps: 40, Batch: 40, Average: 0.5}
	whole, _ := learner(t, samples, opt)
	var theta, field, coupling, count float64
	if err := whole.Run(t.Context(), func(p Progress) error {
		if p.Step > 20 && p.Step%averageEvery == 0 {
			theta += float64(whole.Model.Posterior.Theta[7])
			field += whole.Model.VisibleField[3]
			coupling += whole.Model.Coupling()
			count++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	mean := whole.Result()
	if count != 4 || math.Abs(float64(mean.Posterior.Theta[7])-theta/count) > 1e-6 || math.Abs(mean.VisibleField[3]-field/count) > 1e-12 || math.Abs(mean.Coupling()-coupling/count) > 1e-12 {
		t.Errorf("theta %v, field %v, coupling %v; by hand of %v steps %v, %v, %v", mean.Posterior.Theta[7], mean.VisibleField[3], mean.Coupling(), count, theta/count, field/count, coupling/count)
	}
	if bytes.Equal(modelBytes(t, mean), modelBytes(t, whole.Model)) {
		t.Error("the average is the last model")
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	for _, stopAfter := range []int{10, 27, 40} {
		half, chains := learner(t, samples, opt)
		_ = runUntil(t, half, stopAfter)
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
		if !bytes.Equal(modelBytes(t, resumed.Result()), modelBytes(t, mean)) {
			t.Errorf("stopped after step %d and resumed: another average", stopAfter)
		}
	}
}

// Settling turns the posterior into its signs at the given share, whose
// log-likelihood then climbs.
func TestSettling(t *testing.T) {
	samples, _ := plantedSamples(20, 150, stream.New(5))
	trainer, _ := learner(t, samples, Options{Steps: 200, Batch: 50, Settle: 0.5})
	likelihood := func() float64 {
		o := &Objective[float32]{Partition: &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}, Hidden: Mixture[float32]{}, Samples: samples.Cols(), Synapses: rbm.SignKind}
		terms, _, err := o.Terms(t.Context(), trainer.Model, spinsOf(trainer.Model, samples))
		if err != nil {
			t.Fatal(err)
		}
		return terms.Bound()
	}
	var before float64
	if err := trainer.Run(t.Context(), func(p Progress) error {
		want := rbm.BinaryKind
		if p.Step >= 100 {
			want = rbm.SignKind
		}
		if trainer.Kind() != want {
			t.Errorf("after step %d: kind %v, not %v", p.Step, trainer.Kind(), want)
		}
		if p.Step == 100 {
			before = likelihood()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if after := likelihood(); !(after > before) {
		t.Errorf("%v nats per sample when settling began, %v at its end", before, after)
	}
}

// Free of the prior, the gradient lacks the pull of the divergence alone.
func TestRelease(t *testing.T) {
	samples, _ := plantedSamples(8, 60, stream.New(1))
	o, model := known(rbm.BinaryKind, samples)
	bound, free := o.released(t, model, samples, 0), o.released(t, model, samples, 1)
	for k, theta := range model.Posterior.Theta {
		if pull := free[k] - bound[k]; math.Abs(pull-theta/60) > 1e-12 {
			t.Errorf("synapse %d: the prior pulls by %v, not %v", k, pull, theta/60)
		}
	}
}

// released returns the gradient by the synapses at a release from the prior.
func (o *Objective[T]) released(t *testing.T, model *rbm.Model[T], samples *spin.Matrix, release float64) []T {
	t.Helper()
	o.Release = release
	grad := dual.NewGradient[T](&model.Params)
	if _, err := o.Gradient(context.Background(), grad, model, spinsOf(model, samples)); err != nil {
		t.Fatal(err)
	}
	return grad.Synapse
}
