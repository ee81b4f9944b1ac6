package apply

import (
	"os"
	"path/filepath"
	"testing"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// stackJob is a job on a stack of the machine of job and a random one above it.
func stackJob(t *testing.T) Job {
	t.Helper()
	j := job(t)
	lower, err := rbm.Load(j.Model)
	if err != nil {
		t.Fatal(err)
	}
	params := rbm.NewParams(lower.Hidden(), 4, 0.3)
	upper := &rbm.File{Params: params, Synapses: rbm.Binary(spin.Random(lower.Hidden(), 4, stream.New(1).Rand()))}
	j.Model = filepath.Join(t.TempDir(), "stack.npz")
	if err := (&rbm.Stack{Files: []*rbm.File{lower, upper}, Info: rbm.Info{Width: 3, Height: 2}}).Save(j.Model); err != nil {
		t.Fatal(err)
	}
	return j
}

// TestStack: a stack samples, makes features of each layer, and is evaluated; what it cannot do
// is told by name.
func TestStack(t *testing.T) {
	j := stackJob(t)
	for _, tempered := range []bool{false, true} {
		s := &Sampling{Job: j, Count: 10, Sweeps: 20, Tempered: tempered, Files: files(t)}
		if r, err := s.Run(t.Context()); err != nil || r.Samples != 10 || (r.Rungs > 0) != tempered {
			t.Fatalf("%+v, %v", r, err)
		}
		s.holds(t, "samples visible_mean")
	}
	for layer, want := range map[int]int{1: 3, 2: 4} {
		f := &Featuring{Job: j, Name: "pairs", Layer: layer, Gain: 1, Out: filepath.Join(t.TempDir(), "f.npy")}
		if r, err := f.Run(t.Context()); err != nil || r.Features != want {
			t.Errorf("layer %d: %+v, %v", layer, r, err)
		}
	}
	_, err := (&Featuring{Job: j, Name: "pairs", Layer: 3, Gain: 1, Out: "f.npy"}).Run(t.Context())
	wrong(t, "layer", err)
	_, err = (&Sampling{Job: j, Count: 1, Sweeps: 1, Clamp: "top", From: "pairs:0", Files: files(t)}).Run(t.Context())
	wrong(t, "clamp", err)
	integers := &Sampling{Job: j, Count: 5, Sweeps: 20, Integers: true, Files: Files{Out: files(t).Out}}
	if r, err := integers.Run(t.Context()); err != nil || r.Samples != 5 {
		t.Errorf("in integers: %+v, %v", r, err)
	}
	if info, err := os.Stat(integers.Out); err != nil || info.Size() == 0 {
		t.Errorf("no samples: %v", err)
	}
	for to, want := range map[string]string{"c": "", "ising": "--to ising is not for a stack"} {
		e := &Exporting{Model: j.Model, To: to, Out: filepath.Join(t.TempDir(), "model.h"), Name: "m"}
		if r, err := e.Run(); (err == nil) != (want == "") || err == nil && (r.Bytes == 0 || r.Visible != 6) {
			t.Errorf("%s: %+v, %v", to, r, err)
		}
	}
	mending := &Mending{Job: j, Name: "pairs", Flip: 0.1, Chains: 2, Sweeps: 20, Files: files(t)}
	if r, err := mending.Run(t.Context()); err != nil || r.Before == nil {
		t.Errorf("%+v, %v", r, err)
	}
	mending.holds(t, "mean restored seen")
	completing := &Completing{Job: j, From: "pairs:0-3", Clamp: "0-2", Count: 3, Sweeps: 20, Files: files(t)}
	if r, err := completing.Run(t.Context()); err != nil || len(r.Samples) != 4 || r.Inferred != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	completing.holds(t, "completions given mean")
	completing.Truth = "pairs"
	_, err = completing.Run(t.Context())
	wrong(t, "truth", err)
	m, ok, err := OpenEvaluating(j.Model)
	if !ok || err != nil || Family(m) != rbm.StackModel {
		t.Fatalf("%v, %v", ok, err)
	}
	if l, err := m.Evaluate(t.Context(), pairs(16).Samples, nil, evaluate.Options{}); err != nil || !l.Exact || !l.DataTerms.Exact {
		t.Errorf("%+v, %v", l, err)
	}
}
