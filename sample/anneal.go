package sample

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Annealing says how long to anneal. More temperatures and more chains cost
// proportionally more and bring the estimate closer to the truth.
type Annealing struct {
	Chains       int       // independent runs; at least 2, for the spread
	Temperatures int       // steps between the base distribution and the network
	Ladder       []float64 // the temperatures, rising from 0 to 1; nil for Temperatures equal steps
	BaseField    []float64 // visible fields of the base distribution; nil for none
	Key          stream.Key
	// Progress, where not nil, is called now and then with the temperatures done.
	Progress func(done int)
}

// check returns what is wrong with the options.
func (a *Annealing) check() error {
	if a.Chains < 2 || a.Ladder == nil && a.Temperatures < 1 {
		return fmt.Errorf("annealing needs at least 2 chains and 1 temperature, not %d and %d", a.Chains, a.Temperatures)
	}
	if a.Ladder != nil {
		checkLadder("annealing", a.Ladder)
		if a.Ladder[0] != 0 {
			panic("sample: annealing on a ladder that does not start at 0")
		}
	}
	return nil
}

// temperatures returns the ladder.
func temperatures[T rbm.Real](a *Annealing) []T {
	if a.Ladder != nil {
		list := make([]T, len(a.Ladder))
		for k, t := range a.Ladder {
			list[k] = T(t)
		}
		return list
	}
	list := make([]T, a.Temperatures+1)
	for k := range list {
		list[k] = T(k) / T(a.Temperatures)
	}
	return list
}

// LnZEstimate is an estimate of a partition function by annealed importance sampling.
type LnZEstimate struct {
	LnZ        float64   // from the mean of the weights
	LogWeights []float64 // ln Z by each chain alone
	Spread     float64   // standard deviation of LogWeights
	Effective  float64   // effective number of chains, (sum w)^2 / sum w^2
}

// AnnealedLnZ estimates ln Z of a network by annealed importance sampling
// (Neal 2001; Salakhutdinov and Murray 2008): chains start at independent
// visible spins in the base field and follow exp(-(1-t) base - t energy) as t
// rises from 0 to 1. The mean of exp(LogWeights) is unbiased for Z; its
// logarithm tends to come out too small, and a likelihood that uses it too
// large. The error is the context's, or of the options.
func AnnealedLnZ[T rbm.Real](ctx context.Context, net *rbm.Network[T], a Annealing) (LnZEstimate, error) {
	return forward[T](ctx, shareNetwork(net).conditionals(max(0, a.Chains)), net.VisibleField, net.Constant, a)
}

// AnnealedMachineLnZ is AnnealedLnZ for a machine. Binary synapses make it
// several times faster than its network.
func AnnealedMachineLnZ(ctx context.Context, machine *rbm.Machine, a Annealing) (LnZEstimate, error) {
	layers, fields, constant := machineConditionals(machine, max(0, a.Chains))
	return forward(ctx, layers(), fields, constant, a)
}

// ReverseLnZ estimates ln Z of a network by annealing in reverse: a chain starts
// at each column of starts (visible x chains; Chains is not read) and follows
// the same distributions as t falls from 1 to 0. Where starts are independent
// samples of the network, the mean of exp(-LogWeights) is unbiased for 1/Z; its
// logarithm tends to make ln Z too large, and a likelihood that uses it too
// small (Grosse, Ghahramani and Adams 2015). Starts that are samples of data
// make weights of RAISE (Burda, Grosse and Salakhutdinov 2015). The error is the
// context's, or of the options.
func ReverseLnZ[T rbm.Real](ctx context.Context, net *rbm.Network[T], starts *spin.Matrix, a Annealing) (LnZEstimate, error) {
	a.Chains = starts.Cols()
	return reverse[T](ctx, shareNetwork(net).conditionals(a.Chains), net.VisibleField, net.Constant, starts, a)
}

