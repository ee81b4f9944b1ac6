package evaluate

import (
	"context"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// DrawnTerms are estimates of the data term of samples that a deep machine has drawn with their hidden units. These start an annealing to r, the
// reverse of the one with the sample held, so that the truth is between both: on average
//
//	Bound <= Importance <= truth,  Bound <= Clamped <= truth <= Reverse
//
// There are no such starts for other samples.
type DrawnTerms struct {
	Samples         int     `json:"samples"`
	Bound           float64 `json:"bound"` // as in DataTerms
	Importance      float64 `json:"importance"`
	Clamped         float64 `json:"clamped"`
	Reverse         float64 `json:"reverse"`
	BoundError      float64 `json:"bound_error"`
	ImportanceError float64 `json:"importance_error"`
	ClampedError    float64 `json:"clamped_error"`
	ReverseError    float64 `json:"reverse_error"`
}

// DefaultDrawn is how many samples serve (Options.Drawn).
const DefaultDrawn = 100

// BracketData draws samples by chains that start at states of the even layers of a deep machine, a column each, and take so many sweeps, and estimates their data
// terms from both sides. The error is the context's.
func BracketData(ctx context.Context, machine *rbm.Machine, states *spin.Matrix, sweeps int, key stream.Key) (*DrawnTerms, error) {
	chains := sample.NewChains(sample.OnMachine(machine), states.Cols(), key.Sub(stream.DrawnChains))
	chains.StartAt(states)
	for range max(1, sweeps) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		chains.Sweep(1)
	}
	c := newClamped(machine)
	b := c.block(units.Rows(chains.Visible, 0, c.data), key)
	var bounds, importances, clamps, boundErrors, gainErrors, annealErrors, reverses, reverseErrors []float64
	if err := b.estimate(ctx, &bounds, &importances, &clamps, &boundErrors, &gainErrors, &annealErrors); err != nil {
		return nil, err
	}
	runs := make([][]float64, termRuns)
	even := units.Rows(chains.Visible, c.data, chains.Visible.Rows())
	for k := range runs {
		b.state = even.Clone()
		var err error
		if runs[k], err = b.annealBack(ctx, key.Sub(stream.DrawnReverse).Sub(uint64(k))); err != nil {
			return nil, err
		}
	}
	for a := range states.Cols() {
		var minus []float64
		for _, w := range runs {
			minus = append(minus, -w[a])
		}
		value := lnMean(minus)
		reverses, reverseErrors = append(reverses, -value), append(reverseErrors, lnMeanVariance(minus, value))
	}
	return &DrawnTerms{Samples: states.Cols(), Bound: mean(bounds), Importance: mean(importances), Clamped: mean(clamps), Reverse: mean(reverses),
		BoundError: meanError(boundErrors), ImportanceError: meanError(gainErrors), ClampedError: meanError(annealErrors), ReverseError: meanError(reverseErrors)}, nil
}
