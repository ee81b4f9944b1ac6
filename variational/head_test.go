package variational

import (
	"bytes"
	"context"
	"math"
	"math/bits"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// labelsOf labels samples by two of their spins, in four classes.
func labelsOf(samples *spin.Matrix) []int {
	labels := make([]int, samples.Cols())
	for a := range labels {
		labels[a] = 7 + int(samples.At(0, a)) + max(0, int(samples.At(1, a)))
	}
	return labels
}

// logLabel is the mean ln p(label), by formula.
func logLabel(h *head[float64], model *rbm.Model[float64], samples *spin.Matrix) float64 {
	p := model.Hidden()
	var total float64
	for a, own := range h.class {
		score := make([]float64, h.classes)
		var sum float64
		for c := range score {
			score[c] = h.weights[h.classes*p+c]
			for mu := range p {
				field := model.HiddenField[mu]
				for i, offset := range model.VisibleOffset {
					field += model.Coupling() * model.Posterior.Theta[mu*model.Visible()+i] * (float64(samples.At(i, a)) - offset)
				}
				if isKept(h.keptOf(mu, len(h.class)), a) {
					score[c] += h.weights[c*p+mu] * 2 * (math.Tanh(field) - model.HiddenOffset[mu])
				}
			}
			sum += math.Exp(score[c])
		}
		total += score[own] - math.Log(sum)
	}
	return total / float64(len(h.class))
}

// What labels add to the gradient, by synapses, fields, coupling and the head's
// own weights, is that of differences.
func TestGradientOfLabels(t *testing.T) {
	samples, _ := plantedSamples(8, 60, stream.New(1))
	o, model := known(rbm.RealKind, samples)
	plain, grad := dual.NewGradient[float64](&model.Params), dual.NewGradient[float64](&model.Params)
	if _, err := o.Gradient(context.Background(), plain, model, spinsOf(model, samples)); err != nil {
		t.Fatal(err)
	}
	h, err := newHead[float64](labelsOf(samples), samples.Cols(), 3, 2.5)
	if err != nil {
		t.Fatal(err)
	}
	if h.classes != 4 {
		t.Fatalf("%d classes", h.classes)
	}
	rng := stream.New(8).Rand()
	for k := range h.weights {
		h.weights[k] = rng.NormFloat64()
	}
	o.head = h
	batch := units.NewSpins[float64](samples)
	h.batch = h.class
	if _, err := o.Gradient(context.Background(), grad, model, batch); err != nil {
		t.Fatal(err)
	}
	const accuracy = 1e-4 // of the averages, which are no tanh exactly
	check := func(name string, x *float64, got float64) {
		const step = 1e-5
		before := *x
		*x = before + step
		up := logLabel(h, model, samples)
		*x = before - step
		want := (up - logLabel(h, model, samples)) / (2 * step)
		*x = before
		if math.Abs(got-want) > accuracy {
			t.Errorf("%s: gradient %v, by differences %v", name, got, want)
		}
	}
	for k := range model.Posterior.Theta {
		check("synapse", &model.Posterior.Theta[k], (grad.Synapse[k]-plain.Synapse[k])/h.weight)
	}
	for mu := range model.HiddenField {
		check("hidden field", &model.HiddenField[mu], (grad.HiddenField[mu]-plain.HiddenField[mu])/h.weight)
	}
	check("coupling", &model.Links[0].Coupling, (grad.Coupling[0]-plain.Coupling[0])/h.weight)
	for k, w := range h.weights {
		decay := 0.
		if k < h.classes*3 {
			decay = headDecay * w
		}
		check("weight", &h.weights[k], h.grad[k]+decay)
	}
	for i, v := range plain.VisibleField {
		if grad.VisibleField[i] != v {
			t.Errorf("visible field: gradient %v, not %v", grad.VisibleField[i], v)
		}
	}
	if want := -logLabel(h, model, samples); math.Abs(h.loss-want) > 1e-4 {
		t.Errorf("loss %v, not %v", h.loss, want)
	}
}

// Labels are learned along with the machine, and the hidden means tell them apart
// better than without; any threads, and a checkpoint on the way, give the same bytes.
func TestLearningLabels(t *testing.T) {
	samples, _ := plantedSamples(20, 200, stream.New(5))
	labels := labelsOf(samples)
	trainer := func(weight float64) (*Trainer[float32], *dual.Chains[float32]) {
		return learnerOf(t, 9, samples, Options{Steps: 400, Batch: 50, Labels: labels, LabelWeight: weight})
	}
	start := func() (*Trainer[float32], *dual.Chains[float32]) { return trainer(20) }
	errors := func(trainer *Trainer[float32]) (last float64) {
		if err := trainer.Run(t.Context(), func(p Progress) error {
			if p.Step > 392 {
				last += p.Labels.Error / 8
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return last
	}
	whole, _ := start()
	alone, _ := trainer(1e-9)
	if with, without := errors(whole), errors(alone); !(with < 0.2 && with < without/2) {
		t.Errorf("%.3f of the labels wrong, %.3f where the machine does not care", with, without)
	}
	half, chains := start()
	if err := runUntil(t, half, 31); err == nil {
		t.Fatal("not stopped")
	}
	path := filepath.Join(t.TempDir(), "checkpoint.npz")
	if err := SaveCheckpoint(t.Context(), path, "", half, chains); err != nil {
		t.Fatal(err)
	}
	resumed, chains := start()
	if err := LoadCheckpoint(path, "", resumed, chains); err != nil {
		t.Fatal(err)
	}
	if err := resumed.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := modelBytes(t, whole.Model)
	if !bytes.Equal(want, modelBytes(t, resumed.Model)) {
		t.Error("resumed, another model")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	three, _ := start()
	if err := three.Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, modelBytes(t, three.Model)) {
		t.Error("on three threads, another model")
	}
	none, chains := learnerOf(t, 9, samples, Options{Steps: 400, Batch: 50})
	if err := LoadCheckpoint(path, "", none, chains); err != nil {
		t.Errorf("a checkpoint with a head for a trainer without: %v", err)
	}
	if err := SaveCheckpoint(t.Context(), path, "", none, chains); err != nil {
		t.Fatal(err)
	}
	if resumed, chains = start(); LoadCheckpoint(path, "", resumed, chains) == nil {
		t.Error("a checkpoint without a head for a trainer of labels")
	}
}

// Each step leaves out other means, about half of them (6 standard deviations: fails by chance once in 5e8).
func TestMeansLeftOut(t *testing.T) {
	samples, _ := plantedSamples(20, 128, stream.New(5))
	trainer, _ := learnerOf(t, 9, samples, Options{Steps: 2, Batch: 64, Labels: labelsOf(samples), LabelWeight: 1})
	var masks [][]uint64
	if err := trainer.Run(t.Context(), func(Progress) error {
		masks = append(masks, slices.Clone(trainer.Objective.head.kept))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	changed, kept := 0, 0
	for k, w := range masks[0] {
		changed += bits.OnesCount64(w ^ masks[1][k])
		kept += bits.OnesCount64(w)
	}
	const half, limit = 9 * 64 / 2, 72
	if len(masks) != 2 || changed < half-limit || changed > half+limit || kept < half-limit || kept > half+limit {
		t.Errorf("of %d means %d are kept, and %d change at the next step", 2*half, kept, changed)
	}
}

func TestWrongLabels(t *testing.T) {
	samples, _ := plantedSamples(6, 10, stream.New(5))
	for want, opt := range map[string]Options{
		"9 labels of 10 samples": {Labels: make([]int, 9), LabelWeight: 1},
		"of 1 classes":           {Labels: make([]int, 10), LabelWeight: 1},
		"labels of weight -1":    {Labels: make([]int, 10), LabelWeight: -1},
		"labels of weight +Inf":  {Labels: make([]int, 10), LabelWeight: math.Inf(1)},
	} {
		opt.Steps, opt.Rate = 1, 0.1 // valid otherwise
		model := NewModel[float32](Initial{Hidden: 3, Coupling: 0.2}, samples)
		_, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}, Mixture[float32]{}, opt)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}
