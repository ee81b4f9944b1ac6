// Package parallel splits loops among the processors the runtime may use.
//
// The pieces of a loop are fixed by its length and grain alone, never by the
// number of workers, so a caller that keeps one partial result a piece and
// adds them up in order gets the same bytes on any machine.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Pieces returns how many pieces For makes of n iterations at the given grain.
func Pieces(n, grain int) int {
	if grain < 1 {
		panic("parallel: grain below 1")
	}
	return (n + grain - 1) / grain
}

// For calls body(lo, hi) on consecutive pieces of [0, n), each grain long but
// perhaps the last. Pieces run concurrently on up to GOMAXPROCS goroutines,
// which take them from a shared counter; one piece runs in the caller's own
// goroutine. It returns when every piece is done. A panic in body is raised
// again in the caller.
func For(n, grain int, body func(lo, hi int)) {
	pieces := Pieces(n, grain)
	workers := min(runtime.GOMAXPROCS(0), pieces)
	if workers <= 1 {
		for lo := 0; lo < n; lo += grain {
			body(lo, min(lo+grain, n))
		}
		return
	}
	l := &loop{n: n, grain: grain, pieces: pieces, body: body}
	if !helpers.share(l, workers-1) { // another loop has the helpers, perhaps the one around this
		var wg sync.WaitGroup
		for range workers - 1 {
			wg.Go(l.work)
		}
		l.work()
		wg.Wait()
	}
	if v := l.failed.Load(); v != nil {
		panic(*v)
	}
}

// A loop is the work of one For.
type loop struct {
	n, grain, pieces int
	body             func(lo, hi int)
	next             atomic.Int64
	failed           atomic.Pointer[any]
	inside           atomic.Int64 // helpers at work on it; closed when it is over
	room             atomic.Int64 // helpers that may still join
	waiting          atomic.Bool  // the caller sleeps until the last helper leaves
}

// closed is far below any number of helpers.
const closed = -1 << 32

// work takes pieces until there are none.
func (l *loop) work() {
	defer func() {
		if v := recover(); v != nil {
			l.failed.CompareAndSwap(nil, &v)
		}
	}()
	for l.failed.Load() == nil {
		i := int(l.next.Add(1)) - 1
		if i >= l.pieces {
			return
		}
		l.body(i*l.grain, min((i+1)*l.grain, l.n))
	}
}

// help works on the loop unless it is over or has helpers enough. The last to
// leave says so where the caller sleeps.
func (l *loop) help(left chan<- struct{}) {
	if l.room.Add(-1) < 0 {
		return
	}
	if l.inside.Add(1) > 0 {
		l.work()
	}
	if l.inside.Add(-1) == 0 && l.waiting.Load() {
		select {
		case left <- struct{}{}:
		default: // it has been told already
		}
	}
}

// wait returns when no helper is at work, and closes the loop to others. It
// watches for a while, as helpers end about when the caller does; where they do
// not, because another program has their processor, it sleeps.
func (l *loop) wait(left <-chan struct{}) {
	for looks := 0; !l.inside.CompareAndSwap(0, closed); looks++ {
		if looks < patience {
			runtime.Gosched()
			continue
		}
		l.waiting.Store(true)
		if l.inside.CompareAndSwap(0, closed) {
			return
		}
		<-left // perhaps of an earlier loop: look again
	}
}

// patience is how often a caller looks whether its helpers have left before it
// sleeps: some 50 microseconds.
const patience = 200

// A crew is a set of goroutines that stay, to help with one loop after the
// other. Between loops that follow closely they watch for the next one instead
// of sleeping: waking a sleeper takes as long as a small loop.
type crew struct {
	busy    sync.Mutex // held by the loop that has the crew
	loop    atomic.Pointer[loop]
	members []*member
	left    chan struct{} // the last helper has left a loop
}

type member struct {
	asleep atomic.Bool
	wake   chan struct{}
}

var helpers = crew{left: make(chan struct{}, 1)}

// watching is how often a helper looks for a loop before it sleeps: some 50
// microseconds.
const watching = 30000

// share does the work of a loop with up to count helpers, and returns false if
// the crew is taken.
func (c *crew) share(l *loop, count int) bool {
	if !c.busy.TryLock() {
		return false
	}
	defer c.busy.Unlock()
	for len(c.members) < count {
		m := &member{wake: make(chan struct{}, 1)}
		c.members = append(c.members, m)
		go m.serve(c)
	}
	l.room.Store(int64(count))
	c.loop.Store(l)
	for _, m := range c.members[:count] {
		if m.asleep.CompareAndSwap(true, false) {
			m.wake <- struct{}{}
		}
	}
	l.work()
	l.wait(c.left)
	c.loop.Store(nil) // what the loop holds can be freed
	return true
}

// serve helps with every loop of the crew.
func (m *member) serve(c *crew) {
	var last *loop
	for idle := 0; ; idle++ {
		if l := c.loop.Load(); l != last {
			if last = l; l != nil {
				l.help(c.left)
				idle = 0
			}
		}
		if idle < watching {
			continue
		}
		idle = 0
		m.asleep.Store(true)
		if c.loop.Load() != last && m.asleep.CompareAndSwap(true, false) {
			continue
		}
		<-m.wake
	}
}

// Grain returns a grain for a loop whose iteration costs cost basic operations
// (an addition or so), such that a piece is worth handing to another goroutine.
func Grain(cost int) int {
	const piece = 1 << 17 // about 50 microseconds of portable code
	return max(1, piece/max(cost, 1))
}
