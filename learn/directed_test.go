package learn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/causes"
	"bethe/learn"
	"bethe/runs"
)

// directed are recipes of directed machines.
func directed(t *testing.T) map[string]learn.Recipe {
	list := map[string]learn.Recipe{}
	for name, text := range map[string]string{
		"mixture": `{"model":"mixture","hidden":4,"epochs":6}`,
		"real":    `{"model":"mixture","hidden":4,"epochs":6,"synapses":"real","restarts":2}`,
		"stdp":    `{"model":"mixture","hidden":4,"rule":"stdp","epochs":3,"counter_bits":6}`,
		"tree":    `{"model":"tree","hidden":3,"states":3,"patch":"4x1","epochs":18}`,
	} {
		var r learn.Recipe
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		list[name] = r
	}
	return list
}

// stopping ends a context after so many steps.
type stopping struct {
	learn.Silent
	stop func()
	left int
}

func (s *stopping) Stepped(learn.Progress) {
	if s.left--; s.left == 0 {
		s.stop()
	}
}

// TestDirected: a run that is interrupted and resumed leaves the bytes of one that was not, and a
// run that is over is not learned again.
func TestDirected(t *testing.T) {
	for name, recipe := range directed(t) {
		t.Run(name, func(t *testing.T) {
			job := learn.Job{Data: labelled(), Seed: 4, Folder: filepath.Join(t.TempDir(), "a"), Validation: labelled(), Evaluation: learn.Evaluation{Asked: true, Data: labelled()}}
			result, err := start(t, recipe, job).Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if result.Causes == nil || result.Causes.Causes != recipe.Hidden || result.Causes.Errors == nil || !result.LogLikelihood.Exact || result.Validation == nil {
				t.Errorf("%+v, %+v", result, result.Causes)
			}
			want, err := os.ReadFile(result.Model)
			if err != nil {
				t.Fatal(err)
			}
			f, err := causes.Load(result.Model)
			if err != nil || f.Info.Samples != 200 || f.Info.Settings["rule"] == nil || f.Info.Settings["chains"] != nil {
				t.Errorf("%+v, %v", f, err)
			}
			table, err := os.ReadFile(filepath.Join(job.Folder, runs.WinnersFile))
			if err != nil || bytes.Count(table, []byte("\n")) != recipe.Hidden+1 {
				t.Errorf("%s, %v", table, err)
			}
			job.Folder, job.Resume = filepath.Join(t.TempDir(), "b"), true
			ctx, stop := context.WithCancel(t.Context())
			run := start(t, recipe, job)
			_, err = run.Run(ctx, &stopping{stop: stop, left: 2})
			var interrupted *learn.InterruptedError
			if name != "stdp" && !errors.As(err, &interrupted) { // whose steps are three
				t.Fatalf("not interrupted: %v", err)
			}
			if err := run.Close(); err != nil {
				t.Fatal(err)
			}
			resumed := start(t, recipe, job)
			if _, err := resumed.Model(); err == nil {
				t.Error("a model before the end")
			}
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
			over := start(t, recipe, job) // of a run that is over the file is read
			for _, r := range []*learn.Run{resumed, over} {
				m, err := r.Model()
				if err != nil {
					t.Fatal(err)
				}
				if g, ok := m.(*causes.File); !ok || fmt.Sprint(g.LnWeight, g.Synapses, g.Real) != fmt.Sprint(f.LnWeight, f.Synapses, f.Real) {
					t.Errorf("another model: %+v", m)
				}
			}
			if records, err := runs.ReadRecords(job.Folder); err != nil || len(records) < recipe.Epochs {
				t.Errorf("%d records, %v", len(records), err)
			}
		})
	}
}

// TestDirectedGoesOn: a run that is over goes on with more passes, to the machine of a longer run.
func TestDirectedGoesOn(t *testing.T) {
	recipe := directed(t)["mixture"]
	job := learn.Job{Data: small(), Seed: 4, Folder: t.TempDir(), Resume: true}
	run := start(t, recipe, job)
	if _, err := run.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	recipe.Epochs = 9
	more, err := start(t, recipe, job).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	job.Folder = t.TempDir()
	once, err := start(t, recipe, job).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if more.Steps != 9 || *more.Bound != *once.Bound || fmt.Sprint(more.Extended) != "[6]" {
		t.Errorf("%+v, at once %+v", more, once)
	}
}

