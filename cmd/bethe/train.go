package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"bethe/dashboard"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/tensorboard"
	"bethe/internal/terminal"
	"bethe/internal/usage"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sampler"
	"bethe/units"
)

// trainFlags are what train is told.
type trainFlags struct {
	data                              dataFlags
	recipe                            learn.Recipe
	layers                            []int // --hidden
	recipeFile                        string
	noCentre, noFields, fixedCoupling bool
	out                               string
	checkpointEvery                   string
	measureEvery                      int
	tensorboard                       bool
	serve                             string // address of the page, if any
	resume                            bool
	validation                        string // data, or a share of the data
	evaluate                          bool
	ais                               aisFlags
	transport                         sampler.Transport
	dryRun                            bool
	meter, work                       bool
}

func newTrainCommand(c *console) *cobra.Command {
	var f trainFlags
	return newTrainCommandOf(&f, c)
}

// newTrainCommandOf returns the command that fills f.
func newTrainCommandOf(f *trainFlags, c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "train", Short: "Learn a machine from data", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.complete(cmd.Flags()); err != nil {
				return err
			}
			return c.train(cmd.Context(), f)
		},
	}
	r := &f.recipe
	*r = learn.Default()
	f.data.register(cmd, "mnist")
	f.data.Incomplete = true
	registerExpectation(cmd.Flags(), &r.Expectation)
	f.ais.register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.recipeFile, "recipe", "", "`FILE` with settings in JSON, such as the run.json of an earlier run; flags on the command line win over it")
	flags.IntVar(&r.Scouts, "scouts", r.Scouts, "chains that are replaced every 100 sweeps by new ones, started far from the data, so that learning sees heavy states there; 0: none")
	flags.IntVar(&r.Probe, "probe", 0, fmt.Sprintf("sweeps between probes: as many scouts, which join the chains only if they find a state far heavier than those of the chains; 0: none (default %d, of spins)", learn.DefaultProbe))
	flags.StringVar(&r.Units, "units", units.Spin, "kind of the visible units: spin, gauss (real numbers) or potts:K (whole numbers below K; potts alone takes as many as there are)")
	flags.StringVar(&r.Fill, "fill", "", "how missing values are filled while learning: mean-field (the default), or zero (as a unit in no field)")
	flags.StringVar(&r.HiddenUnits, "hidden-units", units.Spin, "kind of the hidden units: spin, gauss, group:K (one of K is on) or group?:K (at most one); --hidden counts groups")
	flags.StringVar(&r.Synapses, "synapses", r.Synapses, "binary (learn a distribution over them), or a baseline: real (persistent contrastive divergence), sampled or sign (straight-through)")
	flags.Float64Var(&r.Decay, "decay", r.Decay, "decay of real synapses: this share of them is taken off their gradient")
	flags.Float64Var(&r.ThetaDecay, "theta-decay", 0, fmt.Sprintf("decay of the log-odds theta: each step of Adam first takes off this times the rate of them (decoupled weight decay), so that synapses decide late and turn again (default %v for spins in one hidden layer whose signs settle at the end, but 80/(hidden units) with more than %d of them; 0 with --momentum above 0, --patience, --init or --prior, and for all else)", learn.ThetaDecay, learn.DecayHidden))
	flags.Float64Var(&r.Rare, "rare", 0, "share of the samples: synapses of visible spins that have one of two values in no more of them do not learn. They keep random signs, and fields hold these spins; 0: all learn (default "+fmt.Sprint(learn.Rare)+" where thetas decay by default, else 0)")
	flags.Float64Var(&r.PriorStrength, "prior-strength", r.PriorStrength, "weight of the prior of binary synapses in the gradient. 1: learning climbs the bound; below 1 it decides more synapses; above 1 they stay closer to --prior")
	flags.StringVar(&r.PriorForm, "prior-form", r.PriorForm, "how --prior holds synapses: by its divergence (the default), or elastic: by the second order of that in the means (elastic weight consolidation)")
	flags.Float64Var(&r.FieldPrior, "field-prior", r.FieldPrior, "how strongly the fields of --init are kept: as if they came from this share of the number of samples")
	flags.Float64Var(&r.LabelWeight, "label-weight", r.LabelWeight, "weight of ln p(label), by a classifier of the hidden means that learns along, against a nat of likelihood; 0: labels have no say")
	registerPrior(flags, &r.Prior, &r.PriorScale)
	flags.StringVar(&r.Init, "init", r.Init, "`model.npz` to start from, of an earlier run or of bethe import (default: random synapses)")
	flags.Var(&usage.List[int]{First: &r.Hidden, All: &f.layers, Name: "units"}, "hidden", "hidden `units`; for a deep machine one number for each hidden layer, such as 500,500")
	registerAbove(flags, &r.Above)
	flags.Float64Var(&r.Beta, "beta", r.Beta, fmt.Sprintf("coupling J = beta/sqrt(visible units) at the start (default: J = 1/sqrt(hidden units), with beta at most %v); for real synapses their unit (default %v)", learn.MostBeta, learn.RealBeta))
	flags.IntVar(&r.Epochs, "epochs", r.Epochs, fmt.Sprintf("passes through the data (default: %d, or as many as %d steps take, if no other limit is given)", learn.DefaultEpochs, learn.DefaultSteps))
	flags.IntVar(&r.Steps, "steps", r.Steps, "steps of learning")
	flags.DurationVar(&r.Time, "time", r.Time, "time to learn, such as 60s or 10m, measurements along the way included; the last bound and pictures come after it")
	flags.IntVar(&r.Batch, "batch", r.Batch, "samples in each step")
	flags.Float64Var(&r.Rate, "rate", r.Rate, fmt.Sprintf("highest learning rate of the synapses (default %v; %v where thetas decay and signs settle, less with fewer than %d samples; %v of real ones)", learn.BinaryRate, learn.DecayRate, learn.DecaySamples, learn.RealRate))
	flags.Float64Var(&r.Momentum, "momentum", 0, fmt.Sprintf("beta_1 of Adam for the synapses: share that the average of their gradient keeps in each step, from 0 (the gradient itself) up to less than 1 (default 0 for spins, centred and by adam, else %v)", learn.DefaultMomentum))
	flags.Float64Var(&r.FieldMomentum, "field-momentum", 0, fmt.Sprintf("the same for fields and coupling (default 0 for spins, centred, else %v)", learn.DefaultMomentum))
	registerSchedule(flags, &r.Schedule)
	registerSampling(flags, &r.Sampling, &f.transport)
	registerDirected(flags, &r.Directed)
	flags.StringVar(&r.Rule, "rule", r.Rule, "update of the synapses: adam, bayes (natural gradient), bayes-momentum, clipped (the paper's), lion, schedule-free (with --final-rate 1) or hyperadam (a learned combination of Adams); for a mixture em (the default) or stdp (one pass, counters), for a tree em")
	flags.StringVar(&r.RuleWeights, "rule-weights", r.RuleWeights, "`rule.npz` for --rule hyperadam, made by bethe learn-rule (default: the weights inside this program)")
	flags.IntVar(&r.Restarts, "restarts", r.Restarts, "random starts; the one with the best bound is kept")
	flags.BoolVar(&f.noCentre, "no-centre", false, "learn without offsets")
	flags.BoolVar(&f.noFields, "no-fields", false, "keep all fields at 0")
	flags.BoolVar(&f.fixedCoupling, "fixed-coupling", false, "do not learn the coupling")
	flags.StringVar(&r.Undecided, "undecided", "draw", fmt.Sprintf("synapses of the saved machine whose posterior mean is within ±%v: draw (from the posterior) or sign", rbm.Decided))
	flags.StringVarP(&f.out, "out", "o", "", "folder for the results, made if it is not there (default runs/DATA-hHIDDEN-sSEED)")
	flags.StringVar(&f.checkpointEvery, "checkpoint-every", "1m", "`interval` of checkpoints: a number of steps, such as 500, or a time, such as 2m")
	flags.IntVar(&f.measureEvery, "measure-every", 0, "write a line of metrics.jsonl each time this many steps are done (default: so often that it takes about 3 % of the time)")
	flags.BoolVar(&f.tensorboard, "tensorboard", false, "also write event files that TensorBoard reads")
	flags.StringVar(&f.serve, "serve", "", "show the run on a page while it learns, at this address; --serve alone is "+dashboard.DefaultAddress)
	flags.Lookup("serve").NoOptDefVal = dashboard.DefaultAddress
	flags.BoolVar(&f.dryRun, "dry-run", false, "learn for two seconds, write nothing, and say how many steps, how much time and how much memory the run will take")
	flags.BoolVar(&f.resume, "resume", false, "go on from the folder's checkpoint, or start if there is none; a run that is over goes on if --steps, --epochs or --time is raised (not with --stack)")
	flags.StringVar(&f.validation, "validation", "", "measure the log-likelihood of `DATA` along the way, in about 5 % of the time; a number such as 0.1 holds out that share of the samples. Learning does not look at them")
	flags.BoolVar(&f.meter, "meter", false, "read ln Z and likelihoods every 250 steps (large machines: 1,000) from tempered chains that follow learning, and write them to metrics.jsonl under meter")
	flags.BoolVar(&f.work, "work", false, "add up work, heat and dissipation of the learning chains, and write them to metrics.jsonl under work")
	flags.IntVar(&r.Patience, "patience", r.Patience, "stop early: learn at a constant rate until `K` readings of the meter in a row bring no better likelihood of the --validation data, then go back to the best reading and settle. It needs --meter (0: no early stop; the rate falls)")
	flags.BoolVar(&f.evaluate, "evaluate", false, "measure the log-likelihood of the data at the end, or of mnist:test if the data is mnist")
	return cmd
}

