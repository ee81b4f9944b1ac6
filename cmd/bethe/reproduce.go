package main

import (
	"context"
	"iter"
	"os"
	"time"

	"github.com/spf13/cobra"

	"bethe/dataset/mnist"
	"bethe/figure"
	"bethe/paper"
	"bethe/trial"
)

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
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	usual := paper.Options{Instances: 1, Restarts: 12, Steps: 200, Samples: 1}
	alpha, digits := usual, usual
	alpha.Instances, alpha.Alphas = 10, []int{1, 2, 3, 4, 5}
	digits.Restarts, digits.Samples, digits.Hidden = 1, 2000, []int{4, 100}
	plane := usual
	plane.Restarts, plane.Steps, plane.Hidden, plane.Copies, plane.Target = 6, 500, []int{1, 2, 4, 8, 16, 32}, []int{1, 3, 7}, "ring"
	cmd.AddCommand(
		newPaperCommand(c, "overlap", "Overlap, divergence and bound while learning planted synapses",
			"Two hidden units, correlated by 0 and 0.3, and three, with N = 100, alpha = 5 and\nbeta = 1: overlap with the teacher, divergence and bound against steps.",
			usual, (*paper.Options).Overlap, paper.OverlapFigure, (*paper.OverlapPoint).Text),
		newPaperCommand(c, "alpha", "Overlap against the density of data",
			"Mean overlap with the teacher and its spread at alpha = 1 to 5, N = 100, beta = 1,\nfor two hidden units, correlated by 0 and 0.3, and three.",
			alpha, (*paper.Options).Alpha, paper.AlphaFigure, (*paper.AlphaPoint).Text),
		newPaperCommand(c, "mnist", "Bound and divergence while learning digits",
			"Digits, cut at grey level 127, without fields, beta = 1, 4 and 100 hidden units:\nbound and divergence against steps. Where there are too many hidden units to\nenumerate, the paper's rule takes moments and ln Z of mean field (TAP) in two draws.",
			digits, func(o *paper.Options, ctx context.Context) iter.Seq2[*paper.DigitsPoint, error] {
				return o.Digits(ctx, mnist.Train().Samples)
			}, paper.DigitsFigure, (*paper.DigitsPoint).Text),
		newPaperCommand(c, "approximation", "Divergence from a density of the plane against hidden units",
			"Two Gaussian visible units and hidden spins approximate a density of the plane\n(Gu, Yang and Zhou 2022): divergence against hidden units, real weights beside\none-bit synapses, one or several for each pair of units.",
			plane, (*paper.Options).Approximation, paper.ApproximationFigure, (*paper.ApproximationPoint).Text),
	)
	return cmd
}

// newPaperCommand returns the verb of a figure: its points are computed and printed
// one after another, then drawn.
func newPaperCommand[P any](c *console, use, short, long string, o paper.Options, points func(*paper.Options, context.Context) iter.Seq2[P, error],
	draw func(*paper.Options, []P) (figure.Chart, *figure.Table), text func(p P, k int) string) *cobra.Command {
	out := ""
	cmd := &cobra.Command{
		Use: use, Short: short, Args: noArguments, Long: long, Example: "  bethe reproduce " + use + " -o figs",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil { // before work is lost
				return err
			}
			began := time.Now()
			r := reproduceReport{Figure: use, Seed: c.seed}
			var found []P
			if err := c.inStages(func(progress trial.Progress) error {
				o.Seed, o.Progress = c.seed, progress
				for p, err := range points(&o, cmd.Context()) {
					if err != nil {
						return err
					}
					c.printf("%s", text(p, len(found)))
					found = append(found, p)
				}
				return nil
			}); err != nil {
				return err
			}
			chart, numbers := draw(&o, found)
			var err error
			if r.Files, err = figure.SaveWithNumbers(out, use, chart, numbers); err != nil {
				return err
			}
			r.Seconds, r.Points = time.Since(began).Seconds(), numbers.Objects()
			c.printFiles(r.Files...)
			c.printf("%.0f s\n", r.Seconds)
			return c.object(r)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&out, "out", "o", "figs", "folder for the figure and its numbers")
	flags.IntVar(&o.Steps, "steps", o.Steps, "steps of learning")
	if len(o.Hidden) > 0 {
		flags.IntSliceVar(&o.Hidden, "hidden", o.Hidden, "hidden units, one or more numbers")
	}
	switch {
	case use == "mnist":
		flags.IntVar(&o.Samples, "samples", o.Samples, "digits")
	case o.Target != "":
		flags.StringVar(&o.Target, "target", o.Target, "density: ring or clusters")
		flags.IntSliceVar(&o.Copies, "copies", o.Copies, "one-bit synapses of each pair of units, one or more numbers")
		flags.IntVar(&o.Restarts, "restarts", o.Restarts, "random starts; the best is kept")
	default:
		flags.IntVar(&o.Instances, "instances", o.Instances, "teachers")
		flags.IntVar(&o.Restarts, "restarts", o.Restarts, "random starts of our learner")
	}
	if use == "alpha" {
		flags.IntSliceVar(&o.Alphas, "alpha", o.Alphas, "densities of data, one or more, from 1 to 5")
	}
	return cmd
}
