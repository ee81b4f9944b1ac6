package trial

import (
	"context"
	"math"

	"bethe/anatomy"
	"bethe/dual"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A Trace is what can be seen of a student on its way up the bound.
type Trace struct {
	Points   []TracePoint
	Model    *rbm.Model[float32] // where it ended
	Overlaps []float64           // of its hidden units' posterior means with each other, hidden x hidden
	// BoundAnnealed is the annealed bound at the end, in nats per sample, by the engine
	// that the size of the machine suggests: a true bound where Terms are quenched.
	BoundAnnealed float64
}

// A TracePoint has the measurements after a step; NaN if one does not apply.
type TracePoint struct {
	Step int
	// Units are the overlaps of the posterior means with the units of the teacher,
	// after the best matching, and Overlap is the mean overlap of their signs; nil
	// and NaN without a teacher.
	Units             []float64
	Overlap           float64
	variational.Terms         // of the bound that is climbed, in nats per sample
	Entropy           float64 // of the posterior, in nats per synapse
	Polarised         float64 // share of synapses with |mean| > 0.9
	// Pair and LargestPair are the mean and the largest |overlap| of two hidden
	// units with each other: while the symmetry under their exchange is not broken
	// they are 1. NaN with one unit.
	Pair, LargestPair float64
	// Root mean squares in the dual network: of <s_i h_mu>, of <h_mu> and of <s_i>;
	// NaN where the term is quenched.
	Correlation, Hidden, Visible float64
}

// OfData returns a trial without a teacher: of data (visible x samples) as they
// are. Only Trace can be asked of it.
func OfData(s Setup, data *spin.Matrix, key stream.Key) *Trial {
	return &Trial{Setup: s, Data: data, key: key}
}

// Trace learns from one start, as the first of Learn's without its polish, and
// measures before the first step and after every so many. progress may be nil.
// The error is the context's or that of learning.
func (t *Trial) Trace(ctx context.Context, l *Learner, every int, progress func(step int)) (*Trace, error) {
	trace := &Trace{}
	key := t.key.Sub(stream.TrialStudent).Sub(uint64(0))
	of := student{t, l}
	trainer, _, err := of.trainer(key)
	if err != nil {
		return nil, err
	}
	trace.Model = trainer.Model
	// Looking must not move what learning keeps from step to step.
	look := t.key.Sub(stream.TrialScores)
	engine := l.Engine(t.Data.Choose(l.Chains, look.Rand()), look)
	measure := func(step int) error {
		// A quenched term is measured with more draws, the same each time.
		objective := &variational.Objective[float32]{Partition: partition(8*l.Draws, engine, look), Hidden: variational.Mixture[float32]{}, Samples: t.Data.Cols()}
		p, err := of.measure(ctx, trace.Model, objective, engine, l.Draws == 0, step, look)
		if err == nil {
			trace.Points = append(trace.Points, *p)
		}
		return err
	}
	if err := measure(0); err != nil {
		return nil, err
	}
	if err := trainer.Run(ctx, func(p variational.Progress) error {
		if progress != nil {
			progress(p.Step)
		}
		if p.Step%every == 0 || p.Step == l.Steps {
			return measure(p.Step)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	mean := make([]float32, len(trace.Model.Posterior.Theta))
	trace.Model.Posterior.Mean(mean)
	trace.Overlaps = anatomy.UnitOverlaps(mean, t.Setup.Hidden)
	trace.BoundAnnealed, err = student{t, DefaultLearner(t.Setup, 1)}.bound(ctx, trace.Model, 0)
	return trace, err
}

func (s student) measure(ctx context.Context, model *rbm.Model[float32], objective *variational.Objective[float32], engine dual.Engine[float32], annealed bool, step int, key stream.Key) (*TracePoint, error) {
	p := &TracePoint{Step: step, Overlap: math.NaN(), Pair: math.NaN(), LargestPair: math.NaN(), Correlation: math.NaN(), Hidden: math.NaN(), Visible: math.NaN()}
	q := model.Posterior
	mean := make([]float32, len(q.Theta))
	q.Mean(mean)
	if s.t.Teacher != nil {
		p.Units = planted.MatchMean(mean, s.t.Teacher.Signs()).Overlap
		p.Overlap = planted.Match(q.Sign(), s.t.Teacher.Signs()).Mean()
	}
	var err error
	p.Terms, _, err = objective.EstimateTerms(ctx, model, units.NewSpins[float32](s.t.Data), sample.Annealing{Chains: 100, Temperatures: 300, Key: key})
	if err != nil {
		return nil, err
	}
	p.Entropy, p.Polarised = q.Entropy()/float64(len(q.Theta)), q.Polarised(rbm.Decided)
	if s.t.Setup.Hidden > 1 {
		p.Pair, p.LargestPair = anatomy.Pairs(anatomy.UnitOverlaps(mean, s.t.Setup.Hidden), s.t.Setup.Hidden)
	}
	if annealed {
		net := dual.NewNetwork(&model.Params, mean)
		moments := rbm.NewMoments[float32](s.t.Setup.Visible, s.t.Setup.Hidden)
		if _, err := engine.Moments(ctx, moments, net); err != nil {
			return nil, err
		}
		p.Correlation, p.Hidden, p.Visible = rootMeanSquare(moments.Correlation), rootMeanSquare(moments.Hidden), rootMeanSquare(moments.Visible)
	}
	return p, nil
}

func rootMeanSquare(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}
