// Package evaluate measures how good a machine is, and uses it: the log-likelihood of
// samples, exactly or by annealing.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/internal/memory"
	"bethe/rbm"
	"bethe/sample"
	"bethe/setting"
	"bethe/stream"
	"bethe/units"
)

// A LogLikelihood is an estimate of the mean log-likelihood of samples, in
// nats per sample. Intervals are 95 % bootstrap intervals over chains (Evidence.Intervals): they
// are about ln Z, and the finite number of samples is in SampleError alone.
type LogLikelihood struct {
	Mean  float64 `json:"mean"`  // the exact value, else ReverseAIS, but at most Ceiling and that of the search
	Exact bool    `json:"exact"` // by enumeration
	// InDataUnits is Mean as a log-density in the units of the data, where all others are
	// in units of their deviations: of real numbers.
	InDataUnits *float64 `json:"mean_in_data_units,omitempty"`

	// ForwardAIS tends to be too large, by less the more temperatures there are.
	ForwardAIS      *float64  `json:"forward_ais"`
	ForwardInterval *Interval `json:"forward_interval,omitempty"`
	// ReverseAIS tends to be too small where its chains start in equilibrium,
	// which Equilibrium tells.
	ReverseAIS      *float64  `json:"reverse_ais"`
	ReverseInterval *Interval `json:"reverse_interval,omitempty"`
	Gap             *float64  `json:"gap,omitempty"` // forward minus reverse

	// BAR is where the works of both directions cross: Bennett's acceptance ratio, with a smaller
	// error than either, if reverse starts in equilibrium.
	BAR         *float64  `json:"bar,omitempty"`
	BARInterval *Interval `json:"bar_interval,omitempty"`
	// Best is the value to quote: exact, else BAR if nothing speaks against Equilibrium, else Mean.
	Best float64 `json:"best"`

	// Spread and ReverseSpread are standard deviations over the chains of the
	// estimate that one chain would give; Effective and ReverseEffective are
	// effective numbers of chains. All are 0 if exact.
	Spread           float64 `json:"spread"`
	Effective        float64 `json:"effective_chains"`
	ReverseSpread    float64 `json:"reverse_spread"`
	ReverseEffective float64 `json:"reverse_effective_chains"`

	// RAISE is by annealing in reverse from samples, logarithms averaged (Burda,
	// Grosse and Salakhutdinov 2015): at most the log-likelihood under annealing
	// itself as a model, on average, with no need of equilibrium. Of the machine's
	// likelihood it is no bound: it overstates it, as forward does, where annealing
	// misses what most of Z is in, and where annealing in few temperatures is the
	// smoother and better model. RAISEWithdrawn tells that it lies above what
	// reverse and tempered allow.
	RAISE          *float64  `json:"raise,omitempty"`
	RAISEInterval  *Interval `json:"raise_interval,omitempty"`
	RAISEWithdrawn bool      `json:"raise_withdrawn,omitempty"`
	// Tempered is by acceptance ratios between the temperatures of the tempered
	// chains, with no annealing: close to the truth in equilibrium, on neither side of it.
	Tempered         *float64  `json:"tempered,omitempty"`
	TemperedInterval *Interval `json:"tempered_interval,omitempty"`

	// Ceiling is what the likelihood certainly does not exceed: Z is at least the
	// weight of the heaviest visible state that the tempered chains met at the
	// machine. It is far below the estimates where a machine has a deep state that
	// hardly any chain finds; then they are wrong.
	Ceiling *float64 `json:"ceiling,omitempty"`
	// AboveLimit tells that the likelihood lies above what any can be, beyond its interval.
	AboveLimit bool `json:"above_limit,omitempty"`

	// LogWeight is the mean log-weight of the samples, minus their free energy: Mean
	// is LogWeight - ln Z, so that under one machine the likelihoods of two sets of
	// samples differ by exactly the difference of their LogWeights.
	LogWeight   float64      `json:"log_weight"`
	SampleError float64      `json:"sample_error"` // standard error from the finite number of samples
	Equilibrium *Equilibrium `json:"equilibrium,omitempty"`
	Evidence    *Evidence    `json:"-"` // nil if exact
	// DataTerms are those of a deep machine; estimates above are with its Bound.
	DataTerms *DataTerms `json:"data_terms,omitempty"`
	// Known are estimates of the weights of samples with missing values, if these are not summed over exactly.
	Known *KnownTerms `json:"known_terms,omitempty"`
}

// Options of an estimate. More of each of the first three takes proportionally
// longer.
type Options struct {
	Temperatures  int // annealing steps, in each direction
	Chains        int // annealed chains in each direction, and ensembles of tempered chains
	Equilibration int // sweeps of the tempered chains, half of them thrown away
	Key           stream.Key
	Progress      func(fraction float64) // called now and then while annealing; may be nil
	Anneal        bool                   // anneal even where the exact value is in reach
	Drawn         int                    // samples drawn from a deep machine on which its data terms are held between both sides (DataTerms.Drawn); 0: none

	weights []float64 // log-weights of the samples, if they are not those of LogWeights
}

