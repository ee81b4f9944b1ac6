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
		RunE: func(cmd *cobra.Command, args []string) error { return c.plot(cmd.Context(), args[0], &f) },
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
	saved, err := figure.SaveRun(ctx, folder, f.out, f.only, bar.Set)
	bar.Done()
	switch {
	case errors.Is(err, runs.ErrNotRun):
		return usagef("%w; bethe runs DIR lists runs", err)
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
