package learn_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/evaluate"
	"bethe/learn"
	"bethe/runs"
)

// What scouts met stands beside the model, the same bytes if the run was interrupted, and the search of the
// evaluation begins at it. Without scouts there is no file.
func TestScouted(t *testing.T) {
	recipe := quick(`, "hidden": 30, "steps": 250`)
	run := func(folder string, recipe learn.Recipe, interrupted bool) *learn.Result {
		job := learn.Job{Data: small(), Seed: 3, Folder: folder, Resume: true,
			Evaluation: learn.Evaluation{Asked: true, Data: small(), Options: evaluate.Options{Temperatures: 20, Chains: 4, Equilibration: 20, Anneal: true}}}
		r := start(t, recipe, job)
		if interrupted {
			ctx, stop := context.WithCancel(t.Context())
			if _, err := r.Run(ctx, &diary{after: 150, stop: stop}); err == nil {
				t.Fatal("not interrupted")
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			r = start(t, recipe, job)
		}
		result, err := r.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	whole, parts := t.TempDir(), t.TempDir()
	result := run(whole, recipe, false)
	if s := result.LogLikelihood.Equilibrium.Search; s.Remembered != 2 {
		t.Errorf("%d states of two rounds", s.Remembered)
	}
	run(parts, recipe, true)
	a, b := must(os.ReadFile(filepath.Join(whole, runs.ScoutsFile))), must(os.ReadFile(filepath.Join(parts, runs.ScoutsFile)))
	if string(a) != string(b) {
		t.Error("an interrupted run leaves other states")
	}
	states, path, err := learn.Scouted(result.Model, 12)
	if err != nil || states.Cols() != 2 || states.Rows() != 12 || path != filepath.Join(whole, runs.ScoutsFile) {
		t.Errorf("%v states in %s, %v", states, path, err)
	}
	if _, _, err := learn.Scouted(result.Model, 13); err == nil || !strings.Contains(err.Error(), runs.ScoutsFile) {
		t.Errorf("%v", err)
	}
	recipe.Scouts = 0
	without := t.TempDir()
	if result := run(without, recipe, false); result.LogLikelihood.Equilibrium.Search.Remembered != 0 {
		t.Errorf("%+v", result.LogLikelihood.Equilibrium.Search)
	}
	if states, _, err := learn.Scouted(filepath.Join(without, runs.ModelFile), 12); states != nil || err != nil {
		t.Errorf("%v, %v", states, err)
	}
	if err := os.WriteFile(filepath.Join(without, runs.ScoutsFile), []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := learn.Scouted(filepath.Join(without, runs.ModelFile), 12); err == nil || !strings.Contains(err.Error(), runs.ScoutsFile) {
		t.Errorf("%v", err)
	}
}
