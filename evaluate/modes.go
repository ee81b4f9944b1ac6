package evaluate

import (
	"cmp"
	"context"
	"slices"

	"bethe/sample"
	"bethe/stream"
)

// A Mode is a group of states that holds some tempered ensembles and not others. It has
// its own ln Z, by annealing from independent units that look like those states. If a mode
// melts and freezes at different temperatures, its ensembles alone overstate it;
// from a base of its own nothing has to melt. Forward estimates the whole Z, and
// hardly ever overstates it. Reverse estimates the mode, and hardly ever understates it.
type Mode struct {
	Ensembles, Searched []int // which ensembles are in it: tempered ones, and those of the search
	Excess              float64
	Forward, Reverse    []float64 // ln Z by each chain alone; no Forward of light modes
}

// Limits of how modes are looked at.
const (
	maxModes        = 8  // that are measured well
	maxTried        = 64 // that are looked at
	modeChains      = 64
	trialChains     = 16 // of the first, short look, which finds the light modes
	modeSettling    = 16 // sweeps
	modeSnapshots   = 8
	modePilot       = 32   // chains
	modePilotSteps  = 500  // at least
	modeShare       = 4    // of the temperatures of the estimate, as a divisor
	leastModeSteps  = 200  // temperatures
	trialShare      = -4   // nats: ln of the share of Z below which the trial is enough
	modeResemblance = 0.25 // of the square of the distance to other states
)

// A standing is an ensemble that stands apart.
type standing struct {
	ensemble int
	searched bool
	excess   float64
	column   int // of the states
}

// apart returns the ensembles that stand apart, the ones of largest excess first, and the
// tempered ones that do not.
func (e *Evidence) apart() (list []standing, rest []int) {
	n, reference := e.Ensembles(), e.reference()
	for l, z := range e.Alone() {
		if z-reference > maxExcess {
			list = append(list, standing{l, false, z - reference, l})
		} else {
			rest = append(rest, l)
		}
	}
	for l, z := range e.Searched {
		if z-reference > maxExcess {
			list = append(list, standing{l, true, z - reference, n + l})
		}
	}
	slices.SortStableFunc(list, func(a, b standing) int { return cmp.Compare(b.excess, a.excess) })
	return list, rest
}

// modes measures the modes of ensembles that stand apart, the largest excess first. states
// come from the tempered ensembles at the machine, searched from the search.
func (e *estimation[T, V, H]) modes(ctx context.Context, states V, searched *V) error {
	n := e.evidence.Ensembles()
	list, rest := e.evidence.apart()
	if len(list) == 0 {
		return nil
	}
	all := e.source.NewVisible(n + len(e.evidence.Searched))
	all.Put(states, first(n))
	if searched != nil {
		all.Put(*searched, first(all.Len())[n:])
	}
	means, err := e.meanStates(ctx, all)
	if err != nil {
		return err
	}
	measured := 0
	for len(list) > 0 && measured < maxModes && len(e.evidence.Modes) < maxTried {
		var members, others []standing
		for k, s := range list {
			if k == 0 || near(means[s.column], means[list[0].column], average(means, rest)) {
				members = append(members, s)
			} else {
				others = append(others, s)
			}
		}
		list = others
		mode := Mode{Excess: members[0].excess}
		var columns []int
		for _, s := range members {
			columns = append(columns, s.column)
			if s.searched {
				mode.Searched = append(mode.Searched, s.ensemble)
			} else {
				mode.Ensembles = append(mode.Ensembles, s.ensemble)
			}
		}
		slices.Sort(mode.Ensembles)
		slices.Sort(mode.Searched)
		well, err := e.measure(ctx, &mode, all, columns, len(e.evidence.Modes))
		if err != nil {
			return err
		}
		if well {
			measured++
		}
		e.evidence.Modes = append(e.evidence.Modes, mode)
	}
	e.evidence.Unmeasured = len(list)
	return nil
}

// meanStates returns the mean visible states of chains that begin at the columns of
// states, over some sweeps.
func (e *estimation[T, V, H]) meanStates(ctx context.Context, states V) ([][]float64, error) {
	count := states.Len()
	chains := sample.NewChains(e.source, count, e.opt.Key.Sub(stream.EstimateModes).Sub(stream.ModesMeans))
	chains.StartAt(states)
	means := make([][]float64, count)
	for l := range means {
		means[l] = make([]float64, states.Units())
	}
	now := make([]T, states.Units()*count)
	for k := range 2 * modeSettling {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
		if k < modeSettling {
			continue
		}
		chains.VisibleMeans(now)
		for l := range means {
			for i := range means[l] {
				means[l][i] += float64(now[i*count+l]) / modeSettling
			}
		}
	}
	return means, nil
}