// registerAbove registers what lies above the first hidden layer.
func registerAbove(flags *pflag.FlagSet, a *learn.Above) {
	flags.StringVar(&a.Recognition, "recognition", a.Recognition, "how a deep machine infers its upper layers from a sample: aware (default), stationary (the tightest bound; for small machines), mean (ordinary mean field) or drawn")
	flags.IntVar(&a.Rounds, "recognition-rounds", a.Rounds, "rounds of that inference for each batch (default: as many as suit the kind)")
	flags.Float64Var(&a.Stage, "stage", a.Stage, "share of learning, at its start, in which the synapses above the first hidden layer stay undecided")
	flags.BoolVar(&a.Stack, "stack", a.Stack, "learn a machine for each of the --hidden layers, one after the other, each from draws of the one below (a deep belief network); --steps, --epochs and --time hold for each layer")
	flags.IntVar(&a.Together, "together", a.Together, "`STEPS` in which all machines of a --stack learn at once at the end; the result is kept if its likelihood is higher")
	flags.StringVar(&a.UpperCoupling, "upper-coupling", a.UpperCoupling, "couplings above the first hidden layer: held (the default: 1/sqrt(units below) until learning settles), learned or fixed")
}

// registerDirected registers what tells directed machines.
func registerDirected(flags *pflag.FlagSet, d *learn.Directed) {
	flags.StringVar(&d.Model, "model", d.Model, "family of the machine: rbm, mixture (of --hidden causes) or tree (--hidden causes above groups of --states that each see a --patch)")
	flags.StringVar(&d.Patch, "patch", d.Patch, "side of the patches of a tree, such as 7, or width and height, such as 7x4 (default 7 if samples are pictures)")
	flags.IntVar(&d.States, "states", d.States, fmt.Sprintf("states of each group of a tree (default %d)", learn.DefaultStates))
	flags.IntVar(&d.CounterBits, "counter-bits", d.CounterBits, fmt.Sprintf("bits of each of the two counters of a synapse, with --rule stdp (default %d)", learn.DefaultCounterBits))
	flags.Float64Var(&d.Homeostasis, "homeostasis", d.Homeostasis, fmt.Sprintf("ln weight that a cause loses by each spike, with --rule stdp (default %v)", learn.DefaultHomeostasis))
}

