package planted

import (
	"context"
	"testing"
	"time"

	"bethe/internal/contexttest"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Whenever its context ends, work returns the context's error.
func TestInterrupted(t *testing.T) {
	m := teacher(t, 10, 2, 0, stream.New(1))
	d := data(t, m, 20, stream.New(2))
	post, short := NewExactPosterior(d, 2, m.Coupling()), Schedule{BurnIn: 3, Temperature: 2, Keep: 3}
	sets := []*spin.Matrix{m.Signs(), spin.Random(10, 2, stream.New(3).Rand()), spin.Random(10, 2, stream.New(4).Rand())}
	for _, c := range []struct {
		who     string
		atLeast int // interruptions, which are at looks 0, 1, 2, 4 ...
		work    func(ctx context.Context) error
	}{
		{"a yardstick", 8, func(ctx context.Context) error {
			_, err := NewYardstick(ctx, m, d, short, stream.New(3))
			return err
		}},
		{"a run", 7, func(ctx context.Context) error {
			_, err := post.Run(ctx, m.Signs(), short, stream.New(3))
			return err
		}},
		{"a likelihood", 4, func(ctx context.Context) error { _, err := post.LogLikelihood(ctx, m.Signs()); return err }},
		{"a mean of sets", 4, func(ctx context.Context) error { _, err := AlignedMean(ctx, sets); return err }},
		{"exact data", 5, func(ctx context.Context) error { _, err := Data(ctx, m, 20, stream.New(5)); return err }},
		{"data of chains", 10, func(ctx context.Context) error {
			wide := teacher(t, MaxEnumerated+1, MaxEnumerated+1, 0, stream.New(6))
			_, err := Data(ctx, wide, 2, stream.New(5))
			return err
		}},
	} {
		contexttest.EveryLook(t, c.who, c.atLeast, c.work, func() {})
	}
}

// Large work gives up within 0.1 s.
func TestGivesUp(t *testing.T) {
	const n, p, given = 400, 8, 3 * time.Millisecond
	d := spin.Random(n, 10000, stream.New(1).Rand())
	synapses := spin.Random(n, p, stream.New(2).Rand())
	post := NewExactPosterior(d, p, 0.05)
	contexttest.GivesUp(t, "a run", given, func(ctx context.Context) error {
		_, err := post.Run(ctx, synapses, DefaultSchedule, stream.New(3))
		return err
	})
	wide := &rbm.Machine{Params: rbm.NewParams(784, MaxEnumerated, 0.1), Synapses: rbm.Binary(spin.Random(784, MaxEnumerated, stream.New(4).Rand()))}
	contexttest.GivesUp(t, "exact data", given, func(ctx context.Context) error {
		_, err := Data(ctx, wide, 1000, stream.New(5))
		return err
	})
}
