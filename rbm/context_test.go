package rbm

import (
	"context"
	"testing"
	"time"

	"bethe/internal/contexttest"
	"bethe/spin"
	"bethe/stream"
)

// Exact sums over 784 x 23 units, which take many seconds, give up within 0.1 s where
// their context ends after 0.1 s.
func TestExactSumsGiveUp(t *testing.T) {
	const n, p, given = 784, 23, 100 * time.Millisecond
	signs := spin.Random(n, p, stream.New(1).Rand())
	machine := &Machine{Params: NewParams(n, p, 0.05), Synapses: Binary(signs)}
	net := NetworkOf[float64](machine)
	contexttest.GivesUp(t, "ln Z of a machine", given, func(ctx context.Context) error { _, err := machine.LnZ(ctx); return err })
	contexttest.GivesUp(t, "ln Z of a network", given, func(ctx context.Context) error { _, err := net.LnZ(ctx); return err })
	moments := NewMoments[float64](n, p)
	contexttest.GivesUp(t, "moments of a network", given, func(ctx context.Context) error { _, err := net.ExactMoments(ctx, moments); return err })
}

// Wherever their context ends, exact sums return its error: in the sum for ln Z, and in
// the second walk, that for the moments.
func TestExactSumsInterrupted(t *testing.T) {
	const n, p = 200, 12 // several pieces, and looks within each
	machine := &Machine{Params: NewParams(n, p, 0.05), Synapses: Binary(spin.Random(n, p, stream.New(1).Rand()))}
	net := NetworkOf[float64](machine)
	contexttest.EveryLook(t, "ln Z of a machine", 4, func(ctx context.Context) error { _, err := machine.LnZ(ctx); return err }, func() {})
	contexttest.EveryLook(t, "ln Z of a network", 4, func(ctx context.Context) error { _, err := net.LnZ(ctx); return err }, func() {})
	moments := NewMoments[float64](n, p)
	contexttest.EveryLook(t, "moments of a network", 5, func(ctx context.Context) error { _, err := net.ExactMoments(ctx, moments); return err }, func() {})
}
