package evaluate

import (
	"context"
	"io"
	"time"

	"bethe/internal/npy"
	"bethe/stream"
)

// A ClassifierReport is what a linear classifier reached.
type ClassifierReport struct {
	Features     int       `json:"features"`
	Classes      int       `json:"classes"`
	Test         string    `json:"test"` // name of the data it was tested on
	TestSamples  int       `json:"test_samples"`
	TestError    float64   `json:"test_error"`
	TrainError   float64   `json:"train_error"`
	L2           float64   `json:"l2"`
	L2Tried      []float64 `json:"l2_tried"`
	HeldOutError []float64 `json:"held_out_error,omitempty"` // of each penalty tried
	Seconds      float64   `json:"seconds"`
}

// Labelled is inputs of samples and their labels.
type Labelled struct {
	Name   string // of the data
	Inputs Inputs
	Labels []int
}

// heldOut is the share of the samples on which penalties are compared.
const heldOut = 1. / 6

// ScoreClassifier fits a classifier to samples and tests it on others. It takes the penalty that
// errs least on a sixth of the samples, held out. The key is
// a seed's; progress may be nil. Errors are FitClassifier's.
func ScoreClassifier(ctx context.Context, train, test Labelled, penalties []float64, key stream.Key, progress func(fraction float64)) (*ClassifierReport, error) {
	start := time.Now()
	k, err := FitClassifier(ctx, train.Inputs, train.Labels, Fitting{L2: penalties, HeldOut: heldOut, Key: key.Sub(stream.RunHeldOut), Progress: progress})
	if err != nil {
		return nil, err
	}
	_, features := train.Inputs.Size()
	testError, err := k.ErrorRate(ctx, test.Inputs, test.Labels)
	if err != nil {
		return nil, err
	}
	trainError, err := k.ErrorRate(ctx, train.Inputs, train.Labels)
	if err != nil {
		return nil, err
	}
	return &ClassifierReport{
		Features: features, Classes: len(k.Labels), Test: test.Name, TestSamples: len(test.Labels),
		TestError: testError, TrainError: trainError,
		L2: k.L2, L2Tried: penalties, HeldOutError: k.HeldOut, Seconds: time.Since(start).Seconds(),
	}, nil
}

// WriteFeatures writes features, samples x hidden as Features returns them, as an
// npy file.
func WriteFeatures(w io.Writer, features []float32, hidden int) error {
	return npy.Write(w, []int{len(features) / hidden, hidden}, features)
}
