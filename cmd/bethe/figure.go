package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bethe/figure"
	"bethe/internal/durable"
	"bethe/sweep"
)

func newFigureCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "figure", Short: "Draw the results of a sweep", Args: noArguments,
		Example: "  bethe figure phase runs/pd -o phase.png",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newFigurePhaseCommand(c))
	return cmd
}

// phaseFlags are what figure phase is told.
type phaseFlags struct {
	out, x, y, panels, value string
}

func newFigurePhaseCommand(c *console) *cobra.Command {
	var f phaseFlags
	cmd := &cobra.Command{
		Use: "phase DIR", Short: "Draw a sweep as a phase diagram", Args: oneArgument("one DIR"),
		Long: `Draws a result of a sweep over two of its parameters as a heat map, one for each
value of a third. A place shows the mean over its cells, of all other parameters
(seeds, say). Places where no cell is done are crossed out: a sweep can be looked
at while it runs.

Where the overlap is drawn over alpha and beta, a line shows alpha = 1/beta^4,
above which large machines can learn.`,
		Example: "  bethe figure phase runs/pd -o phase.png\n  bethe figure phase runs/pd -o bound.svg --value bound_per_sample --x beta --y alpha",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.figurePhase(args[0], &f) },
	}
	flags := cmd.Flags()
	parameters := strings.Join(sweep.Parameters(), ", ")
	flags.StringVarP(&f.out, "out", "o", "", "file for the picture, .png or .svg (default phase.png in DIR)")
	flags.StringVar(&f.x, "x", "alpha", "parameter along x: "+parameters)
	flags.StringVar(&f.y, "y", "beta", "parameter along y")
	flags.StringVar(&f.panels, "panels", "hidden", "parameter with a heat map for each of its values")
	flags.StringVar(&f.value, "value", "overlap", "what is drawn: "+strings.Join(sweep.Measures(), ", "))
	return cmd
}

// pictureWriters are the kinds of pictures, by the ending of the file.
var pictureWriters = map[string]func(io.Writer, figure.Chart, figure.Theme) error{".png": figure.EncodePNG, ".svg": figure.EncodeSVG}

func (c *console) figurePhase(folder string, f *phaseFlags) error {
	out := f.out
	if out == "" {
		out = filepath.Join(folder, "phase.png")
	}
	write := pictureWriters[filepath.Ext(out)]
	if write == nil {
		return usagef("--out %s: a picture is a .png or an .svg file", out)
	}
	for flag, name := range map[string]string{"--x": f.x, "--y": f.y, "--panels": f.panels} {
		if !oneOf(name, sweep.Parameters()...) {
			return usagef("%s %q: it is one of %s", flag, name, strings.Join(sweep.Parameters(), ", "))
		}
	}
	if !oneOf(f.value, sweep.Measures()...) {
		return usagef("--value %q: it is one of %s", f.value, strings.Join(sweep.Measures(), ", "))
	}
	if f.x == f.y || f.x == f.panels || f.y == f.panels {
		return usagef("--x %s --y %s --panels %s: they must differ", f.x, f.y, f.panels)
	}
	s, err := openSweep(folder)
	if err != nil {
		return err
	}
	phases, status, err := s.Phases(f.x, f.y, f.panels, f.value)
	if err != nil {
		return err
	}
	for _, err := range status.Broken {
		c.logf("%v\n", err)
	}
	chart := phaseChart(f, phases)
	if err := durable.WriteFile(out, func(w io.Writer) error { return write(w, chart, figure.Light) }); err != nil {
		return err
	}
	c.printf("%s: %d of %d cells\n", out, status.Done, len(s.Cells))
	return c.object(map[string]any{"figure": out, "cells": len(s.Cells), "done": status.Done, "missing": status.Missing})
}

// names of parameters and measures on a chart.
var chartNames = map[string]string{
	"visible": "visible units N", "hidden": "hidden units P", "alpha": "samples a visible unit, α", "beta": "coupling β", "correlation": "correlation q",
	"overlap": "overlap with the planted synapses", "overlap_spread": "spread of the overlap", "overlap_best_start": "overlap of the best start",
	"overlap_of_means": "overlap of the posterior means", "bound_per_sample": "bound a sample", "bayes_overlap": "Bayes-optimal overlap",
}

func chartName(name string) string {
	if text, ok := chartNames[name]; ok {
		return text
	}
	return name
}

// phaseChart draws a heat map for each phase, all on one scale.
func phaseChart(f *phaseFlags, phases []sweep.Phase) figure.Chart {
	scale := figure.Axis{Label: chartName(f.value)}
	if f.value == "bound_per_sample" {
		scale.Unit = "nats"
		scale.Min, scale.Max = math.Inf(1), math.Inf(-1)
		for _, phase := range phases {
			for _, row := range phase.Values {
				for _, v := range row {
					if !math.IsNaN(v) {
						scale.Min, scale.Max = min(scale.Min, v), max(scale.Max, v)
					}
				}
			}
		}
	} else {
		scale.Max = 1
	}
	panels := &figure.Panels{Columns: min(3, len(phases))}
	for _, phase := range phases {
		chart := &figure.HeatMap{
			Title: fmt.Sprintf("%s = %s", chartName(f.panels), strconv.FormatFloat(phase.Panel, 'g', -1, 64)),
			X:     figure.Axis{Label: chartName(f.x)}, Y: figure.Axis{Label: chartName(f.y)}, Scale: scale,
			XValues: phase.X, YValues: phase.Y, Values: phase.Values,
		}
		if f.x == "alpha" && f.y == "beta" && strings.Contains(f.value, "overlap") && len(phase.X) > 1 && len(phase.Y) > 1 {
			chart.Lines = append(chart.Lines, threshold(phase.Y))
		}
		panels.Charts = append(panels.Charts, chart)
	}
	return panels
}

// threshold is the line alpha = beta^-4 in the range of betas.
func threshold(betas []float64) figure.Series {
	line := figure.Series{Name: "large machines learn above α = 1/β^4"}
	const points = 200
	low, high := betas[0], betas[len(betas)-1]
	for k := range points {
		beta := low + (high-low)*float64(k)/(points-1)
		line.X, line.Y = append(line.X, 1/(beta*beta*beta*beta)), append(line.Y, beta)
	}
	return line
}
