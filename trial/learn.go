package trial

import (
	"context"

	"bethe/dual"
	"bethe/infer"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A Learner says how a student learns.
type Learner struct {
	Restarts int // random starts
	Steps    int // of each
	Rate     float64
	Rule     variational.Rule
	// Polish is the number of steps of the cavity method after the bound was
	// climbed; none where the partition term is quenched. 30 are the default: at P = 2
	// and 3, N = 100, alpha = 1 to 5 the pooled means are then nearest to the exact
	// ones, off by 0.084 (root mean square; by 0.21 without, 0.088 after 20, 0.092 after 40).
	Polish int
	// Engine returns an engine of the expectation step; start holds visible
	// states, Chains of them, to start chains and fixed points at, or is nil.
	Engine func(start *spin.Matrix, key stream.Key) dual.Engine[float32]
	Chains int
	Prior  []float32 // thetas of the prior, hidden x visible; nil for the uniform one
	// Release is the share of the divergence from the prior that is left out, less than 1; below 0 it counts more than once.
	Release float64
	Start   []float32 // thetas that all starts begin at, hidden x visible; nil: random ones
	Draws   int       // a step of the quenched partition term; 0: the annealed one
}

// DefaultLearner returns the learner of the planted tables for a setup: the
// engine by the size of the machine, the annealed partition term.
func DefaultLearner(s Setup, restarts int) *Learner {
	const chains = 500
	return &Learner{
		Restarts: restarts, Steps: 200, Rate: 0.2, Rule: variational.Adam, Polish: 30, Chains: chains,
		Engine: func(start *spin.Matrix, key stream.Key) dual.Engine[float32] {
			engine, _ := dual.Auto(s.Visible, s.Hidden, dual.Chains[float32]{Count: chains, Sweeps: 1, Key: key, InitialVisible: start})
			return engine
		},
	}
}

// Learn learns from all starts and scores what they found. Each start climbs
// the bound and is polished; then starts are pooled by their bounds
// (planted.Pool). The error is the context's or that of learning.
func (t *Trial) Learn(ctx context.Context, l *Learner) error {
	const scoringDraws = 512
	scoring := l.Draws
	if scoring > 0 { // bounds of all starts are compared at the same random draws
		scoring = max(scoring, scoringDraws)
	}
	s := student{t, l}
	polished := make([][]float32, l.Restarts) // posterior means of each start
	models, bounds, err := variational.Restarts(ctx, l.Restarts, func(k int) (*rbm.Model[float32], float64, error) {
		model, engine, err := s.climb(ctx, t.key.Sub(stream.TrialStudent).Sub(uint64(k)))
		if err != nil {
			return nil, 0, err
		}
		bound, err := s.bound(ctx, model, scoring)
		if err != nil {
			return nil, 0, err
		}
		polished[k], err = s.polishedMean(ctx, model.Clone(), engine)
		return model, bound, err
	})
	if err != nil {
		return err
	}
	best := variational.Best(bounds)
	model := models[best]
	t.Bound = bounds[best]
	t.OverlapBestStart = planted.Match(model.Posterior.Sign(), t.Teacher.Signs()).Mean()
	logWeights := make([]float64, l.Restarts)
	for k, b := range bounds {
		logWeights[k] = b * float64(t.Data.Cols())
	}
	n, p := t.Setup.Visible, t.Setup.Hidden
	pooled := planted.Pool(polished, logWeights, n, p)
	t.Means = pooled
	t.OverlapOfMeans = planted.MatchMean(pooled, t.Teacher.Signs()).Mean()
	signs := spin.New(n, p)
	spin.FromSigns(p, n, pooled).Transpose(signs)
	t.Overlap = planted.Match(signs, t.Teacher.Signs()).Mean()
	if l.Draws > 0 {
		t.BoundAnnealed, err = s.bound(ctx, model, 0)
	}
	return err
}

// A student is a learner on the data of a trial.
type student struct {
	t *Trial
	l *Learner
}

func partition(draws int, engine dual.Engine[float32], key stream.Key) dual.Partition[float32] {
	if draws > 0 {
		return &dual.Quenched[float32]{Engine: engine, Draws: draws, Key: key}
	}
	return &dual.Annealed[float32]{Engine: engine}
}

// climb learns from one start.
func (s student) climb(ctx context.Context, key stream.Key) (*rbm.Model[float32], dual.Engine[float32], error) {
	trainer, engine, err := s.trainer(key)
	if err != nil {
		return nil, nil, err
	}
	return trainer.Model, engine, trainer.Run(ctx, nil)
}

// trainer returns that of one start.
func (s student) trainer(key stream.Key) (*variational.Trainer[float32], dual.Engine[float32], error) {
	model := variational.NewModel[float32](variational.Initial{
		Hidden: s.t.Setup.Hidden, Coupling: s.t.Setup.Coupling(), Deviation: 0.5, Key: key.Sub(stream.StudentThetas), Prior: s.l.Prior,
	}, s.t.Data)
	if s.l.Start != nil {
		copy(model.Posterior.Theta, s.l.Start)
	}
	engine := s.l.Engine(s.t.Data.Choose(s.l.Chains, key.Sub(stream.StudentChainStates).Rand()), key.Sub(stream.StudentChains))
	trainer, err := variational.NewTrainer(model, units.NewSpins[float32](s.t.Data), partition(s.l.Draws, engine, key.Sub(stream.StudentDraws)), variational.Mixture[float32]{}, variational.Options{
		Steps: s.l.Steps, Rule: s.l.Rule, Rate: s.l.Rate, FinalRate: 0.1, Release: s.l.Release, Key: key.Sub(stream.StudentBatches),
	})
	return trainer, engine, err
}

// bound returns the bound of a model, in nats per sample; where the engine gives
// no ln Z that of the annealed term is estimated by annealing.
func (s student) bound(ctx context.Context, model *rbm.Model[float32], draws int) (float64, error) {
	key := s.t.key.Sub(stream.TrialScores)
	engine := s.l.Engine(nil, key)
	objective := &variational.Objective[float32]{
		Partition: partition(draws, engine, key), Hidden: variational.Mixture[float32]{}, Samples: s.t.Data.Cols(),
	}
	terms, _, err := objective.EstimateTerms(ctx, model, units.NewSpins[float32](s.t.Data), sample.Annealing{Chains: 100, Temperatures: 300, Key: key})
	return terms.Bound(), err
}

// polishedMean takes steps of the cavity method from a model and returns the
// posterior means: with joint beliefs about the synapses of a site (infer.Rows), or,
// with too many hidden units for those, natural-gradient steps with the averages of
// the cavity method (variational.Cavity), which change the model.
func (s student) polishedMean(ctx context.Context, model *rbm.Model[float32], engine dual.Engine[float32]) ([]float32, error) {
	const rate = 0.3
	q := model.Posterior
	mean := make([]float32, len(q.Theta))
	q.Mean(mean)
	if s.l.Polish == 0 || s.l.Draws > 0 {
		return mean, nil
	}
	if s.t.Setup.Hidden <= infer.MaxRows {
		rows := infer.NewRows(s.t.Data, q.Theta, q.PriorTheta, s.t.Setup.Hidden, s.t.Setup.Coupling())
		rows.Weigh(1 - s.l.Release)
		for range s.l.Polish {
			if err := rows.Step(ctx, rate); err != nil {
				return nil, err
			}
		}
		rows.Mean(mean)
		return mean, nil
	}
	trainer, err := variational.NewTrainer(model, units.NewSpins[float32](s.t.Data), &dual.Annealed[float32]{Engine: engine},
		variational.Cavity[float32]{}, variational.Options{
			Steps: s.l.Polish, Rule: variational.BayesianRule, Rate: rate, FinalRate: 1, Release: s.l.Release, Key: s.t.key,
		})
	if err != nil {
		return nil, err
	}
	if err := trainer.Run(ctx, nil); err != nil {
		return nil, err
	}
	q.Mean(mean)
	return mean, nil
}
