// Package parallel splits loops among the processors the runtime may use.
//
// The pieces of a loop are fixed by its length and grain alone, never by the
// number of workers, so a caller that keeps one partial result a piece and
// adds them up in order gets the same bytes on any machine.
package parallel

import (
	"context"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Pieces returns how many pieces For makes of n iterations at the given grain.
func Pieces(n, grain int) int {
	if grain < 1 {
		panic("parallel: grain below 1")
	}
	return (n + grain - 1) / grain
}

// For calls body(lo, hi) on consecutive pieces of [0, n), each grain long but
// perhaps the last. Pieces run concurrently on up to GOMAXPROCS goroutines; one
// piece runs in the caller's own goroutine. It returns when every piece is done.
// A panic in body is raised again in the caller.
//
// Each goroutine has a part of the pieces of its own, and takes from those of
// others when it is done. So in loops over the rows of the same matrices that
// follow each other a processor meets the rows that it has in its cache: to
// fetch what another one wrote can take as long as to compute it.
func For(n, grain int, body func(lo, hi int)) {
	pieces := Pieces(n, grain)
	workers := min(runtime.GOMAXPROCS(0), pieces)
	if workers <= 1 {
		for lo := 0; lo < n; lo += grain {
			body(lo, min(lo+grain, n))
		}
		return
	}
	l := newLoop(n, grain, pieces, workers, body)
	if !helpers.share(l) { // another loop has the helpers, perhaps the one around this
		var wg sync.WaitGroup
		for w := 1; w < workers; w++ {
			wg.Go(func() { l.work(w) })
		}
		l.work(0)
		wg.Wait()
	}
	if v := l.failed.Load(); v != nil {
		panic(*v)
	}
}

// A loop is the work of one For.
type loop struct {
	n, grain int
	body     func(lo, hi int)
	parts    []part // one a worker; the caller is worker 0
	failed   atomic.Pointer[any]
	inside   atomic.Int64 // helpers at work on it; closed when it is over
	waiting  atomic.Bool  // the caller sleeps until the last helper leaves
}

// closed is far below any number of helpers.
const closed = -1 << 32

func newLoop(n, grain, pieces, workers int, body func(lo, hi int)) *loop {
	l := &loop{n: n, grain: grain, body: body, parts: make([]part, workers)}
	for w := range l.parts {
		l.parts[w].left.Store(uint64(w*pieces/workers)<<32 | uint64((w+1)*pieces/workers))
	}
	return l
}

// A part is a run of pieces: the first that is left in the high half of the
// word, the one after the last in the low half.
type part struct {
	left atomic.Uint64
	_    [56]byte // a cache line
}

// take returns a piece that is left, from one of the ends, and false if none is.
func (p *part) take(fromFront bool) (int, bool) {
	for {
		left := p.left.Load()
		first, end := left>>32, left&(1<<32-1)
		if first >= end {
			return 0, false
		}
		i := first
		if fromFront {
			first++
		} else {
			end--
			i = end
		}
		if p.left.CompareAndSwap(left, first<<32|end) {
			return int(i), true
		}
	}
}

// next returns a piece for worker w: of its own part, or where that is done of
// another, its neighbour's first. Even workers go upwards through their parts, odd
// ones downwards, and thieves come from the other end: two neighbours meet in the middle.
func (l *loop) next(w int) (int, bool) {
	for k := range 1 << bits.Len(uint(len(l.parts)-1)) {
		owner := w ^ k
		if owner >= len(l.parts) {
			continue
		}
		if i, ok := l.parts[owner].take((owner%2 == 0) == (k == 0)); ok {
			return i, true
		}
	}
	return 0, false
}

// work takes pieces as worker w until there are none.
func (l *loop) work(w int) {
	defer func() {
		if v := recover(); v != nil {
			l.failed.CompareAndSwap(nil, &v)
		}
	}()
	for l.failed.Load() == nil {
		i, ok := l.next(w)
		if !ok {
			return
		}
		l.body(i*l.grain, min((i+1)*l.grain, l.n))
	}
}

// help works on the loop as worker w unless it is over or has no such worker. The
// last to leave says so where the caller sleeps.
func (l *loop) help(w int, left chan<- struct{}) {
	if w >= len(l.parts) {
		return
	}
	if l.inside.Add(1) > 0 {
		l.work(w)
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
	for watch := newWatch(); !l.inside.CompareAndSwap(0, closed); {
		if watch.patient() {
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

// patience is how long a helper looks for the next loop, and a caller for its
// helpers' end, before they sleep: to wake a sleeper takes 50 to 100 microseconds,
// more than what lies between two loops of a training step.
const patience = 200 * time.Microsecond

// A watch tells how long somebody has been looking, and looks at the clock only
// now and then.
type watch struct {
	looks int
	start time.Time
}

func newWatch() watch { return watch{start: time.Now()} }

// patient counts a look and reports whether there is patience for another.
func (w *watch) patient() bool {
	w.looks++
	return w.looks%64 != 0 || time.Since(w.start) < patience
}

// A crew is a set of goroutines that stay, to help with one loop after the
// other. Between loops that follow closely they watch for the next one instead
// of sleeping.
type crew struct {
	busy    sync.Mutex // held by the loop that has the crew
	loop    atomic.Pointer[loop]
	members []*member
	left    chan struct{} // the last helper has left a loop
}

type member struct {
	worker int // its number, the same in every loop: it meets the same part of shared memory again
	asleep atomic.Bool
	wake   chan struct{}
}

var helpers = crew{left: make(chan struct{}, 1)}

// share does the work of a loop with helpers, and returns false if the crew is
// taken.
func (c *crew) share(l *loop) bool {
	if !c.busy.TryLock() {
		return false
	}
	defer c.busy.Unlock()
	count := len(l.parts) - 1
	for len(c.members) < count {
		m := &member{worker: len(c.members) + 1, wake: make(chan struct{}, 1)}
		c.members = append(c.members, m)
		go m.serve(c)
	}
	c.loop.Store(l)
	for _, m := range c.members[:count] {
		if m.asleep.CompareAndSwap(true, false) {
			m.wake <- struct{}{}
		}
	}
	l.work(0)
	l.wait(c.left)
	c.loop.Store(nil) // what the loop holds can be freed
	return true
}

// serve helps with every loop of the crew.
func (m *member) serve(c *crew) {
	var last *loop
	for watch := newWatch(); ; {
		if l := c.loop.Load(); l != last {
			if last = l; l != nil {
				l.help(m.worker, c.left)
				watch = newWatch()
			}
		}
		if watch.patient() {
			continue
		}
		m.asleep.Store(true)
		if c.loop.Load() == last || !m.asleep.CompareAndSwap(true, false) {
			<-m.wake
		}
		watch = newWatch()
	}
}

// Grain returns a grain for a loop whose iteration costs cost basic operations
// (an addition or so), such that a piece is worth handing to another goroutine.
func Grain(cost int) int {
	const piece = 1 << 17 // about 50 microseconds of portable code
	return max(1, piece/max(cost, 1))
}

// ForContext is For, but it leaves out the pieces that have not begun when the
// context ends, and returns the context's error. What body wrote is then incomplete.
func ForContext(ctx context.Context, n, grain int, body func(lo, hi int)) error {
	For(n, grain, func(lo, hi int) {
		if ctx.Err() == nil {
			body(lo, hi)
		}
	})
	return ctx.Err()
}
