package anatomy

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// A Contact is how strongly two columns of colours are coupled, such as those of an alignment.
type Contact struct {
	First, Second int     // columns, counted from 0
	Score         float64 // Frobenius norm of the couplings less what the columns have with all others
}

// Contacts returns the pairs of visible units of colours that lie at least apart columns from each other, the most strongly coupled
// first. Synapses are posterior means or weights, hidden x visible features as they are held, at the coupling of params. Two features
// are coupled by the second derivative of ln p of the machine, which is the sum over hidden units of the product of their synapses and
// the hidden unit's variance, averaged over samples whose features are given, visible features x samples. In the gauge where the
// couplings of a pair sum to 0 over the colours of either, the score is their Frobenius norm, corrected by the average product (Dunn, Wahl and Gloor
// 2008; Ekeberg et al. 2013). The error is the context's, or tells of other kinds of units.
func Contacts[T rbm.Real](ctx context.Context, params *rbm.Params, synapses []T, samples []T, count, apart int) ([]Contact, error) {
	kind, n, p := params.VisibleKind, params.Visible(), params.Hidden()
	if kind.Word != units.Potts || params.HiddenKind != (units.Kind{}) {
		return nil, fmt.Errorf("contacts are of colours and hidden spins, and units are %s and %s", kind, params.HiddenKind)
	}
	if len(synapses) != n*p || len(samples) != n*count || count < 1 {
		panic(fmt.Sprintf("anatomy: %d synapses of %d x %d units, and %d numbers of %d samples", len(synapses), n, p, len(samples), count))
	}
	variance, err := hiddenVariances(ctx, params, synapses, samples, count)
	if err != nil {
		return nil, err
	}
	of := kind.States
	columns := n / of
	// Synapses in the gauge where they sum to 0 over the colours, times the deviation of their hidden unit.
	w := make([]float64, p*n)
	for mu := range p {
		scale := params.Coupling() * math.Sqrt(variance[mu])
		for i := 0; i < n; i += of {
			mean := 0.0
			for _, v := range synapses[mu*n+i : mu*n+i+of] {
				mean += float64(v) / float64(of)
			}
			for k := range of {
				w[mu*n+i+k] = scale * (float64(synapses[mu*n+i+k]) - mean)
			}
		}
	}
	couplings := make([]float64, n*n)
	if err := parallel.ForContext(ctx, columns, 1, func(lo, hi int) {
		products(couplings, w, lo*of, hi*of, n, p)
	}); err != nil {
		return nil, err
	}
	norm, sums, total := make([]float64, columns*columns), make([]float64, columns), 0.0
	for i := range columns {
		for j := range columns {
			if i == j {
				continue
			}
			square := 0.0
			for k := range of {
				for _, v := range couplings[(i*of+k)*n+j*of:][:of] {
					square += v * v
				}
			}
			norm[i*columns+j] = math.Sqrt(square)
			sums[i] += norm[i*columns+j]
			total += norm[i*columns+j]
		}
	}
	var list []Contact
	for i := range columns {
		for j := i + max(1, apart); j < columns; j++ {
			score := norm[i*columns+j]
			if total > 0 { // means over the other columns
				score -= sums[i] * sums[j] / total * float64(columns) / float64(columns-1)
			}
			list = append(list, Contact{i, j, score})
		}
	}
	slices.SortStableFunc(list, func(a, b Contact) int { return cmp.Compare(b.Score, a.Score) })
	return list, nil
}

// hiddenVariances returns the average of 1 - tanh² over the fields of samples.
func hiddenVariances[T rbm.Real](ctx context.Context, params *rbm.Params, synapses, samples []T, count int) ([]float64, error) {
	n, p := params.Visible(), params.Hidden()
	out := make([]float64, p)
	err := parallel.ForContext(ctx, p, 8, func(lo, hi int) {
		fields := make([]T, (hi-lo)*count)
		kernel.MulReal(fields, synapses[lo*n:hi*n], samples, hi-lo, n, count, false, false)
		for mu := lo; mu < hi; mu++ {
			at := 0.0
			for i, m := range params.VisibleOffset {
				at += float64(synapses[mu*n+i]) * m
			}
			for _, f := range fields[(mu-lo)*count : (mu-lo+1)*count] {
				t := math.Tanh(params.HiddenField[mu] + params.Coupling()*(float64(f)-at))
				out[mu] += (1 - t*t) / float64(count)
			}
		}
	})
	return out, err
}

// products computes rows from lo to hi of the products of all columns of w, p x n.
func products(dst, w []float64, lo, hi, n, p int) {
	part := make([]float64, (hi-lo)*p)
	for mu := range p {
		for i := lo; i < hi; i++ {
			part[(i-lo)*p+mu] = w[mu*n+i]
		}
	}
	kernel.MulReal(dst[lo*n:hi*n], part, w, hi-lo, p, n, false, false)
}
