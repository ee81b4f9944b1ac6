package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"bethe/apply"
	"bethe/baseline"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// aisFlags say how long to anneal.
type aisFlags struct{ steps, chains, equilibration int }

func (a *aisFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&a.steps, "ais-steps", evaluate.DefaultTemperatures, "temperatures of annealed importance sampling in each direction, if the likelihood is not exact")
	flags.IntVar(&a.chains, "ais-chains", evaluate.DefaultChains, "chains of annealed importance sampling, and ensembles of tempered chains")
	flags.IntVar(&a.equilibration, "equilibration", evaluate.DefaultEquilibration, "sweeps of tempered chains before reverse annealing")
}

func (a *aisFlags) check() error {
	if a.steps < 1 || a.chains < 2 || a.equilibration < evaluate.LeastEquilibration {
		return usagef("--ais-steps %d --ais-chains %d --equilibration %d: at least 1 step, 2 chains and %d sweeps are needed",
			a.steps, a.chains, a.equilibration, evaluate.LeastEquilibration)
	}
	return nil
}

func newEvalCommand(c *console) *cobra.Command {
	var d dataFlags
	var a aisFlags
	var draws int
	var starts, baselines string
	cmd := &cobra.Command{
		Use: "eval MODEL", Short: "Measure the log-likelihood of data under a model", Args: oneArgument("a model file or run folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.check(); err != nil {
				return err
			}
			if draws != 0 && draws < 2 {
				return usagef("--draws %d: it must be at least 2", draws)
			}
			model := runs.Model(args[0])
			if own, ok, err := apply.OpenEvaluating(model); ok || err != nil {
				return c.evalOwn(cmd.Context(), own, err, model, &d, a.options(evaluate.LikelihoodKey(stream.New(c.seed))), draws, baselines)
			}
			file, err := rbm.LoadKinds(model)
			if err != nil {
				return err
			}
			if draws > 0 {
				if err := evaluate.CheckDraws(file, draws); err != nil {
					return usagef("--draws: %s has %w", model, err)
				}
			}
			d.Units, d.Incomplete, d.Learned = file.VisibleKind, true, apply.Learned(&file.Info)
			set, err := d.load()
			if err != nil {
				return err
			}
			if n := file.Layers().Data(); file.VisibleKind.Bits() && set.Visible() != n {
				return usagef("%s: samples of %d units, and the machine of %s has %d visible ones: name others with --data", d.name, set.Visible(), model, n)
			}
			remembered, path, err := learn.Scouted(model, file.Visible())
			if starts != "" {
				remembered, path, err = d.states(starts)
			}
			if err != nil {
				return err
			}
			report, key := evaluate.Report{Samples: set.Len()}, stream.New(c.seed)
			report.LogLikelihood, err = c.likelihood(cmd.Context(), file, set, remembered, &a, evaluate.LikelihoodKey(key))
			if err != nil {
				return err
			}
			if !report.LogLikelihood.Exact {
				report.Starts = path
			}
			c.printf("%s", report.LogLikelihood.Text(d.name))
			if set.Levels != nil {
				if report.Redrawn, err = evaluate.Redraw(cmd.Context(), file, set.Levels, &report.LogLikelihood, evaluate.LikelihoodKey(key)); err != nil {
					return err
				}
				c.printf("%s", report.Redrawn.Text())
			}
			if draws > 0 {
				if report.Uncertainty, err = c.uncertain(cmd.Context(), file, draws, samplesOf(set), a.options(key)); err != nil {
					return err
				}
				c.printf("%s", report.Uncertainty.Text(report.LogLikelihood.Mean))
			}
			told := evalReport{Model: model, Data: d.name, Report: report}
			if err := c.besides(cmd.Context(), &told, file, set, &d, baselines, &a, key); err != nil {
				return err
			}
			return c.object(told)
		},
	}
	d.register(cmd, "mnist:test")
	a.register(cmd)
	cmd.Flags().StringVar(&starts, "starts", "", "`FILE` of states where the search for heavy states begins too, or none (default: scouts.npz beside the model, left there by train)")
	cmd.Flags().StringVar(&baselines, "baselines", "", "fit well-known models to `DATA`, such as the training part, and measure them beside the machine: Gaussians with full covariance and in mixtures for real numbers, independent units and all pairs for others")
	cmd.Flags().IntVar(&draws, "draws", 0, "also evaluate this many machines drawn from the posterior, and the one with the most probable synapses (default 0)")
	return cmd
}

