//go:build !purego

package kernel

import (
	"math"
	"sync"
	"unsafe"
)

// coarseRows is the number of rows of a tile of a product in fixed point, and
// coarseBlock that of the words whose tables are kept at a time.
const (
	coarseRows  = 4
	coarseBlock = 11
	coarseLanes = 64
	coarseGroup = 6
	coarseTable = 1 << coarseGroup
)

// A coarseScratch is the work space of a product.
type coarseScratch struct {
	tables []uint16                          // on a cache line
	whole  []uint32                          // rows of a tile in whole numbers, both halves of a word alike
	last   [coarseRows][3]uint32             // of each row: the sum of the whole numbers; unit and shift of the result
	tile   [coarseRows * coarseLanes]float32 // an incomplete tile of the result
}

var coarsePool = sync.Pool{New: func() any {
	s := new(coarseScratch)
	const line = 64 / 2
	s.tables = make([]uint16, coarseBlock*WordBits/coarseGroup*coarseRows*coarseTable+line)
	for uintptr(unsafe.Pointer(&s.tables[0]))%64 != 0 {
		s.tables = s.tables[1:]
	}
	return s
}}

// mulBitsCoarseAVX512 takes tiles of up to four rows through all words, by
// blocks of words whose tables fit into the first cache. Between blocks the
// result holds whole numbers of 32 bits.
func mulBitsCoarseAVX512(dst, a []float32, p, k int, bits []uint32, stride, lanes int, slope float32, shift []float32) {
	words := Words(k)
	dst, a = dst[:p*lanes], a[:p*k]
	if words == 0 {
		for j := range dst {
			dst[j] = shiftOf(shift, j/lanes)
		}
	}
	if len(dst) == 0 || words == 0 {
		return
	}
	_ = bits[(words-1)*stride+Stride(lanes)-1]
	s := coarsePool.Get().(*coarseScratch)
	defer coarsePool.Put(s)
	padded := words*WordBits + 16
	if len(s.whole) < coarseRows*padded {
		s.whole = make([]uint32, coarseRows*padded)
	}
	blocks := (words + coarseBlock - 1) / coarseBlock
	block := (words + blocks - 1) / blocks
	for i := 0; i < p; i += coarseRows {
		rows := min(coarseRows, p-i)
		for r := range rows {
			x, whole := a[(i+r)*k:(i+r+1)*k], s.whole[r*padded:(r+1)*padded]
			scale, unit := coarseUnit(largestAVX512(x), k)
			total := coarseRowAVX512(&whole[0], x, scale)
			clear(whole[k:])
			s.last[r] = [3]uint32{uint32(total), math.Float32bits(unit * slope), math.Float32bits(shiftOf(shift, i+r))}
		}
		if next := (i + rows) * k; next < len(a) {
			prefetchAVX512(&a[next], min(coarseRows*k, len(a)-next))
		}
		for w := 0; w < words; w += block {
			count := min(block, words-w)
			for r := range rows {
				subsetSumsAVX512(&s.tables[r*coarseTable], rows*coarseTable*2, &s.whole[r*padded+w*WordBits], count*WordBits/coarseGroup)
			}
			var last *[coarseRows][3]uint32
			if w+count == words {
				last = &s.last
			}
			s.multiply(dst[i*lanes:(i+rows)*lanes], rows, count, bits[w*stride:], stride, lanes, w > 0, last)
		}
		for l, r := lanes/coarseLanes*coarseLanes, 0; l < lanes && r < rows; r++ {
			copy(dst[(i+r)*lanes+l:(i+r+1)*lanes], s.tile[r*coarseLanes:])
		}
	}
}

var coarseTiles = [coarseRows + 1]func(words int, tables *uint16, bits *uint32, stride int, dst *float32, ld int, tiles int, add bool, last *[coarseRows][3]uint32){
	1: coarseTile1AVX512, coarseTile2AVX512, coarseTile3AVX512, coarseTile4AVX512,
}

// multiply adds the product with the words whose tables s holds to rows of the
// result, or sets them to it; that of an incomplete tile is left in s.
func (s *coarseScratch) multiply(dst []float32, rows, words int, bits []uint32, stride, lanes int, add bool, last *[coarseRows][3]uint32) {
	tile, whole := coarseTiles[rows], lanes/coarseLanes
	if whole > 0 {
		tile(words, &s.tables[0], &bits[0], stride, &dst[0], lanes, whole, add, last)
	}
	if l := whole * coarseLanes; l < lanes {
		tile(words, &s.tables[0], &bits[l], stride, &s.tile[0], coarseLanes, 1, add, last)
	}
}
