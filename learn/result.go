package learn

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/runs"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A Result sums up a run. Its JSON form is what result.json and the command hold.
type Result struct {
	Model             string                  `json:"model"` // the model file; empty if none was written
	Steps             int                     `json:"steps"`
	Seconds           float64                 `json:"seconds"`                             // of learning, over all resumed runs
	Bound             *float64                `json:"bound_per_sample"`                    // nats
	BoundAnnealed     *float64                `json:"bound_annealed_per_sample,omitempty"` // at the same posterior, where Bound is the quenched one
	BoundBy           string                  `json:"bound_by"`                            // how its partition term was found
	BoundKind         BoundKind               `json:"bound_kind"`                          // a bound, an estimate, ...
	BoundInterval     *evaluate.Interval      `json:"bound_interval,omitempty"`            // 95 %, of its partition term if that was annealed
	BoundTemperatures int                     `json:"bound_temperatures,omitempty"`        // of that annealing, if they are fewer than usual
	Doubt             string                  `json:"doubt,omitempty"`                     // why learning may have gone wrong
	AboveLimit        bool                    `json:"bound_above_limit,omitempty"`         // the value is above 0, where no likelihood is
	Coupling          float64                 `json:"coupling"`
	Layers            []runs.Layer            `json:"layers,omitempty"`       // of a deep machine
	Polarised         *float64                `json:"polarised"`              // share of synapses with |mean| > 0.9; null where they are real
	SmallestRho       *float64                `json:"smallest_rho,omitempty"` // dual.Report.Rho, of Gaussian units on binary synapses
	SynapseBits       int                     `json:"synapse_bits"`
	Unsettled         int                     `json:"steps_not_converged,omitempty"` // of message passing or mean field
	Seed              uint64                  `json:"seed"`
	LogLikelihood     *evaluate.LogLikelihood `json:"log_likelihood,omitempty"`
	Evaluated         string                  `json:"evaluated_on,omitempty"`
	Validation        *runs.LogLikelihood     `json:"validation,omitempty"`         // of the machine on data it has not learned from
	Patience          *runs.Patience          `json:"patience,omitempty"`           // how the search for the best held-out likelihood ended
	Sampler           *runs.Sampler           `json:"sampler,omitempty"`            // temperatures of an outside sampler's last samples
	Extended          []int                   `json:"extended,omitempty"`           // steps after which the run was over and went on
	NoSingularValues  string                  `json:"no_singular_values,omitempty"` // why they were not measured
	Causes            *CausesResult           `json:"causes,omitempty"`             // of a directed machine
	Start             int                     `json:"start,omitempty"`              // which random start it is of, from 0
	Stack             []*Result               `json:"stack,omitempty"`              // of the machines of a stack, from the data up
	Together          *TogetherResult         `json:"together,omitempty"`           // of a stack whose machines learned all at once at the end
	divergence        float64                 // of the posterior that the bound is of, nats per sample
	Copied            bool                    `json:"copied,omitempty"` // in a stack, the machine below upside down is kept in its place
}

// How many samples the last picture is of, and by how many sweeps.
const (
	lastSamples = 100
	lastSweeps  = 200
)

// finish keeps the model, the pictures, the likelihood if it was asked for, and
// the result.
func (r *Run) finish(ctx context.Context, watching observers, model *rbm.Model[float32], result *Result) error {
	file := r.ships(model, result.Steps, r.key().Sub(stream.RunSynapses))
	if err := r.keeper.ship(ctx, file, r.met); err != nil {
		return r.orInterrupted(ctx, err)
	}
	err := r.keeper.drawSamples(func() (units.Shown, error) {
		defer watching.ended(Drawing)
		return r.chains(ctx, file, lastSamples, lastSweeps, r.key().Sub(stream.RunPictures), func(f float64) { watching.working(Drawing, f) })
	})
	if err != nil {
		return r.orInterrupted(ctx, err)
	}
	if e := &r.job.Evaluation; e.Asked {
		opt := e.Options
		opt.Key, opt.Progress = r.key().Sub(stream.RunLikelihood), func(f float64) { watching.working(Annealing, f) }
		found, err := likelihood(ctx, file, e.Data, r.met, opt)
		watching.ended(Annealing)
		if err != nil {
			return r.orInterrupted(ctx, err)
		}
		result.LogLikelihood, result.Evaluated = &found, e.Data.Name
		if err := r.recordLikelihood(watching, result); err != nil {
			return err
		}
	}
	result.Doubt = r.doubt(result, result.divergence)
	r.shipped = file
	return r.keeper.finish(result)
}

// Signs of learning that went wrong: the bound, without the divergence that it pays for, lies far below independent
// units, as a share of their log-likelihood; or a coupling is as good as lost and the bound is theirs. The divergence
// says nothing of learning: while learning settles it grows, and with few samples it is a large part of the bound.
const (
	muchBelow    = 0.1
	noCoupling   = 0.03 // of 1/sqrt(hidden units), where it starts
	nothingAbove = 0.01
)

