package learn_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"bethe/evaluate"
	"bethe/learn"
	"bethe/setting"
)

// deepSettings are those of machines of two and of three hidden layers, with what a deep machine has.
var deepSettings = map[string]string{
	"two layers":  `, "hidden": 5, "layers": [5, 3], "stage": 0.2`,
	"drawn":       `, "hidden": 5, "layers": [5, 3], "recognition": "drawn", "upper_coupling": "learned"`,
	"stationary":  `, "hidden": 5, "layers": [5, 3], "recognition": "stationary", "estep": "exact"`,
	"three":       `, "hidden": 5, "layers": [5, 3, 4], "recognition": "mean", "upper_coupling": "fixed", "label_weight": 2`,
	"signs alone": `, "hidden": 5, "layers": [5, 3], "synapses": "sign"`,
	"real":        `, "hidden": 5, "layers": [5, 3], "synapses": "real"`,
}

// deepRecipe is quick with other settings.
func deepRecipe(more string) learn.Recipe {
	more, _ = strings.CutPrefix(more, `, "hidden": 5`)
	return quick(more)
}

// A deep machine has the same bytes with one thread and with several, and where it was
// interrupted and went on.
func TestDeepBytes(t *testing.T) {
	for name, more := range deepSettings {
		t.Run(name, func(t *testing.T) {
			r := deepRecipe(more)
			learned := func(job learn.Job) []any {
				run := start(t, r, job)
				result, err := run.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(result.Layers) != len(r.Layers.Sizes()) || result.Layers[1].Coupling <= 0 {
					t.Errorf("layers %+v", result.Layers)
				}
				file, err := run.File()
				if err != nil {
					t.Fatal(err)
				}
				return arrays(t, file)
			}
			want := learned(learn.Job{Data: labelled(), Seed: 3})
			before := runtime.GOMAXPROCS(1)
			one := learned(learn.Job{Data: labelled(), Seed: 3})
			runtime.GOMAXPROCS(before)
			if !reflect.DeepEqual(want, one) {
				t.Error("another machine on one thread")
			}
			job := learn.Job{Data: labelled(), Seed: 3, Folder: filepath.Join(t.TempDir(), "run"), Resume: true, Checkpoints: learn.Interval{Steps: 7}}
			ctx, cancel := context.WithCancel(t.Context())
			run := start(t, r, job)
			var interrupted *learn.InterruptedError
			if _, err := run.Run(ctx, &diary{after: 25, stop: cancel}); !errors.As(err, &interrupted) {
				t.Fatalf("interrupted: %v", err)
			}
			if err := run.Close(); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(want, learned(job)) {
				t.Error("another machine after an interruption")
			}
		})
	}
}

// Upper couplings stay where they are held, until learning settles.
func TestUpperCouplings(t *testing.T) {
	for how, moves := range map[string]bool{"held": true, "learned": true, "fixed": false} {
		run := start(t, deepRecipe(`, "layers": [5, 3], "upper_coupling": "`+how+`"`), learn.Job{Data: small(), Seed: 3, MeasureEvery: 1})
		seen := &diary{}
		result, err := run.Run(t.Context(), seen)
		if err != nil {
			t.Fatal(err)
		}
		const held = 0.4472135954999579 // 1/sqrt(5)
		if moved := float64(result.Layers[1].Coupling) != held; moved != moves {
			t.Errorf("%s: ends at %v", how, result.Layers[1].Coupling)
		}
	}
}

// A deep machine is evaluated and validated along the way, in a folder with its layers.
func TestDeepRun(t *testing.T) {
	d := small()
	rest, held, err := learn.HoldOut(d, 0.2, 1)
	if err != nil {
		t.Fatal(err)
	}
	job := learn.Job{Data: rest, Validation: held, Seed: 1, Folder: filepath.Join(t.TempDir(), "run"), Pictures: &crayons{},
		Evaluation: learn.Evaluation{Asked: true, Data: d, Options: evaluate.Options{}}}
	run := start(t, deepRecipe(`, "layers": [5, 3]`), job)
	result, err := run.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l := result.LogLikelihood; l == nil || !l.Exact || l.DataTerms == nil || !l.DataTerms.Exact || l.Mean < -12 || l.Mean > 0 || result.Validation == nil {
		t.Errorf("%+v", result)
	}
	if result.SynapseBits != 12*5+5*3 {
		t.Errorf("%d bits", result.SynapseBits)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	job.Resume = true
	if again := start(t, deepRecipe(`, "layers": [5, 3]`), job); !again.Finished() {
		t.Error("the run is not known to be over")
	}
}

func TestDeepRecipes(t *testing.T) {
	r := deepRecipe(`, "layers": [5, 3]`)
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"hidden":5,`) || !strings.Contains(string(text), `"layers":[5,3],"recognition":"aware"`) {
		t.Errorf("%s, %v", text, err)
	}
	back, _, err := learn.ParseRecipe(text)
	if err != nil || back != r {
		t.Errorf("%+v, %v", back, err)
	}
	if text, _ := json.Marshal(quick("")); strings.Contains(string(text), "layers") || strings.Contains(string(text), "recognition") {
		t.Errorf("a machine of one hidden layer says %s", text)
	}
	if r.HiddenWords() != "5-3" {
		t.Error(r.HiddenWords())
	}
	if r.SetLayers([]int{7}); r.HiddenWords() != "7" || r.Above != (learn.Above{}) {
		t.Errorf("%+v", r.Above)
	}
	for more, of := range map[string]string{
		`, "stage": 0.1`:                               "hidden",
		`, "layers": [5]`:                              "hidden",
		`, "layers": [5, 0]`:                           "hidden",
		`, "layers": [6, 3]`:                           "hidden",
		`, "layers": [5, 3], "recognition": "deep"`:    "recognition",
		`, "layers": [5, 3], "recognition_rounds": -1`: "recognition_rounds",
		`, "layers": [5, 3], "stage": 1`:               "stage",
		`, "layers": [5, 3], "upper_coupling": "free"`: "upper_coupling",
		`, "layers": [5, 3], "partition": "quenched", "centre": false, "estep": "exact"`: "partition",
		`, "layers": [5, 3], "init": "x.npz"`:                                            "hidden",
	} {
		r, _, err := learn.ParseRecipe([]byte(`{"hidden": 5, "steps": 10` + more + `}`))
		if err != nil {
			t.Fatal(err)
		}
		var e *setting.Error
		if err := r.Check(); !errors.As(err, &e) || e.Setting != of {
			t.Errorf("%s: %v", more, err)
		}
	}
}