func TestDirectedSettings(t *testing.T) {
	for text, wrong := range map[string]string{
		`{"model":"forest"}`:                                     "{model",
		`{"model":"mixture","hidden":0}`:                         "{hidden",
		`{"model":"mixture","rule":"adam"}`:                      "{rule",
		`{"model":"tree","rule":"stdp"}`:                         "{rule",
		`{"model":"mixture","patch":"3"}`:                        "{patch",
		`{"model":"tree","patch":"3x"}`:                          "{patch",
		`{"model":"tree","states":-1}`:                           "{states",
		`{"model":"mixture","counter_bits":4}`:                   "{counter_bits",
		`{"model":"mixture","rule":"stdp","counter_bits":40}`:    "{counter_bits",
		`{"model":"mixture","rule":"stdp","homeostasis":-1}`:     "{homeostasis",
		`{"model":"tree","synapses":"real"}`:                     "{synapses",
		`{"model":"mixture","synapses":"sign"}`:                  "{synapses",
		`{"model":"mixture","steps":3}`:                          "{epochs",
		`{"model":"mixture","epochs":-3}`:                        "{epochs",
		`{"model":"mixture","restarts":0}`:                       "{restarts",
		`{"model":"mixture","beta":-1}`:                          "{beta",
		`{"model":"mixture","rule":"stdp","hidden":99999999999}`: "{hidden",
	} {
		r, _, err := learn.ParseRecipe([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		_, err = learn.Start(r, learn.Job{Data: small()})
		var e *learn.SettingError
		if !errors.As(err, &e) || "{"+e.Setting != wrong && !strings.Contains(err.Error(), strings.Trim(wrong, "{")) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, c := range []struct{ model, asked string }{{"mixture", "batch"}, {"mixture", "no_fields"}, {"tree", "time"}, {"", "patch"}, {"rbm", "homeostasis"}} {
		r := learn.Default()
		r.Model = c.model
		if err := r.Foreign("hidden", c.asked, "out"); err == nil {
			t.Errorf("%s of %q is no error", c.asked, c.model)
		}
	}
	r := learn.Default()
	r.Model = "mixture"
	if err := r.Foreign("hidden", "rule", "epochs", "fixed_coupling", "out", "data"); err != nil {
		t.Error(err)
	}
	if got := r.FolderOf("x/digits.npz", 3, true); got != filepath.Join("runs", "digits-mixture100-s3") {
		t.Error(got)
	}
}

// TestChangedSynapses: with other synapses or units, what only a file's have is forgotten.
func TestChangedSynapses(t *testing.T) {
	r, named, err := learn.ParseRecipe([]byte(`{"rate": 0.1, "theta_decay": 0.4, "rare": 0.01, "probe": 9, "sweeps": 2, "settle": 0.3}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ setting, word, left string }{
		{"synapses", "real", "[probe sweeps]"}, {"init", "a.npz", "[probe settle sweeps]"}, {"prior", "a.npz", "[probe settle sweeps]"}, {"patience", "3", "[probe settle sweeps]"}, {"units", "gauss", "[rate settle sweeps theta_decay]"}, {"hidden_units", "group:3", "[rate settle sweeps theta_decay]"}, {"synapses", "sign", "[probe rare rate sweeps theta_decay]"},
	} {
		to, left, err := r.Changed(map[string]string{c.setting: c.word, "chains": "7"}, named)
		if err != nil || fmt.Sprint(left) != c.left || to.Chains == 7 || to.Sweeps != 2 {
			t.Errorf("%s %s: %v, %+v, %v", c.setting, c.word, left, to, err)
		}
	}
}

// TestChanged: with another model or rule, what only a file's model and rule have is forgotten.
func TestChanged(t *testing.T) {
	for _, c := range []struct {
		file, model, rule string
		gone              []string // of the file's names
		want              func(r *learn.Recipe) bool
	}{
		{`{"model":"mixture","hidden":7,"rule":"stdp","counter_bits":6,"homeostasis":2,"epochs":1,"beta":3}`, "", "em", []string{"rule", "counter_bits", "homeostasis", "epochs", "beta"},
			func(r *learn.Recipe) bool {
				return r.Hidden == 7 && r.CounterBits == 0 && r.LearnCoupling && r.Epochs == 0
			}},
		{`{"model":"mixture","hidden":7,"rule":"stdp","counter_bits":6,"epochs":1}`, "mixture", "", nil,
			func(r *learn.Recipe) bool { return r.CounterBits == 6 && r.Rule == "stdp" && r.Epochs == 1 }},
		{`{"model":"tree","hidden":7,"patch":"3","states":5,"epochs":9}`, "mixture", "", []string{"patch", "states"},
			func(r *learn.Recipe) bool {
				return r.Model == "mixture" && r.Patch == "" && r.States == 0 && r.Epochs == 9
			}},
		{`{"model":"mixture","hidden":7,"rule":"stdp","counter_bits":6}`, "tree", "", []string{"rule", "counter_bits"},
			func(r *learn.Recipe) bool { return r.Rule == "em" && r.States > 0 }},
		{`{"model":"tree","hidden":7,"states":5,"epochs":9}`, "rbm", "", []string{"states", "epochs"},
			func(r *learn.Recipe) bool { return r.Rule == "adam" && r.Hidden == 7 && r.Epochs == 0 }},
		{`{"hidden":7,"steps":50,"rate":0.3,"rule":"bayes"}`, "mixture", "", []string{"steps", "rate", "rule"},
			func(r *learn.Recipe) bool { return r.Hidden == 7 && r.Rule == "em" && r.Steps == 0 }},
		{`{"hidden":7,"steps":50,"rate":0.3}`, "", "bayes", nil,
			func(r *learn.Recipe) bool { return r.Steps == 50 && r.Rate == 0.3 }},
		{`{"hidden":7,"rate":0.1,"theta_decay":0.4,"rare":0.01,"probe":9,"momentum":0}`, "", "lion", []string{"rate", "theta_decay"},
			func(r *learn.Recipe) bool { return r.Rare == 0.01 && r.Probe == 9 }},
		{`{"hidden":7,"momentum":0,"field_momentum":0,"theta_decay":0.4,"rate":0.1}`, "", "bayes", []string{"momentum", "theta_decay", "rate"},
			func(r *learn.Recipe) bool { return r.Check() == nil && r.FieldMomentum == 0 }},
	} {
		r, named, err := learn.ParseRecipe([]byte(c.file))
		if err != nil {
			t.Fatal(err)
		}
		words := map[string]string{"model": c.model, "rule": c.rule}
		maps.DeleteFunc(words, func(_, word string) bool { return word == "" })
		to, left, err := r.Changed(words, named)
		if err != nil || len(left) != len(named)-len(c.gone) || slices.ContainsFunc(c.gone, func(name string) bool { return slices.Contains(left, name) }) || to.Foreign(left...) != nil || !c.want(&to) {
			t.Errorf("%s to %q %q: %+v, %v of %v, %v", c.file, c.model, c.rule, to, left, named, err)
		}
	}
}
