package main

import (
	"context"
	"math"
	"path/filepath"

	"github.com/spf13/cobra"

	"bethe/dual"
	"bethe/planted"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
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
	out         string
	prior       priorFlags
	trace       string
	tasks       int
	correlated  float64 // teachers of consecutive tasks
	scaled      bool    // --prior-scale was given
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
	BayesError       *float64  `json:"bayes_difference_error,omitempty"` // standard error of overlap - bayes_overlap, over instances
	SecondsLearning  float64   `json:"seconds_learning"`                 // of the clock, for all instances and restarts
	SecondsOracle    float64   `json:"seconds_oracle,omitempty"`
	Trace            []string  `json:"trace_files,omitempty"`
}

func newPlantedCommand(c *console) *cobra.Command {
	var f plantedFlags
	cmd := &cobra.Command{
		Use: "planted", Short: "Learn synapses that were planted, and score them", Args: noArguments,
		Long: `Draws a teacher machine with random synapses, samples M = alpha N states from it
exactly, learns synapses from them alone, and scores the overlap with the
teacher, |sum_i sign(lambda_i) xi_i|/N after the best matching of hidden units
(their signs and order are a symmetry of the model). Each of several random
starts climbs the bound and then takes a few steps of the cavity method, which
undo most of what independent synapses neglect. The starts are pooled, each with
the weight that its bound gives it, so that where few data leave several states
nearly equally good none is left out. The teacher has no say in any of that.

The bound is that of the start with the best one, before those few steps. With
--oracle also the Bayes optimum: the overlap of the exact posterior mean,
by Monte Carlo over synapses with exact partition functions, started at the
teacher and, as a check, at random.

--prior takes the posterior of an earlier model as the prior: teachers are drawn
from it, and the learner knows it. --tasks 5 learns five sets one after the
other. The teacher of each has the synapses of the one before, each reversed
with probability (1 - task-correlation)/2; sizes and coupling are shared. It
tells the overlaps with the teacher of the last set and with those of earlier
ones, when the posterior of a set is the prior of the next, and when it is not.`,
		Example: `  bethe planted
  bethe planted --visible 100 --hidden 3 --alpha 5 --beta 1 --instances 10 --restarts 12 --oracle --seed 7 --json
  bethe planted --hidden 3 --alpha 2 --tasks 5 --task-correlation 0.9
  bethe planted --hidden 3 --instances 1 --trace learning.csv
  bethe planted --hidden 2 --correlation 0.3 --partition quenched --rule clipped`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.scaled = cmd.Flags().Changed("prior-scale")
			if err := f.check(); err != nil {
				return err
			}
			if f.tasks > 1 {
				return c.plantedTasks(cmd.Context(), &f)
			}
			return c.planted(cmd.Context(), &f)
		},
	}
	f.engine.register(cmd)
	flags := cmd.Flags()
	usual := trial.DefaultLearner(trial.Setup{}, 12)
	flags.IntVar(&f.visible, "visible", 100, "visible units N")
	flags.IntVar(&f.hidden, "hidden", 2, "hidden units P")
	flags.Float64Var(&f.alpha, "alpha", 5, "samples a visible unit: M = alpha N")
	flags.Float64Var(&f.beta, "beta", 1, "coupling J = beta/sqrt N of the teacher, known to the learner")
	flags.Float64Var(&f.correlation, "correlation", 0, "correlation q between the synapses of hidden units")
	flags.IntVar(&f.instances, "instances", 10, "teachers")
	flags.IntVar(&f.restarts, "restarts", usual.Restarts, "random starts of each learner")
	flags.IntVar(&f.steps, "steps", usual.Steps, "steps of each start")
	flags.Float64Var(&f.rate, "rate", usual.Rate, "learning rate at the start; it falls linearly to a tenth")
	flags.StringVar(&f.rule, "rule", "adam", "update of the synapses: adam, bayes (natural gradient) or clipped (the paper's)")
	flags.IntVar(&f.polish, "polish", usual.Polish, "steps of the cavity method after the bound was climbed; none for --partition quenched")
	flags.StringVarP(&f.out, "out", "o", "", "follow the first start on the first instance and write it to this folder, for bethe plot and bethe serve")
	flags.BoolVar(&f.oracle, "oracle", false, "also find the Bayes-optimal overlap")
	f.prior.register(flags)
	flags.StringVar(&f.trace, "trace", "", "`FILE.csv` for what is seen of the first start of the first instance while it learns; figures of it go beside it")
	flags.IntVar(&f.tasks, "tasks", 1, "sets to learn one after the other, each with a teacher like the one before; their report is of old and new overlaps")
	flags.Float64Var(&f.correlated, "task-correlation", 0.9, "correlation of the synapses of consecutive teachers: 1 the same, 0 unrelated; also the default of --prior-scale with --tasks")
	return cmd
}

