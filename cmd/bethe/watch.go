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
	"bethe/units"
	"bethe/variational"
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
	return l.objective.EstimateTerms(ctx, l.model, units.NewSpins[float32](samples), sample.Annealing{
		Chains: chains, Temperatures: temperatures, Key: l.key.Sub(streamBound),
	})
}

// watch returns what happens after each step: measurements, progress, and now
// and then checkpoints.
func (l *learner) watch(ctx context.Context, bar *progress, m *measuring) func(variational.Progress) error {
	savedAt, shownAt := time.Now(), time.Time{}
	note := ""
	return func(p variational.Progress) error {
		if err := m.after(ctx, p); err != nil {
			return err
		}
		if time.Since(shownAt) > 200*time.Millisecond {
			shownAt = time.Now()
			note = m.note()
			if l.f.kind().LogOdds() {
				note += fmt.Sprintf("polarised %.0f %%  J %.4f", 100*l.model.Posterior.Polarised(polarisedAt), p.Coupling[0])
			}
		}
		bar.set(p.Fraction, note)
		if l.f.every.due(p.Step, savedAt) {
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
