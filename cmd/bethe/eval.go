package main

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"bethe/evaluate"
	"bethe/internal/memory"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// aisFlags say how long to anneal.
type aisFlags struct{ steps, chains, equilibration int }

func (a *aisFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&a.steps, "ais-steps", evaluate.DefaultTemperatures, "temperatures of annealed importance sampling in each direction, where the likelihood is not exact")
	flags.IntVar(&a.chains, "ais-chains", evaluate.DefaultChains, "chains of annealed importance sampling, and ensembles of tempered chains")
	flags.IntVar(&a.equilibration, "equilibration", evaluate.DefaultEquilibration, "sweeps of tempered chains before reverse annealing")
}

func (a *aisFlags) check() error {
	if a.steps < 1 || a.chains < 2 || a.equilibration < evaluate.LeastEquilibration {
		return usagef("--ais-steps %d --ais-chains %d --equilibration %d: at least 1 step, 2 chains and %d sweeps are needed",
			a.steps, a.chains, a.equilibration, evaluate.LeastEquilibration)
	}
	return nil
}

// evalReport is the JSON object of eval.
type evalReport struct {
	Model         string                 `json:"model"`
	Data          string                 `json:"data"`
	Samples       int                    `json:"samples"`
	LogLikelihood evaluate.LogLikelihood `json:"log_likelihood"`
	Uncertainty   *uncertainty           `json:"uncertainty,omitempty"` // of the synapses, with --draws
}

func newEvalCommand(c *console) *cobra.Command {
	var d dataFlags
	var a aisFlags
	var draws int
	cmd := &cobra.Command{
		Use: "eval MODEL", Short: "Measure the log-likelihood of data under a model", Args: oneArgument("a model file"),
		Long: `Measures the mean log-likelihood of data, in nats a sample, under the machine
that the model file holds.

It is exact where the smaller layer has at most 25 units. Elsewhere annealed
importance sampling estimates it from both sides, between the machine and
independent spins with the means of the data:

  forward   from the spins to the machine; tends to overstate the likelihood
  reverse   from the machine to the spins; tends to understate it, if it starts
            in equilibrium. The starts are tempered chains, half of which began at
            data and half far from data (independent spins of all magnetisations,
            and with all unlikely pixels turned): the two must agree
  raise     in reverse from data, with no need of equilibrium; understates the
            likelihood of data like those the machine has learned
  tempered  by the exchanges of the tempered chains; on neither side

The heaviest state that the tempered chains met is a ceiling: no likelihood is
above what its weight alone leaves. A machine can hold a state so heavy that
hardly any chain finds it; then the ceiling is what counts.

Temperatures lie where a short pilot run found them needed. Intervals are 95 %
bootstrap intervals over chains. They do not include the error from the finite
number of samples, which is told beside them. Where forward and reverse differ by
more than you care about, give more --ais-steps; where equilibrium was not
reached, more --equilibration.

--draws tells what is not known of the synapses: the mean and the spread of the
likelihood of machines drawn from the posterior, each evaluated like the first.`,
		Example: "  bethe eval runs/mnist-h100-s1/model.npz --data mnist:test\n  bethe eval model.npz --data held-out.npy --ais-steps 30000 --equilibration 6000 --json\n  bethe eval runs/mnist-h100-s1/model.npz --draws 20 --ais-steps 2000",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.check(); err != nil {
				return err
			}
			if draws != 0 && draws < 2 {
				return usagef("--draws %d: it must be at least 2", draws)
			}
			file, err := rbm.Load(args[0])
			if err != nil {
				return err
			}
			if draws > 0 && file.Weights != nil {
				return usagef("--draws: %s has real synapses, no posterior to draw from", args[0])
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
			report := evalReport{args[0], d.name, set.Len(), likelihood, nil}
			if draws > 0 {
				if report.Uncertainty, err = c.uncertain(cmd.Context(), file, draws, set.Samples, &a); err != nil {
					return err
				}
				c.printUncertainty(likelihood.Mean, report.Uncertainty)
			}
			return c.object(report)
		},
	}
	d.register(cmd, "mnist:test")
	a.register(cmd)
	cmd.Flags().IntVar(&draws, "draws", 0, "also evaluate so many machines drawn from the posterior, and the one of the most probable synapses")
	return cmd
}

// likelihood evaluates a machine under a progress bar.
func (c *console) likelihood(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, a *aisFlags, key stream.Key) (evaluate.LogLikelihood, error) {
	if err := memory.CheckChains(machine.Visible(), machine.Hidden(), float64(a.chains), false, "chains", a.chains); err != nil {
		return evaluate.LogLikelihood{}, tooLarge("--ais-chains", err)
	}
	bar := c.progress("annealing")
	defer bar.done()
	l, err := evaluate.Likelihood(ctx, machine, samples, evaluate.Options{
		Temperatures: a.steps, Chains: a.chains, Equilibration: a.equilibration, Key: key, Progress: func(f float64) { bar.set(f, "") },
	})
	if err == nil && (math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0)) {
		err = fmt.Errorf("the log-likelihood comes out as %v: parameters of the machine are too large", l.Mean)
	}
	return l, err
}

func (c *console) printLikelihood(data string, l *evaluate.LogLikelihood) {
	if l.Exact {
		c.printf("log-likelihood of %s: %.3f nats a sample, exact; ± %.3f from the finite number of samples\n", data, l.Mean, l.SampleError)
		return
	}
	c.printf("log-likelihood of %s, nats a sample (95 %% interval; ± %.3f from the finite number of samples is not in it):\n", data, l.SampleError)
	row := func(name string, value *float64, in *evaluate.Interval, more string, args ...any) {
		c.printf("  %-8s  %.3f  (%.3f to %.3f)  "+more+"\n", append([]any{name, *value, in[0], in[1]}, args...)...)
	}
	row("forward", l.ForwardAIS, l.ForwardInterval, "optimistic; spread %.2f, effective chains %.1f", l.Spread, l.Effective)
	row("reverse", l.ReverseAIS, l.ReverseInterval, "pessimistic in equilibrium; spread %.2f, effective chains %.1f", l.ReverseSpread, l.ReverseEffective)
	row("raise", l.RAISE, l.RAISEInterval, "pessimistic of data like those learned")
	row("tempered", l.Tempered, l.TemperedInterval, "by exchanges")
	if *l.Ceiling < *l.ReverseAIS {
		c.printf("  WRONG, all of them: a single state weighs so much that the likelihood is at most %.3f\n", *l.Ceiling)
	}
	q := l.Equilibrium
	verdict := "equilibrium"
	if !q.Reached {
		verdict = "NO equilibrium yet, so reverse may be wrong either way (more --equilibration)"
	}
	c.printf("  %s: started at data minus started far from data %.3f ± %.3f; %.1f round trips an ensemble,\n"+
		"  exchange rates from %.2f, autocorrelation %.1f sweeps of %d\n",
		verdict, q.StartDifference, q.StartDifferenceError, q.RoundTrips, q.LeastExchange, q.Autocorrelation, q.Sweeps)
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
