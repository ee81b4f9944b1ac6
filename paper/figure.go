package paper

import (
	"fmt"
	"math"

	"bethe/figure"
	"bethe/figure/trials"
	"bethe/trial"
)

// AlphaFigure draws overlaps against the density of data, a chart for each case, and
// returns their numbers. Points of a case must follow each other.
func AlphaFigure(o *Options, points []*AlphaPoint) (figure.Chart, *figure.Table) {
	t := &figure.Table{Columns: []string{"case", "alpha", "ours", "ours_spread", "paper_rule", "paper_rule_spread", "bayes", "bayes_spread", "bayes_random_start", "ours_minus_bayes", "its_standard_error", "published"}}
	panels := &figure.Panels{Title: fmt.Sprintf("Overlap with the teacher, N = 100, β = 1, %d teachers. %s", o.Instances, readOff), Columns: 3}
	var chart *figure.Curves
	for k, p := range points {
		s, q := &p.Ours, &p.Paper
		t.Add(p.Case.Name, p.Alpha, s.Overlap, s.OverlapSpread, q.Overlap, q.OverlapSpread, s.Bayes, s.BayesSpread, s.BayesRandomStart, s.Overlap-s.Bayes, s.BayesError, p.Published)
		if k == 0 || points[k-1].Case != p.Case {
			chart = &figure.Curves{
				Title: p.Case.Name, Note: p.Case.Remark, X: figure.Axis{Label: "data density α"}, Y: figure.Axis{Label: "overlap", Min: 0, Max: 1}, Width: 330, Height: 280,
				Series: []figure.Series{{Name: "ours"}, {Name: "paper's rule"}, {Name: "Bayes"}, {Name: "published", Points: true}},
			}
			panels.Charts = append(panels.Charts, chart)
		}
		for i, v := range []struct{ y, spread float64 }{{s.Overlap, s.OverlapSpread}, {q.Overlap, q.OverlapSpread}, {s.Bayes, 0}, {p.Published, 0}} {
			c := &chart.Series[i]
			c.X, c.Y = append(c.X, p.Alpha), append(c.Y, v.y)
			if i < 2 {
				c.Low, c.High = append(c.Low, v.y-v.spread), append(c.High, v.y+v.spread)
			}
		}
	}
	return panels, t
}

// curves draws something of both rules against steps.
func (t *Traces) curves(title string, y figure.Axis, value func(p *trial.TracePoint) float64) *figure.Curves {
	return &figure.Curves{Title: title, X: figure.Axis{Label: "step"}, Y: y, Width: 330, Height: 250,
		Series: []figure.Series{trials.Along("ours", t.Ours, value), trials.Along("paper's rule", t.Paper, value)}}
}

// divergence and bound draw those of all samples.
func (t *Traces) divergence() *figure.Curves {
	return t.curves("", figure.Axis{Label: "divergence", Unit: "nats"}, func(p *trial.TracePoint) float64 { return float64(t.Samples) * p.KL })
}

func (t *Traces) bound(title string) *figure.Curves {
	return t.curves(title, figure.Axis{Label: "bound", Unit: "nats"}, func(p *trial.TracePoint) float64 { return float64(t.Samples) * p.Bound() })
}

// newTable returns a table of traces.
func newTable() *figure.Table {
	return &figure.Table{Columns: []string{"case", "rule", "step", "overlap", "kl", "bound", "entropy_per_synapse", "polarised", "pair_overlap", "dual_correlation_rms"}}
}

// add writes both traces to a table.
func (t *Traces) add(table *figure.Table) {
	m := float64(t.Samples)
	for _, s := range []struct {
		rule  string
		trace *trial.Trace
	}{{"ours", t.Ours}, {"paper's rule", t.Paper}} {
		for _, p := range s.trace.Points {
			table.Add(t.Name, s.rule, p.Step, p.Overlap, m*p.KL, m*p.Bound(), p.Entropy, p.Polarised, p.Pair, p.Correlation)
		}
	}
}

