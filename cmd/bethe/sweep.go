package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bethe/runs"
	"bethe/sweep"
)

func newSweepCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "sweep", Short: "Run the planted experiment over a grid, in shards", Args: noArguments,
		Long: `Runs the planted experiment over a grid of parameters: init makes a folder of a
grid, run computes its cells or a share of them, status says how far it is,
collect makes one table, script writes jobs for Slurm, GNU parallel or
Kubernetes.

A cell draws its random numbers from its parameters alone and leaves a file of
its own. So any number of runs may work in one folder at once, be killed and be
started again, and the table has the same bytes however it came about.`,
		Example: "  bethe sweep init grid.toml -o runs/pd\n  bethe sweep run runs/pd\n  bethe sweep collect runs/pd",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSweepInitCommand(c), newSweepRunCommand(c), newSweepStatusCommand(c), newSweepCollectCommand(c), newSweepScriptCommand(c))
	return cmd
}

// openSweep reads the manifest of a sweep's folder.
func openSweep(folder string) (*sweep.Sweep, error) {
	s, err := sweep.Open(folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usagef("%s holds no sweep: make one with bethe sweep init GRID -o %s", folder, folder)
	}
	return s, err
}

func newSweepInitCommand(c *console) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "init GRID", Short: "Make the folder of a sweep", Args: oneArgument("one GRID"),
		Long: `Reads a grid and writes the manifest of its cells to a folder. The grid is a
TOML file; a number is fixed, a list of numbers is swept:

  visible = 100            # N
  hidden = [1, 2, 3]       # P
  alpha = [1, 2, 3, 4, 5]  # samples a visible unit
  beta = 1.0               # coupling J = beta/sqrt N
  correlation = 0.0        # between the synapses of hidden units; 0 where left out
  instances = 10           # teachers of a cell
  restarts = 12            # random starts of each learner
  seed = [1, 2, 3]
  oracle = false           # also the Bayes optimum; false where left out

A folder that holds a sweep already takes a grid with more cells: what was
computed stays.`,
		Example: "  bethe sweep init grid.toml -o runs/pd",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.sweepInit(args[0], out) },
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder of the sweep (default runs/GRID without its ending)")
	return cmd
}

func (c *console) sweepInit(grid, folder string) error {
	f, err := os.Open(grid)
	if err != nil {
		return &usageError{err}
	}
	defer f.Close()
	cells, err := sweep.ReadGrid(f, grid)
	if err != nil {
		return &usageError{err}
	}
	if folder == "" {
		folder = filepath.Join("runs", runs.Stem(grid))
	}
	s, added, err := sweep.Create(folder, cells)
	if errors.Is(err, sweep.ErrOther) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	c.printf("%s: a sweep of %d cells, %d of them new\n", folder, len(s.Cells), added)
	return c.object(map[string]any{"folder": folder, "cells": len(s.Cells), "added": added})
}

func newSweepRunCommand(c *console) *cobra.Command {
	var shard string
	cmd := &cobra.Command{
		Use: "run DIR", Short: "Compute the missing cells", Args: oneArgument("one DIR"),
		Long: `Computes the cells that are missing, or those of one shard, a cell on each
thread. Files of cells that are torn or damaged are reported and computed again.

Ctrl-C and SIGTERM drop the cells under way and end with status 75; what was
computed is saved, and the same command goes on.`,
		Example: "  bethe sweep run runs/pd\n  bethe sweep run runs/pd --shard 3/64 --threads 4",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.sweepRun(cmd.Context(), args[0], shard) },
	}
	cmd.Flags().StringVar(&shard, "shard", "0/1", "share of the cells: I/N is the I-th of N, counted from 0")
	return cmd
}

// parseShard reads I/N.
func parseShard(text string) (sweep.Shard, error) {
	i, n, _ := strings.Cut(text, "/")
	place, err1 := strconv.Atoi(i)
	count, err2 := strconv.Atoi(n)
	if err1 != nil || err2 != nil || place < 0 || place >= count {
		return sweep.Shard{}, usagef("--shard %q: it is I/N, such as 3/64, with I from 0 to N-1", text)
	}
	return sweep.Shard{I: place, N: count}, nil
}

// sweepRunReport is the JSON object of sweep run.
type sweepRunReport struct {
	Folder   string   `json:"folder"`
	Cells    int      `json:"cells"`
	Shard    string   `json:"shard"`
	Members  int      `json:"shard_cells"`
	Before   int      `json:"done_before"`
	Computed int      `json:"computed"`
	Broken   []string `json:"broken,omitempty"` // computed again
	Failed   []string `json:"failed,omitempty"`
	Seconds  float64  `json:"seconds"`
}

func (c *console) sweepRun(ctx context.Context, folder, text string) error {
	shard, err := parseShard(text)
	if err != nil {
		return err
	}
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	began := time.Now()
	bar := c.progress("sweeping")
	report, err := s.Run(ctx, shard, func(p sweep.Progress) {
		bar.set(p.Fraction, fmt.Sprintf("%d of %d cells, about %v left", p.Done, p.Cells, p.Left.Round(time.Second)))
	})
	bar.done()
	for _, broken := range report.Broken {
		c.logf("%v; computed again\n", broken)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w with %d of %d cells of shard %s done; the same command goes on", errInterrupted, report.Before+report.Computed, report.Shard, text)
	case err != nil:
		return err
	}
	out := sweepRunReport{folder, len(s.Cells), text, report.Shard, report.Before, report.Computed, nil, nil, time.Since(began).Seconds()}
	for _, err := range report.Broken {
		out.Broken = append(out.Broken, err.Error())
	}
	for _, err := range report.Failed {
		out.Failed = append(out.Failed, err.Error())
	}
	c.printf("%s: shard %s has %d cells, %d done before, %d computed in %.1f s\n", folder, text, out.Members, out.Before, out.Computed, out.Seconds)
	if err := c.object(out); err != nil {
		return err
	}
	if len(report.Failed) > 0 {
		return fmt.Errorf("%d cells failed: %w", len(report.Failed), errors.Join(report.Failed...))
	}
	return nil
}

func newSweepStatusCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "status DIR", Short: "Say which cells are done", Args: oneArgument("one DIR"),
		Long:    "Reads the file of every cell and says how many are done. The exit status is 3\nwhile cells are missing.",
		Example: "  bethe sweep status runs/pd\n  bethe sweep status runs/pd --json",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.sweepStatus(args[0]) },
	}
}

func (c *console) sweepStatus(folder string) error {
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	status, err := s.Status()
	if err != nil {
		return err
	}
	broken := []string{}
	for _, err := range status.Broken {
		broken = append(broken, err.Error())
	}
	c.printf("%s: %d of %d cells done (%.1f %%)\n", folder, status.Done, len(s.Cells), 100*float64(status.Done)/float64(len(s.Cells)))
	for _, text := range broken {
		c.printf("  %s\n", text)
	}
	if err := c.object(map[string]any{"folder": folder, "cells": len(s.Cells), "done": status.Done, "missing": status.Missing, "broken": broken}); err != nil {
		return err
	}
	return incomplete(s, status)
}

// incomplete returns an error while cells are missing.
func incomplete(s *sweep.Sweep, status *sweep.Status) error {
	if status.Missing == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d cells are missing; compute them with bethe sweep run %s", errIncomplete, status.Missing, len(s.Cells), s.Folder)
}
