package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/learn"
	"bethe/rbm"
)

// TestTrainRecipe: flags give the recipe that their settings in JSON give.
func TestTrainRecipe(t *testing.T) {
	for args, settings := range map[string]string{
		"":                         `{}`,
		"--hidden 500 --time 10m":  `{"hidden": 500, "time": "10m"}`,
		"--hidden 2000 --beta 0.7": `{"hidden": 2000, "beta": 0.7}`,
		"--hidden 10 --settle 0":   `{"hidden": 10, "settle": 0}`,
		"--undecided draw":         `{"undecided": "draw"}`,
		"--no-fields --no-centre --fixed-coupling --beta 1":                     `{"fields": false, "centre": false, "learn_coupling": false, "beta": 1}`,
		"--rule bayes --steps 7 --batch 3 --restarts 2 --prior-strength 0.5":    `{"rule": "bayes", "steps": 7, "batch": 3, "restarts": 2, "prior_strength": 0.5}`,
		"--synapses real --decay 0.1 --epochs 3":                                `{"synapses": "real", "decay": 0.1, "epochs": 3}`,
		"--synapses sign --hidden 400 --rate 0.1 --label-weight 3":              `{"synapses": "sign", "hidden": 400, "rate": 0.1, "label_weight": 3}`,
		"--fall cosine --final-rate 0.1 --warmup 0.2 --average 0 --max-theta 3": `{"fall": "cosine", "final_rate": 0.1, "warmup": 0.2, "average": 0, "max_theta": 3}`,
		"--coupling-rate 0.2 --final-sweeps 4 --scouts 0 --chains 9 --sweeps 2": `{"coupling_rate": 0.2, "final_sweeps": 4, "scouts": 0, "chains": 9, "sweeps": 2}`,
		"--momentum 0 --rule clipped":                                           `{"momentum": 0, "rule": "clipped"}`,
		"--estep tap --draws 8 --prior a.npz --prior-scale 0.5":                 `{"estep": "tap", "draws": 8, "prior": "a.npz", "prior_scale": 0.5}`,
		"--partition quenched --no-centre --init b.npz":                         `{"partition": "quenched", "centre": false, "init": "b.npz"}`,
	} {
		var f trainFlags
		cmd := newTrainCommandOf(&f, nil)
		if err := cmd.ParseFlags(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
		if err := f.complete(cmd.Flags()); err != nil {
			t.Fatal(err)
		}
		var want learn.Recipe
		if err := json.Unmarshal([]byte(settings), &want); err != nil {
			t.Fatal(err)
		}
		if f.recipe != want {
			t.Errorf("%s: %+v\nnot %+v", args, f.recipe, want)
		}
	}
}

// A machine that has settled is saved with the signs of its posterior; the
// bound that is reported stays the posterior's.
func TestSettledMachine(t *testing.T) {
	data := small(t)
	v := object(t, "train", "--data", data, "--hidden", "3", "--steps", "60", "--batch", "50", "--out", t.TempDir())
	file, err := rbm.Load(v["model"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if !file.Machine().Signs().Equal(posteriorOf(file).Sign()) {
		t.Error("the saved synapses are not the signs of the posterior")
	}
	e := object(t, "eval", v["model"].(string), "--data", data)
	if mean := e["log_likelihood"].(map[string]any)["mean"].(float64); !(v["bound_per_sample"].(float64) < mean) {
		t.Errorf("bound %v, log-likelihood %v of the data learned from", v["bound_per_sample"], mean)
	}
}

// TestRecipeFile: the run.json of a run learns its machine again; flags beside it go
// before, and what follows from them follows.
func TestRecipeFile(t *testing.T) {
	data, folder := small(t), t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	common := []string{"train", "--data", data, "--seed", "3"}
	first := object(t, append(common, "--hidden", "4", "--steps", "30", "--batch", "50", "--no-centre", "--rate", "0.1", "--out", in("first"))...)
	again := object(t, append(common, "--recipe", in("first/run.json"), "--out", in("again"))...)
	if !bytes.Equal(read(t, first["model"].(string)), read(t, again["model"].(string))) {
		t.Error("the recipe of a run learns another machine")
	}
	object(t, append(common, "--recipe", in("first/run.json"), "--steps", "20", "--synapses", "real", "--no-centre=false", "--out", in("other"))...)
	s := settingsOf(t, in("other"))
	if s["steps"] != 20.0 || s["batch"] != 50.0 || s["synapses"] != "real" || s["learn_coupling"] != false || s["centre"] != true || s["rate"] != 0.1 {
		t.Errorf("settings %v", s)
	}
	for text, want := range map[string]string{`{"hiden": 3}`: "hiden", `{"rate": -1}`: "--rate -1: it must be positive and finite", `{"centre": true, "partition": "quenched"}`: "--no-centre", "": "JSON"} {
		if err := os.WriteFile(in("bad.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := bethe(t, t.Context(), append(common, "--recipe", in("bad.json"), "--out", in("bad"))...)
		if status != exitUsage || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", text, status, stderr)
		}
	}
	for _, limit := range []string{"--steps 0", "--time 0s", "--epochs 0"} {
		if status, _, stderr := bethe(t, t.Context(), append(common, append(strings.Fields(limit), "--out", in("bad"))...)...); status != exitUsage || !strings.Contains(stderr, limit+": learning needs a limit") {
			t.Errorf("no steps: status %d, %s", status, stderr)
		}
	}
	if status, _, stderr := bethe(t, t.Context(), append(common, "--rule", "bayes", "--momentum", "0.9", "--out", in("bad"))...); status != exitUsage || !strings.Contains(stderr, "--rule bayes has none") {
		t.Errorf("a rule without momentum: status %d, %s", status, stderr)
	}
	if status, _, stderr := bethe(t, t.Context(), "train", "--recipe", in("missing.json")); status != exitUsage || !strings.Contains(stderr, "missing.json") {
		t.Errorf("no recipe: status %d, %s", status, stderr)
	}
}
