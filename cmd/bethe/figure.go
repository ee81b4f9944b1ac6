package main

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/figure/trials"
	"bethe/internal/durable"
	"bethe/sweep"
)

func newFigureCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "figure", Short: "Draw the results of a sweep", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFigurePhaseCommand(c))
	return cmd
}

// phaseFlags are what figure phase is told.
type phaseFlags struct {
	out string
	trials.PhaseView
}

func newFigurePhaseCommand(c *console) *cobra.Command {
	var f phaseFlags
	cmd := &cobra.Command{
		Use: "phase DIR", Short: "Draw a sweep as a phase diagram", Args: oneArgument("one DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.figurePhase(args[0], &f) },
	}
	flags := cmd.Flags()
	parameters := strings.Join(sweep.Parameters(), ", ")
	flags.StringVarP(&f.out, "out", "o", "", "file for the picture, .png or .svg (default phase.png in DIR)")
	flags.StringVar(&f.X, "x", "alpha", "parameter along x: "+parameters)
	flags.StringVar(&f.Y, "y", "beta", "parameter along y")
	flags.StringVar(&f.Panels, "panels", "hidden", "parameter with a heat map for each of its values")
	flags.StringVar(&f.Value, "value", "overlap", "the value to draw: "+strings.Join(sweep.Measures(), ", "))
	return cmd
}

// pictureWriters are the kinds of pictures, by the ending of the file.
var pictureWriters = map[string]func(io.Writer, figure.Chart, figure.Theme) error{".png": figure.EncodePNG, ".svg": figure.EncodeSVG}

func (c *console) figurePhase(folder string, f *phaseFlags) error {
	if err := f.Validate(); err != nil {
		return err
	}
	out := f.out
	if out == "" {
		out = filepath.Join(folder, "phase.png")
	}
	write := pictureWriters[filepath.Ext(out)]
	if write == nil {
		return usagef("--out %s: a picture is a .png or an .svg file", out)
	}
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	phases, status, err := s.Phases(f.X, f.Y, f.Panels, f.Value)
	if err != nil {
		return err
	}
	for _, err := range status.Broken {
		c.logf("%v\n", err)
	}
	chart := trials.Phases(f.PhaseView, phases)
	if err := durable.WriteOutput(out, func(w io.Writer) error { return write(w, chart, figure.Light) }); err != nil {
		return err
	}
	c.printf("%s: %d of %d cells\n", out, status.Done, len(s.Cells))
	return c.object(map[string]any{"figure": out, "cells": len(s.Cells), "done": status.Done, "missing": status.Missing})
}
