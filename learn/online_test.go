package learn_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// TestOnline: steps on batches that come one by one climb the likelihood of all samples,
// and equal batches give equal machines.
func TestOnline(t *testing.T) {
	data := labelled()
	data.Labels = nil
	samples := data.Samples
	run := func(steps int) *rbm.File {
		online, err := learn.StartOnline(quick(`, "settle": 0.3`), learn.Job{Data: data, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for k := range steps {
			p, err := online.Step(t.Context(), bits(samples.Choose(20, rng)), 0)
			if err != nil || p.Step != k+1 || p.Rate != learn.BinaryRate {
				t.Fatalf("step %d: %+v, %v", k, p, err)
			}
		}
		return online.File()
	}
	mean := func(f *rbm.File) (sum float64) {
		machine := f.Machine()
		lnz, err := machine.LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, free := range machine.FreeEnergy(samples) {
			sum -= (free + lnz) / float64(samples.Cols())
		}
		return sum
	}
	first, last, again := run(1), run(200), run(200)
	if a, b := mean(first), mean(last); !(b > a+0.1) {
		t.Errorf("the log-likelihood goes from %v to %v", a, b)
	}
	if q := last.Synapses.(rbm.Uncertain); last.Info.Steps != 200 || last.Info.Samples != 4000 ||
		!q.Signs().Equal(again.Synapses.(rbm.Uncertain).Signs()) || math.Abs(mean(last)-mean(again)) > 0 {
		t.Errorf("%+v, or another machine of the same batches", last.Info)
	}
}

func bits(samples *spin.Matrix) learn.Data { return learn.Data{Set: &dataset.Set{Samples: samples}} }

// TestOnlineKinds: batches of real numbers, of colours and with hidden groups climb as well; the scale of numbers is
// that of the first batch.
func TestOnlineKinds(t *testing.T) {
	for _, c := range []struct {
		units, hidden string
		data          learn.Data
	}{{"gauss", "", table(t, units.Kind{Word: units.Gauss})}, {"potts:3", "", table(t, units.Kind{Word: units.Potts})}, {"", "group:3", small()}} {
		r := learn.Default()
		r.Units, r.HiddenUnits, r.Hidden, r.Rate, r.CouplingRate = c.units, c.hidden, 2, 0.05, 0.1
		r.Suit("rate")
		online, err := learn.StartOnline(r, learn.Job{Data: c.data, Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		likelihood := func() float64 {
			l, err := evaluate.FileLikelihood(t.Context(), online.File(), evaluate.FileSamples{Bits: c.data.Samples, Numbers: c.data.Reals}, nil, evaluate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return l.Mean
		}
		before := likelihood()
		for k := range 400 {
			if p, err := online.Step(t.Context(), c.data, c.data.Len()); err != nil || p.Step != k+1 {
				t.Fatalf("%s, step %d: %+v, %v", c.units, k, p, err)
			}
		}
		if after := likelihood(); !(after > before+0.1) || online.File().Info.Steps != 400 {
			t.Errorf("%s %s: the log-likelihood goes from %v to %v", c.units, c.hidden, before, after)
		}
		other := c.data
		other.Set = &dataset.Set{Samples: spin.New(c.data.Visible(), 4), Kind: units.Kind{Word: units.Group, States: 2}}
		if _, err := online.Step(t.Context(), other, 0); err == nil {
			t.Errorf("%s: a batch of other units is no error", c.units)
		}
	}
}

// TestOnlineErrors: what learning from batches does not do is told.
func TestOnlineErrors(t *testing.T) {
	data := labelled()
	for text, start := range map[string]func() error{
		"no run folder": func() error {
			_, err := learn.StartOnline(quick(""), learn.Job{Data: data, Folder: t.TempDir()})
			return err
		},
		"label_weight": func() error {
			if _, err := learn.StartOnline(quick(`, "rare": 0.1`), learn.Job{Data: data}); err == nil || !strings.Contains(err.Error(), "rare: a first batch") {
				t.Errorf("rare units: %v", err)
			}
			_, err := learn.StartOnline(quick(`, "label_weight": 2`), learn.Job{Data: data})
			return err
		},
		"hidden 0": func() error {
			r := quick("")
			r.Hidden = 0
			_, err := learn.StartOnline(r, learn.Job{Data: data})
			return err
		},
		"a batch of 3 features": func() error {
			online, err := learn.StartOnline(quick(""), learn.Job{Data: data})
			if err == nil {
				_, err = online.Step(t.Context(), bits(spin.New(3, 2)), 0)
			}
			return err
		},
		"model mixture": func() error {
			r := quick("")
			r.Model, r.Rule = "mixture", "em"
			_, err := learn.StartOnline(r, learn.Job{Data: data})
			return err
		},
		"no samples": func() error {
			online, err := learn.StartOnline(quick(""), learn.Job{Data: data})
			if err == nil {
				_, err = online.Step(t.Context(), bits(spin.New(data.Visible(), 0)), 0)
			}
			return err
		},
	} {
		if err := start(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestInitOfOtherMachines: deep machines and other kinds of units go on from a machine in memory of the same kind, with real
// numbers on another scale too; a machine of another kind is told.
func TestInitOfOtherMachines(t *testing.T) {
	numbers := table(t, units.Kind{Word: units.Gauss})
	var files []*rbm.File
	for _, c := range []struct {
		units, hidden string
		layers        []int
		synapses      string
		data          learn.Data
	}{{"gauss", "", []int{2}, "binary", numbers}, {"gauss", "", []int{2}, "real", numbers}, {"potts:3", "", []int{3}, "binary", table(t, units.Kind{Word: units.Potts})},
		{"", "group:3", []int{2}, "binary", small()}, {"", "", []int{4, 3}, "binary", small()}} {
		recipe := func(steps int, rate float64) learn.Recipe {
			r := learn.Default()
			r.Units, r.HiddenUnits, r.Synapses, r.Rate, r.CouplingRate, r.Steps, r.Batch, r.Settle = c.units, c.hidden, c.synapses, rate, 0.3, steps, 1000, 0
			r.SetLayers(c.layers)
			r.Suit("rate", "settle")
			return r
		}
		learned := func(r learn.Recipe, init *rbm.File) (*rbm.File, float64) {
			run := start(t, r, learn.Job{Data: c.data, Seed: 3, Init: init})
			result, err := run.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			file, err := run.File()
			if err != nil {
				t.Fatal(err)
			}
			return file, *result.Bound
		}
		first, bound := learned(recipe(200, 0.05), nil)
		_, again := learned(recipe(1, 1e-9), first)
		_, anew := learned(recipe(1, 1e-9), nil)
		if math.Abs(again-bound) > 0.05 || math.Abs(anew-bound) < 0.2 {
			t.Errorf("%v: the bound is %v, of the machine that goes on %v, of a new one %v", c, bound, again, anew)
		}
		for _, other := range files {
			if _, err := learn.Start(recipe(1, 0.1), learn.Job{Data: c.data, Init: other}); err == nil || !strings.Contains(err.Error(), "the first machine") {
				t.Errorf("%v: a machine of %s units: %v", c, other.VisibleKind, err)
			}
		}
		files = append(files, first)
		r := recipe(1, 0.1)
		r.Restarts = 2
		if _, err := learn.Start(r, learn.Job{Data: c.data, Init: first}); err == nil || !strings.Contains(err.Error(), "restarts") {
			t.Errorf("%v: two starts: %v", c, err)
		}
	}
}

// TestInit: a machine in memory starts learning as its file does; what does not go with a
// first machine is told.
func TestInit(t *testing.T) {
	data := labelled()
	first := start(t, quick(""), learn.Job{Data: data, Seed: 1})
	if _, err := first.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, err := first.File()
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/first.npz"
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := rbm.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var thetas [2][]float32
	for k, job := range []learn.Job{{Data: data, Seed: 2, Init: loaded}, {Data: data, Seed: 2}} {
		recipe := quick("")
		if job.Init == nil {
			recipe.Init = path
		}
		run := start(t, recipe, job)
		if run.Recipe().InitHash == "" {
			t.Error("a run from a machine does not say which")
		}
		if _, err := run.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		f, err := run.File()
		if err != nil {
			t.Fatal(err)
		}
		thetas[k] = f.Synapses.(rbm.Uncertain).Posterior().Theta
	}
	for k, v := range thetas[0] {
		if v != thetas[1][k] {
			t.Fatal("a machine in memory and its file start other runs")
		}
	}
	for text, more := range map[string]string{"restarts 2": `, "restarts": 2`, "fields false": `, "fields": false`, "beta": `, "beta": 1.5`, "units": `, "hidden": 9`} {
		if _, err := learn.Start(quick(more), learn.Job{Data: data, Init: loaded}); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