func (f *plantedFlags) check() error {
	if err := f.setup().Validate(); err != nil {
		return usagef("--%w", err)
	}
	switch {
	case f.instances < 1 || f.restarts < 1 || f.steps < 1:
		return usagef("--instances %d --restarts %d --steps %d: each must be at least 1", f.instances, f.restarts, f.steps)
	case f.engine.Partition == "quenched" && f.engine.Estep == "chains":
		return usagef("--partition quenched --estep chains: chains give no ln Z in the random fields; use exact, bethe or tap")
	case f.out != "" && f.tasks > 1:
		return usagef("--out and --tasks %d: one student is followed, not a sequence of sets", f.tasks)
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
	if err := f.prior.check(); err != nil {
		return err
	}
	if err := f.sequence().Validate(); err != nil {
		return usagef("--%w", err)
	}
	switch {
	case f.prior.path != "" && f.oracle:
		return usagef("--prior with --oracle: the Bayes optimum is found for the uniform prior")
	case f.prior.path != "" && f.correlation != 0:
		return usagef("--prior with --correlation %v: teachers are drawn from the prior", f.correlation)
	case f.tasks > 1 && (f.prior.path != "" || f.oracle || f.trace != ""):
		return usagef("--tasks goes with none of --prior, --oracle and --trace")
	case f.trace != "" && filepath.Ext(f.trace) != ".csv":
		return usagef("--trace %s: its name must end in .csv", f.trace)
	}
	return f.engine.check()
}

// sequence returns that of --tasks.
func (f *plantedFlags) sequence() trial.Tasks {
	s := trial.Tasks{Count: f.tasks, Correlation: f.correlated, Strength: f.prior.scale}
	if !f.scaled {
		s.Strength = max(0, f.correlated)
	}
	return s
}

func (f *plantedFlags) setup() trial.Setup {
	return trial.Setup{Visible: f.visible, Hidden: f.hidden, Alpha: f.alpha, Beta: f.beta, Correlation: f.correlation}
}

func (f *plantedFlags) learner() (*trial.Learner, error) {
	rule, err := learningRule(f.rule)
	l := &trial.Learner{
		Restarts: f.restarts, Steps: f.steps, Rate: f.rate, Rule: rule, Polish: f.polish, Chains: f.engine.Chains,
		Engine: func(start *spin.Matrix, key stream.Key) dual.Engine[float32] {
			engine, _ := newEngine[float32](&f.engine, f.visible, f.hidden, start, key)
			return engine
		},
	}
	if f.engine.Partition == "quenched" {
		l.Draws = f.engine.Draws
	}
	return l, err
}

// plantedFromPrior names the stream of a teacher drawn from the prior, below the key of
// a trial, whose own labels are smaller.
const plantedFromPrior = 200

func (c *console) planted(ctx context.Context, f *plantedFlags) error {
	trials := make([]*trial.Trial, f.instances)
	each := func(what string, work func(k int) error) (float64, error) { return c.each(what, f.instances, work) }
	learner, err := f.learner()
	if err != nil {
		return err
	}
	setup := f.setup()
	prior, err := f.prior.load(f.visible, f.hidden)
	if err != nil {
		return err
	}
	if prior != nil {
		learner.Prior = prior.Theta
	}
	report := plantedReport{Visible: f.visible, Hidden: f.hidden, Alpha: f.alpha, Beta: f.beta, Correlation: f.correlation, Samples: setup.Samples(), Seed: c.seed}
	if _, err := each("planting", func(k int) (err error) {
		key := stream.New(c.seed).Sub(uint64(k))
		if prior == nil {
			trials[k], err = trial.Plant(ctx, setup, key)
			return err
		}
		teacher := &rbm.Machine{Params: rbm.NewParams(f.visible, f.hidden, f.beta/math.Sqrt(float64(f.visible))), Synapses: rbm.Binary(prior.Sample(key.Sub(plantedFromPrior)))}
		trials[k], err = trial.PlantTeacher(ctx, setup, teacher, key)
		return err
	}); err != nil {
		return err
	}
	_, why := newEngine[float32](&f.engine, f.visible, f.hidden, nil, 0)
	report.Engine = engineName(why)
	if report.SecondsLearning, err = each("learning", func(k int) error { return trials[k].Learn(ctx, learner) }); err != nil {
		return err
	}
	if f.oracle {
		if report.SecondsOracle, err = each("Bayes optimum", func(k int) error { return trials[k].BayesOptimum(ctx) }); err != nil {
			return err
		}
	}
	if f.trace != "" {
		if report.Trace, err = c.traceFile(ctx, f.trace, trials[0], learner); err != nil {
			return err
		}
	}
	s := trial.Summarise(trials)
	report.Overlap, report.OverlapBest, report.Bound = s.Overlap, s.OverlapBestStart, s.Bound
	for _, t := range trials {
		report.Overlaps = append(report.Overlaps, t.Overlap)
		report.OverlapMean = append(report.OverlapMean, t.OverlapOfMeans)
		report.Bounds = append(report.Bounds, t.Bound)
	}
	if f.engine.Partition == "quenched" {
		report.BoundAnnealed = &s.BoundAnnealed
	}
	if f.oracle {
		for _, t := range trials {
			report.BayesInstances = append(report.BayesInstances, t.Bayes)
		}
		report.Bayes, report.BayesRandomStart = &s.Bayes, &s.BayesRandomStart
		if len(trials) > 1 {
			report.BayesError = &s.BayesError
		}
	}
	if f.out != "" {
		if err := c.follow(ctx, f.out, trials[0], learner, &report); err != nil {
			return err
		}
	}
	c.printPlanted(&report, &s)
	return c.object(report)
}

func (c *console) printPlanted(r *plantedReport, s *trial.Summary) {
	c.printf("N = %d, P = %d, alpha = %g, beta = %g, q = %g: %d instances of %d samples, %s moments\n",
		r.Visible, r.Hidden, r.Alpha, r.Beta, r.Correlation, len(r.Overlaps), r.Samples, r.Engine)
	c.printf("  overlap         %.3f, spread %.3f (of the start with the best bound alone: %.3f)\n", s.Overlap, s.OverlapSpread, s.OverlapBestStart)
	if r.Bayes != nil {
		c.printf("  Bayes-optimal   %.3f, spread %.3f (started at random: %.3f)\n", s.Bayes, s.BayesSpread, s.BayesRandomStart)
	}
	if r.BayesError != nil {
		c.printf("  difference      %+.3f, standard error %.3f\n", s.Overlap-s.Bayes, s.BayesError)
	}
	c.printf("  bound           %.4f nats a sample\n", s.Bound)
	if r.BoundAnnealed != nil {
		c.printf("  the quenched term is no bound; the annealed bound at the same posteriors is %.4f\n", s.BoundAnnealed)
	}
	c.printf("  learning took   %.2f s\n", r.SecondsLearning)
}
