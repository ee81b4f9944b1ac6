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
	flags.Float64Var(&j.Flip, "flip", 0.1, "probability that a spin is flipped, or a colour replaced by another one")
	flags.Float64Var(&j.Noise, "noise", 0.5, "standard deviation of the noise added to real numbers, in standard deviations of their column")
	flags.BoolVar(&j.Noisy, "noisy", false, "the data are noisy already: add no noise")
	flags.IntVarP(&j.Count, "count", "n", 100, "samples to take, from the first on; 0 for all")
	flags.IntVar(&j.Chains, "chains", 5, "Gibbs chains for each sample")
	flags.IntVar(&j.Sweeps, "sweeps", 150, "Gibbs sweeps of each chain")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file with a row for each sample: seen and restored (int8; real numbers float32), and mean (float32; for colours it is called probability)")
	flags.StringVar(&j.PNG, "png", "", "picture with a row for each sample: the sample, its noisy version, the mean, the answer")
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
