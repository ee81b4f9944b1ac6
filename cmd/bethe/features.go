package main

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/internal/durable"
	"bethe/internal/npy"
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
	Model      string            `json:"model"`
	Data       string            `json:"data"`
	Samples    int               `json:"samples"`
	Features   int               `json:"features"`
	Gain       float64           `json:"gain"`
	Out        string            `json:"out,omitempty"`
	Classifier *classifierReport `json:"classifier,omitempty"` // on the features
	Raw        *classifierReport `json:"raw,omitempty"`        // on the visible units
}

// classifierReport is what a classifier reached.
type classifierReport struct {
	Features     int       `json:"features"`
	Classes      int       `json:"classes"`
	Test         string    `json:"test"`
	TestSamples  int       `json:"test_samples"`
	TestError    float64   `json:"test_error"`
	TrainError   float64   `json:"train_error"`
	L2           float64   `json:"l2"`
	L2Tried      []float64 `json:"l2_tried"`
	HeldOutError []float64 `json:"held_out_error,omitempty"` // of each penalty tried
	Seconds      float64   `json:"seconds"`
}

// heldOut is the share of the samples on which penalties are compared.
const heldOut = 1. / 6

func newFeaturesCommand(c *console) *cobra.Command {
	var f featuresFlags
	cmd := &cobra.Command{
		Use: "features MODEL", Short: "Hidden means of data, and how well a linear classifier reads them", Args: oneArgument("a model file"),
		Long: `Writes what the hidden units make of data: their means given each sample, a
float32 array of samples x hidden units in an .npy file.

With --classifier it fits a multinomial logistic regression to them and the
data's labels, and says how often it errs on other data: --test, or mnist:test
where the data is mnist. The penalty on its weights is the one of --l2 with the
fewest errors on a sixth of the samples, held out for that. --raw does the same
with the visible units themselves, for comparison.`,
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
		other.labels, other.name = f.testLabels, f.test
		if f.test == "" {
			if f.data.name != "mnist" && f.data.name != "mnist:train" {
				return usagef("--test: name the data to test classifiers on")
			}
			other.name = "mnist:test"
		}
		f.test = other.name
		if test, err = f.labelled(&other, machine, true); err != nil {
			return err
		}
		if err := alike(set, test, f.data.name, f.test); err != nil {
			return err
		}
	}
	fit := func(what string, in, inTest evaluate.Inputs) (*classifierReport, error) {
		r, err := c.fitClassifier(ctx, f, penalties, set, test, in, inTest)
		if err == nil {
			c.printf("%s: a linear classifier errs on %.2f %% of %s, %.2f %% of %s (L2 %g, %.1f s)\n",
				what, 100*r.TestError, f.test, 100*r.TrainError, f.data.name, r.L2, r.Seconds)
		}
		return r, err
	}
	if f.out != "" || f.classifier {
		x := evaluate.Features(machine, set.Samples, f.gain)
		if f.out != "" {
			err := durable.WriteFile(f.out, func(w io.Writer) error { return npy.Write(w, []int{set.Len(), machine.Hidden()}, x) })
			if err != nil {
				return err
			}
			c.printf("%d features of %d samples in %s\n", machine.Hidden(), set.Len(), f.out)
		}
		if f.classifier {
			in, inTest := evaluate.RealInputs(x, machine.Hidden()), evaluate.RealInputs(evaluate.Features(machine, test.Samples, f.gain), machine.Hidden())
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
	case set.Visible() != machine.Visible():
		return nil, usagef("%s: samples of %d spins for a model of %d visible units", d.name, set.Visible(), machine.Visible())
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

// fitClassifier fits and tests a classifier under a progress bar.
func (c *console) fitClassifier(ctx context.Context, f *featuresFlags, penalties []float64, set, test *dataset.Set, in, inTest evaluate.Inputs) (*classifierReport, error) {
	bar := c.progress("classifier")
	defer bar.done()
	start := time.Now()
	k, err := evaluate.FitClassifier(ctx, in, set.Labels, evaluate.Fitting{
		L2: penalties, HeldOut: heldOut, Key: stream.New(c.seed).Sub(streamHeldOut), Progress: func(f float64) { bar.set(f, "") },
	})
	if err != nil {
		return nil, err
	}
	_, features := in.Size()
	return &classifierReport{
		Features: features, Classes: len(k.Labels), Test: f.test, TestSamples: test.Len(),
		TestError: k.ErrorRate(inTest, test.Labels), TrainError: k.ErrorRate(in, set.Labels),
		L2: k.L2, L2Tried: penalties, HeldOutError: k.HeldOut, Seconds: time.Since(start).Seconds(),
	}, nil
}
