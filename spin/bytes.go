package spin

import (
	"encoding/binary"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// Bytes 0 and 1, eight at a time: the bits that they may have, and the factor
// that brings the lowest bit of each into the highest byte of the product.
const (
	oneEach  = 0x0101010101010101
	together = 0x0102040810204080
)

// eight returns the bits of eight bytes 0 and 1, the first byte lowest.
func eight(x uint64) uint32 { return uint32(x * together >> 56) }

// SetBytes sets columns first, first+1, ... from bytes 0 and 1, a column after the
// other: byte k*rows+i becomes element (i, first+k), +1 for 1 and -1 for 0. It
// returns -1, or the place of a byte that is neither; then the columns hold no
// particular spins. It panics unless x holds whole columns that the matrix has.
// Arrays of other languages come in by it.
func (m *Matrix) SetBytes(first int, x []byte) (wrong int) {
	count := m.checkBytes("SetBytes", first, len(x))
	m.changed()
	const block = 16 // columns that share a line of the cache
	bad := make([]bool, parallel.Pieces(count, block))
	parallel.For(len(bad), parallel.Grain(m.rows*block/2), func(lo, hi int) {
		for piece := lo; piece < hi; piece++ {
			from, to := piece*block, min((piece+1)*block, count)
			bad[piece] = m.setBlock(first+from, to-from, x[from*m.rows:to*m.rows])
		}
	})
	for _, b := range bad {
		if b {
			return firstWrong(x)
		}
	}
	return -1
}

func firstWrong(x []byte) int {
	for k, v := range x {
		if v > 1 {
			return k
		}
	}
	return -1
}

// setBlock sets some columns and reports whether a byte is neither 0 nor 1.
func (m *Matrix) setBlock(first, count int, x []byte) (bad bool) {
	var seen uint64
	whole := m.rows / kernel.WordBits
	for w := range whole {
		out := m.words[w*m.stride+first:][:count]
		for k := range out {
			b := x[k*m.rows+w*kernel.WordBits:][:kernel.WordBits]
			b0, b1, b2 := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
			b3 := binary.LittleEndian.Uint64(b[22:]) >> 16
			seen |= b0 | b1 | b2 | b3
			out[k] = eight(b0) | eight(b1)<<8 | eight(b2)<<16 | eight(b3)<<24
		}
	}
	if rest := m.rows - whole*kernel.WordBits; rest > 0 {
		out := m.words[whole*m.stride+first:][:count]
		for k := range out {
			var word uint32
			for i, v := range x[k*m.rows+whole*kernel.WordBits:][:rest] {
				seen |= uint64(v)
				word |= uint32(v&1) << i
			}
			out[k] = word
		}
	}
	return seen&^oneEach != 0
}

// Bytes writes columns first, first+1, ... to dst as bytes 1 for +1 and 0 for -1: it
// undoes SetBytes. It panics unless dst holds whole columns that the matrix has.
func (m *Matrix) Bytes(first int, dst []byte) {
	count := m.checkBytes("Bytes", first, len(dst))
	parallel.For(count, parallel.Grain(2*m.rows), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			out := dst[k*m.rows : (k+1)*m.rows]
			for i := range out {
				out[i] = byte(m.words[i/kernel.WordBits*m.stride+first+k] >> (i % kernel.WordBits) & 1)
			}
		}
	})
}

// checkBytes returns how many columns so many bytes are.
func (m *Matrix) checkBytes(verb string, first, size int) (count int) {
	if m.rows > 0 {
		count = size / m.rows
	}
	checkLen(verb, "bytes", size, count*m.rows)
	if first < 0 || first > m.cols-count {
		panic("spin: " + verb + " of columns that the matrix does not have")
	}
	return count
}
