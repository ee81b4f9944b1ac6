package main

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"bethe/dual"
	"bethe/evaluate"
	"bethe/figure"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/stream"
	"bethe/variational"
)

// trainReport is the JSON object of train.
type trainReport struct {
	Model         string                  `json:"model"`
	Steps         int                     `json:"steps"`
	Seconds       float64                 `json:"seconds"` // of learning, over all resumed runs
	Bound         *float64                `json:"bound_per_sample"`
	BoundAnnealed *float64                `json:"bound_annealed_per_sample,omitempty"` // at the same posterior, where Bound is the quenched one
	BoundBy       string                  `json:"bound_by"`                            // how its partition term was found
	Coupling      float64                 `json:"coupling"`
	Polarised     *float64                `json:"polarised"` // share of synapses with |mean| > 0.9; null where they are real
	SynapseBits   int                     `json:"synapse_bits"`
	Unsettled     int                     `json:"steps_not_converged,omitempty"` // of message passing or mean field
	Seed          uint64                  `json:"seed"`
	LogLikelihood *evaluate.LogLikelihood `json:"log_likelihood,omitempty"`
	Evaluated     string                  `json:"evaluated_on,omitempty"`
	start         int                     // which random start it is of
}

// report computes the report of a start that has learned, and the terms of its
// bound.
func (l *learner) report(ctx context.Context) (*trainReport, variational.Terms, error) {
	model, look := l.trainer.Result(), l.look
	look.model = model
	some := l.set.Samples.Choose(min(10000, l.set.Len()), look.key.Sub(streamBound).Rand())
	terms, by, err := look.terms(ctx, some, 100, 1000)
	if err != nil {
		return nil, terms, err
	}
	bound := terms.Bound()
	report := &trainReport{
		Model: filepath.Join(l.out, runs.ModelFile), Steps: l.trainer.Step(), Seconds: l.trainer.Elapsed().Seconds(), Bound: &bound, BoundBy: by,
		Coupling: model.Coupling, SynapseBits: model.Visible() * model.Hidden(), Seed: l.seed, start: l.start,
	}
	if l.f.kind() == variational.Real {
		report.SynapseBits *= 32
	} else {
		polarised := model.Posterior.Polarised(polarisedAt)
		report.Polarised = &polarised
	}
	if l.f.engine.partition == "quenched" {
		look.objective.Partition = &dual.Annealed[float32]{Engine: look.engine}
		annealed, _, err := look.terms(ctx, some, 100, 1000)
		if err != nil {
			return nil, terms, err
		}
		other := annealed.Bound()
		report.BoundAnnealed = &other
	}
	return report, terms, nil
}

// finish writes the model, the pictures, what --evaluate found, and the result.
func (r *learning) finish(ctx context.Context, model *rbm.Model[float32], report *trainReport) error {
	key := stream.New(r.seed)
	file := r.file(model, r.info(report.Steps), key.Sub(streamSynapses))
	if err := file.Save(report.Model); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(r.out, runs.LiveFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := figure.WritePNG(filepath.Join(r.out, runs.SynapsesFile), figure.FileSynapses(file)); err != nil {
		return err
	}
	machine := file.Machine()
	chains := sample.NewMachineChains(machine, 100, key.Sub(streamPictures))
	chains.Start(r.set.Samples.Choose(100, key.Sub(streamPictures).Rand()))
	if err := r.sweep(ctx, "drawing", 200, func() { chains.Sweep(1) }); err != nil {
		return r.interruptedAtEnd()
	}
	if err := figure.WritePNG(filepath.Join(r.out, runs.SamplesFile), figure.ChainMeans(chains, r.set.Width, r.set.Height)); err != nil {
		return err
	}
	if r.f.evaluate {
		name, set := r.f.data.name, r.set
		if name == "mnist" || strings.HasPrefix(name, "mnist:train") {
			name = "mnist:test"
			var err error
			if set, err = r.f.data.loadNamed(name); err != nil {
				return err
			}
		}
		likelihood, err := r.likelihood(ctx, machine, set.Samples, &r.f.ais, key.Sub(streamEvaluate))
		if err != nil {
			if ctx.Err() != nil {
				return r.interruptedAtEnd()
			}
			return err
		}
		report.LogLikelihood, report.Evaluated = &likelihood, name
		if err := r.recordLikelihood(report); err != nil {
			return err
		}
	}
	return r.writeResult(report)
}

// info says how a model was made.
func (r *learning) info(steps int) rbm.Info {
	return rbm.Info{
		Program: program(), Seed: r.seed, Data: r.f.data.name, Samples: r.set.Len(), Steps: steps,
		Width: r.set.Width, Height: r.set.Height, Settings: r.settings,
	}
}

// file returns what is saved: a machine, and the posterior it is of.
func (r *learning) file(model *rbm.Model[float32], info rbm.Info, key stream.Key) *rbm.File {
	if r.f.kind() == variational.Real {
		return rbm.RealFile(&rbm.Machine{Params: model.Params, Weights: model.Posterior.Theta}, info)
	}
	file := &rbm.File{Model: model, Info: info}
	if r.f.undecided == "sign" {
		file.Synapses = model.Posterior.Sign()
	} else {
		file.Synapses = model.Posterior.Typical(key)
	}
	return file
}

// printBound draws how the bound rose, on a line.
func (r *learning) printBound() {
	records, err := runs.ReadRecords(r.out)
	if err != nil || r.json {
		return // the line is a pleasure, not a result
	}
	var bounds []float64
	for k := range records {
		if b := records[k].Bound; b != nil && !math.IsNaN(float64(b.Value)) {
			bounds = append(bounds, float64(b.Value))
		}
	}
	const width = 40
	if line := figure.Sparkline(bounds, width); line != "" {
		r.printf("bound  %.2f %s %.2f\n", bounds[0], line, bounds[len(bounds)-1])
	}
}

// tell prints the report.
func (r *learning) tell(report *trainReport) error {
	r.printf("%d steps in %.1f s; bound %.3f nats a sample (%s); coupling %.4f", report.Steps, report.Seconds, *report.Bound, report.BoundBy, report.Coupling)
	if report.Polarised != nil {
		r.printf("; %.0f %% of the synapses polarised", 100**report.Polarised)
	}
	r.printf("\n")
	r.printBound()
	if report.BoundAnnealed != nil {
		r.printf("the quenched term is no bound; the annealed bound at the same posterior is %.3f\n", *report.BoundAnnealed)
	}
	if report.LogLikelihood != nil {
		r.printLikelihood(report.Evaluated, report.LogLikelihood)
	}
	r.printf("%s  %s  %s\n", report.Model, filepath.Join(r.out, runs.SynapsesFile), filepath.Join(r.out, runs.SamplesFile))
	return r.object(report)
}
