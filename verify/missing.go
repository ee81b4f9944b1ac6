package verify

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
	"bethe/variational"
)

// A missingCase is what a case of spins has of samples with missing values.
type missingCase struct {
	Seen      [][]float64 `json:"seen"`       // samples x spins, 1 where a spin was observed, else 0
	MeanField [][]float64 `json:"mean_field"` // means of the best fill of independent spins

	DataMeanField      float64 `json:"data_term_mean_field"`
	DataBestFill       float64 `json:"data_term_best_fill"`
	DataExact          float64 `json:"data_term_exact"`
	DataMeanFieldExact float64 `json:"data_term_mean_field_exact"`
	DataBestFillExact  float64 `json:"data_term_best_fill_exact"`
	LnEvidence         float64 `json:"ln_evidence_observed"`
	BoundMeanField     float64 `json:"bound_mean_field"`
	BoundExact         float64 `json:"bound_exact"`
}

const (
	missingSweeps = 400 // of the fill, which moves half the way each time
	maxFills      = 12  // missing spins of a sample, whose states are enumerated
)

// incomplete compares the bound of samples with missing values, and sums over all that they can be.
func (w *unitsWork) incomplete(ctx context.Context, newEngine func(visible, hidden int) dual.Engine[float64]) error {
	c := w.Missing
	if c == nil {
		return nil
	}
	n, p, m := w.model.Visible(), w.model.Hidden(), float64(w.M)
	missing, samples := spin.New(n, w.M), spin.New(n, w.M)
	var fills [][]int8 // all that the samples can be, one after another
	first := []int{0}  // of each sample
	for a, row := range c.Seen {
		var free []int
		state := make([]int8, n)
		for i, seen := range row {
			state[i] = int8(w.Samples[a][i])
			if seen != 1 {
				missing.Set(i, a, 1)
				free = append(free, i)
			}
			samples.Set(i, a, state[i])
		}
		if len(free) > maxFills {
			return fmt.Errorf("missing.seen[%d]: %d spins are missing, and at most %d are enumerated", a, len(free), maxFills)
		}
		for k := range 1 << len(free) {
			fill := append([]int8{}, state...)
			for b, i := range free {
				fill[i] = int8(2*(k>>b&1) - 1)
			}
			fills = append(fills, fill)
		}
		first = append(first, len(fills))
	}
	data := units.NewIncomplete[float64](samples, w.visible, missing)
	objective := &variational.Objective[float64]{Partition: &dual.Annealed[float64]{Engine: newEngine(n, p)}, Hidden: variational.ExactHiddenOf[float64](w.hidden), Samples: w.M, Fill: missingSweeps}
	terms, _, err := objective.Terms(ctx, w.model, data)
	if err != nil {
		return err
	}
	means := make([]float64, n)
	for a, row := range c.MeanField {
		for i := range means {
			means[i] = data.Value(i, a)
		}
		w.record("correlation", means, row)
	}
	w.record("data_term", []float64{terms.Data * m}, []float64{c.DataMeanField})
	w.record("elbo", []float64{terms.Bound() * m}, []float64{c.BoundMeanField})

	// All fills as samples of their own, in Gaussian fields and over all synapses.
	full, shape := *w, *w.unitsCase
	shape.M = len(fills)
	full.unitsCase = &shape
	all := spin.New(n, len(fills))
	gaussian := make([]float64, len(fills))
	for k, fill := range fills {
		one := spin.New(n, 1)
		for i, s := range fill {
			one.Set(i, 0, s)
			all.Set(i, k, s)
		}
		t, _, err := objective.Terms(ctx, w.model, units.NewSpins[float64](one))
		if err != nil {
			return err
		}
		gaussian[k] = t.Data
	}
	full.setBits(all)
	summed := func(x []float64) (total float64) {
		for a := range w.M {
			total += rbm.LogSumExp(x[first[a]:first[a+1]])
		}
		return total
	}
	w.record("data_term", []float64{summed(gaussian)}, []float64{c.DataBestFill})
	mean, dataExact := make([]float64, len(fills)), 0.0
	var evidence []float64
	err = full.eachSynapses(ctx, func(net *rbm.Network[float64], lnQ, lnPrior, lnZ float64) {
		weights := full.logWeights(net)
		for k, v := range weights {
			mean[k] += math.Exp(lnQ) * v
		}
		observed := summed(weights)
		dataExact += math.Exp(lnQ) * observed
		evidence = append(evidence, lnPrior+observed-m*lnZ)
	})
	if err != nil {
		return err
	}
	fillMean := 0.0
	for a := range w.M {
		for k := first[a]; k < first[a+1]; k++ {
			weight := 1.0
			for i, s := range fills[k] {
				weight *= (1 + float64(s)*data.Value(i, a)) / 2
			}
			if weight > 0 {
				fillMean += weight * (mean[k] - math.Log(weight))
			}
		}
	}
	w.record("data_term", []float64{dataExact, fillMean, summed(mean)}, []float64{c.DataExact, c.DataMeanFieldExact, c.DataBestFillExact})
	w.record("ln_likelihood", []float64{rbm.LogSumExp(evidence)}, []float64{c.LnEvidence})
	w.record("elbo", []float64{dataExact - m*terms.Partition - w.model.Posterior.KL()}, []float64{c.BoundExact})
	return nil
}