// doubt says why learning may have gone wrong, by the log-likelihood of independent units, each with its mean in
// the data; "" if nothing speaks for it, or units are no spins. divergence is that of the posterior, in nats per sample.
func (r *Run) doubt(result *Result, divergence float64) string {
	d := &r.job.Data
	if result.Bound == nil || !r.recipe.spins() || d.Missing != nil {
		return ""
	}
	sums, alone := make([]int, d.Visible()), 0.0
	d.Samples.RowSums(sums)
	for _, sum := range sums {
		for _, p := range []float64{(1 + float64(sum)/float64(d.Len())) / 2, (1 - float64(sum)/float64(d.Len())) / 2} {
			if p > 0 {
				alone += p * math.Log(p)
			}
		}
	}
	switch above := *result.Bound + divergence - alone; {
	case above < muchBelow*alone-1:
		return fmt.Sprintf("the bound, even without its divergence, is %.1f nats below independent units: learning diverged, or has hardly begun. Lower the rate, or learn for longer", -above)
	case r.recipe.LearnCoupling && result.Coupling < noCoupling/math.Sqrt(float64(r.recipe.Hidden)) && above < -nothingAbove*alone:
		return fmt.Sprintf("the coupling fell to %.2g, and the bound is that of independent units: learning diverged, or there is nothing else in the data. Lower the rate", result.Coupling)
	}
	return ""
}

// shownPixels limits a picture of samples: more of them than fit are not drawn.
const shownPixels = 1 << 20

// shownSamples returns how many of so many samples a picture shows.
func shownSamples(most, visible int) int { return max(1, min(most, shownPixels/visible)) }

// recordLikelihood adds the log-likelihood of the model that was kept.
func (r *Run) recordLikelihood(watching observers, result *Result) error {
	log, kept, err := r.keeper.records(math.MaxInt, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	e := runs.Record{Start: result.Start, Step: result.Steps, Seconds: result.Seconds, Fraction: 1, Rate: runs.Number(math.NaN()), KL: runs.Number(math.NaN()),
		Coupling: runs.Number(result.Coupling), Polarised: runs.Number(math.NaN())}
	for _, k := range kept { // what else is known of that step
		if k.Start == e.Start && k.Step == e.Step {
			e.Epoch, e.Rate, e.KL, e.Polarised = k.Epoch, k.Rate, k.KL, k.Polarised
		}
	}
	e.LogLikelihood = recordedLikelihood(result.Evaluated, result.LogLikelihood)
	if err := log.Append(e); err != nil {
		return err
	}
	return watching.recorded(&e)
}

// recordedLikelihood returns estimates of the log-likelihood as a record has them.
func recordedLikelihood(data string, l *evaluate.LogLikelihood) *runs.LogLikelihood {
	estimate := func(v *float64, in *evaluate.Interval) *runs.Estimate {
		switch {
		case v == nil:
			return nil
		case in == nil: // exact
			return &runs.Estimate{Value: runs.Number(*v), Low: runs.Number(*v), High: runs.Number(*v)}
		}
		return &runs.Estimate{Value: runs.Number(*v), Low: runs.Number(in[0]), High: runs.Number(in[1])}
	}
	e := &runs.LogLikelihood{Data: data, Forward: estimate(l.ForwardAIS, l.ForwardInterval), Reverse: estimate(l.ReverseAIS, l.ReverseInterval)}
	if l.Exact {
		e.Exact = estimate(&l.Mean, nil)
	}
	return e
}

// A BoundKind says what the value is that learning climbs.
type BoundKind string

// Kinds. Estimates are of a partition term by annealing, which tends to make them too
// large, or by messages or mean fields, which know no error.
const (
	TrueBound          BoundKind = "bound"
	ExactLikelihood    BoundKind = "likelihood" // synapses are known
	BoundEstimate      BoundKind = "bound_estimate"
	LikelihoodEstimate BoundKind = "likelihood_estimate"
	Quenched           BoundKind = "quenched" // no bound
)

// Words returns the kind in words.
func (k BoundKind) Words() string {
	switch k {
	case ExactLikelihood:
		return "log-likelihood"
	case BoundEstimate:
		return "estimate of the bound"
	case LikelihoodEstimate:
		return "estimate of the log-likelihood"
	case Quenched:
		return "quenched objective, no bound,"
	}
	return "bound"
}

// boundKind returns the kind of a value whose partition term was found so.
func (r *Recipe) boundKind(by string) BoundKind {
	exact := by == dual.ExactName
	switch {
	case r.Partition == quenched:
		return Quenched
	case r.kind().Known() && exact:
		return ExactLikelihood
	case r.kind().Known():
		return LikelihoodEstimate
	case exact:
		return TrueBound
	}
	return BoundEstimate
}

// boundInterval returns the 95 % interval of a bound whose partition term was annealed.
func boundInterval(t variational.Terms, key stream.Key) *evaluate.Interval {
	if len(t.Chains) == 0 {
		return nil
	}
	z := evaluate.LnMeanInterval(t.Chains, key)
	return &evaluate.Interval{t.Data - t.KL - z[1], t.Data - t.KL - z[0]}
}

// RecordedBound returns terms of the bound as a record has them; by says how the
// partition term was found.
func RecordedBound(t variational.Terms, by string, kind BoundKind) *runs.Bound {
	return &runs.Bound{Value: runs.Number(t.Bound()), Data: runs.Number(t.Data), Partition: runs.Number(t.Partition), KL: runs.Number(t.KL), By: by, Kind: string(kind)}
}