// evalOwn evaluates a machine with a likelihood of its own kind.
func (c *console) evalOwn(ctx context.Context, m apply.Evaluating, err error, path string, d *dataFlags, opt evaluate.Options, draws int, train string) error {
	if err != nil {
		return err
	}
	if draws > 0 {
		return usagef("--draws: it is not for a %s", apply.Family(m))
	}
	d.Learned, d.Incomplete = apply.LearnedBy(m), apply.Incomplete(m)
	set, err := d.load()
	if err != nil {
		return err
	}
	report := evaluate.Report{Samples: set.Len()}
	if report.LogLikelihood, err = during(c, "annealing", func(progress func(float64)) (evaluate.LogLikelihood, error) {
		opt.Progress = progress
		return m.Evaluate(ctx, set.Samples, set.Missing, opt)
	}); err != nil {
		return err
	}
	c.printf("%s", report.LogLikelihood.Text(d.name))
	told := evalReport{Model: path, Data: d.name, Report: report}
	if err := c.baselines(&told, d, train, func(fitted *dataset.Set) ([]baseline.Score, error) {
		return baseline.BesideBits(ctx, fitted, set, set.Kind, set.Visible())
	}); err != nil {
		return err
	}
	return c.object(told)
}

// evalReport is the object of eval.
type evalReport struct {
	Model string `json:"model"`
	Data  string `json:"data"`
	evaluate.Report
	Groups    *learn.GroupBounds `json:"group_bounds,omitempty"`
	Baselines []baseline.Score   `json:"baselines,omitempty"`
	Fitted    string             `json:"baselines_fitted_to,omitempty"`
}

// besides tells the bounds of hidden groups, and the models that stand beside the machine if any are asked for.
func (c *console) besides(ctx context.Context, r *evalReport, file *rbm.File, set *dataset.Set, d *dataFlags, train string, a *aisFlags, key stream.Key) (err error) {
	annealing := sample.Annealing{Chains: a.chains, Temperatures: min(a.steps, 1000), Key: key.Sub(stream.StartBound)}
	if r.Groups, err = learn.BoundGroups(ctx, file, set, annealing); err != nil {
		return err
	}
	if r.Groups != nil {
		c.printf("%s", r.Groups.Text())
	}
	return c.baselines(r, d, train, func(fitted *dataset.Set) ([]baseline.Score, error) {
		return baseline.Beside(ctx, file, fitted, set, key)
	})
}

// baselines tells the models that stand beside the machine, if a training part is named to fit them to.
func (c *console) baselines(r *evalReport, d *dataFlags, train string, fit func(*dataset.Set) ([]baseline.Score, error)) error {
	if train == "" {
		return nil
	}
	fitted, err := d.loadNamed(train)
	if err != nil {
		return err
	}
	if r.Baselines, err = fit(fitted); err != nil {
		return fmt.Errorf("--baselines %s: %w", train, err)
	}
	r.Fitted = train
	c.printf("other models, fitted to %s:\n%s", train, baseline.Text(r.Baselines))
	return nil
}

// options returns those of an estimate.
func (a *aisFlags) options(key stream.Key) evaluate.Options {
	return evaluate.Options{Temperatures: a.steps, Chains: a.chains, Equilibration: a.equilibration, Drawn: evaluate.DefaultDrawn, Key: key}
}

// likelihood evaluates the machine of a file under a progress bar.
func (c *console) likelihood(ctx context.Context, file *rbm.File, set *dataset.Set, met *spin.Matrix, a *aisFlags, key stream.Key) (evaluate.LogLikelihood, error) {
	opt := a.options(key)
	return during(c, "annealing", func(progress func(float64)) (evaluate.LogLikelihood, error) {
		opt.Progress = progress
		return evaluate.FileLikelihood(ctx, file, samplesOf(set), met, opt)
	})
}

func samplesOf(set *dataset.Set) evaluate.FileSamples {
	return evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals, Missing: set.Missing}
}

// uncertain evaluates machines drawn from the posterior, each under a bar.
func (c *console) uncertain(ctx context.Context, file *rbm.File, draws int, samples evaluate.FileSamples, opt evaluate.Options) (*evaluate.Uncertainty, error) {
	bar := c.progress("annealing")
	defer func() { bar.Done() }()
	opt.Progress = func(f float64) { bar.Set(f, "") }
	return evaluate.Uncertain(ctx, file, draws, samples, opt, func(k, of int) {
		bar.Done()
		c.logf("machine %d of %d\n", k, of)
		bar = c.progress("annealing")
	})
}
