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
	flags.Float64Var(&j.Flip, "flip", 0.1, "probability with which each spin is flipped, and a colour replaced by another one")
	flags.Float64Var(&j.Noise, "noise", 0.5, "standard deviation of the noise that is added to real numbers, in deviations of their columns")
	flags.BoolVar(&j.Noisy, "noisy", false, "the data are noisy already")
	flags.IntVarP(&j.Count, "count", "n", 100, "samples to take, from the first on; 0 for all")
	flags.IntVar(&j.Chains, "chains", 5, "chains of each sample")
	flags.IntVar(&j.Sweeps, "sweeps", 150, "Gibbs sweeps of each chain")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file: seen and restored, int8, float32 of real numbers, and mean, float32, of colours probability, one sample a row")
	flags.StringVar(&j.PNG, "png", "", "picture: each sample, its noisy version, the mean, its sign")
	return cmd
}

func (c *console) denoise(ctx context.Context, j *apply.Mending, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.MendingReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	fmt.Fprint(c.stderr, r.Settling.Warning(r.Sweeps)) // also where progress is not shown
	c.printf("%s", r.Text())
	c.printFiles(r.Out, r.PNG)
	return c.object(r)
}
