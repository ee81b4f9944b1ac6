package sample

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// Annealing says how long to anneal. More temperatures and more chains cost
// proportionally more and bring the estimate closer to the truth.
type Annealing struct {
	Chains       int       // independent runs; at least 2, for the spread
	Temperatures int       // steps between the base and the machine
	Ladder       []float64 // the temperatures, rising from 0 to 1; nil for Temperatures equal steps
	Key          stream.Key
	// Progress, where not nil, is called now and then with the temperatures done.
	Progress func(done int)
	// Watch, where not nil, is called after each temperature with what the log-weight of each
	// chain has gained since its start, to be read until the next.
	Watch func(done int, gains []float64)
}

// check returns an error if an option is wrong.
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

// AnnealedLnZ estimates ln Z of a machine by annealed importance sampling
// (Neal 2001; Salakhutdinov and Murray 2008): chains start at draws from the
// source's base and follow exp(-(1-t) base - t energy) as t rises from 0 to 1.
// The mean of exp(LogWeights) is unbiased for Z; its logarithm tends to come out
// too small, and a likelihood that uses it too large. The error is the context's,
// or of the options.
func AnnealedLnZ[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], a Annealing) (LnZEstimate, error) {
	if err := a.check(); err != nil {
		return LnZEstimate{}, err
	}
	s := source.Base(a.Chains, a.Key.Sub(stream.ChainsStart))
	logW, err := anneal(ctx, source, s, temperatures[T](&a), a.Key, nothingKnown, a.progress())
	if err != nil {
		return LnZEstimate{}, err
	}
	lnBase := source.LnZBase()
	for l := range logW {
		logW[l] += lnBase
	}
	return estimate(logW, 1), nil
}

// ReverseLnZ estimates ln Z of a machine by annealing in reverse: a chain starts
// at each column of starts (visible x chains; Chains is not read) and follows
// the same distributions as t falls from 1 to 0. Where starts are independent
// samples of the machine, the mean of exp(-LogWeights) is unbiased for 1/Z; its
// logarithm tends to make ln Z too large, and a likelihood that uses it too
// small (Grosse, Ghahramani and Adams 2015). Starts that are samples of data
// make weights of RAISE (Burda, Grosse and Salakhutdinov 2015). The error is the
// context's, or of the options.
func ReverseLnZ[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], starts V, a Annealing) (LnZEstimate, error) {
	a.Chains = starts.Len()
	if err := a.check(); err != nil {
		return LnZEstimate{}, err
	}
	if n, _ := source.Units(); starts.Units() != n {
		panic(fmt.Sprintf("sample: starts of %d units for %d visible units", starts.Units(), n))
	}
	ladder := temperatures[T](&a)
	slices.Reverse(ladder)
	logW, err := anneal(ctx, source, starts.Clone(), ladder, a.Key, nothingKnown, a.progress())
	if err != nil {
		return LnZEstimate{}, err
	}
	lnBase := source.LnZBase()
	for l := range logW {
		logW[l] = lnBase - logW[l]
	}
	return estimate(logW, -1), nil
}

func nothingKnown() {}

// progress returns the function that is called after each temperature.
func (a *Annealing) progress() func(done int, logW []float64) {
	return func(done int, gains []float64) {
		if a.Watch != nil {
			a.Watch(done, gains)
		}
		if a.Progress != nil && done%16 == 0 {
			a.Progress(done)
		}
	}
}

// anneal takes chains from the states s, of the distribution at ladder[0],
// along the ladder and returns the gains of their log-weights. After each draw of visible
// states, put writes the known values back. after is called
// with the steps done and the gains so far.
func anneal[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], s V, ladder []T, key stream.Key, put func(), after func(done int, logW []float64)) ([]float64, error) {
	chains := s.Len()
	layers, h := source.Conditionals(chains), source.NewHidden(chains)
	logW := make([]float64, chains)
	for k := 1; k < len(ladder); k++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		layers.DrawHidden(h, s, ladder[k], key.Sub(stream.ChainsHidden).Sub(uint64(k)))
		layers.AddGains(logW, s, ladder[k-1], ladder[k])
		if k+1 < len(ladder) {
			layers.DrawVisible(s, h, ladder[k], key.Sub(stream.ChainsVisible).Sub(uint64(k)))
			put()
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
