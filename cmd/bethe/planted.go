package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/internal/parallel"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// plantedFlags are what planted is told.
type plantedFlags struct {
	engine      engineFlags
	visible     int
	hidden      int
	alpha       float64
	beta        float64
	correlation float64
	instances   int
	restarts    int
	steps       int
	rate        float64
	rule        string
	polish      int
	oracle      bool
}

// plantedReport is the JSON object of planted.
type plantedReport struct {
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
	// The Bayes-optimal overlap, with --oracle: Monte Carlo from the teacher, and from a random start.
	Bayes            *float64  `json:"bayes_overlap,omitempty"`
	BayesInstances   []float64 `json:"bayes_overlap_instances,omitempty"`
	BayesRandomStart *float64  `json:"bayes_overlap_random_start,omitempty"`
	SecondsLearning  float64   `json:"seconds_learning"` // of the clock, for all instances and restarts
	SecondsOracle    float64   `json:"seconds_oracle,omitempty"`
}

func newPlantedCommand(c *console) *cobra.Command {
	var f plantedFlags
	cmd := &cobra.Command{
		Use: "planted", Short: "Learn synapses that were planted, and score them", Args: noArguments,
		Long: `Draws a teacher machine with random synapses, samples M = alpha N states from it
exactly, learns synapses from them alone, and scores the overlap with the
teacher, |sum_i sign(lambda_i) xi_i|/N after the best matching of hidden units
(their signs and order are a symmetry of the model). Each of several random
starts climbs the bound and then takes a few steps with the averages of the
cavity method, which undo most of what mean field neglects. The starts are
pooled, each with the weight that its bound gives it, so that where few data
leave several states nearly equally good none is left out. The teacher has no
say in any of that.

The bound is that of the start with the best one, before those few steps. With
--oracle also the Bayes optimum: the overlap of the exact posterior mean,
by Monte Carlo over synapses with exact partition functions, started at the
teacher and, as a check, at random.`,
		Example: `  bethe planted
  bethe planted --visible 100 --hidden 3 --alpha 5 --beta 1 --instances 10 --restarts 12 --oracle --seed 7 --json
  bethe planted --hidden 2 --correlation 0.3 --partition quenched --rule clipped`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return c.planted(cmd.Context(), &f)
		},
	}
	f.engine.register(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.visible, "visible", 100, "visible units N")
	flags.IntVar(&f.hidden, "hidden", 2, "hidden units P")
	flags.Float64Var(&f.alpha, "alpha", 5, "samples a visible unit: M = alpha N")
	flags.Float64Var(&f.beta, "beta", 1, "coupling J = beta/sqrt N of the teacher, known to the learner")
	flags.Float64Var(&f.correlation, "correlation", 0, "correlation q between the synapses of hidden units")
	flags.IntVar(&f.instances, "instances", 10, "teachers")
	flags.IntVar(&f.restarts, "restarts", 12, "random starts of each learner")
	flags.IntVar(&f.steps, "steps", 200, "steps of each start")
	flags.Float64Var(&f.rate, "rate", 0.2, "learning rate at the start; it falls linearly to a tenth")
	flags.StringVar(&f.rule, "rule", "adam", "update of the synapses: adam, bayes (natural gradient) or clipped (the paper's)")
	flags.IntVar(&f.polish, "polish", 100, "steps with the cavity method's averages after the bound was climbed; none for --partition quenched")
	flags.BoolVar(&f.oracle, "oracle", false, "also find the Bayes-optimal overlap")
	return cmd
}

func (f *plantedFlags) check() error {
	switch {
	case f.visible < 1 || f.hidden < 1:
		return usagef("--visible %d --hidden %d: both must be at least 1", f.visible, f.hidden)
	case !(f.alpha > 0) || f.samples() < 1 || f.alpha*float64(f.visible) > 1e9:
		return usagef("--alpha %v: alpha N is the number of samples, at least 1 and at most 1e9", f.alpha)
	case !(f.beta > 0) || math.IsInf(f.beta, 0):
		return usagef("--beta %v: it must be positive and finite", f.beta)
	case f.instances < 1 || f.restarts < 1 || f.steps < 1:
		return usagef("--instances %d --restarts %d --steps %d: each must be at least 1", f.instances, f.restarts, f.steps)
	case f.engine.partition == "quenched" && f.engine.estep == "chains":
		return usagef("--partition quenched --estep chains: chains give no ln Z in the random fields; use exact, bethe or tap")
	case f.polish < 0:
		return usagef("--polish %d: it must not be negative", f.polish)
	case !(f.rate > 0) || math.IsInf(f.rate, 0):
		return usagef("--rate %v: it must be positive and finite", f.rate)
	case f.oracle && f.hidden > planted.MaxTracked:
		return usagef("--oracle with --hidden %d: the Bayes optimum is found for at most %d hidden units", f.hidden, planted.MaxTracked)
	}
	if _, err := learningRule(f.rule); err != nil {
		return err
	}
	return f.engine.check()
}

