package main

import (
	"context"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Labels of the random streams of tempered samples, below the seed's key.
const (
	streamProfile = 100 + iota // those of chains come before
	streamTempered
)

// What the ladder of tempered samples is measured with, and how far apart its
// temperatures are: exchanges are then accepted about every other time.
const (
	profileChains = 50
	profileSteps  = 1000
	rungDistance  = 1.
)

// temperedStates are the states of tempered chains at the machine itself.
type temperedStates struct {
	states *spin.Matrix // visible x chains
	rungs  int
}

// temper sweeps tempered chains with some units held, if any.
func (c *console) temper(ctx context.Context, machine *rbm.Machine, count, sweeps int, units []int, held *spin.Matrix) (*temperedStates, error) {
	key := stream.New(c.seed)
	// Offsets are the means of the data, which independent spins had better share.
	base := make([]float64, machine.Visible())
	for i, mean := range machine.VisibleOffset {
		const most = 1 - 1e-4
		base[i] = math.Atanh(max(-most, min(most, mean)))
	}
	source := sample.OnMachine(machine).From(base)
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: profileChains, Steps: profileSteps, Key: key.Sub(streamProfile)})
	if err != nil {
		return nil, err
	}
	ladder := profile.ExchangeLadder(rungDistance)
	tempered := sample.NewTempered(source, sample.Tempering{Chains: count, Ladder: ladder, Key: key.Sub(streamTempered)})
	if held != nil {
		tempered.Clamp(units, held)
	}
	if err := c.sweep(ctx, "tempering", sweeps, func() { tempered.Sweep(1) }); err != nil {
		return nil, err
	}
	return &temperedStates{tempered.Top().Visible, len(ladder)}, nil
}
