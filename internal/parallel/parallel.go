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
	var next atomic.Int64
	var failed atomic.Pointer[any]
	work := func() {
		defer func() {
			if v := recover(); v != nil {
				failed.CompareAndSwap(nil, &v)
			}
		}()
		for failed.Load() == nil {
			i := int(next.Add(1)) - 1
			if i >= pieces {
				return
			}
			body(i*grain, min((i+1)*grain, n))
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if v := failed.Load(); v != nil {
		panic(*v)
	}
}

// Grain returns a grain for a loop whose iteration costs cost basic operations
// (an addition or so), such that a piece is worth handing to another goroutine.
func Grain(cost int) int {
	const piece = 1 << 17 // about 50 microseconds of portable code
	return max(1, piece/max(cost, 1))
}
