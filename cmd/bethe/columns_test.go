package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestColumnsOfModels: every verb that takes a model reads tables in the order of the columns that it learned from, of
// any family; another threshold is said.
func TestColumnsOfModels(t *testing.T) {
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	names, table, turned := strings.Split("abcdef", ""), strings.Builder{}, strings.Builder{}
	row := func(cells []string) {
		table.WriteString(strings.Join(cells, ",") + "\n")
		cells = slices.Clone(cells)
		slices.Reverse(cells)
		turned.WriteString(strings.Join(cells, ",") + "\n")
	}
	row(names)
	for k := range 40 {
		cells := make([]string, 6)
		for i := range cells {
			cells[i] = string("09"[(k>>(i/2)+k*i/5)&1])
		}
		row(cells)
	}
	for name, text := range map[string]string{"table.csv": table.String(), "turned.csv": turned.String()} {
		if err := os.WriteFile(in(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, family := range []string{"rbm", "mixture"} {
		limit := "--steps"
		if family == "mixture" {
			limit = "--epochs"
		}
		run := in(family)
		object(t, "train", "--data", in("table.csv"), "--threshold", "5", "--model", family, "--hidden", "3", limit, "40", "--out", run)
		mean := func(data string) any {
			return object(t, "eval", run, "--data", data, "--threshold", "5")["log_likelihood"].(map[string]any)["mean"]
		}
		if a, b := mean(in("table.csv")), mean(in("turned.csv")); a != b {
			t.Errorf("%s: %v of a table and %v of the same with its columns turned", family, a, b)
		}
		for _, data := range []string{"table.csv", "turned.csv"} {
			object(t, "features", run, "--data", in(data), "--threshold", "5", "--out", in(data+".npy"))
		}
		if !bytes.Equal(read(t, in("table.csv.npy")), read(t, in("turned.csv.npy"))) {
			t.Errorf("%s: features depend on the order of the columns", family)
		}
		_, _, said := bethe(t, t.Context(), "eval", run, "--data", in("turned.csv"), "--threshold", "6")
		if !strings.Contains(said, "read in that of the model") || !strings.Contains(said, "above 6 are +1 here; in what the model learned from those above 5") {
			t.Errorf("%s: it says %q", family, said)
		}
	}
	if doubt, _ := object(t, "train", "--data", in("table.csv"), "--threshold", "5", "--hidden", "30", "--steps", "1", "--beta", "10", "--out", in("begun"))["doubt"].(string); !strings.Contains(doubt, "below independent units") {
		t.Errorf("a run of one step at a coupling of 4 has the doubt %q", doubt)
	}
}
