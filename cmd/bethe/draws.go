package main

import (
	"context"
	"math"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// uncertainty is what is not known of the synapses, in nats of likelihood: that
// of machines drawn from the posterior, beside the one that is saved and the
// one of the most probable synapses.
type uncertainty struct {
	Draws  int       `json:"draws"`
	Mean   float64   `json:"mean"`
	Spread float64   `json:"spread"` // standard deviation over the draws
	Values []float64 `json:"values"`
	Signs  float64   `json:"signs"` // of the machine of the most probable synapses
}

// uncertain evaluates machines drawn from the posterior.
func (c *console) uncertain(ctx context.Context, file *rbm.File, q *rbm.Posterior[float32], draws int, samples *spin.Matrix, a *aisFlags) (*uncertainty, error) {
	key := stream.New(c.seed).Sub(streamUncertainty)
	evaluated := func(synapses *spin.Matrix, k int) (evaluate.LogLikelihood, error) {
		c.logf("machine %d of %d\n", k+1, draws+1)
		machine := &rbm.Machine{Params: file.Params.Clone(), Synapses: rbm.Binary(synapses)}
		return c.likelihood(ctx, machine, samples, a, key.Sub(uint64(k)).Sub(1))
	}
	u := &uncertainty{Draws: draws}
	for k := range draws {
		l, err := evaluated(q.Sample(key.Sub(uint64(k)).Sub(0)), k)
		if err != nil {
			return nil, err
		}
		u.Values = append(u.Values, l.Mean)
		u.Mean += l.Mean / float64(draws)
	}
	for _, v := range u.Values {
		u.Spread += (v - u.Mean) * (v - u.Mean) / float64(draws-1)
	}
	u.Spread = math.Sqrt(u.Spread)
	l, err := evaluated(q.Sign(), draws)
	u.Signs = l.Mean
	return u, err
}

func (c *console) printUncertainty(saved float64, u *uncertainty) {
	c.printf("uncertainty of the synapses, in nats a sample:\n"+
		"  machines drawn from the posterior  %.3f, spread %.3f (%d draws)\n"+
		"  the machine that is saved          %.3f\n"+
		"  the most probable synapses         %.3f\n", u.Mean, u.Spread, u.Draws, saved, u.Signs)
}
