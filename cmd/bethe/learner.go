package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A learner learns from one start.
type learner struct {
	*learning
	model   *rbm.Model[float32]
	trainer *variational.Trainer[float32]
	engine  dual.Engine[float32]
	parts   []dual.Stateful // what a checkpoint keeps besides the trainer
	why     string          // the engine was chosen
	look    *looking
	start   int    // which random start this is
	path    string // of the checkpoint
	saved   int    // steps in the last checkpoint; -1 if there is none
}

// newLearner returns the learner of start k, before its first step.
func (r *learning) newLearner(k int) (*learner, error) {
	f, samples := r.f, r.set.Samples
	key := stream.New(r.seed).Sub(streamRestarts).Sub(uint64(k))
	n := samples.Rows()
	l := &learner{learning: r, start: k, path: r.checkpointPath(k), saved: -1}
	begin := variational.Start{
		Hidden: f.hidden, Coupling: f.beta / math.Sqrt(float64(n)), Fields: !f.noFields, Centre: !f.noCentre,
		Deviation: 0.3, Key: key.Sub(streamStart),
	}
	if r.prior != nil {
		begin.Prior = r.prior.Theta
	}
	var err error
	if r.from == nil {
		l.model = variational.NewModel[float32](begin, samples)
	} else if l.model, err = variational.From(r.from, f.kind(), begin, samples); err != nil {
		return nil, fmt.Errorf("%s: %w", f.from.path, err)
	}
	start := samples.Choose(f.engine.chains, key.Sub(streamChainStart).Rand())
	engine, why := newEngine[float32](&f.engine, n, f.hidden, start, key.Sub(streamChains))
	partition := f.partition(engine, key.Sub(streamDraws))
	for _, part := range []any{engine, partition} {
		if p, ok := part.(dual.Stateful); ok {
			l.parts = append(l.parts, p)
		}
	}
	l.engine, l.why = engine, why
	// The bound is looked at with an engine of its own: looking must not move
	// what learning keeps from step to step.
	l.look = &looking{model: l.model, key: key}
	l.look.engine, _ = newEngine[float32](&f.engine, n, f.hidden, start, key.Sub(streamScores))
	l.look.objective = &variational.Objective[float32]{Partition: f.partition(l.look.engine, key.Sub(streamScores)),
		Hidden: variational.Mixture[float32]{}, Samples: samples.Cols(), Synapses: f.kind(), Draw: key.Sub(streamScores)}
	l.trainer, err = variational.NewTrainer(l.model, units.NewSpins[float32](samples), partition, variational.Mixture[float32]{}, r.options(key))
	return l, err
}

// partition returns the partition term for the kind of synapses.
func (f *trainFlags) partition(engine dual.Engine[float32], key stream.Key) dual.Partition[float32] {
	if f.engine.partition == "quenched" {
		return &dual.Quenched[float32]{Engine: engine, Draws: f.engine.draws, Key: key}
	}
	return dual.TermFor(f.kind(), engine)
}

// options returns those of learning.
func (r *learning) options(key stream.Key) variational.Options {
	f := r.f
	opt := variational.Options{
		Steps: f.steps, Epochs: f.epochs, Time: f.time, Batch: f.batch, Rate: f.rate, MaxTheta: f.schedule.maxTheta,
		Synapses: f.kind(), Decay: f.decay, Release: 1 - f.prior, Key: key.Sub(streamBatches), Draw: key.Sub(streamDrawnSynapses),
		Labels: r.set.Labels, LabelWeight: f.labels,
	}
	if !opt.Synapses.LogOdds() {
		opt.MaxTheta = 0 // they are no log-odds
	}
	f.schedule.set(&opt)
	opt.Rule, _ = learningRule(f.rule) // checked before
	if !f.noFields {
		opt.FieldRate = 1
	}
	if !f.fixedCoupling {
		opt.CouplingRate = f.schedule.coupling
	}
	if !f.noCentre {
		opt.OffsetRate = 0.01
	}
	return opt
}

// learn learns to the end and reports.
func (l *learner) learn(ctx context.Context) (*trainReport, error) {
	if l.f.resume {
		if err := l.resume(); err != nil {
			return nil, err
		}
	}
	l.logf("learning %d x %d synapses from %d samples into %s\nexpectation step: %s\n",
		l.model.Visible(), l.model.Hidden(), l.set.Len(), l.out, l.why)
	if err := l.prepare(); err != nil {
		return nil, err
	}
	m, err := l.newMeasuring()
	if err != nil {
		return nil, err
	}
	defer m.close()
	if l.trainer.Step() == 0 {
		if err := m.first(); err != nil {
			return nil, err
		}
	}
	bar := l.progress("learning")
	unsettled := 0 // steps of an engine that had not converged
	watch := l.watch(ctx, bar, m)
	l.f.schedule.pace(l.engine, l.f.engine.sweeps, l.trainer.Fraction())
	last := variational.Progress{Step: l.trainer.Step(), Fraction: 1, Rate: math.NaN(), Coupling: l.model.Couplings()}
	err = l.trainer.Run(ctx, func(p variational.Progress) error {
		last = p
		l.f.schedule.pace(l.engine, l.f.engine.sweeps, p.Fraction)
		if !p.Report.Converged {
			unsettled++
		}
		return watch(p)
	})
	bar.done()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if err := l.save(); err != nil {
			return nil, fmt.Errorf("interrupted after step %d, and %w", l.trainer.Step(), err)
		}
		return nil, fmt.Errorf("%w after step %d; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, l.trainer.Step(), l.out)
	}
	if errors.Is(err, variational.ErrDiverged) {
		return nil, fmt.Errorf("after step %d: %w%s", l.trainer.Step(), err, l.kept())
	}
	if err != nil {
		return nil, err
	}
	if err := l.save(); err != nil {
		return nil, err
	}
	report, terms, err := l.report(ctx)
	if err == nil {
		err = m.end(last, terms, report.BoundBy)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, l.interruptedAtEnd()
		}
		return nil, err
	}
	if unsettled > 0 {
		l.logf("warning: in %d steps %s had not converged; its moments and bound are not to be trusted there\n", unsettled, report.BoundBy)
		report.Unsettled = unsettled
	}
	return report, nil
}

// interruptedAtEnd is the error of a run that was interrupted after its last step.
func (r *learning) interruptedAtEnd() error {
	return fmt.Errorf("%w after learning; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, r.out)
}
