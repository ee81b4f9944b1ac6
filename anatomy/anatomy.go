// Package anatomy looks at the synapses of a machine as a matrix: the
// distribution of magnetisations, overlaps between hidden units, singular
// values. Matrices are hidden x visible, row by row: posterior means, or the
// weights of a machine with real synapses.
package anatomy

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"bethe/rbm"
)

func visible[T rbm.Real](synapses []T, hidden int) int {
	if hidden < 1 || len(synapses) == 0 || len(synapses)%hidden != 0 {
		panic(fmt.Sprintf("anatomy: %d synapses of %d hidden units", len(synapses), hidden))
	}
	return len(synapses) / hidden
}

func widened[T rbm.Real](x []T) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

// Magnetisations counts the synapses whose means lie in each of so many equal
// bins from -1 to 1. What lies beyond counts in the last bin of its side; NaN is
// not counted.
func Magnetisations[T rbm.Real](means []T, bins int) []int {
	if bins < 1 {
		panic(fmt.Sprintf("anatomy: %d bins", bins))
	}
	counts := make([]int, bins)
	scale := float64(bins) / 2
	for _, v := range means {
		if v == v {
			counts[int(max(0, min(float64(bins-1), math.Floor((float64(v)+1)*scale))))]++
		}
	}
	return counts
}

// UnitOverlaps returns the normalised overlap w.w'/(|w||w'|) of each pair of hidden
// units, hidden x hidden; 0 for a unit without synapses, and 1 on the diagonal.
func UnitOverlaps[T rbm.Real](synapses []T, hidden int) []float64 {
	n := visible(synapses, hidden)
	w := mat.NewDense(hidden, n, widened(synapses))
	for mu := range hidden {
		row := blas64.Vector{N: n, Inc: 1, Data: w.RawRowView(mu)}
		if norm := blas64.Nrm2(row); norm > 0 {
			blas64.Scal(1/norm, row)
		}
	}
	overlaps := make([]float64, hidden*hidden)
	mat.NewDense(hidden, hidden, overlaps).Mul(w, w.T())
	for mu := range hidden {
		overlaps[mu*hidden+mu] = 1
	}
	return overlaps
}

// Pairs returns the mean and the largest absolute value of the overlaps of
// different hidden units, 0 if there is one unit.
func Pairs(overlaps []float64, hidden int) (mean, largest float64) {
	if len(overlaps) != hidden*hidden {
		panic(fmt.Sprintf("anatomy: %d overlaps of %d hidden units", len(overlaps), hidden))
	}
	for mu := range hidden {
		for _, v := range overlaps[mu*hidden : mu*hidden+mu] {
			mean += math.Abs(v)
			largest = max(largest, math.Abs(v))
		}
	}
	return mean / max(1, float64(hidden*(hidden-1)/2)), largest
}

// SingularValues returns those of the matrix of synapses, falling. They are
// computed by gonum's SVD. An error tells that it did not converge, as with
// numbers that are not finite.
func SingularValues[T rbm.Real](synapses []T, hidden int) ([]float64, error) {
	n := visible(synapses, hidden)
	wide := widened(synapses)
	for k, v := range wide {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("synapse %d of hidden unit %d is %v: singular values need finite numbers", k%n, k/n, v)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(hidden, n, wide), mat.SVDNone) {
		return nil, fmt.Errorf("the singular values of %d x %d synapses did not converge", n, hidden)
	}
	return svd.Values(nil), nil
}
