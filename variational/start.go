package variational

import (
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Start says where learning starts.
type Start struct {
	Hidden    int
	Coupling  float64 // J
	Fields    bool    // start fields at those of independent spins with the data's means, else at 0
	Centre    bool    // visible offsets at the data's means, else at 0
	Deviation float64 // of the random thetas, which break the symmetry between hidden units
	Key       stream.Key
}

// Model returns the model that learning samples (visible x M) starts from. A
// spin that never changes gets the finite field atanh(M/(M+2)).
func Model[T rbm.Real](start Start, samples *spin.Matrix) *rbm.Model[T] {
	n, m := samples.Rows(), samples.Cols()
	model := &rbm.Model[T]{Params: rbm.NewParams(n, start.Hidden, start.Coupling), Posterior: rbm.NewPosterior[T](n, start.Hidden)}
	sums := make([]int, n)
	samples.RowSums(sums)
	for i, s := range sums {
		if start.Fields {
			model.VisibleField[i] = math.Atanh(float64(s) / float64(m+2))
		}
		if start.Centre {
			model.VisibleOffset[i] = float64(s) / float64(m)
		}
	}
	model.Posterior.Randomize(start.Deviation, start.Key)
	return model
}
