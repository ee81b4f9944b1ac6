package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"time"

	"bethe/anatomy"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/tensorboard"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/spin"
	"bethe/variational"
)

// A pace spaces measurements: at least gap apart, and so that they take no more
// than a share of the time.
type pace struct {
	share float64
	gap   time.Duration
	last  time.Time
	cost  time.Duration
}

func (p *pace) due(now time.Time) bool {
	return now.Sub(p.last) >= max(p.gap, time.Duration(float64(p.cost)/p.share))
}

// time does a measurement.
func (p *pace) time(measure func() error) error {
	began := time.Now()
	err := measure()
	p.last = time.Now()
	p.cost = p.last.Sub(began)
	return err
}

// A measuring writes down how learning goes, in metrics.jsonl and, if asked,
// for TensorBoard. What it looks at it does not change: learning gives the same
// bytes with other measurements or none.
type measuring struct {
	*learner
	some   *spin.Matrix // samples that the bound is of
	log    *runs.Log
	events *tensorboard.Writer // nil unless asked for
	last   runs.Record

	plain, bound, counts, spectrum, pictures, likelihood pace
	pictured                                             float64 // fraction done at the last pictures
}

// likelihoodAfter is the time after which the log-likelihood is first estimated
// in passing: even a short estimate takes seconds, which a short run had better
// spend on learning.
const likelihoodAfter = 5 * time.Minute

// Limits of what a record holds.
const (
	magnetisationBins = 40
	maxOverlapMatrix  = 32 // hidden units whose overlaps are all written down
	picturesOfRun     = 24 // along the way, about
)