// Options that serve for machines of up to some thousand units.
const (
	DefaultTemperatures  = 10000
	DefaultChains        = 128
	DefaultEquilibration = 4000
)

// What the path to a machine is measured with, and how far apart tempered
// neighbours are on it: they exchange at a rate of 0.6.
const (
	pilotChains = 128
	pilotSteps  = 2000
	rungLength  = 0.75
)

// LeastEquilibration is a number of sweeps: half as many try every exchange more than once.
const LeastEquilibration = 8

func (o *Options) check() error {
	if o.Chains < 2 || o.Temperatures < 1 || o.Equilibration < LeastEquilibration {
		return fmt.Errorf("annealing needs at least 2 chains, 1 temperature and %d sweeps of equilibration, not %d, %d and %d",
			LeastEquilibration, o.Chains, o.Temperatures, o.Equilibration)
	}
	return nil
}

// Check returns an error if the options, as they stand, are of no estimate of such a machine.
func (o *Options) Check(visible, hidden int) error {
	if err := o.check(); err != nil {
		return err
	}
	return o.CheckMemory(visible, hidden)
}

// CheckMemory returns a *setting.Error of ais_chains if no memory holds so many chains of
// a machine.
func (o *Options) CheckMemory(visible, hidden int) error {
	if err := memory.CheckChains(visible, hidden, float64(o.Chains), false, "chains", o.Chains); err != nil {
		return setting.Errorf("ais_chains", o.Chains, "%v", err)
	}
	return nil
}

// Likelihood returns the mean log-likelihood of samples (visible x M) under
// the machine. The value is exact if the machine is Exact and small enough (machines of
// spins: at most rbm.MaxExact units in the smaller layer). Else it is estimated by annealed
// importance sampling, in both directions, between the machine and independent units that
// resemble the samples. A pilot run places the temperatures. Reverse annealing starts at the
// last states of tempered chains. Half of these chains start at samples, half at scattered
// states (sample.Scattering). More tempered chains start at states that a search found
// (sample.Searching), which begins at those that the machine remembers too (Remembering). Ensembles that stand apart are measured by themselves. The error is
// the context's, or one of the options or their CheckMemory, of samples that do not fit, or
// of a likelihood that is not finite.
func Likelihood[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, machine Evaluated[T, V, H], samples V, opt Options) (LogLikelihood, error) {
	if err := checkFit(machine, samples); err != nil {
		return LogLikelihood{}, err
	}
	if samples.Len() == 0 {
		return LogLikelihood{}, fmt.Errorf("no samples to evaluate")
	}
	if m, ok := machine.(Remembering[V]); ok {
		if states, ok := m.Remembered(); ok && states.Units() != machine.Visible() {
			return LogLikelihood{}, fmt.Errorf("states of %d units to begin a search at, for a machine of %d visible units", states.Units(), machine.Visible())
		}
	}
	like := samples
	if m, ok := machine.(Mirrored[V]); ok {
		if both, same := m.Mirror(samples); same {
			like = both
		}
	}
	source := machine.Source(like)
	if err := opt.CheckMemory(source.Units()); err != nil {
		return LogLikelihood{}, err
	}
	weight, sampleError := meanLogWeight(machine, samples, opt.weights)
	if exact, ok := machine.(Exact); ok && !opt.Anneal {
		lnz, err := exact.LnZ(ctx)
		if !errors.Is(err, rbm.ErrTooLarge) {
			l := LogLikelihood{Mean: weight - lnz, Best: weight - lnz, Exact: true, LogWeight: weight, SampleError: sampleError}
			if err == nil {
				err = l.check()
			}
			return l, err
		}
	}
	if err := opt.check(); err != nil {
		return LogLikelihood{}, err
	}
	limit := math.Inf(1)
	if m, ok := machine.(Limited); ok {
		limit = m.Limit()
	}
	e := &estimation[T, V, H]{machine: machine, source: source, limit: limit, samples: samples, opt: opt, weight: weight,
		evidence: &Evidence{LogWeight: weight}, result: LogLikelihood{LogWeight: weight, SampleError: sampleError}}
	err := e.run(ctx)
	if err == nil {
		err = e.result.check()
	}
	return e.result, err
}

// check returns an error if the likelihood is no number.
func (l *LogLikelihood) check() error {
	if math.IsNaN(l.Mean) || math.IsInf(l.Mean, 0) {
		return fmt.Errorf("the log-likelihood comes out as %v: parameters of the machine are too large", l.Mean)
	}
	return nil
}

