package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bethe/runs"
)

func newRunsCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "runs DIR", Short: "List and compare runs", Args: oneArgument("a folder of runs"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.listRuns(args[0]) },
	}
}

func (c *console) listRuns(folder string) error {
	found, err := runs.Compare(folder)
	if err != nil {
		return err
	}
	if len(found.Runs) == 0 {
		return fmt.Errorf("%s: no run in this folder, nor up to three levels below it; bethe train makes one", folder)
	}
	if c.json {
		return c.object(found)
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	heads := []string{"RUN", "DATA", "UNITS", "SEED", "DONE", "STEPS", "SECONDS", "BOUND", "FORWARD", "REVERSE", "COUPLING", "POLARISED"}
	for _, key := range found.Differ {
		heads = append(heads, runs.Printable(key))
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, s := range found.Runs {
		done := fmt.Sprintf("%.0f %%", 100*s.Fraction)
		if s.Finished {
			done = "yes"
		}
		row := []string{s.Run, s.Data, fmt.Sprintf("%d x %d", s.Visible, s.Hidden), fmt.Sprint(s.Seed), done, fmt.Sprint(s.Steps), fmt.Sprintf("%.1f", s.Seconds),
			decimals(s.Bound, 2), decimals(s.Forward, 2), decimals(s.Reverse, 2), decimals(s.Coupling, 4), decimals(s.Polarised, 2)}
		row[1] = runs.Printable(row[1])
		for _, key := range found.Differ {
			text := "-"
			if v, ok := s.Settings[key]; ok {
				text = runs.Printable(fmt.Sprint(v))
			}
			row = append(row, text)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, s := range found.Runs {
		if s.Problem != "" {
			c.logf("%s\n", s.Problem)
		}
	}
	return nil
}

// decimals writes a number that may not have been measured.
func decimals(x *runs.Number, digits int) string {
	if x == nil || math.IsNaN(float64(*x)) {
		return "-"
	}
	return strconv.FormatFloat(float64(*x), 'f', digits, 64)
}
