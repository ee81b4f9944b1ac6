package variational

import (
	"context"
	"fmt"

	"bethe/units"
)

// Feed takes one step on a batch that need not be of the trainer's samples: learning from
// a stream. of is the number of samples that the batch stands for; the divergence from
// the prior counts once for all of them. Rates are those of the fraction of learning that
// is done. Labels are not learned. Errors are those of a step; the model is then as it was.
func (t *Trainer[T]) Feed(ctx context.Context, batch units.Data[T], of int) (Progress, error) {
	if h := t.Objective.head; h != nil {
		return Progress{}, fmt.Errorf("labels are learned from samples that are known beforehand, not from batches that come one by one")
	}
	if err := t.Objective.check(t.Model, batch); err != nil {
		return Progress{}, err
	}
	t.samples, t.opt.Batch = batch, batch.Len()
	t.Objective.Samples = max(of, batch.Len())
	t.Objective.Coarse = t.Objective.Samples > batch.Len() && t.opt.Synapses.LogOdds()
	rate := t.opt.Rate * t.opt.share(t.Fraction())
	report, err := t.learn(ctx, rate)
	return Progress{Step: t.state.step, Fraction: t.Fraction(), Rate: rate, Coupling: t.Model.Couplings(), Report: report}, err
}
