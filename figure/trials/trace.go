// Package trials draws planted experiments: a student on its way up the bound, what
// messages on the posterior find, and phase diagrams of sweeps; each with its
// numbers as a table.
package trials

import (
	"fmt"
	"math"

	"bethe/anatomy"
	"bethe/figure"
	"bethe/trial"
)

// TraceTable returns the points of a trace.
func TraceTable(s trial.Setup, trace *trial.Trace) *figure.Table {
	t := &figure.Table{Columns: []string{"step", "overlap", "data", "partition", "kl", "bound", "entropy_per_synapse", "polarised",
		"pair_overlap", "largest_pair_overlap", "dual_correlation_rms", "dual_hidden_rms", "dual_visible_rms"}}
	for nu := range s.Hidden {
		t.Columns = append(t.Columns, fmt.Sprintf("overlap_unit_%d", nu+1))
	}
	for _, p := range trace.Points {
		row := []any{p.Step, p.Overlap, p.Data, p.Partition, p.KL, p.Bound(), p.Entropy, p.Polarised, p.Pair, p.LargestPair, p.Correlation, p.Hidden, p.Visible}
		for _, u := range p.Units {
			row = append(row, u)
		}
		t.Add(row...)
	}
	return t
}

// Along is a value of each point of a trace against its step.
func Along(name string, trace *trial.Trace, value func(p *trial.TracePoint) float64) figure.Series {
	s := figure.Series{Name: name}
	for k := range trace.Points {
		s.X, s.Y = append(s.X, float64(trace.Points[k].Step)), append(s.Y, value(&trace.Points[k]))
	}
	return s
}

// Trace draws a trace of a student with a teacher: how the symmetry between hidden
// units breaks, what the posterior knows, and the moments of the dual network.
func Trace(s trial.Setup, trace *trial.Trace) figure.Chart {
	step := figure.Axis{Label: "step"}
	series := func(name string, value func(p *trial.TracePoint) float64) figure.Series {
		return Along(name, trace, value)
	}
	units := &figure.Curves{Title: "Overlap with each unit of the teacher", X: step, Y: figure.Axis{Label: "overlap of the means", Min: 0, Max: 1}}
	for nu := range min(s.Hidden, 8) {
		units.Series = append(units.Series, series(fmt.Sprintf("unit %d", nu+1), func(p *trial.TracePoint) float64 { return p.Units[nu] }))
	}
	q := trace.Model.Posterior
	means := make([]float32, len(q.Theta))
	q.Mean(means)
	const bins = 40
	histogram := &figure.Histogram{Title: "Magnetisations at the end", X: figure.Axis{Label: "posterior mean"}, Y: figure.Axis{Label: "synapses"}}
	for k := range bins + 1 {
		histogram.Edges = append(histogram.Edges, -1+2*float64(k)/bins)
	}
	for _, count := range anatomy.Magnetisations(means, bins) {
		histogram.Counts = append(histogram.Counts, float64(count))
	}
	charts := []figure.Chart{
		units,
		&figure.Curves{Title: "Bound", X: step, Y: figure.Axis{Label: "bound", Unit: "nats per sample"}, Series: []figure.Series{series("", func(p *trial.TracePoint) float64 { return p.Bound() })}},
		&figure.Curves{Title: "What the posterior leaves open", X: step, Y: figure.Axis{Label: "entropy, share", Min: 0, Max: 1}, Series: []figure.Series{
			series("entropy a synapse / ln 2", func(p *trial.TracePoint) float64 { return p.Entropy / math.Ln2 }),
			series("polarised share", func(p *trial.TracePoint) float64 { return p.Polarised })}},
		&figure.Curves{Title: "Moments of the dual network", X: step, Y: figure.Axis{Label: "root mean square"}, Series: []figure.Series{
			series("<s h>", func(p *trial.TracePoint) float64 { return p.Correlation }),
			series("<h>", func(p *trial.TracePoint) float64 { return p.Hidden }),
			series("<s>", func(p *trial.TracePoint) float64 { return p.Visible })}},
		histogram,
	}
	if s.Hidden > 1 {
		charts = append(charts, &figure.Curves{Title: "Overlap of hidden units with each other", X: step, Y: figure.Axis{Label: "|overlap|", Min: 0, Max: 1}, Series: []figure.Series{
			series("mean of pairs", func(p *trial.TracePoint) float64 { return p.Pair }),
			series("largest", func(p *trial.TracePoint) float64 { return p.LargestPair })}},
			&figure.Matrix{Title: "Overlaps of hidden units at the end", Rows: s.Hidden, Columns: s.Hidden, Values: trace.Overlaps,
				X: figure.Axis{Label: "hidden unit"}, Y: figure.Axis{Label: "hidden unit"}, Scale: figure.Axis{Label: "overlap", Min: -1, Max: 1}})
	}
	return &figure.Panels{Title: fmt.Sprintf("A student: N = %d, P = %d, α = %g, β = %g", s.Visible, s.Hidden, s.Alpha, s.Beta), Columns: 2, Charts: charts}
}
