package trials

import (
	"fmt"
	"math"
	"slices"

	"bethe/figure"
	"bethe/infer"
	"bethe/trial"
)

// MessagesTable returns the points of a report.
func MessagesTable(r *trial.MessagesReport) *figure.Table {
	t := &figure.Table{Columns: []string{"alpha", "samples", "overlap", "overlap_spread", "overlap_of_means", "overlap_large_limit", "entropy_per_synapse", "evidence_per_sample",
		"iterations", "iterations_large_limit", "settled", "growth", "growth_max", "bayes_overlap", "means_off_rms"}}
	for _, p := range r.Points {
		large := math.NaN()
		if p.IterationsLarge != nil {
			large = float64(*p.IterationsLarge)
		}
		t.Add(p.Alpha, p.Samples, p.Overlap, p.Spread, p.OfMeans, orNaN(p.OverlapLarge), p.Entropy, p.Evidence,
			p.Iterations, large, p.Settled, p.Growth, p.GrowthMax, orNaN(p.Bayes), orNaN(p.MarginalBy))
	}
	return t
}

func orNaN(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// Messages draws overlap, iterations, entropy and growth against the density of data.
// The report must have points.
func Messages(r *trial.MessagesReport) figure.Chart {
	var alpha, overlap, low, high, entropy, iterations, growth, bayes []float64
	for _, p := range r.Points {
		alpha, overlap = append(alpha, p.Alpha), append(overlap, p.Overlap)
		low, high = append(low, p.Overlap-p.Spread), append(high, p.Overlap+p.Spread)
		entropy, iterations, growth = append(entropy, p.Entropy), append(iterations, p.Iterations), append(growth, p.Growth)
		if p.Bayes != nil {
			bayes = append(bayes, *p.Bayes)
		}
	}
	first, last := slices.Min(alpha), slices.Max(alpha)
	x := figure.Axis{Label: "data density α"}
	line := func(low, high float64) figure.Series { return figure.Guide("transition", r.Transition, low, high) }
	curve := func(title, y string, values []float64, more ...figure.Series) *figure.Curves {
		f := &figure.Curves{Title: title, X: x, Y: figure.Axis{Label: y}, Series: []figure.Series{{Name: "messages", X: alpha, Y: values}}}
		f.Series = append(f.Series, more...)
		return f
	}
	overlaps := curve("Overlap with the teacher", "overlap", overlap)
	overlaps.Series[0].Low, overlaps.Series[0].High = low, high
	times := curve("Time to settle", "iterations", iterations)
	if r.Correlation == 0 {
		var fine, large, steps []float64
		for k := range 200 {
			a := first + (last-first)*float64(k)/199
			l := infer.LargeLimit(a, r.Beta)
			fine, large, steps = append(fine, a), append(large, l.Overlap), append(steps, float64(l.Iterations))
		}
		overlaps.Series = append(overlaps.Series, figure.Series{Name: "N = ∞", Colour: 2, X: fine, Y: large})
		times.Series = append(times.Series, figure.Series{Name: "N = ∞", Colour: 2, X: fine, Y: steps})
	}
	if len(bayes) == len(alpha) {
		overlaps.Series = append(overlaps.Series, figure.Series{Name: "Bayes optimum", Colour: 3, X: alpha, Y: bayes, Points: true})
	}
	overlaps.Y.Min, overlaps.Y.Max = 0, 1
	overlaps.Series = append(overlaps.Series, line(0, 1))
	times.Y.Log = true
	times.Series = append(times.Series, line(10, 1000))
	return &figure.Panels{
		Title:   fmt.Sprintf("Messages on the posterior: N = %d, P = %d, β = %g, %d teachers each", r.Visible, r.Hidden, r.Beta, r.Instances),
		Columns: 2,
		Charts: []figure.Chart{overlaps, times,
			curve("Entropy of the candidates", "nats per synapse", entropy, line(0, math.Ln2)),
			curve("Growth of a small change in an iteration", "factor", growth, line(0, 1.1))},
	}
}
