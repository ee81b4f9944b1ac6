package trials

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"bethe/figure"
	"bethe/setting"
	"bethe/stream"
	"bethe/sweep"
	"bethe/trial"
)

// svg draws a chart, which is how it is checked.
func svg(t *testing.T, chart figure.Chart) string {
	t.Helper()
	var b bytes.Buffer
	if err := figure.EncodeSVG(&b, chart, figure.Light); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTrace(t *testing.T) {
	s := trial.Setup{Visible: 20, Hidden: 2, Alpha: 4, Beta: 1}
	x, err := trial.Plant(t.Context(), s, stream.New(1))
	if err != nil {
		t.Fatal(err)
	}
	l := trial.DefaultLearner(s, 1)
	l.Steps = 10
	trace, err := x.Watch(t.Context(), "trace", l, func(string, float64, string) {})
	if err != nil {
		t.Fatal(err)
	}
	numbers := TraceTable(s, trace)
	if len(numbers.Rows) != 11 || numbers.Columns[14] != "overlap_unit_2" || numbers.Rows[10][1] != trace.Points[10].Overlap || numbers.Rows[10][14] != trace.Points[10].Units[1] {
		t.Errorf("%v", numbers.Rows[10])
	}
	if text := svg(t, Trace(s, trace)); !strings.Contains(text, "A student: N = 20, P = 2") || !strings.Contains(text, "Overlaps of hidden units at the end") {
		t.Error("the chart lacks its titles")
	}
	if along := Along("x", trace, func(p *trial.TracePoint) float64 { return p.KL }); len(along.X) != 11 || along.X[4] != 4 || along.Y[4] != trace.Points[4].KL {
		t.Errorf("%+v", along)
	}
}

func TestMessages(t *testing.T) {
	large, steps, bayes := 0.5, 7, 0.6
	r := &trial.MessagesReport{Visible: 30, Hidden: 1, Beta: 1, Instances: 2, Transition: 1, Points: []trial.MessagePoint{
		{Alpha: 0.5, Samples: 15, Overlap: 0.1, Spread: 0.1, Iterations: 20, Growth: 0.9, OverlapLarge: &large, IterationsLarge: &steps, Bayes: &bayes, MarginalBy: &large},
		{Alpha: 2, Samples: 60, Overlap: 0.7, Entropy: 0.3, Iterations: 10, Growth: 0.5, Bayes: &bayes},
	}}
	numbers := MessagesTable(r).Rows
	if numbers[0][5] != 0.5 || numbers[0][9] != 7. || !math.IsNaN(numbers[1][9].(float64)) || !math.IsNaN(numbers[1][14].(float64)) || numbers[1][13] != 0.6 {
		t.Errorf("%v", numbers)
	}
	text := svg(t, Messages(r))
	for _, word := range []string{"N = ∞", "Bayes optimum", "transition", "2 teachers each"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q", word)
		}
	}
	r.Correlation, r.Points[1].Bayes = 0.3, nil
	if text := svg(t, Messages(r)); strings.Contains(text, "N = ∞") || strings.Contains(text, "Bayes optimum") {
		t.Error("a formula for correlated units, or an optimum of some points")
	}
}

func TestPhases(t *testing.T) {
	view := PhaseView{X: "alpha", Y: "beta", Panels: "hidden", Value: "overlap"}
	phases := []sweep.Phase{{Panel: 1, X: []float64{1, 2}, Y: []float64{1, 1.5}, Values: [][]float64{{0.1, 0.2}, {0.5, math.NaN()}}}, {Panel: 2, X: []float64{1, 2}, Y: []float64{1, 1.5}, Values: [][]float64{{-3, 0.2}, {0.5, 4}}}}
	panels := Phases(view, phases).(*figure.Panels)
	first := panels.Charts[0].(*figure.HeatMap)
	if len(panels.Charts) != 2 || len(first.Lines) != 1 || first.Scale.Min != 0 || first.Scale.Max != 1 || first.Title != "hidden units P = 1" {
		t.Errorf("%+v", first)
	}
	if line := first.Lines[0]; line.X[0] != 1 || math.Abs(line.X[199]-math.Pow(1.5, -4)) > 1e-12 {
		t.Errorf("the line ends at %v and %v", line.X[0], line.X[199])
	}
	view.Value = "bound_per_sample"
	if scale := Phases(view, phases).(*figure.Panels).Charts[1].(*figure.HeatMap).Scale; scale.Min != -3 || scale.Max != 4 || scale.Unit != "nats" {
		t.Errorf("%+v", scale)
	}
	svg(t, Phases(view, phases))
	if err := view.Validate(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]PhaseView{"x": {"a", "beta", "hidden", "overlap"}, "y": {"alpha", "b", "hidden", "overlap"}, "panels": {"alpha", "beta", "c", "overlap"}, "value": {"alpha", "beta", "hidden", "d"}} {
		var wrong *setting.Error
		if err := bad.Validate(); !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if (PhaseView{"alpha", "alpha", "hidden", "overlap"}).Validate() == nil {
		t.Error("the same twice is no error")
	}
}
