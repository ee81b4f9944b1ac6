package learn

import (
	"context"
	"fmt"
	"math"
	"time"

	"bethe/anatomy"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/runs"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A pace spaces measurements: at least gap apart, and so that they take no more
// than a share of the time.
type pace struct {
	share    float64
	gap      time.Duration
	last     time.Time
	cost     time.Duration
	measured bool
}

func (p *pace) due(now time.Time) bool {
	return now.Sub(p.last) >= max(p.gap, time.Duration(float64(p.cost)/p.share))
}

// expect says what the first measurement will cost, so that not even that takes more than
// its share.
func (p *pace) expect(cost time.Duration) {
	if !p.measured {
		p.cost = cost
	}
}

// time does a measurement that began at a time.
func (p *pace) time(began time.Time, measure func() error) error {
	err := measure()
	p.last = time.Now()
	p.cost, p.measured = p.last.Sub(began), true
	return err
}

// A measuring keeps records of how learning goes. It changes nothing: learning gives
// the same bytes with other measurements or none.
type measuring struct {
	*learner
	some Data // samples that the bound is of
	log  recorder
	last runs.Record

	plain, bound, counts, spectrum, pictures, likelihood, validation pace
	began                                                            time.Time
	fraction                                                         float64       // done when it began
	bounded                                                          float64       // fraction done at the last bound
	temperature                                                      time.Duration // the least that one of its temperatures cost, with all that a bound takes
	pictured                                                         float64       // fraction done at the last pictures
	metering                                                         stepFollower  // of the learner
}

// measured returns the training samples that bounds along the way are of.
func (l *learner) measured() Data {
	d := l.job.Data
	return d.choose(min(1000, d.Len()), l.look.key.Sub(stream.StartBound).Rand())
}

// likelihoodAfter is the time after which the log-likelihood is first estimated
// in passing: even a short estimate takes seconds, which a short run had better
// spend on learning.
const likelihoodAfter = 5 * time.Minute

// likelihoodBounds is how many bounds an estimate in passing costs, about: its pilot runs
// and tempered chains make so many more sweeps.
const likelihoodBounds = 40

// How the partition term of a bound in passing is annealed, if it is: over fewer temperatures in a run so short that it
// would have no boundsOfRun else, which may then cost shortShare of its time.
const (
	boundChains       = 64
	boundTemperatures = 300
	fewTemperatures   = 60
	boundsOfRun       = 24
	shortShare        = 0.06
)

// cheapBound is what a bound before the first step may cost.
const cheapBound = 20 * time.Millisecond

// Limits of the size of a record.
const (
	MagnetisationBins = 40  // of the posterior means, from -1 to 1
	maxOverlapMatrix  = 32  // hidden units whose overlaps stand in each record that has any
	maxUnitsShown     = 64  // hidden units whose overlaps stand in records with singular values
	maxOverlaps       = 512 // hidden units that the mean and the largest overlap are of
	picturesOfRun     = 24  // along the way, about
)

// newMeasuring opens the records of a start to go on after the trainer's step.
func (l *learner) newMeasuring() (*measuring, error) {
	step := l.trainer.Step()
	if step == 0 || l.trainer.Fraction() >= 1 {
		step-- // measurements at the beginning and the end are made again
	}
	start := l.number
	if start == 0 && step < 0 {
		start = -1 // nothing of an earlier run stays
	}
	log, kept, err := l.keeper.records(start, step)
	if err != nil {
		return nil, err
	}
	m := &measuring{learner: l, log: log, some: l.measured(), metering: l.follower, began: time.Now(), fraction: l.trainer.Fraction(), bounded: l.trainer.Fraction(),
		// Together they take 3 % of the time.
		plain: pace{share: 0.003, gap: 500 * time.Millisecond}, bound: pace{share: 0.009, gap: time.Second},
		counts: pace{share: 0.003, gap: 2 * time.Second}, spectrum: pace{share: 0.003, gap: 20 * time.Second},
		pictures: pace{share: 0.006, gap: time.Second}, likelihood: pace{share: 0.006, gap: likelihoodAfter},
	}
	for _, p := range []*pace{&m.plain, &m.bound, &m.counts, &m.spectrum, &m.pictures, &m.likelihood} {
		p.last = time.Now()
	}
	n, p := float64(l.model.Visible()), float64(l.model.Hidden())
	m.spectrum.expect(time.Duration(n * p * min(n, p)))     // a nanosecond each
	m.temperature = time.Duration(n * p * boundChains / 64) // 64 synapses a nanosecond
	if n*p > freelyAnnealed {
		m.bound.expect(boundTemperatures * m.temperature)
	}
	m.validation = m.newValidation()
	if err := l.keeper.keepPictures(kept); err != nil {
		return nil, err
	}
	for _, r := range kept {
		if r.Synapses != "" {
			m.pictured = r.Fraction
		}
		if r.Bound != nil {
			m.last.Bound = r.Bound
		}
		if r.Engine != nil {
			l.meetRho(float64(r.Engine.Rho))
		}
	}
	return m, nil
}

// after takes the measurements that are due after a step.
func (m *measuring) after(ctx context.Context, p variational.Progress) error {
	search := m.trainer.Searching()
	if err := m.metering.follow(ctx, m, p); err != nil || m.trainer.Searching() != search {
		return err // gone back: the model is no more that of the step
	}
	now := time.Now()
	every := m.job.MeasureEvery
	exactly := func(due *pace, steps int) bool {
		if every > 0 {
			return p.Step%(steps*every) == 0
		}
		return due.due(now)
	}
	plain, bound, counts, spectrum := exactly(&m.plain, 1), exactly(&m.bound, 1), exactly(&m.counts, 1), exactly(&m.spectrum, 10)
	pictures := m.pictures.due(now) && p.Fraction-m.pictured >= 1.0/picturesOfRun
	temperatures := boundTemperatures
	if every == 0 && !bound {
		temperatures, bound = m.fewer(p.Fraction, now)
	}
	likelihood := m.annealable() && exactly(&m.likelihood, 500)
	validation := m.validates() && exactly(&m.validation, 10)
	counts = counts || spectrum // which adds to the overlaps
	if !(plain || bound || counts || spectrum || pictures || likelihood || validation) || p.Fraction >= 1 {
		return nil
	}
	r := m.record(p)
	looked := time.Since(now) // at all synapses, which the record itself does
	if bound {
		m.measureBound(ctx, &r, temperatures)
		m.likelihood.expect(likelihoodBounds * m.bound.cost)
		if min(m.model.Visible(), m.model.Hidden()) > rbm.MaxExact {
			m.validation.expect(likelihoodBounds * m.bound.cost)
		}
	}
	if counts {
		_ = m.counts.time(time.Now(), func() error { m.measureCounts(&r); return nil })
	}
	if spectrum {
		_ = m.spectrum.time(time.Now(), func() error { m.measureSpectrum(ctx, &r); return nil })
	}
	if likelihood {
		_ = m.likelihood.time(time.Now(), func() error { m.measureLikelihood(ctx, &r); return nil })
	}
	if validation {
		_ = m.validation.time(time.Now(), func() error { m.validateAlong(ctx, &r); return nil })
	}
	if pictures {
		if err := m.pictures.time(time.Now(), func() error { return m.draw(ctx, &r) }); err != nil {
			return err
		}
	}
	return m.plain.time(time.Now().Add(-looked), func() error { return m.write(r) })
}

// fewer returns how many temperatures a bound may be annealed over now, so that a run has boundsOfRun of them for
// shortShare of its time; false if it is too early for the next, or too dear.
func (m *measuring) fewer(fraction float64, now time.Time) (int, bool) {
	if fraction-m.bounded < 1.0/boundsOfRun {
		return 0, false
	}
	run := float64(now.Sub(m.began)) / (fraction - m.fraction) // what all of it will take
	affordable := run / boundsOfRun / float64(max(1, m.temperature))
	return int(max(fewTemperatures, min(m.bound.share*affordable, boundTemperatures))), shortShare*affordable >= fewTemperatures
}

// first measures the model before the first step.
func (m *measuring) first(ctx context.Context) error {
	r := m.record(variational.Progress{Rate: m.recipe.Rate, Coupling: m.model.Couplings()})
	r.Engine = nil
	_ = m.counts.time(time.Now(), func() error { m.measureCounts(&r); return nil }) // its cost sets the time to the next
	if fewTemperatures*m.temperature <= cheapBound {
		m.measureBound(ctx, &r, fewTemperatures)
	}
	return m.write(r)
}

// end measures everything after the last step, with the terms and the machine of the result.
func (m *measuring) end(ctx context.Context, p variational.Progress, terms variational.Terms, result *Result) error {
	r := m.record(p)
	r.Bound, r.Validation = RecordedBound(terms, result.BoundBy, m.recipe.boundKind(result.BoundBy)), result.Validation
	m.measureCounts(&r)
	m.measureSpectrum(ctx, &r)
	result.NoSingularValues = r.NoSingularValues
	if err := m.draw(ctx, &r); err != nil {
		return err
	}
	return m.write(r)
}

// measureBound estimates the bound on some samples, over so many temperatures if it is annealed. What it
// fails at, the context or an engine, the next step meets as well.
func (m *measuring) measureBound(ctx context.Context, r *runs.Record, temperatures int) {
	m.bounded = r.Fraction
	_ = m.bound.time(time.Now(), func() error {
		r.Sampler = m.samplerRead(ctx, true)
		m.look.model = m.trainer.Polarised(m.model)
		if terms, by, err := m.look.terms(ctx, m.learned(m.some), boundChains, temperatures); err == nil {
			r.Bound = RecordedBound(terms, by, m.recipe.boundKind(by))
		}
		return nil
	})
	each := m.bound.cost / time.Duration(temperatures)
	m.bound.cost = boundTemperatures * each
	m.temperature = min(m.temperature, each) // what else the machine does comes and goes
}

// With at most quickExact units in the smaller layer the likelihood is enumerated
// in passing.
const quickExact = 12

// annealable reports whether the likelihood can be had in passing: by annealing,
// or by an enumeration that takes no time.
func (m *measuring) annealable() bool {
	n := min(m.model.Visible(), m.model.Hidden())
	return n <= quickExact || n > rbm.MaxExact
}

// measureLikelihood estimates the log-likelihood of the machine as it would be
// saved, on some samples, by short annealing: rough, as the intervals tell.
func (m *measuring) measureLikelihood(ctx context.Context, r *runs.Record) {
	key := m.look.key.Sub(stream.StartLikelihood)
	estimate, err := likelihood(ctx, m.ships(m.model, r.Step, key), m.some, nil, evaluate.Options{
		Temperatures: 500, Chains: 32, Equilibration: 100, Key: key,
	})
	if err == nil {
		r.LogLikelihood = recordedLikelihood(fmt.Sprintf("%d of the training samples", m.some.Len()), &estimate)
	}
}

// overlapUnits returns how many hidden units the mean and the largest overlap are of, at most:
// fewer than maxOverlaps of a machine of many visible units, so that they take no second.
func overlapUnits(visible int) int {
	const products = 1 << 30
	return max(maxOverlapMatrix, min(maxOverlaps, int(math.Sqrt(float64(products/visible)))))
}

func (m *measuring) measureCounts(r *runs.Record) {
	w, hidden := matrixOf(&m.recipe, m.model), m.recipe.Hidden
	if m.recipe.kind().LogOdds() {
		r.Magnetisations = anatomy.Magnetisations(w, MagnetisationBins)
	}
	of, units := w, min(hidden, overlapUnits(m.model.Visible()))
	if units < hidden {
		of = anatomy.Chosen(w, hidden, anatomy.Spaced(hidden, units))
	}
	overlaps := anatomy.UnitOverlaps(of, units)
	mean, largest := anatomy.Pairs(overlaps, units)
	r.Overlap = &runs.Overlap{Mean: runs.Number(mean), Max: runs.Number(largest)}
	if units < hidden {
		r.Overlap.Of = units
	}
	if hidden <= maxOverlapMatrix {
		r.Overlap.Matrix = runs.Numbers(overlaps)
	}
}

// measureSpectrum measures what belongs to the matrix of synapses as a whole: its singular
// values, and the overlaps of some hidden units where they are too many for each record.
func (m *measuring) measureSpectrum(ctx context.Context, r *runs.Record) {
	w, hidden := matrixOf(&m.recipe, m.model), m.recipe.Hidden
	switch values, err := anatomy.SingularValues(ctx, w, hidden); {
	case err == nil:
		r.SingularValues = runs.Numbers(values)
	case ctx.Err() == nil:
		r.NoSingularValues = err.Error()
	}
	if r.Overlap == nil || hidden <= maxOverlapMatrix {
		return
	}
	units := anatomy.Spaced(hidden, maxUnitsShown)
	r.Overlap.Matrix = runs.Numbers(anatomy.UnitOverlaps(anatomy.Chosen(w, hidden, units), len(units)))
	if len(units) < hidden {
		r.Overlap.Units = units
	}
}

// draw draws the synapses and samples of the model as it is, and saves it, so
// that it can be used while it learns.
func (m *measuring) draw(ctx context.Context, r *runs.Record) error {
	m.pictured = r.Fraction
	key := m.look.key.Sub(stream.StartPictures)
	file := m.ships(m.model, r.Step, key)
	return m.keeper.drawAlong(ctx, r, file, func() (units.Shown, error) {
		const count, sweeps = 64, 100
		return m.chains(ctx, file, count, sweeps, key, func(float64) {})
	})
}

// write keeps a record and tells observers of it.
func (m *measuring) write(r runs.Record) error {
	if err := m.account.add(m.learner, &r); err != nil {
		return err
	}
	bound := m.last.Bound
	m.last = r
	if r.Bound == nil {
		m.last.Bound = bound
	}
	if err := m.log.Append(r); err != nil {
		return fmt.Errorf("the record of the run cannot be written: %w%s", err, m.kept())
	}
	return m.watching.recorded(&r)
}
