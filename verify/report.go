package verify

import (
	"math"
	"slices"
)

// A Report is a comparison with an oracle as a whole. Errors that are not finite are
// nil.
type Report struct {
	Oracle   string              `json:"oracle"` // the file
	Engine   string              `json:"engine"`
	Passed   bool                `json:"passed"` // every error is within its limit, which the exact engine must reach
	MaxError map[string]*float64 `json:"max_relative_error"`
	Cases    []CaseReport        `json:"cases"`

	worst map[string]float64
}

// A CaseReport is a Result and how its engine ended.
type CaseReport struct {
	Case       string              `json:"case"`
	MaxError   map[string]*float64 `json:"max_relative_error"`
	Iterations int                 `json:"iterations"`
	Residual   float64             `json:"residual"`
	Converged  bool                `json:"converged"`
}

// NewReport sums up results.
func NewReport(oracle, engine string, results []Result) *Report {
	r := &Report{Oracle: oracle, Engine: engine, Passed: true, MaxError: map[string]*float64{}, worst: map[string]float64{}}
	for _, x := range results {
		c := CaseReport{x.Case, map[string]*float64{}, x.Report.Iterations, x.Report.Residual, x.Report.Converged}
		for q, v := range x.Errors {
			c.MaxError[q] = finite(v)
			r.worst[q] = max(r.worst[q], v)
		}
		r.Cases = append(r.Cases, c)
	}
	for q, v := range r.worst {
		r.MaxError[q] = finite(v)
		r.Passed = r.Passed && v <= Limit(q)
	}
	return r
}

// Quantities returns what was compared, in the order of reports.
func (r *Report) Quantities() (list []string) {
	for _, q := range slices.Concat(Quantities, ThermoQuantities, SpikeQuantities) {
		if _, there := r.worst[q]; there {
			list = append(list, q)
		}
	}
	return list
}

// Worst returns the largest error of a quantity over all cases, and whether it is
// within its limit.
func (r *Report) Worst(quantity string) (v float64, within bool) {
	v = r.worst[quantity]
	return v, v <= Limit(quantity)
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
