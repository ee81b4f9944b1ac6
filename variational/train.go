package variational

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"bethe/dual"
	"bethe/hyperadam"
	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// Options of learning.
type Options struct {
	// Learning ends at the first of these; at least one must be set.
	Steps  int
	Epochs int           // passes through the samples
	Time   time.Duration // that Run takes, with what its caller does after steps

	// Extended, if positive, is the step after which a run that was over goes on: from there
	// on rates and the kind of synapses are those of its end. The average of models begins
	// again if its share of the longer run has not begun.
	Extended int

	// Constant has rates stay where the warm-up led them, with nothing settled, until End begins the last share of
	// learning, Settle. The caller ends learning in time: at the latest when Fraction is 1 - Settle. Until then Result averages the
	// models since the last Forget.
	Constant bool

	Batch         int        // samples per step; 0 or more than there are: all of them
	Synapses      rbm.Kind   // the zero value is rbm.BinaryKind
	Settle        float64    // share of learning, at its end, with synapses of the kind Synapses.Settled()
	Release       float64    // share of the divergence from the prior that is left out; below 0 it counts more than once
	Form          PriorForm  // how learning is held to the prior of the synapses
	FieldPrior    float64    // how strongly the fields of the start are believed: as if this share of the samples had been seen; 0: not at all
	Decay         float64    // of rbm.RealKind a step, as a share of themselves in the gradient
	ThetaDecay    float64    // of log-odds, by Adam: before a step they lose a share of rate ThetaDecay, at most half
	Rare          float64    // synapses of visible units that have one of two values in at most this share of the samples stay as they are
	Rule          Rule       // for the synapses; fields and coupling follow Adam
	Momentum      Momentum   // of the synapses; BayesianRule has none
	FieldMomentum Momentum   // of fields, coupling and units' own parameters
	Rate          float64    // of the synapses
	FinalRate     float64    // share of all rates but OffsetRate that is left at the end
	Fall          Fall       // how they get there
	Warmup        float64    // share of learning, at its start, over which they rise from 0 in a straight line
	Average       float64    // share of learning, at its end, whose models Result averages
	FieldRate     float64    // of the fields, as a share of the synapses' rate; 0: fields are fixed
	CouplingRate  float64    // of ln J, as a share of the synapses' rate; 0: the coupling is fixed
	OwnRate       float64    // of the parameters that only some kinds of visible units have, as a share of the synapses' rate; 0: fixed
	OffsetRate    float64    // in each step hidden offsets go this share of the way to the hidden means; 0: fixed
	MaxTheta      float64    // thetas are kept within ±MaxTheta, except by ClippedAdam; 0: no limit
	MaxField      float64    // fields are kept within ± so many times the largest coupling; 0: within what the number of samples can justify
	Key           stream.Key // of the order of samples
	Draw          stream.Key // of rbm.SampledKind

	Weights hyperadam.Weights // of HyperAdam; the zero value takes Adam's steps

	// Labels of the samples, if they are to be learned: with LabelWeight > 0 the
	// objective has, besides the bound, LabelWeight times the mean of
	// ln p(label | hidden means) by a linear classifier that learns along and is
	// shown half of the means at a time.
	Labels      []int
	LabelWeight float64

	// SampleWeights, if not nil, are how often samples are learned from against each other: batches take them
	// with such frequencies, and their sum takes the place of the number of samples beside the prior.
	SampleWeights []float64

	Deep Deep // of deep machines
	Fill int  // how often the fill of missing values moves in a step (Objective.Fill)
}

// Progress tells where learning is, after a step.
type Progress struct {
	Step     int       // steps done
	Fraction float64   // of the whole, by the limit that will end it
	Rate     float64   // of the step
	Coupling []float64 // of each link
	Report   dual.Report
	Labels   *LabelProgress // nil where labels are not learned
}

// LabelProgress is how a batch was classified before a step, from half of the
// hidden means, chosen at random for each sample.
type LabelProgress struct {
	Loss  float64 // -ln p(label), nats per sample
	Error float64 // share of wrong labels
}

// ErrDiverged is returned when a gradient is not finite; the model keeps the
// parameters of the step before.
var ErrDiverged = errors.New("learning diverged: a gradient or a parameter is out of all bounds; lower the rate or the coupling")

// A Trainer learns a model from samples. It is not safe for concurrent use.
type Trainer[T rbm.Real] struct {
	Model     *rbm.Model[T]
	Objective *Objective[T]

	opt     Options
	samples units.Data[T]
	state   trainerState[T]
	grad    *dual.Gradient[T]
	rare    *rare[T]
	batch   units.Samples[T] // of the last step, if it took some of the samples
	order   []int            // of the samples in the current epoch
	epoch   int              // that order belongs to
	ticked  time.Time        // when elapsed was counted last; zero while nothing runs
	contest kernel.Contest   // of the forms of rounded products, in steps
}