// registerSchedule registers how learning changes as it goes on.
func registerSchedule(flags *pflag.FlagSet, s *learn.Schedule) {
	flags.StringVar(&s.Fall, "fall", s.Fall, "how the rate falls: linear, cosine or geometric")
	flags.Float64Var(&s.FinalRate, "final-rate", s.FinalRate, "rate at the end, as a share of --rate")
	flags.Float64Var(&s.Warmup, "warmup", s.Warmup, "share of learning, at its start, while the rate rises from 0 (default 0)")
	flags.Float64Var(&s.Average, "average", s.Average, "share of learning, at its end, to average thetas, fields and coupling over")
	flags.Float64Var(&s.CouplingRate, "coupling-rate", s.CouplingRate, "learning rate of ln J, as a share of that of the synapses")
	flags.Float64Var(&s.Settle, "settle", 0, fmt.Sprintf("share of learning, at its end, in which the machine with the signs of the posterior learns on by straight-through gradients (default %v if offsets and fields are learned by adam, else 0)", learn.DefaultSettle))
	flags.Float64Var(&s.MaxTheta, "max-theta", s.MaxTheta, "largest |theta|; the posterior mean of a synapse is tanh theta")
	flags.IntVar(&s.FinalSweeps, "final-sweeps", s.FinalSweeps, "sweeps of the chains in each step at the end; --sweeps rises evenly to it (default: --sweeps stays)")
}

