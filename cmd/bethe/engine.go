package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/dual"
	"bethe/learn"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// registerExpectation registers the choice of the expectation step.
func registerExpectation(flags *pflag.FlagSet, e *learn.Expectation) {
	usual := learn.Default().Expectation
	flags.StringVar(&e.Estep, "estep", usual.Estep, "how to compute moments of the dual network: exact, bethe, tap, chains, or auto (exact for small machines, else chains)")
	flags.StringVar(&e.Partition, "partition", usual.Partition, "partition term: annealed (a true bound) or quenched (the paper's)")
	flags.IntVar(&e.Chains, "chains", usual.Chains, "persistent chains; with --estep tap its fixed points")
	flags.IntVar(&e.Sweeps, "sweeps", usual.Sweeps, "sweeps of the chains in each step")
	flags.IntVar(&e.Draws, "draws", usual.Draws, "Gaussian draws in each step, for the quenched partition term")
}

// engineFlags choose the expectation step of verbs other than train, which have no
// scouts.
type engineFlags struct{ learn.Expectation }

func (e *engineFlags) register(cmd *cobra.Command) { registerExpectation(cmd.Flags(), &e.Expectation) }

func (e *engineFlags) check() error { return inFlags(e.Check()) }

// newEngine returns the engine that the flags name; see learn.NewEngine.
func newEngine[T rbm.Real](e *engineFlags, visible, hidden int, start *spin.Matrix, key stream.Key) (dual.Engine[T], string) {
	return learn.NewEngine[T](&e.Expectation, visible, hidden, start, key)
}

// engineName returns the first word of why an engine was chosen.
func engineName(why string) string { return strings.TrimRight(strings.Fields(why)[0], ":,") }

// learningRule returns the rule of a name.
func learningRule(name string) (variational.Rule, error) {
	rule, err := learn.Rule(name)
	return rule, inFlags(err)
}

func oneOf(word string, words ...string) bool { return slices.Contains(words, word) }
