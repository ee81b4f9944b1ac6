package apply

import (
	"fmt"
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

// Warning says that the chains of so many sweeps have not settled. It is empty if they have.
func (s *Settling) Warning(sweeps int) string {
	if s.Settled {
		return ""
	}
	spread := "with so few sweeps nothing can be told"
	if s.RHat != nil {
		spread = fmt.Sprintf("R-hat is up to %.2f; up to %.2g counts as settled", *s.RHat, evaluate.LargestRHat)
	}
	return fmt.Sprintf("NOT settled after %d sweeps: chains of %d of %d samples have not forgotten where they started (%s), so means may be wrong; more --sweeps\n",
		sweeps, s.Unsettled, s.Checked, spread)
}
