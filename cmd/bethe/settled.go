package main

import (
	"fmt"
	"math"

	"bethe/evaluate"
)

// settledReport is the part of a JSON object that says whether chains have settled.
type settledReport struct {
	Settled   bool     `json:"settled"`             // whether the chains of every sample looked at have
	Unsettled int      `json:"samples_unsettled"`   // how many samples have others
	Checked   int      `json:"samples_checked"`     // how many were looked at, the first ones
	RHat      *float64 `json:"r_hat_max,omitempty"` // the largest; absent where there are too few sweeps to tell
}

// settled reports whether chains have settled, and says so where they have not.
func (c *console) settled(r *evaluate.Restoration, sweeps int) settledReport {
	unsettled, worst := r.Unsettled()
	report := settledReport{Settled: unsettled == 0, Unsettled: unsettled, Checked: len(r.RHat)}
	spread := "with so few sweeps nothing can be told"
	if !math.IsInf(worst, 1) {
		report.RHat = &worst
		spread = fmt.Sprintf("R-hat is up to %.2f, where %.2g is settled", worst, evaluate.LargestRHat)
	}
	if unsettled > 0 {
		fmt.Fprintf(c.stderr, "NOT settled after %d sweeps: chains of %d of %d samples have not forgotten where they started (%s), so means may be wrong; more --sweeps\n",
			sweeps, unsettled, len(r.RHat), spread)
	}
	return report
}
