package sweep

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"bethe/infer"
	"bethe/trial"
)

// Sets are the parameters of a cell that learns several planted sets one after the other, as bethe planted --tasks does
// (trial.Tasks). A cell of one set has none of them.
type Sets struct {
	Tasks           int     `json:"tasks,omitzero"`            // sets, at least 2; 0 in a cell of one set
	TaskAlpha       float64 `json:"task_alpha,omitzero"`       // density of the sets after the first; 0: as of the first
	TaskCorrelation float64 `json:"task_correlation,omitzero"` // of the synapses of consecutive teachers
	PriorScale      float64 `json:"prior_scale,omitzero"`      // what the means of the posterior are multiplied by
	PriorStrength   float64 `json:"prior_strength,omitzero"`   // how often the divergence from it counts
}

// Defaults of sets.
const (
	defaultTaskCorrelation = 0.9
	defaultPriorStrength   = 1
)

// several reports whether the cell learns several sets.
func (s *Sets) several() bool { return s.Tasks != 0 }

// sequence returns the tasks that are learned.
func (s *Sets) sequence() trial.Tasks {
	return trial.Tasks{Count: s.Tasks, Correlation: s.TaskCorrelation, Strength: s.PriorScale, Release: 1 - s.PriorStrength, Alpha: s.TaskAlpha}
}

// text is the part of a cell's name that tells its sets.
func (s *Sets) text() string {
	if !s.several() {
		return ""
	}
	float := func(x float64) string { return strconv.FormatFloat(x+0, 'g', -1, 64) }
	return fmt.Sprintf(" tasks=%d task_alpha=%s task_correlation=%s prior_scale=%s prior_strength=%s", s.Tasks,
		float(s.TaskAlpha), float(s.TaskCorrelation), float(s.PriorScale), float(s.PriorStrength))
}

// A SetsResult is what a cell of several sets found at their end: overlaps with the teachers of the first set and of the last,
// means over instances.
type SetsResult struct {
	New         float64 `json:"new_overlap"` // the posterior of each set was the prior of the next
	NewSpread   float64 `json:"new_overlap_spread"`
	First       float64 `json:"first_overlap"`
	FirstSpread float64 `json:"first_overlap_spread"`
	Before      float64 `json:"first_overlap_before"` // after the first set
	// Tuned: it was where the next one began, without a prior.
	NewTuned   float64 `json:"new_overlap_fine_tuned"`
	FirstTuned float64 `json:"first_overlap_fine_tuned"`
	// Of two sets and one hidden unit: the same for infinitely many visible units (infer.Sequel).
	LimitBefore *float64 `json:"limit_first_overlap_before,omitempty"`
	LimitFirst  *float64 `json:"limit_first_overlap,omitempty"`
	LimitNew    *float64 `json:"limit_new_overlap,omitempty"`
}

func (r *SetsResult) numbers() []float64 {
	n := []float64{r.New, r.NewSpread, r.First, r.FirstSpread, r.Before, r.NewTuned, r.FirstTuned}
	for _, p := range []*float64{r.LimitBefore, r.LimitFirst, r.LimitNew} {
		if p != nil {
			n = append(n, *p)
		}
	}
	return n
}

