package learn

import (
	"context"
	"fmt"
	"math"

	"bethe/dataset"
	"bethe/dual"
	"bethe/rbm"
	"bethe/sample"
	"bethe/units"
	"bethe/variational"
)

// GroupBounds are the mean log-likelihood of samples over the posterior of a machine of hidden groups,
// in nats per sample: bounded from below, and as learning takes it.
type GroupBounds struct {
	Jensen     float64 `json:"jensen"`     // with the synapses at their means in the data term: a true lower bound
	Learned    float64 `json:"learned"`    // with Gaussian fields: on either side of the truth
	Divergence float64 `json:"divergence"` // of the posterior from the prior, nats in all
	By         string  `json:"by"`         // how ln E_q Z was found; annealing tends to make both too large
}

// Text says it for a person.
func (g *GroupBounds) Text() string {
	word := "a true lower bound"
	if g.By != dual.ExactName {
		word = "a lower bound but for the error of " + g.By
	}
	return fmt.Sprintf("mean over the posterior of the synapses, whose divergence from the prior is %.0f nats:\n"+
		"  jensen   %.3f  %s\n  learned  %.3f  with Gaussian fields, as learning takes it: no bound\n", g.Divergence, g.Jensen, word, g.Learned)
}

// BoundGroups returns the bounds of a machine of hidden groups on one-bit synapses, and nil of any other, and of
// samples with missing values.
// The error is the context's or the annealing's, or tells that samples do not fit.
func BoundGroups(ctx context.Context, file *rbm.File, set *dataset.Set, a sample.Annealing) (*GroupBounds, error) {
	uncertain, ok := file.Synapses.(rbm.Uncertain)
	if !ok || !file.HiddenKind.OneHot() || set.Missing != nil {
		return nil, nil
	}
	model := &rbm.Model[float32]{Params: file.Params.Clone(), Posterior: uncertain.Posterior()}
	var samples units.Data[float32]
	if file.VisibleKind.Bits() {
		samples = units.NewFeatures[float32](set.Samples, file.VisibleKind)
	} else {
		standard, err := file.Scale.Standardised(set.Reals)
		if err != nil {
			return nil, err
		}
		model.VisibleOwn = file.Scale.InUnitsOfDeviations(file.VisibleOwn)
		samples = units.NewGauss(standard)
	}
	exact := fewStates(file.HiddenKind.LnStates(file.Hidden()), file.Visible()) ||
		file.VisibleKind.Bits() && fewStates(file.VisibleKind.LnStates(file.Visible()), file.Hidden())
	var term dual.Partition[float32]
	switch {
	case !file.VisibleKind.Bits() && exact:
		term = dual.Gauss[float32]{}
	case !file.VisibleKind.Bits():
		term = &dual.GaussChains[float32]{}
	case exact:
		term = &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}
	default:
		term = &dual.Annealed[float32]{Engine: &dual.Chains[float32]{}}
	}
	o := &variational.Objective[float32]{Partition: term, Hidden: variational.HiddenOf[float32](file.HiddenKind), Samples: set.Len()}
	terms, by, err := o.EstimateTerms(ctx, model, samples, a)
	if err != nil {
		return nil, err
	}
	return &GroupBounds{Jensen: variational.JensenDataTerm(model, samples) - terms.Partition, Learned: terms.Data - terms.Partition,
		Divergence: terms.KL * float64(set.Len()), By: by}, nil
}

// fewStates reports whether a layer of so many states is enumerated every step, beside a layer of so
// many features.
func fewStates(ln float64, other int) bool {
	return ln < math.Log(exactStates)+1e-9 && ln+math.Log(float64(other)) < math.Log(exactWork)
}
