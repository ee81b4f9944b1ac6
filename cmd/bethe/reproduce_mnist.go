package main

import (
	"context"
	"fmt"
	"math"

	"bethe/dataset/mnist"
	"bethe/figure"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
)

func (c *console) reproduceMNIST(ctx context.Context, f *reproduceFlags) (figure.Chart, *table, error) {
	digits := mnist.Train().Samples
	if f.samples > digits.Cols() {
		return nil, nil, usagef("--samples %d: there are %d digits", f.samples, digits.Cols())
	}
	first := make([]int, f.samples)
	for k := range first {
		first[k] = k
	}
	data := spin.New(digits.Rows(), f.samples)
	digits.Gather(data, first)
	t := &table{columns: traceColumns}
	var bounds, divergences []figure.Chart
	for _, hidden := range f.hidden {
		setup := trial.Setup{Visible: data.Rows(), Hidden: hidden, Alpha: float64(f.samples) / float64(data.Rows()), Beta: 1}
		x := trial.OfData(setup, data, stream.New(c.seed).Sub(uint64(hidden)))
		ours := trial.DefaultLearner(setup, 1)
		ours.Steps = f.steps
		both := traces{samples: f.samples}
		name := fmt.Sprintf("%d hidden units", hidden)
		var err error
		if both.ours, err = c.trace(ctx, name+", ours", x, ours); err != nil {
			return nil, nil, err
		}
		if both.paper, err = c.trace(ctx, name+", paper's rule", x, paperLearner(setup, f.steps)); err != nil {
			return nil, nil, err
		}
		both.add(t, name)
		m := float64(f.samples)
		bound := both.curves(name, figure.Axis{Label: "bound", Unit: "nats"}, func(p *trial.TracePoint) float64 { return m * p.Bound() })
		divergence := both.curves("", figure.Axis{Label: "divergence", Unit: "nats"}, func(p *trial.TracePoint) float64 { return m * p.KL })
		if hidden == 4 {
			bound.Note = fmt.Sprintf("Published, for digits with grey levels: %g.", publishedDigitsBound)
			divergence.Series = append(divergence.Series, mark(f.steps, publishedDigitsKL))
		}
		bounds, divergences = append(bounds, bound), append(divergences, divergence)
		for _, x := range []struct {
			rule  string
			trace *trial.Trace
		}{{"ours", both.ours}, {"paper's rule", both.paper}} {
			end := x.trace.Points[len(x.trace.Points)-1]
			t.add(name, x.rule+", annealed", f.steps, math.NaN(), m*end.KL, m*x.trace.BoundAnnealed, math.NaN(), math.NaN(), math.NaN(), math.NaN())
			c.printf("%s, %-12s bound %.6g nats (annealed %.6g), divergence %.4g nats, %.0f %% polarised\n", name, x.rule, m*end.Bound(), m*x.trace.BoundAnnealed, m*end.KL, 100*end.Polarised)
			if x.rule != "ours" {
				bound.Series = append(bound.Series, figure.Series{Name: "paper's rule, true bound", X: []float64{float64(f.steps)}, Y: []float64{m * x.trace.BoundAnnealed}, Points: true, Colour: 5})
			}
		}
	}
	return &figure.Panels{Title: fmt.Sprintf("%d digits, β = 1, no fields. %s", f.samples, readOff), Columns: len(f.hidden), Charts: append(bounds, divergences...)}, t, nil
}
