package main

import (
	"context"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/figure/trials"
	"bethe/trial"
)

func newInferCommand(c *console) *cobra.Command {
	f, out := trial.DefaultMessages(), ""
	cmd := &cobra.Command{
		Use: "infer", Short: "Pass messages on the posterior over planted synapses", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.Seed = c.seed
			return c.infer(cmd.Context(), &f, out)
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&f.Setup.Visible, "visible", f.Setup.Visible, "visible units N")
	flags.IntVar(&f.Setup.Hidden, "hidden", f.Setup.Hidden, "hidden units P, 1 or 2")
	flags.Float64SliceVar(&f.Alphas, "alpha", f.Alphas, "samples per visible unit, one or several `numbers`: M = alpha N")
	flags.Lookup("alpha").DefValue = "0.25,0.5,0.75,1,1.25,1.5,2,3,4,5"
	flags.Float64Var(&f.Setup.Beta, "beta", f.Setup.Beta, "coupling J = beta/sqrt N of the teacher, known to the learner")
	flags.Float64Var(&f.Setup.Correlation, "correlation", 0, "correlation q between the synapses of hidden units")
	flags.IntVar(&f.Instances, "instances", f.Instances, "teachers for each alpha")
	flags.IntVar(&f.Starts, "restarts", f.Starts, "random starts; the one with the most evidence is kept")
	flags.Float64Var(&f.Damping, "damping", f.Damping, "share of the old message that is kept")
	flags.Float64Var(&f.Tolerance, "tolerance", f.Tolerance, "messages have settled if no mean changes by more than this")
	flags.IntVar(&f.Iterations, "iterations", f.Iterations, "largest number of iterations")
	flags.BoolVar(&f.Pin, "pin", false, "fix the synapses of the first visible unit to +1: this breaks the symmetry of signs")
	flags.BoolVar(&f.Oracle, "oracle", false, "also walk through the exact posterior and compare the means")
	flags.StringVarP(&out, "out", "o", "", "folder for the figure and its numbers")
	return cmd
}

func (c *console) infer(ctx context.Context, f *trial.Messages, out string) error {
	if err := f.Validate(); err != nil {
		return err
	}
	r := f.Report()
	c.printf("%s", r.Heading(f))
	if err := c.inStages(func(progress trial.Progress) error {
		for p, err := range f.Points(ctx, progress) {
			if err != nil {
				return err
			}
			r.Points = append(r.Points, p)
			c.printf("%s", p.Text(f.Instances))
		}
		return nil
	}); err != nil {
		return err
	}
	if out != "" {
		var err error
		if r.Files, err = figure.SaveWithNumbers(out, "infer", trials.Messages(r), trials.MessagesTable(r)); err != nil {
			return err
		}
		c.printFiles(r.Files...)
	}
	return c.object(r)
}
