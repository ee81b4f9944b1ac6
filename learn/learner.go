package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"bethe/dual"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A learner learns from one start.
type learner struct {
	*Run
	watching observers
	model    *rbm.Model[float32]
	trainer  *variational.Trainer[float32]
	engine   dual.Engine[float32]
	parts    []dual.Stateful // what a checkpoint keeps besides the trainer
	sweepers []dual.Sweeper
	rho      float64 // smallest so far (dual.Report); +Inf if there is none
	why      string  // the engine was chosen
	look     *looking
	number   int // which random start this is
	saved    int // steps in the last checkpoint; -1 if there is none
	follower stepFollower
	states   states
	account  accounting
}

// newLearner returns the learner of start k, before its first step.
func newLearner(r *Run, k int, watching observers) (*learner, error) {
	f, d, kind := &r.recipe, r.job.Data, r.recipe.kind()
	key := r.key().Sub(stream.RunStarts).Sub(uint64(k))
	l := &learner{Run: r, watching: watching, number: k, saved: -1, rho: math.Inf(1), states: statesOf(r)}
	visible, hidden := f.kinds()
	var err error
	if l.model, err = r.begin.model(kind, variational.Initial{
		Hidden: f.features(), Above: f.folding(0)[2:], Undecided: f.Stage > 0, Coupling: f.Beta / math.Sqrt(float64(r.visible()/visible.Features())) / visible.Scale() / hidden.Scale(), Fields: f.Fields, Centre: f.Centre,
		Deviation: 0.3, Key: key.Sub(stream.StartThetas), Prior: r.prior,
	}, d.Samples); err != nil {
		return nil, err
	}
	start := f.startStates(d.Samples.Choose(f.Chains, key.Sub(stream.StartChainStates).Rand()), key.Sub(stream.StartAboveStates))
	how, err := expect(r, start, key.Sub(stream.StartChains), key.Sub(stream.StartDraws))
	if err != nil {
		return nil, err
	}
	for _, part := range []any{how.engine, how.partition} {
		if p, ok := part.(dual.Stateful); ok {
			l.parts = append(l.parts, p)
		}
		if p, ok := part.(dual.Sweeper); ok {
			l.sweepers = append(l.sweepers, p)
		}
	}
	l.engine, l.why = how.engine, how.why
	// The bound is looked at with an engine of its own: looking must not move
	// what learning keeps from step to step.
	look, err := expect(r, start, key.Sub(stream.StartScores), key.Sub(stream.StartScores))
	if err != nil {
		return nil, err
	}
	l.look = &looking{model: l.model, key: key, engine: look.engine}
	l.look.objective = &variational.Objective[float32]{Partition: look.partition, Hidden: variational.HiddenOf[float32](hidden),
		Samples: max(1, int(math.Round(d.Effective()))), Synapses: kind, Draw: key.Sub(stream.StartScores), Fill: f.fill(boundFill)}
	if l.trainer, err = variational.NewTrainer(l.model, r.redrawn(d, key.Sub(stream.StartLevels)), how.partition, variational.HiddenOf[float32](hidden), r.options(key)); err != nil {
		return nil, err
	}
	l.follower, l.account = l.newFollower(), l.newAccount()
	return l, nil
}

