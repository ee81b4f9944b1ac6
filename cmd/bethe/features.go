package main

import (
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/stream"
)

// featuresFlags are what features is told.
type featuresFlags struct {
	data             dataFlags
	out              string
	classifier, raw  bool
	test, testLabels string
	l2               string
	gain             float64
}

// featuresReport is the JSON object of features.
type featuresReport struct {
	Model      string                     `json:"model"`
	Data       string                     `json:"data"`
	Samples    int                        `json:"samples"`
	Features   int                        `json:"features"`
	Gain       float64                    `json:"gain"`
	Out        string                     `json:"out,omitempty"`
	Classifier *evaluate.ClassifierReport `json:"classifier,omitempty"` // on the features
	Raw        *evaluate.ClassifierReport `json:"raw,omitempty"`        // on the visible units
}

func newFeaturesCommand(c *console) *cobra.Command {
	var f featuresFlags
	cmd := &cobra.Command{
		Use: "features MODEL", Short: "Hidden means of data, and how well a linear classifier reads them", Args: oneArgument("a model file"),
		Long: help("features"),
		Example: `  bethe features runs/m500/model.npz --data mnist -o features.npy
  bethe features runs/m500/model.npz --classifier --raw
  bethe features model.npz --data train.npz --classifier --test test.npz --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return c.features(cmd.Context(), args[0], &f) },
	}
	f.data.register(cmd, "mnist")
	flags := cmd.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "npy file for the features")
	flags.Float64Var(&f.gain, "gain", 1, "what fields are multiplied by before their tanh is taken: less than 1 makes features less saturated than the means are")
	flags.BoolVar(&f.classifier, "classifier", false, "fit a linear classifier to the labels and test it")
	flags.BoolVar(&f.raw, "raw", false, "fit a linear classifier to the visible units themselves")
	flags.StringVar(&f.test, "test", "", "data with labels to test classifiers on (default mnist:test where the data is mnist)")
	flags.StringVar(&f.testLabels, "test-labels", "", "file of the labels of --test, if they are in one of their own")
	flags.StringVar(&f.l2, "l2", "1e-4,3e-4,1e-3", "penalties on the squared weights of classifiers to choose from")
	return cmd
}

func (c *console) features(ctx context.Context, path string, f *featuresFlags) error {
	penalties, err := parsePenalties(f.l2)
	switch {
	case err != nil:
		return err
	case f.out == "" && !f.classifier && !f.raw:
		return usagef("nothing to do: name a file for the features, --out FILE.npy, or ask for --classifier or --raw")
	case !(f.gain > 0) || f.gain > 1e6:
		return usagef("--gain %v: it must be positive", f.gain)
	case (f.test != "" || f.testLabels != "") && !f.classifier && !f.raw:
		return usagef("--test is what classifiers are tested on: ask for --classifier or --raw")
	case f.testLabels != "" && f.test == "":
		return usagef("--test-labels are those of --test: name that too")
	}
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	machine := file.Machine()
	set, err := f.labelled(&f.data, machine, f.classifier || f.raw)
	if err != nil {
		return err
	}
	report := featuresReport{Model: path, Data: f.data.name, Samples: set.Len(), Features: machine.Hidden(), Gain: f.gain, Out: f.out}
	var test *dataset.Set
	if f.classifier || f.raw {
		other := f.data
		other.Labels, other.name = f.testLabels, f.test
		if f.test == "" {
			var there bool
			if other.name, there = carried.TestOf(f.data.name); !there {
				return usagef("--test: name the data to test classifiers on")
			}
		}
		f.test = other.name
		if test, err = f.labelled(&other, machine, true); err != nil {
			return err
		}
	}
	fit := func(what string, in, inTest evaluate.Inputs) (*evaluate.ClassifierReport, error) {
		r, err := during(c, "classifier", func(progress func(float64)) (*evaluate.ClassifierReport, error) {
			return evaluate.ScoreClassifier(ctx, evaluate.Labelled{Name: f.data.name, Inputs: in, Labels: set.Labels},
				evaluate.Labelled{Name: f.test, Inputs: inTest, Labels: test.Labels}, penalties, stream.New(c.seed), progress)
		})
		if err == nil {
			c.printf("%s: a linear classifier errs on %.2f %% of %s, %.2f %% of %s (L2 %g, %.1f s)\n",
				what, 100*r.TestError, f.test, 100*r.TrainError, f.data.name, r.L2, r.Seconds)
		}
		return r, err
	}
	if f.out != "" || f.classifier {
		x := evaluate.Features(evaluate.OnMachine(machine), set.Samples, f.gain)
		if f.out != "" {
			if err := save(f.out, func(w io.Writer) error { return evaluate.WriteFeatures(w, x, machine.Hidden()) }); err != nil {
				return err
			}
			c.printf("%d features of %d samples in %s\n", machine.Hidden(), set.Len(), f.out)
		}
		if f.classifier {
			in, inTest := evaluate.RealInputs(x, machine.Hidden()), evaluate.RealInputs(evaluate.Features(evaluate.OnMachine(machine), test.Samples, f.gain), machine.Hidden())
			if report.Classifier, err = fit(strconv.Itoa(machine.Hidden())+" hidden means", in, inTest); err != nil {
				return err
			}
		}
	}
	if f.raw {
		if report.Raw, err = fit(strconv.Itoa(set.Visible())+" visible units", evaluate.SpinInputs(set.Samples), evaluate.SpinInputs(test.Samples)); err != nil {
			return err
		}
	}
	return c.object(report)
}

// labelled returns data that fit the machine, with labels if they are needed.
func (f *featuresFlags) labelled(d *dataFlags, machine *rbm.Machine, needed bool) (*dataset.Set, error) {
	set, err := d.load()
	switch {
	case err != nil:
		return nil, err
	case source.Fits(set, machine.Visible()) != nil:
		return nil, usagef("%s: %w", d.name, source.Fits(set, machine.Visible()))
	case needed && set.Labels == nil:
		return nil, usagef("%s has no labels, which a classifier learns from and is tested on: name their file with --labels or --test-labels", d.name)
	}
	return set, nil
}

// parsePenalties reads a list such as 1e-5,1e-4.
func parsePenalties(list string) ([]float64, error) {
	var penalties []float64
	for _, text := range strings.Split(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v > 0) || v > 1e6 {
			return nil, usagef("--l2 %q: %q is not a positive number", list, text)
		}
		penalties = append(penalties, v)
	}
	return penalties, nil
}
