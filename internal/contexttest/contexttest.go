// Package contexttest has contexts that end while work goes on, to test that the work then gives up.
package contexttest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// EndAt returns a context that is cancelled when it is looked at for the given time,
// by Err or Done; 0 for one that has ended. So work can be interrupted at any of the
// places where it would notice, the same at each run.
func EndAt(looks int) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	c := &counted{Context: ctx, cancel: cancel}
	c.left.Store(int64(looks))
	if looks == 0 {
		cancel()
	}
	return c
}

// counted is a context that counts how often it is looked at.
type counted struct {
	context.Context
	cancel context.CancelFunc
	left   atomic.Int64
}

func (c *counted) look() {
	if c.left.Add(-1) <= 0 {
		c.cancel()
	}
}

// Done implements context.Context.
func (c *counted) Done() <-chan struct{} {
	c.look()
	return c.Context.Done()
}

// Err implements context.Context.
func (c *counted) Err() error {
	c.look()
	return c.Context.Err()
}

// Patience is how long after the end of its context work may take.
const Patience = 100 * time.Millisecond

// GivesUp does work, which must take much longer than it is given, and ends its context
// after that time. It fails unless work returns the context's error within Patience. As
// machines may be loaded, it takes the best of some tries.
func GivesUp(t testing.TB, who string, given time.Duration, work func(ctx context.Context) error) {
	t.Helper()
	givesUp(t, who, given, 20, work)
}

func givesUp(t testing.TB, who string, given time.Duration, tries int, work func(ctx context.Context) error) {
	t.Helper()
	best := time.Duration(1<<63 - 1)
	for range tries {
		ctx, cancel := context.WithTimeout(context.Background(), given)
		err := work(ctx)
		end, _ := ctx.Deadline()
		late := time.Since(end)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s returned the error %v and not the context's", who, err)
			return
		}
		if best = min(best, late); best <= Patience {
			return
		}
	}
	t.Errorf("%s gave up %v after its context ended, at best of %d tries: later than %v", who, best, tries, Patience)
}

// EveryLook does work with contexts that end at the first, second, fourth, ... look, until
// it is done before that. It fails unless work returns the context's error each time, at
// least so often, and then calls after, if work was interrupted.
func EveryLook(t testing.TB, who string, atLeast int, work func(ctx context.Context) error, after func()) {
	t.Helper()
	times := 0
	for looks := 0; ; looks = max(1, 2*looks) {
		err := work(EndAt(looks))
		if err == nil && looks > 0 {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s returned the error %v where its context ended at look %d", who, err, looks)
			return
		}
		times++
		after()
	}
	if times < atLeast {
		t.Errorf("%s was interrupted %d times, less than %d: it looks too seldom at its context", who, times, atLeast)
	}
}