// options returns those of learning.
func (r *Run) options(key stream.Key) variational.Options {
	f := &r.recipe
	opt := variational.Options{
		Steps: f.Steps, Epochs: f.Epochs, Time: f.Time, Extended: r.over(), Constant: f.Patience > 0, Batch: f.Batch, Rate: f.Rate, MaxTheta: f.thetaLimit(),
		Synapses: f.kind(), Decay: f.Decay, Release: 1 - f.PriorStrength, Key: key.Sub(stream.StartBatches), Draw: key.Sub(stream.StartSynapses),
		Labels: r.job.Data.Labels, LabelWeight: f.LabelWeight,
		Deep:      f.deepOptions(key.Sub(stream.StartAbove)),
		FinalRate: f.FinalRate, Warmup: f.Warmup, Average: f.Average, Settle: f.Settle, Fall: falls[f.Fall],
	}
	opt.FieldPrior = f.FieldPrior
	if f.PriorForm == ElasticPrior {
		opt.Form = variational.Elastic
	}
	opt.SampleWeights = r.job.Data.Weights
	opt.Fill = f.fill(variational.DefaultFill)
	opt.Rule, _ = f.rule() // checked before
	if f.kind().LogOdds() && opt.Rule == variational.Adam {
		opt.ThetaDecay = f.ThetaDecay
	}
	if f.kind().LogOdds() && f.spins() {
		opt.Rare = f.Rare
	}
	opt.Weights = r.weights
	if HasMomentum(f.Rule) {
		opt.Momentum = variational.MomentumOf(f.Momentum)
	}
	opt.FieldMomentum = variational.MomentumOf(f.FieldMomentum)
	opt.MaxField = f.MaxField
	if f.Fields {
		opt.FieldRate = 1
	}
	if visible, _ := f.kinds(); !visible.Bits() {
		opt.OwnRate = ownRate
	}
	if f.LearnCoupling {
		opt.CouplingRate = f.CouplingRate
	}
	if f.Centre {
		opt.OffsetRate = 0.01
	}
	return opt
}

// boundFill is how often the fill of missing values moves where the bound is looked at.
const boundFill = 10

// fill returns how often the fill of missing values moves.
func (f *Recipe) fill(times int) int {
	if f.Fill == zeroFill {
		return 0
	}
	return times
}

// ownRate is the rate of ln sigma and means, as a share of the synapses'.
const ownRate = 0.2

// learn learns to the end and reports.
func (l *learner) learn(ctx context.Context) (*Result, error) {
	resumed := false
	if l.job.Resume {
		var err error
		if resumed, err = l.states.resume(l); err != nil {
			return nil, err
		}
	}
	l.account.restart(l.trainer.Step())
	d := &l.job.Data
	if err := l.watching.began(Beginning{Start: l.number, Resumed: resumed, Extended: l.over(), Step: l.trainer.Step(), Visible: l.visible(), Hidden: l.recipe.features(), Layers: l.recipe.Layers.Sizes(), Samples: d.Len(), Engine: l.why}); err != nil {
		return nil, err
	}
	if err := l.states.prepare(ctx, l); err != nil {
		return nil, err
	}
	m, err := l.newMeasuring()
	if err != nil {
		return nil, err
	}
	defer m.log.Close()
	if l.trainer.Step() == 0 && ctx.Err() == nil {
		if err := m.first(ctx); err != nil {
			return nil, err
		}
	}
	last, unsettled, err := l.steps(ctx, m)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if err := l.states.save(ctx, l); err != nil {
			return nil, fmt.Errorf("interrupted after step %d, and %w", l.trainer.Step(), err)
		}
		return nil, &InterruptedError{Folder: l.job.Folder, Step: l.trainer.Step(), Err: err}
	}
	if errors.Is(err, variational.ErrDiverged) {
		return nil, fmt.Errorf("after step %d: %w%s", l.trainer.Step(), err, l.kept())
	}
	if err != nil {
		return nil, l.keepAfter(ctx, err)
	}
	if err := l.states.save(ctx, l); err != nil {
		return nil, err
	}
	result, terms, err := l.report(ctx)
	if err == nil {
		err = m.validateResult(ctx, result)
	}
	if err == nil {
		err = m.end(ctx, last, terms, result)
	}
	if err != nil {
		return nil, l.orInterrupted(ctx, err)
	}
	result.Unsettled = unsettled
	return result, nil
}

