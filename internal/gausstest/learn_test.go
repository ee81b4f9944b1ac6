package gausstest_test

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"bethe/dual"
	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
	"bethe/units"
	"bethe/units/unitstest"
	"bethe/variational"
)

// clusters are samples around two centres, in four numbers.
func clusters[T units.Real]() *gausstest.Samples[T] {
	const n, m = 4, 60
	v := unitstest.Normals[T](n, m, 7)
	for k := range v {
		i, a := k/m, k%m
		v[k] = T(3*i) + T(0.5+0.2*float64(i))*v[k]
		if a%3 == 0 && i < 3 {
			v[k] += 4
		}
	}
	return gausstest.NewSamples(n, v)
}

// start is a model to learn clusters from, three hidden spins, at the means and deviations of the samples.
func start[T units.Real](samples *gausstest.Samples[T]) *rbm.Model[T] {
	const p = 3
	n, m := samples.Features(), float64(samples.Len())
	model := &rbm.Model[T]{Params: rbm.NewParams(n, p, 0.4), Posterior: rbm.NewPosterior[T](n, p)}
	model.VisibleOwn = make([]float64, 2*n)
	samples.Prepare(model.VisibleOwn, false)
	mean := samples.MeanFields()
	squares := make([]float64, 2*n) // of v about the mean: the base's derivatives by ln sigma are the sums of u^2 - 1
	copy(model.VisibleOwn[n:], mean)
	samples.Prepare(model.VisibleOwn, false)
	samples.Base(0, make([]float64, n), squares)
	for i := range n {
		model.VisibleOwn[i] = math.Log((squares[i]+m)/m) / 2
	}
	model.Posterior.Randomize(0.3, stream.New(3))
	return model
}

func options() variational.Options {
	return variational.Options{Steps: 60, Rate: 0.05, FinalRate: 0.5, FieldRate: 0.5, CouplingRate: 0.2, OwnRate: 0.2, Average: 0.2, Key: stream.New(4)}
}

func newTrainer[T units.Real](t *testing.T, opt variational.Options) *variational.Trainer[T] {
	t.Helper()
	samples := clusters[T]()
	trainer, err := variational.NewTrainer(start(samples), samples, gausstest.Partition[T]{}, variational.Mixture[T]{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

// Learning climbs the exact bound, and ends above what independent normal numbers reach.
func TestLearningClimbsTheBound(t *testing.T) {
	trainer, samples := newTrainer[float64](t, options()), clusters[float64]()
	bound := func() float64 {
		terms, by, err := trainer.Objective.EstimateTerms(context.Background(), trainer.Model, samples, sample.Annealing{})
		if err != nil || by != "gauss" {
			t.Fatal(by, err)
		}
		return terms.Bound()
	}
	before := bound()
	last := before
	err := trainer.Run(context.Background(), func(p variational.Progress) error {
		if p.Step%20 == 0 {
			if now := bound(); !(now > last) {
				t.Errorf("step %d: the bound fell from %v to %v", p.Step, last, now)
			} else {
				last = now
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	independent := 0.0 // entropies less the constant that ln Z leaves out of the data term
	own := start(samples).VisibleOwn
	for i := range samples.Features() {
		independent -= 0.5 + own[i] + math.Log(2*math.Pi)/2
	}
	if !(last > before+0.5 && last > independent+0.1) {
		t.Errorf("the bound rose from %v to %v; independent numbers have %v", before, last, independent)
	}
	if reflect.DeepEqual(trainer.Model.VisibleOwn, own) {
		t.Error("ln sigma and means did not move")
	}
}

// Batches, moving offsets and a resumed run give the same bytes, whatever the threads.
func TestResumesToTheSameBytes(t *testing.T) {
	opt := options()
	opt.Batch, opt.OffsetRate = 7, 0.05
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	whole := newTrainer[float32](t, opt)
	if err := whole.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{2, 3} {
		runtime.GOMAXPROCS(threads)
		path := filepath.Join(t.TempDir(), "checkpoint.npz")
		first := newTrainer[float32](t, opt)
		ctx, cancel := context.WithCancel(context.Background())
		err := first.Run(ctx, func(p variational.Progress) error {
			if p.Step == 51 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := variational.SaveCheckpoint(t.Context(), path, "gauss", first); err != nil {
			t.Fatal(err)
		}
		second := newTrainer[float32](t, opt)
		if err := variational.LoadCheckpoint(path, "gauss", second); err != nil {
			t.Fatal(err)
		}
		if err := second.Run(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(second.Model, whole.Model) || !reflect.DeepEqual(second.Result(), whole.Result()) {
			t.Errorf("%d threads: another model than that of one undisturbed run", threads)
		}
	}
}

// Real units have offsets outside ±1, in learning and in checkpoints; hidden spins do not.
func TestOffsetsOfRealUnits(t *testing.T) {
	samples := clusters[float32]()
	model := start(samples)
	model.VisibleOffset[0], model.VisibleOffset[1] = 2.5, -3
	trainer, err := variational.NewTrainer(model, samples, gausstest.Partition[float32]{}, variational.Mixture[float32]{}, options())
	if err != nil {
		t.Fatal(err)
	}
	if err := trainer.Run(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	if err := variational.SaveCheckpoint(t.Context(), path, "gauss", trainer); err != nil {
		t.Fatal(err)
	}
	if err := variational.LoadCheckpoint(path, "gauss", newTrainer[float32](t, options())); err != nil {
		t.Fatal(err)
	}
	model.HiddenOffset[1] = 1.5
	if _, err := variational.NewTrainer(model, samples, gausstest.Partition[float32]{}, variational.Mixture[float32]{}, options()); err == nil {
		t.Error("an offset of 1.5 of a hidden spin is taken")
	}
}

// No term takes machines of another form.
func TestOtherFormsAreRefused(t *testing.T) {
	samples := clusters[float64]()
	for name, term := range map[string]dual.Partition[float64]{
		"annealed": &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, "weighted": &dual.Weighted[float64]{Engine: dual.Exact[float64]{}},
		"quenched": &dual.Quenched[float64]{Engine: dual.Exact[float64]{}, Draws: 2},
	} {
		if _, err := variational.NewTrainer(start(samples), samples, term, variational.Mixture[float64]{}, options()); !errors.Is(err, dual.ErrNotServed) {
			t.Errorf("the %s term with Gaussian units gives the error %v", name, err)
		}
	}
	opt := options()
	opt.Synapses = rbm.RealKind
	if _, err := variational.NewTrainer(start(samples), samples, gausstest.Partition[float64]{}, variational.Mixture[float64]{}, opt); !errors.Is(err, dual.ErrNotServed) {
		t.Errorf("real synapses give the error %v", err)
	}
}
