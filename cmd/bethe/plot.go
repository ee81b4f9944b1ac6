package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/runs"
)

// plotFlags are what plot is told.
type plotFlags struct {
	only []string
	out  string
}

func newPlotCommand(c *console) *cobra.Command {
	var f plotFlags
	cmd := &cobra.Command{
		Use: "plot RUN", Short: "Draw the figures of a run", Args: oneArgument("a run folder"),
		Long: `Draws the figures of a run, finished or still learning, each as PNG and SVG:

  bound           the lower bound, with estimates of the log-likelihood
  terms           the terms of the bound; also data-term, partition-term
  kl              divergence of the posterior from the prior, a synapse
  polarised       share of decided synapses
  coupling, rate  the coupling, and the learning rate
  label-error     how often labels are told wrong (train --label-weight)
  validation      log-likelihood of data not learned from (train --validation)
  overlap         overlap of hidden units with each other, along the run
  residual        of message passing or mean field; also iterations
  teacher         overlap with the teacher (planted runs)
  magnetisations  histogram of posterior means
  magnetisation-history  and how it came to be
  spectrum        singular values of the matrix of synapses
  units           overlap matrix of the hidden units
  synapses        synapses of each hidden unit, and how undecided they are
  samples         samples of the machine beside data

What the run has no numbers for is left out.`,
		Example: "  bethe plot runs/m500 -o figures\n  bethe plot runs/m500 --only synapses,bound -o figures",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.plot(cmd.Context(), args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "figures to draw, with commas between them (default all)")
	flags.StringVarP(&f.out, "out", "o", "", "folder for the figures (default figures in the run folder)")
	return cmd
}

func (c *console) plot(ctx context.Context, folder string, f *plotFlags) error {
	if f.out == "" {
		f.out = filepath.Join(folder, "figures")
	}
	bar := c.progress("drawing")
	saved, err := figure.SaveRun(ctx, folder, f.out, f.only, bar.set)
	bar.done()
	switch {
	case errors.Is(err, runs.ErrNotRun):
		return fmt.Errorf("%w; bethe runs DIR lists runs", err)
	case err != nil:
		return err
	}
	if saved.Problem != "" {
		c.logf("%s\n", saved.Problem)
	}
	c.printFiles(saved.Files...)
	if len(saved.Without) > 0 {
		c.logf("the run has no numbers for: %s\n", strings.Join(saved.Without, ", "))
	}
	if len(saved.Files) == 0 {
		return fmt.Errorf("%s: nothing to draw yet", folder)
	}
	return c.object(struct {
		Run string `json:"run"`
		*figure.Saved
	}{folder, saved})
}