func (f *plantedFlags) samples() int { return int(math.Round(f.alpha * float64(f.visible))) }

// Labels of the random streams of an instance.
const (
	plantedTeacher = iota
	plantedData
	plantedLearner
	plantedOracle
	plantedScores
)

// An instance is a teacher, its data and what came out.
type instance struct {
	key                    stream.Key
	teacher                *rbm.Machine
	data                   *spin.Matrix
	overlap, overlapMean   float64
	overlapBest            float64
	bound, boundAnnealed   float64
	bayes, bayesFromRandom float64
}

func (c *console) planted(ctx context.Context, f *plantedFlags) error {
	instances := make([]*instance, f.instances)
	each := func(what string, work func(x *instance) error) (seconds float64, err error) {
		bar := c.progress(what)
		defer bar.done()
		began, errs := time.Now(), make([]error, f.instances)
		done := make(chan struct{}, f.instances)
		finished := make(chan struct{})
		go func() {
			defer close(finished)
			k := 0
			for range done {
				k++
				bar.set(float64(k)/float64(f.instances), fmt.Sprintf("%d of %d instances", k, f.instances))
			}
		}()
		parallel.For(f.instances, 1, func(lo, hi int) {
			for k := lo; k < hi; k++ {
				errs[k] = work(instances[k])
				done <- struct{}{}
			}
		})
		close(done)
		<-finished
		for _, err := range errs {
			if err != nil {
				return 0, err
			}
		}
		return time.Since(began).Seconds(), nil
	}
	for k := range instances {
		instances[k] = &instance{key: stream.New(c.seed).Sub(uint64(k))}
	}
	report := plantedReport{Visible: f.visible, Hidden: f.hidden, Alpha: f.alpha, Beta: f.beta, Correlation: f.correlation, Samples: f.samples(), Seed: c.seed}
	if _, err := each("planting", func(x *instance) (err error) {
		if x.teacher, err = planted.NewTeacher(f.visible, f.hidden, f.beta, f.correlation, x.key.Sub(plantedTeacher)); err != nil {
			return &usageError{err}
		}
		x.data, err = planted.Data(ctx, x.teacher, f.samples(), x.key.Sub(plantedData))
		return err
	}); err != nil {
		return err
	}
	_, why := newEngine[float32](&f.engine, f.visible, f.hidden, nil, 0)
	report.Engine = engineName(why)
	seconds, err := each("learning", func(x *instance) error { return f.learn(ctx, x) })
	if err != nil {
		return err
	}
	report.SecondsLearning = seconds
	share := 1 / float64(f.instances)
	var annealed, bayes, fromRandom float64
	for _, x := range instances {
		report.Overlaps = append(report.Overlaps, x.overlap)
		report.OverlapMean = append(report.OverlapMean, x.overlapMean)
		report.Bounds = append(report.Bounds, x.bound)
		report.Overlap += share * x.overlap
		report.OverlapBest += share * x.overlapBest
		report.Bound += share * x.bound
		annealed += share * x.boundAnnealed
	}
	if f.engine.partition == "quenched" {
		report.BoundAnnealed = &annealed
	}
	if f.oracle {
		if report.SecondsOracle, err = each("Bayes optimum", func(x *instance) error {
			y, err := planted.NewYardstick(ctx, x.teacher, x.data, planted.DefaultSchedule, x.key.Sub(plantedOracle))
			if err == nil {
				x.bayes, x.bayesFromRandom = y.FromTeacher.Overlap.Mean(), y.FromRandom.Overlap.Mean()
			}
			return err
		}); err != nil {
			return err
		}
		for _, x := range instances {
			report.BayesInstances = append(report.BayesInstances, x.bayes)
			bayes += share * x.bayes
			fromRandom += share * x.bayesFromRandom
		}
		report.Bayes, report.BayesRandomStart = &bayes, &fromRandom
	}
	c.printPlanted(&report)
	return c.object(report)
}

