package apply

import (
	"context"
	"io"
	"strconv"
	"strings"

	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/evaluate"
	"bethe/setting"
	"bethe/stream"
)

// Featuring writes what the hidden units make of data, and asks how well a linear
// classifier reads it.
type Featuring struct {
	Job
	Name       string  // of the data
	Gain       float64 // of the fields (evaluate.Features)
	Layer      int     // hidden layer whose features they are, from 1
	Classifier bool    // fit one to the features
	Raw        bool    // fit one to the visible units
	// Test is the data that classifiers are tested on; if it is empty, the test part of the
	// digits that the program carries. TestLabels is the file of its labels, if they have one of their own.
	Test, TestLabels string
	L2               []float64 // penalties to choose from
	// Labelled is how many of the data's labels classifiers learn from, in five draws; 0 for all.
	Labelled int
	Out      string // npy file for the features; may be empty
}

// A FeaturesReport says which features and classifiers were made of data.
type FeaturesReport struct {
	Model      string                     `json:"model"`
	Data       string                     `json:"data"`
	Samples    int                        `json:"samples"`
	Features   int                        `json:"features"`
	Gain       float64                    `json:"gain"`
	Out        string                     `json:"out,omitempty"`
	Classifier *evaluate.ClassifierReport `json:"classifier,omitempty"` // on the features
	Raw        *evaluate.ClassifierReport `json:"raw,omitempty"`        // on the visible units
	// Winners is how often the labels that the winners of a directed machine stand for are wrong.
	Winners  *float64        `json:"winners_test_error,omitempty"`
	Labelled *LabelledReport `json:"labelled,omitempty"`
}

// ParsePenalties reads a list such as 1e-5,1e-4. The error is a *setting.Error.
func ParsePenalties(list string) ([]float64, error) {
	var penalties []float64
	for _, text := range strings.Split(list, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(v > 0) || v > 1e6 {
			return nil, setting.Errorf("l2", strconv.Quote(list), "%q is not a positive number", text)
		}
		penalties = append(penalties, v)
	}
	return penalties, nil
}

// leastLabelled is how many labels are needed if a sixth of them is held out.
const leastLabelled = 6

// Validate returns the *setting.Error of the first setting that does not fit.
func (f *Featuring) Validate() error {
	classified := f.Classifier || f.Raw
	switch {
	case f.Out == "" && !classified:
		return setting.Phrase("out", "nothing to do: name a file for the features, {out FILE.npy}, or ask for {classifier} or {raw}")
	case f.Layer < 1:
		return setting.Errorf("layer", f.Layer, "hidden layers are counted from 1")
	case !(f.Gain > 0) || f.Gain > 1e6:
		return setting.Errorf("gain", f.Gain, "it must be positive")
	case (f.Test != "" || f.TestLabels != "") && !classified:
		return setting.Phrase("test", "{test} is what classifiers are tested on: ask for {classifier} or {raw}")
	case f.Labelled < 0:
		return setting.Errorf("labelled", f.Labelled, "it must be positive")
	case f.Labelled > 0 && f.Labelled < leastLabelled && len(f.L2) > 1:
		return setting.Errorf("labelled", f.Labelled, "it must be at least %d: a sixth of them are held out to choose the decay", leastLabelled)
	case f.Labelled > 0 && (!f.Classifier || f.Out != ""):
		return setting.Phrase("labelled", "{labelled} is how many labels classifiers learn from: ask for {classifier}, without {out}")
	case f.TestLabels != "" && f.Test == "":
		return setting.Phrase("test-labels", "{test-labels} are those of {test}: name that too")
	}
	return promises("out", f.Out, ".npy")
}

