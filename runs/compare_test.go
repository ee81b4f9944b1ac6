package runs

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"bethe/setting"
)

// TestCompare: a summary has the last record, the last bound and the last estimates,
// and the settings that differ.
func TestCompare(t *testing.T) {
	folder := t.TempDir()
	exact := Record{Step: 9, Fraction: 1, LogLikelihood: &LogLikelihood{Exact: &Estimate{-5, -5, -5}}, Validation: &LogLikelihood{Reverse: &Estimate{-6, -7, -5}}}
	for _, r := range []struct {
		name     string
		settings map[string]any
		records  []Record
	}{
		{"a", map[string]any{"rate": 0.1, "hidden": 3, "rule": "adam"}, []Record{full(1), {Step: 2, Seconds: 3, Fraction: 0.5, Coupling: 0.25}}},
		{"b", map[string]any{"rate": 0.2, "hidden": 4, "rule": "adam", "theta_decay": 0.4}, []Record{full(1), exact}},
		{"c", nil, nil},
	} {
		path := filepath.Join(folder, r.name)
		write(t, filepath.Join(path, "x"), "")
		if err := WriteInfo(path, Info{Verb: "train", Data: r.name, Visible: 2, Hidden: 1, Seed: 7, Settings: r.settings}); err != nil {
			t.Fatal(err)
		}
		log, _, err := OpenLog(path, -1, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, record := range r.records {
			if err := log.Append(record); err != nil {
				t.Fatal(err)
			}
		}
		log.Close()
	}
	write(t, filepath.Join(folder, "b", ResultFile), "{}")
	c, err := Compare(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Runs) != 3 || !reflect.DeepEqual(c.Differ, []string{"rate", "theta_decay"}) {
		t.Fatalf("%+v", c)
	}
	a, b, none := c.Runs[0], c.Runs[1], c.Runs[2]
	if a.Steps != 2 || a.Fraction != 0.5 || *a.Coupling != 0.25 || *a.Bound != -120 || *a.Forward != -119 || *a.Reverse != -122 || a.Finished || a.Settings["rate"] != 0.1 || len(a.Settings) != 1 || a.Seed != 7 {
		t.Errorf("%+v", a)
	}
	if b.Steps != 9 || *b.Bound != -120 || *b.Forward != -5 || *b.Reverse != -5 || !b.Finished {
		t.Errorf("%+v", b)
	}
	if none.Steps != 0 || none.Bound != nil || none.Coupling != nil || none.Settings != nil || none.Run != "c" {
		t.Errorf("%+v", none)
	}
	if all, err := Compare(folder); err != nil || all.Runs[0].Validation != nil || all.Runs[1].Validation == nil || *all.Runs[1].Validation != -6 {
		t.Errorf("validation: %+v, %v", all, err)
	}
	if _, err := Compare(filepath.Join(folder, "nothing")); err == nil {
		t.Error("no folder is no error")
	}
}

// TestStackSummary: a stack has the steps and seconds of its layers, and all their sizes.
func TestStackSummary(t *testing.T) {
	folder := t.TempDir()
	for name, layers := range map[string][]int{"stack": {3, 2}, "stack/layer-1": nil, "stack/layer-2": nil} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := WriteInfo(filepath.Join(folder, name), Info{Verb: "train", Visible: 6, Hidden: 3, Layers: layers}); err != nil {
			t.Fatal(err)
		}
		if layers == nil {
			if err := os.WriteFile(filepath.Join(folder, name, MetricsFile), []byte(`{"step":20,"seconds":1.5,"fraction":1}`+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, err := Compare(folder)
	if err != nil || len(c.Runs) != 3 || c.Runs[0].Steps != 40 || c.Runs[0].Seconds != 3 || c.Runs[0].units() != "6 x 3 x 2" || c.Runs[1].Steps != 20 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestSort: the largest goes first, what was not measured last; runs that are alike keep their order.
func TestSort(t *testing.T) {
	one, two := Number(-1), Number(-2)
	c := &Comparison{Runs: []Summary{{Run: "c", Steps: 3}, {Run: "a", Steps: 3, Bound: &two}, {Run: "b", Steps: 9, Bound: &one}}}
	for by, want := range map[string]string{"": "cab", "bound": "bac", "steps": "bca", "run": "abc", "reverse": "cab"} {
		sorted, got := Comparison{Runs: slices.Clone(c.Runs)}, ""
		if err := sorted.Sort(by); err != nil {
			t.Error(err)
		}
		for _, s := range sorted.Runs {
			got += s.Run
		}
		if got != want {
			t.Errorf("by %q: %s, not %s", by, got, want)
		}
	}
	var wrong *setting.Error
	if err := c.Sort("data"); !errors.As(err, &wrong) {
		t.Error(err)
	}
}
