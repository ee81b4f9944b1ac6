package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/figure"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
	"bethe/variational"
)

// reproduceFlags are what the verbs below reproduce are told.
type reproduceFlags struct {
	out       string
	instances int
	restarts  int
	steps     int
	samples   int
	hidden    []int
	alphas    []int
}

// reproduceReport is the JSON object of the verbs below reproduce.
type reproduceReport struct {
	Figure  string           `json:"figure"`
	Seed    uint64           `json:"seed"`
	Seconds float64          `json:"seconds"`
	Points  []map[string]any `json:"points"` // the rows of the table
	Files   []string         `json:"files"`
}

func newReproduceCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "reproduce", Short: "Draw the paper's figures beside its published numbers", Args: noArguments,
		Long: `Draws the figures of the paper (H. Huang, Phys. Rev. E 102, 030301): learning with
the annealed bound, learning with the paper's rule (quenched partition term, Adam
on the means with clipping), the Bayes optimum, and the values that the lab's
notebook shows, which were read off its plots by eye. Each figure is written as
PNG and SVG, and its numbers as CSV.`,
		Example: "  bethe reproduce overlap -o figs\n  bethe reproduce alpha -o figs\n  bethe reproduce mnist -o figs",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	verb := func(use, short, long string, defaults reproduceFlags, work func(context.Context, *reproduceFlags) (figure.Chart, *table, error)) {
		f := defaults
		sub := &cobra.Command{
			Use: use, Short: short, Args: noArguments, Long: long, Example: "  bethe reproduce " + use + " -o figs",
			RunE: func(cmd *cobra.Command, _ []string) error {
				if f.instances < 1 || f.restarts < 1 || f.steps < 1 || f.samples < 1 {
					return usagef("--instances %d --restarts %d --steps %d --samples %d: each must be at least 1", f.instances, f.restarts, f.steps, f.samples)
				}
				for _, a := range f.alphas {
					if a < 1 || a > 5 {
						return usagef("--alpha %d: the paper's are 1 to 5", a)
					}
				}
				for _, h := range f.hidden {
					if h < 1 {
						return usagef("--hidden %d: it must be at least 1", h)
					}
				}
				return c.reproduce(cmd.Context(), use, &f, work)
			},
		}
		flags := sub.Flags()
		flags.StringVarP(&f.out, "out", "o", "figs", "folder for the figure and its numbers")
		flags.IntVar(&f.steps, "steps", defaults.steps, "steps of learning")
		if use == "mnist" {
			flags.IntVar(&f.samples, "samples", defaults.samples, "digits")
			flags.IntSliceVar(&f.hidden, "hidden", defaults.hidden, "hidden units, one or more numbers")
		} else {
			flags.IntVar(&f.instances, "instances", defaults.instances, "teachers")
			flags.IntVar(&f.restarts, "restarts", defaults.restarts, "random starts of ours")
		}
		if use == "alpha" {
			flags.IntSliceVar(&f.alphas, "alpha", defaults.alphas, "densities of data, one or more, from 1 to 5")
		}
		cmd.AddCommand(sub)
	}
	verb("overlap", "Overlap, divergence and bound while learning planted synapses",
		"Two hidden units, correlated by 0 and 0.3, and three, with N = 100, alpha = 5 and\nbeta = 1: overlap with the teacher, divergence and bound against steps.",
		reproduceFlags{instances: 1, restarts: 12, steps: 200, samples: 1}, c.reproduceOverlap)
	verb("alpha", "Overlap against the density of data",
		"Mean overlap with the teacher and its spread at alpha = 1 to 5, N = 100, beta = 1,\nfor two hidden units, correlated by 0 and 0.3, and three.",
		reproduceFlags{instances: 10, restarts: 12, steps: 200, samples: 1, alphas: []int{1, 2, 3, 4, 5}}, c.reproduceAlpha)
	verb("mnist", "Bound and divergence while learning digits",
		"Digits, cut at grey level 127, without fields, beta = 1, 4 and 100 hidden units:\nbound and divergence against steps. Where there are too many hidden units to\nenumerate, the paper's rule takes moments and ln Z of mean field (TAP) in two draws.",
		reproduceFlags{instances: 1, restarts: 1, steps: 200, samples: 2000, hidden: []int{4, 100}}, c.reproduceMNIST)
	return cmd
}

func (c *console) reproduce(ctx context.Context, name string, f *reproduceFlags, work func(context.Context, *reproduceFlags) (figure.Chart, *table, error)) error {
	began := time.Now()
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	chart, numbers, err := work(ctx, f)
	if err != nil {
		return err
	}
	r := reproduceReport{Figure: name, Seed: c.seed}
	if r.Files, err = saveFigure(f.out, name, chart, numbers); err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	for _, file := range r.Files {
		c.printf("%s\n", file)
	}
	c.printf("%.0f s\n", r.Seconds)
	r.Points = numbers.objects()
	return c.object(r)
}