// steps takes all steps, with what happens after each: measurements, progress,
// and now and then checkpoints. It returns the last progress and in how many
// steps the engine had not converged.
func (l *learner) steps(ctx context.Context, m *measuring) (last variational.Progress, unsettled int, err error) {
	defer l.watching.ended(Learning)
	savedAt, show := time.Now(), pace{share: 0.001, gap: 200 * time.Millisecond}
	shown := Progress{Start: l.number, Polarised: math.NaN()}
	l.pace(l.trainer.Fraction())
	last = variational.Progress{Step: l.trainer.Step(), Fraction: 1, Rate: math.NaN(), Coupling: l.model.Couplings()}
	each := func(p variational.Progress) error {
		last = p
		l.pace(p.Fraction)
		l.meetRho(p.Report.Rho)
		if !p.Report.Converged {
			unsettled++
		}
		if err := m.after(ctx, p); err != nil {
			return err
		}
		if now := time.Now(); show.due(now) {
			_ = show.time(now, func() error { shown.Polarised = l.polarised(l.model); return nil })
		}
		shown.Bound, shown.Labels = m.last.Bound, m.last.Labels
		shown.Step, shown.Fraction, shown.Rate, shown.Coupling = p.Step, p.Fraction, p.Rate, p.Coupling[0]
		l.watching.stepped(shown)
		if l.job.Checkpoints.due(p.Step, savedAt) {
			savedAt = time.Now()
			return l.states.save(ctx, l)
		}
		return nil
	}
	err = m.metering.catchUp(ctx, m)
	for err == nil {
		if err = l.trainer.Run(ctx, each); err != nil || !l.trainer.Searching() {
			break
		}
		last.Fraction = 1 // the time was over between two steps
		err = m.metering.follow(ctx, m, last)
	}
	if err == nil {
		last.Fraction = 1
	}
	return last, unsettled, err
}

// meetRho takes note of a rho of an expectation step; 0 is none.
func (l *learner) meetRho(rho float64) {
	if rho != 0 {
		l.rho = min(l.rho, rho)
	}
}

// polarised returns the share of synapses that are decided; NaN if they are real.
func (l *learner) polarised(model *rbm.Model[float32]) float64 {
	if !l.recipe.kind().LogOdds() {
		return math.NaN()
	}
	return model.Posterior.Polarised(polarisedAt)
}

// polarisedAt is the |mean| above which a synapse counts as polarised.
const polarisedAt = 0.9

// kept says what remains of a run that ends with an error.
func (l *learner) kept() string {
	if l.saved < 0 {
		return ""
	}
	return fmt.Sprintf("\nthe checkpoint of step %d is whole, in %s", l.saved, checkpointPath(l.job.Folder, &l.recipe, l.number))
}

// orInterrupted returns the error of a run that came to its last step: if the
// context is done it was interrupted.
func (r *Run) orInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &InterruptedError{Folder: r.job.Folder, Over: true, Err: ctx.Err()}
	}
	return err
}

// looking is what the bound of a model is looked at with.
type looking struct {
	model     *rbm.Model[float32]
	objective *variational.Objective[float32]
	engine    dual.Engine[float32]
	key       stream.Key
}

// terms returns the terms of the bound on samples and how the partition term was found.
// A model without fields and offsets weighs mirror images of samples as much as them:
// annealing then starts at fair units, so that it counts both.
func (l *looking) terms(ctx context.Context, some units.Data[float32], chains, temperatures int) (variational.Terms, string, error) {
	annealing := sample.Annealing{Chains: chains, Temperatures: temperatures, Key: l.key.Sub(stream.StartBound)}
	if !l.model.HasFields() && !l.model.Centred() && !dual.GivesLnZ(l.objective.Partition) {
		terms, err := l.objective.AnnealedTerms(ctx, l.model, some, annealing)
		return terms, "annealing", err
	}
	return l.objective.EstimateTerms(ctx, l.model, some, annealing)
}

// How the partition term of the bound at the end is annealed, if it is.
const (
	finalChains       = 100
	finalTemperatures = 1000
	leastTemperatures = 50

	// freelyAnnealed is the largest number of synapses that is annealed over all finalTemperatures.
	freelyAnnealed = 1 << 21
)

// temperaturesOf returns how many the bound at the end is annealed over. Of a large machine there
// are fewer, so that annealing draws no more samples than learning did.
func temperaturesOf(synapses int, drawn float64) int {
	if synapses <= freelyAnnealed {
		return finalTemperatures
	}
	return int(max(leastTemperatures, min(finalTemperatures, drawn/finalChains)))
}

// drawn returns how many samples the steps of learning took or drew.
func (l *learner) drawn() float64 {
	return float64(l.trainer.Step()) * float64(min(l.recipe.Batch, l.job.Data.Len())+l.recipe.Chains*l.recipe.Sweeps)
}

