package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// aisFlags say how long to anneal.
type aisFlags struct{ steps, chains int }

func (a *aisFlags) register(cmd *cobra.Command) {
	cmd.Flags().IntVar(&a.steps, "ais-steps", 10000, "temperatures of annealed importance sampling, where the likelihood is not exact")
	cmd.Flags().IntVar(&a.chains, "ais-chains", 100, "chains of annealed importance sampling")
}

func (a *aisFlags) check() error {
	if a.steps < 1 || a.chains < 2 {
		return usagef("--ais-steps %d --ais-chains %d: at least 1 step and 2 chains are needed", a.steps, a.chains)
	}
	return nil
}

// evalReport is the JSON object of eval.
type evalReport struct {
	Model         string                 `json:"model"`
	Data          string                 `json:"data"`
	Samples       int                    `json:"samples"`
	LogLikelihood evaluate.LogLikelihood `json:"log_likelihood"`
}

func newEvalCommand(c *console) *cobra.Command {
	var d dataFlags
	var a aisFlags
	cmd := &cobra.Command{
		Use: "eval MODEL", Short: "Measure the log-likelihood of data under a model", Args: oneArgument("a model file"),
		Long: `Measures the mean log-likelihood of data, in nats a sample, under the machine
that the model file holds.

It is exact where the smaller layer has at most 25 units. Elsewhere it is
estimated by forward annealed importance sampling, which is optimistic: it tends
to overstate the likelihood, by less the more --ais-steps.`,
		Example: "  bethe eval runs/mnist-h100-s1/model.npz --data mnist:test\n  bethe eval model.npz --data held-out.npy --ais-steps 30000 --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.check(); err != nil {
				return err
			}
			file, err := rbm.Load(args[0])
			if err != nil {
				return err
			}
			set, err := d.load()
			if err != nil {
				return err
			}
			likelihood, err := c.likelihood(cmd.Context(), file.Machine(), set.Samples, &a, stream.New(c.seed).Sub(streamEvaluate))
			if err != nil {
				return err
			}
			c.printLikelihood(d.name, &likelihood)
			return c.object(evalReport{args[0], d.name, set.Len(), likelihood})
		},
	}
	d.register(cmd, "mnist:test")
	a.register(cmd)
	return cmd
}

// likelihood evaluates a machine under a progress bar.
func (c *console) likelihood(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, a *aisFlags, key stream.Key) (evaluate.LogLikelihood, error) {
	bar := c.progress("annealing")
	defer bar.done()
	return evaluate.Likelihood(ctx, machine, samples, evaluate.Options{
		Temperatures: a.steps, Chains: a.chains, Key: key, Progress: func(f float64) { bar.set(f, "") },
	})
}

func (c *console) printLikelihood(data string, l *evaluate.LogLikelihood) {
	if l.Exact {
		c.printf("log-likelihood of %s: %.3f nats a sample, exact\n", data, l.Mean)
		return
	}
	c.printf("log-likelihood of %s: %.3f nats a sample by forward annealing, which is optimistic\n", data, *l.ForwardAIS)
	c.printf("  spread of the log-weights %.2f, effective chains %.1f\n", l.Spread, l.Effective)
}

// writeAll returns a writer of text for durable.WriteFile.
func writeAll(text []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := w.Write(text); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		return nil
	}
}
