package learn

import (
	"context"
	"fmt"
	"math"
	"time"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// A togetherMeasuring keeps records of how all machines of a stack learn at once, in the folder of the stack. It changes nothing of
// learning.
type togetherMeasuring struct {
	stacked
	watching          observers
	to                *variational.Together[float32]
	log               recorder
	key               stream.Key
	some, held        *spin.Matrix // that likelihoods along the way are of; held: not learned from, nil if there are none
	plain, likelihood pace
}

// What estimates along the way take: these of the likelihood are the curve that the bound is elsewhere.
const (
	togetherTemperatures = 500
	togetherChains       = 32
	togetherSweeps       = 100
)

// newTogetherMeasuring opens the records to go on after the step of the learner. Some are training samples.
func (r stacked) newTogetherMeasuring(watching observers, to *variational.Together[float32], some *spin.Matrix, key stream.Key) (*togetherMeasuring, error) {
	start, step := 0, to.Top.Step()
	if step == 0 {
		start = -1 // nothing of an earlier run stays
	} else if to.Top.Fraction() >= 1 {
		step-- // the end is measured again
	}
	log, _, err := r.keeper.records(start, step)
	if err != nil {
		return nil, err
	}
	m := &togetherMeasuring{stacked: r, watching: watching, to: to, log: log, key: key, some: some,
		plain: pace{share: 0.003, gap: 500 * time.Millisecond, last: time.Now()}, likelihood: pace{share: 0.03, gap: 2 * time.Second, last: time.Now()}}
	if v := r.job.Validation; v.Set != nil {
		m.held = v.Samples.Choose(min(copySamples, v.Len()), key.Sub(stream.StackValidation).Rand())
	}
	return m, nil
}

// record returns what costs little to measure.
func (m *togetherMeasuring) record(p variational.Progress) runs.Record {
	samples := m.job.Data.Len()
	r := runs.Record{
		Step: p.Step, Epoch: float64(p.Step) / float64(max(1, samples/min(m.recipe.Batch, samples))), Seconds: m.to.Top.Elapsed().Seconds(), Fraction: p.Fraction, Rate: runs.Number(p.Rate),
		Engine: &runs.EngineReport{Name: p.Report.Engine, Iterations: p.Report.Iterations, Residual: runs.Number(p.Report.Residual), Converged: p.Report.Converged},
	}
	spreads := m.to.Spreads()
	var polarised, divergence, synapses float64
	for l, model := range m.to.Models() {
		r.Layers = append(r.Layers, layerRecord(model.Posterior, model.Coupling(), spreads[l], true))
		n := float64(len(model.Posterior.Theta))
		polarised, divergence, synapses = polarised+n*float64(r.Layers[l].Polarised), divergence+model.Posterior.KL(), synapses+n
	}
	r.Coupling, r.Polarised, r.KL = r.Layers[0].Coupling, runs.Number(polarised/synapses), runs.Number(divergence/synapses)
	return r
}

// first measures the stack before the first step.
func (m *togetherMeasuring) first(ctx context.Context, rate float64) error {
	r := m.record(variational.Progress{Rate: rate})
	r.Engine = nil
	if err := m.measure(ctx, &r); err != nil {
		return err
	}
	return m.write(r)
}

// after takes the measurements that are due after a step.
func (m *togetherMeasuring) after(ctx context.Context, p variational.Progress) error {
	now := time.Now()
	due := func(at *pace) bool {
		if every := m.job.MeasureEvery; every > 0 {
			return p.Step%every == 0
		}
		return at.due(now)
	}
	plain, likelihood := due(&m.plain), due(&m.likelihood)
	if !plain && !likelihood || p.Fraction >= 1 {
		return nil
	}
	r := m.record(p)
	looked := time.Since(now)
	if likelihood {
		if err := m.measure(ctx, &r); err != nil {
			return err
		}
	}
	return m.plain.time(time.Now().Add(-looked), func() error { return m.write(r) })
}

// end records the last step, with the likelihood of the stack that came of it.
func (m *togetherMeasuring) end(p variational.Progress, l *evaluate.LogLikelihood) error {
	r := m.record(p)
	r.LogLikelihood = recordedLikelihood(m.ofSome(), l)
	return m.write(r)
}

func (m *togetherMeasuring) ofSome() string {
	return fmt.Sprintf("%d of the training samples", m.some.Cols())
}

// measure estimates the likelihood of the stack as it is, a bound by its data term, by short annealing: rough, as the intervals tell. What it fails at,
// learning or its end meets as well, but for the context.
func (m *togetherMeasuring) measure(ctx context.Context, r *runs.Record) error {
	return m.likelihood.time(time.Now(), func() error {
		machines := evaluate.Stack(stackOf(m.to.Models(), nil).Machines())
		of := func(samples *spin.Matrix, name string) *runs.LogLikelihood {
			found, err := machines.Likelihood(ctx, nil, samples, evaluate.Options{Temperatures: togetherTemperatures, Chains: togetherChains, Equilibration: togetherSweeps, Key: m.key.Sub(stream.StackAlong)})
			if err != nil {
				return nil
			}
			return recordedLikelihood(name, &found)
		}
		r.LogLikelihood = of(m.some, m.ofSome())
		if m.held != nil {
			r.Validation = of(m.held, m.job.Validation.Name)
		}
		return ctx.Err()
	})
}

// write keeps a record and tells observers of it.
func (m *togetherMeasuring) write(r runs.Record) error {
	if err := m.log.Append(r); err != nil {
		return fmt.Errorf("the record of learning together cannot be written: %w", err)
	}
	return m.watching.recorded(&r)
}

// stackOf returns the stack of models whose synapses are the signs of their thetas; like are files of the same machines, nil: their info is empty.
func stackOf(models []*rbm.Model[float32], like []*rbm.File) *rbm.Stack {
	s := &rbm.Stack{}
	for l, model := range models {
		file := &rbm.File{Params: model.Params, Synapses: rbm.SignKind.Ship(model.Posterior, false, 0)}
		if like != nil {
			file.Info = like[l].Info
		}
		s.Files = append(s.Files, file)
	}
	return s
}

// shown is what observers see of a step.
func (m *togetherMeasuring) shown(p variational.Progress) Progress {
	return Progress{Step: p.Step, Fraction: p.Fraction, Rate: p.Rate, Coupling: p.Coupling[0], Polarised: math.NaN()}
}