// trainerState is what a step changes, besides the model and the engine.
type trainerState[T rbm.Real] struct {
	step     int
	elapsed  time.Duration // up to the last tick
	synapse  optimiser[T]
	visible  adam[float64]
	hidden   adam[float64]
	coupling adam[float64]
	own      adam[float64]
	average  running[T]
	ending   ending
	held     heldFields
}

// An ending is the end of learning at a constant rate; the zero value: it has not begun.
type ending struct {
	Begun int `json:"begun"` // after this step
	Steps int `json:"steps"` // that it takes
}

// End begins the end of learning at a constant rate, of the given number of steps: rates fall from where they would be in other
// learning at 1 - Settle, synapses settle, and models are averaged. It is for between two steps, also in what Run calls
// after each.
func (t *Trainer[T]) End(steps int) {
	t.state.ending = ending{t.state.step, steps}
	t.Forget()
}

// Forget has the average of models begin anew.
func (t *Trainer[T]) Forget() { t.state.average = running[T]{} }

// Averaged returns how many models Result averages; 0: it is the model as it is.
func (t *Trainer[T]) Averaged() int { return t.state.average.count }

// Searching reports whether learning is at a constant rate and its end has not begun.
func (t *Trainer[T]) Searching() bool { return t.opt.Constant && t.state.ending == ending{} }

// Revisit calls load, which puts the trainer where a checkpoint has it, and then has the number of steps and the time go on, from the
// model that is Result there. It returns the step of the checkpoint.
func (t *Trainer[T]) Revisit(load func() error) (step int, err error) {
	now, elapsed := t.state.step, t.state.elapsed
	if err := load(); err != nil {
		return 0, err
	}
	step = t.state.step
	t.state.step, t.state.elapsed = now, elapsed
	t.state.average.set(t.Model)
	return step, nil
}

