package parallel

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// threads runs f with GOMAXPROCS set to n.
func threads(n int, f func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
	f()
}

// The pieces cover [0, n) once, and are the same whatever the threads.
func TestForPieces(t *testing.T) {
	for _, n := range []int{-1, 0, 1, 2, 7, 64, 1000} {
		for _, grain := range []int{1, 2, 3, 7, 64, 999, 1000, 5000} {
			var want [][2]int
			for lo := 0; lo < n; lo += grain {
				want = append(want, [2]int{lo, min(n, lo+grain)})
			}
			if got := max(0, Pieces(n, grain)); got != len(want) {
				t.Errorf("Pieces(%d, %d) = %d, not %d", n, grain, got, len(want))
			}
			for _, procs := range []int{1, 2, 5} {
				threads(procs, func() {
					var mu sync.Mutex
					var got [][2]int
					For(n, grain, func(lo, hi int) {
						mu.Lock()
						defer mu.Unlock()
						got = append(got, [2]int{lo, hi})
					})
					slices.SortFunc(got, func(a, b [2]int) int { return a[0] - b[0] })
					if !slices.Equal(got, want) {
						t.Errorf("For(%d, %d) on %d threads: pieces %v, not %v", n, grain, procs, got, want)
					}
				})
			}
		}
	}
}

// Each worker has a run of pieces and meets its neighbour in the middle; one that is
// alone does them all, its own first.
func TestParts(t *testing.T) {
	take := func(l *loop, w, count int) (got []int) {
		for range count {
			if i, ok := l.next(w); ok {
				got = append(got, i)
			}
		}
		return got
	}
	l := newLoop(10, 1, 10, 2, nil)
	if up, down := take(l, 0, 4), take(l, 1, 5); !slices.Equal(up, []int{0, 1, 2, 3}) || !slices.Equal(down, []int{9, 8, 7, 6, 5}) {
		t.Errorf("two workers take %v and %v", up, down)
	}
	if rest := take(l, 1, 2); !slices.Equal(rest, []int{4}) {
		t.Errorf("the faster takes %v of the other's", rest)
	}
	for workers := 1; workers <= 7; workers++ {
		for pieces := workers; pieces < 40; pieces++ {
			for w := range workers {
				got := take(newLoop(pieces, 1, pieces, workers, nil), w, pieces+1)
				if own := got[:pieces/workers]; slices.Min(own) < w*pieces/workers || slices.Max(own) >= (w+1)*pieces/workers {
					t.Errorf("worker %d of %d begins with %v of %d pieces", w, workers, own, pieces)
				}
				slices.Sort(got)
				if want := count(pieces); !slices.Equal(got, want) {
					t.Errorf("worker %d of %d, alone, takes %v of %d pieces", w, workers, got, pieces)
				}
			}
		}
	}
}

// count returns the numbers below n.
func count(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// Two pieces that wait for each other can both go on.
func TestForConcurrent(t *testing.T) {
	threads(2, func() {
		meet := make(chan bool)
		For(2, 1, func(lo, hi int) {
			select {
			case meet <- true:
			case <-meet:
			case <-time.After(10 * time.Second):
				t.Errorf("piece %d waited alone", lo)
			}
		})
	})
}

// The caller gets the value that the body panicked with, after every worker
// has stopped, and no more pieces are begun.
func TestForPanic(t *testing.T) {
	cause := errors.New("cause")
	for _, procs := range []int{1, 2, 4} {
		threads(procs, func() {
			var mu sync.Mutex
			begun, running := 0, 0
			count := func(b, r int) {
				mu.Lock()
				defer mu.Unlock()
				begun, running = begun+b, running+r
			}
			defer func() {
				if got := recover(); got != any(cause) {
					t.Errorf("%d threads: panic %v, not the body's", procs, got)
				}
				if running != 0 || begun > 1000 {
					t.Errorf("%d threads: %d pieces begun, %d still running", procs, begun, running)
				}
			}()
			For(100_000, 1, func(lo, hi int) {
				count(1, 1)
				defer count(0, -1)
				if lo == 3 {
					panic(cause)
				}
				time.Sleep(time.Millisecond)
			})
		})
	}
}

func TestGrain(t *testing.T) {
	for _, c := range []struct{ cost, want int }{{-1, 1 << 17}, {0, 1 << 17}, {1, 1 << 17}, {1 << 10, 1 << 7}, {1 << 17, 1}, {1 << 40, 1}} {
		if got := Grain(c.cost); got != c.want {
			t.Errorf("Grain(%d) = %d, not %d", c.cost, got, c.want)
		}
	}
	for _, grain := range []int{0, -1} {
		func() {
			defer func() {
				if recover() != "parallel: grain below 1" {
					t.Errorf("grain %d is taken", grain)
				}
			}()
			For(1, grain, func(lo, hi int) {})
		}()
	}
}

// Loops are all done, each piece once: loops that follow each other closely, after pauses
// that let helpers fall asleep, from several goroutines at once, and inside of
// each other.
func TestForMany(t *testing.T) {
	threads(4, func() {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for k := range 300 {
					var sum, inner atomic.Int64
					For(8, 1, func(lo, hi int) {
						sum.Add(int64(lo))
						if k%50 == 0 {
							For(3, 1, func(lo, hi int) { inner.Add(1) })
						}
					})
					if sum.Load() != 28 || inner.Load() != 24*int64(1-min(1, k%50)) {
						t.Errorf("loop %d: sum %d, inner %d", k, sum.Load(), inner.Load())
					}
					if k%100 == 0 {
						time.Sleep(2 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
	})
}

// A caller whose helpers take long sleeps until they have left, time after time.
func TestForSlowHelpers(t *testing.T) {
	threads(3, func() {
		for range 20 {
			var done atomic.Int64
			For(3, 1, func(lo, hi int) {
				time.Sleep(time.Duration(lo) * time.Millisecond)
				done.Add(1)
			})
			if done.Load() != 3 {
				t.Fatalf("For returned after %d of 3 pieces", done.Load())
			}
		}
	})
}
