package main

import (
	"github.com/spf13/pflag"

	"bethe/learn"
	"bethe/rbm"
)

// registerPrior registers the posterior of an earlier task as the prior of this one.
func registerPrior(flags *pflag.FlagSet, path *string, scale *float64) {
	flags.StringVar(path, "prior", "", "`model.npz` of an earlier task; its posterior becomes the prior of the synapses (default: the uniform prior)")
	flags.Float64Var(scale, "prior-scale", 1, "factor on the means of --prior, from 0 (forget) to 1 (keep)")
}

// priorFlags name the posterior of an earlier task that is the prior of this one.
type priorFlags struct {
	path  string
	scale float64
}

func (f *priorFlags) register(flags *pflag.FlagSet) { registerPrior(flags, &f.path, &f.scale) }

func (f *priorFlags) check() error { return inFlags(learn.CheckPriorScale(f.scale)) }

// load returns the thetas of the prior, nil for the uniform one.
func (f *priorFlags) load(visible, hidden int) (*rbm.Posterior[float32], error) {
	if f.path == "" {
		return nil, nil
	}
	return learn.LoadPrior(f.path, f.scale, visible, hidden)
}