// Run makes features and classifiers. The error is a *setting.Error, the context's,
// that of the model or the data, or of a file that cannot be written.
func (f *Featuring) Run(ctx context.Context) (*FeaturesReport, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	m, err := able[features](&f.Job, "features", f.Out)
	if err != nil {
		return nil, err
	}
	if f.Layer > 1 {
		if m, err = ofLayer(m, f.Model, f.Layer); err != nil {
			return nil, err
		}
	}
	classified := f.Classifier || f.Raw
	f.Data.Reading.Units, f.Data.Reading.Incomplete = m.takes()
	set, err := labelled(&f.Data, "data", f.Name, "labels", m.Visible(), classified)
	if err != nil {
		return nil, err
	}
	r := &FeaturesReport{Model: f.Model, Data: f.Name, Samples: set.Len(), Features: m.count(), Gain: f.Gain, Out: f.Out}
	name, test := f.Test, (*dataset.Set)(nil)
	if classified {
		if name == "" {
			var there bool
			if name, there = f.Data.Carried.TestOf(f.Name); !there {
				return nil, setting.Errorf("test", "", "name the data to test classifiers on")
			}
		}
		other := f.Data
		other.Reading.Labels = f.TestLabels
		if test, err = labelled(&other, "test", name, "test-labels", m.Visible(), true); err != nil {
			return nil, err
		}
		if err := alike(set, test, f.Name, name); err != nil {
			return nil, err
		}
	}
	if f.Labelled > 0 {
		return r, f.fewLabels(ctx, m, set, test, name, r)
	}
	score := func(in, inTest evaluate.Inputs) (*evaluate.ClassifierReport, error) {
		return evaluate.ScoreClassifier(ctx, evaluate.Labelled{Name: f.Name, Inputs: in, Labels: set.Labels},
			evaluate.Labelled{Name: name, Inputs: inTest, Labels: test.Labels}, f.L2, stream.New(f.Seed), f.progress("classifier"))
	}
	if f.Out != "" || f.Classifier {
		x, err := f.write(ctx, m, set)
		if err != nil {
			return nil, err
		}
		if f.Classifier {
			y, err := m.read(ctx, test, f.Gain)
			if err != nil {
				return nil, err
			}
			if r.Classifier, err = score(evaluate.RealInputs(x, m.count()), evaluate.RealInputs(y, m.count())); err != nil {
				return nil, err
			}
			if r.Winners, err = winners(ctx, m, set, test); err != nil {
				return nil, err
			}
		}
	}
	if f.Raw {
		if r.Raw, err = score(rawInputs(set, set), rawInputs(test, set)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// write reads the features of data and writes them, if a file was named.
func (f *Featuring) write(ctx context.Context, m features, set *dataset.Set) ([]float32, error) {
	x, err := m.read(ctx, set, f.Gain)
	if err != nil {
		return nil, err
	}
	files := Files{Out: f.Out}
	return x, files.write(func(w io.Writer) error { return evaluate.WriteFeatures(w, x, m.count()) }, nil)
}

// winners returns how often the labels that winners stand for are wrong, nil if the model has
// no winners.
func winners(ctx context.Context, m features, set, test *dataset.Set) (*float64, error) {
	has, ok := m.(wins)
	if !ok {
		return nil, nil
	}
	told, err := has.counted(ctx, set)
	if err != nil {
		return nil, err
	}
	wrong, err := told.errors(ctx, test)
	return &wrong, err
}

// alike numbers the labels of test as those of set are, where they are words. The error
// is a *setting.Error of test.
func alike(set, test *dataset.Set, name, testName string) error {
	if (set.Classes == nil) != (test.Classes == nil) {
		return setting.Errorf("test", testName, "the labels of this and of %s: those of one are words, those of the other numbers", name)
	}
	if set.Classes == nil {
		return nil
	}
	if unknown, ok := test.Relabel(set.Classes); !ok {
		return setting.Errorf("test", testName, "it has samples of %q, a class that %s does not have", unknown, name)
	}
	return nil
}

// labelled opens data of a setting that fit a machine, with labels if they are needed.
func labelled(data *source.Opener, called, name, labels string, visible int, needed bool) (*dataset.Set, error) {
	set, err := data.Open(called, name)
	if err != nil {
		return nil, err
	}
	if err := source.Fits(set, visible); err != nil {
		return nil, setting.Errorf(called, name, "%v", err)
	}
	if needed && set.Labels == nil {
		return nil, setting.Phrase(labels, "%s has no labels, which a classifier learns from and is tested on: name their file with {labels} or {test-labels}", name)
	}
	return set, nil
}
