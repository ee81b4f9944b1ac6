package variational

import (
	"context"
	"fmt"
	"math"
	"math/cmplx"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// ExactDataTerm returns the data term of binary synapses and hidden spins in nats per sample,
// with no approximation of the fields, by their characteristic function: with x the features
// less their offsets and a = J x,
//
//	E ln 2cosh(f + c) = ln 2 + int_0^inf [ 1 - Re e^{ict} prod_i (cos a_i t + i lambda_i sin a_i t) ] / (t sinh(pi t/2)) dt
//
// by the trapezoid rule. It costs the number of synapses times some hundred nodes per sample: it
// is for reports, on few samples. The error is the context's, or tells of other kinds of units or of a
// field beyond widestField, which would take too many nodes.
func ExactDataTerm[T rbm.Real](ctx context.Context, model *rbm.Model[T], samples units.Data[T]) (float64, error) {
	valued, ok := samples.(units.Valued)
	if !ok || model.HiddenKind != (units.Kind{}) {
		return 0, fmt.Errorf("the exact data term is one of hidden spins, not of %s units", model.HiddenKind)
	}
	n, p, m, j := model.Visible(), model.Hidden(), samples.Len(), model.Coupling()
	samples.Prepare(model.VisibleOwn, false)
	total := samples.Base(0, model.VisibleField, make([]float64, samples.OwnSize()))
	lambda := make([]T, n*p)
	model.Posterior.Mean(lambda)
	parts := make([]float64, m)
	wide := make([]error, m)
	err := parallel.ForContext(ctx, m, 1, func(lo, hi int) {
		a := make([]float64, n)
		for k := lo; k < hi; k++ {
			for i := range a {
				a[i] = j * (valued.Value(i, k) - model.VisibleOffset[i])
			}
			for mu := range p {
				if ctx.Err() != nil {
					return
				}
				row, mean := lambda[mu*n:(mu+1)*n], 0.0
				for i, l := range row {
					mean += a[i] * float64(l)
				}
				part, extent := meanLog2Cosh(a, row, model.HiddenField[mu], mean)
				if !(extent <= widestField) {
					wide[k] = fmt.Errorf("the exact data term: hidden unit %d has fields up to %.3g in sample %d, beyond %g", mu, extent, k, float64(widestField))
					break
				}
				parts[k] += part - model.HiddenOffset[mu]*mean
			}
		}
	})
	if err != nil {
		return 0, err
	}
	for k, v := range parts {
		if wide[k] != nil {
			return 0, wide[k]
		}
		total += v
	}
	return total / float64(m), nil
}

// widestField is how far a field may reach in ExactDataTerm: four nodes for each unit of it.
const widestField = 1e4

// meanLog2Cosh is E ln 2cosh of the field c + sum a xi of the given mean without c, unless the field
// reaches beyond widestField. It also returns how far it reaches: its mean and nine deviations.
func meanLog2Cosh[T rbm.Real](a []float64, lambda []T, c, mean float64) (value, extent float64) {
	mean += c
	variance := 0.0
	for i, l := range lambda {
		variance += a[i] * a[i] * (1 - float64(l)*float64(l))
	}
	extent = math.Abs(mean) + 9*math.Sqrt(variance)
	if !(extent <= widestField) {
		return 0, extent
	}
	const top = 24
	step := math.Min(0.1, 2*math.Pi/(extent+20))
	sum := (mean*mean + variance) / math.Pi / 2 // the value at t = 0, of half weight
	for t := step; t < top; t += step {
		phi := cmplx.Exp(complex(0, c*t))
		for i, l := range lambda {
			sin, cos := math.Sincos(a[i] * t)
			phi *= complex(cos, float64(l)*sin)
		}
		sum += (1 - real(phi)) / (t * math.Sinh(math.Pi*t/2))
	}
	return math.Ln2 + sum*step, extent
}

// JensenDataTerm returns the data term with the synapses at their means, in nats per sample: as
// it is convex in them, a lower bound of the true one for every kind of unit.
func JensenDataTerm[T rbm.Real](model *rbm.Model[T], samples units.Data[T]) float64 {
	n, p, m := model.Visible(), model.Hidden(), samples.Len()
	samples.Prepare(model.VisibleOwn, false)
	mean := make([]T, n*p)
	model.Posterior.Mean(mean)
	offset := make([]T, n)
	biased := false
	for i, v := range model.VisibleOffset {
		offset[i], biased = T(v), biased || v != 0
	}
	w := &units.Block[T]{Rows: p, First: make([]T, p*m), Second: make([]T, p*m), Extra: make([]T, samples.Extra(p)), Sums: make([]float64, 2*p)}
	l := &units.Link[T]{Mean: mean, Coupling: model.Coupling(), Offset: offset, Biased: biased, Known: true}
	samples.Fields(w, l)
	fields, variance := make([]T, p*m), make([]T, m)
	total := samples.Base(0, model.VisibleField, make([]float64, samples.OwnSize()))
	for mu := range p {
		row := fields[mu*m : (mu+1)*m]
		samples.Field(w, l, mu, row, variance, model.HiddenField[mu])
		total -= model.HiddenOffset[mu] * (kernel.Sum(row) - float64(m)*model.HiddenField[mu])
	}
	sums := make([]float64, m)
	rbm.AddLogSums(sums, fields, model.HiddenKind, m, 0, 1)
	for _, v := range sums {
		total += v
	}
	return total / float64(m)
}