// learn learns an instance from all starts and scores the best.
func (f *plantedFlags) learn(ctx context.Context, x *instance) error {
	rule, err := learningRule(f.rule)
	if err != nil {
		return err
	}
	average := variational.Mixture[float32]{}
	// Bounds of all starts are compared at the same random draws.
	scoring := f.engine
	scoring.draws = max(scoring.draws, 512)
	score := func(model *rbm.Model[float32], e *engineFlags) (variational.Terms, error) {
		key := x.key.Sub(plantedScores)
		engine, _ := newEngine[float32](e, f.visible, f.hidden, nil, key)
		objective := &variational.Objective[float32]{Partition: newPartition(e, engine, key), Average: average, Samples: x.data.Cols()}
		t, _, err := terms(ctx, objective, model, engine, x.data, sample.Annealing{Chains: 100, Temperatures: 300, Key: key})
		return t, err
	}
	polished := make([][]float32, f.restarts) // posterior means of each start
	models, bounds, err := variational.Restarts(ctx, f.restarts, func(k int) (*rbm.Model[float32], float64, error) {
		key := x.key.Sub(plantedLearner).Sub(uint64(k))
		model := variational.Model[float32](variational.Start{
			Hidden: f.hidden, Coupling: x.teacher.Coupling, Deviation: 0.5, Key: key.Sub(streamStart),
		}, x.data)
		engine, _ := newEngine[float32](&f.engine, f.visible, f.hidden, chosen(x.data, f.engine.chains, key.Sub(streamChainStart)), key.Sub(streamChains))
		trainer, err := variational.NewTrainer(model, x.data, newPartition(&f.engine, engine, key.Sub(streamDraws)), average, variational.Options{
			Steps: f.steps, Rule: rule, Rate: f.rate, FinalRate: 0.1, Key: key.Sub(streamBatches),
		})
		if err != nil {
			return nil, 0, err
		}
		if err := trainer.Run(ctx, nil); err != nil {
			return nil, 0, err
		}
		t, err := score(model, &scoring)
		if err != nil {
			return nil, 0, err
		}
		polished[k], err = f.polishedMean(ctx, x, model.Clone(), engine)
		return model, t.Bound(), err
	})
	if err != nil {
		return err
	}
	best := variational.Best(bounds)
	model := models[best]
	x.bound = bounds[best]
	x.overlapBest = planted.Match(model.Posterior.Sign(), x.teacher.Synapses).Mean()
	logWeights := make([]float64, f.restarts)
	for k, b := range bounds {
		logWeights[k] = b * float64(x.data.Cols())
	}
	pooled := planted.Pool(polished, logWeights, f.visible, f.hidden)
	x.overlapMean = planted.MatchMean(pooled, x.teacher.Synapses).Mean()
	signs := spin.New(f.visible, f.hidden)
	spin.FromSigns(f.hidden, f.visible, pooled).Transpose(signs)
	x.overlap = planted.Match(signs, x.teacher.Synapses).Mean()
	if f.engine.partition == "quenched" {
		annealed := scoring
		annealed.partition = "annealed"
		t, err := score(model, &annealed)
		if err != nil {
			return err
		}
		x.boundAnnealed = t.Bound()
	}
	return nil
}

// polishedMean takes natural-gradient steps with the cavity method's averages
// and returns the posterior means. It changes the model.
func (f *plantedFlags) polishedMean(ctx context.Context, x *instance, model *rbm.Model[float32], engine dual.Engine[float32]) ([]float32, error) {
	if f.polish > 0 && f.engine.partition == "annealed" {
		trainer, err := variational.NewTrainer(model, x.data, &dual.Annealed[float32]{Engine: engine},
			variational.Cavity[float32]{}, variational.Options{
				Steps: f.polish, Rule: variational.BayesianRule, Rate: 0.3, FinalRate: 1, Key: x.key,
			})
		if err != nil {
			return nil, err
		}
		if err := trainer.Run(ctx, nil); err != nil {
			return nil, err
		}
	}
	mean := make([]float32, len(model.Posterior.Theta))
	model.Posterior.Mean(mean)
	return mean, nil
}

func (c *console) printPlanted(r *plantedReport) {
	deviation := func(x []float64, mean float64) float64 {
		var sum float64
		for _, v := range x {
			sum += (v - mean) * (v - mean)
		}
		return math.Sqrt(sum / float64(len(x)))
	}
	c.printf("N = %d, P = %d, alpha = %g, beta = %g, q = %g: %d instances of %d samples, %s moments\n",
		r.Visible, r.Hidden, r.Alpha, r.Beta, r.Correlation, len(r.Overlaps), r.Samples, r.Engine)
	c.printf("  overlap         %.3f, spread %.3f (of the start with the best bound alone: %.3f)\n", r.Overlap, deviation(r.Overlaps, r.Overlap), r.OverlapBest)
	if r.Bayes != nil {
		c.printf("  Bayes-optimal   %.3f, spread %.3f (started at random: %.3f)\n", *r.Bayes, deviation(r.BayesInstances, *r.Bayes), *r.BayesRandomStart)
	}
	c.printf("  bound           %.4f nats a sample\n", r.Bound)
	if r.BoundAnnealed != nil {
		c.printf("  the quenched term is no bound; the annealed bound at the same posteriors is %.4f\n", *r.BoundAnnealed)
	}
	c.printf("  learning took   %.2f s\n", r.SecondsLearning)
}
