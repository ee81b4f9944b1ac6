package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/dual"
	"bethe/figure"
	"bethe/figure/trials"
	"bethe/internal/usage"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
	"bethe/units"
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
	out         string
	prior       priorFlags
	trace       string
	tasks       int
	correlated  float64 // teachers of consecutive tasks
	strength    float64
	taskAlpha   float64
	scaled      bool  // --prior-scale was given
	layers      []int // --hidden, and --beta, of several hidden layers
	betas       []float64
	recognition string
	stage       float64
	units       string
	hiddenUnits string
	missing     float64
}

func newPlantedCommand(c *console) *cobra.Command {
	var f plantedFlags
	cmd := &cobra.Command{
		Use: "planted", Short: "Learn synapses that were planted, and score them", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.scaled = cmd.Flags().Changed("prior-scale")
			if len(f.layers) > 1 || len(f.betas) > 1 {
				return c.plantedDeep(cmd.Context(), &f, cmd.Flags())
			}
			if err := foreign(cmd.Flags(), "several hidden layers, such as --hidden 8,4", "recognition", "stage"); err != nil {
				return err
			}
			if err := f.check(); err != nil {
				return err
			}
			if f.units != units.Spin || f.hiddenUnits != units.Spin || f.missing != 0 {
				return c.plantedUnits(cmd.Context(), &f, cmd.Flags())
			}
			if f.tasks < 2 {
				if err := foreign(cmd.Flags(), "--tasks of at least 2", "prior-strength", "task-alpha"); err != nil {
					return err
				}
			} else {
				return c.plantedTasks(cmd.Context(), &f)
			}
			return c.planted(cmd.Context(), &f)
		},
	}
	f.engine.register(cmd)
	flags := cmd.Flags()
	usual := trial.DefaultLearner(trial.Setup{}, 12)
	flags.IntVar(&f.visible, "visible", 100, "visible units N")
	f.hidden, f.beta = 2, 1
	flags.Var(&usage.List[int]{First: &f.hidden, All: &f.layers, Name: "units"}, "hidden", "hidden `units` P; several layers as in 8,4")
	flags.Float64Var(&f.alpha, "alpha", 5, "samples per visible unit: M = alpha N")
	flags.Var(&usage.List[float64]{First: &f.beta, All: &f.betas, Name: "numbers"}, "beta", "coupling J = beta/sqrt N of the teacher, known to the learner; with several layers one for each link, where N is the units below it")
	flags.StringVar(&f.recognition, "recognition", variational.Stationary.String(), "with several hidden layers: how to infer the upper ones from a sample: stationary, aware, mean or drawn")
	flags.Float64Var(&f.stage, "stage", trial.DeepStage, "with several hidden layers: share of learning, at its start, in which upper synapses stay undecided")
	flags.Float64Var(&f.correlation, "correlation", 0, "correlation q between the synapses of hidden units")
	flags.IntVar(&f.instances, "instances", 10, "teachers")
	flags.IntVar(&f.restarts, "restarts", usual.Restarts, "random starts of each learner")
	flags.IntVar(&f.steps, "steps", usual.Steps, "steps of each start")
	flags.Float64Var(&f.rate, "rate", usual.Rate, "learning rate at the start; it falls linearly to a tenth")
	flags.StringVar(&f.rule, "rule", "adam", "update of the synapses: adam, bayes (natural gradient), bayes-momentum, clipped (the paper's), lion or schedule-free")
	flags.IntVar(&f.polish, "polish", usual.Polish, "steps of the cavity method after the climb of the bound; none with --partition quenched")
	flags.StringVarP(&f.out, "out", "o", "", "run folder for the first start on the first instance, for bethe plot and bethe serve")
	flags.BoolVar(&f.oracle, "oracle", false, "also find the Bayes-optimal overlap")
	f.prior.register(flags)
	flags.StringVar(&f.units, "units", units.Spin, "kind of the visible units: spin, gauss or potts:K; if not spins, machines with real weights learn the same data for comparison")
	flags.StringVar(&f.hiddenUnits, "hidden-units", units.Spin, "kind of the hidden units: spin, group:K or group?:K; --hidden counts groups")
	flags.Float64Var(&f.missing, "missing", 0, "share of the values that are missing; with it machines with real weights learn the same data for comparison")
	flags.StringVar(&f.trace, "trace", "", "`FILE.csv` for measurements of the first start on the first instance while it learns; its figures go beside it")
	flags.IntVar(&f.tasks, "tasks", 1, "data sets to learn one after the other, each from a teacher like the one before; reports overlaps with old and new teachers")
	flags.Float64Var(&f.correlated, "task-correlation", 0.9, "correlation of the synapses of consecutive teachers, from 0 (unrelated) to 1 (the same); with --tasks also the default of --prior-scale")
	flags.Float64Var(&f.strength, "prior-strength", 1, "weight of the divergence from the prior, with --tasks; above 1 learners forget less and learn less")
	flags.Float64Var(&f.taskAlpha, "task-alpha", 0, "samples per visible unit in all data sets but the first (default --alpha)")
	return cmd
}

// foreign refuses flags that were given and are of something else.
func foreign(flags *pflag.FlagSet, of string, names ...string) error {
	if k := slices.IndexFunc(names, flags.Changed); k >= 0 {
		return usagef("--%s is of %s", names[k], of)
	}
	return nil
}

