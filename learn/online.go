package learn

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/setting"
	"bethe/stream"
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
// that are not decided are drawn, and thetas do not decay by default. The scale of real numbers is that of the first batch. Folders, labels and directed
// machines are errors.
func StartOnline(recipe Recipe, job Job) (*Online, error) {
	switch {
	case job.Folder != "":
		return nil, errors.New("learning from batches that come one by one has no run folder")
	case recipe.Patience > 0:
		return nil, setting.Phrase("patience", "{patience}: learning from batches that come one by one ends when its caller ends it")
	case recipe.Rare > 0:
		return nil, setting.Phrase(settingRare, "{rare}: a first batch does not tell which spins hardly ever change")
	case recipe.LabelWeight > 0:
		return nil, setting.Phrase("label_weight", "{label_weight}: labels are not learned from batches that come one by one")
	case recipe.directed():
		return nil, setting.Phrase("model", "{model %s} learns by whole passes, not from batches that come one by one", recipe.Model)
	}
	recipe.Restarts, recipe.Epochs, recipe.Steps, recipe.Time = 1, 0, math.MaxInt32, 0
	recipe.Warmup, recipe.Average, recipe.FinalRate, recipe.FinalSweeps = 0, 0, 1, 0
	if recipe.Settle > 0 {
		recipe.Settle, recipe.Undecided = 0, undecidedDraw
	}
	recipe.completeDecay(0, true)
	run, err := Start(recipe, job)
	if err != nil {
		return nil, err
	}
	l, err := newLearner(run, 0, nil)
	if err != nil {
		return nil, err
	}
	return &Online{run: run, learner: l}, nil
}

// Step learns from a batch. It stands for total samples; 0: for those
// of all batches so far. Errors are variational.ErrDiverged, of samples that are none or
// have other units, and the context's.
func (o *Online) Step(ctx context.Context, batch Data, total int) (Progress, error) {
	if of := &o.run.job.Data; batch.Kind != of.Kind || batch.Visible() != of.Visible() {
		return Progress{}, fmt.Errorf("a batch of %d features of %s units, where the first had %d of %s units", batch.Visible(), batch.Kind, of.Visible(), of.Kind)
	}
	o.seen += batch.Len()
	if total == 0 {
		total = o.seen
	}
	p, err := o.learner.trainer.Feed(ctx, o.run.learned(batch), total)
	if err != nil {
		o.seen -= batch.Len()
		return Progress{}, err
	}
	return Progress{Step: p.Step, Fraction: p.Fraction, Rate: p.Rate, Coupling: p.Coupling[0]}, nil
}

// File returns the machine as it is, with its posterior.
func (o *Online) File() *rbm.File {
	file := o.run.ships(o.learner.model.Clone(), o.learner.trainer.Step(), o.run.key().Sub(stream.RunSynapses))
	file.Info.Samples = o.seen
	return file
}
