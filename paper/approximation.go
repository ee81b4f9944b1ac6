package paper

import (
	"context"
	"fmt"
	"iter"
	"strconv"

	"bethe/approximation"
	"bethe/figure"
	"bethe/setting"
	"bethe/stream"
)

// An ApproximationPoint is how far a number of hidden units stay from a target density, of the
// experiment of Gu, Yang and Zhou (2022).
type ApproximationPoint struct {
	Hidden     int
	Real       float64   // nats, with real weights
	Binary     []float64 // with bits, in the order of Options.Copies
	Covariance float64   // of the Gaussian of the same mean and covariance
	copies     []int
}

// checkApproximation returns the *setting.Error of the first option of the experiment out of range.
func (o *Options) checkApproximation() error {
	for _, r := range o.Copies {
		if r < 1 || r > 100 {
			return setting.Errorf("copies", r, "it must lie between 1 and 100")
		}
	}
	return nil
}

// Approximation fits machines with each number of hidden units to the target.
func (o *Options) Approximation(ctx context.Context) iter.Seq2[*ApproximationPoint, error] {
	return func(yield func(*ApproximationPoint, error) bool) {
		target, err := approximation.NewTarget(o.Target)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, hidden := range o.Hidden {
			p := &ApproximationPoint{Hidden: hidden, Covariance: target.Covariance(), copies: o.Copies}
			for _, copies := range append([]int{0}, o.Copies...) {
				m := approximation.Machine{Hidden: hidden, Copies: copies}
				kl, err := approximation.Fit(ctx, target, m, o.Restarts, o.Steps, stream.New(o.Seed).Sub(uint64(hidden)).Sub(uint64(copies)))
				if err != nil {
					yield(nil, err)
					return
				}
				if copies == 0 {
					p.Real = kl
				} else {
					p.Binary = append(p.Binary, kl)
				}
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// Text returns the printed lines of the k-th point, from 0.
func (p *ApproximationPoint) Text(k int) string {
	text := ""
	if k == 0 {
		text = fmt.Sprintf("divergence from the target, nats; the Gaussian with its covariance %.4f\n%8s %9s", p.Covariance, "hidden", "real")
		for _, r := range p.copies {
			text += fmt.Sprintf(" %9s", strconv.Itoa(r)+" bit")
		}
		text += "\n"
	}
	text += fmt.Sprintf("%8d %9.4f", p.Hidden, p.Real)
	for _, v := range p.Binary {
		text += fmt.Sprintf(" %9.4f", v)
	}
	return text + "\n"
}

// ApproximationFigure draws divergences against the number of hidden units, and returns them.
func ApproximationFigure(o *Options, points []*ApproximationPoint) (figure.Chart, *figure.Table) {
	t := &figure.Table{Columns: []string{"target", "synapses", "hidden", "bits_a_pair", "divergence"}}
	chart := &figure.Curves{Title: "Divergence from a density of the plane: " + o.Target, Note: fmt.Sprintf("Best of %d starts.", o.Restarts),
		X: figure.Axis{Label: "hidden units", Log: true}, Y: figure.Axis{Label: "divergence", Unit: "nats", Log: true},
		Series: []figure.Series{{Name: "real weights"}}}
	for _, r := range o.Copies {
		chart.Series = append(chart.Series, figure.Series{Name: approximation.Machine{Copies: r}.String()})
	}
	chart.Series = append(chart.Series, figure.Series{Name: "full covariance", Thin: true})
	for _, p := range points {
		values := append(append([]float64{p.Real}, p.Binary...), p.Covariance)
		for k, v := range values {
			s := &chart.Series[k]
			s.X, s.Y = append(s.X, float64(p.Hidden)), append(s.Y, v)
			switch {
			case k == 0:
				t.Add(o.Target, "real", p.Hidden, 0, v)
			case k <= len(o.Copies):
				t.Add(o.Target, "binary", p.Hidden, o.Copies[k-1], v)
			default:
				t.Add(o.Target, "full covariance", p.Hidden, 0, v)
			}
		}
	}
	return chart, t
}
