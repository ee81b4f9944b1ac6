package learn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"bethe/dataset"
	"bethe/learn"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// grey are samples of grey levels around those of small, and one draw of them.
func grey() learn.Data {
	d := small()
	set := *d.Set
	set.Levels = units.NewLevels(set.Visible(), set.Len())
	all := make([]int, set.Len())
	for a := range all {
		all[a] = a
		for i := range set.Visible() {
			set.Levels.Of(a)[i] = uint8(128 + 90*int(d.Samples.At(i, a)))
		}
	}
	set.Samples = spin.New(set.Visible(), set.Len())
	set.Levels.Draw(set.Samples, all, stream.New(9))
	d.Set = &set
	return d
}

// TestLevels: with levels batches are drawn anew in each epoch, so the machine is another one than of the one draw, and a run that was interrupted
// goes on to the same bytes, also where a batch is all samples.
func TestLevels(t *testing.T) {
	t.Parallel()
	for _, more := range []string{"", `, "batch": 100000`} {
		recipe := quick(more)
		one := grey()
		set := *one.Set
		set.Levels = nil
		one.Set = &set
		machine := func(d learn.Data) [][]byte {
			run := start(t, recipe, learn.Job{Data: d, Seed: 3})
			if _, err := run.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			return texts(t, must(run.File()))
		}
		whole := machine(grey())
		if slices.EqualFunc(whole, machine(one), bytes.Equal) {
			t.Error("levels change nothing")
		}
		job := learn.Job{Data: grey(), Seed: 3, Folder: filepath.Join(t.TempDir(), "run"), Resume: true}
		ctx, cancel := context.WithCancel(t.Context())
		run := start(t, recipe, job)
		if _, err := run.Run(ctx, &diary{after: 25, stop: cancel}); !errors.As(err, new(*learn.InterruptedError)) {
			t.Fatalf("interrupted: %v", err)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		again := start(t, recipe, job)
		if _, err := again.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(whole, texts(t, must(again.File())), bytes.Equal) {
			t.Error("resumed, another machine")
		}
	}
	for name, change := range map[string]func(d *dataset.Set, r *learn.Recipe){
		"missing":  func(d *dataset.Set, _ *learn.Recipe) { d.Missing = spin.New(d.Visible(), d.Len()) },
		"directed": func(_ *dataset.Set, r *learn.Recipe) { *r = directedRecipe() },
	} {
		d, recipe := grey(), quick("")
		change(d.Set, &recipe)
		var wrong *learn.SettingError
		if _, err := learn.Start(recipe, learn.Job{Data: d}); !errors.As(err, &wrong) || wrong.Setting != "binarise" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// directedRecipe is that of a mixture.
func directedRecipe() learn.Recipe {
	r, _, err := learn.ParseRecipe([]byte(`{"model": "mixture", "hidden": 3}`))
	if err != nil {
		panic(err)
	}
	return r
}

// texts returns the arrays of a file except meta.json.
func texts(t *testing.T, file *rbm.File) (out [][]byte) {
	for _, a := range arrays(t, file) {
		out = append(out, must(json.Marshal(a)))
	}
	return out
}
