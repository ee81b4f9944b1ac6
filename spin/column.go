package spin

import (
	"fmt"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// SetColumn sets column j from packed bits: element (i, j) becomes +1 where
// bit i%8 of packed[i/8] is 1, else -1. Bits past the last row are ignored. It
// panics if there is no such column or packed does not hold (rows+7)/8 bytes.
// Readers of data fill a matrix with it a sample at a time.
func (m *Matrix) SetColumn(j int, packed []byte) {
	if uint(j) >= uint(m.cols) {
		panic(fmt.Sprintf("spin: SetColumn of column %d of a %d x %d matrix", j, m.rows, m.cols))
	}
	checkLen("SetColumn", "bytes", len(packed), (m.rows+7)/8)
	m.changed()
	var pending uint64 // bits not yet stored, lowest first
	held, left, at := 0, m.rows, j
	for _, b := range packed {
		if left < 8 {
			b &= 1<<left - 1
		}
		pending |= uint64(b) << held
		fresh := min(left, 8)
		held, left = held+fresh, left-fresh
		if held >= kernel.WordBits {
			m.words[at] = uint32(pending & (1<<kernel.WordBits - 1))
			pending >>= kernel.WordBits
			held -= kernel.WordBits
			at += m.stride
		}
	}
	if held > 0 {
		m.words[at] = uint32(pending)
	}
}

// Columns are the columns of a matrix with the words of each side by side. A matrix has
// them far apart, and to fetch a column here and there from memory, as batches take
// samples from a data set, costs a line of the cache for each of its words.
type Columns struct {
	rows, cols, words int
	packed            []uint32 // [column][word of 30 rows]
}

// Columns returns a copy of the columns of m.
func (m *Matrix) Columns() *Columns {
	words := kernel.Words(m.rows)
	c := &Columns{m.rows, m.cols, words, make([]uint32, m.cols*words)}
	for w := range words {
		for j, v := range m.words[w*m.stride:][:m.cols] {
			c.packed[j*words+w] = v
		}
	}
	return c
}

// Gather is Matrix.Gather from the matrix that the columns are of.
func (c *Columns) Gather(dst *Matrix, cols []int) {
	checkGather(dst, c.rows, c.cols, cols)
	dst.changed()
	const together = 16 // columns that share a line of the cache in dst
	// 32 is the cost of missing the cache.
	parallel.For(parallel.Pieces(len(cols), together), parallel.Grain(together*c.words*32), func(lo, hi int) {
		for first := lo * together; first < min(hi*together, len(cols)); first += together {
			some := cols[first:min(first+together, len(cols))]
			for w := range c.words {
				out := dst.words[w*dst.stride+first:][:len(some)]
				for k, j := range some {
					out[k] = c.packed[j*c.words+w]
				}
			}
		}
	})
}
