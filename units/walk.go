package units

import (
	"context"
	"math/bits"

	"bethe/internal/parallel"
)

// A Visitor sees states of a layer of n units ±1, in Gray-code order: from one state
// to the next a single unit flips. So the fields of the other layer, of any kind of
// unit, cost one update a state.
type Visitor interface {
	// Begin tells the first state.
	Begin(spins []float64)
	// Visit is called for each state, with its place in the order. flip is the unit
	// that flips next, -1 after the last state.
	Visit(place int, spins []float64, flip int)
	// Flip tells that a unit has flipped, to spin.
	Flip(unit int, spin float64)
}

// unitsBetweenLooks is how many units of the other layer a walk updates before it
// looks at the context again.
const unitsBetweenLooks = 1 << 17

// WalkStates visits all 2^n states of n units. Pieces of so many consecutive states
// run concurrently, each with a visitor of its own for the places lo to hi-1. Cost is
// about the number of units of the other layer that a visit goes through. The error is
// the context's, after which visits are missing.
func WalkStates(ctx context.Context, n, piece, cost int, visitor func(lo, hi int) Visitor) error {
	between := max(1, unitsBetweenLooks/max(1, cost))
	return parallel.ForContext(ctx, 1<<n, piece, func(lo, hi int) {
		v, spins, gray := visitor(lo, hi), make([]float64, n), lo^lo>>1
		for u := range spins {
			spins[u] = 1 - 2*float64(gray>>u&1)
		}
		v.Begin(spins)
		for k := lo; k < hi; k++ {
			if (k-lo)%between == 0 && ctx.Err() != nil {
				return
			}
			flip := bits.TrailingZeros(uint(k + 1))
			if k+1 == hi {
				flip = -1
			}
			v.Visit(k, spins, flip)
			if flip >= 0 {
				spins[flip] = -spins[flip]
				v.Flip(flip, spins[flip])
			}
		}
	})
}