// paperLearner is the rule of the lab's code: one start, Adam on the means with
// clipping, the quenched partition term.
func paperLearner(s trial.Setup, steps int) *trial.Learner {
	l := trial.DefaultLearner(s, 1)
	l.Steps, l.Rate, l.Rule, l.Draws = steps, 0.1, variational.ClippedAdam, 64
	if min(s.Visible, s.Hidden) > 16 {
		l.Draws = 2
		l.Engine = func(*spin.Matrix, stream.Key) dual.Engine[float32] { return dual.NewTAP[float32](nil) }
	}
	return l
}

func (c *console) reproduceAlpha(ctx context.Context, f *reproduceFlags) (figure.Chart, *table, error) {
	t := &table{columns: []string{"case", "alpha", "ours", "ours_spread", "paper_rule", "paper_rule_spread", "bayes", "bayes_spread", "bayes_random_start", "ours_minus_bayes", "its_standard_error", "published"}}
	var charts []figure.Chart
	c.printf("%-16s %5s %16s %16s %16s %16s %9s\n", "", "alpha", "ours", "paper's rule", "Bayes optimum", "ours - Bayes", "published")
	for k, p := range publishedCases {
		var alpha, ours, oursLow, oursHigh, paper, paperLow, paperHigh, bayes, published []float64
		for _, density := range f.alphas {
			setup, a := p.setup, density-1
			setup.Alpha = float64(a + 1)
			trials, quenched := make([]*trial.Trial, f.instances), make([]*trial.Trial, f.instances)
			l := trial.DefaultLearner(setup, f.restarts)
			l.Steps = f.steps
			if _, err := c.each(fmt.Sprintf("%s, alpha %g", p.name, setup.Alpha), f.instances, func(i int) (err error) {
				key := stream.New(c.seed).Sub(uint64(k)).Sub(uint64(a)).Sub(uint64(i))
				if trials[i], err = trial.Plant(ctx, setup, key); err != nil {
					return err
				}
				other := *trials[i]
				quenched[i] = &other
				if err = trials[i].Learn(ctx, l); err != nil {
					return err
				}
				if err = trials[i].BayesOptimum(ctx); err != nil {
					return err
				}
				return quenched[i].Learn(ctx, paperLearner(setup, f.steps))
			}); err != nil {
				return nil, nil, err
			}
			s, q := trial.Summarise(trials), trial.Summarise(quenched)
			t.add(p.name, setup.Alpha, s.Overlap, s.OverlapSpread, q.Overlap, q.OverlapSpread, s.Bayes, s.BayesSpread, s.BayesRandomStart, s.Overlap-s.Bayes, s.BayesError, p.alpha[a])
			c.printf("%-16s %5g %8.3f ±%.3f %9.3f ±%.3f %9.3f ±%.3f %+9.3f ±%.3f %9.2f\n", p.name, setup.Alpha, s.Overlap, s.OverlapSpread, q.Overlap, q.OverlapSpread, s.Bayes, s.BayesSpread, s.Overlap-s.Bayes, s.BayesError, p.alpha[a])
			alpha = append(alpha, setup.Alpha)
			ours, oursLow, oursHigh = append(ours, s.Overlap), append(oursLow, s.Overlap-s.OverlapSpread), append(oursHigh, s.Overlap+s.OverlapSpread)
			paper, paperLow, paperHigh = append(paper, q.Overlap), append(paperLow, q.Overlap-q.OverlapSpread), append(paperHigh, q.Overlap+q.OverlapSpread)
			bayes, published = append(bayes, s.Bayes), append(published, p.alpha[a])
		}
		charts = append(charts, &figure.Curves{
			Title: p.name, Note: p.remark, X: figure.Axis{Label: "data density α"}, Y: figure.Axis{Label: "overlap", Min: 0, Max: 1}, Width: 330, Height: 280,
			Series: []figure.Series{
				{Name: "ours", X: alpha, Y: ours, Low: oursLow, High: oursHigh},
				{Name: "paper's rule", X: alpha, Y: paper, Low: paperLow, High: paperHigh},
				{Name: "Bayes", X: alpha, Y: bayes},
				{Name: "published", X: alpha, Y: published, Points: true},
			},
		})
	}
	return &figure.Panels{Title: fmt.Sprintf("Overlap with the teacher, N = 100, β = 1, %d teachers. %s", f.instances, readOff), Columns: 3, Charts: charts}, t, nil
}

// traces are a student's and the paper's rule's, on the same data.
type traces struct {
	ours, paper *trial.Trace
	samples     int
}

// curves draws something of both against steps.
func (x *traces) curves(title string, y figure.Axis, value func(p *trial.TracePoint) float64) *figure.Curves {
	chart := &figure.Curves{Title: title, X: figure.Axis{Label: "step"}, Y: y, Width: 330, Height: 250}
	for _, s := range []struct {
		name  string
		trace *trial.Trace
	}{{"ours", x.ours}, {"paper's rule", x.paper}} {
		series := figure.Series{Name: s.name}
		for k := range s.trace.Points {
			series.X, series.Y = append(series.X, float64(s.trace.Points[k].Step)), append(series.Y, value(&s.trace.Points[k]))
		}
		chart.Series = append(chart.Series, series)
	}
	return chart
}