// newMeasuring opens the records of a start to go on after the trainer's step.
func (l *learner) newMeasuring() (*measuring, error) {
	step := l.trainer.Step()
	if step == 0 || l.trainer.Fraction() >= 1 {
		step-- // what is measured at the beginning and the end is measured again
	}
	start := l.start
	if start == 0 && step < 0 {
		start = -1 // nothing of an earlier run stays
	}
	log, kept, err := runs.OpenLog(l.out, start, step)
	if err != nil {
		return nil, err
	}
	m := &measuring{learner: l, log: log, some: l.set.Samples.Choose(min(1000, l.set.Len()), l.look.key.Sub(streamBound).Rand()),
		plain: pace{share: 0.005, gap: 500 * time.Millisecond}, bound: pace{share: 0.02, gap: time.Second},
		counts: pace{share: 0.005, gap: 2 * time.Second}, spectrum: pace{share: 0.005, gap: 20 * time.Second},
		pictures: pace{share: 0.02, gap: time.Second}, likelihood: pace{share: 0.02, gap: likelihoodAfter},
	}
	for _, p := range []*pace{&m.plain, &m.bound, &m.counts, &m.spectrum, &m.pictures, &m.likelihood} {
		p.last = time.Now()
	}
	if err := m.removePicturesExcept(kept); err != nil {
		return nil, err
	}
	for _, r := range kept {
		if r.Synapses != "" {
			m.pictured = r.Fraction
		}
		if r.Bound != nil {
			m.last.Bound = r.Bound
		}
	}
	if l.f.tensorboard {
		if m.events, err = tensorboard.Create(l.out, time.Now(), l.trainer.Step()); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// removePicturesExcept removes pictures of steps that a resume does again.
func (m *measuring) removePicturesExcept(kept []runs.Record) error {
	folder := filepath.Join(m.out, runs.PicturesFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	named := map[string]bool{}
	for _, r := range kept {
		named[r.Synapses], named[r.Samples] = true, true
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !named[e.Name()] && filepath.Ext(e.Name()) == ".png" {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *measuring) close() error {
	err := m.log.Close()
	if m.events != nil {
		if e := m.events.Close(); err == nil {
			err = e
		}
	}
	return err
}

// after measures what is due after a step.
func (m *measuring) after(ctx context.Context, p variational.Progress) error {
	now := time.Now()
	every := m.f.measureEvery
	exactly := func(due *pace, steps int) bool {
		if every > 0 {
			return p.Step%(steps*every) == 0
		}
		return due.due(now)
	}
	plain, bound, counts, spectrum := exactly(&m.plain, 1), exactly(&m.bound, 1), exactly(&m.counts, 1), exactly(&m.spectrum, 10)
	pictures := m.pictures.due(now) && p.Fraction-m.pictured >= 1.0/picturesOfRun
	likelihood := m.annealable() && exactly(&m.likelihood, 500)
	if !(plain || bound || counts || spectrum || pictures || likelihood) || p.Fraction >= 1 {
		return nil
	}
	r := m.record(p)
	if bound {
		_ = m.bound.time(func() error { m.measureBound(ctx, &r); return nil })
	}
	if counts {
		_ = m.counts.time(func() error { m.measureCounts(&r); return nil })
	}
	if spectrum {
		_ = m.spectrum.time(func() error { m.measureSpectrum(&r); return nil })
	}
	if likelihood {
		_ = m.likelihood.time(func() error { m.measureLikelihood(ctx, &r); return nil })
	}
	if pictures {
		if err := m.pictures.time(func() error { return m.draw(&r) }); err != nil {
			return err
		}
	}
	return m.plain.time(func() error { return m.write(r) })
}

// first measures the model before the first step.
func (m *measuring) first() error {
	r := m.record(variational.Progress{Rate: m.f.rate, Coupling: m.model.Couplings()})
	r.Engine = nil
	m.measureCounts(&r)
	return m.write(r)
}

// end measures everything after the last step; terms are those of the report.
func (m *measuring) end(p variational.Progress, terms variational.Terms, by string) error {
	r := m.record(p)
	r.Bound = boundOf(terms, by)
	m.measureCounts(&r)
	m.measureSpectrum(&r)
	if err := m.draw(&r); err != nil {
		return err
	}
	return m.write(r)
}

// record returns what costs next to nothing to measure.
func (m *measuring) record(p variational.Progress) runs.Record {
	steps := max(1, m.set.Len()/min(m.f.batch, m.set.Len()))
	r := runs.Record{
		Start: m.start, Step: p.Step, Epoch: float64(p.Step) / float64(steps), Seconds: m.trainer.Elapsed().Seconds(), Fraction: p.Fraction,
		Rate: runs.Number(p.Rate), Coupling: runs.Number(p.Coupling[0]),
		Polarised: runs.Number(math.NaN()), KL: runs.Number(math.NaN()),
		Engine: &runs.Engine{Name: p.Report.Engine, Iterations: p.Report.Iterations, Residual: runs.Number(p.Report.Residual), Converged: p.Report.Converged},
	}
	if q := m.model.Posterior; m.f.kind().LogOdds() {
		r.Polarised, r.KL = runs.Number(q.Polarised(polarisedAt)), runs.Number(q.KL()/float64(len(q.Theta)))
	}
	if l := p.Labels; l != nil {
		r.Labels = &runs.Labels{Loss: runs.Number(l.Loss), Error: runs.Number(l.Error)}
	}
	return r
}

func boundOf(t variational.Terms, by string) *runs.Bound {
	return &runs.Bound{Value: runs.Number(t.Bound()), Data: runs.Number(t.Data), Partition: runs.Number(t.Partition), KL: runs.Number(t.KL), By: by}
}

// measureBound estimates the bound on some samples. What it fails at, the
// context or an engine, the next step meets as well.
func (m *measuring) measureBound(ctx context.Context, r *runs.Record) {
	if terms, by, err := m.look.terms(ctx, m.some, 50, 300); err == nil {
		r.Bound = boundOf(terms, by)
	}
}

// quickExact is the number of units of the smaller layer up to which the
// likelihood is enumerated in passing.
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
	key := m.look.key.Sub(streamEvaluate)
	estimate, err := evaluate.Likelihood(ctx, evaluate.OnMachine(m.file(m.model, m.info(r.Step), key).Machine()), m.some, evaluate.Options{
		Temperatures: 500, Chains: 32, Equilibration: 100, Key: key,
	})
	if err == nil {
		r.LogLikelihood = estimates(fmt.Sprintf("%d of the training samples", m.some.Cols()), &estimate)
	}
}

// synapseMatrix is what anatomy looks at, hidden x visible: posterior means, or
// real synapses.
func (m *measuring) synapseMatrix() []float32 {
	if !m.f.kind().LogOdds() {
		return m.model.Posterior.Theta
	}
	mean := make([]float32, len(m.model.Posterior.Theta))
	m.model.Posterior.Mean(mean)
	return mean
}

func (m *measuring) measureCounts(r *runs.Record) {
	w, hidden := m.synapseMatrix(), m.model.Hidden()
	if m.f.kind().LogOdds() {
		r.Magnetisations = anatomy.Magnetisations(w, magnetisationBins)
	}
	overlaps := anatomy.Overlaps(w, hidden)
	mean, largest := anatomy.Pairs(overlaps, hidden)
	r.Overlap = &runs.Overlap{Mean: runs.Number(mean), Max: runs.Number(largest)}
	if hidden <= maxOverlapMatrix {
		r.Overlap.Matrix = runs.Numbers(overlaps)
	}
}

func (m *measuring) measureSpectrum(r *runs.Record) {
	if values, err := anatomy.SingularValues(m.synapseMatrix(), m.model.Hidden()); err == nil {
		r.SingularValues = runs.Numbers(values)
	}
}

// draw draws the synapses and samples of the model as it is, and saves it, so
// that it can be used while it learns.
func (m *measuring) draw(r *runs.Record) error {
	m.pictured = r.Fraction
	key := m.look.key.Sub(streamPictures)
	file := m.file(m.model, m.info(r.Step), key)
	if err := file.Save(filepath.Join(m.out, runs.LiveFile)); err != nil {
		return err
	}
	const count, sweeps = 64, 100
	chains := sample.NewChains(sample.OnMachine(file.Machine()), count, key)
	chains.Start(m.set.Samples.Choose(count, key.Rand()))
	chains.Sweep(sweeps)
	name := func(what string) string {
		if m.f.restarts > 1 {
			what = fmt.Sprintf("%s-start%d", what, m.start)
		}
		return fmt.Sprintf("%s-%08d.png", what, r.Step)
	}
	r.Synapses, r.Samples = name("synapses"), name("samples")
	for name, img := range map[string]image.Image{
		r.Synapses: figure.FileSynapses(file),
		r.Samples:  figure.ChainMeans(chains, m.set.Width, m.set.Height),
	} {
		if err := figure.WritePNG(filepath.Join(m.out, runs.PicturesFolder, name), img); err != nil {
			return err
		}
	}
	return nil
}

// write appends a record, and the events that TensorBoard shows.
func (m *measuring) write(r runs.Record) error {
	bound := m.last.Bound
	m.last = r
	if r.Bound == nil {
		m.last.Bound = bound
	}
	if err := m.log.Append(r); err != nil {
		return fmt.Errorf("the record of the run cannot be written: %w", err)
	}
	if m.events == nil {
		return nil
	}
	at := time.Now()
	scalar := func(tag string, v runs.Number) { m.events.Scalar(at, r.Step, tag, float64(v)) }
	scalar("learning/rate", r.Rate)
	scalar("learning/coupling", r.Coupling)
	scalar("synapses/polarised", r.Polarised)
	scalar("synapses/kl", r.KL)
	if r.Engine != nil && r.Engine.Iterations > 0 {
		scalar("engine/iterations", runs.Number(r.Engine.Iterations))
		scalar("engine/residual", r.Engine.Residual)
	}
	if l := r.Labels; l != nil {
		scalar("labels/loss", l.Loss)
		scalar("labels/error", l.Error)
	}
	if b := r.Bound; b != nil {
		scalar("bound/bound", b.Value)
		scalar("bound/data", b.Data)
		scalar("bound/partition", b.Partition)
		scalar("bound/kl", b.KL)
	}
	if l := r.LogLikelihood; l != nil {
		for tag, e := range map[string]*runs.Estimate{"exact": l.Exact, "forward": l.Forward, "reverse": l.Reverse} {
			if e != nil {
				scalar("log_likelihood/"+tag, e.Value)
			}
		}
	}
	if r.Overlap != nil {
		scalar("synapses/overlap_mean", r.Overlap.Mean)
		scalar("synapses/overlap_max", r.Overlap.Max)
	}
	if n := len(r.Magnetisations); n > 0 {
		edges := make([]float64, n+1)
		for k := range edges {
			edges[k] = 2*float64(k)/float64(n) - 1
		}
		m.events.Histogram(at, r.Step, "synapses/magnetisation", edges, r.Magnetisations)
	}
	for _, p := range []struct{ tag, name string }{{"pictures/synapses", r.Synapses}, {"pictures/samples", r.Samples}} {
		if p.name == "" {
			continue
		}
		path := filepath.Join(m.out, runs.PicturesFolder, p.name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		size, err := png.DecodeConfig(bytes.NewReader(text))
		if err != nil {
			return err
		}
		m.events.Image(at, r.Step, p.tag, size.Width, size.Height, text)
	}
	return m.events.Flush()
}

// note says the last bound and how the labels do, if there are any.
func (m *measuring) note() string {
	var note string
	if b := m.last.Bound; b != nil && !math.IsNaN(float64(b.Value)) {
		note = fmt.Sprintf("bound %.2f  ", float64(b.Value))
	}
	if l := m.last.Labels; l != nil {
		note += fmt.Sprintf("labels %.1f %% wrong  ", 100*float64(l.Error))
	}
	return note
}

// recordLikelihood adds the log-likelihood of the model that was kept.
func (r *learning) recordLikelihood(report *trainReport) error {
	log, kept, err := runs.OpenLog(r.out, math.MaxInt, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	e := runs.Record{Start: report.start, Step: report.Steps, Seconds: report.Seconds, Fraction: 1, Rate: runs.Number(math.NaN()), KL: runs.Number(math.NaN()),
		Coupling: runs.Number(report.Coupling), Polarised: runs.Number(math.NaN())}
	for _, k := range kept { // what else is known of that step
		if k.Start == e.Start && k.Step == e.Step {
			e.Epoch, e.Rate, e.KL, e.Polarised = k.Epoch, k.Rate, k.KL, k.Polarised
		}
	}
	e.LogLikelihood = estimates(report.Evaluated, report.LogLikelihood)
	return log.Append(e)
}

// estimates returns estimates of the log-likelihood as a record has them.
func estimates(data string, l *evaluate.LogLikelihood) *runs.LogLikelihood {
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
