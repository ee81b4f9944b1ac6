package runs

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// Table writes a line for each run under a line of heads, in columns. Likelihoods and
// bounds are in nats per sample. What was not measured is a dash.
func (c *Comparison) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	heads := []string{"RUN", "DATA", "UNITS", "SEED", "DONE", "STEPS", "SECONDS", "BOUND", "FORWARD", "REVERSE", "COUPLING", "POLARISED"}
	validated := slices.ContainsFunc(c.Runs, func(s Summary) bool { return s.Validation != nil })
	if validated {
		heads = append(heads, "VALIDATION")
	}
	for _, key := range c.Differ {
		heads = append(heads, Printable(key))
	}
	fmt.Fprintln(w, strings.Join(heads, "\t"))
	for _, s := range c.Runs {
		done := fmt.Sprintf("%.0f %%", 100*s.Fraction)
		if s.Finished {
			done = "yes"
		}
		row := []string{s.Run, s.Data, s.units(), fmt.Sprint(s.Seed), done, fmt.Sprint(s.Steps), fmt.Sprintf("%.1f", s.Seconds),
			decimals(s.Bound, 2), decimals(s.Forward, 2), decimals(s.Reverse, 2), decimals(s.Coupling, 4), decimals(s.Polarised, 2)}
		row[1] = Printable(row[1])
		if validated {
			row = append(row, decimals(s.Validation, 2))
		}
		for _, key := range c.Differ {
			text := "-"
			if v, ok := s.Settings[key]; ok {
				text = Printable(short(v))
			}
			row = append(row, text)
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// Commands writes the command that makes each run again, below the name of the run if there are several.
func (c *Comparison) Commands(out io.Writer) error {
	for _, s := range c.Runs {
		text := s.Command
		switch {
		case text == "":
			text = "# " + s.Run + ": its folder does not say which command made it"
		case len(c.Runs) > 1:
			text = "# " + s.Run + "\n" + text
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
	}
	return nil
}

// short writes a setting, numbers to six digits.
func short(v any) string {
	if x, ok := v.(float64); ok {
		return strconv.FormatFloat(x, 'g', 6, 64)
	}
	return fmt.Sprint(v)
}

// decimals writes a number that may not have been measured.
func decimals(x *Number, digits int) string {
	if x == nil || math.IsNaN(float64(*x)) {
		return "-"
	}
	return strconv.FormatFloat(float64(*x), 'f', digits, 64)
}

// Problems returns a line for each run that could not be read in full.
func (c *Comparison) Problems() string {
	var b strings.Builder
	for _, s := range c.Runs {
		if s.Problem != "" {
			fmt.Fprintln(&b, s.Problem)
		}
	}
	return b.String()
}
