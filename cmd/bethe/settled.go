package main

import (
	"fmt"

	"bethe/apply"
	"bethe/evaluate"
)

// warnUnsettled says that chains have not settled, also where progress is not shown.
func (c *console) warnUnsettled(s *apply.Settling, sweeps int) {
	if s.Settled {
		return
	}
	spread := "with so few sweeps nothing can be told"
	if s.RHat != nil {
		spread = fmt.Sprintf("R-hat is up to %.2f, where %.2g is settled", *s.RHat, evaluate.LargestRHat)
	}
	fmt.Fprintf(c.stderr, "NOT settled after %d sweeps: chains of %d of %d samples have not forgotten where they started (%s), so means may be wrong; more --sweeps\n",
		sweeps, s.Unsettled, s.Checked, spread)
}
