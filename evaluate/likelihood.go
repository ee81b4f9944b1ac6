// Package evaluate measures how good a machine is: the log-likelihood of
// samples, exactly or by annealing.
package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// A LogLikelihood is an estimate of the mean log-likelihood of samples, in
// nats a sample.
type LogLikelihood struct {
	Mean       float64  `json:"mean"`  // the exact value, or the best estimate there is
	Exact      bool     `json:"exact"` // by enumeration
	ForwardAIS *float64 `json:"forward_ais"`
	ReverseAIS *float64 `json:"reverse_ais"`
	// Spread is the standard deviation over the annealed chains of the
	// estimate that one chain would give; 0 if exact.
	Spread float64 `json:"spread"`
	// Effective is the effective number of annealed chains; 0 if exact.
	Effective float64 `json:"effective_chains"`
}

// Options of an estimate.
type Options struct {
	Temperatures int // annealing steps
	Chains       int
	Key          stream.Key
	Progress     func(fraction float64) // called now and then while annealing; may be nil
	Anneal       bool                   // anneal even where the exact value is in reach
}

// Likelihood returns the mean log-likelihood of samples (visible x M) under
// the machine: exact where the smaller layer has at most rbm.MaxExact units,
// else by forward annealed importance sampling from independent spins with the
// samples' means, which tends to overstate it. Errors are the context's, of
// the options, and of samples that do not fit.
func Likelihood(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix, opt Options) (LogLikelihood, error) {
	n, m := machine.Visible(), samples.Cols()
	if samples.Rows() != n {
		return LogLikelihood{}, fmt.Errorf("samples of %d spins for a machine of %d visible units", samples.Rows(), n)
	}
	if m == 0 {
		return LogLikelihood{}, fmt.Errorf("no samples to evaluate")
	}
	var result LogLikelihood
	weight := meanLogWeight(machine, samples)
	if min(n, machine.Hidden()) <= rbm.MaxExact && !opt.Anneal {
		lnz, err := machine.LnZ()
		result.Mean, result.Exact = weight-lnz, true
		return result, err
	}
	base := make([]float64, n)
	sums := make([]int, n)
	samples.RowSums(sums)
	for i, s := range sums {
		base[i] = math.Atanh(float64(s) / float64(m+2))
	}
	z, err := sample.AnnealedMachineLnZ(ctx, machine, sample.Annealing{
		Chains: opt.Chains, Temperatures: opt.Temperatures, BaseField: base, Key: opt.Key,
		Progress: func(done int) {
			if opt.Progress != nil {
				opt.Progress(float64(done) / float64(opt.Temperatures))
			}
		},
	})
	if err != nil {
		return result, err
	}
	forward := weight - z.LnZ
	result.ForwardAIS, result.Mean = &forward, forward
	result.Spread, result.Effective = z.Spread, z.Effective
	return result, nil
}

// meanLogWeight returns the mean of minus the free energy.
func meanLogWeight(machine *rbm.Machine, samples *spin.Matrix) float64 {
	const block = 1 << 11 // samples at a time, so that fields take little memory
	var sum float64
	for lo := 0; lo < samples.Cols(); lo += block {
		cols := make([]int, min(block, samples.Cols()-lo))
		for k := range cols {
			cols[k] = lo + k
		}
		part := spin.New(samples.Rows(), len(cols))
		samples.Gather(part, cols)
		for _, f := range machine.FreeEnergy(part) {
			sum -= f
		}
	}
	return sum / float64(samples.Cols())
}
