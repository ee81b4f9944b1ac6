package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"bethe/rbm"
	"bethe/runs"
)

// initFlags name the machine that learning starts from.
type initFlags struct{ path string }

func (f *initFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.path, "init", "", "`model.npz` that learning starts from, of an earlier run or of bethe import (default: random synapses)")
}

// load returns that machine, nil for a random one.
func (f *initFlags) load(visible, hidden int) (*rbm.File, error) {
	if f.path == "" {
		return nil, nil
	}
	if info, err := os.Stat(f.path); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s: a folder: name the model file in it, such as %s", f.path, runs.ModelFile)
	}
	file, err := rbm.Load(f.path)
	if err != nil {
		if errors.Is(err, rbm.ErrNotModel) {
			return nil, fmt.Errorf("%w; make one of W, vbias and hbias with bethe import", err)
		}
		return nil, err
	}
	if n, p := file.Visible(), file.Hidden(); n != visible || p != hidden {
		return nil, fmt.Errorf("%s: a machine of %d x %d units, where learning is of %d x %d (samples have %d units, --hidden is %d)", f.path, n, p, visible, hidden, visible, hidden)
	}
	return file, nil
}

// describe adds the machine to the settings of a run, so that a checkpoint of
// another is told apart.
func (f *initFlags) describe(settings map[string]any, from *rbm.File) error {
	if from == nil {
		return nil
	}
	arrays, err := from.Arrays()
	if err != nil {
		return err
	}
	var data []any
	for _, a := range arrays {
		if a.Name != "meta.json" { // how it was made
			data = append(data, a.Data)
		}
	}
	settings["init"], settings["init_hash"] = f.path, hashOf(data...)
	return nil
}
