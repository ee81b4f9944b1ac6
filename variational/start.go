package variational

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Initial says where learning starts.
type Initial struct {
	Hidden    int     // units of the first hidden layer
	Above     []int   // units of the hidden layers above it; none of a machine of one
	Coupling  float64 // J
	Fields    bool    // start fields at those of independent spins with the data's means, else at 0
	Centre    bool    // visible offsets at the data's means, else at 0
	Deviation float64 // of the random thetas, which break the symmetry between hidden units
	Undecided bool    // thetas above the first link start at 0 (Deep.Stage)
	Key       stream.Key
	// Prior holds the thetas of the prior, hidden x visible; nil for the uniform
	// one. Learning starts at it, but for the random thetas.
	Prior []float32
}

// NewModel returns the model of spins that learning samples (visible x M) starts from. A
// spin that never changes gets the finite field atanh(M/(M+2)). It panics if the
// prior has another shape.
func NewModel[T rbm.Real](start Initial, samples *spin.Matrix) *rbm.Model[T] {
	m := samples.Cols()
	params := start.params(samples.Rows())
	model := &rbm.Model[T]{Params: params, Posterior: rbm.NewPosterior[T](params.Visible(), params.Hidden())}
	sums := make([]int, samples.Rows())
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
	model.ClearUnjoined()
	leaveUndecided(&start, model)
	if start.Prior != nil {
		if n, p := params.Visible(), params.Hidden(); len(start.Prior) != n*p {
			panic(fmt.Sprintf("variational: a prior of %d thetas for %d x %d synapses", len(start.Prior), n, p))
		}
		model.Posterior.PriorTheta = make([]T, len(start.Prior))
		for k, v := range start.Prior {
			model.Posterior.PriorTheta[k] = T(v)
			model.Posterior.Theta[k] += T(v)
		}
	}
	return model
}

// leaveUndecided sets the thetas above the first link to 0 if they are to start there.
func leaveUndecided[T rbm.Real](start *Initial, model *rbm.Model[T]) {
	if !start.Undecided {
		return
	}
	for l := 1; l < len(model.Links); l++ {
		rbm.SetBlock(model.Layers(), model.Posterior.Theta, make([]T, model.Layers().Synapses(l)), l)
	}
}

// params returns those of the machine, without fields and offsets. The coupling above a
// layer of n units is 1/sqrt(n).
func (start *Initial) params(visible int) rbm.Params {
	if len(start.Above) == 0 {
		return rbm.NewParams(visible, start.Hidden, start.Coupling)
	}
	f := append(rbm.Folding{visible, start.Hidden}, start.Above...)
	coupling := []float64{start.Coupling}
	for _, n := range f[1 : len(f)-1] {
		coupling = append(coupling, 1/math.Sqrt(float64(n)))
	}
	return f.NewParams(coupling)
}
