package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/learn"
	"bethe/stream"
	"bethe/verify"
)

func newVerifyCommand(c *console) *cobra.Command {
	e := engineFlags{learn.Expectation{Estep: "exact", Partition: "annealed", Chains: 10000, Sweeps: 20, Draws: 2}}
	cmd := &cobra.Command{
		Use: "verify ORACLE", Short: "Hold this build's arithmetic against an oracle file", Args: oneArgument("an oracle file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.check(); err != nil {
				return err
			}
			if e.Estep == "auto" {
				e.Estep = "exact"
			}
			return c.verify(cmd.Context(), args[0], &e)
		},
	}
	cmd.Flags().StringVar(&e.Estep, "estep", e.Estep, "engine: exact, bethe, tap or chains")
	return cmd
}

func (c *console) verify(ctx context.Context, path string, e *engineFlags) error {
	results, err := verify.Read(ctx, path, func(visible, hidden int) dual.Engine[float64] {
		engine, _ := newEngine[float64](e, visible, hidden, nil, stream.New(c.seed))
		return engine
	})
	if err != nil {
		return err
	}
	report := verify.NewReport(path, e.Estep, results)
	exact, wrong := e.Estep == "exact", ""
	c.printf("engine %s, largest relative error over %d cases\n", e.Estep, len(results))
	for _, q := range report.Quantities() {
		verdict := ""
		v, within := report.Worst(q)
		if !within {
			wrong = q
		}
		if !within && exact {
			verdict = fmt.Sprintf("  beyond the limit of %.0e", verify.Limit(q))
		}
		c.printf("  %-14s %.2g%s\n", q, v, verdict)
	}
	for _, r := range report.Cases {
		if !r.Converged {
			c.printf("  case %q has not converged: residual %.2g after %d iterations\n", r.Case, r.Residual, r.Iterations)
		}
	}
	if err := c.object(report); err != nil {
		return err
	}
	if exact && !report.Passed {
		return fmt.Errorf("%s: this build and the oracle do not agree (%s): the file or the build is wrong", path, wrong)
	}
	return nil
}
