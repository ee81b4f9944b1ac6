package infer

import (
	"context"
	"slices"
	"testing"
	"time"

	"bethe/internal/contexttest"
	"bethe/spin"
	"bethe/stream"
)

// Whenever its context ends, work returns the context's error.
func TestInterrupted(t *testing.T) {
	d := spin.Random(10, 70, stream.New(1).Rand())
	for hidden := 1; hidden <= MaxHidden; hidden++ {
		opt := DefaultOptions(hidden, 0.3, stream.New(2))
		opt.MaxIterations = 3
		contexttest.EveryLook(t, "messages", 8, func(ctx context.Context) error {
			p, err := New[float64](d, opt)
			if err == nil {
				_, err = p.Run(ctx, nil)
			}
			return err
		}, func() {})
	}
}

// A step that is interrupted leaves beliefs as they are, and the next gives the bytes of
// one that knows nothing of it.
func TestStepInterrupted(t *testing.T) {
	d := spin.Random(6, 600, stream.New(1).Rand())
	rows := func() *Rows[float64] {
		r := NewRows(d, thetas(6*3, 0.5, stream.New(2)), nil, 3, 0.4)
		step(t, r, 0.3)
		return r
	}
	mean := func(r *Rows[float64]) []float64 {
		x := make([]float64, 6*3)
		r.Mean(x)
		return x
	}
	r, twin := rows(), rows()
	before := mean(r)
	step(t, twin, 0.3)
	contexttest.EveryLook(t, "a step", 6, func(ctx context.Context) error { return r.Step(ctx, 0.3) }, func() {
		if !slices.Equal(mean(r), before) {
			t.Error("an interrupted step moved beliefs")
		}
	})
	if !slices.Equal(mean(r), mean(twin)) {
		t.Error("a step after interrupted ones gives other beliefs")
	}
}

// Large work gives up within 0.1 s.
func TestGivesUp(t *testing.T) {
	const n, m, given = 1000, 2000, 3 * time.Millisecond
	d := spin.Random(n, m, stream.New(1).Rand())
	for hidden := 1; hidden <= MaxHidden; hidden++ {
		p, err := New[float32](d, DefaultOptions(hidden, 0.03, stream.New(2)))
		if err != nil {
			t.Fatal(err)
		}
		contexttest.GivesUp(t, "messages", given, func(ctx context.Context) error { _, err := p.Run(ctx, nil); return err })
	}
	r := NewRows(d, thetas(n*MaxRows, 0.5, stream.New(3)), nil, MaxRows, 0.03)
	contexttest.GivesUp(t, "a step", given, func(ctx context.Context) error { return r.Step(ctx, 0.3) })
}
