package sample

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Annealing says how long to anneal. More temperatures and more chains cost
// proportionally more and bring the estimate closer to the truth.
type Annealing struct {
	Chains       int       // independent runs; at least 2, for the spread
	Temperatures int       // steps from the base distribution to the network
	BaseField    []float64 // visible fields of the base distribution; nil for none
	Key          stream.Key
	// Progress, where not nil, is called now and then with the temperatures done.
	Progress func(done int)
}

// LnZEstimate is an estimate of a partition function by annealed importance sampling.
type LnZEstimate struct {
	LnZ        float64   // ln of the mean weight
	LogWeights []float64 // one a chain; their mean of exp is unbiased for Z
	Spread     float64   // standard deviation of LogWeights
	Effective  float64   // effective number of chains, (sum w)^2 / sum w^2
}

// AnnealedLnZ estimates ln Z of a network by annealed importance sampling
// (Neal 2001; Salakhutdinov and Murray 2008): chains start at independent
// visible spins in the base field and follow exp(-(1-t) base - t energy) as t
// rises from 0 to 1 in equal steps. The mean of the weights is unbiased for Z;
// its logarithm tends to come out too small, and a likelihood that uses it too
// large. The error is the context's.
func AnnealedLnZ[T rbm.Real](ctx context.Context, net *rbm.Network[T], a Annealing) (LnZEstimate, error) {
	return annealedLnZ(ctx, conditionals[T](newRealConditionals(net, max(0, a.Chains))), net.VisibleField, net.Constant, a)
}

// AnnealedMachineLnZ is AnnealedLnZ for a machine. Binary synapses make it
// several times faster than its network.
func AnnealedMachineLnZ(ctx context.Context, machine *rbm.Machine, a Annealing) (LnZEstimate, error) {
	if !countable(machine) {
		return AnnealedLnZ(ctx, rbm.NetworkOf[float32](machine), a)
	}
	plain, constant := machine.Plain()
	fields := make([]float32, plain.Visible())
	for i, b := range plain.VisibleField {
		fields[i] = float32(b)
	}
	return annealedLnZ(ctx, conditionals[float32](newBinaryConditionals(plain)), fields, constant, a)
}

func annealedLnZ[T rbm.Real](ctx context.Context, layers conditionals[T], visibleField []T, constant float64, a Annealing) (LnZEstimate, error) {
	n, p := layers.size()
	if a.Chains < 2 || a.Temperatures < 1 {
		return LnZEstimate{}, fmt.Errorf("annealing needs at least 2 chains and 1 temperature, not %d and %d", a.Chains, a.Temperatures)
	}
	if a.BaseField != nil && len(a.BaseField) != n {
		panic(fmt.Sprintf("sample: %d base fields for %d visible units", len(a.BaseField), n))
	}
	base, tilt, shift := make([]T, n), make([]T, n), make([]T, n) // tilt: of the visible weight a unit of t
	lnBase := float64(p) * math.Ln2
	for i := range base {
		if a.BaseField != nil {
			base[i] = T(a.BaseField[i])
		}
		tilt[i] = visibleField[i] - base[i]
		lnBase += kernel.Log2Cosh(float64(base[i]))
	}
	s, h := spin.New(n, a.Chains), spin.New(p, a.Chains)
	first := make([]T, n*a.Chains)
	for i, b := range base {
		for l := range a.Chains {
			first[i*a.Chains+l] = b
		}
	}
	spin.Draw(s, first, a.Key.Sub(start))
	gain := make([]T, a.Chains)
	logW := make([]float64, a.Chains)
	for k := 1; k <= a.Temperatures; k++ {
		if err := ctx.Err(); err != nil {
			return LnZEstimate{}, err
		}
		before, t := T(k-1)/T(a.Temperatures), T(k)/T(a.Temperatures)
		layers.drawHidden(h, s, t, a.Key.Sub(drawHidden).Sub(uint64(k)))
		field := layers.hiddenFields()
		spin.Mul(gain, tilt, 1, s)
		parallel.For(a.Chains, kernel.DrawLanes, func(lo, hi int) {
			for l := lo; l < hi; l++ {
				logW[l] += float64(gain[l]) * float64(t-before)
			}
			for mu := range p {
				kernel.AddLog2CoshStep(logW[lo:hi], field[mu*a.Chains+lo:mu*a.Chains+hi], before, t)
			}
		})
		if a.Progress != nil && k%16 == 0 {
			a.Progress(k)
		}
		for i, b := range base {
			shift[i] = b + t*tilt[i]
		}
		layers.drawVisible(s, h, shift, t, a.Key.Sub(drawVisible).Sub(uint64(k)))
	}
	return estimate(logW, constant+lnBase), nil
}

// estimate adds the base's ln Z to the log-weights and sums them up.
func estimate(logW []float64, lnBase float64) LnZEstimate {
	n := float64(len(logW))
	var mean, square float64
	for l := range logW {
		logW[l] += lnBase
		mean += logW[l] / n
	}
	double := make([]float64, len(logW))
	for l, w := range logW {
		square += (w - mean) * (w - mean)
		double[l] = 2 * w
	}
	sum := rbm.LogSumExp(logW)
	return LnZEstimate{
		LnZ: sum - math.Log(n), LogWeights: logW,
		Spread:    math.Sqrt(square / (n - 1)),
		Effective: math.Exp(2*sum - rbm.LogSumExp(double)),
	}
}
