package contexttest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// recorder notes the errors of a test.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestEndAt(t *testing.T) {
	if EndAt(0).Err() == nil || EndAt(1).Err() == nil {
		t.Error("a context that should have ended has not")
	}
	ctx := EndAt(3)
	if ctx.Err() != nil {
		t.Error("ended at the first look")
	}
	select {
	case <-ctx.Done():
		t.Error("ended at the second look")
	default:
	}
	if <-ctx.Done(); !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("not ended at the third look")
	}
}

func TestGivesUp(t *testing.T) {
	attentive := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	deaf := func(ctx context.Context) error {
		time.Sleep(Patience + 10*time.Millisecond)
		return context.DeadlineExceeded
	}
	done := func(context.Context) error { return nil }
	GivesUp(t, "attentive work", time.Millisecond, attentive)
	for _, c := range []struct {
		work   func(ctx context.Context) error
		errors int
	}{{attentive, 0}, {deaf, 1}, {done, 1}} {
		r := &recorder{TB: t}
		if givesUp(r, "work", time.Millisecond, 2, c.work); len(r.errors) != c.errors {
			t.Errorf("%d errors, not %d: %v", len(r.errors), c.errors, r.errors)
		}
	}
}

func TestEveryLook(t *testing.T) {
	looking := func(times int) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			for range times {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		}
	}
	failing := func(context.Context) error { return errors.New("another error") }
	for _, c := range []struct {
		work          func(ctx context.Context) error
		errors, after int
	}{{looking(10), 0, 5}, {looking(1), 1, 2}, {failing, 1, 0}} {
		r, after := &recorder{TB: t}, 0
		if EveryLook(r, "work", 5, c.work, func() { after++ }); len(r.errors) != c.errors || after != c.after {
			t.Errorf("%d errors and %d times after, not %d and %d: %v", len(r.errors), after, c.errors, c.after, r.errors)
		}
	}
}
