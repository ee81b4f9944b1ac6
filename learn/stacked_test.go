package learn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
)

// stackRecipe is a recipe of a stack of layers of the given sizes.
func stackRecipe(t *testing.T, layers string) learn.Recipe {
	t.Helper()
	var r learn.Recipe
	if err := json.Unmarshal([]byte(`{"hidden":6,"layers":`+layers+`,"stack":true,"steps":60,"batch":50,"chains":20,"settle":0.3}`), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStack: a stack is learned layer by layer; one that is interrupted and resumed, with another
// number of threads, leaves the bytes of one that was not.
func TestStack(t *testing.T) {
	recipe := stackRecipe(t, "[6,5,3]")
	recipe.Together, recipe.LabelWeight = 60, 2
	job := learn.Job{Data: labelled(), Seed: 4, Folder: filepath.Join(t.TempDir(), "a"), Validation: small(), Evaluation: learn.Evaluation{Asked: true, Data: labelled()}}
	result, err := start(t, recipe, job).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := small().Visible()
	if len(result.Stack) != 3 || result.Steps != 240 || result.Together == nil || !result.Together.Kept || result.Together.After <= result.Together.Before || result.SynapseBits != n*6+6*5+5*3 || result.LogLikelihood == nil || result.Stack[2].Validation == nil || result.Stack[0].LogLikelihood != nil {
		t.Errorf("%+v", result)
	}
	want, err := os.ReadFile(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := rbm.LoadStack(result.Model)
	if err != nil || stack.Info.Steps != 240 || stack.Info.Settings["stack"] != true {
		t.Fatalf("%+v, %v", stack, err)
	}
	job.Folder, job.Resume = filepath.Join(t.TempDir(), "b"), true
	for _, left := range []int{30, 50, 125} { // in the first machine, in the second, and in all together
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		ctx, stop := context.WithCancel(t.Context())
		run := start(t, recipe, job)
		_, err = run.Run(ctx, &stopping{stop: stop, left: left})
		var interrupted *learn.InterruptedError
		if !errors.As(err, &interrupted) {
			t.Fatalf("not interrupted: %v", err)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
	resumed := start(t, recipe, job)
	again, err := resumed.Run(t.Context())
	if err == nil {
		err = resumed.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(again.Model); err != nil || !bytes.Equal(got, want) {
		t.Errorf("resumed, other bytes: %v", err)
	}
	over := start(t, recipe, job)
	if !over.Finished() {
		t.Error("it is over, and would be learned again")
	}
	if m, err := over.Model(); err != nil || len(m.(*rbm.Stack).Files) != 3 {
		t.Errorf("%v, %v", m, err)
	}
	for _, model := range []string{result.Model, again.Model} { // all together is in the records of the stack, resumed or not
		var of []runs.Record
		if err := runs.EachRecords(filepath.Dir(model), func(some []runs.Record) { of = append(of, some...) }); err != nil {
			t.Fatal(err)
		}
		if n := len(of); n < 2 || of[0].Step != 0 || of[n-1].Step != 60 || of[n-1].Fraction != 1 || !slices.IsSortedFunc(of, func(a, b runs.Record) int { return a.Step - b.Step }) {
			t.Fatalf("records of steps %d to %d", of[0].Step, of[len(of)-1].Step)
		}
		first, last := of[0], of[len(of)-1]
		if first.Validation == nil || last.LogLikelihood.Mean() != runs.Number(result.Together.After) || first.LogLikelihood.Mean() >= last.LogLikelihood.Mean() || len(last.Layers) != 3 {
			t.Errorf("first %+v, last %+v", first, last)
		}
		for l, layer := range last.Layers {
			if !(layer.Coupling > 0 && layer.Spread > 0 && layer.Mean > 0 && layer.Polarised >= 0) {
				t.Errorf("layer %d: %+v", l+1, layer)
			}
		}
	}
	if _, err := start(t, recipe, learn.Job{Data: labelled(), Seed: 4}).Run(t.Context()); err != nil {
		t.Errorf("without a folder: %v", err)
	}
}

// TestStackDoesNotFall: if the widths allow, the next machine starts as the one below upside down. The
// stack that is kept is no worse than the machine below alone, by exact sums.
func TestStackDoesNotFall(t *testing.T) {
	for name, c := range map[string]struct {
		layers, rate string
		copied       bool
	}{"learned": {"[6,12]", "0.02", false}, "ruined by a huge rate": {"[6,12]", "3", true}} {
		recipe := stackRecipe(t, c.layers)
		recipe.Momentum, recipe.FieldMomentum = learn.DefaultMomentum, learn.DefaultMomentum // without it the rate ruins nothing
		recipe.Suit("momentum", "field_momentum")
		if err := json.Unmarshal([]byte(c.rate), &recipe.Rate); err != nil {
			t.Fatal(err)
		}
		data := small()
		if data.Visible() != 12 {
			t.Fatalf("%d visible units", data.Visible())
		}
		run := start(t, recipe, learn.Job{Data: data, Seed: 1})
		result, err := run.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m, err := run.Model()
		if err != nil {
			t.Fatal(err)
		}
		stack := evaluate.Stack(m.(*rbm.Stack).Machines())
		alone, err := evaluate.Likelihood(t.Context(), evaluate.OnMachine(stack[0]), data.Samples, evaluate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, bounds, err := stack.Exact(t.Context(), data.Samples)
		if err != nil {
			t.Fatal(err)
		}
		var bound float64
		for _, v := range bounds {
			bound += v / float64(len(bounds))
		}
		if result.Stack[1].Copied != c.copied {
			t.Errorf("%s: copied %v", name, result.Stack[1].Copied)
		}
		const slack = 0.02 // the machines were compared on draws, one per sample
		if bound < alone.Mean-slack {
			t.Errorf("%s: the bound fell from %.4f to %.4f", name, alone.Mean, bound)
		}
	}
}

// TestTogetherDoesNotFall: the first steps at a huge rate ruin what the last ones at a small rate have learned, and are not kept.
func TestTogetherDoesNotFall(t *testing.T) {
	recipe := stackRecipe(t, "[6,5]")
	recipe.Rate, recipe.FinalRate, recipe.Fall = 2, 0.001, "geometric"
	job := learn.Job{Data: small(), Seed: 1}
	learned := func() ([]*rbm.File, *learn.Result) {
		run := start(t, recipe, job)
		result, err := run.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m, err := run.Model()
		if err != nil {
			t.Fatal(err)
		}
		return m.(*rbm.Stack).Files, result
	}
	before, _ := learned()
	recipe.Together = 2
	after, result := learned()
	if r := result.Together; r.Kept || r.After >= r.Before {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(result.Heading(), "stays in its place") {
		t.Errorf("%q", result.Heading())
	}
	for k, file := range before {
		if !reflect.DeepEqual(file.Params, after[k].Params) || !reflect.DeepEqual(file.Synapses, after[k].Synapses) {
			t.Errorf("machine %d changed", k+1)
		}
	}
}

// TestStackRecipes: settings that do not go with a stack are told by name.
func TestStackRecipes(t *testing.T) {
	for want, change := range map[string]func(*learn.Recipe){
		"stack":    func(r *learn.Recipe) { r.SetLayers([]int{4}) },
		"beta":     func(r *learn.Recipe) { r.Beta = 1 },
		"hidden":   func(r *learn.Recipe) { r.Prior = "x.npz" },
		"rate":     func(r *learn.Recipe) { r.Rate = -1 },
		"together": func(r *learn.Recipe) { r.Together, r.Synapses, r.Settle, r.Rate = 5, "real", 0, 0.02 },
	} {
		r := stackRecipe(t, "[6,5]")
		change(&r)
		var e *setting.Error
		if err := r.Check(); !errors.As(err, &e) || e.Setting != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	r := stackRecipe(t, "[6,5]")
	r.Stage = 0.3
	if r.Check() == nil {
		t.Error("a stage of a stack is no error")
	}
	r = deepRecipe(`, "layers": [6, 5]`)
	if r.Together = 3; r.Check() == nil {
		t.Error("together without a stack is no error")
	}
	r = stackRecipe(t, "[6,5]")
	if got := r.FolderOf("mnist", 2, true); got != filepath.Join("runs", "mnist-stack6-5-s2") {
		t.Errorf("folder %s", got)
	}
}
