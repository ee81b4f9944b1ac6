package spin

import (
	"fmt"
	"math/bits"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// Refract is a step of neurons (rows) in several networks (columns). A neuron that spikes
// is on (+1) for a window of steps, and may spike again only after it. expired has the
// neurons whose window ends now, candidates those that would spike if they may. Afterwards
// on has the neurons that are on, and expired those that spiked. All have the same shape.
func Refract(on, expired, candidates *Matrix) {
	if on.rows != expired.rows || on.rows != candidates.rows || on.cols != expired.cols || on.cols != candidates.cols {
		panic(fmt.Sprintf("spin: Refract of %d x %d, %d x %d and %d x %d neurons", on.rows, on.cols, expired.rows, expired.cols, candidates.rows, candidates.cols))
	}
	on.changed()
	expired.changed()
	parallel.For(len(on.words), parallel.Grain(3), func(lo, hi int) {
		a, b := on.words[lo:hi], expired.words[lo:hi]
		for k, c := range candidates.words[lo:hi] {
			still := a[k] &^ b[k]
			spikes := c &^ still
			a[k], b[k] = still|spikes, spikes
		}
	})
}

// planes is how many bits a Tally counts before it adds them up.
const planes = 8

// A Tally counts how often each element of matrices of one shape was +1.
type Tally struct {
	rows, cols, stride int
	planes             [planes][]uint32 // bit k of the counts of the matrices since the last sum
	since              int
	counts             []int32 // rows x columns
}

// NewTally returns a tally of matrices of rows x cols.
func NewTally(rows, cols int) *Tally {
	t := &Tally{rows: rows, cols: cols, stride: kernel.Stride(cols), counts: make([]int32, rows*cols)}
	for k := range t.planes {
		t.planes[k] = make([]uint32, kernel.Words(rows)*t.stride)
	}
	return t
}

// Add counts a matrix.
func (t *Tally) Add(m *Matrix) {
	if m.rows != t.rows || m.cols != t.cols {
		panic(fmt.Sprintf("spin: a tally of %d x %d counts a matrix of %d x %d", t.rows, t.cols, m.rows, m.cols))
	}
	if t.since++; t.since == 1<<planes {
		t.sum()
		t.since = 1
	}
	for k, carry := range m.words {
		for p := 0; carry != 0; p++ {
			was := t.planes[p][k]
			t.planes[p][k] = was ^ carry
			carry &= was
		}
	}
}

// sum adds what the planes hold to the counts.
func (t *Tally) sum() {
	for p, plane := range t.planes {
		for k, word := range plane {
			first, column := k/t.stride*kernel.WordBits, k%t.stride
			for word != 0 {
				b := bits.TrailingZeros32(word)
				word &= word - 1
				t.counts[(first+b)*t.cols+column] += 1 << p
			}
		}
		clear(plane)
	}
}

// Counts returns how often each element was +1, row-major, valid until the next Add.
func (t *Tally) Counts() []int32 {
	t.sum()
	t.since = 0
	return t.counts
}