// NewTrainer returns a trainer of the model on samples with the given partition
// term and kind of hidden units. It changes the model in place. Errors tell what
// does not fit; they wrap dual.ErrNotServed if the partition term is not one of
// such synapses and units.
func NewTrainer[T rbm.Real](model *rbm.Model[T], samples units.Data[T], partition dual.Partition[T], hidden units.Hidden[T], opt Options) (*Trainer[T], error) {
	if model == nil || samples == nil || partition == nil || hidden == nil {
		return nil, errors.New("a trainer needs a model, samples, a partition term and a kind of hidden units: one of them is nil")
	}
	opt.Synapses = rbm.KindOr(opt.Synapses)
	m := samples.Len()
	objective := &Objective[T]{Partition: partition, Hidden: hidden, Samples: m, Synapses: opt.Synapses, Decay: opt.Decay, Release: opt.Release, Form: opt.Form, Deep: opt.Deep, Fill: opt.Fill}
	if err := objective.check(model, samples); err != nil {
		return nil, err
	}
	switch {
	case opt.Steps < 0 || opt.Epochs < 0 || opt.Time < 0 || opt.Steps == 0 && opt.Epochs == 0 && opt.Time == 0:
		return nil, fmt.Errorf("learning needs a limit: a positive number of steps, epochs or seconds")
	case !(opt.Rate > 0) || math.IsInf(opt.Rate, 0):
		return nil, fmt.Errorf("the learning rate is %v: it must be positive and finite", opt.Rate)
	case opt.Extended < 0:
		return nil, fmt.Errorf("learning that goes on after step %d", opt.Extended)
	case opt.Batch < 0:
		return nil, fmt.Errorf("a batch of %d samples", opt.Batch)
	case opt.Rule.ofPosterior() && opt.Synapses.Known():
		return nil, fmt.Errorf("known synapses are not for the Bayesian and the clipped rule: these move a posterior")
	case opt.Rule.ofPosterior() && opt.Settle > 0:
		return nil, fmt.Errorf("known synapses, as in settling, are not for the Bayesian and the clipped rule")
	case opt.Rule == HyperAdam && !opt.Synapses.LogOdds():
		return nil, fmt.Errorf("HyperAdam moves log-odds, which real synapses have not")
	case opt.Rule == BayesianRule && opt.Momentum != Momentum{}:
		return nil, fmt.Errorf("a momentum of %v: the Bayesian learning rule has none; BayesianMomentum has", opt.Momentum.Beta())
	case opt.Form != Divergence && model.Deep():
		return nil, fmt.Errorf("an elastic prior is of machines with one hidden layer")
	case !(opt.Decay >= 0) || math.IsInf(opt.Decay, 0):
		return nil, fmt.Errorf("a decay of %v: it must not be negative, and finite", opt.Decay)
	case !(opt.ThetaDecay >= 0) || math.IsInf(opt.ThetaDecay, 0):
		return nil, fmt.Errorf("a decay of thetas of %v: it must not be negative, and finite", opt.ThetaDecay)
	case !(opt.Rare >= 0 && opt.Rare < 1):
		return nil, fmt.Errorf("rare units of a share of %v: it must not be negative, and below 1", opt.Rare)
	case opt.Rare > 0 && samples.Kind() != units.Spin:
		return nil, fmt.Errorf("rare units of a share of %v: it is of spins, not of %s units", opt.Rare, samples.Kind())
	case opt.ThetaDecay > 0 && (opt.Rule != Adam || !opt.Synapses.LogOdds()):
		return nil, fmt.Errorf("a decay of thetas of %v: it is of log-odds that Adam moves", opt.ThetaDecay)
	case !(opt.LabelWeight >= 0) || math.IsInf(opt.LabelWeight, 0):
		return nil, fmt.Errorf("labels of weight %v: it must not be negative, and finite", opt.LabelWeight)
	}
	if err := opt.checkRanges(); err != nil {
		return nil, err
	}
	if opt.Batch == 0 || opt.Batch > m {
		opt.Batch = m
	}
	if opt.SampleWeights != nil {
		sum, err := sumOfWeights(opt.SampleWeights, m)
		if err != nil {
			return nil, err
		}
		objective.Samples = max(1, int(math.Round(sum)))
	}
	n, p, fields := model.Visible(), model.Hidden(), opt.FieldMomentum.Beta()
	t := &Trainer[T]{
		Model: model, Objective: objective, opt: opt, samples: samples, grad: dual.NewGradient[T](&model.Params), epoch: -1,
		state: trainerState[T]{synapse: newOptimiser[T](&opt, n, p), visible: newAdam[float64](n, fields), hidden: newAdam[float64](p, fields),
			coupling: newAdam[float64](len(model.Links), fields), own: newAdam[float64](len(model.VisibleOwn), fields)},
	}
	t.rare = rareUnits(samples, opt.Rare)
	t.state.held = holdFields(&model.Params, opt.FieldPrior)
	objective.Coarse, objective.Estimate = opt.Batch < m && opt.Synapses.LogOdds(), true
	if opt.LabelWeight > 0 {
		var err error
		if t.Objective.head, err = newHead[T](opt.Labels, m, p, opt.LabelWeight); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Kind returns what the thetas stand for at the next step.
func (t *Trainer[T]) Kind() rbm.Kind {
	if t.Searching() {
		return t.opt.Synapses
	}
	if t.opt.Settle > 0 && (t.opt.Extended > 0 || t.Fraction() >= 1-t.opt.Settle) {
		return t.opt.Synapses.Settled()
	}
	return t.opt.Synapses
}

// Step returns the number of steps done.
func (t *Trainer[T]) Step() int { return t.state.step }

// Elapsed returns the time that Run has taken so far, over all resumed runs, with
// what its caller does after steps.
func (t *Trainer[T]) Elapsed() time.Duration {
	if t.ticked.IsZero() {
		return t.state.elapsed
	}
	return t.state.elapsed + time.Since(t.ticked)
}

// tick counts the time since the last tick.
func (t *Trainer[T]) tick() {
	passed := time.Since(t.ticked)
	t.state.elapsed += passed
	t.ticked = t.ticked.Add(passed)
}

// Fraction returns the share of the learning that is done, by the limit that
// is closest; at 1 it is over.
func (t *Trainer[T]) Fraction() float64 {
	var f float64
	if t.opt.Steps > 0 {
		f = max(f, float64(t.state.step)/float64(t.opt.Steps))
	}
	if t.opt.Epochs > 0 {
		f = max(f, float64(t.state.step)/(float64(t.opt.Epochs)*float64(t.stepsPerEpoch())))
	}
	if t.opt.Time > 0 {
		f = max(f, float64(t.state.elapsed)/float64(t.opt.Time))
	}
	if e := t.state.ending; t.opt.Constant && !t.Searching() {
		done := float64(t.state.step - e.Begun)
		if done >= float64(e.Steps) {
			return 1
		}
		f = max(f, 1-t.opt.Settle*(1-done/float64(e.Steps)))
	}
	return min(f, 1)
}

// schedule returns the fraction that rates follow: a run that was over stays at its end, and one at a constant rate where
// the warm-up ends.
func (t *Trainer[T]) schedule() float64 {
	if t.opt.Extended > 0 {
		return 1
	}
	if t.Searching() {
		return min(t.Fraction(), t.opt.Warmup)
	}
	return t.Fraction()
}

// limit returns the steps after which learning ends whatever time it takes; +Inf if time
// alone ends it.
func (t *Trainer[T]) limit() float64 {
	limit := math.Inf(1)
	if t.opt.Steps > 0 {
		limit = float64(t.opt.Steps)
	}
	if t.opt.Epochs > 0 {
		limit = min(limit, float64(t.opt.Epochs)*float64(t.stepsPerEpoch()))
	}
	return limit
}

func (t *Trainer[T]) stepsPerEpoch() int { return t.samples.Len() / t.opt.Batch }

// Run learns until a limit is reached, calling each (if not nil) after every
// step; an error from it ends the run and is returned. When the context is
// done it returns the context's error, and everything is as it was after a step. A run under a time
// limit, which is one on the clock with all that each does, depends on the machine's speed; else
// equal arguments give equal models.
func (t *Trainer[T]) Run(ctx context.Context, each func(Progress) error) error {
	t.ticked = time.Now()
	defer func() {
		t.tick()
		t.ticked = time.Time{}
	}()
	for {
		if t.Fraction() >= 1 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rate := t.opt.Rate * t.opt.share(t.schedule())
		report, err := t.learn(ctx, rate)
		if err != nil {
			return err
		}
		t.tick()
		if late := t.opt.Average > 0 && t.Fraction() > 1-t.opt.Average; t.state.step%averageEvery == 0 && (late || t.Searching()) {
			t.state.average.add(t.Model)
		}
		if each != nil {
			p := Progress{Step: t.state.step, Fraction: t.Fraction(), Rate: rate, Coupling: t.Model.Couplings(), Report: report}
			if h := t.Objective.head; h != nil {
				p.Labels = &LabelProgress{Loss: h.loss, Error: h.wrong}
			}
			if err := each(p); err != nil {
				return err
			}
			t.tick()
		}
	}
}

// beyond is by how much fields may exceed those of a spin that is the same in all
// samples. They need it where many such spins must not turn together.
const beyond = 10

// fieldLimit returns the bound on fields that so many samples can justify, or that was asked for.
func (o *Options) fieldLimit(samples int, params *rbm.Params) float64 {
	limit := math.Atanh(1-2/float64(samples+2)) + beyond
	if o.MaxField > 0 {
		limit = min(limit, o.MaxField*params.LargestCoupling())
	}
	return limit
}

// learn takes one step.
func (t *Trainer[T]) learn(ctx context.Context, rate float64) (dual.Report, error) {
	t.Objective.Synapses = t.Kind()
	t.Objective.Draw = t.opt.Draw.Sub(uint64(t.state.step))
	t.Objective.Noise = t.opt.Key.Sub(stream.OrderFields).Sub(uint64(t.state.step))
	h := t.Objective.head
	if h != nil {
		h.key = t.opt.Key.Sub(stream.OrderHead).Sub(uint64(t.state.step))
	}
	above := t.above()
	batch := t.nextBatch()
	var report dual.Report
	var err error
	t.contest.Do(func() { report, err = t.Objective.Gradient(ctx, t.grad, t.Model, batch) })
	if err != nil {
		return report, err
	}
	g := t.grad
	t.holdAbove(above)
	if h != nil && !finite(h.grad) {
		return report, ErrDiverged
	}
	if !t.Objective.finite || !finite(g.VisibleField) || !finite(g.HiddenField) || !finite(g.Coupling) || !finite(g.VisibleOwn) {
		return report, ErrDiverged
	}
	t.state.held.pull(g.VisibleField, g.HiddenField, &t.Model.Params, t.opt.FieldPrior)
	fraction := t.schedule()
	t.state.step++
	step := t.state.step
	t.moveSynapses(rate, step, fraction)
	if h != nil {
		h.step(rate, step)
	}
	at := func(rate, limit float64) move { return move{rate: rate, count: step, limit: limit} }
	if r := rate * t.opt.FieldRate; r > 0 {
		limit := t.opt.fieldLimit(t.samples.Len(), &t.Model.Params)
		if !fieldless(t.samples) {
			t.state.visible.step(t.Model.VisibleField, g.VisibleField, at(r, limit))
		}
		if !fieldless(t.Objective.Hidden) {
			t.state.hidden.step(t.Model.HiddenField, g.HiddenField, at(r, limit))
		}
	}
	if r := rate * t.opt.CouplingRate; r > 0 {
		lnJ := t.Model.Couplings()
		byLnJ := make([]float64, len(lnJ))
		for k, j := range lnJ {
			lnJ[k], byLnJ[k] = math.Log(j), g.Coupling[k]*j
		}
		t.state.coupling.step(lnJ, byLnJ, at(r, math.Inf(1)))
		for k, v := range lnJ {
			t.Model.Links[k].Coupling = math.Exp(v)
		}
	}
	if r := rate * t.opt.OwnRate; r > 0 && len(g.VisibleOwn) > 0 {
		t.state.own.step(t.Model.VisibleOwn, g.VisibleOwn, at(r, math.Inf(1)))
		if b, ok := t.samples.(units.Bounding); ok {
			b.Bound(t.Model.VisibleOwn)
		}
	}
	if t.opt.OffsetRate > 0 {
		t.moveOffsets(t.opt.OffsetRate)
	}
	return report, nil
}

// fieldless reports whether units have no fields to learn.
func fieldless(x any) bool {
	_, none := x.(units.Fieldless)
	return none
}

// nextBatch returns the samples of the next step: all of them, or the next
// ones in this epoch's random order, which may be drawn anew (units.Redrawn).
func (t *Trainer[T]) nextBatch() units.Samples[T] {
	m, size, h := t.samples.Len(), t.opt.Batch, t.Objective.head
	redrawn, anew := t.samples.(units.Redrawn)
	if size == m && t.opt.SampleWeights == nil && !anew {
		if h != nil {
			h.batch = h.class
		}
		return t.samples
	}
	epoch, place := t.state.step/t.stepsPerEpoch(), t.state.step%t.stepsPerEpoch()
	if epoch != t.epoch {
		t.order, t.epoch = t.opt.Key.Sub(uint64(epoch)).Rand().Perm(m), epoch
		if anew {
			redrawn.Epoch(epoch)
		}
		if w := t.opt.SampleWeights; w != nil {
			t.order = weighted(t.order, w, t.opt.Key.Sub(uint64(epoch)).Sub(stream.EpochWeighted).Rand())
		}
	}
	places := t.order[place*size : (place+1)*size]
	t.batch = t.samples.Batch(t.batch, places)
	if h != nil {
		h.batch = h.batch[:0]
		for _, a := range places {
			h.batch = append(h.batch, h.class[a])
		}
	}
	return t.batch
}

func (t *Trainer[T]) moveSynapses(rate float64, step int, fraction float64) {
	theta, limit := t.Model.Posterior.Theta, t.opt.MaxTheta
	defer t.rare.hold(theta, t.Model.Visible())()
	if limit == 0 {
		limit = math.Inf(1)
	}
	switch t.opt.Rule {
	case Adam, HyperAdam, Lion, ScheduleFree, BayesianMomentum:
		m := move{rate, step, t.opt.ThetaDecay, limit, fraction, t.Objective.Synapses.Known()}
		if t.opt.Rule == BayesianMomentum {
			m.rate *= float64(t.samples.Len())
		}
		t.state.synapse.step(theta, t.grad.Synapse, m)
	case BayesianRule:
		scale, limit := T(rate*float64(t.samples.Len())), T(limit)
		for k, g := range t.grad.Synapse {
			theta[k] = max(-limit, min(limit, theta[k]+scale*g))
		}
	case ClippedAdam:
		lambda := t.Objective.mean
		t.state.synapse.step(lambda, t.grad.Synapse, move{rate: rate, count: step, limit: lambdaLimit})
		for k, v := range lambda {
			theta[k] = T(math.Atanh(float64(v)))
		}
	}
}

// moveOffsets moves the hidden offsets towards the hidden means of the dual
// network and the visible fields so that the mean energy stays.
func (t *Trainer[T]) moveOffsets(rate float64) {
	if t.Model.Deep() {
		t.moveDeepOffsets(rate)
		return
	}
	params := &t.Model.Params
	moves, limit := make([]T, params.Hidden()), t.Objective.Hidden.OffsetLimit()
	for mu, h := range t.Objective.partition.HiddenField {
		d := rate * (max(-limit, min(limit, h)) - params.HiddenOffset[mu])
		params.HiddenOffset[mu] += d
		moves[mu] = T(d * params.Coupling())
	}
	kernel.AddRows(params.VisibleField, t.Objective.mean, moves)
	if t.opt.FieldPrior > 0 { // it is of the same units, seen from the same offsets
		kernel.AddRows(t.state.held.visible, t.Objective.mean, moves)
	}
}
