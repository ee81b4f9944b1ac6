package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"bethe/dataset"
	"bethe/dual"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/internal/durable"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// trainFlags are what train is told.
type trainFlags struct {
	data     dataFlags
	engine   engineFlags
	hidden   int
	beta     float64
	epochs   int
	steps    int
	time     time.Duration
	batch    int
	rate     float64
	restarts int
	rule     string

	noCentre, noFields, fixedCoupling bool
	undecided                         string

	out             string
	checkpointEvery int
	resume          bool
	evaluate        bool
	ais             aisFlags
}

// Labels of the random streams of a run: those of learning below the key of a
// start, the others below the seed's.
const (
	streamStart = iota
	streamChainStart
	streamChains
	streamBatches
	streamBound
	streamPictures
	streamEvaluate
	streamDraws
	streamSynapses
	streamRestarts
	streamScores
)

// defaultEpochs is what train does when no limit is given.
const defaultEpochs = 25

func newTrainCommand(c *console) *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use: "train", Short: "Learn a machine from data", Args: noArguments,
		Long: `Learns a distribution over the binary synapses of a machine, and its fields and
coupling, from data, and writes to a folder: model.npz (the machine, which
numpy.load opens), pictures of its synapses and of samples, result.json.

With no argument it learns 100 hidden units from the 60,000 handwritten digits
carried inside. Learning ends at the first of --epochs, --steps and --time.
Ctrl-C saves a checkpoint and ends with status 75; the same command with
--resume goes on, to the same bytes as if it had not been stopped (unless
--time is the limit, as then the machine's speed has a say).

--no-fields --no-centre --fixed-coupling --beta 1 is the machine of the paper.`,
		Example: `  bethe train
  bethe train --data mnist --hidden 500 --epochs 60 --seed 1 --out runs/m500
  bethe train --data mydigits.npz --threshold 127 --hidden 64 --time 60s --evaluate --json
  bethe train --hidden 4 --no-fields --no-centre --fixed-coupling --beta 1 --steps 200 --batch 2000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return c.train(cmd.Context(), &f)
		},
	}
	f.data.register(cmd, "mnist")
	f.engine.register(cmd)
	f.ais.register(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.hidden, "hidden", 100, "hidden units")
	flags.Float64Var(&f.beta, "beta", 2.8, "coupling J = beta/sqrt(visible units); where it is learned, the start")
	flags.IntVar(&f.epochs, "epochs", 0, fmt.Sprintf("passes through the data (default %d if no other limit is given)", defaultEpochs))
	flags.IntVar(&f.steps, "steps", 0, "steps of learning")
	flags.DurationVar(&f.time, "time", 0, "time of learning, such as 60s or 10m")
	flags.IntVar(&f.batch, "batch", 500, "samples a step")
	flags.Float64Var(&f.rate, "rate", 0.02, "learning rate of the synapses at the start; it falls linearly to 2 %")
	flags.StringVar(&f.rule, "rule", "adam", "update of the synapses: adam, bayes (natural gradient) or clipped (the paper's)")
	flags.IntVar(&f.restarts, "restarts", 1, "random starts, of which the one with the best bound is kept")
	flags.BoolVar(&f.noCentre, "no-centre", false, "learn without offsets")
	flags.BoolVar(&f.noFields, "no-fields", false, "keep all fields at 0")
	flags.BoolVar(&f.fixedCoupling, "fixed-coupling", false, "do not learn the coupling")
	flags.StringVar(&f.undecided, "undecided", "draw", fmt.Sprintf("synapses of the saved machine whose posterior mean is within ±%v: draw (from the posterior) or sign", rbm.Decided))
	flags.StringVarP(&f.out, "out", "o", "", "folder for the results (default runs/DATA-hHIDDEN-sSEED)")
	flags.IntVar(&f.checkpointEvery, "checkpoint-every", 0, "save a checkpoint every so many steps (default: about every minute)")
	flags.BoolVar(&f.resume, "resume", false, "go on from the folder's checkpoint, or start where there is none")
	flags.BoolVar(&f.evaluate, "evaluate", false, "measure the log-likelihood at the end, of mnist:test where the data is mnist")
	return cmd
}

func (f *trainFlags) check() error {
	if f.epochs == 0 && f.steps == 0 && f.time == 0 {
		f.epochs = defaultEpochs
	}
	switch {
	case f.hidden < 1:
		return usagef("--hidden %d: it must be at least 1", f.hidden)
	case !(f.beta > 0) || math.IsInf(f.beta, 0):
		return usagef("--beta %v: it must be positive and finite", f.beta)
	case f.epochs < 0 || f.steps < 0 || f.time < 0:
		return usagef("--epochs, --steps and --time must not be negative")
	case f.batch < 1:
		return usagef("--batch %d: it must be at least 1", f.batch)
	case !(f.rate > 0) || math.IsInf(f.rate, 0):
		return usagef("--rate %v: it must be positive and finite", f.rate)
	case f.restarts < 1:
		return usagef("--restarts %d: it must be at least 1", f.restarts)
	case f.checkpointEvery < 0:
		return usagef("--checkpoint-every %d: it must not be negative", f.checkpointEvery)
	case f.engine.partition == "quenched" && f.engine.estep == "chains":
		return usagef("--partition quenched --estep chains: chains give no ln Z in the random fields; use exact, bethe or tap")
	case !oneOf(f.undecided, "draw", "sign"):
		return usagef("--undecided %q: it is draw or sign", f.undecided)
	case f.engine.partition == "quenched" && !f.noCentre:
		return usagef("--partition quenched has no form with offsets: add --no-centre")
	}
	if _, err := learningRule(f.rule); err != nil {
		return err
	}
	if err := f.ais.check(); err != nil {
		return err
	}
	return f.engine.check()
}

// learningRule returns the rule of a name.
func learningRule(name string) (variational.Rule, error) {
	switch name {
	case "adam":
		return variational.Adam, nil
	case "bayes":
		return variational.BayesianRule, nil
	case "clipped":
		return variational.ClippedAdam, nil
	}
	return 0, usagef("--rule %q: it is adam, bayes or clipped", name)
}

// trainReport is the JSON object of train.
type trainReport struct {
	Model         string                  `json:"model"`
	Steps         int                     `json:"steps"`
	Seconds       float64                 `json:"seconds"` // of learning, over all resumed runs
	Bound         *float64                `json:"bound_per_sample"`
	BoundAnnealed *float64                `json:"bound_annealed_per_sample,omitempty"` // at the same posterior, where Bound is the quenched one
	BoundBy       string                  `json:"bound_by"`                            // how its partition term was found
	Coupling      float64                 `json:"coupling"`
	Polarised     float64                 `json:"polarised"` // share of synapses with |mean| > 0.9
	SynapseBits   int                     `json:"synapse_bits"`
	Unsettled     int                     `json:"steps_not_converged,omitempty"` // of message passing or mean field
	Seed          uint64                  `json:"seed"`
	LogLikelihood *evaluate.LogLikelihood `json:"log_likelihood,omitempty"`
	Evaluated     string                  `json:"evaluated_on,omitempty"`
}

// A run is one call of train.
type learning struct {
	*console
	f        *trainFlags
	set      *dataset.Set
	out      string
	settings map[string]any
	label    string // the settings as text: what a checkpoint must match
}

func (c *console) train(ctx context.Context, f *trainFlags) error {
	set, err := f.data.load()
	if err != nil {
		return err
	}
	r := &learning{console: c, f: f, set: set, out: f.out}
	r.describe()
	if r.out == "" {
		r.out = filepath.Join("runs", fmt.Sprintf("%s-h%d-s%d", stem(f.data.name), f.hidden, c.seed))
		if !f.resume {
			r.out = unused(r.out)
		}
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	finished, err := r.finished()
	if err != nil || finished != nil {
		if finished != nil {
			err = r.tell(finished)
		}
		return err
	}
	if err := durable.RemoveLeftovers(r.out, r.files()...); err != nil {
		return err
	}
	best, report, err := r.learnAll(ctx)
	if err != nil {
		return err
	}
	if err := r.finish(ctx, best, report); err != nil {
		return err
	}
	return r.tell(report)
}

// describe sets the settings that go into the model file and the label.
func (r *learning) describe() {
	f := r.f
	r.settings = map[string]any{
		"hidden": f.hidden, "beta": f.beta, "epochs": f.epochs, "steps": f.steps, "time": f.time.String(), "batch": f.batch,
		"rate": f.rate, "rule": f.rule, "restarts": f.restarts, "estep": f.engine.estep, "partition": f.engine.partition,
		"chains": f.engine.chains, "sweeps": f.engine.sweeps, "draws": f.engine.draws,
		"centre": !f.noCentre, "fields": !f.noFields, "learn_coupling": !f.fixedCoupling, "undecided": f.undecided,
	}
	text, err := json.Marshal(map[string]any{"data": f.data.name, "threshold": f.data.threshold, "samples": r.set.Len(), "visible": r.set.Visible(), "hash": fmt.Sprintf("%016x", r.set.Samples.Hash()),
		"seed": r.seed, "settings": r.settings})
	if err != nil {
		panic(err) // numbers, words and truths always have a JSON form
	}
	r.label = string(text)
}

// learnAll learns from every start and returns the model with the best bound.
func (r *learning) learnAll(ctx context.Context) (*rbm.Model[float32], *trainReport, error) {
	var best *rbm.Model[float32]
	var bestReport *trainReport
	var seconds float64
	for k := range r.f.restarts {
		model, report, err := r.learnOne(ctx, k)
		if err != nil {
			return nil, nil, err
		}
		seconds += report.Seconds
		if best == nil || *report.Bound > *bestReport.Bound || math.IsNaN(*bestReport.Bound) {
			best, bestReport = model, report
		}
		if r.f.restarts > 1 {
			r.logf("start %d of %d: bound %.3f nats a sample\n", k+1, r.f.restarts, *report.Bound)
		}
	}
	bestReport.Seconds = seconds
	return best, bestReport, nil
}

// files names all that the run writes to its folder.
func (r *learning) files() []string {
	names := []string{modelFile, resultFile, synapsesFile, samplesFile}
	for k := range r.f.restarts {
		names = append(names, filepath.Base(r.checkpointPath(k)))
	}
	return names
}

// checkpointPath is where start k keeps its checkpoint.
func (r *learning) checkpointPath(k int) string {
	if r.f.restarts == 1 {
		return filepath.Join(r.out, checkpointFile)
	}
	return filepath.Join(r.out, fmt.Sprintf("checkpoint-%d.npz", k))
}

// learnOne learns from start k, or goes on with it.
func (r *learning) learnOne(ctx context.Context, k int) (*rbm.Model[float32], *trainReport, error) {
	f, samples := r.f, r.set.Samples
	key := stream.New(r.seed).Sub(streamRestarts).Sub(uint64(k))
	n := samples.Rows()
	model := variational.Model[float32](variational.Start{
		Hidden: f.hidden, Coupling: f.beta / math.Sqrt(float64(n)), Fields: !f.noFields, Centre: !f.noCentre,
		Deviation: 0.3, Key: key.Sub(streamStart),
	}, samples)
	start := chosen(samples, f.engine.chains, key.Sub(streamChainStart))
	engine, why := newEngine[float32](&f.engine, n, f.hidden, start, key.Sub(streamChains))
	opt := variational.Options{
		Steps: f.steps, Epochs: f.epochs, Time: f.time, Batch: f.batch, Rate: f.rate, FinalRate: 0.02, MaxTheta: 4, Key: key.Sub(streamBatches),
	}
	opt.Rule, _ = learningRule(f.rule) // checked before
	if !f.noFields {
		opt.FieldRate = 1
	}
	if !f.fixedCoupling {
		opt.CouplingRate = 0.5
	}
	if !f.noCentre {
		opt.OffsetRate = 0.01
	}
	partition := newPartition(&f.engine, engine, key.Sub(streamDraws))
	trainer, err := variational.NewTrainer(model, samples, partition, variational.Mixture[float32]{}, opt)
	if err != nil {
		return nil, nil, err
	}
	var parts []dual.Stateful
	for _, part := range []any{engine, partition} {
		if p, ok := part.(dual.Stateful); ok {
			parts = append(parts, p)
		}
	}
	// The bound is looked at with an engine of its own: looking must not move
	// what learning keeps from step to step.
	look := &looking{model: model, key: key}
	look.engine, _ = newEngine[float32](&f.engine, n, f.hidden, start, key.Sub(streamScores))
	look.objective = &variational.Objective[float32]{Partition: newPartition(&f.engine, look.engine, key.Sub(streamScores)),
		Average: variational.Mixture[float32]{}, Samples: samples.Cols()}
	path := r.checkpointPath(k)
	if f.resume {
		if _, err := os.Stat(path); err == nil {
			if err := variational.LoadCheckpoint(path, r.label, trainer, parts...); err != nil {
				return nil, nil, err
			}
			r.logf("going on after step %d\n", trainer.Step())
		}
	}
	r.logf("learning %d x %d synapses from %d samples into %s\nexpectation step: %s\n", n, f.hidden, samples.Cols(), r.out, why)
	// A folder that cannot be written to is found out before work is lost.
	save := func() error { return variational.SaveCheckpoint(path, r.label, trainer, parts...) }
	if err := save(); err != nil {
		return nil, nil, fmt.Errorf("the checkpoint cannot be written: %w", err)
	}
	bar := r.progress("learning")
	unsettled := 0 // steps of an engine that had not converged
	watch := r.watch(ctx, trainer, look, bar, save)
	err = trainer.Run(ctx, func(p variational.Progress) error {
		if !p.Report.Converged {
			unsettled++
		}
		return watch(p)
	})
	bar.done()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		if err := save(); err != nil {
			return nil, nil, fmt.Errorf("interrupted after step %d, and the checkpoint cannot be written: %w", trainer.Step(), err)
		}
		return nil, nil, fmt.Errorf("%w after step %d; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, trainer.Step(), r.out)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := save(); err != nil {
		return nil, nil, err
	}
	report, err := r.report(ctx, trainer, look)
	if err == nil && unsettled > 0 {
		r.logf("warning: in %d steps %s had not converged; its moments and bound are not to be trusted there\n", unsettled, report.BoundBy)
		report.Unsettled = unsettled
	}
	if err != nil && ctx.Err() != nil {
		return nil, nil, fmt.Errorf("%w after learning; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, r.out)
	}
	return model, report, err
}

// chosen returns count samples drawn without repetition where there are enough.
func chosen(samples *spin.Matrix, count int, key stream.Key) *spin.Matrix {
	rng := key.Rand()
	order := rng.Perm(samples.Cols())
	columns := make([]int, count)
	for k := range columns {
		columns[k] = order[k%len(order)]
	}
	out := spin.New(samples.Rows(), count)
	samples.Gather(out, columns)
	return out
}

// Times between what a watcher does.
const (
	boundEvery      = 10 * time.Second
	checkpointEvery = time.Minute
)

// looking is what the bound of a model is looked at with.
type looking struct {
	model     *rbm.Model[float32]
	objective *variational.Objective[float32]
	engine    dual.Engine[float32]
	key       stream.Key
}

// terms returns the terms of the bound on samples and how the partition term was found.
func (l *looking) terms(ctx context.Context, samples *spin.Matrix, chains, temperatures int) (variational.Terms, string, error) {
	return terms(ctx, l.objective, l.model, l.engine, samples, sample.Annealing{
		Chains: chains, Temperatures: temperatures, Key: l.key.Sub(streamBound),
	})
}

// watch returns what happens after each step: progress, now and then the bound,
// and checkpoints.
func (r *learning) watch(ctx context.Context, trainer *variational.Trainer[float32], look *looking, bar *progress, save func() error) func(variational.Progress) error {
	boundAt, savedAt, shownAt := time.Now(), time.Now(), time.Time{}
	note := ""
	bound := ""
	some := chosen(r.set.Samples, min(1000, r.set.Len()), look.key.Sub(streamBound))
	return func(p variational.Progress) error {
		if !r.quiet && time.Since(boundAt) > boundEvery {
			if terms, _, err := look.terms(ctx, some, 50, 300); err == nil {
				bound = fmt.Sprintf("bound %.2f  ", terms.Bound())
			}
			boundAt = time.Now()
		}
		if time.Since(shownAt) > 200*time.Millisecond {
			shownAt = time.Now()
			note = fmt.Sprintf("%spolarised %.0f %%  J %.4f", bound, 100*trainer.Model.Posterior.Polarised(polarisedAt), p.Coupling)
		}
		bar.set(p.Fraction, note)
		due := time.Since(savedAt) > checkpointEvery
		if r.f.checkpointEvery > 0 {
			due = p.Step%r.f.checkpointEvery == 0
		}
		if due {
			savedAt = time.Now()
			if err := save(); err != nil {
				return fmt.Errorf("the checkpoint cannot be written: %w", err)
			}
		}
		return nil
	}
}

// polarisedAt is the |mean| above which a synapse counts as polarised.
const polarisedAt = 0.9

// report computes the report of a start that has learned.
func (r *learning) report(ctx context.Context, trainer *variational.Trainer[float32], look *looking) (*trainReport, error) {
	model := trainer.Model
	some := chosen(r.set.Samples, min(10000, r.set.Len()), look.key.Sub(streamBound))
	terms, by, err := look.terms(ctx, some, 100, 1000)
	if err != nil {
		return nil, err
	}
	bound := terms.Bound()
	report := &trainReport{
		Model: filepath.Join(r.out, modelFile), Steps: trainer.Step(), Seconds: trainer.Elapsed().Seconds(), Bound: &bound, BoundBy: by,
		Coupling: model.Coupling, Polarised: model.Posterior.Polarised(polarisedAt), SynapseBits: model.Visible() * model.Hidden(), Seed: r.seed,
	}
	if r.f.engine.partition == "quenched" {
		look.objective.Partition = &dual.Annealed[float32]{Engine: look.engine}
		if terms, _, err = look.terms(ctx, some, 100, 1000); err != nil {
			return nil, err
		}
		other := terms.Bound()
		report.BoundAnnealed = &other
	}
	return report, nil
}

// finish writes the model, the pictures, what --evaluate found, and the result.
func (r *learning) finish(ctx context.Context, model *rbm.Model[float32], report *trainReport) error {
	key := stream.New(r.seed)
	file := &rbm.File{Model: model, Synapses: r.synapses(model.Posterior, key.Sub(streamSynapses)), Info: rbm.Info{
		Program: program(), Seed: r.seed, Data: r.f.data.name, Samples: r.set.Len(), Steps: report.Steps,
		Width: r.set.Width, Height: r.set.Height, Settings: r.settings,
	}}
	if err := file.Save(report.Model); err != nil {
		return err
	}
	if err := figure.WritePNG(filepath.Join(r.out, synapsesFile), figure.Synapses(model.Posterior, r.set.Width, r.set.Height)); err != nil {
		return err
	}
	machine := file.Machine()
	chains := sample.NewMachineChains(machine, 100, key.Sub(streamPictures))
	chains.Start(chosen(r.set.Samples, 100, key.Sub(streamPictures)))
	chains.Sweep(200)
	if err := figure.WritePNG(filepath.Join(r.out, samplesFile), figure.ChainMeans(chains, r.set.Width, r.set.Height)); err != nil {
		return err
	}
	if r.f.evaluate {
		name, set := r.f.data.name, r.set
		if name == "mnist" || name == "mnist:train" {
			name = "mnist:test"
			var err error
			if set, err = r.f.data.loadNamed(name); err != nil {
				return err
			}
		}
		likelihood, err := r.likelihood(ctx, machine, set.Samples, &r.f.ais, key.Sub(streamEvaluate))
		if err != nil {
			if ctx.Err() != nil {
				return fmt.Errorf("%w after learning; nothing is lost: go on with the same command and --resume --out %q", errInterrupted, r.out)
			}
			return err
		}
		report.LogLikelihood, report.Evaluated = &likelihood, name
	}
	return r.writeResult(report)
}

// synapses returns those of the machine that is saved.
func (r *learning) synapses(q *rbm.Posterior[float32], key stream.Key) *spin.Matrix {
	if r.f.undecided == "sign" {
		return q.Sign()
	}
	return q.Typical(key)
}

// tell prints the report.
func (r *learning) tell(report *trainReport) error {
	r.printf("%d steps in %.1f s; bound %.3f nats a sample (%s); coupling %.4f; %.0f %% of the synapses polarised\n",
		report.Steps, report.Seconds, *report.Bound, report.BoundBy, report.Coupling, 100*report.Polarised)
	if report.BoundAnnealed != nil {
		r.printf("the quenched term is no bound; the annealed bound at the same posterior is %.3f\n", *report.BoundAnnealed)
	}
	if report.LogLikelihood != nil {
		r.printLikelihood(report.Evaluated, report.LogLikelihood)
	}
	r.printf("%s  %s  %s\n", report.Model, filepath.Join(r.out, synapsesFile), filepath.Join(r.out, samplesFile))
	return r.object(report)
}
