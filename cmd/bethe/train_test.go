package main

import (
	"math"
	"strings"
	"testing"

	"bethe/rbm"
)

// What is not asked for suits the machine: where coupling starts, and whether
// the signs settle, which those of the paper's machine do not.
func TestTrainDefaults(t *testing.T) {
	for _, c := range []struct {
		args            string
		visible         int
		coupling, beta  float64 // one of them
		settle          float64
		fixed, withSign bool
	}{
		{"--hidden 500", 784, 1 / math.Sqrt(500), 0, defaultSettle, false, true},
		{"--hidden 2000 --beta 0.7", 784, 0, 0.7, defaultSettle, false, true},
		{"--hidden 10", 784, 0, mostBeta, defaultSettle, false, true},
		{"--hidden 10 --settle 0", 784, 0, mostBeta, 0, false, false},
		{"--hidden 10 --undecided draw", 784, 0, mostBeta, 0, false, false},
		{"--no-fields --no-centre --fixed-coupling --beta 1", 784, 0, 1, 0, true, false},
		{"--rule bayes", 784, 0, mostBeta, 0, false, false},
		{"--synapses real", 784, 0, realBeta, 0, true, false},
		{"--synapses sign --hidden 400", 784, 0.05, 0, 0, false, true},
	} {
		var f trainFlags
		cmd := newTrainCommandOf(&f, nil)
		if err := cmd.ParseFlags(strings.Fields(c.args)); err != nil {
			t.Fatal(err)
		}
		f.byKind(cmd.Flags().Changed)
		if err := f.check(); err != nil {
			t.Fatal(err)
		}
		f.setBeta(c.visible)
		want := c.beta
		if c.coupling > 0 {
			want = c.coupling * math.Sqrt(float64(c.visible))
		}
		if math.Abs(f.beta-want) > 1e-12 || f.schedule.settle != c.settle || f.fixedCoupling != c.fixed || (f.undecided == "sign") != c.withSign {
			t.Errorf("%s: beta %v, settle %v, fixed coupling %v, undecided %s", c.args, f.beta, f.schedule.settle, f.fixedCoupling, f.undecided)
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
