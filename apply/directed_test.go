package apply

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/causes"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// directedJob is a job on a mixture or a tree that has learned pairs.
func directedJob(t *testing.T, model string) Job {
	t.Helper()
	o := causes.Options{Model: model, Rule: causes.EM, Causes: 8, States: 3, Patches: [][]int{{0, 3}, {1, 4}, {2, 5}}, Passes: 30, Coupling: 1, Key: stream.New(1)}
	l, err := causes.NewLearner(pairs(64).Samples, o)
	if err != nil {
		t.Fatal(err)
	}
	for l.Done() < l.Steps() {
		if _, err := l.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	j := job(t)
	j.Model = filepath.Join(t.TempDir(), "model.npz")
	if err := l.File(rbm.Info{Width: 3, Height: 2}).Save(j.Model); err != nil {
		t.Fatal(err)
	}
	return j
}

// TestDirected: directed machines sample, complete, and give features and exact likelihoods.
func TestDirected(t *testing.T) {
	for _, model := range []string{causes.MixtureModel, causes.TreeModel} {
		j := directedJob(t, model)
		s := &Sampling{Job: j, Count: 20, Sweeps: 1, Clamp: "0,4", From: "pairs:5", Files: files(t)}
		if r, err := s.Run(t.Context()); err != nil || r.Clamped != 2 || r.Samples != 20 {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
		s.holds(t, "samples visible_mean")
		s.Tempered = true
		_, err := s.Run(t.Context())
		wrong(t, "tempered", err)
		c := &Completing{Job: j, From: "pairs:0-7", Clamp: "top", Count: 3, Sweeps: 1, Files: files(t)}
		if r, err := c.Run(t.Context()); err != nil || r.Error > 0.35 || r.Inferred != 3 || !r.Settled || r.Sweeps != 0 {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
		c.holds(t, "completions given mean")
		f := &Featuring{Job: j, Name: "pairs", Gain: 1, Layer: 1, Classifier: true, L2: []float64{1e-3}, Out: filepath.Join(t.TempDir(), "f.npy")}
		r, err := f.Run(t.Context())
		if err != nil || r.Winners == nil || *r.Winners > 0.3 && model == causes.MixtureModel || r.Classifier.TestError > 0.3 {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
		if want := map[string]int{causes.MixtureModel: 8, causes.TreeModel: 17}[model]; r.Features != want {
			t.Errorf("%s: %d features", model, r.Features)
		}
		f.Gain = 2
		_, err = f.Run(t.Context())
		wrong(t, "gain", err)
		if _, err := (&Mending{Job: j, Name: "pairs", Flip: 0.1, Chains: 1, Sweeps: 1}).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "denoise is not for a "+model) {
			t.Errorf("%s: %v", model, err)
		}
		exact, ok, err := OpenEvaluating(j.Model)
		if !ok || err != nil || Family(exact) != model {
			t.Fatalf("%s: %v, %v", model, ok, err)
		}
		if l, err := exact.Evaluate(t.Context(), pairs(16).Samples, nil, evaluate.Options{}); err != nil || !l.Exact || !(l.Mean < 0 && l.Mean > -4) {
			t.Errorf("%s: %+v, %v", model, l, err)
		}
	}
	if _, ok, err := OpenEvaluating(job(t).Model); ok || err != nil {
		t.Errorf("a machine with hidden units has no exact likelihood for sure: %v, %v", ok, err)
	}
}

// TestLabelled: classifiers of few labels are scored in five draws, which hold as many of each
// label as can be.
func TestLabelled(t *testing.T) {
	labels := make([]int, 100)
	for a := range labels {
		labels[a] = min(2, a%10)
	}
	count := map[int]int{}
	places := stratified(labels, 25, stream.New(2))
	seen := map[int]bool{}
	for _, a := range places {
		count[labels[a]]++
		seen[a] = true
	}
	if len(seen) != 25 || count[0] != 9 && count[0] != 8 || count[1] < 8 || count[2] < 8 {
		t.Errorf("%v of %d", count, len(seen))
	}
	j := directedJob(t, causes.MixtureModel)
	f := &Featuring{Job: j, Name: "pairs", Gain: 1, Layer: 1, Classifier: true, L2: []float64{1e-3}, Labelled: 16}
	r, err := f.Run(t.Context())
	if err != nil || r.Labelled == nil || r.Labelled.Winners == nil || r.Labelled.Raw.Mean > 0.2 || r.Labelled.Linear.Low > r.Labelled.Linear.High {
		t.Fatalf("%+v, %v", r, err)
	}
	f.Job = job(t)
	if r, err = f.Run(t.Context()); err != nil || r.Labelled.Winners != nil {
		t.Errorf("with hidden units: %+v, %v", r, err)
	}
	for name, change := range map[string]func(f *Featuring){
		"labelled":  func(f *Featuring) { f.Labelled = -1 },
		"labelled ": func(f *Featuring) { f.Labelled = 65 }, "labelled  ": func(f *Featuring) { f.Classifier, f.Raw = false, true },
	} {
		other := *f
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, strings.TrimSpace(name), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// A mixture and a tree fill in missing values exactly, give features and likelihoods of the known values, and score the fill against the truth.
func TestDirectedMissing(t *testing.T) {
	for _, model := range []string{causes.MixtureModel, causes.TreeModel} {
		j := directedJob(t, model)
		j.Data.Reading.Missing, j.Data.Reading.Header = []string{"empty"}, dataset.HeaderNo
		c := &Completing{Job: j, From: table(t, true), Truth: table(t, false), Count: 3, Sweeps: 50, Files: files(t)}
		r, err := c.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f := r.Filled; f == nil || !f.Exact || f.Values != 27 || f.Known != 27 || *f.Nats > 0.69 || r.Completions != 0 || r.Visible != 6 {
			t.Errorf("%s: %+v: %s", model, f, r.Text())
		}
		c.holds(t, "filled mean missing")
		report, err := (&Featuring{Job: j, Name: c.From, Gain: 1, Layer: 1, Out: filepath.Join(t.TempDir(), "features.npy")}).Run(t.Context())
		if err != nil || report.Samples != 32 {
			t.Errorf("%s: features %+v, %v", model, report, err)
		}
		m, ok, err := OpenEvaluating(j.Model)
		if !ok || err != nil || !Incomplete(m) {
			t.Fatalf("%s: %v, %v", model, ok, err)
		}
		l, err := m.Evaluate(t.Context(), pairs(4).Samples, spin.FromSigns(6, 4, slices.Repeat([]float32{1}, 24)), evaluate.Options{})
		if err != nil || math.Abs(l.Mean) > 1e-9 {
			t.Errorf("%s: all is missing: %+v, %v", model, l, err)
		}
	}
}
