// Package anatomy looks at the synapses of a machine as a matrix: the
// distribution of magnetisations, overlaps between hidden units, singular
// values. Matrices are hidden x visible, row by row: posterior means, or the
// weights of a machine with real synapses.
package anatomy

import (
	"context"
	"fmt"
	"math"
	"slices"

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

// Spaced returns count of so many units, all if there are no more: always the same,
// evenly spaced and rising.
func Spaced(units, count int) []int {
	if units < 0 || count < 0 {
		panic(fmt.Sprintf("anatomy: %d of %d units", count, units))
	}
	count = min(count, units)
	chosen := make([]int, count)
	for k := range chosen {
		chosen[k] = k * units / count
	}
	return chosen
}

// Chosen returns the synapses of some hidden units, chosen x visible.
func Chosen[T rbm.Real](synapses []T, hidden int, chosen []int) []T {
	n := visible(synapses, hidden)
	some := make([]T, 0, n*len(chosen))
	for _, mu := range chosen {
		some = append(some, synapses[mu*n:(mu+1)*n]...)
	}
	return some
}

// MaxSpectrum is the largest smaller layer whose singular values are computed.
const MaxSpectrum = 1024

// gramFrom is a number of synapses times units of the smaller layer. From there on
// singular values are the roots of eigenvalues of a product of the matrix with itself:
// much faster if one layer has many more units than the other, and good
// to 1e-8 of the largest value.
const gramFrom = 1 << 26

// SingularValues returns those of the matrix of synapses, falling. An error tells that
// the smaller layer has more than MaxSpectrum units, that they did not converge, as with
// numbers that are not finite, or is the context's.
func SingularValues[T rbm.Real](ctx context.Context, synapses []T, hidden int) ([]float64, error) {
	n := visible(synapses, hidden)
	if min(n, hidden) > MaxSpectrum {
		return nil, fmt.Errorf("%d x %d synapses: singular values take a smaller layer of at most %d units", n, hidden, MaxSpectrum)
	}
	for k, v := range synapses {
		if v := float64(v); math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("synapse %d of hidden unit %d is %v: singular values need finite numbers", k%n, k/n, v)
		}
	}
	if len(synapses)*min(n, hidden) >= gramFrom {
		return gramValues(ctx, synapses, hidden)
	}
	wide := widened(synapses)
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(hidden, n, wide), mat.SVDNone) {
		return nil, fmt.Errorf("the singular values of %d x %d synapses did not converge", n, hidden)
	}
	return svd.Values(nil), nil
}

// gramValues returns singular values from the product of the matrix with itself, summed
// over some units of the larger layer at a time.
func gramValues[T rbm.Real](ctx context.Context, synapses []T, hidden int) ([]float64, error) {
	n := visible(synapses, hidden)
	side, long := min(n, hidden), max(n, hidden)
	gram := mat.NewDense(side, side, nil)
	const together = 256 // units of the larger layer
	var product mat.Dense
	for lo := 0; lo < long; lo += together {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+together, long)
		part := mat.NewDense(side, hi-lo, nil)
		for i := range side {
			row := part.RawRowView(i)
			for k := range row {
				if n > hidden {
					row[k] = float64(synapses[i*n+lo+k])
				} else {
					row[k] = float64(synapses[(lo+k)*n+i])
				}
			}
		}
		product.Mul(part, part.T())
		gram.Add(gram, &product)
	}
	values, settled, err := eigenvalues(ctx, gram.RawMatrix().Data, side)
	if err != nil {
		return nil, err
	}
	if !settled {
		return nil, fmt.Errorf("the singular values of %d x %d synapses did not converge", n, hidden)
	}
	slices.Reverse(values)
	for k, v := range values {
		values[k] = math.Sqrt(max(0, v))
	}
	return values, nil
}
