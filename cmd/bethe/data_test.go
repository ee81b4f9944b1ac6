package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"bethe/internal/npy"
)

// saved writes a file of the test's folder.
func saved(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Decisions about a table are reported in one line, and in JSON.
func TestDataInfoOfTables(t *testing.T) {
	path := saved(t, "digits.csv", ",label,a,b,c\n0,7,200,0,3\n1,8,0,250,3\n2,7,9,130,3\n")
	status, stdout, stderr := bethe(t, t.Context(), "data", "info", path, "--threshold", "127", "--json")
	if status != exitDone || stderr != path+`: line 1 is a header; column 2 ("label") holds the labels; column 1 ("") numbers or names the rows and is left out`+"\n" {
		t.Errorf("status %d, %q", status, stderr)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"data": path, "format": "CSV", "samples": 3.0, "visible": 3.0, "threshold": 127.0, "header": true, "dropped_columns": []any{""}, "labels_in": "label",
		"range": []any{0.0, 250.0}, "up_share": 0.333333, "constant_spins": 1.0, "labels": map[string]any{"7": 2.0, "8": 1.0},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if _, _, stderr := bethe(t, t.Context(), "data", "info", path, "--threshold", "127", "--quiet"); stderr != "" {
		t.Errorf("--quiet says %q", stderr)
	}
	for _, c := range []struct {
		flags string
		want  map[string]any
	}{
		{"--columns 3-5 --label-column label", map[string]any{"visible": 3.0, "labels_in": "label"}},
		{"--columns a,b --threshold 100", map[string]any{"visible": 2.0, "threshold": 100.0}},
		{"--drop-column c --drop-column label,1", map[string]any{"visible": 2.0, "labels": nil}},
	} {
		v := object(t, append([]string{"data", "info", path, "--threshold", "127"}, strings.Fields(c.flags)...)...)
		for key, value := range c.want {
			if !reflect.DeepEqual(v[key], value) {
				t.Errorf("%s: %s is %v, not %v", c.flags, key, v[key], value)
			}
		}
	}
	words := saved(t, "species.csv", "a,b,kind\n1,0,bee\n0,1,ant\n1,1,bee\n")
	if v := object(t, "data", "info", words, "--label-column", "kind"); !reflect.DeepEqual(v["labels"], map[string]any{"ant": 1.0, "bee": 2.0}) {
		t.Errorf("labels %v", v["labels"])
	}
}

// Columns of arrays are chosen as those of tables are.
func TestDataInfoOfArrays(t *testing.T) {
	var table []int8
	for a := range int8(8) {
		table = append(table, a, a%2, a%3)
	}
	var content bytes.Buffer
	if err := npy.Write(&content, []int{8, 3}, table); err != nil {
		t.Fatal(err)
	}
	path := saved(t, "counted.npy", content.String())
	status, stdout, stderr := bethe(t, t.Context(), "data", "info", path, "--label-column", "-1", "--json")
	if status != exitDone || stderr != path+": column 1 counts the rows and is left out\n" {
		t.Errorf("status %d, %q", status, stderr)
	}
	for _, part := range []string{`"visible": 1,`, `"labels_in": "3"`, `"dropped_columns": [`} {
		if !strings.Contains(stdout, part) {
			t.Errorf("no %s in %s", part, stdout)
		}
	}
	if v := object(t, "data", "info", path, "--columns", "2", "--samples-axis", "first"); v["visible"] != 1.0 || v["labels"] != nil {
		t.Errorf("%v", v)
	}
	if v := object(t, "data", "info", path, "--samples-axis", "last", "--threshold", "1"); v["samples"] != 3.0 || v["visible"] != 8.0 {
		t.Errorf("%v", v)
	}
	if _, _, stderr := bethe(t, t.Context(), "data", "info", "mnist:test", "--drop-column", "1"); stderr != "mnist:test: which columns and arrays to read is said of files, and changes nothing here\n" {
		t.Errorf("%q", stderr)
	}
}

// Learning takes lists of columns as data info does, over a recipe too.
func TestTrainColumns(t *testing.T) {
	path := saved(t, "t.csv", "name,a,b,c,d\nx,1,0,1,0\ny,0,1,1,0\nz,1,1,0,1\n")
	recipe := saved(t, "recipe.json", `{"hidden": 2, "steps": 3}`)
	for flags, want := range map[string]int{
		"--drop-column name --hidden 2 --steps 3": 4, "--drop-column 1 --drop-column d --hidden 2 --steps 3": 3, "--columns 2-3,d --recipe " + recipe: 3,
	} {
		folder := filepath.Join(t.TempDir(), "run")
		object(t, append([]string{"train", "--data", path, "--out", folder}, strings.Fields(flags)...)...)
		var run struct{ Visible int }
		text, err := os.ReadFile(filepath.Join(folder, "run.json"))
		if err != nil || json.Unmarshal(text, &run) != nil || run.Visible != want {
			t.Errorf("%s: %d spins, not %d, %v", flags, run.Visible, want, err)
		}
	}
}

// Errors of data name flags, whatever the library calls them.
func TestDataErrors(t *testing.T) {
	levels := saved(t, "levels.csv", "0.5,0.25\n0.75,0\n")
	for args, want := range map[string]string{
		levels:                      "state a finite grey level with --threshold",
		levels + " --threshold 127": "levels lie in 0 to 0.75, none above the threshold 127: every spin would be -1; state a level between the two with --threshold",
		levels + " --binarise stochastic --white 1e9":           "state the level of white with --white",
		levels + " --header maybe":                              `--header "maybe": it is yes, no or auto`,
		saved(t, "two.csv", "0,1\n1,1\n"):                       "say with --header whether the first row holds names",
		saved(t, "words.csv", "a,b\n1,ant\n0,bee\n"):            "leave the column out with --drop-column, take it for labels with --label-column",
		saved(t, "labels.csv", "label,class,a\n1,2,1\n0,1,0\n"): "say which columns hold spins with --columns",
		"mnist --transpose":                                     "--transpose",
	} {
		status, _, stderr := bethe(t, t.Context(), append([]string{"data", "info"}, strings.Fields(args)...)...)
		if status == exitDone || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", args, status, stderr)
		}
	}
}

// - is standard input, whatever is in it.
func TestStandardInput(t *testing.T) {
	stdin := os.Stdin
	defer func() { os.Stdin = stdin }()
	from := func(text string) {
		f, err := os.Open(saved(t, "x", text))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		os.Stdin = f
	}
	from("a,b\n1,0\n0,1\n1,1\n")
	if v := object(t, "data", "info", "-"); v["samples"] != 3.0 || v["header"] != true {
		t.Errorf("%v", v)
	}
	model, data := trained(t)
	whole := string(read(t, data))
	for name, samples := range map[string]float64{"-": 200, "-:0,5-7": 4} {
		from(whole)
		if v := object(t, "eval", model, "--data", name); v["samples"] != samples {
			t.Errorf("%s: %v", name, v)
		}
	}
	from(whole)
	out := filepath.Join(t.TempDir(), "run")
	if v := object(t, "train", "--data", "-", "--hidden", "3", "--steps", "5", "--evaluate", "--out", out); v["evaluated_on"] != "-" {
		t.Errorf("%v", v)
	}
	from("")
	if status, _, stderr := bethe(t, t.Context(), "data", "info", "-"); status != exitFailed || !strings.Contains(stderr, "standard input: is empty") {
		t.Errorf("an empty one: status %d, %s", status, stderr)
	}
}

// Words for classes are the same classes in the data that a classifier learns
// from and is tested on.
func TestClassesOfTwoFiles(t *testing.T) {
	model, data := trained(t)
	lines := strings.Split(strings.TrimSpace(string(read(t, data))), "\n")
	table := func(classes ...string) string {
		var b strings.Builder
		for k, line := range lines {
			b.WriteString(line + "," + classes[k%len(classes)] + "\n")
		}
		return saved(t, "t.csv", b.String())
	}
	args := []string{"features", model, "--classifier", "--label-column", "13", "--data", table("cow", "bee")}
	var even []string // the samples that are cows
	for k := 0; k < len(lines); k += 2 {
		even = append(even, strconv.Itoa(k))
	}
	v := object(t, append(args, "--test", table("cow")+":"+strings.Join(even, ","))...)["classifier"].(map[string]any)
	if v["classes"] != 2.0 || v["test_samples"] != 100.0 || !(v["test_error"].(float64) < 0.2) {
		t.Errorf("%v", v)
	}
	for class, want := range map[string]string{"ant": `has samples of "ant", a class that`, "7": "those of one are words"} {
		if status, _, stderr := bethe(t, t.Context(), append(args, "--test", table(class))...); status != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", class, status, stderr)
		}
	}
}
