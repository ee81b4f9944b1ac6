package learn

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"bethe/dataset"
	"bethe/setting"
	"bethe/spin"
)

// striped are samples of six spins that are all alike.
func striped() Data {
	s := spin.New(6, 40)
	for a := range 40 {
		for i := range 6 {
			s.Set(i, a, int8(2*(a&1)-1))
		}
	}
	return Data{Set: &dataset.Set{Samples: s}, Name: "striped"}
}

// TestPlanned: a trial tells steps, time and memory, and writes nothing.
func TestPlanned(t *testing.T) {
	defer func(old time.Duration) { trialTime = old }(trialTime)
	trialTime = 10 * time.Millisecond
	t.Chdir(t.TempDir())
	recipe := Default()
	recipe.Hidden, recipe.Steps, recipe.Restarts = 3, 500, 2
	job := Job{Data: striped(), Seed: 1, Folder: "runs/x"}
	p, err := Planned(t.Context(), recipe, job)
	if err != nil || p.Steps != 1000 || p.Visible != 6 || len(p.Hidden) != 1 || p.Hidden[0] != 3 || p.Samples != 40 || p.StepSeconds <= 0 || p.Bytes < 100 || p.Folder != "runs/x" {
		t.Fatalf("%+v, %v", p, err)
	}
	if text := p.Text(); !strings.HasPrefix(text, "6 x 3 units, 40 samples: 1000 steps of about ") {
		t.Error(text)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("%v was written", left)
	}
	recipe.Stack = true
	recipe.SetLayers([]int{3, 2})
	var wrong *setting.Error
	if _, err := Planned(t.Context(), recipe, job); !errors.As(err, &wrong) {
		t.Error(err)
	}
	f := Recipe{Batch: 10, Epochs: 3, Time: time.Second, Steps: 100}
	if n := f.stepsOf(40, 0.001); n != 12 {
		t.Errorf("%d steps of 3 passes through 40 samples", n)
	}
	if n := f.stepsOf(40, 0.5); n != 2 {
		t.Errorf("%d steps of half a second in one", n)
	}
}

// TestDoubt: a bound far below independent units, and a coupling that is lost, are told.
func TestDoubt(t *testing.T) {
	recipe := Default()
	recipe.Hidden = 4
	r := &Run{recipe: recipe, job: Job{Data: striped()}}
	alone := -6 * 0.6931
	for _, c := range []struct {
		bound, coupling, divergence float64
		want                        string
	}{{alone - 3, 0.5, 0, "3.0 nats below independent units"}, {alone - 1, 0.5, 0, ""}, {alone, 0.001, 0, "the coupling fell to 0.001"}, {alone + 1, 0.001, 0, ""}, {-0.7, 0.5, 0, ""},
		{alone - 30, 0.5, 31, ""}, {alone - 30, 0.5, 27, "3.0 nats below independent units"}, {alone - 30, 0.001, 30, "the coupling fell to 0.001"}} {
		got := r.doubt(&Result{Bound: &c.bound, Coupling: c.coupling}, c.divergence)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("bound %v, coupling %v: %q", c.bound, c.coupling, got)
		}
	}
	if got := r.doubt(&Result{}, 0); got != "" {
		t.Error(got)
	}
}
