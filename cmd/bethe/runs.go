package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"bethe/runs"
)

// runSummary is a run in the JSON object of runs.
type runSummary struct {
	Run       string       `json:"run"`
	Folder    string       `json:"folder"`
	Verb      string       `json:"verb"`
	Data      string       `json:"data"`
	Visible   int          `json:"visible"`
	Hidden    int          `json:"hidden"`
	Seed      uint64       `json:"seed"`
	Finished  bool         `json:"finished"`
	Fraction  float64      `json:"fraction"`
	Steps     int          `json:"steps"`
	Seconds   float64      `json:"seconds"`
	Coupling  *runs.Number `json:"coupling"`
	Polarised *runs.Number `json:"polarised"`
	KL        *runs.Number `json:"kl_per_synapse"`
	Bound     *runs.Number `json:"bound_per_sample"`
	Forward   *runs.Number `json:"forward,omitempty"` // estimates of the log-likelihood, or its exact value in both
	Reverse   *runs.Number `json:"reverse,omitempty"`
	Problem   string       `json:"problem,omitempty"` // of its files
	// Settings that differ between the runs listed.
	Settings map[string]any `json:"settings,omitempty"`
}

func newRunsCommand(c *console) *cobra.Command {
	return &cobra.Command{
		Use: "runs DIR", Short: "List and compare runs", Args: oneArgument("a folder of runs"),
		Long: `Lists the runs in a folder and those up to three levels below it, finished or
still learning: where each one stands, its bound and log-likelihood in nats a
sample, and the settings in which they differ.`,
		Example: "  bethe runs runs\n  bethe runs runs --json",
		RunE:    func(cmd *cobra.Command, args []string) error { return c.listRuns(args[0]) },
	}
}

func (c *console) listRuns(folder string) error {
	found, err := runs.Find(folder)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("%s: no run in this folder, nor up to three levels below it; bethe train makes one", folder)
	}
	differ := differing(found)
	summaries := []runSummary{}
	for _, r := range found {
		s := summarise(&r)
		for _, key := range differ {
			if v, ok := r.Info.Settings[key]; ok {
				if s.Settings == nil {
					s.Settings = map[string]any{}
				}
				s.Settings[key] = v
			}
		}
		summaries = append(summaries, s)
	}
	if c.json {
		return c.object(map[string]any{"runs": summaries})
	}
	w := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	heads := []string{"RUN", "DATA", "UNITS", "SEED", "DONE", "STEPS", "SECONDS", "BOUND", "FORWARD", "REVERSE", "COUPLING", "POLARISED"}
	for _, key := range differ {
		heads = append(heads, runs.Printable(key))
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, s := range summaries {
		done := fmt.Sprintf("%.0f %%", 100*s.Fraction)
		if s.Finished {
			done = "yes"
		}
		row := []string{s.Run, s.Data, fmt.Sprintf("%d x %d", s.Visible, s.Hidden), fmt.Sprint(s.Seed), done, fmt.Sprint(s.Steps), fmt.Sprintf("%.1f", s.Seconds),
			decimals(s.Bound, 2), decimals(s.Forward, 2), decimals(s.Reverse, 2), decimals(s.Coupling, 4), decimals(s.Polarised, 2)}
		row[1] = runs.Printable(row[1])
		for _, key := range differ {
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
	for _, s := range summaries {
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

// differing returns the settings that are not the same in all runs, in order.
func differing(found []runs.Run) []string {
	values := map[string]map[string]bool{}
	for _, r := range found {
		for key, v := range r.Info.Settings {
			if values[key] == nil {
				values[key] = map[string]bool{}
			}
			values[key][fmt.Sprint(v)] = true
		}
	}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if key != "hidden" && len(values[key]) > 1 {
			keys = append(keys, key)
		}
	}
	return keys
}

// summarise reads how a run stands, as far as its files can be read.
func summarise(r *runs.Run) runSummary {
	folder := filepath.ToSlash(r.Folder)
	s := runSummary{Run: r.Name, Folder: folder, Verb: r.Info.Verb, Data: r.Info.Data, Visible: r.Info.Visible, Hidden: r.Info.Hidden, Seed: r.Info.Seed, Finished: r.Finished}
	err := errors.Join(r.Err, runs.EachRecords(r.Folder, s.follow))
	if err != nil {
		s.Problem = err.Error()
	}
	return s
}

// follow brings a summary up to date with records.
func (s *runSummary) follow(records []runs.Record) {
	for k := range records {
		e := &records[k]
		s.Fraction, s.Steps, s.Seconds = e.Fraction, e.Step, e.Seconds
		s.Coupling, s.Polarised, s.KL = &e.Coupling, &e.Polarised, &e.KL
		if e.Bound != nil {
			s.Bound = &e.Bound.Value
		}
		if l := e.LogLikelihood; l != nil {
			s.Forward, s.Reverse = nil, nil
			if l.Exact != nil {
				s.Forward, s.Reverse = &l.Exact.Value, &l.Exact.Value
			}
			if l.Forward != nil {
				s.Forward = &l.Forward.Value
			}
			if l.Reverse != nil {
				s.Reverse = &l.Reverse.Value
			}
		}
	}
}
