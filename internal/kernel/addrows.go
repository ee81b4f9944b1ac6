package kernel

import (
	"runtime"
	"slices"
	"sync/atomic"

	"bethe/internal/parallel"
)

// AddRows adds scale[mu] times row mu of x to sum, row after row. So that two workers
// keep the rows that they have in other loops, one adds the first half of the rows to
// some columns, and the other goes on with the second half there.
func AddRows[T Real](sum []float64, x []T, scale []float64) {
	const blocks = 8 // of columns
	n, half := len(sum), len(scale)/2
	x = x[:n*len(scale)]
	var done [blocks]atomic.Bool // with the first half of the rows
	add := func(block, from, to int) {
		lo, hi := block*n/blocks, (block+1)*n/blocks
		own := slices.Clone(sum[lo:hi]) // the neighbours' sums may lie in the same cache lines
		for mu := from; mu < to; mu++ {
			AddScaled(own, x[mu*n+lo:mu*n+hi], scale[mu])
		}
		copy(sum[lo:hi], own)
	}
	// Pieces are begun from both ends. The caller begins with the first, so nobody
	// waits for what is not under way.
	parallel.For(2*blocks, 1, func(piece, _ int) {
		if piece < blocks {
			add(piece, 0, half)
			done[piece].Store(true)
			return
		}
		block := 2*blocks - 1 - piece
		for !done[block].Load() {
			runtime.Gosched()
		}
		add(block, half, len(scale))
	})
}
