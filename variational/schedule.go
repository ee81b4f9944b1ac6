package variational

import (
	"fmt"
	"math"
)

// A Fall is the way in which rates fall from Rate to FinalRate times that.
type Fall int

// The ways.
const (
	Linear    Fall = iota // in a straight line
	Cosine                // along half a period of a cosine: slowly at both ends
	Geometric             // by the same factor in equal times: much of the time is spent at low rates
)

// share returns the share of the rate at a fraction of learning, both in [0, 1].
func (o *Options) share(fraction float64) float64 {
	if fraction < o.Warmup {
		const least = 0.01 // so that the first step is one
		return max(least, fraction/o.Warmup)
	}
	done := 0.0
	if o.Warmup < 1 {
		done = (fraction - o.Warmup) / (1 - o.Warmup)
	}
	switch o.Fall {
	case Cosine:
		return o.FinalRate + (1-o.FinalRate)*(1+math.Cos(math.Pi*done))/2
	case Geometric:
		return math.Pow(o.FinalRate, done)
	}
	return 1 - (1-o.FinalRate)*done
}

// checkRanges returns an error that names the first option out of its range.
func (o *Options) checkRanges() error {
	switch {
	case !(o.FinalRate >= 0 && o.FinalRate <= 1) || o.Fall == Geometric && o.FinalRate == 0:
		return fmt.Errorf("a final rate of %v times the first: it must be at most 1 and not negative, nor 0 where the fall is geometric", o.FinalRate)
	case !(o.Warmup >= 0 && o.Warmup <= 1):
		return fmt.Errorf("a warm-up over %v of learning: it must lie between 0 and 1", o.Warmup)
	case !(o.Settle >= 0 && o.Settle <= 1):
		return fmt.Errorf("settling over %v of learning: it must lie between 0 and 1", o.Settle)
	case !(o.Average >= 0 && o.Average <= 1):
		return fmt.Errorf("an average over %v of learning: it must lie between 0 and 1", o.Average)
	case !(o.Release <= 1) || math.IsInf(o.Release, 0):
		return fmt.Errorf("a release of %v from the prior: it must be at most 1, and finite", o.Release)
	case o.Form < Divergence || o.Form > Elastic:
		return fmt.Errorf("form %d of a prior: there is none of that number", o.Form)
	case !(o.OffsetRate >= 0 && o.OffsetRate <= 1):
		return fmt.Errorf("offsets that follow by a share of %v: it must lie between 0 and 1", o.OffsetRate)
	case !(o.Momentum.Beta() >= 0 && o.Momentum.Beta() < 1):
		return fmt.Errorf("a momentum of %v: it must not be negative, and below 1", o.Momentum.Beta())
	case !(o.FieldMomentum.Beta() >= 0 && o.FieldMomentum.Beta() < 1):
		return fmt.Errorf("a momentum of the fields of %v: it must not be negative, and below 1", o.FieldMomentum.Beta())
	case !(o.Deep.Stage >= 0 && o.Deep.Stage < 1):
		return fmt.Errorf("upper synapses that stay undecided over %v of learning: it must not be negative, and below 1", o.Deep.Stage)
	case o.Rule < Adam || o.Rule > ScheduleFree:
		return fmt.Errorf("rule %d: there is none of that number", o.Rule)
	case o.Fall < Linear || o.Fall > Geometric:
		return fmt.Errorf("fall %d of the rates: there is none of that number", o.Fall)
	}
	for _, s := range []struct {
		name string
		x    float64
	}{
		{"the fields' rate", o.FieldRate}, {"the coupling's rate", o.CouplingRate}, {"the rate of units' own parameters", o.OwnRate}, {"the limit of theta", o.MaxTheta}, {"the prior of the fields", o.FieldPrior},
	} {
		if !(s.x >= 0) || math.IsInf(s.x, 0) {
			return fmt.Errorf("%s is %v: it must not be negative, and finite", s.name, s.x)
		}
	}
	return nil
}
