package spin

import (
	"fmt"

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
		uniform, choice := make([]float32, width), make([]int32, width)
		weights := make([]float32, size*width)
		for first := 0; first < m.rows; first += size {
			for k := range size {
				for j, f := range field[(first+k)*m.cols+lo : (first+k)*m.cols+hi] {
					weights[k*width+j] = float32(f)
				}
			}
			for j := range uniform {
				uniform[j] = rng.Float32()
			}
			kernel.OneHotChoices(choice, weights, uniform, size, none)
			for j, k := range choice {
				on := first + int(k)
				if k == int32(size) {
					if none {
						continue
					}
					on-- // rounding
				}
				m.words[on/kernel.WordBits*m.stride+lo+j] |= 1 << (on % kernel.WordBits)
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
