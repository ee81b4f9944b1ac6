package learn_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/learn"
	"bethe/rbm"
	"bethe/variational"
)

// TestKinds: each kind of synapses, rule, engine and partition term learns, and ships
// a machine of its kind.
func TestKinds(t *testing.T) {
	for more, bits := range map[string]int{
		"": 60, `, "synapses": "real", "decay": 0.01`: 60 * 32, `, "synapses": "sampled"`: 60, `, "synapses": "sign"`: 60,
		`, "rule": "bayes"`: 60, `, "rule": "clipped", "rate": 0.1`: 60, `, "rule": "hyperadam"`: 60, `, "momentum": 0`: 60, `, "fields": false, "centre": false, "learn_coupling": false`: 60,
		`, "estep": "exact"`: 60, `, "estep": "auto"`: 60, `, "estep": "bethe"`: 60, `, "estep": "tap", "chains": 3`: 60, `, "final_sweeps": 3`: 60,
		`, "partition": "quenched", "centre": false, "estep": "exact", "draws": 4`: 60, `, "label_weight": 3`: 60, `, "undecided": "draw"`: 60,
	} {
		recipe := quick(more)
		run := start(t, recipe, learn.Job{Data: labelled(), Seed: 5, MeasureEvery: 5})
		result, err := run.Run(t.Context())
		if err != nil {
			t.Errorf("%s: %v", more, err)
			continue
		}
		file, err := run.File()
		if err != nil {
			t.Fatal(err)
		}
		real := recipe.Synapses == "real"
		q, uncertain := file.Synapses.(rbm.Uncertain)
		if result.SynapseBits != bits || (result.Polarised == nil) != real || uncertain == real || math.IsNaN(*result.Bound) || (result.BoundAnnealed != nil) != (recipe.Partition == "quenched") {
			t.Errorf("%s: %+v", more, result)
		}
		if recipe.Undecided == "sign" && uncertain && !q.Signs().Equal(q.Posterior().Sign()) {
			t.Errorf("%s: the synapses are not the signs", more)
		}
	}
}

// TestCheck: each setting out of its range is told by its name.
func TestCheck(t *testing.T) {
	for _, c := range []struct{ setting, text string }{
		{"hidden", `{"hidden": -1}`}, {"beta", `{"beta": -1}`}, {"steps", `{"epochs": -1}`}, {"steps", `{"time": "-1s"}`}, {"batch", `{"batch": 0}`}, {"rate", `{"rate": -1}`},
		{"restarts", `{"restarts": 0}`}, {"synapses", `{"synapses": "ternary"}`}, {"partition", `{"synapses": "real", "partition": "quenched", "centre": false}`},
		{"settle", `{"settle": 0.5, "rule": "bayes"}`}, {"settle", `{"settle": 2}`}, {"settle", `{"settle": -1}`}, {"rule", `{"synapses": "sign", "rule": "bayes"}`}, {"rule", `{"rule": "sgd"}`},
		{"decay", `{"synapses": "real", "decay": -1}`}, {"decay", `{"decay": 0.1}`}, {"prior_strength", `{"prior_strength": -1}`}, {"prior_form", `{"prior_form": "stiff", "prior": "a.npz"}`}, {"prior_form", `{"prior_form": "elastic"}`}, {"field_prior", `{"field_prior": 1}`}, {"field_prior", `{"field_prior": -1, "init": "a.npz"}`}, {"label_weight", `{"label_weight": -1}`},
		{"prior", `{"prior": "x", "synapses": "real"}`}, {"init", `{"init": "x", "restarts": 2}`}, {"init", `{"init": "x", "fields": false}`},
		{"estep", `{"partition": "quenched", "centre": false, "estep": "chains"}`}, {"estep", `{"estep": "magic"}`}, {"partition", `{"partition": "both"}`}, {"centre", `{"partition": "quenched"}`},
		{"undecided", `{"undecided": "both", "settle": 0}`}, {"prior_scale", `{"prior_scale": -1}`}, {"fall", `{"fall": "sideways"}`}, {"final_rate", `{"final_rate": 0}`}, {"warmup", `{"warmup": 1}`},
		{"average", `{"average": 1.5}`}, {"coupling_rate", `{"coupling_rate": -1}`}, {"max_theta", `{"max_theta": 0}`}, {"final_sweeps", `{"final_sweeps": -1}`}, {"chains", `{"chains": 0}`},
		{"sweeps", `{"sweeps": 0}`}, {"scouts", `{"scouts": -1}`}, {"draws", `{"draws": 3}`},
	} {
		r, _, err := learn.ParseRecipe([]byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		var e *learn.SettingError
		if err := r.Check(); !errors.As(err, &e) || e.Setting != c.setting || strings.Contains(err.Error(), "--") {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	for _, infinite := range []func(r *learn.Recipe, v float64){
		func(r *learn.Recipe, v float64) { r.Rate = v }, func(r *learn.Recipe, v float64) { r.Beta = v }, func(r *learn.Recipe, v float64) { r.MaxTheta = v },
		func(r *learn.Recipe, v float64) { r.LabelWeight = v }, func(r *learn.Recipe, v float64) { r.Decay = v }, func(r *learn.Recipe, v float64) { r.Average = v },
	} {
		for _, v := range []float64{math.Inf(1), math.NaN()} {
			r := learn.Default()
			infinite(&r, v)
			if r.Check() == nil {
				t.Errorf("%v is taken: %+v", v, r)
			}
		}
	}
}

// TestDiverged: numbers that are not finite end a run, and the error names the
// checkpoint that is left.
func TestDiverged(t *testing.T) {
	recipe := quick(`, "rate": 1e300, "centre": false`)
	_, err := start(t, recipe, learn.Job{Data: small()}).Run(t.Context())
	if !errors.Is(err, variational.ErrDiverged) || strings.Contains(err.Error(), "is whole") {
		t.Errorf("in memory: %v", err)
	}
	folder := filepath.Join(t.TempDir(), "run")
	_, err = start(t, recipe, learn.Job{Data: small(), Folder: folder}).Run(t.Context())
	if !errors.Is(err, variational.ErrDiverged) || !strings.Contains(err.Error(), "the checkpoint of step 0 is whole, in "+folder) {
		t.Errorf("in a folder: %v", err)
	}
}

// TestReadRecipe: errors name the file, and a large one is not read to its end.
func TestReadRecipe(t *testing.T) {
	folder := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{"bad": {`{"hiden": 1}`, "hiden"}, "large": {strings.Repeat(" ", 1<<21), "larger than"}, "right": {`{"hidden": 7}`, ""}} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		r, named, err := learn.ReadRecipe(path)
		if c.want == "" {
			if err != nil || r.Hidden != 7 || len(named) != 1 || named[0] != "hidden" {
				t.Errorf("%+v, %v, %v", r, named, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := learn.ReadRecipe(filepath.Join(folder, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}
