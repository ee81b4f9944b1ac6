package learn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/stream"
	"bethe/variational"
)

// HoldOut takes a share of samples, between 0 and 1, out of data, to validate on. The seed
// decides which; the others keep their order and their labels. The error is a
// *SettingError.
func HoldOut(data Data, share float64, seed uint64) (rest, held Data, err error) {
	m := data.Len()
	count := int(math.Round(share * float64(m)))
	if !(share > 0 && share < 1) || count < 1 || count >= m {
		return Data{}, Data{}, setting.Phrase("validation", "{validation %v}: of %d samples some must be held out, and some must stay", share, m)
	}
	order := stream.New(seed).Sub(stream.RunValidation).Rand().Perm(m)
	slices.Sort(order[:count])
	slices.Sort(order[count:])
	held = data.some(order[:count])
	held.Name = fmt.Sprintf("%d samples held out of %s", count, data.Name)
	return data.some(order[count:]), held, nil
}

// some returns some of the samples.
func (d Data) some(places []int) Data {
	d.Set = d.Subset(places)
	return d
}

// maxValidation is the number of samples of validation data that are looked at.
const maxValidation = 10000

// checkValidation returns an error if there are data to validate on that do not fit.
func (r *Run) checkValidation() error {
	d := &r.job.Validation
	if d.Set == nil {
		return nil
	}
	if d.Len() == 0 {
		return setting.Phrase("validation", "{validation}: %s: no samples", d.Name)
	}
	if n, visible := d.Visible(), r.job.Data.Visible(); n != visible {
		return setting.Phrase("validation", "{validation}: %s: samples of %d units to validate a machine of %d visible units", d.Name, n, visible)
	}
	return nil
}

// newValidation returns the pace of validation, whose first time costs what it can be
// expected to.
func (m *measuring) newValidation() pace {
	p := pace{share: 0.05, gap: 5 * time.Second, last: time.Now()}
	visible, hidden := m.model.Visible(), m.model.Hidden()
	if n := min(visible, hidden); n <= rbm.MaxExact {
		p.expect(time.Duration(float64(uint64(1)<<n) * float64(visible+hidden))) // a nanosecond each
	}
	return p
}

// validates reports whether there are data to validate on.
func (m *measuring) validates() bool { return m.job.Validation.Set != nil }

// validate measures the log-likelihood of the machine of a model, as it would be shipped, on the
// validation data: exactly, or by short annealing. Its streams are its own. The error
// is the context's, or tells of a likelihood that is no number.
func (m *measuring) validate(ctx context.Context, model *rbm.Model[float32], step int) (*runs.LogLikelihood, error) {
	d := &m.job.Validation
	key := m.look.key.Sub(stream.StartValidation)
	samples := d.choose(min(maxValidation, d.Len()), key.Rand())
	file := m.ships(model, step, m.key().Sub(stream.RunSynapses))
	estimate, err := likelihood(ctx, file, samples, nil, evaluate.Options{
		Temperatures: 500, Chains: 32, Equilibration: 100, Key: key,
	})
	if err != nil {
		return nil, err
	}
	return recordedLikelihood(d.Name, &estimate), nil
}

// validateAlong validates into a record. It tells no error: the next step meets the same one.
func (m *measuring) validateAlong(ctx context.Context, r *runs.Record) {
	if v, err := m.validate(ctx, m.model, r.Step); err == nil {
		r.Validation = v
	}
}

// validateResult validates the machine that a start ships.
func (m *measuring) validateResult(ctx context.Context, result *Result) error {
	if !m.validates() {
		return nil
	}
	v, err := m.validate(ctx, m.trainer.Result(), result.Steps)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: %w: %w", m.job.Validation.Name, variational.ErrDiverged, err)
	}
	result.Validation = v
	return err
}
