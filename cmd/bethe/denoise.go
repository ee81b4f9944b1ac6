package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/runs"
)

func newDenoiseCommand(c *console) *cobra.Command {
	var j apply.Mending
	var data dataFlags
	cmd := &cobra.Command{
		Use: "denoise MODEL", Short: "Infer what noisy samples were", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j.Model, j.Name = runs.Model(args[0]), data.name
			return c.denoise(cmd.Context(), &j, &data)
		},
	}
	data.register(cmd, "mnist:test")
	flags := cmd.Flags()
	flags.Float64Var(&j.Flip, "flip", 0.1, "probability with which each spin is flipped")
	flags.BoolVar(&j.Noisy, "noisy", false, "the data are noisy already")
	flags.IntVarP(&j.Count, "count", "n", 100, "samples to take, from the first on; 0 for all")
	flags.IntVar(&j.Chains, "chains", 5, "chains of each sample")
	flags.IntVar(&j.Sweeps, "sweeps", 150, "Gibbs sweeps of each chain")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file: seen and restored, int8, and mean, float32, one sample a row")
	flags.StringVar(&j.PNG, "png", "", "picture: each sample, its noisy version, the mean, its sign")
	return cmd
}

func (c *console) denoise(ctx context.Context, j *apply.Mending, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.MendingReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	fmt.Fprint(c.stderr, r.Settling.Warning(r.Sweeps)) // also where progress is not shown
	if j.Noisy {
		c.printf("%d samples restored; %.2f %% of their spins change\n", r.Samples, 100*r.Changed)
	} else {
		c.printf("%d samples of %s: %.2f %% of their spins were wrong, %.2f %% are after\n", r.Samples, r.Data, 100**r.Before, 100**r.After)
	}
	c.printFiles(r.Out, r.PNG)
	return c.object(r)
}
