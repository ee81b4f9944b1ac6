package spin

import (
	"fmt"

	"bethe/internal/kernel"
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
