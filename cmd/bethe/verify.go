package main

import (
	"context"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/learn"
	"bethe/stream"
	"bethe/verify"
)

// verifyReport is the JSON object of verify.
type verifyReport struct {
	Oracle   string              `json:"oracle"`
	Engine   string              `json:"engine"`
	Passed   bool                `json:"passed"` // every error is within its limit; what the exact engine must reach
	MaxError map[string]*float64 `json:"max_relative_error"`
	Cases    []verifyCase        `json:"cases"`
}

type verifyCase struct {
	Case       string              `json:"case"`
	MaxError   map[string]*float64 `json:"max_relative_error"`
	Iterations int                 `json:"iterations"`
	Residual   float64             `json:"residual"`
	Converged  bool                `json:"converged"`
}

func newVerifyCommand(c *console) *cobra.Command {
	e := engineFlags{learn.Expectation{Estep: "exact", Partition: "annealed", Chains: 10000, Sweeps: 20, Draws: 2}}
	cmd := &cobra.Command{
		Use: "verify ORACLE", Short: "Hold this build's arithmetic against an oracle file", Args: oneArgument("an oracle file"),
		Long: `Compares every number of an oracle file, a JSON file of small machines whose
sums were done by enumeration elsewhere, with what this build computes in
float64, and prints the largest relative error of each quantity.

The exact engine must be within 1e-8 (gradients, which the oracle takes by
differences, 2e-6); else the exit status is 1. Other engines approximate: their
errors are printed and judged by nobody.`,
		Example: "  bethe verify oracle.json --json\n  bethe verify oracle.json --estep bethe",
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
	report := verifyReport{Oracle: path, Engine: e.Estep, Passed: true, MaxError: map[string]*float64{}}
	worst := map[string]float64{}
	for _, r := range results {
		out := verifyCase{r.Case, map[string]*float64{}, r.Report.Iterations, r.Report.Residual, r.Report.Converged}
		for q, v := range r.Errors {
			out.MaxError[q] = number(v)
			worst[q] = max(worst[q], v)
		}
		report.Cases = append(report.Cases, out)
	}
	var wrong string
	for q, v := range worst {
		report.MaxError[q] = number(v)
		report.Passed = report.Passed && v <= verify.Limit(q)
	}
	c.printf("engine %s, largest relative error over %d cases\n", e.Estep, len(results))
	for _, q := range verify.Quantities {
		verdict := ""
		if v := worst[q]; !(v <= verify.Limit(q)) {
			if e.Estep == "exact" {
				verdict = fmt.Sprintf("  beyond the limit of %.0e", verify.Limit(q))
			}
			wrong = q
		}
		c.printf("  %-14s %.2g%s\n", q, worst[q], verdict)
	}
	for _, r := range results {
		if !r.Report.Converged {
			c.printf("  case %q has not converged: residual %.2g after %d iterations\n", r.Case, r.Report.Residual, r.Report.Iterations)
		}
	}
	if err := c.object(report); err != nil {
		return err
	}
	if e.Estep == "exact" && !report.Passed {
		return fmt.Errorf("%s: this build and the oracle do not agree (%s): the file or the build is wrong", path, wrong)
	}
	return nil
}

// number returns v for JSON, null where it is not finite.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
