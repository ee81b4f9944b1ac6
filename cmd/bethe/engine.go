package main

import (
	"strings"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// engineFlags choose the expectation step.
type engineFlags struct {
	estep     string
	partition string
	chains    int
	sweeps    int
	draws     int
	scouts    int // of train alone
}

func (e *engineFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&e.estep, "estep", "auto", "how moments of the dual network are found: auto, exact, bethe, tap or chains; auto enumerates small machines and uses chains for others")
	f.StringVar(&e.partition, "partition", "annealed", "partition term: annealed (a true bound) or quenched (the paper's)")
	f.IntVar(&e.chains, "chains", 500, "persistent chains, or fixed points of tap")
	f.IntVar(&e.sweeps, "sweeps", 1, "sweeps of the chains a step")
	f.IntVar(&e.draws, "draws", 64, "Gaussian draws a step of the quenched partition term")
}

func (e *engineFlags) check() error {
	switch {
	case !oneOf(e.estep, "auto", "exact", "bethe", "tap", "chains"):
		return usagef("--estep %q: it is auto, exact, bethe, tap or chains", e.estep)
	case !oneOf(e.partition, "annealed", "quenched"):
		return usagef("--partition %q: it is annealed or quenched", e.partition)
	case e.chains < 1:
		return usagef("--chains %d: it must be at least 1", e.chains)
	case e.sweeps < 1:
		return usagef("--sweeps %d: it must be at least 1", e.sweeps)
	case e.scouts < 0:
		return usagef("--scouts %d: it must not be negative", e.scouts)
	case e.draws < 2 || e.draws%2 != 0:
		return usagef("--draws %d: it must be even and positive", e.draws)
	}
	return nil
}

func oneOf(word string, words ...string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// newEngine returns the engine that the flags name for a machine of the given
// size, and why. start holds visible states to start chains and fixed points
// at, or is nil.
func newEngine[T rbm.Real](e *engineFlags, visible, hidden int, start *spin.Matrix, key stream.Key) (engine dual.Engine[T], why string) {
	chains := dual.Chains[T]{Count: e.chains, Sweeps: e.sweeps, Key: key, Start: start, Scouts: e.scouts}
	switch e.estep {
	case "exact":
		return dual.Exact[T]{}, "exact, as asked"
	case "bethe":
		return dual.NewBethe[T](), "bethe, as asked"
	case "tap":
		return dual.NewTAP[T](start), "tap, as asked"
	case "chains":
		return &chains, "chains, as asked"
	}
	return dual.Auto(visible, hidden, chains)
}

// engineName returns the first word of why an engine was chosen.
func engineName(why string) string { return strings.TrimRight(strings.Fields(why)[0], ":,") }