// ReverseMachineLnZ is ReverseLnZ for a machine.
func ReverseMachineLnZ(ctx context.Context, machine *rbm.Machine, starts *spin.Matrix, a Annealing) (LnZEstimate, error) {
	a.Chains = starts.Cols()
	layers, fields, constant := machineConditionals(machine, a.Chains)
	return reverse(ctx, layers(), fields, constant, starts, a)
}

func forward[T rbm.Real](ctx context.Context, layers conditionals[T], fields []T, constant float64, a Annealing) (LnZEstimate, error) {
	if err := a.check(); err != nil {
		return LnZEstimate{}, err
	}
	n, p := layers.size()
	w := newPath(a.BaseField, fields)
	s := spin.New(n, a.Chains)
	w.draw(s, a.Key.Sub(start))
	logW, err := w.anneal(ctx, layers, s, temperatures[T](&a), a.Key, a.progress())
	if err != nil {
		return LnZEstimate{}, err
	}
	for l := range logW {
		logW[l] += constant + w.lnBase(p)
	}
	return estimate(logW, 1), nil
}

func reverse[T rbm.Real](ctx context.Context, layers conditionals[T], fields []T, constant float64, starts *spin.Matrix, a Annealing) (LnZEstimate, error) {
	if err := a.check(); err != nil {
		return LnZEstimate{}, err
	}
	n, p := layers.size()
	if starts.Rows() != n {
		panic(fmt.Sprintf("sample: starts of %d spins for %d visible units", starts.Rows(), n))
	}
	w := newPath(a.BaseField, fields)
	ladder := temperatures[T](&a)
	slices.Reverse(ladder)
	logW, err := w.anneal(ctx, layers, starts.Clone(), ladder, a.Key, a.progress())
	if err != nil {
		return LnZEstimate{}, err
	}
	for l := range logW {
		logW[l] = constant + w.lnBase(p) - logW[l]
	}
	return estimate(logW, -1), nil
}

// progress returns what is called after each temperature.
func (a *Annealing) progress() func(done int, logW []float64) {
	return func(done int, _ []float64) {
		if a.Progress != nil && done%16 == 0 {
			a.Progress(done)
		}
	}
}

// anneal takes chains from the states s, of the distribution at ladder[0],
// along the ladder and returns what their log-weights gain. after is called
// with the steps done and the gains so far.
func (w *path[T]) anneal(ctx context.Context, layers conditionals[T], s *spin.Matrix, ladder []T, key stream.Key, after func(done int, logW []float64)) ([]float64, error) {
	n, p := layers.size()
	chains := s.Cols()
	h := spin.New(p, chains)
	fields, visible := make([]T, n), make([]T, chains)
	logW := make([]float64, chains)
	for k := 1; k < len(ladder); k++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		layers.drawHidden(h, s, ladder[k], key.Sub(drawHidden).Sub(uint64(k)))
		w.addSteps(logW, visible, s, layers.hiddenFields(), ladder[k-1], ladder[k])
		if k+1 < len(ladder) {
			w.fields(fields, ladder[k])
			layers.drawVisible(s, h, fields, ladder[k], key.Sub(drawVisible).Sub(uint64(k)))
		}
		after(k, logW)
	}
	return logW, nil
}

// estimate sums up the ln Z of single chains: exp(sign ln Z) is the mean of
// exp(sign logW).
func estimate(logW []float64, sign float64) LnZEstimate {
	n := float64(len(logW))
	var mean, square float64
	for _, w := range logW {
		mean += w / n
	}
	once, twice := make([]float64, len(logW)), make([]float64, len(logW))
	for l, w := range logW {
		square += (w - mean) * (w - mean)
		once[l], twice[l] = sign*w, 2*sign*w
	}
	sum := rbm.LogSumExp(once)
	return LnZEstimate{
		LnZ: sign * (sum - math.Log(n)), LogWeights: logW,
		Spread:    math.Sqrt(square / (n - 1)),
		Effective: math.Exp(2*sum - rbm.LogSumExp(twice)),
	}
}