// plantedDeep plants and learns several hidden layers.
func (c *console) plantedDeep(ctx context.Context, f *plantedFlags, flags *pflag.FlagSet) error {
	if err := foreign(flags, "teachers with one hidden layer", "correlation", "rule", "polish", "out", "prior", "prior-scale", "trace", "tasks", "task-correlation", "estep", "partition", "chains", "sweeps", "draws", "units", "hidden-units", "missing"); err != nil {
		return err
	}
	e := &trial.Deep{Visible: f.visible, Hidden: f.layers, Alpha: f.alpha, Beta: f.betas, Instances: f.instances, Restarts: f.restarts, Steps: trial.DeepSteps, Rate: trial.DeepRate, Stage: f.stage, Oracle: f.oracle, Seed: c.seed}
	switch {
	case len(f.layers) == 1:
		return usagef("--beta %v: --hidden %d has one layer above the visible units, so one number", f.betas, f.hidden)
	case !flags.Changed("beta"):
		e.Beta = slices.Repeat([]float64{f.beta}, len(f.layers))
	}
	if flags.Changed("steps") {
		e.Steps = f.steps
	}
	if flags.Changed("rate") {
		e.Rate = f.rate
	}
	var err error
	if e.Recognition, err = variational.RecognitionOf(f.recognition); err != nil {
		return &usageError{Err: err}
	}
	if err := e.Validate(); err != nil {
		return inFlags(err)
	}
	var r *trial.DeepReport
	if err := c.inStages(func(progress trial.Progress) (err error) {
		r, err = e.Run(ctx, progress)
		return err
	}); err != nil {
		return err
	}
	c.printf("%s", r.Text())
	return c.object(r)
}

func (f *plantedFlags) check() error {
	if err := f.setup().Validate(); err != nil {
		return err
	}
	switch {
	case f.engine.Partition == "quenched" && f.engine.Estep == "chains":
		return usagef("--partition quenched --estep chains: chains give no ln Z in the random fields; use exact, bethe or tap")
	case f.out != "" && f.tasks > 1:
		return usagef("--out and --tasks %d: one student is followed, not a sequence of sets", f.tasks)
	}
	if _, err := learningRule(f.rule); err != nil {
		return err
	}
	if err := f.prior.check(); err != nil {
		return err
	}
	if err := f.sequence().Validate(); err != nil {
		return err
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
	s.Release, s.Alpha = 1-f.strength, f.taskAlpha
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

func (c *console) planted(ctx context.Context, f *plantedFlags) error {
	learner, err := f.learner()
	if err != nil {
		return err
	}
	e := &trial.Experiment{Setup: f.setup(), Instances: f.instances, Learner: learner, Oracle: f.oracle, Seed: c.seed}
	if e.Prior, err = f.prior.load(f.visible, f.hidden); err != nil {
		return err
	}
	if e.Prior != nil {
		learner.Prior = e.Prior.Theta
	}
	_, why := newEngine[float32](&f.engine, f.visible, f.hidden, nil, 0)
	e.Engine = engineName(why)
	var r *trial.Report
	if err := c.inStages(func(progress trial.Progress) (err error) {
		if r, err = e.Run(ctx, progress); err != nil {
			return err
		}
		if f.trace != "" {
			trace, err := r.Trials[0].Watch(ctx, "trace", learner, progress)
			if err != nil {
				return err
			}
			name := strings.TrimSuffix(filepath.Base(f.trace), ".csv")
			if r.Trace, err = figure.SaveWithNumbers(filepath.Dir(f.trace), name, trials.Trace(e.Setup, trace), trials.TraceTable(e.Setup, trace)); err != nil {
				return err
			}
		}
		if f.out == "" {
			return nil
		}
		follow := trial.Following{Folder: f.out, Program: program(), Command: c.words, Progress: progress,
			Draw: func(path string, file *rbm.File) error { return figure.WritePNG(path, figure.FileRows(file)) }}
		err = follow.Follow(ctx, r.Trials[0], learner, r)
		if held := (*trial.FolderError)(nil); errors.As(err, &held) {
			return usagef("%w: choose another --out", err)
		}
		return err
	}); err != nil {
		return err
	}
	c.printf("%s", r.Text())
	return c.object(r)
}

// plantedTasks learns sequences of sets.
func (c *console) plantedTasks(ctx context.Context, f *plantedFlags) error {
	learner, err := f.learner()
	if err != nil {
		return err
	}
	var r *trial.TasksReport
	if err := c.inStages(func(progress trial.Progress) (err error) {
		r, err = f.sequence().Run(ctx, f.setup(), learner, f.instances, c.seed, progress)
		return err
	}); err != nil {
		return err
	}
	c.printf("%s", r.Text())
	return c.object(r)
}

// plantedUnits learns synapses that were planted between units of other kinds than spins.
func (c *console) plantedUnits(ctx context.Context, f *plantedFlags, flags *pflag.FlagSet) error {
	if err := foreign(flags, "complete data of spins", "estep", "partition", "rule", "polish", "out", "oracle", "prior", "trace", "tasks", "correlation"); err != nil {
		return err
	}
	e := &trial.UnitsExperiment{Setup: f.setup(), Instances: f.instances, Restarts: f.restarts, Steps: f.steps, Rate: f.rate, Missing: f.missing, Seed: c.seed}
	var err error
	if e.Visible, err = units.ParseKind(f.units); err != nil {
		return usagef("--units: %w", err)
	}
	if e.Hidden, err = units.ParseKind(f.hiddenUnits); err != nil {
		return usagef("--hidden-units: %w", err)
	}
	var r *trial.UnitsReport
	if err := c.inStages(func(progress trial.Progress) (err error) { r, err = e.Run(ctx, progress); return err }); err != nil {
		return err
	}
	c.printf("%s", r.Text())
	return c.object(r)
}
