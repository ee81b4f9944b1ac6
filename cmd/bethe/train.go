package main

import (
	"fmt"
	"math"
	"time"

	"github.com/spf13/cobra"

	"bethe/dashboard"
	"bethe/rbm"
	"bethe/variational"
)

// trainFlags are what train is told.
type trainFlags struct {
	data     dataFlags
	engine   engineFlags
	synapses string
	decay    float64
	prior    float64
	labels   float64 // weight of ln p(label)
	earlier  priorFlags
	from     initFlags
	hidden   int
	beta     float64
	ownBeta  bool // beta was not asked for
	epochs   int
	steps    int
	time     time.Duration
	batch    int
	rate     float64
	schedule scheduleFlags
	restarts int
	rule     string

	noCentre, noFields, fixedCoupling bool
	undecided                         string

	out             string
	checkpointEvery string
	every           interval // between checkpoints
	measureEvery    int
	tensorboard     bool
	serve           string // address of the page, if any
	resume          bool
	evaluate        bool
	ais             aisFlags
}

func newTrainCommand(c *console) *cobra.Command {
	var f trainFlags
	return newTrainCommandOf(&f, c)
}

// newTrainCommandOf returns the command that fills f.
func newTrainCommandOf(f *trainFlags, c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "train", Short: "Learn a machine from data", Args: noArguments,
		Long: `Learns a distribution over the binary synapses of a machine, and its fields and
coupling, from data, and writes to a folder: model.npz (the machine, which
numpy.load opens), pictures of its synapses and of samples, result.json, and
metrics.jsonl, a line for each measurement along the way (see bethe plot).

With no argument it learns 100 hidden units from the 60,000 handwritten digits
carried inside. Learning ends at the first of --epochs, --steps and --time.
Ctrl-C saves a checkpoint and ends with status 75; the same command with
--resume goes on, to the same bytes as if it had not been stopped (unless
--time is the limit, as then the machine's speed has a say).

Towards the end (--settle) the signs of the posterior learn on as one machine:
the one that is saved. With --settle 0 it has the signs of the synapses that are
decided, and draws of the others.

With --init learning starts from the machine of a model file: of an earlier run,
or one that another program learned with real weights (see bethe import). Binary
synapses take their signs from real weights and their certainty from their sizes:
the coupling becomes the root mean square of the weights, and the mean of a synapse
the weight divided by it, up to ±0.96; real synapses start at the weights. Fields
and offsets follow, so that the machine is the same seen from these data.

With --label-weight W the labels of the data have a say in what the hidden units
look at: a linear classifier of the hidden means learns along, and W times the
mean ln p(label) that it gives, from a random half of the means, joins the bound.
Labels are better read from such features (see bethe features), at a price in
likelihood. The model file holds the machine alone.

--no-fields --no-centre --fixed-coupling --beta 1 is the machine of the paper.`,
		Example: `  bethe train
  bethe train --data mnist --hidden 500 --epochs 60 --seed 1 --out runs/m500 --serve
  bethe train --data mydigits.npz --threshold 127 --hidden 64 --time 60s --evaluate --json
  bethe train --data monday.npz --hidden 64 --out runs/monday
  bethe train --data tuesday.npz --hidden 64 --prior runs/monday/model.npz --out runs/tuesday
  bethe train --data digits.npz --hidden 64 --init imported.npz --out runs/binary
  bethe train --hidden 500 --label-weight 100 --time 6m --out runs/features
  bethe train --hidden 4 --no-fields --no-centre --fixed-coupling --beta 1 --steps 200 --batch 2000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.byKind(cmd.Flags().Changed)
			if err := f.check(); err != nil {
				return err
			}
			return c.train(cmd.Context(), f)
		},
	}
	f.data.register(cmd, "mnist")
	f.engine.register(cmd)
	f.ais.register(cmd)
	flags := cmd.Flags()
	flags.IntVar(&f.engine.scouts, "scouts", 32, "chains replaced every 100 sweeps by new ones from states far from data, so that learning sees what is heavy there; 0: none")
	flags.StringVar(&f.synapses, "synapses", "binary", "binary (learn a distribution over them), or a baseline: real (persistent contrastive divergence), sampled or sign (straight-through)")
	flags.Float64Var(&f.decay, "decay", 0, "decay of real synapses: what is taken off their gradient, as a share of themselves")
	flags.Float64Var(&f.prior, "prior-strength", 1, "weight of the prior of binary synapses in the gradient, from 0 to 1; 1 climbs the bound, less decides more synapses")
	flags.Float64Var(&f.labels, "label-weight", 0, "weight, against a nat of likelihood, of ln p(label) by a classifier of the hidden means that learns along; 0: labels are not looked at")
	f.earlier.register(flags)
	f.from.register(flags)
	flags.IntVar(&f.hidden, "hidden", 100, "hidden units")
	flags.Float64Var(&f.beta, "beta", 0, fmt.Sprintf("coupling J = beta/sqrt(visible units); where it is learned, the start (default: J = 1/sqrt(hidden units), with beta at most %v); of real synapses the unit (default %v)", mostBeta, realBeta))
	flags.IntVar(&f.epochs, "epochs", 0, fmt.Sprintf("passes through the data (default %d if no other limit is given)", defaultEpochs))
	flags.IntVar(&f.steps, "steps", 0, "steps of learning")
	flags.DurationVar(&f.time, "time", 0, "time of learning, such as 60s or 10m")
	flags.IntVar(&f.batch, "batch", 500, "samples a step")
	flags.Float64Var(&f.rate, "rate", 0.02, fmt.Sprintf("learning rate of the synapses at its highest; of real ones %v by default", realRate))
	f.schedule.register(flags)
	flags.StringVar(&f.rule, "rule", "adam", "update of the synapses: adam, bayes (natural gradient) or clipped (the paper's)")
	flags.IntVar(&f.restarts, "restarts", 1, "random starts, of which the one with the best bound is kept")
	flags.BoolVar(&f.noCentre, "no-centre", false, "learn without offsets")
	flags.BoolVar(&f.noFields, "no-fields", false, "keep all fields at 0")
	flags.BoolVar(&f.fixedCoupling, "fixed-coupling", false, "do not learn the coupling")
	flags.StringVar(&f.undecided, "undecided", "draw", fmt.Sprintf("synapses of the saved machine whose posterior mean is within ±%v: draw (from the posterior) or sign", rbm.Decided))
	flags.StringVarP(&f.out, "out", "o", "", "folder for the results (default runs/DATA-hHIDDEN-sSEED)")
	flags.StringVar(&f.checkpointEvery, "checkpoint-every", defaultInterval, "`interval` of checkpoints: a number of steps, such as 500, or a time, such as 2m")
	flags.IntVar(&f.measureEvery, "measure-every", 0, "write a line of metrics.jsonl every so many steps (default: now and then, in about 3 % of the time)")
	flags.BoolVar(&f.tensorboard, "tensorboard", false, "also write event files that TensorBoard reads")
	flags.StringVar(&f.serve, "serve", "", "show the run on a page while it learns, at this address; --serve alone is "+dashboard.DefaultAddress)
	flags.Lookup("serve").NoOptDefVal = dashboard.DefaultAddress
	flags.BoolVar(&f.resume, "resume", false, "go on from the folder's checkpoint, or start where there is none")
	flags.BoolVar(&f.evaluate, "evaluate", false, "measure the log-likelihood at the end, of mnist:test where the data is mnist")
	return cmd
}

// byKind sets what was not asked for to what suits the kind of synapses.
func (f *trainFlags) byKind(asked func(flag string) bool) {
	f.ownBeta = !asked("beta")
	if f.synapses == "real" {
		f.fixedCoupling = true // it is only the unit of the synapses
		if !asked("rate") {
			f.rate = realRate
		}
	}
	ofData := !f.noCentre && !f.noFields // and not the paper's machine
	if f.synapses == "binary" && f.rule == "adam" && f.engine.partition == "annealed" && ofData && !asked("settle") && !asked("undecided") {
		f.schedule.settle = defaultSettle
	}
	if f.synapses == "sign" || f.schedule.settle > 0 {
		f.undecided = "sign"
	}
}

// setBeta sets the coupling to what suits the machine, unless it was asked for.
// The more hidden units there are, the smaller is the coupling that learning
// ends at; it should not start far from there, as a coupling that falls far
// early freezes the synapses.
func (f *trainFlags) setBeta(visible int) {
	switch {
	case !f.ownBeta:
	case f.synapses == "real":
		f.beta = realBeta
	default:
		f.beta = min(mostBeta, math.Sqrt(float64(visible)/float64(f.hidden)))
	}
}

// What settings are where nothing is asked for.
const (
	defaultEpochs = 25 // if no other limit is given
	defaultSettle = 0.3
	mostBeta      = 2.8
	realRate      = 0.05
)

// realBeta is the coupling, times sqrt(visible units), that real synapses are
// counted in.
const realBeta = 1

func (f *trainFlags) check() error {
	if f.epochs == 0 && f.steps == 0 && f.time == 0 {
		f.epochs = defaultEpochs
	}
	switch {
	case f.hidden < 1:
		return usagef("--hidden %d: it must be at least 1", f.hidden)
	case !f.ownBeta && !(f.beta > 0) || math.IsInf(f.beta, 0):
		return usagef("--beta %v: it must be positive and finite", f.beta)
	case f.epochs < 0 || f.steps < 0 || f.time < 0:
		return usagef("--epochs, --steps and --time must not be negative")
	case f.batch < 1:
		return usagef("--batch %d: it must be at least 1", f.batch)
	case !(f.rate > 0) || math.IsInf(f.rate, 0):
		return usagef("--rate %v: it must be positive and finite", f.rate)
	case f.restarts < 1:
		return usagef("--restarts %d: it must be at least 1", f.restarts)
	case !oneOf(f.synapses, "binary", "real", "sampled", "sign"):
		return usagef("--synapses %q: it is binary, real, sampled or sign", f.synapses)
	case f.synapses != "binary" && f.engine.partition == "quenched":
		return usagef("--synapses %s --partition quenched: the quenched form is that of a posterior over binary synapses", f.synapses)
	case f.schedule.settle > 0 && (f.synapses != "binary" || f.rule != "adam" || f.engine.partition == "quenched"):
		return usagef("--settle is of --synapses binary, learned by --rule adam and --partition annealed")
	case f.synapses != "binary" && f.rule != "adam":
		return usagef("--synapses %s --rule %s: rules but adam move a posterior over binary synapses", f.synapses, f.rule)
	case !(f.decay >= 0) || math.IsInf(f.decay, 0):
		return usagef("--decay %v: it must not be negative, and finite", f.decay)
	case !(f.prior >= 0 && f.prior <= 1):
		return usagef("--prior-strength %v: it must lie between 0 and 1", f.prior)
	case !(f.labels >= 0) || math.IsInf(f.labels, 0):
		return usagef("--label-weight %v: it must not be negative, and finite", f.labels)
	case f.earlier.path != "" && f.synapses != "binary":
		return usagef("--prior is of --synapses binary, not %s", f.synapses)
	case f.from.path != "" && f.restarts > 1:
		return usagef("--init with --restarts %d: there is one start", f.restarts)
	case f.from.path != "" && f.noFields:
		return usagef("--init with --no-fields: the fields are part of the machine")
	case f.from.path != "" && !f.ownBeta && f.synapses != "real":
		return usagef("--init with --beta: the coupling is that of the machine")
	case f.decay > 0 && f.synapses != "real":
		return usagef("--decay is of --synapses real; others have a prior")
	case f.measureEvery < 0:
		return usagef("--measure-every %d: it must not be negative", f.measureEvery)
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
	if err := f.earlier.check(); err != nil {
		return err
	}
	if err := f.schedule.check(); err != nil {
		return err
	}
	var err error
	if f.every, err = parseInterval(f.checkpointEvery); err != nil {
		return err
	}
	if err := f.ais.check(); err != nil {
		return err
	}
	return f.engine.check()
}

// kind returns what the thetas of the model stand for.
func (f *trainFlags) kind() variational.Synapses {
	switch f.synapses {
	case "real":
		return variational.Real
	case "sampled":
		return variational.Sampled
	case "sign":
		return variational.Sign
	}
	return variational.Posterior
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
