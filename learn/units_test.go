package learn_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/units"
)

// table writes two clusters of four numbers on odd scales, a constant column between them,
// or whole numbers 0 to 2, and reads them as units of a kind.
func table(t *testing.T, kind units.Kind) learn.Data {
	t.Helper()
	var text strings.Builder
	rng := rand.New(rand.NewPCG(1, 2))
	for range 120 {
		s := float64(2*rng.IntN(2) - 1)
		for k := range 5 {
			v := 100 + 30*(s+0.5*rng.NormFloat64())
			switch {
			case kind.Word == units.Potts:
				v = float64(rng.IntN(2) + int(s+1)/2)
			case k == 2:
				v = 7
			case k == 3:
				v = 0.001 * (s + 0.3*rng.NormFloat64())
			}
			if k > 0 {
				text.WriteString(",")
			}
			fmt.Fprintf(&text, "%g", v)
		}
		text.WriteString("\n")
	}
	path := filepath.Join(t.TempDir(), "table.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Read(path, dataset.Options{Units: kind})
	if err != nil {
		t.Fatal(err)
	}
	return learn.Data{Set: set, Name: "table.csv"}
}

// A machine of real numbers learns beyond independent ones, drops the constant column, gives
// means and deviations in the units of the data, and a run that is interrupted goes on to the same bytes.
func TestLearnsRealNumbers(t *testing.T) {
	r := learn.Default()
	r.Units, r.Hidden, r.Steps, r.Batch, r.Rate, r.CouplingRate = "gauss", 2, 200, 1000, 0.05, 0.5
	r.Suit("rate")
	data := table(t, units.Kind{Word: units.Gauss})
	run, err := learn.Start(r, learn.Job{Data: data, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	result, err := run.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c := run.Constant(); len(c) != 1 || c[0] != 2 {
		t.Errorf("constant columns %v", c)
	}
	file, err := run.File()
	if err != nil {
		t.Fatal(err)
	}
	l, err := evaluate.FileLikelihood(t.Context(), file, evaluate.FileSamples{Numbers: data.Reals}, nil, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	independent := -2 * (1 + math.Log(2*math.Pi)) // four standardised numbers
	if !(l.Mean > independent+1 && *result.Bound < l.Mean+0.05 && l.Exact) {
		t.Errorf("%v nats, bound %v, independent numbers %v", l.Mean, *result.Bound, independent)
	}
	if off := l.Mean - *l.InDataUnits - (3*math.Log(33.5) + math.Log(0.00104)); math.Abs(off) > 0.3 {
		t.Errorf("%v nats in the units of the data, %v in deviations", *l.InDataUnits, l.Mean)
	}
	if n := file.Visible(); n != 4 || math.Abs(file.VisibleOwn[n]-100) > 15 || math.Abs(file.VisibleOwn[n+2]) > 0.001 {
		t.Errorf("%d units of means %v", n, file.VisibleOwn[n:])
	}
	path := filepath.Join(t.TempDir(), "model.npz")
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := rbm.LoadKinds(path)
	if err != nil || math.Abs(back.Coupling()-file.Coupling()) > 1e-12 || len(back.Scale.Mean) != 5 {
		t.Fatalf("%+v, %v", back, err)
	}
	if _, err := rbm.Load(path); !errors.Is(err, rbm.ErrNotSpins) {
		t.Errorf("as a machine of spins: %v", err)
	}

	folder := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(t.Context())
	first, err := learn.Start(r, learn.Job{Data: data, Seed: 2, Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Run(ctx, &stopper{at: 60, stop: cancel}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	first.Close()
	second, err := learn.Start(r, learn.Job{Data: data, Seed: 2, Folder: folder, Resume: true})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	again, err := second.Run(t.Context())
	if err != nil || *again.Bound != *result.Bound {
		t.Errorf("resumed to the bound %v, not %v (%v)", again, *result.Bound, err)
	}
}

// stopper ends a run at a step.
type stopper struct {
	learn.Silent
	at   int
	stop func()
}

func (s *stopper) Stepped(p learn.Progress) {
	if p.Step >= s.at {
		s.stop()
	}
}

// factors are samples of five numbers that share one normal factor, which chains mix over.
func factors() learn.Data {
	rng := rand.New(rand.NewPCG(3, 4))
	set := &dataset.Set{Reals: units.NewReals[float32](5, 150), Kind: units.Kind{Word: units.Gauss}}
	for a := range 150 {
		z := rng.NormFloat64()
		for i := range 5 {
			set.Reals.Row(i)[a] = float32(0.8*z*float64(1-2*(i%2)) + 0.6*rng.NormFloat64())
		}
	}
	set.Samples = spin.FromSigns(5, 150, set.Reals.Values())
	return learn.Data{Set: set, Name: "factors"}
}

// Machines with a Gaussian layer learn from chains as well as by enumeration, and a run that is
// interrupted goes on to the same machine.
func TestGaussianChains(t *testing.T) {
	for _, c := range []struct {
		visible, hidden string
		data            learn.Data
	}{{"gauss", "", factors()}, {"", "gauss", small()}} {
		for _, synapses := range []string{"binary", "real"} {
			if testing.Short() && synapses == "real" {
				continue // the same loops draw its chains
			}
			var means, sums [2]float64
			var rho *float64
			for k, estep := range []string{"exact", "chains"} {
				r := learn.Default()
				r.Units, r.HiddenUnits, r.Hidden, r.Steps, r.Batch, r.Synapses, r.Rate, r.CouplingRate, r.Estep, r.Chains = c.visible, c.hidden, 2, 100, 1000, synapses, 0.05, 0.2, estep, 100
				r.Suit("rate")
				run, err := learn.Start(r, learn.Job{Data: c.data, Seed: 1, MeasureEvery: 50})
				if err != nil {
					t.Fatal(err)
				}
				result, err := run.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				rho = result.SmallestRho
				file, err := run.File()
				if err != nil {
					t.Fatal(err)
				}
				l, err := evaluate.FileLikelihood(t.Context(), file, evaluate.FileSamples{Bits: c.data.Samples, Numbers: c.data.Reals}, nil, evaluate.Options{})
				if err != nil {
					t.Fatal(err)
				}
				means[k], sums[k] = l.Mean, file.Sum()
				if estep == "exact" {
					continue
				}
				folder := filepath.Join(t.TempDir(), "run")
				ctx, cancel := context.WithCancel(t.Context())
				first, err := learn.Start(r, learn.Job{Data: c.data, Seed: 1, Folder: folder, MeasureEvery: 50})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := first.Run(ctx, &stopper{at: 45, stop: cancel}); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
				first.Close()
				second, err := learn.Start(r, learn.Job{Data: c.data, Seed: 1, Folder: folder, Resume: true, MeasureEvery: 50})
				if err != nil {
					t.Fatal(err)
				}
				again, err := second.Run(t.Context())
				second.Close()
				if err != nil || *again.Bound != *result.Bound {
					t.Errorf("%v, %s: resumed to the bound %v, not %v (%v)", c, synapses, again, *result.Bound, err)
				}
			}
			if means[1] < means[0]-0.3 || sums[0] == sums[1] {
				t.Errorf("%q %q, %s: %.3f nats by chains, %.3f by enumeration", c.visible, c.hidden, synapses, means[1], means[0])
			}
			if binary := synapses == "binary"; (rho != nil) != binary || binary && !(*rho > 0 && *rho < 1) {
				t.Errorf("%q %q, %s: smallest rho %v", c.visible, c.hidden, synapses, rho)
			}
		}
	}
}

// Colours, groups and Gaussian hidden units learn beyond independent units, and what cannot be is
// an error of its setting.
func TestLearnsOtherKinds(t *testing.T) {
	colours := table(t, units.Kind{Word: units.Potts})
	if colours.Kind.States != 3 || colours.Visible() != 15 || colours.Units() != 5 {
		t.Fatalf("%v, %d features", colours.Kind, colours.Visible())
	}
	for _, c := range []struct {
		visible, hidden string
		count           int
		data            learn.Data
	}{{"potts:3", "", 2, colours}, {"potts:3", "group:2", 1, colours}, {"", "group:3", 1, small()}, {"", "gauss", 2, small()}, {"gauss", "group:2", 1, table(t, units.Kind{Word: units.Gauss})}} {
		for _, synapses := range []string{"binary", "real"} {
			r := learn.Default()
			r.Units, r.HiddenUnits, r.Hidden, r.Steps, r.Batch, r.Synapses, r.Rate, r.CouplingRate = c.visible, c.hidden, c.count, 60, 1000, synapses, 0.05, 0.5
			r.Suit("rate")
			run, err := learn.Start(r, learn.Job{Data: c.data, Seed: 1, MeasureEvery: 30})
			if err != nil {
				t.Fatalf("%v: %v", c, err)
			}
			result, err := run.Run(t.Context())
			if err != nil || math.IsNaN(*result.Bound) {
				t.Fatalf("%v, %s: %v", c, synapses, err)
			}
			file, err := run.File()
			if err != nil {
				t.Fatal(err)
			}
			l, err := evaluate.FileLikelihood(t.Context(), file, evaluate.FileSamples{Bits: c.data.Samples, Numbers: c.data.Reals}, nil, evaluate.Options{})
			if err != nil || !l.Exact {
				t.Fatalf("%v, %s: %+v, %v", c, synapses, l, err)
			}
			if *result.Bound > l.Mean+0.2 {
				t.Errorf("%v, %s: the bound is %v, the likelihood %v", c, synapses, *result.Bound, l.Mean)
			}
		}
	}
	for name, change := range map[string]func(r *learn.Recipe){
		"units": func(r *learn.Recipe) { r.Units = "ising" }, "hidden_units": func(r *learn.Recipe) { r.Units, r.HiddenUnits = "gauss", "gauss" },
		"partition": func(r *learn.Recipe) {
			r.HiddenUnits, r.Partition, r.Centre, r.Settle = "group:3", "quenched", false, 0
		}, "estep": func(r *learn.Recipe) { r.HiddenUnits, r.Estep = "group:3", "bethe" },
		"label_weight": func(r *learn.Recipe) { r.HiddenUnits, r.LabelWeight = "group:3", 1 },
	} {
		r := learn.Default()
		r.Steps = 1
		change(&r)
		run, err := learn.Start(r, learn.Job{Data: small(), Seed: 1})
		if err == nil {
			_, err = run.Run(t.Context())
		}
		var wrong *setting.Error
		if !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
