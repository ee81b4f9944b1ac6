package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/continual"
	"bethe/learn"
	"bethe/trial"
)

// continualFlags are what continual is told.
type continualFlags struct {
	trainFlags // only those of data and a few of the recipe are flags here
	data, test []string
	tasks      string
	mix        float64
	priors     continual.Priors
	methods    []string
}

func newContinualCommand(c *console) *cobra.Command {
	f := continualFlags{priors: continual.DefaultPriors}
	f.recipe = continual.DefaultRecipe()
	cmd := &cobra.Command{
		Use: "continual", Short: "Learn tasks one after the other, and measure how much is forgotten", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.continual(cmd.Context(), &f) },
	}
	f.trainFlags.data.registerReading(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&f.data, "data", []string{"mnist"}, "data, as in bethe train; with --tasks files one file for each task, with commas between them")
	flags.StringSliceVar(&f.test, "test", nil, "data to measure with, one for each of --data (default: for mnist its test digits, else --data)")
	flags.StringVar(&f.tasks, "tasks", "permuted:2", "permuted:K (units in random orders), split:K (of labels), mixed:K (of labels, with a share of all), or files")
	flags.Float64Var(&f.mix, "mix", 0.2, "share of the training samples that are spread over all tasks, with --tasks mixed")
	flags.StringSliceVar(&f.methods, "methods", continual.DefaultMethods, "methods, with commas between them: fine-tune, prior, ewc, replay, joint; prior:30 and ewc:30 have a strength")
	flags.Float64Var(&f.priors.Scale, "prior-scale", f.priors.Scale, "factor on the means of a posterior that becomes a prior, from 0 (forget) to 1 (keep)")
	flags.Float64Var(&f.priors.Fields, "field-prior", f.priors.Fields, "how strongly prior and ewc keep the fields of earlier tasks, as a share of the samples of a task")
	flags.StringVar(&f.recipeFile, "recipe", "", "`FILE` with settings in JSON, such as the run.json of an earlier run; it wins over --hidden and --steps (default: 100 hidden units, 1000 steps, no settling)")
	flags.IntVar(&f.recipe.Hidden, "hidden", f.recipe.Hidden, "hidden units")
	flags.IntVar(&f.recipe.Steps, "steps", f.recipe.Steps, "learning steps for each task")
	flags.StringVarP(&f.out, "out", "o", "runs/continual", "folder for the runs, the report and its figure; runs that are there are not learned again")
	return cmd
}

// continual learns tasks one after the other.
func (c *console) continual(ctx context.Context, f *continualFlags) (err error) {
	s := continual.Sequence{Recipe: f.recipe, Seed: c.seed, Folder: f.out, Program: program(), Command: c.words}
	if f.recipeFile != "" {
		if s.Recipe, _, err = learn.ReadRecipe(f.recipeFile); err != nil {
			return err
		}
	}
	if s.Methods, err = continual.Methods(f.methods, f.priors); err != nil {
		return err
	}
	if s.Tasks, err = continual.Open(f.load, f.tasks, f.data, f.test, f.mix, c.seed, carried.TestOf); err != nil {
		return err
	}
	var r *continual.Report
	err = c.inStages(func(progress trial.Progress) (err error) { r, err = s.Run(ctx, progress); return err })
	if interrupted := (*learn.InterruptedError)(nil); errors.As(err, &interrupted) {
		return fmt.Errorf("%w in %s; nothing is lost: the same command goes on", errInterrupted, interrupted.Folder)
	}
	if err != nil {
		return err
	}
	c.printf("%s", r.Text())
	c.printFiles(r.Files...)
	return c.object(r)
}
