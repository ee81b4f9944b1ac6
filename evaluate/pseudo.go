package evaluate

import (
	"context"
	"fmt"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// PseudoLikelihood returns the mean over samples of sum_i ln P(v_i | all other units) under a
// machine of visible spins or colours, in nats: exact at any size, as no Z is in it. The
// error is the context's, or of samples that do not fit.
func PseudoLikelihood(ctx context.Context, machine *rbm.Machine, samples *spin.Matrix) (float64, error) {
	kind := machine.VisibleKind
	if !kind.Bits() || samples.Rows() != machine.Visible() || samples.Cols() == 0 {
		return 0, fmt.Errorf("%d samples of %d features for the pseudolikelihood of a machine of %d visible features of %s", samples.Cols(), samples.Rows(), machine.Visible(), kind)
	}
	net := rbm.NetworkOf[float64](machine)
	n, p, m := net.Visible(), net.Hidden(), samples.Cols()
	fields := make([]float64, p*m)
	net.HiddenFields(fields, samples)
	parts := make([]float64, m)
	err := parallel.ForContext(ctx, m, 4, func(lo, hi int) {
		hidden, turned := make([]float64, p), make([]float64, p)
		for a := lo; a < hi; a++ {
			for mu := range hidden {
				hidden[mu] = fields[mu*m+a]
			}
			for unit := 0; unit < n && ctx.Err() == nil; unit += kind.Features() {
				parts[a] += lnConditional(net, kind, samples, a, unit, hidden, turned)
			}
		}
	})
	return mean(parts), err
}

// lnConditional returns ln P of a unit, whose first feature is given, of sample a given the others.
func lnConditional(net *rbm.Network[float64], kind units.Kind, samples *spin.Matrix, a, unit int, hidden, turned []float64) float64 {
	n, of := net.Visible(), kind.Features()
	weights := make([]float64, 0, kind.Choices())
	own := 0
	for choice := range kind.Choices() {
		weight, same := 0.0, true
		copy(turned, hidden)
		for k := range of {
			is := float64(samples.At(unit+k, a))
			to := float64(-1)
			if !kind.OneHot() && choice == 1 || kind.OneHot() && k == choice {
				to = 1
			}
			if is == to {
				continue
			}
			same = false
			weight += net.VisibleField[unit+k] * (to - is)
			for mu := range turned {
				turned[mu] += net.Coupling[mu*n+unit+k] * (to - is)
			}
		}
		if same {
			own = choice
		}
		sum := []float64{weight}
		rbm.AddLogSums(sum, turned, net.HiddenKind, 1, 0, 1)
		weights = append(weights, sum[0])
	}
	return weights[own] - rbm.LogSumExp(weights)
}
