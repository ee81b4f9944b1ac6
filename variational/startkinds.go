package variational

import (
	"fmt"

	"bethe/rbm"
	"bethe/units"
)

// groupStart is the |theta| with which features of hidden groups start at samples.
const groupStart = 0.5

// NewKindModel returns the model of units of any kinds that learning samples starts from.
// Start.Hidden are hidden features, Start.Coupling is that of features as they are held. Bits
// have offsets at the means of the samples if Centre, those of features 0 and 1 else at 0;
// features of hidden groups start at samples of their own, as groups that start at random
// often collapse onto each other. Gaussian units start with mean 0 and deviation 1: samples
// should be standardised. The error tells of a prior of another shape.
func NewKindModel(start Initial, samples units.Data[float32], visible, hidden units.Kind) (*rbm.Model[float32], error) {
	n, m := samples.Features(), samples.Len()
	params := start.params(n)
	model := &rbm.Model[float32]{Params: params, Posterior: rbm.NewPosterior[float32](params.Visible(), params.Hidden())}
	model.VisibleKind, model.HiddenKind = visible, hidden
	mean := make([]float64, n)
	samples.Sums(mean)
	for i := range mean {
		mean[i] /= float64(m)
	}
	if visible.Bits() {
		if start.Fields {
			copy(model.VisibleField, samples.MeanFields())
		}
		for i := range mean {
			switch {
			case start.Centre:
				model.VisibleOffset[i] = mean[i]
			case visible.OneHot():
				model.VisibleOffset[i] = -1
			}
		}
	} else {
		model.VisibleOwn = make([]float64, 2*n)
	}
	if hidden.OneHot() {
		for mu := range model.HiddenOffset {
			model.HiddenOffset[mu] = -1
			if start.Centre {
				model.HiddenOffset[mu] = 2/float64(hidden.Choices()) - 1
			}
		}
	}
	model.Posterior.Randomize(start.Deviation, start.Key)
	model.ClearUnjoined()
	leaveUndecided(&start, model)
	if valued, ok := samples.(units.Valued); ok && hidden.OneHot() {
		order := start.Key.Sub(1).Rand().Perm(m)
		for mu := range start.Hidden {
			for i := range n {
				by := float32(groupStart)
				if valued.Value(i, order[mu%m]) < mean[i] {
					by = -groupStart
				}
				model.Posterior.Theta[mu*n+i] = by + model.Posterior.Theta[mu*n+i]/3
			}
		}
	}
	if start.Prior == nil {
		return model, nil
	}
	if len(start.Prior) != n*start.Hidden {
		return nil, fmt.Errorf("a prior of %d thetas for %d x %d synapses", len(start.Prior), n, start.Hidden)
	}
	model.Posterior.PriorTheta = start.Prior
	for k, v := range start.Prior {
		model.Posterior.Theta[k] += v
	}
	return model, nil
}
