package trial

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"bethe/internal/parallel"
	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/stream"
)

// Progress is told how far long work is: its stage, the fraction of it that is
// done, and a note for a person. Calls follow each other. A new stage begins with
// the fraction 0.
type Progress func(stage string, fraction float64, note string)

// Each does the work of count instances, several at a time, and tells how many are
// done. It returns the seconds of the clock, and the error of the first instance
// that has one.
func Each(stage string, count int, progress Progress, work func(k int) error) (seconds float64, err error) {
	var mu sync.Mutex
	done := 0
	began, errs := time.Now(), make([]error, count)
	progress(stage, 0, "")
	parallel.For(count, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			errs[k] = work(k)
			mu.Lock()
			done++
			progress(stage, float64(done)/float64(count), fmt.Sprintf("%d of %d instances", done, count))
			mu.Unlock()
		}
	})
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

// An Experiment is a trial of several teachers.
type Experiment struct {
	Setup     Setup
	Instances int // teachers
	Learner   *Learner
	// Prior is that of the synapses: teachers are drawn from it, and the learner knows
	// it. Nil is the uniform one, with the correlation of the setup.
	Prior  *rbm.Posterior[float32]
	Engine string // name of the learner's engine, for the report
	Oracle bool   // find the Bayes optimum too
	Seed   uint64
}

// A Report is what an experiment found.
type Report struct {
	Visible     int       `json:"visible"`
	Hidden      int       `json:"hidden"`
	Alpha       float64   `json:"alpha"`
	Beta        float64   `json:"beta"`
	Correlation float64   `json:"correlation"`
	Samples     int       `json:"samples"`
	Seed        uint64    `json:"seed"`
	Engine      string    `json:"engine"`
	Overlap     float64   `json:"overlap"` // mean over instances and hidden units
	Overlaps    []float64 `json:"overlap_instances"`
	OverlapBest float64   `json:"overlap_best_start"`         // of the start with the best bound alone
	OverlapMean []float64 `json:"overlap_of_means_instances"` // of the posterior means instead of their signs
	Bound       float64   `json:"bound_per_sample"`           // mean over instances
	Bounds      []float64 `json:"bound_per_sample_instances"`
	// At the same posteriors, where Bound is the quenched one.
	BoundAnnealed *float64 `json:"bound_annealed_per_sample,omitempty"`
	// The Bayes-optimal overlap, if asked for: Monte Carlo from the teacher, and from a random start.
	Bayes            *float64  `json:"bayes_overlap,omitempty"`
	BayesInstances   []float64 `json:"bayes_overlap_instances,omitempty"`
	BayesRandomStart *float64  `json:"bayes_overlap_random_start,omitempty"`
	BayesError       *float64  `json:"bayes_difference_error,omitempty"` // standard error of overlap - bayes_overlap, over instances
	SecondsLearning  float64   `json:"seconds_learning"`                 // of the clock, for all instances and restarts
	SecondsOracle    float64   `json:"seconds_oracle,omitempty"`
	Trace            []string  `json:"trace_files,omitempty"`

	Summary Summary  `json:"-"`
	Trials  []*Trial `json:"-"` // of each instance
}

// Validate returns the *setting.Error of the first parameter out of range.
func (e *Experiment) Validate() error {
	if err := e.Setup.Validate(); err != nil {
		return err
	}
	switch {
	case e.Oracle && e.Setup.Hidden > planted.MaxTracked:
		return setting.Phrase("hidden", "{oracle} with {hidden %d}: the Bayes optimum is found for at most %d hidden units", e.Setup.Hidden, planted.MaxTracked)
	case e.Oracle && e.Prior != nil:
		return setting.Phrase("oracle", "{prior} with {oracle}: the Bayes optimum is found for the uniform prior")
	case e.Prior != nil && e.Setup.Correlation != 0:
		return setting.Phrase("correlation", "{prior} with {correlation %v}: teachers are drawn from the prior", e.Setup.Correlation)
	}
	return e.Learner.validate(e.Instances)
}

// validate returns the *setting.Error of the first parameter out of range of a learner
// of so many instances.
func (l *Learner) validate(instances int) error {
	if err := setting.AtLeastOne("each must be at least 1", setting.Count{Name: "instances", Value: instances},
		setting.Count{Name: "restarts", Value: l.Restarts}, setting.Count{Name: "steps", Value: l.Steps}); err != nil {
		return err
	}
	switch {
	case !(l.Rate > 0) || math.IsInf(l.Rate, 0):
		return setting.Errorf("rate", l.Rate, "it must be positive and finite")
	case l.Polish < 0:
		return setting.Errorf("polish", l.Polish, "it must not be negative")
	}
	return nil
}

// Run plants, learns and scores all instances. The error is that of Validate, the
// context's, or that of learning.
func (e *Experiment) Run(ctx context.Context, progress Progress) (*Report, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	s := e.Setup
	learner := *e.Learner
	if e.Prior != nil {
		learner.Prior = e.Prior.Theta
	}
	r := &Report{Visible: s.Visible, Hidden: s.Hidden, Alpha: s.Alpha, Beta: s.Beta, Correlation: s.Correlation, Samples: s.Samples(), Seed: e.Seed, Engine: e.Engine,
		Trials: make([]*Trial, e.Instances)}
	if _, err := Each("planting", e.Instances, progress, func(k int) (err error) {
		r.Trials[k], err = e.plant(ctx, stream.New(e.Seed).Sub(uint64(k)))
		return err
	}); err != nil {
		return nil, err
	}
	var err error
	if r.SecondsLearning, err = Each("learning", e.Instances, progress, func(k int) error { return r.Trials[k].Learn(ctx, &learner) }); err != nil {
		return nil, err
	}
	if e.Oracle {
		if r.SecondsOracle, err = Each("Bayes optimum", e.Instances, progress, func(k int) error { return r.Trials[k].BayesOptimum(ctx) }); err != nil {
			return nil, err
		}
	}
	r.sum(learner.Draws > 0, e.Oracle)
	return r, nil
}

func (e *Experiment) plant(ctx context.Context, key stream.Key) (*Trial, error) {
	if e.Prior == nil {
		return Plant(ctx, e.Setup, key)
	}
	teacher := &rbm.Machine{Params: rbm.NewParams(e.Setup.Visible, e.Setup.Hidden, e.Setup.Coupling()), Synapses: rbm.Binary(e.Prior.Sample(key.Sub(stream.TrialFromPrior)))}
	return PlantTeacher(ctx, e.Setup, teacher, key)
}

// sum fills in what follows from the trials.
func (r *Report) sum(quenched, oracle bool) {
	r.Summary = Summarise(r.Trials)
	s := &r.Summary
	r.Overlap, r.OverlapBest, r.Bound = s.Overlap, s.OverlapBestStart, s.Bound
	for _, t := range r.Trials {
		r.Overlaps = append(r.Overlaps, t.Overlap)
		r.OverlapMean = append(r.OverlapMean, t.OverlapOfMeans)
		r.Bounds = append(r.Bounds, t.Bound)
		if oracle {
			r.BayesInstances = append(r.BayesInstances, t.Bayes)
		}
	}
	if quenched {
		r.BoundAnnealed = &s.BoundAnnealed
	}
	if oracle {
		r.Bayes, r.BayesRandomStart = &s.Bayes, &s.BayesRandomStart
		if len(r.Trials) > 1 {
			r.BayesError = &s.BayesError
		}
	}
}
