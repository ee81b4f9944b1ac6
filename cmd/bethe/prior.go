package main

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/spf13/pflag"

	"bethe/rbm"
)

// priorFlags name the posterior of an earlier task that is the prior of this one.
type priorFlags struct {
	path  string
	scale float64
}

func (f *priorFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.path, "prior", "", "`model.npz` of an earlier task, whose posterior is the prior of the synapses (default: the uniform prior)")
	flags.Float64Var(&f.scale, "prior-scale", 1, "strength of --prior: what its means are multiplied by, from 0 (forget) to 1 (keep)")
}

func (f *priorFlags) check() error {
	if !(f.scale >= 0 && f.scale <= 1) {
		return usagef("--prior-scale %v: it must lie between 0 and 1", f.scale)
	}
	return nil
}

// load returns the thetas of the prior, nil for the uniform one.
func (f *priorFlags) load(visible, hidden int) (*rbm.Posterior[float32], error) {
	if f.path == "" {
		return nil, nil
	}
	file, err := rbm.Load(f.path)
	if err != nil {
		return nil, err
	}
	known, ok := file.Synapses.(rbm.Uncertain)
	if !ok {
		return nil, fmt.Errorf("%s: a machine with real synapses: a prior is a distribution over binary ones", f.path)
	}
	q := known.Posterior()
	switch {
	case q.Visible != visible || q.Hidden != hidden:
		return nil, fmt.Errorf("%s: a posterior of %d x %d synapses, where the prior is of %d x %d", f.path, q.Visible, q.Hidden, visible, hidden)
	}
	return &rbm.Posterior[float32]{Visible: visible, Hidden: hidden, Theta: q.AsPrior(f.scale)}, nil
}

// describe adds the prior to the settings of a run, so that a checkpoint of
// another is told apart.
func (f *priorFlags) describe(settings map[string]any, prior *rbm.Posterior[float32]) {
	if prior == nil {
		return
	}
	settings["prior"], settings["prior_scale"], settings["prior_hash"] = f.path, f.scale, hashOf(prior.Theta)
}

// hashOf tells arrays of numbers apart.
func hashOf(arrays ...any) string {
	hash := fnv.New64a()
	for _, a := range arrays {
		_ = binary.Write(hash, binary.LittleEndian, a) // a hash takes all
	}
	return fmt.Sprintf("%016x", hash.Sum64())
}
