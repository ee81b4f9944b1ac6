package main

import (
	"fmt"
	"io"
	"strings"
)

// A report is all that was measured.
type report struct {
	Machine  string            `json:"machine"`
	CPUs     int               `json:"cpus"`
	Date     string            `json:"date"`
	Load     string            `json:"load_average_at_start"`
	Rounds   int               `json:"rounds"`
	Versions map[string]string `json:"versions"`
	Sections []section         `json:"sections"`
	// Missing says what could not be measured and why.
	Missing []string `json:"missing"`
	// Missed names the rows whose floor or limit does not hold.
	Missed  []string `json:"missed"`
	Seconds float64  `json:"seconds"`
}

// A section is a table and what it is about.
type section struct {
	Title string `json:"title"`
	Note  string `json:"note"`
	Rows  []row  `json:"rows"`
}

// A row is one figure.
type row struct {
	What    string  `json:"what"`
	Tier    string  `json:"tier,omitempty"`    // of our kernels
	Threads int     `json:"threads,omitempty"` // of each side
	Seconds float64 `json:"seconds,omitempty"` // median time of one
	Against string  `json:"against,omitempty"` // what the value compares with
	Value   float64 `json:"value,omitempty"`   // median of ratios, or what the unit says
	Unit    string  `json:"unit,omitempty"`    // "x": times faster
	Floor   float64 `json:"floor,omitempty"`   // what the value should at least be
	Limit   float64 `json:"limit,omitempty"`   // what the value should at most be
	Holds   *bool   `json:"holds,omitempty"`   // absent where there is neither

	Times []float64 `json:"times,omitempty"` // seconds of each round
}

// judge sets whether the floor or the limit holds.
func (r *row) judge() {
	if r.Floor != 0 || r.Limit != 0 {
		holds := r.Value >= r.Floor && (r.Limit == 0 || r.Value <= r.Limit)
		r.Holds = &holds
	}
}

// name says which row it is.
func (r *row) name() string {
	s := r.What
	if r.Tier != "" {
		s += ", " + r.Tier
	}
	if r.Threads > 0 {
		s += fmt.Sprintf(", threads %d", r.Threads)
	}
	if r.Against != "" {
		s += ", against " + r.Against
	}
	return s
}

// bar says what the value should be.
func (r *row) bar() string {
	if r.Limit != 0 {
		return "<= " + value(r.Limit, r.Unit)
	}
	return ">= " + value(r.Floor, r.Unit)
}

// add judges rows and appends them as a section.
func (r *report) add(title, note string, rows []row) {
	for k := range rows {
		rows[k].judge()
		if h := rows[k].Holds; h != nil && !*h {
			r.Missed = append(r.Missed, fmt.Sprintf("%s: %s: %s, should be %s", title, rows[k].name(), value(rows[k].Value, rows[k].Unit), rows[k].bar()))
		}
	}
	r.Sections = append(r.Sections, section{title, note, rows})
}

// value prints a value and its unit.
func value(x float64, unit string) string {
	s := fmt.Sprintf("%.3g", x)
	if x >= 100 {
		s = fmt.Sprintf("%.0f", x)
	}
	switch unit {
	case "":
		return s
	case "x":
		return s + "x"
	case "%":
		return s + " %"
	}
	return s + " " + unit
}

// duration prints seconds with a unit that suits them.
func duration(s float64) string {
	switch {
	case s <= 0:
		return ""
	case s < 1e-6:
		return fmt.Sprintf("%.3g ns", s*1e9)
	case s < 1e-3:
		return fmt.Sprintf("%.3g µs", s*1e6)
	case s < 1:
		return fmt.Sprintf("%.3g ms", s*1e3)
	}
	return fmt.Sprintf("%.3g s", s)
}

// markdown writes the report for people.
func (r *report) markdown(w io.Writer) {
	fmt.Fprintf(w, "%s, %d CPUs; %s; load average at start %s; %d rounds, %.0f s in all\n\n", r.Machine, r.CPUs, r.Date, r.Load, r.Rounds, r.Seconds)
	for _, name := range []string{"go", "kernels", "openblas", "numpy", "torch", "sklearn", "card", "driver", "cuda", "python"} {
		if v := r.Versions[name]; v != "" {
			fmt.Fprintf(w, "- %s %s\n", name, v)
		}
	}
	for _, s := range r.Sections {
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n| | tier | threads | time | value | against | floor | |\n|---|---|---|---|---|---|---|---|\n", s.Title, s.Note)
		for _, x := range s.Rows {
			var threads, v, bar, holds string
			if x.Threads > 0 {
				threads = fmt.Sprint(x.Threads)
			}
			if x.Value != 0 {
				v = value(x.Value, x.Unit)
			}
			if x.Holds != nil {
				if bar, holds = x.bar(), "holds"; !*x.Holds {
					holds = "**missed**"
				}
			}
			fmt.Fprintf(w, "| %s |\n", strings.Join([]string{x.What, x.Tier, threads, duration(x.Seconds), v, x.Against, bar, holds}, " | "))
		}
	}
	list := func(title string, lines []string) {
		if len(lines) > 0 {
			fmt.Fprintf(w, "\n## %s\n\n- %s\n", title, strings.Join(lines, "\n- "))
		}
	}
	list("MISSING: not measured", r.Missing)
	list("Missed floors", r.Missed)
}
