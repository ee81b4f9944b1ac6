package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bethe/runs"
	"bethe/sweep"
)

func newSweepCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "sweep", Short: "Run the planted experiment over a grid, in shards", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
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
		RunE: func(cmd *cobra.Command, args []string) error { return c.sweepInit(args[0], out) },
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "folder of the sweep (default runs/GRID without its ending)")
	return cmd
}

func (c *console) sweepInit(grid, folder string) error {
	cells, err := sweep.ReadGridFile(grid)
	if err != nil {
		return &usageError{Err: err}
	}
	if folder == "" {
		folder = filepath.Join("runs", runs.Stem(grid))
	}
	s, added, err := sweep.Create(folder, cells)
	if errors.Is(err, sweep.ErrOther) {
		return &usageError{Err: err}
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
		RunE: func(cmd *cobra.Command, args []string) error { return c.sweepRun(cmd.Context(), args[0], shard) },
	}
	cmd.Flags().StringVar(&shard, "shard", "0/1", "share of the cells: I/N is number I of N shares, counted from 0")
	return cmd
}

func (c *console) sweepRun(ctx context.Context, folder, text string) error {
	shard, err := sweep.ParseShard(text)
	if err != nil {
		return err
	}
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	bar := c.progress("sweeping")
	r, err := s.RunShard(ctx, shard, func(p sweep.Progress) {
		bar.Set(p.Fraction, fmt.Sprintf("%d of %d cells, about %v left", p.Done, p.Cells, p.Left.Round(time.Second)))
	})
	bar.Done()
	for _, broken := range r.Broken {
		c.logf("%s; computed again\n", broken)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w with %d of %d cells of shard %s done; the same command goes on", errInterrupted, r.Before+r.Computed, r.Members, text)
	case err != nil:
		return err
	}
	c.printf("%s: shard %s has %d cells, %d done before, %d computed in %.1f s\n", folder, text, r.Members, r.Before, r.Computed, r.Seconds)
	if err := c.object(r); err != nil {
		return err
	}
	if len(r.Failures) > 0 {
		return fmt.Errorf("%d cells failed: %w", len(r.Failures), errors.Join(r.Failures...))
	}
	return nil
}

func newSweepStatusCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "status DIR", Short: "Say which cells are done", Args: oneArgument("one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.sweepStatus(args[0]) },
	}
}

func (c *console) sweepStatus(folder string) error {
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	r, err := s.Report()
	if err != nil {
		return err
	}
	c.printf("%s: %d of %d cells done (%.1f %%)\n", folder, r.Done, r.Cells, 100*float64(r.Done)/float64(r.Cells))
	for _, text := range r.Broken {
		c.printf("  %s\n", text)
	}
	if err := c.object(r); err != nil {
		return err
	}
	return incomplete(s, r.Missing)
}

// incomplete returns an error while cells are missing.
func incomplete(s *sweep.Sweep, missing int) error {
	if err := s.Complete(missing); err != nil {
		return fmt.Errorf("%w: %w; compute them with bethe sweep run %s", errIncomplete, err, s.Folder)
	}
	return nil
}