// complete completes the recipe by what a file and the flags say and do not say.
func (f *trainFlags) complete(flags *pflag.FlagSet) error {
	r, told, words := &f.recipe, map[string]func() error{}, map[string]string{} // told sets a flag again, to its words
	flags.Visit(func(flag *pflag.Flag) {
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values := list.GetSlice()
			told[flag.Name] = func() error { return list.Replace(values) }
			return
		}
		value := flag.Value.String()
		words[strings.ReplaceAll(flag.Name, "-", "_")] = value
		told[flag.Name] = func() error { return flags.Set(flag.Name, value) }
	})
	var asked []string
	if f.recipeFile != "" {
		var err error
		if *r, asked, err = learn.ReadRecipe(f.recipeFile); err != nil {
			return &usageError{Err: inFlags(err)}
		}
		if *r, asked, err = r.Changed(words, asked); err != nil {
			return &usageError{Err: inFlags(err)}
		}
	}
	names := slices.Sorted(maps.Keys(told))
	if k := slices.Index(names, "hidden"); k > 0 { // first: one layer forgets what a file says of others
		names = slices.Insert(slices.Delete(names, k, k+1), 0, "hidden")
	}
	for _, name := range names {
		asked = append(asked, strings.ReplaceAll(name, "-", "_"))
		if err := told[name](); err != nil { // over the file
			return &usageError{Err: err}
		}
		switch name {
		case "no-centre":
			r.Centre = !f.noCentre
		case "no-fields":
			r.Fields = !f.noFields
		case "fixed-coupling":
			r.LearnCoupling = !f.fixedCoupling
		case "prior", "prior-scale":
			r.PriorHash = "" // of another one
		case "init":
			r.InitHash = ""
		case "hidden":
			r.SetLayers(f.layers)
		case "rule", "rule-weights":
			r.RuleHash = ""
		}
	}
	if err := r.Travel(f.transport, asked[len(asked)-len(names):]...); err != nil {
		return inFlags(err)
	}
	if err := r.Foreign(asked...); err != nil {
		return inFlags(err)
	}
	r.Suit(asked...)
	for _, limit := range r.Limits() {
		if _, there := told[limit]; there && r.Steps == 0 && r.Epochs == 0 && r.Time == 0 {
			return usagef("--%s %s: learning needs a limit: give more with --%s", limit, flags.Lookup(limit).Value, strings.Replace(strings.Join(r.Limits(), ", --"), ", --time", " or --time", 1))
		}
	}
	switch momentum, beta := told["momentum"] != nil, told["beta"] != nil; {
	case momentum && !learn.HasMomentum(r.Rule):
		return usagef("--momentum: --rule %s has none; --rule bayes-momentum has", r.Rule)
	case beta && r.Beta == 0:
		return usagef("--beta 0: it must be positive and finite")
	case told["rate"] != nil && r.Rate == 0:
		return usagef("--rate 0: it must be positive and finite")
	case beta && r.Init != "" && r.Synapses != "real":
		return usagef("--init with --beta: the coupling is that of the machine")
	}
	return cmp.Or(inFlags(r.Check()), f.ais.check())
}

