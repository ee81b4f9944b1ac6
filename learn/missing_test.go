package learn

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/runs"
	"bethe/stream"
	"bethe/units"
)

// incompleteData are samples of six units. Units 3 to 5 repeat units 0 to 2. Some values
// are missing.
func incompleteData(t *testing.T, kind units.Kind, share float64) Data {
	t.Helper()
	rng := stream.New(4).Rand()
	var b strings.Builder
	for range 300 {
		row := make([]string, 6)
		for i := range 3 {
			row[i] = []string{"0", "1"}[rng.IntN(2)]
			row[i+3] = row[i]
		}
		for i := range row {
			if kind == (units.Kind{Word: units.Gauss}) {
				row[i] += "." + string(rune('0'+rng.IntN(10)))
			}
			if rng.Float64() < share {
				row[i] = ""
			}
		}
		b.WriteString(strings.Join(row, ",") + "\n")
	}
	set, err := dataset.DecodeStream("table", strings.NewReader(b.String()), dataset.Options{Missing: []string{"empty"}, Units: kind, Header: dataset.HeaderNo})
	if err != nil {
		t.Fatal(err)
	}
	return Data{Set: set, Name: "table"}
}

// Learning from data with missing values finds what goes together: the bound lies above that of independent units, -6 ln 2 x
// the share that was observed, and mean field above zero fill.
func TestLearnMissingValues(t *testing.T) {
	bounds := map[string]float64{}
	for _, c := range []struct {
		units, fill string
	}{{"", ""}, {"", "zero"}, {"potts:2", ""}, {"gauss", ""}} {
		recipe := Default()
		recipe.Units, recipe.Fill, recipe.Hidden, recipe.Steps, recipe.Batch = c.units, c.fill, 3, 250, 100
		kind, _ := units.ParseVisible(c.units)
		data := incompleteData(t, kind, 0.2)
		folder := t.TempDir()
		run, err := Start(recipe, Job{Data: data, Seed: 1, Folder: folder, Evaluation: Evaluation{Asked: true, Data: data}})
		if err != nil {
			t.Fatal(err)
		}
		result, err := run.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if result.LogLikelihood == nil || !result.LogLikelihood.Exact {
			t.Errorf("%v: %+v", c, result.LogLikelihood)
		}
		bounds[c.units+c.fill] = *result.Bound
		if c.units == "gauss" { // learning goes on from a machine, also where values are missing
			recipe.Init, recipe.Steps = filepath.Join(folder, runs.ModelFile), 5
			if run, err = Start(recipe, Job{Data: data, Seed: 2}); err != nil {
				t.Fatal(err)
			}
			if result, err = run.Run(t.Context()); err != nil || *result.Bound < bounds["gauss"]-0.2 {
				t.Errorf("5 steps from a machine of %v: %+v, %v", bounds["gauss"], result, err)
			}
		}
	}
	if !(bounds[""] > -2.95 && bounds[""] < 0 && bounds["potts:2"] > -3.15 && bounds["zero"] < bounds[""] && bounds["gauss"] > -8) {
		t.Errorf("bounds %v", bounds)
	}
}

func TestMissingValuesAreRefusedByName(t *testing.T) {
	data := incompleteData(t, units.Kind{}, 0.2)
	for name, change := range map[string]func(*Recipe){
		"stack": func(r *Recipe) { r.Layers, r.Stack = "3,2", true }, "fill": func(r *Recipe) { r.Fill = "mean" }, "meter": func(r *Recipe) { r.Hidden = 17 },
		"rule": func(r *Recipe) {
			r.Model, r.Steps, r.Epochs, r.Rule = "mixture", 0, 1, "stdp"
			r.Suit("rule", "epochs")
		},
	} {
		recipe := Default()
		recipe.Hidden, recipe.Steps = 3, 10
		change(&recipe)
		if _, err := Start(recipe, Job{Data: data, Meter: name == "meter"}); err == nil || name != "fill" && !strings.Contains(err.Error(), "has missing values") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Labels, deep machines, mixtures and the meter take data with missing values: the likelihood of known values lies above that of independent units
// (-6 ln 2 x the share that is seen), and a label that a unit tells is learned.
func TestLearnMissingInOtherWays(t *testing.T) {
	data := incompleteData(t, units.Kind{}, 0.2)
	data.Labels = make([]int, data.Len())
	for a := range data.Labels {
		if data.Samples.At(1, a) > 0 {
			data.Labels[a] = 1
		}
	}
	for name, change := range map[string]func(*Recipe){
		"labels": func(r *Recipe) { r.LabelWeight = 1 }, "deep": func(r *Recipe) { r.SetLayers([]int{4, 2}); r.Suit() }, "meter": func(r *Recipe) {},
		"mixture": func(r *Recipe) { r.Model, r.Hidden, r.Steps, r.Epochs = "mixture", 8, 0, 30; r.Suit("epochs") },
	} {
		recipe := Default()
		recipe.Hidden, recipe.Steps, recipe.Batch, recipe.Chains = 3, 150, 100, 50
		change(&recipe)
		folder := t.TempDir()
		run, err := Start(recipe, Job{Data: data, Seed: 1, Folder: folder, Validation: data, Meter: name == "meter", Evaluation: Evaluation{Asked: true, Data: data}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		result, err := run.Run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if l := result.LogLikelihood; l == nil || !(l.Mean > -2.95 && l.Mean < 0) || result.Validation == nil {
			t.Errorf("%s: %+v", name, l)
		}
		if name != "labels" && name != "meter" {
			continue
		}
		records, err := runs.ReadRecords(folder)
		if err != nil {
			t.Fatal(err)
		}
		last := records[len(records)-1]
		for _, r := range records {
			if r.Meter != nil || r.Labels != nil {
				last = r
			}
		}
		if name == "labels" && (last.Labels == nil || !(last.Labels.Error < 0.3)) {
			t.Errorf("labels: %+v", last.Labels)
		}
		if name == "meter" && (last.Meter == nil || !(last.Meter.Validation.Value > -2.95 && last.Meter.Validation.Value < 0)) {
			t.Errorf("meter: %+v", last.Meter)
		}
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	}
}
