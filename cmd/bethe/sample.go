package main

import (
	"context"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/runs"
)

func newSampleCommand(c *console) *cobra.Command {
	var j apply.Sampling
	var data dataFlags
	cmd := &cobra.Command{
		Use: "sample MODEL", Short: "Draw samples from a model", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j.Model = runs.Model(args[0])
			return c.sample(cmd.Context(), &j, &data)
		},
	}
	flags := cmd.Flags()
	flags.IntVarP(&j.Count, "count", "n", 100, "samples, each from a chain of its own")
	flags.IntVar(&j.Sweeps, "sweeps", 1000, "Gibbs sweeps of each chain")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file with samples (int8, a row for each) and visible_mean (float32, means of the last draw)")
	flags.StringVar(&j.PNG, "png", "", "picture of the samples")
	flags.StringVar(&j.Clamp, "clamp", "", "visible units to hold, counted from 0: 5 or 0-391 or 0-9,20-29")
	flags.StringVar(&j.From, "from", "", "sample that --clamp takes the values from: DATA:K is number K of DATA, counted from 0")
	flags.BoolVar(&j.Tempered, "tempered", false, "let each chain exchange states with hotter ones (parallel tempering)")
	flags.BoolVar(&j.Integers, "integers", false, "draw as exported C and Go source does, bit for bit; chain k has the seed --seed + k")
	data.registerReading(cmd)
	return cmd
}

func (c *console) sample(ctx context.Context, j *apply.Sampling, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.SamplingReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	if r.Out != "" {
		c.printf("%d samples in %s\n", r.Samples, r.Out)
	}
	if r.PNG != "" {
		c.printf("%d samples drawn in %s\n", r.Samples, r.PNG)
	}
	return c.object(r)
}
