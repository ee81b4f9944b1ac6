package learn

import (
	"context"
	"errors"
	"math"

	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Online is learning from batches that come one by one, a step each, at a constant rate.
// It is not safe for concurrent use.
type Online struct {
	run     *Run
	learner *learner
	seen    int // samples in all batches
}

// StartOnline is Start of learning from batches; the job's data are the first of them,
// which tells the number of units, the first fields and the states that chains start at,
// and is not learned yet. Limits, batch, schedule and restarts of the recipe are not
// used: rates stay as they are, and neither averages nor settling end it. So synapses
// that are not decided are drawn. Folders and labels are errors.
func StartOnline(recipe Recipe, job Job) (*Online, error) {
	switch {
	case job.Folder != "":
		return nil, errors.New("learning from batches that come one by one has no run folder")
	case recipe.Patience > 0:
		return nil, setting.Phrase("patience", "{patience}: learning from batches that come one by one ends when its caller ends it")
	case recipe.LabelWeight > 0:
		return nil, setting.Phrase("label_weight", "{label_weight}: labels are not learned from batches that come one by one")
	}
	recipe.Restarts, recipe.Epochs, recipe.Steps, recipe.Time = 1, 0, math.MaxInt32, 0
	recipe.Warmup, recipe.Average, recipe.FinalRate, recipe.FinalSweeps = 0, 0, 1, 0
	if recipe.Settle > 0 {
		recipe.Settle, recipe.Undecided = 0, undecidedDraw
	}
	run, err := Start(recipe, job)
	if err != nil {
		return nil, err
	}
	l, err := run.newLearner(0, nil)
	if err != nil {
		return nil, err
	}
	return &Online{run: run, learner: l}, nil
}

// Step learns from a batch (visible x samples). It stands for total samples; 0: for those
// of all batches so far. Errors are variational.ErrDiverged, of samples that are none or
// have other units, and the context's.
func (o *Online) Step(ctx context.Context, batch *spin.Matrix, total int) (Progress, error) {
	o.seen += batch.Cols()
	if total == 0 {
		total = o.seen
	}
	p, err := o.learner.trainer.Feed(ctx, units.NewSpins[float32](batch), total)
	if err != nil {
		o.seen -= batch.Cols()
		return Progress{}, err
	}
	return Progress{Step: p.Step, Fraction: p.Fraction, Rate: p.Rate, Coupling: p.Coupling[0]}, nil
}

// File returns the machine as it is, with its posterior.
func (o *Online) File() *rbm.File {
	model := o.learner.model.Clone()
	info := o.run.info(o.learner.trainer.Step())
	info.Samples = o.seen
	return o.run.recipe.shipped(model, info, o.run.key().Sub(stream.RunSynapses))
}
