package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// LikelihoodKey returns the key of the likelihood of a saved machine below the
// key of a seed.
func LikelihoodKey(seed stream.Key) stream.Key { return seed.Sub(stream.RunLikelihood) }

// A Report has the likelihood of a model file on some samples.
type Report struct {
	Samples       int           `json:"samples"`
	LogLikelihood LogLikelihood `json:"log_likelihood"`
	Redrawn       *Redrawn      `json:"redrawn,omitempty"`     // of samples that were drawn of grey levels, which were kept
	Starts        string        `json:"starts,omitempty"`      // file of the states that the search began at too
	Uncertainty   *Uncertainty  `json:"uncertainty,omitempty"` // of the synapses, if asked for
}

// Uncertainty tells how much the likelihood depends on synapses that the data leave open.
// It has the log-likelihoods, in nats, of machines drawn from the posterior, and that of
// the machine with the most probable synapses.
type Uncertainty struct {
	Draws  int       `json:"draws"`
	Mean   float64   `json:"mean"`
	Spread float64   `json:"spread"` // standard deviation over the draws
	Values []float64 `json:"values"`
	Signs  float64   `json:"signs"` // of the machine of the most probable synapses
}

// CheckDraws returns an error unless so many machines can be drawn from the
// posterior of a file: at least two, and its synapses are binary.
func CheckDraws(file *rbm.File, draws int) error {
	if draws < 2 {
		return fmt.Errorf("%d machines: at least 2 are drawn from the posterior", draws)
	}
	if _, ok := file.Synapses.(rbm.Uncertain); !ok {
		return fmt.Errorf("real synapses, no posterior to draw from")
	}
	return nil
}

// Uncertain evaluates machines drawn from the posterior of a file, each as
// FileLikelihood does with opt, whose key is that of a seed. machine is called before
// each of them with its number, counted from 1, and how many there are. The error
// is the context's, that of CheckDraws, or of FileLikelihood.
func Uncertain(ctx context.Context, file *rbm.File, draws int, samples FileSamples, opt Options, machine func(k, of int)) (*Uncertainty, error) {
	if err := CheckDraws(file, draws); err != nil {
		return nil, err
	}
	q := file.Synapses.(rbm.Uncertain).Posterior()
	key := opt.Key.Sub(stream.RunUncertainty)
	evaluated := func(synapses *spin.Matrix, k int) (float64, error) {
		machine(k+1, draws+1)
		opt.Key = key.Sub(uint64(k)).Sub(stream.UncertaintyLikelihood)
		drawn := *file
		drawn.Params, drawn.Synapses = file.Params.Clone(), rbm.Binary(synapses)
		l, err := FileLikelihood(ctx, &drawn, samples, nil, opt)
		return l.Mean, err
	}
	u := &Uncertainty{Draws: draws}
	for k := range draws {
		l, err := evaluated(q.Sample(key.Sub(uint64(k)).Sub(stream.UncertaintySynapses)), k)
		if err != nil {
			return nil, err
		}
		u.Values = append(u.Values, l)
		u.Mean += l / float64(draws)
	}
	for _, v := range u.Values {
		u.Spread += (v - u.Mean) * (v - u.Mean) / float64(draws-1)
	}
	u.Spread = math.Sqrt(u.Spread)
	var err error
	u.Signs, err = evaluated(q.Sign(), draws)
	return u, err
}