// addEnd writes values of the end. Columns that only a trace has are NaN.
func (t *Traces) addEnd(table *figure.Table, what string, step int, overlap, kl, bound float64) {
	nan := math.NaN()
	table.Add(t.Name, what, step, overlap, kl, bound, nan, nan, nan, nan)
}

// mark is published values at a step.
func mark(step int, values ...float64) figure.Series {
	s := figure.Series{Name: "published", Points: true, Colour: 4}
	for _, v := range values {
		s.X, s.Y = append(s.X, float64(step)), append(s.Y, v)
	}
	return s
}

// point is a series of one value, at the last step.
func point(name string, step int, value float64) figure.Series {
	return figure.Series{Name: name, X: []float64{float64(step)}, Y: []float64{value}, Points: true, Colour: 5}
}

// OverlapFigure draws overlap, divergence and bound against steps, a column for each
// case, and returns their numbers.
func OverlapFigure(o *Options, points []*OverlapPoint) (figure.Chart, *figure.Table) {
	t, nan := newTable(), math.NaN()
	rows := make([][]figure.Chart, 3)
	for _, p := range points {
		trueBound := float64(p.Samples) * p.Paper.BoundAnnealed
		p.add(t)
		p.addEnd(t, fmt.Sprintf("ours, pool of %d starts", o.Restarts), o.Steps, p.Pooled, nan, nan)
		p.addEnd(t, "Bayes optimum", o.Steps, p.Bayes, nan, nan)
		p.addEnd(t, "paper's rule, annealed", o.Steps, nan, nan, trueBound)
		overlap := p.curves(p.Name, figure.Axis{Label: "overlap", Min: 0, Max: 1}, func(p *trial.TracePoint) float64 { return p.Overlap })
		overlap.Series = append(overlap.Series,
			figure.Series{Name: "Bayes", X: []float64{0, float64(o.Steps)}, Y: []float64{p.Bayes, p.Bayes}, Colour: 3, Thin: true},
			point("pooled", o.Steps, p.Pooled))
		if p.Case.Runs != nil {
			overlap.Series = append(overlap.Series, mark(o.Steps, p.Case.Runs...))
		}
		kl, bound := p.divergence(), p.bound("")
		bound.Series = append(bound.Series, point("its true bound", o.Steps, trueBound))
		if p.Case.KL != 0 {
			kl.Series, bound.Series = append(kl.Series, mark(o.Steps, p.Case.KL)), append(bound.Series, mark(o.Steps, p.Case.Bound))
		}
		for k, chart := range []figure.Chart{overlap, kl, bound} {
			rows[k] = append(rows[k], chart)
		}
	}
	return &figure.Panels{Title: "Learning planted synapses, N = 100, α = 5, β = 1. Marks: ends of other runs. " + readOff, Columns: 3,
		Charts: append(append(rows[0], rows[1]...), rows[2]...)}, t
}

// DigitsFigure draws bound and divergence against steps, a column for each number of
// hidden units, and returns their numbers.
func DigitsFigure(o *Options, points []*DigitsPoint) (figure.Chart, *figure.Table) {
	t := newTable()
	var bounds, divergences []figure.Chart
	for _, p := range points {
		m := float64(p.Samples)
		p.add(t)
		bound, divergence := p.bound(p.Name), p.divergence()
		if p.Hidden == 4 {
			bound.Note = fmt.Sprintf("Published, for digits with grey levels: %g.", DigitsBound)
			divergence.Series = append(divergence.Series, mark(o.Steps, DigitsKL))
		}
		bound.Series = append(bound.Series, point("paper's rule, true bound", o.Steps, m*p.Paper.BoundAnnealed))
		p.addEnd(t, "ours, annealed", o.Steps, math.NaN(), m*End(p.Ours).KL, m*p.Ours.BoundAnnealed)
		p.addEnd(t, "paper's rule, annealed", o.Steps, math.NaN(), m*End(p.Paper).KL, m*p.Paper.BoundAnnealed)
		bounds, divergences = append(bounds, bound), append(divergences, divergence)
	}
	return &figure.Panels{Title: fmt.Sprintf("%d digits, β = 1, no fields. %s", o.Samples, readOff), Columns: len(o.Hidden), Charts: append(bounds, divergences...)}, t
}
