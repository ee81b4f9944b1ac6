package learn_test

import (
	"math"
	"path/filepath"
	"testing"

	"bethe/learn"
	"bethe/runs"
)

// TestBoundOfSigns: once signs settle by thetas that decay, the bound pays for synapses that are known for sure, along the way and at the
// end. Before, and without a decay, it pays for the posterior.
func TestBoundOfSigns(t *testing.T) {
	for _, c := range []struct {
		more  string
		signs bool
	}{{`, "settle": 0.3`, true}, {`, "settle": 0.3, "theta_decay": 0`, false}} {
		folder, data := filepath.Join(t.TempDir(), "run"), small()
		run := start(t, quick(c.more), learn.Job{Data: data, Seed: 3, Folder: folder, MeasureEvery: 5})
		if _, err := run.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r := run.Recipe()
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		records, err := runs.ReadRecords(folder)
		if err != nil {
			t.Fatal(err)
		}
		up := 1 / (1 + math.Exp(-8)) // of a sign, by theta = 4
		entropy := -up*math.Log(up) - (1-up)*math.Log(1-up)
		sure := float64(data.Visible()*r.Hidden) * (math.Ln2 - entropy) / float64(data.Len())
		settled := 0
		for _, record := range records {
			if record.Bound == nil {
				continue
			}
			settles := record.Fraction >= 0.7
			if settles {
				settled++
			}
			if got := float64(record.Bound.KL); (math.Abs(got-sure) < 1e-4*sure) != (c.signs && settles) {
				t.Errorf("%s: step %d: a divergence of %v, where signs have %v", c.more, record.Step, got, sure)
			}
		}
		if settled < 2 {
			t.Errorf("%s: %d bounds while signs settle", c.more, settled)
		}
	}
}

// TestNoDoubtOfDivergence: a bound that is low only as it pays for many synapses by few samples sets off no warning.
func TestNoDoubtOfDivergence(t *testing.T) {
	recipe := quick(`, "settle": 0.3`)
	recipe.Hidden = 300
	run := start(t, recipe, learn.Job{Data: small(), Seed: 3})
	result, err := run.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *result.Bound > -15 || result.Doubt != "" {
		t.Errorf("bound %v, doubt %q", *result.Bound, result.Doubt)
	}
}