// flagOf returns the flag that a setting and its value stand for.
func flagOf(setting, value string) string {
	switch setting + " " + value {
	case "centre false", "fields false":
		return "--no-" + setting
	}
	if setting == "count" {
		return strings.TrimSpace("-n " + value)
	}
	return strings.TrimSpace("--" + strings.ReplaceAll(setting, "_", "-") + " " + value)
}

// train learns from data.
func (c *console) train(ctx context.Context, f *trainFlags) error {
	job := learn.Job{Seed: c.seed, Program: program(), Command: c.words, Folder: f.out, Resume: f.resume, MeasureEvery: f.measureEvery, Pictures: figure.RunPictures{}, Transport: f.transport, Meter: f.meter, Work: f.work}
	var err error
	if job.Checkpoints, err = learn.ParseInterval(f.checkpointEvery); err != nil {
		return inFlags(err)
	}
	if f.serve != "" {
		if _, err := dashboard.HostOf(f.serve); err != nil {
			return inFlags(err)
		}
	}
	if f.data.Units, err = units.ParseVisible(f.recipe.Units); err != nil {
		return usagef("--units: %w", err)
	}
	if job.Data, err = f.load(f.data.name); err != nil {
		return err
	}
	f.data.Learned.Columns = job.Data.Columns
	if f.data.Units.Word == units.Potts { // as many colours as there are
		f.data.Units, f.recipe.Units = job.Data.Kind, job.Data.Kind.String()
	}
	if f.validation != "" {
		if err := f.validate(&job); err != nil {
			return err
		}
	}
	if f.evaluate {
		on := f.data.name
		if on == "mnist" || strings.HasPrefix(on, "mnist:train") {
			on = "mnist:test"
		}
		job.Evaluation = learn.Evaluation{Asked: true, Options: evaluate.Options{Temperatures: f.ais.steps, Chains: f.ais.chains, Equilibration: f.ais.equilibration, Drawn: evaluate.DefaultDrawn}}
		if job.Evaluation.Data, err = f.load(on); err != nil {
			return err
		}
	}
	if job.Folder == "" {
		job.Folder = f.recipe.FolderOf(f.data.name, c.seed, f.resume)
	}
	if f.dryRun {
		plan, err := learn.Planned(ctx, f.recipe, job)
		if err != nil {
			return inFlags(err)
		}
		c.printf("%s", plan.Text())
		return c.object(plan)
	}
	run, err := learn.Start(f.recipe, job)
	if err != nil {
		return hintOfImport(inFlags(err), f.recipe.Init)
	}
	if left := run.Constant(); len(left) > 0 {
		c.logf("%d columns of %s are constant and left out: %s\n", len(left), f.data.name, learn.Columns(left))
	}
	defer func() { _ = run.Close() }() // the process's end releases the lock too
	watching := []learn.Observer{&trainView{console: c, folder: job.Folder, restarts: f.recipe.Restarts}}
	if f.tensorboard {
		events := &tensorboard.Observer{Folder: job.Folder}
		defer func() { _ = events.Close() }() // each record was flushed
		watching = append(watching, events)
	}
	work := func() error {
		result, err := run.Run(ctx, watching...)
		var interrupted *learn.InterruptedError
		var failed *learn.SamplerError
		switch {
		case errors.As(err, &failed):
			return fmt.Errorf("%w\nnothing is lost: go on with the same command and --resume --out %q", err, job.Folder)
		case errors.As(err, &interrupted) && interrupted.Over:
			return fmt.Errorf("%w after learning; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, job.Folder)
		case errors.As(err, &interrupted):
			return fmt.Errorf("%w after step %d; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, interrupted.Step, job.Folder)
		case err != nil:
			return err
		}
		return c.tell(job.Folder, result)
	}
	if run.Finished() {
		return work()
	}
	return c.serving(ctx, job.Folder, f.serve, work)
}

// validate sets the data that a job validates on.
func (f *trainFlags) validate(job *learn.Job) (err error) {
	share, no := strconv.ParseFloat(f.validation, 64)
	if no != nil {
		job.Validation, err = f.load(f.validation)
		return err
	}
	job.Data, job.Validation, err = learn.HoldOut(job.Data, share, job.Seed)
	return inFlags(err)
}

// load returns data of a name, read as the flags say.
func (f *trainFlags) load(name string) (learn.Data, error) {
	set, err := f.data.loadNamed(name)
	return learn.Data{Set: set, Name: name, Threshold: f.data.threshold, Binarise: f.data.binarise}, err
}

// hintOfImport says how a file becomes one that learning can start from.
func hintOfImport(err error, path string) error {
	if path != "" && strings.Contains(err.Error(), path) && errors.Is(err, rbm.ErrNotModel) {
		return fmt.Errorf("%w; make one of W, vbias and hbias with bethe import", err)
	}
	return err
}

// A trainView shows how learning goes.
type trainView struct {
	learn.Silent
	*console
	folder   string
	restarts int
	stage    learn.Stage // that the bar is of
	bar      *terminal.Bar
}

// Began prints the sizes, the folder and the engine of the run.
func (v *trainView) Began(b learn.Beginning) error {
	if b.Extended > 0 {
		v.logf("the run was over after step %d: it goes on as it ended, at its final rate; one longer run would give another machine\n", b.Extended)
	}
	if b.Resumed {
		v.logf("going on after step %d\n", b.Step)
	}
	hidden := fmt.Sprint(b.Hidden)
	if len(b.Layers) > 0 {
		hidden = strings.Trim(strings.ReplaceAll(fmt.Sprint(b.Layers), " ", " x "), "[]")
	}
	v.logf("learning %d x %s synapses from %d samples into %s\nmoments of the dual network: %s\n", b.Visible, hidden, b.Samples, v.folder, b.Engine)
	return nil
}

// at shows a bar of a stage.
func (v *trainView) at(stage learn.Stage, fraction float64, note string) {
	if v.stage != stage {
		v.stage, v.bar = stage, v.progress(string(stage))
	}
	v.bar.Set(fraction, note)
}

// Stepped moves the bar.
func (v *trainView) Stepped(p learn.Progress) {
	var note string
	if b := p.Bound; b != nil && !math.IsNaN(float64(b.Value)) {
		note = fmt.Sprintf("bound %.2f  ", float64(b.Value))
	}
	if l := p.Labels; l != nil {
		note += fmt.Sprintf("labels %.1f %% wrong  ", 100*float64(l.Error))
	}
	if !math.IsNaN(p.Polarised) {
		note += fmt.Sprintf("polarised %.0f %%  J %.4f", 100*p.Polarised, p.Coupling)
	}
	v.at(learn.Learning, p.Fraction, note)
}

// Recorded says so if early stopping has ended the search for a better reading.
func (v *trainView) Recorded(r *runs.Record) error {
	if p := r.Patience; p != nil && p.Stopped == r.Step {
		v.logf("%s\n", p.Text())
	}
	return nil
}

// Working moves the bar of a later stage.
func (v *trainView) Working(stage learn.Stage, fraction float64) { v.at(stage, fraction, "") }

// Ended takes the bar away.
func (v *trainView) Ended(stage learn.Stage) {
	if v.stage == stage {
		v.bar.Done()
		v.stage = ""
	}
}

// Learned says how a start did.
func (v *trainView) Learned(start int, r *learn.Result) {
	if r.Unsettled > 0 {
		v.logf("warning: in %d steps %s had not converged; its moments and bound are not to be trusted there\n", r.Unsettled, r.BoundBy)
	}
	if v.restarts > 1 {
		v.logf("start %d of %d: bound %.3f nats per sample\n", start+1, v.restarts, *r.Bound)
	}
}

// tell prints the result of a run.
func (c *console) tell(folder string, r *learn.Result) error {
	c.printf("%s", r.Heading())
	c.printf("%s", figure.BoundLine(folder, r.Start))
	c.printf("%s", r.Text())
	c.printf("%s  %s  %s\n", r.Model, filepath.Join(folder, runs.SynapsesFile), filepath.Join(folder, runs.SamplesFile))
	return c.object(r)
}
