package variational

import (
	"fmt"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Initial says where learning starts.
type Initial struct {
	Hidden    int
	Coupling  float64 // J
	Fields    bool    // start fields at those of independent spins with the data's means, else at 0
	Centre    bool    // visible offsets at the data's means, else at 0
	Deviation float64 // of the random thetas, which break the symmetry between hidden units
	Key       stream.Key
	// Prior holds the thetas of the prior, hidden x visible; nil for the uniform
	// one. Learning starts at it, but for the random thetas.
	Prior []float32
}

// NewModel returns the model of spins that learning samples (visible x M) starts from. A
// spin that never changes gets the finite field atanh(M/(M+2)). It panics if the
// prior has another shape.
func NewModel[T rbm.Real](start Initial, samples *spin.Matrix) *rbm.Model[T] {
	n, m := samples.Rows(), samples.Cols()
	model := &rbm.Model[T]{Params: rbm.NewParams(n, start.Hidden, start.Coupling), Posterior: rbm.NewPosterior[T](n, start.Hidden)}
	sums := make([]int, n)
	samples.RowSums(sums)
	if start.Fields {
		copy(model.VisibleField, units.MeanFields(samples))
	}
	for i, s := range sums {
		if start.Centre {
			model.VisibleOffset[i] = float64(s) / float64(m)
		}
	}
	model.Posterior.Randomize(start.Deviation, start.Key)
	if start.Prior != nil {
		if len(start.Prior) != n*start.Hidden {
			panic(fmt.Sprintf("variational: a prior of %d thetas for %d x %d synapses", len(start.Prior), n, start.Hidden))
		}
		model.Posterior.PriorTheta = make([]T, len(start.Prior))
		for k, v := range start.Prior {
			model.Posterior.PriorTheta[k] = T(v)
			model.Posterior.Theta[k] += T(v)
		}
	}
	return model
}
