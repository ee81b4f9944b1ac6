package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Phase is a value over two parameters: the mean over the cells that are done
// at each pair, which differ in the other parameters.
type Phase struct {
	Panel  float64 // the value of a third parameter that all cells share
	X, Y   []float64
	Values [][]float64 // Values[y][x]; NaN where no cell is done
}

// parameters are the numbers of a cell that a phase diagram is drawn over.
var parameters = map[string]func(c *Cell) float64{
	"visible":     func(c *Cell) float64 { return float64(c.Visible) },
	"hidden":      func(c *Cell) float64 { return float64(c.Hidden) },
	"alpha":       func(c *Cell) float64 { return c.Alpha },
	"beta":        func(c *Cell) float64 { return c.Beta },
	"correlation": func(c *Cell) float64 { return c.Correlation },
	"instances":   func(c *Cell) float64 { return float64(c.Instances) },
	"restarts":    func(c *Cell) float64 { return float64(c.Restarts) },
	"seed":        func(c *Cell) float64 { return float64(c.Seed) },

	"tasks":            func(c *Cell) float64 { return float64(c.Tasks) },
	"task_alpha":       func(c *Cell) float64 { return c.TaskAlpha },
	"task_correlation": func(c *Cell) float64 { return c.TaskCorrelation },
	"prior_scale":      func(c *Cell) float64 { return c.PriorScale },
	"prior_strength":   func(c *Cell) float64 { return c.PriorStrength },
}

// measures are the results that a phase diagram shows; ok is false where a
// cell was not asked for it.
var measures = map[string]func(r *Result) (v float64, ok bool){
	"overlap":            ofOne(func(r *Result) float64 { return r.Overlap }),
	"overlap_spread":     ofOne(func(r *Result) float64 { return r.OverlapSpread }),
	"overlap_best_start": ofOne(func(r *Result) float64 { return r.OverlapBestStart }),
	"overlap_of_means":   ofOne(func(r *Result) float64 { return r.OverlapOfMeans }),
	"bound_per_sample":   ofOne(func(r *Result) float64 { return r.Bound }),
	"bayes_overlap": func(r *Result) (float64, bool) {
		if r.Bayes == nil {
			return 0, false
		}
		return *r.Bayes, true
	},
	"new_overlap":              ofSeveral(func(r *SetsResult) float64 { return r.New }),
	"first_overlap":            ofSeveral(func(r *SetsResult) float64 { return r.First }),
	"new_overlap_fine_tuned":   ofSeveral(func(r *SetsResult) float64 { return r.NewTuned }),
	"first_overlap_fine_tuned": ofSeveral(func(r *SetsResult) float64 { return r.FirstTuned }),
}

// ofOne is a measure of a cell of one set.
func ofOne(value func(*Result) float64) func(*Result) (float64, bool) {
	return func(r *Result) (float64, bool) { return value(r), r.Sets == nil }
}

// ofSeveral is a measure of a cell of several sets.
func ofSeveral(value func(*SetsResult) float64) func(*Result) (float64, bool) {
	return func(r *Result) (float64, bool) {
		if r.Sets == nil {
			return 0, false
		}
		return value(r.Sets), true
	}
}

// Measures are the names of the results that Phases takes, sorted.
func Measures() []string { return sortedKeys(measures) }

// Parameters are the names of the parameters that Phases takes, sorted.
func Parameters() []string { return sortedKeys(parameters) }

func sortedKeys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Phases returns a phase for each value of the panel parameter, in order, and
// says which cells are done. The error names a parameter or a measure that
// there is not, or is one of the file system.
func (s *Sweep) Phases(x, y, panel, measure string) ([]Phase, *Status, error) {
	of := make([]func(*Cell) float64, 3)
	for k, name := range []string{x, y, panel} {
		if of[k] = parameters[name]; of[k] == nil {
			return nil, nil, fmt.Errorf("parameter %q: it is one of %s", name, strings.Join(Parameters(), ", "))
		}
	}
	if x == y || x == panel || y == panel {
		return nil, nil, fmt.Errorf("x %s, y %s, panels %s: they must differ", x, y, panel)
	}
	value := measures[measure]
	if value == nil {
		return nil, nil, fmt.Errorf("measure %q: it is one of %s", measure, strings.Join(Measures(), ", "))
	}
	results, status, err := s.results()
	if err != nil {
		return nil, nil, err
	}
	axes := make([][]float64, 3)
	for k := range axes {
		for c := range s.Cells {
			axes[k] = append(axes[k], of[k](&s.Cells[c]))
		}
		slices.Sort(axes[k])
		axes[k] = slices.Compact(axes[k])
	}
	phases := make([]Phase, len(axes[2]))
	counts := make([][][]float64, len(phases))
	for p := range phases {
		phases[p] = Phase{axes[2][p], axes[0], axes[1], rectangle(axes)}
		counts[p] = rectangle(axes)
	}
	for c, r := range results {
		if r == nil {
			continue
		}
		v, ok := value(r)
		if !ok {
			continue
		}
		place := make([]int, 3)
		for k := range place {
			place[k], _ = slices.BinarySearch(axes[k], of[k](&s.Cells[c]))
		}
		phases[place[2]].Values[place[1]][place[0]] += v
		counts[place[2]][place[1]][place[0]]++
	}
	for p := range phases {
		for y, row := range phases[p].Values {
			for x := range row {
				if n := counts[p][y][x]; n > 0 {
					row[x] /= n
				} else {
					row[x] = math.NaN()
				}
			}
		}
	}
	return phases, status, nil
}

func rectangle(axes [][]float64) [][]float64 {
	rows := make([][]float64, len(axes[1]))
	for y := range rows {
		rows[y] = make([]float64, len(axes[0]))
	}
	return rows
}
