package sample

import (
	"context"
	"math"

	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// A Profile says how far and how stiffly the distributions of a path (Annealing)
// change as t rises, measured by pilot runs. From it come ladders whose
// temperatures lie where they are needed.
type Profile struct {
	at     []float64 // knots from 0 to 1
	length []float64 // from 0 to each knot: the integral of the standard deviation of d ln w / dt
	effort []float64 // the same of the square root of the friction
}

// Measuring says how a profile is measured.
type Measuring struct {
	Chains int // runs, at least 10
	Steps  int // of each, at least 500
	Key    stream.Key
}

// pilotBlocks is the number of knots of a profile; correlations of log-weights
// over more steps than a block has count as none.
const pilotBlocks = 50

// MeasureProfile measures the profile of the path to a machine. It anneals twice: a
// quarter of the steps equally spaced, the others where the first run found effort.
// The error is the context's.
func MeasureProfile[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], m Measuring) (*Profile, error) {
	if m.Chains < 10 || m.Steps < 10*pilotBlocks {
		panic("sample: a profile needs at least 10 chains and 500 steps")
	}
	first := (m.Steps/4 + pilotBlocks - 1) / pilotBlocks * pilotBlocks
	equal := make([]float64, first+1)
	for k := range equal {
		equal[k] = float64(k) / float64(first)
	}
	p, err := pilot(ctx, source, equal, m.Chains, m.Key.Sub(stream.ProfileEqual))
	if err != nil {
		return nil, err
	}
	rest := (m.Steps - first + pilotBlocks - 1) / pilotBlocks * pilotBlocks
	return pilot(ctx, source, p.AnnealingLadder(rest), m.Chains, m.Key.Sub(stream.ProfileSpread))
}

// pilot anneals along a ladder of a multiple of pilotBlocks steps. Over a block
// of m steps the variance of the gain of log-weights is 2 friction dt^2 / m
// where it relaxes within the block, and the sum of the variances of the steps
// where states are independent from step to step.
func pilot[T rbm.Real, V units.States[V], H units.States[H]](ctx context.Context, source Source[T, V, H], ladder []float64, chains int, key stream.Key) (*Profile, error) {
	s := source.Base(chains, key.Sub(stream.ChainsStart))
	p := &Profile{at: []float64{0}, length: []float64{0}, effort: []float64{0}}
	m := (len(ladder) - 1) / pilotBlocks
	step, block := make([]float64, chains), make([]float64, chains) // log-weights at the start of each
	length := 0.0
	a := Annealing{Ladder: ladder}
	_, err := anneal(ctx, source, s, temperatures[T](&a), key, nothingKnown, func(k int, logW []float64) {
		length += math.Sqrt(varianceOfGain(logW, step))
		copy(step, logW)
		if k%m == 0 {
			effort := max(length, math.Sqrt(float64(m)*varianceOfGain(logW, block)))
			copy(block, logW)
			p.add(ladder[k], length, effort)
			length = 0
		}
	})
	return p, err
}

func (p *Profile) add(at, length, effort float64) {
	last := len(p.at) - 1
	const least = 1e-6 // where nothing changes, knots are passed by their distance
	floor := least * (at - p.at[last])
	p.length = append(p.length, p.length[last]+length+floor)
	p.effort = append(p.effort, p.effort[last]+effort+floor)
	p.at = append(p.at, at)
}

func varianceOfGain(after, before []float64) float64 {
	n, mean, square := float64(len(after)), 0.0, 0.0
	for l := range after {
		mean += (after[l] - before[l]) / n
	}
	for l := range after {
		d := after[l] - before[l] - mean
		square += d * d
	}
	return square / (n - 1)
}

// Length is the thermodynamic length of the path: how many standard deviations
// of the log-weight it leads through.
func (p *Profile) Length() float64 { return p.length[len(p.length)-1] }

// ExchangeLadder returns a ladder for Tempering whose neighbours are equally
// far apart, at most step of Length; they exchange at a rate of about
// erfc(step/2).
func (p *Profile) ExchangeLadder(step float64) []float64 {
	return spread(p.at, p.length, max(1, int(math.Ceil(p.Length()/step))))
}

// AnnealingLadder returns a ladder of steps steps for Annealing, the denser the
// more slowly log-weights forget where they are: the variance that annealing
// adds to them is then the same for all steps (Sivak and Crooks 2012).
func (p *Profile) AnnealingLadder(steps int) []float64 { return spread(p.at, p.effort, steps) }

// spread places temperatures at equal distances of a growing function given at
// knots, linear between them.
func spread(at, value []float64, steps int) []float64 {
	ladder := make([]float64, steps+1)
	total, k := value[len(value)-1], 1
	for j := 1; j < steps; j++ {
		want := total * float64(j) / float64(steps)
		for k < len(value)-1 && value[k] < want {
			k++
		}
		ladder[j] = at[k-1] + (at[k]-at[k-1])*(want-value[k-1])/(value[k]-value[k-1])
	}
	ladder[steps] = 1
	return ladder
}