// add writes both to a table.
func (x *traces) add(t *table, name string) {
	m := float64(x.samples)
	addTrace(t, name, "ours", x.ours, m)
	addTrace(t, name, "paper's rule", x.paper, m)
}

func addTrace(t *table, name, rule string, trace *trial.Trace, samples float64) {
	for _, p := range trace.Points {
		t.add(name, rule, p.Step, p.Overlap, samples*p.KL, samples*p.Bound(), p.Entropy, p.Polarised, p.Pair, p.Correlation)
	}
}

var traceColumns = []string{"case", "rule", "step", "overlap", "kl", "bound", "entropy_per_synapse", "polarised", "pair_overlap", "dual_correlation_rms"}

// mark is a published value at a step.
func mark(step int, values ...float64) figure.Series {
	s := figure.Series{Name: "published", Points: true, Colour: 4}
	for _, v := range values {
		s.X, s.Y = append(s.X, float64(step)), append(s.Y, v)
	}
	return s
}

func (c *console) reproduceOverlap(ctx context.Context, f *reproduceFlags) (figure.Chart, *table, error) {
	const alpha = 5
	t := &table{columns: traceColumns}
	rows := make([][]figure.Chart, 3)
	for k, p := range publishedCases {
		setup := p.setup
		setup.Alpha = alpha
		x, err := trial.Plant(ctx, setup, stream.New(c.seed).Sub(uint64(k)))
		if err != nil {
			return nil, nil, err
		}
		l := trial.DefaultLearner(setup, f.restarts)
		l.Steps = f.steps
		if err := x.Learn(ctx, l); err != nil {
			return nil, nil, err
		}
		if err := x.BayesOptimum(ctx); err != nil {
			return nil, nil, err
		}
		both := traces{samples: x.Data.Cols()}
		if both.ours, err = c.trace(ctx, p.name+", ours", x, l); err != nil {
			return nil, nil, err
		}
		if both.paper, err = c.trace(ctx, p.name+", paper's rule", x, paperLearner(setup, f.steps)); err != nil {
			return nil, nil, err
		}
		both.add(t, p.name)
		t.add(p.name, fmt.Sprintf("ours, pool of %d starts", f.restarts), f.steps, x.Overlap, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN())
		t.add(p.name, "Bayes optimum", f.steps, x.Bayes, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN())
		c.printf("%-16s one start %.3f, pooled and polished %.3f, paper's rule %.3f, Bayes optimum %.3f\n", p.name,
			both.ours.Points[len(both.ours.Points)-1].Overlap, x.Overlap, both.paper.Points[len(both.paper.Points)-1].Overlap, x.Bayes)
		m := float64(both.samples)
		overlap := both.curves(p.name, figure.Axis{Label: "overlap", Min: 0, Max: 1}, func(p *trial.TracePoint) float64 { return p.Overlap })
		end := float64(f.steps)
		overlap.Series = append(overlap.Series,
			figure.Series{Name: "Bayes", X: []float64{0, end}, Y: []float64{x.Bayes, x.Bayes}, Colour: 3, Thin: true},
			figure.Series{Name: "pooled", X: []float64{end}, Y: []float64{x.Overlap}, Points: true, Colour: 5})
		kl := both.curves("", figure.Axis{Label: "divergence", Unit: "nats"}, func(p *trial.TracePoint) float64 { return m * p.KL })
		bound := both.curves("", figure.Axis{Label: "bound", Unit: "nats"}, func(p *trial.TracePoint) float64 { return m * p.Bound() })
		if p.runs != nil {
			overlap.Series = append(overlap.Series, mark(f.steps, p.runs...))
		}
		bound.Series = append(bound.Series, figure.Series{Name: "its true bound", X: []float64{end}, Y: []float64{m * both.paper.BoundAnnealed}, Points: true, Colour: 5})
		t.add(p.name, "paper's rule, annealed", f.steps, math.NaN(), math.NaN(), m*both.paper.BoundAnnealed, math.NaN(), math.NaN(), math.NaN(), math.NaN())
		if p.kl != 0 {
			kl.Series, bound.Series = append(kl.Series, mark(f.steps, p.kl)), append(bound.Series, mark(f.steps, p.bound))
		}
		rows[0], rows[1], rows[2] = append(rows[0], overlap), append(rows[1], kl), append(rows[2], bound)
	}
	return &figure.Panels{Title: "Learning planted synapses, N = 100, α = 5, β = 1. Marks: ends of other runs. " + readOff, Columns: 3,
		Charts: append(append(rows[0], rows[1]...), rows[2]...)}, t, nil
}

// trace follows a student under a bar.
func (c *console) trace(ctx context.Context, what string, x *trial.Trial, l *trial.Learner) (*trial.Trace, error) {
	bar := c.progress(what)
	defer bar.done()
	every := max(1, l.Steps/20)
	if min(x.Setup.Visible, x.Setup.Hidden) <= 16 {
		every = max(1, l.Steps/100)
	}
	return x.Trace(ctx, l, every, func(step int) { bar.set(float64(step)/float64(l.Steps), "") })
}