// checkFit returns an error unless samples are of the units of a machine.
func checkFit[T rbm.Real, V units.States[V], H units.States[H]](machine Evaluated[T, V, H], samples V) error {
	if n := machine.Visible(); samples.Units() != n {
		return fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Units(), n)
	}
	return nil
}

// An estimation is an estimate under way.
type estimation[T rbm.Real, V units.States[V], H units.States[H]] struct {
	machine    Evaluated[T, V, H]
	limit      float64 // of a likelihood
	source     sample.Source[T, V, H]
	samples    V
	opt        Options
	weight     float64 // mean log-weight of the samples: what ln Z is subtracted from
	result     LogLikelihood
	evidence   *Evidence
	searched   *V          // states of the search at the machine; nil if there was none
	logWeights [][]float64 // of the states at the machine, [sweep that counts][ensemble]
	spent      float64     // sweeps of a chain, of total
	total      float64
}

// run fills in the result, if there is no error.
func (e *estimation[T, V, H]) run(ctx context.Context) error {
	opt, result := &e.opt, &e.result
	profile, err := sample.MeasureProfile(ctx, e.source, sample.Measuring{Chains: pilotChains, Steps: pilotSteps, Key: opt.Key.Sub(stream.EstimatePilot)})
	if err != nil {
		return err
	}
	_, searched := opt.searching()
	e.total = 3*float64(opt.Temperatures) + temperingCost*float64((opt.Equilibration+searched/searchEnsembles+1)*len(profile.ExchangeLadder(rungLength)))
	annealing := sample.Annealing{Chains: opt.Chains, Ladder: profile.AnnealingLadder(opt.Temperatures), Key: opt.Key.Sub(stream.EstimateForward)}

	annealing.Progress = e.progress()
	forward, err := sample.AnnealedLnZ(ctx, e.source, annealing)
	if err != nil {
		return err
	}
	e.spent += float64(opt.Temperatures)
	result.ForwardAIS, result.Spread, result.Effective = e.likelihood(forward.LnZ), forward.Spread, forward.Effective

	starts, err := e.temper(ctx, profile)
	if err != nil {
		return err
	}
	annealing.Progress, annealing.Key = e.progress(), opt.Key.Sub(stream.EstimateReverse)
	reverse, err := sample.ReverseLnZ(ctx, e.source, starts, annealing)
	if err != nil {
		return err
	}
	e.spent += float64(opt.Temperatures)
	result.ReverseAIS, result.ReverseSpread, result.ReverseEffective = e.likelihood(reverse.LnZ), reverse.Spread, reverse.Effective

	annealing.Progress, annealing.Key = e.progress(), opt.Key.Sub(stream.EstimateRAISE)
	raise, err := sample.ReverseLnZ(ctx, e.source, units.Choose(e.samples, opt.Chains, opt.Key.Sub(stream.EstimateSamples).Sub(stream.SamplesRAISE).Rand()), annealing)
	if err != nil {
		return err
	}
	result.RAISE = e.likelihood(mean(raise.LogWeights))

	gap := *result.ForwardAIS - *result.ReverseAIS
	result.Gap = &gap
	result.Mean = min(*result.ReverseAIS, result.leastCeiling())
	e.evidence.Forward, e.evidence.Reverse, e.evidence.RAISE = forward.LogWeights, reverse.LogWeights, raise.LogWeights
	result.Evidence = e.evidence
	if err := e.modes(ctx, starts, e.searched); err != nil {
		return err
	}
	e.evidence.Autocorrelation = autocorrelation(ranks(without(e.logWeights, e.evidence.light())))
	e.evidence.Judge(result, e.limit, opt.Key)
	return nil
}

// likelihood returns that of an ln Z.
func (e *estimation[T, V, H]) likelihood(lnZ float64) *float64 {
	l := e.weight - lnZ
	return &l
}

// progress returns the function that annealing calls with its progress. Work spent before is added.
func (e *estimation[T, V, H]) progress() func(done int) {
	return func(done int) { e.tell(e.spent + float64(done)) }
}

func (e *estimation[T, V, H]) tell(spent float64) {
	if e.opt.Progress != nil {
		e.opt.Progress(spent / e.total)
	}
}

// meanLogWeight returns the mean of minus the free energy, and its standard error: of the
// weights given if there are any.
func meanLogWeight[T rbm.Real, V units.States[V], H units.States[H]](machine Evaluated[T, V, H], samples V, weights []float64) (average, standardError float64) {
	const block = 1 << 11 // samples at a time, so that fields take little memory
	for lo := len(weights); lo < samples.Len(); lo += block {
		weights = append(weights, machine.LogWeights(columns(samples, lo, min(samples.Len(), lo+block)))...)
	}
	average = mean(weights)
	for _, w := range weights {
		standardError += (w - average) * (w - average)
	}
	n := float64(len(weights))
	return average, math.Sqrt(standardError / max(1, n-1) / n)
}