// report computes the result of a start that has learned, and the terms of its
// bound.
func (l *learner) report(ctx context.Context) (*Result, variational.Terms, error) {
	model, look := l.trainer.Result(), l.look
	look.model = l.trainer.Polarised(model)
	d := l.job.Data
	some := l.learned(d.choose(min(10000, d.Len()), look.key.Sub(stream.StartBound).Rand()))
	temperatures := temperaturesOf(model.Visible()*model.Hidden(), l.drawn())
	terms, by, err := look.terms(ctx, some, finalChains, temperatures)
	if err != nil {
		return nil, terms, err
	}
	bound := terms.Bound()
	if err := l.checkBound(bound); err != nil {
		return nil, terms, err
	}
	result := &Result{
		Model: l.keeper.model(), Steps: l.trainer.Step(), Seconds: l.trainer.Elapsed().Seconds(), Bound: &bound, BoundBy: by,
		BoundKind: l.recipe.boundKind(by), BoundInterval: boundInterval(terms, look.key.Sub(stream.StartBoundInterval)),
		Coupling: model.Links[0].Coupling, Layers: layerRecords(l.model, l.trainer, l.recipe.kind().LogOdds()), SynapseBits: synapseBits(&l.recipe, model), Seed: l.job.Seed, Extended: l.extended, Start: l.number,
	}
	result.divergence = terms.KL
	result.AboveLimit = bound > 0 && model.VisibleKind.Bits()
	result.Sampler = l.samplerRead(ctx, true)
	l.follower.report(result)
	if len(terms.Chains) > 0 && temperatures < finalTemperatures {
		result.BoundTemperatures = temperatures
	}
	if polarised := l.polarised(model); !math.IsNaN(polarised) {
		result.Polarised = &polarised
	}
	if !math.IsInf(l.rho, 1) {
		result.SmallestRho = &l.rho
	}
	if l.recipe.Partition == quenched {
		look.objective.Partition = &dual.Annealed[float32]{Engine: look.engine}
		annealed, _, err := look.terms(ctx, some, finalChains, temperatures)
		if err != nil {
			return nil, terms, err
		}
		other := annealed.Bound()
		if err := l.checkBound(other); err != nil {
			return nil, terms, err
		}
		result.BoundAnnealed = &other
	}
	return result, terms, nil
}

// checkBound returns an error of a bound that is no finite number.
func (l *learner) checkBound(bound float64) error {
	if math.IsNaN(bound) || math.IsInf(bound, 0) {
		return fmt.Errorf("after step %d: the bound is %v nats per sample: %w%s", l.trainer.Step(), bound, variational.ErrDiverged, l.kept())
	}
	return nil
}

// record returns what costs little to measure.
func (l *learner) record(p variational.Progress) runs.Record {
	samples := l.job.Data.Len()
	steps := max(1, samples/min(l.recipe.Batch, samples))
	r := runs.Record{
		Start: l.number, Step: p.Step, Epoch: float64(p.Step) / float64(steps), Seconds: l.trainer.Elapsed().Seconds(), Fraction: p.Fraction,
		Rate: runs.Number(p.Rate), Coupling: runs.Number(p.Coupling[0]),
		Polarised: runs.Number(l.polarised(l.model)), KL: runs.Number(math.NaN()),
		Engine: &runs.EngineReport{Name: p.Report.Engine, Iterations: p.Report.Iterations, Residual: runs.Number(p.Report.Residual), Converged: p.Report.Converged, Rho: runs.Number(p.Report.Rho)},
	}
	r.Sampler = l.samplerRead(context.Background(), false)
	if q := l.model.Posterior; l.recipe.kind().LogOdds() {
		r.KL = runs.Number(q.KL() / float64(len(q.Theta)))
	}
	r.Layers = layerRecords(l.model, l.trainer, l.recipe.kind().LogOdds())
	if of := p.Labels; of != nil {
		r.Labels = &runs.Labels{Loss: runs.Number(of.Loss), Error: runs.Number(of.Error)}
	}
	return r
}
