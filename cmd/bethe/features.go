package main

import (
	"context"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/evaluate"
	"bethe/runs"
)

func newFeaturesCommand(c *console) *cobra.Command {
	var j apply.Featuring
	var data dataFlags
	l2 := ""
	cmd := &cobra.Command{
		Use: "features MODEL", Short: "Hidden means of data, and how well a linear classifier reads them", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			j.Model, j.Name = runs.Model(args[0]), data.name
			if j.L2, err = apply.ParsePenalties(l2); err != nil {
				return err
			}
			return c.features(cmd.Context(), &j, &data)
		},
	}
	data.register(cmd, "mnist")
	flags := cmd.Flags()
	flags.StringVarP(&j.Out, "out", "o", "", "npy file for the features")
	flags.Float64Var(&j.Gain, "gain", 1, "factor on the fields before their tanh; below 1 features are less saturated than the means")
	flags.IntVar(&j.Layer, "layer", 1, "hidden layer to take the features of, counted from 1; upper layers of a deep machine by mean field")
	flags.BoolVar(&j.Classifier, "classifier", false, "fit a linear classifier to the labels and test it")
	flags.IntVar(&j.Labelled, "labelled", 0, "learn classifiers from this many labels alone, spread evenly over the classes: mean and range of five draws, beside classifiers of the visible units (default 0: from all)")
	flags.BoolVar(&j.Raw, "raw", false, "fit a linear classifier to the visible units themselves")
	flags.StringVar(&j.Test, "test", "", "data with labels to test classifiers on (default mnist:test if the data is mnist)")
	flags.StringVar(&j.TestLabels, "test-labels", "", "file of the labels of --test, if they have one of their own")
	flags.StringVar(&l2, "l2", "1e-4,3e-4,1e-3", "penalties on squared weights of the classifier to choose from, with commas between them")
	return cmd
}

func (c *console) features(ctx context.Context, j *apply.Featuring, data *dataFlags) error {
	r, err := runJob(c, data, &j.Job, func() (*apply.FeaturesReport, error) { return j.Run(ctx) })
	if err != nil {
		return err
	}
	if r.Out != "" {
		c.printf("%d features of %d samples in %s\n", r.Features, r.Samples, r.Out)
	}
	for _, x := range []struct {
		what string
		*evaluate.ClassifierReport
	}{{"hidden means", r.Classifier}, {"visible units", r.Raw}} {
		if k := x.ClassifierReport; k != nil {
			c.printf("%d %s: a linear classifier errs on %.2f %% of %s, %.2f %% of %s (L2 %g, %.1f s)\n",
				k.Features, x.what, 100*k.TestError, k.Test, 100*k.TrainError, r.Data, k.L2, k.Seconds)
		}
	}
	c.printTold(r)
	return c.object(r)
}

// printTold prints what winners and classifiers of few labels tell.
func (c *console) printTold(r *apply.FeaturesReport) {
	if r.Winners != nil {
		c.printf("the winners: the labels that they stand for are wrong for %.2f %% of the test samples\n", 100**r.Winners)
	}
	l := r.Labelled
	if l == nil {
		return
	}
	c.printf("of %d labels, in %d draws, wrong on %s (mean, range):\n", l.Samples, l.Draws, l.Test)
	told := map[string]*apply.Spread{"features": &l.Linear, "visible units": &l.Raw, "winners": l.Winners}
	for _, name := range []string{"features", "winners", "visible units"} {
		if s := told[name]; s != nil {
			c.printf("  %-14s %.2f %%  %.2f to %.2f %%\n", name, 100*s.Mean, 100*s.Low, 100*s.High)
		}
	}
}
