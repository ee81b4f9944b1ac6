package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"bethe/dual"
	"bethe/variational"
)

// scheduleFlags say how learning changes as it goes on.
type scheduleFlags struct {
	fall        string
	finalRate   float64
	warmup      float64
	average     float64
	settle      float64
	maxTheta    float64
	finalSweeps int
	coupling    float64
}

func (s *scheduleFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&s.fall, "fall", "linear", "how the rate falls: linear, cosine or geometric")
	flags.Float64Var(&s.finalRate, "final-rate", 0.02, "share of the rate that is left at the end")
	flags.Float64Var(&s.warmup, "warmup", 0, "share of learning, at its start, over which the rate rises from 0")
	flags.Float64Var(&s.average, "average", 0.15, "share of learning, at its end, over which thetas, fields and coupling are averaged")
	flags.Float64Var(&s.coupling, "coupling-rate", 0.1, "rate of ln J, as a share of the synapses'")
	flags.Float64Var(&s.settle, "settle", 0, fmt.Sprintf("share of learning, at its end, in which the machine with the signs of the posterior learns on, straight-through (default %v where offsets and fields are learned by adam, else 0)", defaultSettle))
	flags.Float64Var(&s.maxTheta, "max-theta", 4, "bound on theta, where the mean is tanh theta")
	flags.IntVar(&s.finalSweeps, "final-sweeps", 0, "sweeps of the chains a step at the end, to which --sweeps rises evenly (default: it stays)")
}

func (s *scheduleFlags) check() error {
	switch {
	case !oneOf(s.fall, "linear", "cosine", "geometric"):
		return usagef("--fall %q: it is linear, cosine or geometric", s.fall)
	case !(s.finalRate > 0 && s.finalRate <= 1):
		return usagef("--final-rate %v: it must be positive and at most 1", s.finalRate)
	case !(s.warmup >= 0 && s.warmup < 1):
		return usagef("--warmup %v: it must not be negative, and below 1", s.warmup)
	case !(s.average >= 0 && s.average <= 1):
		return usagef("--average %v: it must lie between 0 and 1", s.average)
	case !(s.coupling >= 0 && s.coupling <= 1):
		return usagef("--coupling-rate %v: it must lie between 0 and 1", s.coupling)
	case !(s.settle >= 0 && s.settle <= 1):
		return usagef("--settle %v: it must lie between 0 and 1", s.settle)
	case !(s.maxTheta > 0):
		return usagef("--max-theta %v: it must be positive", s.maxTheta)
	case s.finalSweeps < 0:
		return usagef("--final-sweeps %d: it must be positive, or 0 for those of --sweeps", s.finalSweeps)
	}
	return nil
}

// set puts the schedule into options of learning.
func (s *scheduleFlags) set(opt *variational.Options) {
	opt.FinalRate, opt.Warmup, opt.Average, opt.Settle = s.finalRate, s.warmup, s.average, s.settle
	switch s.fall {
	case "cosine":
		opt.Fall = variational.Cosine
	case "geometric":
		opt.Fall = variational.Geometric
	}
}

// pace sets the sweeps of an engine of chains at a fraction of learning.
func (s *scheduleFlags) pace(engine dual.Engine[float32], sweeps int, fraction float64) {
	if chains, ok := engine.(dual.Sweeper); ok && s.finalSweeps > 0 {
		chains.SetSweeps(sweeps + int(fraction*float64(s.finalSweeps-sweeps)+0.5))
	}
}