// computeSets does the work of a cell of several sets: what bethe planted --tasks does with the cell's name as the seed.
func (c *Cell) computeSets(ctx context.Context) (*Result, error) {
	setup, sequence := c.setup(), c.sequence()
	learner := trial.DefaultLearner(setup, c.Restarts)
	var all []*trial.Sequel
	for k := range c.Instances {
		s, err := sequence.Learn(ctx, setup, learner, instanceKey(c, k))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	last := c.Tasks - 1
	mean := func(of func(*trial.Sequel) float64) (mean, spread float64) {
		n := float64(len(all))
		for _, s := range all {
			mean += of(s) / n
		}
		for _, s := range all {
			spread += (of(s) - mean) * (of(s) - mean) / max(1, n-1)
		}
		return mean, math.Sqrt(spread)
	}
	r := new(SetsResult)
	r.New, r.NewSpread = mean(func(s *trial.Sequel) float64 { return s.With[last].New })
	r.First, r.FirstSpread = mean(func(s *trial.Sequel) float64 { return s.With[last].First })
	r.Before, _ = mean(func(s *trial.Sequel) float64 { return s.With[0].First })
	r.NewTuned, _ = mean(func(s *trial.Sequel) float64 { return s.Tuned[last].New })
	r.FirstTuned, _ = mean(func(s *trial.Sequel) float64 { return s.Tuned[last].First })
	if c.Hidden == 1 && c.Tasks == 2 {
		second := c.TaskAlpha
		if second == 0 {
			second = c.Alpha
		}
		l := infer.Sequel{First: c.Alpha, Second: second, Beta: c.Beta, Correlation: c.TaskCorrelation, Scale: c.PriorScale, Strength: c.PriorStrength}.Limit()
		r.LimitBefore, r.LimitFirst, r.LimitNew = &l.Before, &l.Old, &l.New
	}
	out := &Result{Samples: setup.Samples(), Sets: r}
	return out, out.check(c)
}

// A setsRow is a row of the table of a sweep of several sets.
type setsRow struct {
	ID              string   `parquet:"id"`
	Visible         int64    `parquet:"visible"`
	Hidden          int64    `parquet:"hidden"`
	Alpha           float64  `parquet:"alpha"`
	Beta            float64  `parquet:"beta"`
	Correlation     float64  `parquet:"correlation"`
	Tasks           int64    `parquet:"tasks"`
	TaskAlpha       float64  `parquet:"task_alpha"` // never 0
	TaskCorrelation float64  `parquet:"task_correlation"`
	PriorScale      float64  `parquet:"prior_scale"`
	PriorStrength   float64  `parquet:"prior_strength"`
	Instances       int64    `parquet:"instances"`
	Restarts        int64    `parquet:"restarts"`
	Seed            int64    `parquet:"seed"`
	Samples         int64    `parquet:"samples"` // of the first set
	New             float64  `parquet:"new_overlap"`
	NewSpread       float64  `parquet:"new_overlap_spread"`
	First           float64  `parquet:"first_overlap"`
	FirstSpread     float64  `parquet:"first_overlap_spread"`
	Before          float64  `parquet:"first_overlap_before"`
	NewTuned        float64  `parquet:"new_overlap_fine_tuned"`
	FirstTuned      float64  `parquet:"first_overlap_fine_tuned"`
	LimitBefore     *float64 `parquet:"limit_first_overlap_before,optional"` // nil but of two sets and one hidden unit
	LimitFirst      *float64 `parquet:"limit_first_overlap,optional"`
	LimitNew        *float64 `parquet:"limit_new_overlap,optional"`
}

// SetsColumns are the names of the columns of the table of a sweep of several sets.
var SetsColumns = []string{"id", "visible", "hidden", "alpha", "beta", "correlation", "tasks", "task_alpha", "task_correlation", "prior_scale", "prior_strength",
	"instances", "restarts", "seed", "samples", "new_overlap", "new_overlap_spread", "first_overlap", "first_overlap_spread", "first_overlap_before",
	"new_overlap_fine_tuned", "first_overlap_fine_tuned", "limit_first_overlap_before", "limit_first_overlap", "limit_new_overlap"}

// setsRows are the rows of a table of several sets.
type setsRows []setsRow

func (t setsRows) add(c *Cell, r *Result) Table {
	s, alpha := r.Sets, c.TaskAlpha
	if alpha == 0 {
		alpha = c.Alpha
	}
	return append(t, setsRow{ID: c.ID(), Visible: int64(c.Visible), Hidden: int64(c.Hidden), Alpha: c.Alpha, Beta: c.Beta, Correlation: c.Correlation,
		Tasks: int64(c.Tasks), TaskAlpha: alpha, TaskCorrelation: c.TaskCorrelation, PriorScale: c.PriorScale, PriorStrength: c.PriorStrength,
		Instances: int64(c.Instances), Restarts: int64(c.Restarts), Seed: int64(c.Seed), Samples: int64(r.Samples),
		New: s.New, NewSpread: s.NewSpread, First: s.First, FirstSpread: s.FirstSpread, Before: s.Before, NewTuned: s.NewTuned, FirstTuned: s.FirstTuned,
		LimitBefore: s.LimitBefore, LimitFirst: s.LimitFirst, LimitNew: s.LimitNew})
}

// Len implements Table.
func (t setsRows) Len() int { return len(t) }

// WriteCSV implements Table.
func (t setsRows) WriteCSV(w io.Writer) error {
	lines := csv.NewWriter(w)
	if err := lines.Write(SetsColumns); err != nil {
		return err
	}
	for _, r := range t {
		if err := lines.Write([]string{r.ID, integer(r.Visible), integer(r.Hidden), float(r.Alpha), float(r.Beta), float(r.Correlation),
			integer(r.Tasks), float(r.TaskAlpha), float(r.TaskCorrelation), float(r.PriorScale), float(r.PriorStrength),
			integer(r.Instances), integer(r.Restarts), integer(r.Seed), integer(r.Samples),
			float(r.New), float(r.NewSpread), float(r.First), float(r.FirstSpread), float(r.Before), float(r.NewTuned), float(r.FirstTuned),
			optional(r.LimitBefore), optional(r.LimitFirst), optional(r.LimitNew)}); err != nil {
			return err
		}
	}
	lines.Flush()
	return lines.Error()
}

// WriteParquet implements Table.
func (t setsRows) WriteParquet(w io.Writer) error { return writeParquet(w, t) }
