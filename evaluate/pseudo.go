package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
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

// PseudoObserved is PseudoLikelihood of samples with missing values: the mean over samples of sum_i ln P(v_i | all others that are seen),
// over the units i that are seen. Hidden states are enumerated, as 1/P(v_i | others) is the mean of 1/P(v_i | h) over the hidden
// states h given all that is seen. The error is the context's, rbm.ErrTooLarge, or of samples that do not fit.
func PseudoObserved(ctx context.Context, machine *rbm.Machine, samples Incomplete) (float64, error) {
	if !machine.VisibleKind.Bits() {
		return 0, fmt.Errorf("a pseudolikelihood is of spins and colours, and the machine is of %s units", machine.VisibleKind)
	}
	if err := samples.fits(&machine.Params); err != nil {
		return 0, err
	}
	if err := CheckObserved(&machine.Params, samples.Missing.Cols()); err != nil {
		return 0, err
	}
	net := rbm.NetworkOf[float64](machine)
	couplingT := make([]float64, len(net.Coupling))
	net.TransposeCoupling(couplingT)
	e := enumerating(net, couplingT, &samples)
	total, err := e.weigh(ctx)
	if err != nil {
		return 0, err
	}
	kind, m := net.VisibleKind, len(total)
	of, choices := kind.Features(), kind.Choices()
	inverse := make([]float64, net.Visible()/of*choices*m) // 1/P(choice of a unit | known values of the others), for the choice that is seen
	err = e.each(ctx, func(h *spin.Matrix, fields, sums, weights []float64) {
		count := h.Cols()
		given(weights, total)
		parallel.For(len(sums)/count, parallel.Grain(choices*count*(m+of)), func(lo, hi int) {
			ratio, part := make([]float64, choices*count), make([]float64, choices*m)
			for unit := lo; unit < hi; unit++ {
				for k := range ratio {
					choice, s := k/count, k%count
					ln := sums[unit*count+s]
					for f := range of {
						x := -1.0
						if kind.OneHot() && f == choice || !kind.OneHot() && choice == 1 {
							x = 1
						}
						ln -= x * fields[(unit*of+f)*count+s]
					}
					ratio[k] = math.Exp(ln)
				}
				kernel.MulReal(part, ratio, weights, choices, count, m, false, true)
				for k, v := range part {
					inverse[unit*choices*m+k] += v
				}
			}
		})
	})
	if err != nil {
		return 0, err
	}
	mean := 0.0
	for unit := range samples.Missing.Rows() {
		for a := range m {
			if samples.Missing.At(unit, a) > 0 {
				continue
			}
			choice := 0
			for f := range of {
				if samples.Bits.At(unit*of+f, a) > 0 {
					choice = f
					if !kind.OneHot() {
						choice = 1
					}
				}
			}
			mean -= math.Log(inverse[(unit*choices+choice)*m+a]) / float64(m)
		}
	}
	return mean, nil
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
