package main

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"bethe/internal/parallel"
)

// A scaling is a model of how the time of some work falls with threads: the universal scalability law (N. Gunther, Guerrilla
// Capacity Planning, 2007), which is Amdahl's with a term for threads that wait for each other's cache lines, and with work
// that comes in whole pieces. The time on n threads, in units of that on one, is
//
//	(1 - Serial) share(n) + Serial + Meeting (n - 1),   share(n) = ceil(Pieces/n) / Pieces.
type scaling struct {
	Pieces          int
	Serial, Meeting float64
}

func (s scaling) share(n int) float64 {
	return float64(parallel.Pieces(s.Pieces, n)) / float64(s.Pieces)
}

// time returns the time on n threads in units of that on one.
func (s scaling) time(n int) float64 {
	return (1-s.Serial)*s.share(n) + s.Serial + s.Meeting*float64(n-1)
}

// most returns the number of threads, at most limit, at which the work is fastest.
func (s scaling) most(limit int) (n int) {
	n = 1
	for k := 2; k <= limit; k++ {
		if s.time(k) < s.time(n) {
			n = k
		}
	}
	return n
}

// fitScaling fits the model to times on some numbers of threads (the first is one) by least squares of their ratios
// to the model. Neither share is below 0. Times on two numbers of threads tell one share alone, Amdahl's.
func fitScaling(pieces int, threads []int, seconds []float64) scaling {
	best, least := scaling{Pieces: pieces}, math.Inf(1)
	loss := func(s scaling) (sum float64) {
		for k, n := range threads {
			d := math.Log(seconds[k] / seconds[0] / s.time(n))
			sum += d * d
		}
		return sum
	}
	serial, meeting, meetings := 0.5, 0.05, 10
	if len(threads) < 3 {
		meeting, meetings = 0, 0
	}
	for width := 1.0; width > 1e-5; width *= 0.7 { // a grid that narrows around the best
		for i := -10; i <= 10; i++ {
			for j := -meetings; j <= meetings; j++ {
				s := scaling{pieces, max(0, min(1, serial+width*float64(i)/20)), max(0, meeting+0.1*width*float64(j)/20)}
				if l := loss(s); l < least {
					best, least = s, l
				}
			}
		}
		serial, meeting = best.Serial, best.Meeting
	}
	return best
}

// threadCounts are those that are measured: powers of two up to all processors, and these.
func threadCounts(all int) (counts []int) {
	for n := 1; n < all; n *= 2 {
		counts = append(counts, n)
	}
	return append(counts, all)
}

// beyond is how many times the processors at hand the model is asked for.
var beyond = []int{2, 4, 8}

// threads measures steps and sweeps on any number of processors, and says where more of them stop to help.
func (b *bench) threads() error {
	counts := threadCounts(runtime.NumCPU())
	tier := b.tiers[0]
	copying := b.ours("copying", "copy", tier, runtime.NumCPU())
	b.race(min(3, b.Rounds), copying)
	for _, w := range []struct {
		title, task string
		together    int // units or chains of a piece
		of          int
		matrices    float64 // bytes that go by in one step or sweep, if they do not stay in caches
	}{
		{"a step, 784 x 500, centred", "step-centred/500/500", 8, 500, stepMatrices * 4 * 784 * 500},
		{"a step, 784 x 500, plain", "step/500/500", 8, 500, stepMatrices * 4 * 784 * 500},
		{"a step, 784 x 2,000, centred", "step-centred/2000/500", 8, 2000, stepMatrices * 4 * 784 * 2000},
		{"a sweep of 1,000 chains, 784 x 500", "sweep/500/1000", 64, 1000, 0},
		{"a sweep of 10,000 chains, 784 x 500", "sweep/500/10000", 64, 10000, 0},
	} {
		if tier == "amx" && w.together == 8 {
			w.together = 32
		}
		var all []*contender
		for _, n := range counts {
			all = append(all, b.ours(w.title, w.task, tier, n))
		}
		b.race(b.Rounds, all...)
		var seconds []float64
		var rows []row
		for k, c := range all {
			if c.err != nil {
				return c.err
			}
			seconds = append(seconds, slices.Min(c.times))
			rows = append(rows, row{What: "measured, least", Tier: tier, Threads: counts[k], Seconds: seconds[k], Times: c.times,
				Against: "one thread", Value: seconds[0] / seconds[k], Unit: "x"})
		}
		s := fitScaling(parallel.Pieces(w.of, w.together), counts, seconds)
		for _, n := range counts {
			rows = append(rows, row{What: "model", Threads: n, Seconds: seconds[0] * s.time(n), Against: "one thread", Value: 1 / s.time(n), Unit: "x"})
		}
		for _, times := range beyond {
			n := times * counts[len(counts)-1]
			rows = append(rows, row{What: "model, on paper", Threads: n, Seconds: seconds[0] * s.time(n), Against: "one thread", Value: 1 / s.time(n), Unit: "x"})
		}
		best := s.most(1024)
		rows = append(rows, row{What: "model: fastest", Threads: best, Seconds: seconds[0] * s.time(best), Against: "one thread", Value: 1 / s.time(best), Unit: "x"},
			row{What: "share of the work that one thread does", Value: 100 * s.Serial, Unit: "%"},
			row{What: "time that each further thread adds, of that of one thread", Value: 100 * s.Meeting, Unit: "%"},
			row{What: "pieces of work", Value: float64(s.Pieces), Unit: "pieces"})
		if w.matrices > 0 && copying.err == nil {
			rows = append(rows, row{What: "the matrices of a step through memory, as fast as a copy on all threads", Seconds: w.matrices / (copyBytes / median(copying.times)), Value: w.matrices / 1e6, Unit: "MB"})
			if cache := secondCache(); cache > 0 {
				rows = append(rows, row{What: "the matrices of a step fit into the second caches of this many threads", Value: math.Ceil(w.matrices / cache), Unit: "threads"})
			}
		}
		note := "The model has Amdahl's share of work that one thread does, whole pieces, and a time that each further thread adds where threads wait for each other's cache lines."
		if len(counts) < 3 {
			note += " Times on two numbers of threads cannot tell that time from the share, so here it is 0, and what is on paper is the most that can be hoped for."
		}
		b.add("Threads: "+w.title, note, rows)
	}
	return nil
}

