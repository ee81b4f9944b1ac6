package learn_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/evaluate"
	"bethe/learn"
	"bethe/runs"
)

// TestHoldOut: every sample is either held out or stays, once, in its order and with its
// label; the same seed holds out the same.
func TestHoldOut(t *testing.T) {
	data := labelled()
	rest, held, err := learn.HoldOut(data, 0.1, 3)
	if err != nil || rest.Len() != 180 || held.Len() != 20 || len(rest.Labels) != 180 || len(held.Labels) != 20 || rest.Name != data.Name || !strings.Contains(held.Name, "20 samples held out of small") {
		t.Fatal(rest.Len(), held.Len(), held.Name, err)
	}
	column := func(d learn.Data, a int) (text string) {
		for i := range d.Visible() {
			text += string(rune('0' + (d.Samples.At(i, a)+1)/2))
		}
		return text + string(rune('0'+d.Labels[a]))
	}
	var want, got []string
	for a := range data.Len() {
		want = append(want, column(data, a))
	}
	for _, d := range []learn.Data{rest, held} {
		for a := range d.Len() {
			got = append(got, column(d, a))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Error("other samples")
	}
	again, _, err := learn.HoldOut(data, 0.1, 3)
	other, _, errOther := learn.HoldOut(data, 0.1, 4)
	if err != nil || errOther != nil || again.Samples.Hash() != rest.Samples.Hash() || other.Samples.Hash() == rest.Samples.Hash() {
		t.Error("the seed does not decide", err, errOther)
	}
	for _, share := range []float64{0, 1, -0.1, 1.5, 0.001, 0.999, math.NaN(), math.Inf(1)} {
		if _, _, err := learn.HoldOut(data, share, 3); err == nil || !strings.Contains(err.Error(), "validation") {
			t.Errorf("a share of %v: %v", share, err)
		}
	}
}

// TestValidation: validation does not change the machine. Records hold likelihoods of held-out samples along the way
// and at the end; the last is exact, of the saved machine. The result has it too, even
// if validation was asked for when the run was over.
func TestValidation(t *testing.T) {
	rest, held, err := learn.HoldOut(small(), 0.2, 3)
	if err != nil {
		t.Fatal(err)
	}
	plain := start(t, quick(""), learn.Job{Data: rest, Seed: 2})
	if _, err := plain.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	without, err := plain.File()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	job := learn.Job{Data: rest, Seed: 2, Folder: out, MeasureEvery: 1, Resume: true}
	over := start(t, quick(""), job)
	if _, err := over.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := over.Close(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{filepath.Join(t.TempDir(), "anew"), out} {
		job.Folder, job.Validation = folder, held
		run := start(t, quick(""), job)
		result, err := run.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file, err := run.File()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(arrays(t, file), arrays(t, without), same) {
			t.Error("validation changes the machine")
		}
		want, err := evaluate.Likelihood(t.Context(), evaluate.OnMachine(file.Machine()), held.Samples, evaluate.Options{Temperatures: 1, Chains: 2, Equilibration: 8})
		if err != nil || !want.Exact || result.Validation == nil || math.Abs(float64(result.Validation.Mean())-want.Mean) > 1e-9 || result.Validation.Data != held.Name {
			t.Errorf("%+v, not %v, %v", result.Validation, want.Mean, err)
		}
		records, err := runs.ReadRecords(folder)
		if err != nil {
			t.Fatal(err)
		}
		var steps []int
		for _, r := range records {
			if r.Validation != nil {
				steps = append(steps, r.Step)
			}
		}
		if wantSteps := []int{10, 20, 30, 40}; folder != out && !slices.Equal(steps, wantSteps) || folder == out && !slices.Equal(steps, wantSteps[3:]) {
			t.Errorf("validated at %v", steps)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
