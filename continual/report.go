package continual

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"bethe/figure"
	"bethe/internal/durable"
)

// ReportFile is the name of the report in the folder of a sequence. Its figure and its numbers have the same stem.
const ReportFile = "continual.json"

// A Report says what became of all tasks.
type Report struct {
	Tasks   []string  `json:"tasks"`
	Visible int       `json:"visible"`
	Hidden  int       `json:"hidden"`
	Steps   int       `json:"steps"`  // of each task; 0 if epochs say how many
	Epochs  int       `json:"epochs"` // of each task; 0 if steps do
	Rate    float64   `json:"rate"`
	Scale   float64   `json:"prior_scale"`
	Seed    uint64    `json:"seed"`
	Nothing float64   `json:"nothing"` // nats of every task under fair coins
	Methods []Learned `json:"methods"`
	Files   []string  `json:"figures,omitempty"`
}

// Learned is what a method came to.
type Learned struct {
	Method string `json:"method"`
	// Nats[i][j] is the log-likelihood of task j, in nats per test sample, after task i. Where tasks were learned together there is one row.
	Nats     [][]float64 `json:"nats"`
	Machines []Machine   `json:"machines"` // that the rows are of
	End      float64     `json:"end"`      // mean over all tasks at the end
	// Where tasks were learned one after the other.
	*Measures
}

// A Machine is one whose likelihoods are a row.
type Machine struct {
	Model   string   `json:"model"`
	Steps   int      `json:"steps"`
	Exact   bool     `json:"exact"`
	Gap     *float64 `json:"gap,omitempty"` // forward minus reverse annealing, nats
	Settled bool     `json:"equilibrium"`   // nothing speaks against the equilibrium of the chains behind the estimate
}

// Text prints the report for people: the likelihoods of each task after each task, and the measures made of them.
func (r *Report) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d tasks, one after the other, %d x %d synapses; nats per test sample (fair coins: %.1f)\n", len(r.Tasks), r.Visible, r.Hidden, r.Nothing)
	for k, name := range r.Tasks {
		fmt.Fprintf(&b, "  task %d: %s\n", k+1, name)
	}
	doubt := false
	for _, l := range r.Methods {
		fmt.Fprintf(&b, "%s\n", l.Method)
		for i, row := range l.Nats {
			mark := " "
			if !l.Machines[i].Settled {
				mark, doubt = "*", true
			}
			fmt.Fprintf(&b, " %safter %-3d", mark, len(r.Tasks)-len(l.Nats)+i+1)
			for _, x := range row {
				fmt.Fprintf(&b, " %9.2f", x)
			}
			fmt.Fprintln(&b)
		}
		fmt.Fprintf(&b, "  mean at the end %.2f", l.End)
		if m := l.Measures; m != nil {
			fmt.Fprintf(&b, ", forgetting %.2f, backward transfer %+.2f, forward transfer %+.2f", m.Forgetting, m.Backward, m.Forward)
		}
		fmt.Fprintln(&b)
	}
	if doubt {
		fmt.Fprintf(&b, "* something speaks against the equilibrium of the chains behind ln Z: bethe eval says more of such a machine\n")
	}
	return b.String()
}

// Table returns all values: a row for each method, task that was learned and task that was measured.
func (r *Report) Table() *figure.Table {
	t := &figure.Table{Columns: []string{"method", "after", "task", "nats"}}
	for _, l := range r.Methods {
		for i, row := range l.Nats {
			for j, x := range row {
				t.Add(l.Method, len(r.Tasks)-len(l.Nats)+i+1, j+1, x)
			}
		}
	}
	return t
}

// Chart draws the values of each method as a heat map, all on one scale.
func (r *Report) Chart() figure.Chart {
	low, high := math.Inf(1), math.Inf(-1)
	for _, l := range r.Methods {
		for _, row := range l.Nats {
			for _, x := range row {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	panels := &figure.Panels{Columns: min(3, len(r.Methods))}
	for _, l := range r.Methods {
		f := &figure.HeatMap{Shading: figure.Share, Title: fmt.Sprintf("%s: mean at the end %.1f", l.Method, l.End), X: figure.Axis{Label: "task measured"}, Y: figure.Axis{Label: "after task"},
			Scale: figure.Axis{Label: "log-likelihood", Unit: "nats per sample", Min: low, Max: high}, Values: l.Nats}
		if l.Measures != nil {
			f.Note = fmt.Sprintf("forgetting %.1f nats", l.Forgetting)
		}
		for k := range r.Tasks {
			f.XValues = append(f.XValues, float64(k+1))
		}
		for i := range l.Nats {
			f.YValues = append(f.YValues, float64(len(r.Tasks)-len(l.Nats)+i+1))
		}
		panels.Charts = append(panels.Charts, f)
	}
	return panels
}

// save draws the report into a folder, and writes it.
func (r *Report) save(folder string) (err error) {
	if r.Files, err = figure.SaveWithNumbers(folder, strings.TrimSuffix(ReportFile, ".json"), r.Chart(), r.Table()); err != nil {
		return err
	}
	return writeJSON(filepath.Join(folder, ReportFile), r)
}

// writeJSON writes a file of JSON.
func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(path, func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err })
}
