package bethe_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"bethe"
	"bethe/dataset"
	"bethe/spin"
)

// What tests read of the module, before they go to a folder of their own.
var readme, example, root string

func TestMain(m *testing.M) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	var err error
	root, err = os.Getwd()
	must(err)
	text, err := os.ReadFile("README.md")
	must(err)
	readme = string(text)
	text, err = os.ReadFile("example_test.go")
	must(err)
	example = string(text)
	bars, err := os.ReadFile(filepath.Join("testdata", "bars.csv"))
	must(err)
	folder, err := os.MkdirTemp("", "bethe")
	must(err)
	must(os.Chdir(folder))
	must(os.WriteFile("bars.csv", bars, 0o644))
	status := m.Run()
	must(os.RemoveAll(folder))
	os.Exit(status)
}

// TestReadme: the README's program is the one that the example runs, in at most 20
// lines.
func TestReadme(t *testing.T) {
	found := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(readme)
	if found == nil {
		t.Fatal("the README has no program")
	}
	program := found[1]
	if lines := strings.Count(program, "\n"); lines > 20 {
		t.Errorf("the program has %d lines", lines)
	}
	// The example is the same, but for the names that tests need and the output.
	want := strings.NewReplacer("package bethe_test", "package main", "func Example()", "func main()").Replace(example)
	want = regexp.MustCompile(`(?m)^\t// Output:.*\n`).ReplaceAllString(want, "")
	if program != want {
		t.Errorf("the README's program\n%s\nis not the example\n%s", program, want)
	}
}

// TestFit: the same arguments give the same model. Its file can be read again, and so
// can its samples, which are as likely as they should be.
func TestFit(t *testing.T) {
	ctx, recipe := t.Context(), bethe.Default()
	recipe.Hidden, recipe.Steps = 6, 300
	data, err := bethe.Read("bars.csv")
	if err != nil {
		t.Fatal(err)
	}
	model, again := bethe.Must(bethe.Fit(ctx, data, recipe)), bethe.Must(bethe.Fit(ctx, data, recipe))
	for name, m := range map[string]*bethe.Model{"a.npz": model, "b.npz": again} {
		if err := m.Save(name); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := bethe.Must(os.ReadFile("a.npz")), bethe.Must(os.ReadFile("b.npz")); string(a) != string(b) {
		t.Error("the same arguments give another model")
	}
	l := bethe.Must(bethe.Must(bethe.Load("a.npz")).LogLikelihood(ctx, data))
	if l != bethe.Must(model.LogLikelihood(ctx, data)) || !l.Exact || !(l.Low < l.Mean && l.Mean < l.High) || l.Mean < -16*math.Ln2 {
		t.Errorf("likelihood %v", l)
	}
	const count = 2000
	drawn := bethe.Must(model.Sample(ctx, count))
	if err := bethe.Save("drawn.npz", drawn); err != nil {
		t.Fatal(err)
	}
	read := bethe.Must(bethe.Read("drawn.npz"))
	if !read.Samples.Equal(drawn.Samples) || read.Len() != count {
		t.Errorf("%d samples of %d units come back", read.Len(), read.Visible())
	}
	// Likelihoods of the machine's own samples have the mean of minus its entropy,
	// which is above that of 16 coins; two sets of samples differ by less than 5
	// standard errors (false alarm: 6e-7).
	other := bethe.Must(bethe.Must(bethe.Fit(ctx, read, recipe)).LogLikelihood(ctx, read))
	own := bethe.Must(model.LogLikelihood(ctx, read))
	if own.Mean < -16*math.Ln2 || other.Mean > 0 {
		t.Errorf("own samples %v, learned again %v", own, other)
	}
}

func TestErrors(t *testing.T) {
	ctx, data := t.Context(), bethe.Must(bethe.Read("bars.csv"))
	if _, err := bethe.Read("missing.csv"); err == nil || !strings.Contains(err.Error(), "missing.csv") {
		t.Errorf("no such file: %v", err)
	}
	recipe := bethe.Default()
	recipe.Hidden = 0
	if _, err := bethe.Fit(ctx, data, recipe); err == nil || !strings.Contains(err.Error(), "hidden 0") {
		t.Errorf("no hidden units: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := bethe.Fit(cancelled, data, bethe.Default()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	recipe.Hidden, recipe.Steps = 2, 3
	model := bethe.Must(bethe.Fit(ctx, data, recipe))
	if _, err := model.Sample(cancelled, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("sampling, cancelled: %v", err)
	}
	if _, err := model.Sample(ctx, 0); err == nil {
		t.Error("no samples")
	}
	if _, err := model.Sample(ctx, 1e12); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("more samples than there is memory for: %v", err)
	}
	for name, none := range map[string]bethe.Data{"nil": {}, "no matrix": {Set: &dataset.Set{}}, "no column": {Set: &dataset.Set{Samples: spin.New(16, 0)}}} {
		_, fit := bethe.Fit(ctx, none, recipe)
		_, likelihood := model.LogLikelihood(ctx, none)
		for _, err := range []error{fit, likelihood, bethe.Save("none.npz", none)} {
			if err == nil || !strings.Contains(err.Error(), "samples") {
				t.Errorf("data of %s: %v", name, err)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("Must does not panic")
		}
	}()
	bethe.Must(bethe.Load("missing.npz"))
}
