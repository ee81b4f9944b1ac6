// Package bethe learns generative models whose weights are one bit each, with a
// handful of names: Read samples, Fit a model, ask for its LogLikelihood, Sample it,
// Save the samples.
//
// Package learn has the same with run folders, checkpoints and observers; the
// packages below it have the parts.
package bethe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/internal/durable"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/learn"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Data are samples of spins.
type Data = learn.Data

// A Recipe holds the settings of learning.
type Recipe = learn.Recipe

// seed is that of all that is random here. Package learn takes any.
const seed = 1

// Default returns the recipe that reaches the README's figures: 100 hidden units,
// 25 passes through the data.
func Default() Recipe { return learn.Default() }

// Must returns a value, or panics if there is an error: for short programs.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// Read reads samples from an IDX, npy, npz or CSV file of spins: all values are 0
// and 1, or -1 and 1. Package dataset reads grey levels, too. Errors name the file,
// the place in it and a remedy.
func Read(path string) (Data, error) {
	set, err := dataset.Read(path, dataset.Options{})
	return Data{Set: set, Name: path}, err
}

// A Model is a machine that has learned, with the posterior over its synapses.
type Model struct{ File *rbm.File }

// Fit learns a model from samples. Equal arguments give equal models, if no time
// limits learning. Errors are those of learn.Start and Run: of settings, of files
// that the recipe names, and the context's.
func Fit(ctx context.Context, data Data, recipe Recipe) (*Model, error) {
	run, err := learn.Start(recipe, learn.Job{Data: data, Seed: seed, Program: "bethe"})
	if err != nil {
		return nil, err
	}
	defer run.Close() // in memory: there is nothing to fail
	if _, err := run.Run(ctx); err != nil {
		return nil, err
	}
	file, err := run.File()
	return &Model{file}, err
}

// Load reads a model file.
func Load(path string) (*Model, error) {
	file, err := rbm.Load(path)
	return &Model{file}, err
}

// Save writes the model file, which numpy.load opens; see rbm.File.Save.
func (m *Model) Save(path string) error { return m.File.Save(path) }

// A Likelihood is the mean log-likelihood of samples in nats. Low and High are the 95 %
// interval of the mean over all samples of their kind.
type Likelihood struct {
	evaluate.LogLikelihood
	Low, High float64
}

// errNoSamples is of data that hold none.
var errNoSamples = errors.New("data without samples: read them with Read, or draw them with Sample")

// empty reports whether data hold no samples.
func empty(data Data) bool { return data.Set == nil || data.Samples == nil || data.Len() == 0 }

// LogLikelihood measures the mean log-likelihood of samples: exactly if the smaller
// layer has at most 25 units, else by annealing from both sides (evaluate.Likelihood).
// The interval is 1.96 standard errors of the mean over the samples, and where
// annealing estimated it, wider by the intervals of both sides. Errors are the
// context's and of samples that do not fit.
func (m *Model) LogLikelihood(ctx context.Context, data Data) (Likelihood, error) {
	if empty(data) {
		return Likelihood{}, errNoSamples
	}
	l, err := evaluate.MachineLikelihood(ctx, m.File.Machine(), nil, data.Samples, evaluate.Options{
		Temperatures: evaluate.DefaultTemperatures, Chains: evaluate.DefaultChains, Equilibration: evaluate.DefaultEquilibration, Key: learn.EvaluationKey(seed),
	})
	if err != nil {
		return Likelihood{}, err
	}
	low, high := l.Mean, l.Mean
	if !l.Exact {
		low = math.Min(low, math.Min(l.ForwardInterval[0], l.ReverseInterval[0]))
		high = math.Max(high, math.Max(l.ForwardInterval[1], l.ReverseInterval[1]))
	}
	const normal = 1.96 // standard errors
	return Likelihood{l, low - normal*l.SampleError, high + normal*l.SampleError}, nil
}

// String tells the mean and the interval.
func (l Likelihood) String() string {
	return fmt.Sprintf("%.2f nats per sample (%.2f to %.2f)", l.Mean, l.Low, l.High)
}

// sweeps are those between the start of chains and a sample.
const sweeps = 1000

// Sample draws samples from the model by that many Gibbs chains of 1000 sweeps. Errors
// are the context's, and of fewer than one sample and more than there is memory for.
func (m *Model) Sample(ctx context.Context, count int) (Data, error) {
	if count < 1 {
		return Data{}, fmt.Errorf("%d samples: there must be at least 1", count)
	}
	machine := m.File.Machine()
	if err := memory.CheckChains(machine.Visible(), machine.Hidden(), float64(count), true, "samples", count); err != nil {
		return Data{}, err
	}
	chains := sample.NewChains(sample.OnMachine(machine), count, stream.New(seed))
	for range sweeps {
		if err := ctx.Err(); err != nil {
			return Data{}, err
		}
		chains.Sweep(1)
	}
	return Data{Set: &dataset.Set{Name: "samples", Samples: units.Rows(chains.Visible, 0, machine.Layers().Data()), Width: m.File.Info.Width, Height: m.File.Info.Height}, Name: "samples"}, nil
}

// Save writes samples as the array samples (int8, samples x visible units) of an
// .npz file, which numpy.load and Read open.
func Save(path string, data Data) error {
	if empty(data) {
		return fmt.Errorf("%s: %w", path, errNoSamples)
	}
	n, count := data.Visible(), data.Len()
	across, values := spin.New(count, n), make([]int8, n*count)
	data.Samples.Transpose(across)
	spin.Values(values, across)
	arrays := []npy.Array{{Name: "samples", Shape: []int{count, n}, Data: values}}
	return durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, arrays) })
}
