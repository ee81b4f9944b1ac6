package sweep

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"bethe/trial"
)

const setsGrid = "visible = 40\nhidden = 1\nalpha = 5\nbeta = 1\ninstances = 2\nrestarts = 1\nseed = 1\ntasks = 2\ntask_alpha = [1, 5]\ntask_correlation = 0.5\nprior_scale = 1\nprior_strength = [1, 2]\n"

// TestSets: a cell of several sets is what bethe planted --tasks finds with its name as the seed, its file comes back, and
// both tables hold the same.
func TestSets(t *testing.T) {
	s := create(t, setsGrid)
	if report := run(t, s, All); report.Computed != 4 {
		t.Fatalf("%+v", report)
	}
	table, status, err := s.Collect()
	if err != nil || status.Done != 4 || table.Len() != 4 {
		t.Fatalf("%+v, %v", status, err)
	}
	rows := table.(setsRows)
	for k, c := range s.Cells {
		r, err := c.sequence().Run(t.Context(), c.setup(), trial.DefaultLearner(c.setup(), c.Restarts), c.Instances, c.sum(), func(string, float64, string) {})
		if err != nil {
			t.Fatal(err)
		}
		end, got := r.Tasks[1], rows[k]
		near := func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }
		if !near(got.New, end.New) || !near(got.First, end.First) || !near(got.FirstTuned, end.FirstTuned) || !near(got.NewTuned, end.NewTuned) || !near(got.Before, r.Tasks[0].First) {
			t.Errorf("%s: %+v, and planted: %+v", c.describe(), got, end)
		}
		if got.LimitFirst == nil || !(*got.LimitFirst > 0.5 && *got.LimitFirst <= 1) || got.TaskAlpha != c.TaskAlpha || got.PriorStrength != c.PriorStrength {
			t.Errorf("%+v", got)
		}
	}
	var csv, again, pq bytes.Buffer
	if err := table.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if err := table.WriteParquet(&pq); err != nil {
		t.Fatal(err)
	}
	back, err := parquet.Read[setsRow](bytes.NewReader(pq.Bytes()), int64(pq.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if err := setsRows(back).WriteCSV(&again); err != nil || again.String() != csv.String() {
		t.Errorf("%v: the Parquet file holds\n%s, not\n%s", err, again.String(), csv.String())
	}
	if head, _, _ := strings.Cut(csv.String(), "\n"); head != strings.Join(SetsColumns, ",") {
		t.Error(head)
	}
	phases, _, err := s.Phases("task_alpha", "prior_strength", "hidden", "first_overlap")
	if err != nil || phases[0].Values[1][1] != rows[3].First {
		t.Errorf("%+v, %v", phases, err)
	}
	if phases, _, err = s.Phases("task_alpha", "prior_strength", "hidden", "overlap"); err != nil || !math.IsNaN(phases[0].Values[0][0]) {
		t.Errorf("the overlap of one set, of several: %+v, %v", phases, err)
	}
}

// TestSetsDefaults: those of bethe planted --tasks.
func TestSetsDefaults(t *testing.T) {
	const one = "visible = 40\nhidden = 1\nalpha = 5\nbeta = 1\ninstances = 2\nrestarts = 1\nseed = 1\n"
	if c := grid(t, one+"tasks = 3")[0]; c.Sets != (Sets{3, 0, 0.9, 0.9, 1}) {
		t.Errorf("%+v", c.Sets)
	}
	if c := grid(t, one+"tasks = 2\ntask_correlation = -0.5")[0]; c.PriorScale != 0 {
		t.Errorf("%+v", c.Sets)
	}
	for line, want := range map[string]string{
		"task_alpha = 2":                    "task_alpha belongs to several sets: add tasks = 2",
		"tasks = 1":                         "tasks 1: it must be at least 2",
		"tasks = [1, 2]":                    "tasks 1: it must be at least 2",
		"tasks = 2\noracle = true":          "oracle with tasks 2",
		"tasks = 2\ntask_correlation = 2":   "task-correlation",
		"tasks = 2\nprior_scale = 1.5":      "prior-scale",
		"tasks = 2\nprior_strength = 0":     "prior-strength",
		"tasks = 2\ntask_alpha = 1e300":     "alpha",
		"tasks = 2\ntask_alpha = -1":        "task-alpha",
		"tasks = 2\nprior_strength = \"1\"": "where a number is needed",
	} {
		if _, err := ReadGrid(strings.NewReader(one+line), "g.toml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", line, err, want)
		}
	}
}
