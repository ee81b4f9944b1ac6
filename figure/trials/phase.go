package trials

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/figure"
	"bethe/setting"
	"bethe/sweep"
)

// A PhaseView says what a phase diagram of a sweep shows: a measure, over two
// parameters, in a panel for each value of a third.
type PhaseView struct{ X, Y, Panels, Value string }

// Validate returns a *setting.Error unless all parameters and the measure are known
// and the parameters differ.
func (v PhaseView) Validate() error {
	for _, p := range []struct{ name, value string }{{"x", v.X}, {"y", v.Y}, {"panels", v.Panels}} {
		if !slices.Contains(sweep.Parameters(), p.value) {
			return setting.Errorf(p.name, strconv.Quote(p.value), "it is one of %s", strings.Join(sweep.Parameters(), ", "))
		}
	}
	switch {
	case !slices.Contains(sweep.Measures(), v.Value):
		return setting.Errorf("value", strconv.Quote(v.Value), "it is one of %s", strings.Join(sweep.Measures(), ", "))
	case v.X == v.Y || v.X == v.Panels || v.Y == v.Panels:
		return setting.Phrase("x", "{x %s} {y %s} {panels %s}: they must differ", v.X, v.Y, v.Panels)
	}
	return nil
}

// chartNames of parameters and measures.
var chartNames = map[string]string{
	"visible": "visible units N", "hidden": "hidden units P", "alpha": "samples a visible unit, α", "beta": "coupling β", "correlation": "correlation q",
	"overlap": "overlap with the planted synapses", "overlap_spread": "spread of the overlap", "overlap_best_start": "overlap of the best start",
	"overlap_of_means": "overlap of the posterior means", "bound_per_sample": "bound a sample", "bayes_overlap": "Bayes-optimal overlap",
}

func chartName(name string) string {
	if text, ok := chartNames[name]; ok {
		return text
	}
	return name
}

// Phases draws a heat map for each phase of a view, all on one scale. Where an
// overlap is drawn over alpha and beta, a line shows alpha = beta^-4, above which
// large machines learn.
func Phases(v PhaseView, phases []sweep.Phase) figure.Chart {
	scale := figure.Axis{Label: chartName(v.Value), Max: 1}
	if v.Value == "bound_per_sample" {
		scale.Unit = "nats"
		scale.Min, scale.Max = math.Inf(1), math.Inf(-1)
		for _, phase := range phases {
			for _, row := range phase.Values {
				for _, v := range row {
					if !math.IsNaN(v) {
						scale.Min, scale.Max = min(scale.Min, v), max(scale.Max, v)
					}
				}
			}
		}
	}
	panels := &figure.Panels{Columns: min(3, len(phases))}
	for _, phase := range phases {
		chart := &figure.HeatMap{Shading: figure.Share,
			Title: fmt.Sprintf("%s = %s", chartName(v.Panels), strconv.FormatFloat(phase.Panel, 'g', -1, 64)),
			X:     figure.Axis{Label: chartName(v.X)}, Y: figure.Axis{Label: chartName(v.Y)}, Scale: scale,
			XValues: phase.X, YValues: phase.Y, Values: phase.Values,
		}
		if v.X == "alpha" && v.Y == "beta" && strings.Contains(v.Value, "overlap") && len(phase.X) > 1 && len(phase.Y) > 1 {
			chart.Lines = append(chart.Lines, threshold(phase.Y))
		}
		panels.Charts = append(panels.Charts, chart)
	}
	return panels
}

// threshold is the line alpha = beta^-4 in the range of betas.
func threshold(betas []float64) figure.Series {
	line := figure.Series{Name: "large machines learn above α = 1/β^4"}
	const points = 200
	low, high := betas[0], betas[len(betas)-1]
	for k := range points {
		beta := low + (high-low)*float64(k)/(points-1)
		line.X, line.Y = append(line.X, 1/(beta*beta*beta*beta)), append(line.Y, beta)
	}
	return line
}