// stepMatrices is how many matrices of the size of the synapses a step goes through: theta, its two averages, gradient, means,
// couplings both ways, slopes, correlations and the gradient of the partition term.
const stepMatrices = 10

// copyBytes is what one run of the task "copy" moves.
const copyBytes = 2 * 4 * copyLength

const copyLength = 1 << 25

// copies prepares copies of more than caches hold, on all threads.
func copies() (func(int) error, error) {
	from, to := make([]float32, copyLength), make([]float32, copyLength)
	return func(n int) error {
		for range n {
			parallel.For(copyLength, 1<<18, func(lo, hi int) { copy(to[lo:hi], from[lo:hi]) })
		}
		return nil
	}, nil
}

// secondCache returns the size of a processor's second cache in bytes, 0 if unknown.
func secondCache() float64 {
	text, err := os.ReadFile("/sys/devices/system/cpu/cpu0/cache/index2/size")
	if err != nil {
		return 0
	}
	number, ok := strings.CutSuffix(strings.TrimSpace(string(text)), "K")
	k, err := strconv.Atoi(number)
	if !ok || err != nil {
		return 0
	}
	return 1024 * float64(k)
}

// scalingOf fits the model to times that were measured elsewhere, as THREADS:SECONDS, and tells what it is.
func scalingOf(pieces int, measured []string) (string, error) {
	var threads []int
	var seconds []float64
	for _, m := range measured {
		var n int
		var s float64
		if k, err := fmt.Sscanf(m, "%d:%g", &n, &s); err != nil || k != 2 || n < 1 || !(s > 0) {
			return "", fmt.Errorf("%q: it must be THREADS:SECONDS", m)
		}
		threads, seconds = append(threads, n), append(seconds, s)
	}
	if len(threads) < 3 || threads[0] != 1 || pieces < 1 {
		return "", fmt.Errorf("times on at least three numbers of threads are needed, the first of them 1, and at least one piece")
	}
	s := fitScaling(pieces, threads, seconds)
	var text strings.Builder
	fmt.Fprintf(&text, "share that one thread does %.2f %%, time that each further thread adds %.3f %%, pieces %d\n", 100*s.Serial, 100*s.Meeting, pieces)
	for k, n := range threads {
		fmt.Fprintf(&text, "%5d threads: %.4g s, model %.4g\n", n, seconds[k], seconds[0]*s.time(n))
	}
	last := threads[len(threads)-1]
	for _, times := range beyond {
		fmt.Fprintf(&text, "%5d threads: model %.4g s, %.3gx\n", times*last, seconds[0]*s.time(times*last), 1/s.time(times*last))
	}
	best := s.most(1024)
	fmt.Fprintf(&text, "fastest on %d threads: %.4g s, %.3gx\n", best, seconds[0]*s.time(best), 1/s.time(best))
	return text.String(), nil
}
