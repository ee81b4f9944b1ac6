package paper

import (
	"bytes"
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"bethe/figure"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
)

func quick() *Options {
	return &Options{Instances: 1, Restarts: 1, Steps: 10, Samples: 30, Hidden: []int{2, 18}, Alphas: []int{5}, Seed: 3, Progress: func(string, float64, string) {}}
}

// saved writes a figure and returns its numbers as text.
func saved(t *testing.T, chart figure.Chart, numbers *figure.Table) string {
	t.Helper()
	if files, err := figure.SaveWithNumbers(t.TempDir(), "x", chart, numbers); err != nil || len(files) != 3 || filepath.Ext(files[2]) != ".csv" {
		t.Fatal(files, err)
	}
	var text bytes.Buffer
	if err := numbers.WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// first is the first point of a sequence: with less than the full work it tells as much.
func first[P any](t *testing.T, points func(yield func(P, error) bool)) P {
	t.Helper()
	for p, err := range points {
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	panic("no points")
}

func TestAlpha(t *testing.T) {
	o := quick()
	p := first(t, o.Alpha(t.Context()))
	if p.Case != &Cases[0] || p.Alpha != 5 || p.Published != 0.74 || p.Ours.Bayes < 0.6 || !(p.Ours.Overlap > 0.3) || p.Paper.Overlap == p.Ours.Overlap || p.Paper.BoundAnnealed == 0 {
		t.Errorf("%+v", p)
	}
	other := *p
	other.Case, other.Published = &Cases[2], 0.71
	text := alphaNumbers(t, o, p, &other)
	if lines := strings.Split(text, "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "case,alpha,ours,") || !strings.HasPrefix(lines[2], `"P = 3, q = 0",5,`) || !strings.HasSuffix(lines[2], ",0.71") {
		t.Errorf("numbers:\n%s", text)
	}
}

func alphaNumbers(t *testing.T, o *Options, points ...*AlphaPoint) string {
	t.Helper()
	chart, numbers := AlphaFigure(o, points)
	if panels := chart.(*figure.Panels); len(panels.Charts) != len(points) || len(panels.Charts[0].(*figure.Curves).Series) != 4 {
		t.Errorf("%d charts", len(panels.Charts))
	}
	return saved(t, chart, numbers)
}

func TestOverlap(t *testing.T) {
	o := quick()
	p := first(t, o.Overlap(t.Context()))
	if p.Samples != 500 || p.Bayes < 0.6 || !(p.Pooled > 0) || End(p.Ours).Step != 10 || End(p.Paper).Overlap == End(p.Ours).Overlap || p.Name != "P = 2, q = 0" {
		t.Errorf("%+v", p)
	}
	chart, numbers := OverlapFigure(o, []*OverlapPoint{p})
	if text := saved(t, chart, numbers); strings.Count(text, "\n") != 1+2*11+3 || !strings.Contains(text, "Bayes optimum,10,") || !strings.Contains(text, "\"P = 2, q = 0\",\"paper's rule, annealed\",10,,,-") {
		t.Errorf("numbers:\n%s", text)
	}
	if n := len(chart.(*figure.Panels).Charts); n != 3 {
		t.Errorf("%d charts", n)
	}
}

func TestDigits(t *testing.T) {
	o := quick()
	o.Steps = 2
	digits := spin.Random(20, 40, stream.New(1).Rand())
	var points []*DigitsPoint
	for p, err := range o.Digits(t.Context(), digits) {
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, p)
	}
	if len(points) != 2 || points[1].Hidden != 18 || points[0].Samples != 30 || End(points[0].Ours).Step != 2 || !math.IsNaN(End(points[0].Ours).Overlap) {
		t.Fatalf("%+v", points)
	}
	chart, numbers := DigitsFigure(o, points)
	if text := saved(t, chart, numbers); !strings.Contains(text, `18 hidden units,"paper's rule, annealed",2,,`) {
		t.Errorf("numbers:\n%s", text)
	}
	o.Samples = 41
	var wrong *setting.Error
	for _, err := range o.Digits(t.Context(), digits) {
		if !errors.As(err, &wrong) || wrong.Setting != "samples" {
			t.Errorf("more samples than there are: %v", err)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"instances": func(o *Options) { o.Instances = 0 }, "restarts": func(o *Options) { o.Restarts = 0 }, "steps": func(o *Options) { o.Steps = 0 }, "samples": func(o *Options) { o.Samples = 0 },
		"alpha": func(o *Options) { o.Alphas = []int{1, 6} }, "hidden": func(o *Options) { o.Hidden = []int{4, 0} },
	} {
		o := quick()
		if err := o.Validate(); err != nil {
			t.Fatal(err)
		}
		change(o)
		var wrong *setting.Error
		if err := o.Validate(); !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := quick()
	for _, err := range o.Alpha(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	for _, err := range o.Overlap(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestLearner: the paper's rule enumerates few hidden units, and takes mean field of many.
func TestLearner(t *testing.T) {
	few, many := Learner(trial.Setup{Visible: 30, Hidden: 3, Beta: 1}, 7), Learner(trial.Setup{Visible: 30, Hidden: 20, Beta: 1}, 7)
	if few.Steps != 7 || few.Draws != 64 || many.Draws != 2 || few.Restarts != 1 {
		t.Errorf("%+v, %+v", few, many)
	}
}
