//go:build !purego

package kernel

import (
	"sync"
	"unsafe"
)

// A mulTiling is the method of MulBits with tables small enough for vector
// registers, so that one instruction looks up many lanes. It works on tiles of
// up to mulRows rows, whose tables for some words fit into the first cache.
type mulTiling struct {
	group int // bits that index a table
	block int // words whose tables are kept at a time
	sums  func(tables *float32, step int, x *float32, groups int)
	tiles [mulRows + 1]mulTileFunc // by number of rows
	few   mulFewFunc
}

// A mulFewFunc adds without tables, in their order: for some rows and few lanes.
type mulFewFunc struct {
	multiply func(words int, bits *uint32, stride int, a *float32, lda int, last *float32, dst *float32, add bool)
	rows     int
	lanes    int // at a time
	most     int // lanes up to which it is faster
}

type mulTileFunc struct {
	multiply func(words int, tables *float32, bits *uint32, stride int, dst *float32, ld int, add bool)
	lanes    int
}

const mulRows = 5

var mulAVX2 = mulTiling{3, 14, signedSumsAVX2, [...]mulTileFunc{
	1: {mulTile1AVX2, 32}, {mulTile2AVX2, 32}, {mulTile3AVX2, 16}, {mulTile4AVX2, 16}, {mulTile5AVX2, 16},
}, mulFewFunc{mulFewAVX2, 4, 8, 8}}

var mulAVX512 = mulTiling{5, 7, signedSumsAVX512, [...]mulTileFunc{
	1: {mulTile1AVX512, 64}, {mulTile2AVX512, 64}, {mulTile3AVX512, 64}, {mulTile4AVX512, 64}, {mulTile5AVX512, 64},
}, mulFewFunc{mulFewAVX512, 5, 16, 32}}

// mulScratch is the work space of a product.
type mulScratch struct {
	tables []float32             // on a cache line; 7 words of 6 groups of 32 sums, or fewer
	last   [mulRows * 32]float32 // the elements of the last word of a row, or of some rows, and zeros
	tile   [mulRows * 64]float32 // an incomplete tile of the result
}

var mulPool = sync.Pool{New: func() any {
	s := new(mulScratch)
	const line = 64 / 4
	s.tables = make([]float32, mulRows*7*6*32+line)
	for uintptr(unsafe.Pointer(&s.tables[0]))%64 != 0 {
		s.tables = s.tables[1:]
	}
	return s
}}

func (t *mulTiling) mulBits(dst, a []float32, p, k int, bits []uint32, stride, lanes int) {
	words := Words(k)
	dst, a = dst[:p*lanes], a[:p*k]
	if words == 0 {
		clear(dst)
	}
	if len(dst) == 0 || words == 0 {
		return
	}
	_ = bits[(words-1)*stride+Stride(lanes)-1]
	s := mulPool.Get().(*mulScratch)
	defer mulPool.Put(s)
	blocks := (words + t.block - 1) / t.block
	block := (words + blocks - 1) / blocks
	if lanes <= t.few.most && p >= t.few.rows {
		t.mulFew(s, dst, a, p, k, bits, stride, lanes, block)
		return
	}
	for i := 0; i < p; i += mulRows {
		rows := min(mulRows, p-i)
		for w := 0; w < words; w += block {
			count := min(block, words-w)
			for r := range rows {
				t.tabulate(s, r, rows, a[(i+r)*k:(i+r+1)*k], w, count)
			}
			t.multiply(s, dst[i*lanes:(i+rows)*lanes], rows, count, bits[w*stride:], stride, lanes, w > 0)
		}
		t.finish(s, dst[i*lanes:(i+rows)*lanes], rows, lanes)
	}
}

// mulFew is mulBits of few lanes. The last rows are taken with some before them, whose products are the same again.
func (t *mulTiling) mulFew(s *mulScratch, dst, a []float32, p, k int, bits []uint32, stride, lanes, block int) {
	f, words := &t.few, Words(k)
	whole := k / WordBits
	for from := 0; from < p; from += f.rows {
		i := min(from, p-f.rows)
		var last *float32
		if whole < words {
			for r := range f.rows {
				x := s.last[r*32 : (r+1)*32]
				clear(x[copy(x, a[(i+r)*k+whole*WordBits:(i+r+1)*k]):])
			}
			last = &s.last[0]
		}
		for l := 0; l < lanes; l += f.lanes {
			for w := 0; w < words; w += block {
				if end := w + block; end < words {
					f.multiply(block, &bits[w*stride+l], stride, &a[i*k+w*WordBits], k, nil, &s.tile[0], w > 0)
				} else {
					f.multiply(whole-w, &bits[w*stride+l], stride, &a[i*k+w*WordBits], k, last, &s.tile[0], w > 0)
				}
			}
			for r := range f.rows {
				copy(dst[(i+r)*lanes+l:(i+r+1)*lanes], s.tile[r*f.lanes:(r+1)*f.lanes])
			}
		}
	}
}

// tabulate writes the tables of one row of a tile for words w to w+count-1 of
// row x of the matrix.
func (t *mulTiling) tabulate(s *mulScratch, r, rows int, x []float32, w, count int) {
	groups := WordBits / t.group
	entries := 1 << t.group
	step := rows * entries * 4
	x = x[w*WordBits:]
	full := min(count, len(x)/WordBits)
	if full > 0 {
		t.sums(&s.tables[r*entries], step, &x[0], full*groups)
	}
	if full < count {
		clear(s.last[copy(s.last[:], x[full*WordBits:]):WordBits])
		t.sums(&s.tables[(full*groups*rows+r)*entries], step, &s.last[0], groups)
	}
}

// multiply adds the product with the words whose tables s holds to rows of the
// result, or sets them to it; that of an incomplete tile is left in s.
func (t *mulTiling) multiply(s *mulScratch, dst []float32, rows, words int, bits []uint32, stride, lanes int, add bool) {
	tile := t.tiles[rows]
	l := 0
	for ; l+tile.lanes <= lanes; l += tile.lanes {
		tile.multiply(words, &s.tables[0], &bits[l], stride, &dst[l], lanes, add)
	}
	if l < lanes {
		tile.multiply(words, &s.tables[0], &bits[l], stride, &s.tile[0], tile.lanes, add)
	}
}

// finish copies the incomplete tile to the last lanes of the result.
func (t *mulTiling) finish(s *mulScratch, dst []float32, rows, lanes int) {
	width := t.tiles[rows].lanes
	for r := range rows {
		copy(dst[r*lanes+lanes/width*width:(r+1)*lanes], s.tile[r*width:])
	}
}
