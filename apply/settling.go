package apply

import (
	"math"

	"bethe/evaluate"
)

// Settling says whether the chains of a job have settled.
type Settling struct {
	Settled   bool     `json:"settled"`             // whether those of all samples looked at have
	Unsettled int      `json:"samples_unsettled"`   // how many samples have others
	Checked   int      `json:"samples_checked"`     // how many were looked at, the first ones
	RHat      *float64 `json:"r_hat_max,omitempty"` // the largest; nil where there are too few sweeps to tell
}

// settling returns what a restoration says of its chains.
func settling(r *evaluate.SpinRestoration) Settling {
	unsettled, worst := r.Unsettled()
	s := Settling{Settled: unsettled == 0, Unsettled: unsettled, Checked: len(r.RHat)}
	if !math.IsInf(worst, 1) {
		s.RHat = &worst
	}
	return s
}
