package evaluate

import (
	"math"
	"slices"

	"bethe/stream"
	"bethe/thermo"
)

// acceptance fills in the estimate from both directions at once, where the works of forward
// and reverse annealing cross (thermo.BAR), with its interval, and the slope of Crooks'
// theorem. It is part of Judge, before the reasons.
func (e *Evidence) acceptance(l *LogLikelihood, key stream.Key) {
	reverse := e.reverseKept()
	z, _ := thermo.BAR(e.Forward, reverse)
	bar := e.LogWeight - z - e.leftOut()
	in := e.acceptanceInterval(reverse, key)
	l.BAR, l.BARInterval = &bar, &in
	if slope, se, deviations := thermo.CrooksSlope(e.Forward, reverse); !math.IsNaN(slope + se + deviations) {
		l.Equilibrium.CrooksSlope, l.Equilibrium.CrooksSlopeError, l.Equilibrium.CrooksDeviations = &slope, &se, &deviations
	}
}

// acceptanceInterval returns the 95 % interval of BAR, by a bootstrap of whole chains of both
// directions, those given of reverse, which reaches to where Z holds modes that forward may have missed.
func (e *Evidence) acceptanceInterval(backward []float64, key stream.Key) Interval {
	n := len(e.Forward)
	both := func(chosen []int) (value, standardError float64) { // of the chains of both directions, forward first
		var forward, reverse []float64
		for _, l := range chosen {
			if l < n {
				forward = append(forward, e.Forward[l])
			} else {
				reverse = append(reverse, backward[l-n])
			}
		}
		if len(forward) == 0 || len(reverse) == 0 {
			return 0, 0
		}
		return thermo.BAR(forward, reverse)
	}
	low, high := studentised(first(n+len(backward)), key.Sub(stream.EstimateBootstrap).Sub(stream.BootstrapAcceptance), both)
	return Interval{e.LogWeight - high - max(e.missing(), e.leftOut()), e.LogWeight - low}
}

// best returns the estimate to be quoted: BAR if nothing speaks against equilibrium, else the mean.
func (l *LogLikelihood) best() float64 {
	if l.BAR != nil && l.Equilibrium.Reached {
		return *l.BAR
	}
	return l.Mean
}

// slopeDoubt reports whether the slope of Crooks' theorem is not 1 beyond its error, and by so much that
// the works of the chains would differ by nats that matter.
func (q *Equilibrium) slopeDoubt(spread float64) bool {
	if q.CrooksSlope == nil {
		return false
	}
	return math.Abs(*q.CrooksDeviations) > slopeDeviations && math.Abs(*q.CrooksSlope-1)*spread > leastMatters
}

// slopeDeviations is how many standard deviations the slope may be off by. Its tails are long where
// directions hardly overlap.
const slopeDeviations = 4

// workSpread returns the standard deviation of the gains of both directions.
func (e *Evidence) workSpread() float64 {
	return deviation(slices.Concat(e.Forward, e.reverseKept()))
}