// average returns the mean of the named vectors, or of all if none is named.
func average(x [][]float64, of []int) []float64 {
	if len(of) == 0 {
		of = first(len(x))
	}
	out := make([]float64, len(x[0]))
	for _, l := range of {
		for i, v := range x[l] {
			out[i] += v / float64(len(of))
		}
	}
	return out
}

// near reports whether two states are much nearer to each other than to the others.
func near(a, b, others []float64) bool {
	var ab, ao, bo float64
	for i := range a {
		ab += (a[i] - b[i]) * (a[i] - b[i])
		ao += (a[i] - others[i]) * (a[i] - others[i])
		bo += (b[i] - others[i]) * (b[i] - others[i])
	}
	return ab <= modeResemblance*min(ao, bo)
}

// measure anneals between a mode and a base that resembles it. It begins with few chains, from
// the mode to the base: but for errors, these never make a mode too light. If the mode is not
// light, more chains measure it well, in both directions.
func (e *estimation[T, V, H]) measure(ctx context.Context, mode *Mode, states V, columns []int, number int) (well bool, err error) {
	key := e.opt.Key.Sub(stream.EstimateModes).Sub(stream.ModesMeasured).Sub(uint64(number))
	source, at, err := e.base(ctx, states, columns, trialChains, key.Sub(stream.ModeTrialStates))
	if err != nil {
		return false, err
	}
	trial, err := sample.ReverseLnZ(ctx, source, at, sample.Annealing{Temperatures: leastModeSteps, Key: key.Sub(stream.ModeTrial)})
	if err != nil {
		return false, err
	}
	mode.Reverse = trial.LogWeights
	if mode.own()-e.evidence.reference() < trialShare {
		return false, nil
	}
	if source, at, err = e.base(ctx, states, columns, modeChains, key.Sub(stream.ModeStates)); err != nil {
		return true, err
	}
	steps := max(leastModeSteps, e.opt.Temperatures/modeShare)
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: modePilot, Steps: max(modePilotSteps, steps/2), Key: key.Sub(stream.ModePilot)})
	if err != nil {
		return true, err
	}
	annealing := sample.Annealing{Chains: modeChains, Ladder: profile.AnnealingLadder(steps), Key: key.Sub(stream.ModeForward)}
	forward, err := sample.AnnealedLnZ(ctx, source, annealing)
	if err != nil {
		return true, err
	}
	annealing.Key = key.Sub(stream.ModeReverse)
	reverse, err := sample.ReverseLnZ(ctx, source, at, annealing)
	mode.Forward, mode.Reverse = forward.LogWeights, reverse.LogWeights
	return true, err
}

// base returns the path from independent units that look like the states where chains
// from the named columns arrive, and the last states of count such chains.
func (e *estimation[T, V, H]) base(ctx context.Context, states V, columns []int, count int, key stream.Key) (source sample.Source[T, V, H], at V, err error) {
	starts := e.source.NewVisible(count)
	repeated := make([]int, count)
	for k := range repeated {
		repeated[k] = columns[k%len(columns)]
	}
	states.Gather(starts, repeated)
	chains := sample.NewChains(e.source, count, key)
	chains.StartAt(starts)
	like := e.source.NewVisible(count * modeSnapshots)
	to := first(count)
	for range modeSnapshots {
		if err := ctx.Err(); err != nil {
			return nil, at, err
		}
		chains.Sweep(modeSettling / 2)
		like.Put(chains.Visible, to)
		for j := range to {
			to[j] += count
		}
	}
	return e.machine.Source(like), chains.Visible, nil
}

// own returns ln Z of the mode, which is hardly ever too small.
func (m *Mode) own() float64 { return lnHarmonicMean(m.Reverse) }

// whole returns ln Z of the machine by the base of the mode, or else by the mode alone.
func (m *Mode) whole() float64 {
	if len(m.Forward) == 0 {
		return m.own()
	}
	return lnMean(m.Forward)
}
