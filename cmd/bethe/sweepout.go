package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bethe/internal/durable"
	"bethe/sweep"
)

func newSweepCollectCommand(c *console) *cobra.Command {
	var out []string
	var partial bool
	cmd := &cobra.Command{
		Use: "collect DIR", Short: "Make one table of all cells", Args: oneArgument("one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.sweepCollect(args[0], out, partial) },
	}
	cmd.Flags().StringArrayVarP(&out, "out", "o", nil, "file for the table, .csv or .parquet; may be given again (default table.csv and table.parquet in DIR)")
	cmd.Flags().BoolVar(&partial, "partial", false, "write the table even if cells are missing")
	return cmd
}

func (c *console) sweepCollect(folder string, files []string, partial bool) error {
	if len(files) == 0 {
		files = []string{filepath.Join(folder, "table.csv"), filepath.Join(folder, "table.parquet")}
	}
	if err := sweep.CheckTables(files); err != nil {
		return err
	}
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	table, status, err := s.Collect()
	if err != nil {
		return err
	}
	for _, err := range status.Broken {
		c.logf("%v\n", err)
	}
	if err := incomplete(s, status.Missing); err != nil && !partial {
		return err
	}
	for _, name := range files {
		if err := sweep.SaveTable(name, table); err != nil {
			return err
		}
		c.printf("%s: %d of %d cells\n", name, table.Len(), len(s.Cells))
	}
	return c.object(map[string]any{"files": files, "cells": len(s.Cells), "rows": table.Len()})
}

// sweepScriptFlags are what sweep script is told.
type sweepScriptFlags struct {
	engine, out string
	job         sweep.Job
}

func newSweepScriptCommand(c *console) *cobra.Command {
	var f sweepScriptFlags
	cmd := &cobra.Command{
		Use: "script DIR", Short: "Write a job for a cluster", Args: oneArgument("one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.sweepScript(args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.engine, "engine", "slurm", "what runs the job: "+strings.Join(sweep.Engines, ", "))
	flags.StringVarP(&f.out, "out", "o", "", "file for the job (default: standard output)")
	flags.IntVar(&f.job.Shards, "shards", 0, fmt.Sprintf("shards, at most one for each cell (default: shards of about %d cells, at most %d of them)", sweep.CellsAShard, sweep.SlurmTasks))
	flags.DurationVar(&f.job.Time, "time", time.Hour, "time limit of a Slurm task; after it the task goes back to the queue")
	flags.StringVar(&f.job.Command, "command", "", "the bethe program on the machines (default: this one; bethe for k8s)")
	flags.StringVar(&f.job.Image, "image", "bethe:latest", "container of the Kubernetes job")
	flags.StringVar(&f.job.Claim, "claim", "sweeps", "volume claim of the Kubernetes job; the volume holds a copy of DIR")
	return cmd
}

func (c *console) sweepScript(folder string, f *sweepScriptFlags) error {
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	job := f.job
	job.Threads = max(1, c.threads)
	if err := job.Fill(s, f.engine); err != nil {
		return err
	}
	if job.Cells > 0 && job.Shards > job.Cells {
		c.logf("--shards %d: there are only %d cells, so that many shards are made\n", job.Shards, job.Cells)
		job.Shards = job.Cells
	}
	if parts := job.Parts(f.engine); parts > 1 {
		c.logf("%d shards are more than the %d tasks that Slurm usually allows in an array: the job says how to submit them in %d parts; with fewer --shards each has more cells\n", job.Shards, sweep.SlurmTasks, parts)
	}
	var text strings.Builder
	if err := sweep.Script(&text, f.engine, &job); err != nil {
		return &usageError{Err: err}
	}
	if f.out != "" {
		if err := durable.WriteOutput(f.out, func(w io.Writer) error {
			_, err := io.WriteString(w, text.String())
			return err
		}); err != nil {
			return err
		}
		c.printf("%s: %d shards\n", f.out, job.Shards)
	} else {
		c.printf("%s", text.String())
	}
	return c.object(map[string]any{"engine": f.engine, "shards": job.Shards, "script": text.String()})
}
