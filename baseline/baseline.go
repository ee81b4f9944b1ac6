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
// pseudolikelihood of the machine, but of deep machines, and of too many hidden units (rbm.ErrTooLarge) if values are missing. Then all
// numbers are of the known values. The error is the context's, or tells what does not fit.
func Beside(ctx context.Context, file *rbm.File, train, test *dataset.Set, key stream.Key) ([]Score, error) {
	if file.VisibleKind.Bits() {
		scores, err := BesideBits(ctx, train, test, file.VisibleKind, file.Layers().Data())
		if err != nil || file.Layers().Depth() > 1 {
			return scores, err // P(v_i | all others) is no sum over the states of one layer of a deep machine
		}
		own, err := pseudoLikelihood(ctx, file, test)
		if errors.Is(err, rbm.ErrTooLarge) {
			return scores, nil
		}
		return append(scores, Score{Model: Machine, PseudoLikelihood: &own}), err
	}
	if err := ofKind(train, test, file.VisibleKind); err != nil {
		return nil, err
	}
	var standard [2]table
	for k, set := range []*dataset.Set{train, test} {
		numbers, err := file.Scale.Standardised(set.Reals)
		if err != nil {
			return nil, err
		}
		holes := set.Missing
		if holes != nil {
			holes = file.Scale.Rows(holes)
		}
		standard[k] = tableOf(numbers, holes)
	}
	return fitted(ctx, standard[0], standard[1], key)
}

// pseudoLikelihood is that of the machine of a file.
func pseudoLikelihood(ctx context.Context, file *rbm.File, test *dataset.Set) (float64, error) {
	if test.Missing == nil {
		return evaluate.PseudoLikelihood(ctx, file.Machine(), test.Samples)
	}
	return evaluate.PseudoObserved(ctx, file.Machine(), evaluate.Incomplete{Bits: test.Samples, Missing: test.Missing})
}

// BesideBits is Beside of spins or colours alone, for any model of so many visible features.
func BesideBits(ctx context.Context, train, test *dataset.Set, kind units.Kind, features int) ([]Score, error) {
	if err := ofKind(train, test, kind); err != nil {
		return nil, err
	}
	if train.Visible() != features || test.Visible() != features {
		return nil, fmt.Errorf("samples of %d and %d units for a machine of %d", train.Units(), test.Units(), features/kind.Features())
	}
	return Bits(ctx, Samples{train.Samples, train.Missing}, Samples{test.Samples, test.Missing}, kind)
}

// ofKind returns an error of sets of other kinds of units.
func ofKind(train, test *dataset.Set, kind units.Kind) error {
	if train.Kind != kind || test.Kind != kind {
		return fmt.Errorf("samples of %s and %s units for a machine of %s units", train.Kind, test.Kind, kind)
	}
	return nil
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
