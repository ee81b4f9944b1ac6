package spin

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/stream"
)

// DrawOneHot draws groups of size neighbouring rows. One element of a group is +1: row i
// in column j with a probability proportional to exp(2 field[i*cols+j]). The others are
// -1. If none, a group may also be all -1, with the weight 1. The
// same key gives the same matrix whatever the number of threads. It panics unless rows
// are whole groups.
func DrawOneHot[T Real](m *Matrix, field []T, size int, none bool, key stream.Key) {
	checkLen("DrawOneHot", "fields", len(field), m.rows*m.cols)
	if size < 1 || m.rows%size != 0 {
		panic(fmt.Sprintf("spin: DrawOneHot of %d rows in groups of %d", m.rows, size))
	}
	m.changed()
	const block = 64 // columns that share a generator
	parallel.For(m.cols, block, func(lo, hi int) {
		width := hi - lo
		for w := range kernel.Words(m.rows) {
			clear(m.words[w*m.stride+lo : w*m.stride+hi])
		}
		rng := key.Sub(uint64(lo / block)).Rand()
		var top, sum [block]float32
		weights := make([]float32, size*width)
		for first := 0; first < m.rows; first += size {
			for j := range width {
				top[j] = float32(math.Inf(-1))
				if none {
					top[j] = 0
				}
			}
			for k := range size {
				for j, f := range field[(first+k)*m.cols+lo : (first+k)*m.cols+hi] {
					top[j] = max(top[j], float32(f))
				}
			}
			for j := range width {
				sum[j] = 0
				if none {
					sum[j] = float32(math.Exp(float64(-2 * top[j])))
				}
			}
			for k := range size {
				row := weights[k*width : (k+1)*width]
				for j, f := range field[(first+k)*m.cols+lo : (first+k)*m.cols+hi] {
					row[j] = 2 * (float32(f) - top[j])
				}
				kernel.Exp(row, row)
				for j, v := range row {
					sum[j] += v
				}
			}
			for j := range width {
				left, on := rng.Float32()*sum[j], -1
				for k := range size {
					if left < weights[k*width+j] {
						on = first + k
						break
					}
					left -= weights[k*width+j]
				}
				if on < 0 && !none { // rounding
					on = first + size - 1
				}
				if on >= 0 {
					m.words[on/kernel.WordBits*m.stride+lo+j] |= 1 << (on % kernel.WordBits)
				}
			}
		}
	})
}

// OneHot reports whether each column has at most one +1 in each group of size rows, and
// exactly one unless none; else it returns the first group and column that has not.
func (m *Matrix) OneHot(size int, none bool) (group, column int, ok bool) {
	for j := range m.cols {
		for first := 0; first < m.rows; first += size {
			on := 0
			for i := first; i < first+size; i++ {
				if m.At(i, j) == 1 {
					on++
				}
			}
			if on > 1 || on == 0 && !none {
				return first / size, j, false
			}
		}
	}
	return 0, 0, true
}
