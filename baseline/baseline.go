// Package baseline fits well-known models to data, to compare a machine with them on the same
// samples. For real numbers these are independent Gaussians, a full covariance and a mixture of diagonal
// Gaussians; for spins and colours, independent units and all pairs by pseudolikelihood.
package baseline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// A Score is what a model makes of held-out samples, in nats per sample.
type Score struct {
	Model         string   `json:"model"`
	LogLikelihood *float64 `json:"log_likelihood,omitempty"`
	// PseudoLikelihood is the mean of sum_i ln p(v_i | all others): of models whose Z is not known, and of
	// what stands beside them.
	PseudoLikelihood *float64 `json:"pseudo_likelihood,omitempty"`
	Components       int      `json:"components,omitempty"` // of a mixture
	Samples          int      `json:"samples,omitempty"`    // that it was fitted to
}

// Names of models.
const (
	Machine     = "this machine"
	Independent = "independent units"
	Covariance  = "full covariance"
	Mixture     = "mixture of diagonal Gaussians"
	Pairs       = "all pairs, by pseudolikelihood"
)

// Beside fits models to the training samples and measures them on the test samples, both of the
// visible units of a machine. Log-densities of real numbers are those of evaluate.FileLikelihood: in
// units of the deviations of the data that the machine learned from. Of spins and colours there is also the
// pseudolikelihood of the machine. The error is the context's, or tells what does not fit.
func Beside(ctx context.Context, file *rbm.File, train, test *dataset.Set, key stream.Key) ([]Score, error) {
	if train.Kind != file.VisibleKind || test.Kind != file.VisibleKind {
		return nil, fmt.Errorf("samples of %s and %s units for a machine of %s units", train.Kind, test.Kind, file.VisibleKind)
	}
	if train.Missing != nil || test.Missing != nil {
		return nil, errors.New("values are missing: other models are fitted to whole samples and measured on them")
	}
	if file.VisibleKind.Bits() {
		if train.Visible() != file.Visible() || test.Visible() != file.Visible() {
			return nil, fmt.Errorf("samples of %d and %d units for a machine of %d", train.Units(), test.Units(), file.Visible()/file.VisibleKind.Features())
		}
		scores, err := Bits(ctx, train.Samples, test.Samples, file.VisibleKind)
		if err != nil {
			return nil, err
		}
		own, err := evaluate.PseudoLikelihood(ctx, file.Machine(), test.Samples)
		return append(scores, Score{Model: Machine, PseudoLikelihood: &own}), err
	}
	var standard [2]*units.Reals[float32]
	for k, set := range []*dataset.Set{train, test} {
		var err error
		if standard[k], err = file.Scale.Standardised(set.Reals); err != nil {
			return nil, err
		}
	}
	return Numbers(ctx, standard[0], standard[1], key)
}

// Text says scores in lines.
func Text(scores []Score) string {
	var b strings.Builder
	for _, s := range scores {
		name := s.Model
		if s.Components > 0 {
			name = fmt.Sprintf("%s, %d of them", name, s.Components)
		}
		if s.LogLikelihood != nil {
			fmt.Fprintf(&b, "  %-38s %10.3f nats per sample\n", name, *s.LogLikelihood)
		}
		if s.PseudoLikelihood != nil {
			fmt.Fprintf(&b, "  %-38s %10.3f sum of ln p(unit | all others)\n", name, *s.PseudoLikelihood)
		}
	}
	return b.String()
}
