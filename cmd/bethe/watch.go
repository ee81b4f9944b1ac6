package main

import (
	"context"
	"fmt"
	"time"

	"bethe/dual"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

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
	return l.objective.EstimateTerms(ctx, l.model, l.engine, samples, sample.Annealing{
		Chains: chains, Temperatures: temperatures, Key: l.key.Sub(streamBound),
	})
}

// watch returns what happens after each step: progress, now and then the bound,
// and checkpoints.
func (l *learner) watch(ctx context.Context, bar *progress) func(variational.Progress) error {
	boundAt, savedAt, shownAt := time.Now(), time.Now(), time.Time{}
	note := ""
	bound := ""
	some := l.set.Samples.Choose(min(1000, l.set.Len()), l.look.key.Sub(streamBound).Rand())
	return func(p variational.Progress) error {
		if !l.quiet && time.Since(boundAt) > boundEvery {
			if terms, _, err := l.look.terms(ctx, some, 50, 300); err == nil {
				bound = fmt.Sprintf("bound %.2f  ", terms.Bound())
			}
			boundAt = time.Now()
		}
		if time.Since(shownAt) > 200*time.Millisecond {
			shownAt = time.Now()
			note = bound
			if l.f.kind() != variational.Real {
				note += fmt.Sprintf("polarised %.0f %%  J %.4f", 100*l.model.Posterior.Polarised(polarisedAt), p.Coupling)
			}
		}
		bar.set(p.Fraction, note)
		due := time.Since(savedAt) > checkpointEvery
		if l.f.checkpointEvery > 0 {
			due = p.Step%l.f.checkpointEvery == 0
		}
		if due {
			savedAt = time.Now()
			if err := l.save(); err != nil {
				return err
			}
		}
		return nil
	}
}

// polarisedAt is the |mean| above which a synapse counts as polarised.
const polarisedAt = 0.9
