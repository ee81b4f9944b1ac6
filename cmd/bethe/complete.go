package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/runs"
	"bethe/trial"
)

func newCompleteCommand(c *console) *cobra.Command {
	var j apply.Completing
	var data dataFlags
	cmd := &cobra.Command{
		Use: "complete MODEL", Short: "Infer a part of samples from the rest", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			j.Model = runs.Model(args[0])
			return c.complete(cmd.Context(), &j, &data)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&j.From, "from", "", "samples to complete: DATA:K is number K of DATA, counted from 0; several as in mnist:test:0-4,9")
	flags.StringVar(&j.Clamp, "clamp", "", "units that are given: top, bottom, left or right (a half), units counted from 0 (0-9,20), or a rectangle of columns x rows (0-13x0-27)")
	flags.IntVarP(&j.Count, "count", "n", 5, "completions of each sample, each from a chain of its own")
	flags.IntVar(&j.Sweeps, "sweeps", 500, "Gibbs sweeps of each chain")
	flags.StringVarP(&j.Out, "out", "o", "", "npz file with mean (float32, samples x units), completions (int8, samples x completions x units) and given (int8, 1 if a unit was given)")
	flags.StringVar(&j.PNG, "png", "", "picture with a row for each sample: the sample, its given part, the mean, completions")
	flags.StringVar(&j.Truth, "truth", "", "the same samples with fewer missing values; filled values are scored by them")
	data.registerReading(cmd)
	return cmd
}

func (c *console) complete(ctx context.Context, j *apply.Completing, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.CompletionReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	fmt.Fprint(c.stderr, r.Settling.Warning(r.Sweeps)) // also where progress is not shown
	c.printf("%s", r.Text())
	c.printFiles(r.Out, r.PNG)
	return c.object(r)
}

// runJob runs a job on a model and data that flags name, under bars.
func runJob[R any](c *console, data *dataFlags, j *apply.Job, run func() (R, error)) (r R, err error) {
	if j.Data, err = data.opener(); err != nil {
		return r, err
	}
	j.Seed = c.seed
	err = c.inStages(func(progress trial.Progress) (err error) {
		j.Progress = progress
		r, err = run()
		return err
	})
	return r, err
}

// printFiles names the files written.
func (c *console) printFiles(names ...string) {
	for _, name := range names {
		if name != "" {
			c.printf("%s\n", name)
		}
	}
}
