package kernel

import (
	"sync"
	"unsafe"
)

// byTiles are rounded products by tiles.
type byTiles struct{ tileFunctions }

// A tileScratch is the work space of a product.
type tileScratch struct {
	whole, short *tileSpace   // for blocks of tileRows rows, and for one of fewer
	left, right  []int8       // factors
	last         [][2]float32 // of each row of the left factor: unit and shift of the result
}

var tilePool = sync.Pool{New: func() any {
	spaces := Lines(nil, 2*len(tileSpace{}))
	s := &tileScratch{whole: (*tileSpace)(spaces), short: (*tileSpace)(spaces[len(tileSpace{}):])}
	shapeTiles(s.whole, tileRows)
	return s
}}

// shapeTiles writes the shapes of tiles for blocks of some rows: 0 to 3 are sums, 4 and 5 of the left factor, 6 and 7
// of the right one. Byte 0 is the palette; from 16 on are the bytes of a row of each tile, 16 bits each; from 48 on its rows.
func shapeTiles(s *tileSpace, rows int) {
	clear(s[:tileWidth])
	s[0] = 1
	for t := range 8 {
		s[16+2*t], s[48+t] = tileWidth, int8(rows)
		if t > 5 {
			s[48+t] = tileRows
		}
	}
}

// Lines returns n bytes on a cache line, those of x if it has as many: for Expand.
func Lines(x []int8, n int) []int8 {
	if cap(x) >= n {
		return x[:n]
	}
	const line = 64
	x = make([]int8, n+line-1)
	return x[-uintptr(unsafe.Pointer(unsafe.SliceData(x)))%line:][:n:n]
}

const (
	// tileCache is how many bytes of one of the factors stay in the second cache, of 2 MiB, while the other goes by in
	// parts. On a shared Xeon (family 6, model 207; prepared, one thread, least of six) 2,000 x 784 by 784 x 500 reached
	// 928 GF-eq/s with 400,000 bytes and 899 with 1 MiB; 500 rows 900 and 898. With the hint of the assembly on lanes
	// instead of rows, and 30,000 bytes, they reached 896 and 910, but two of three steps took longer than without a hint.
	tileCache = 400_000
	// tileCall is how many blocks of rows by panels one call takes. It cannot be interrupted, so it ends within 0.1 ms.
	tileCall = 128
)

func (t *byTiles) rowsTogether() int { return panelLanes }

func (t *byTiles) expands() bool { return true }

func (t *byTiles) expandedBytes(k, lanes int) int {
	return pieces(lanes, panelLanes) * tileSteps(k) * stepBytes
}

// pieces returns how many pieces of some length n has.
func pieces(n, length int) int { return (n + length - 1) / length }

func (t *byTiles) expand(dst []int8, bits []uint32, stride, k, lanes int) {
	words := Words(k)
	dst = dst[:t.expandedBytes(k, lanes)]
	if len(dst) == 0 {
		return
	}
	_ = bits[(words-1)*stride+pieces(lanes, panelLanes)*panelLanes-1]
	for l := 0; l < lanes; l += panelLanes {
		panel := dst[l/panelLanes*tileSteps(k)*stepBytes:]
		t.tileFunctions.expand(panel, bits[l:], stride, words)
		t.tileFunctions.expand(panel[tileBytes:], bits[l+tileRows:], stride, words)
	}
}

func (t *byTiles) mulBitsCoarse(dst, a []float32, p, k int, bits []uint32, stride, lanes int, expanded []int8, slope float32, shift []float32) {
	dst, a = dst[:p*lanes], a[:p*k]
	steps := tileSteps(k)
	if steps == 0 {
		for j := range dst {
			dst[j] = shiftOf(shift, j/lanes)
		}
	}
	if len(dst) == 0 || steps == 0 {
		return
	}
	s := tilePool.Get().(*tileScratch)
	defer tilePool.Put(s)
	if need := t.expandedBytes(k, lanes); len(expanded) != need {
		s.right = Lines(s.right, need)
		t.expand(s.right, bits, stride, k, lanes)
		expanded = s.right
	}
	block := steps * stepBytes
	// A right factor that fits stays, and rows are multiplied soon after they were rounded; else a left factor of such a size
	// goes by all lanes.
	together := panelLanes
	if len(expanded) > tileCache {
		together = max(1, tileCache/block) * tileRows
	}
	for i := 0; i < p; i += together {
		rows := min(together, p-i)
		t.round(s, a[i*k:(i+rows)*k], rows, k, slope)
		if shift != nil {
			for r := range rows {
				s.last[r][1] = shift[i+r]
			}
		}
		full, rest := rows/tileRows, rows%tileRows
		t.multiply(dst[i*lanes:], lanes, s.left, full, tileRows, s.last, expanded, steps, s.whole)
		if rest > 0 {
			shapeTiles(s.short, rest)
			i += full * tileRows
			t.multiply(dst[i*lanes:], lanes, s.left[full*block:], 1, rest, s.last[full*tileRows:], expanded, steps, s.short)
		}
	}
}

// round makes the left factor of some rows.
func (t *byTiles) round(s *tileScratch, a []float32, rows, k int, slope float32) {
	block := tileSteps(k) * stepBytes
	s.left = Lines(s.left, pieces(rows, tileRows)*block)
	if cap(s.last) < rows {
		s.last = make([][2]float32, rows)
	}
	s.last = s.last[:rows]
	for r := range rows {
		x := a[r*k : (r+1)*k]
		scale, unit := coarseUnit(t.largest(x), k)
		s.last[r] = [2]float32{float32(unit * slope), 0}
		t.row(s.left[r/tileRows*block+r%tileRows*tileWidth:], x, scale)
	}
}

// multiply multiplies blocks of rows by all lanes, in calls of bounded time.
func (t *byTiles) multiply(dst []float32, lanes int, left []int8, blocks, rows int, last [][2]float32, right []int8, steps int, space *tileSpace) {
	if blocks == 0 {
		return
	}
	panels := max(1, tileCall*16/(blocks*max(steps, 16))) // 16 steps of a block take as long as loading and storing
	for l := 0; l < lanes; l += panels * panelLanes {
		t.product(dst[l:], lanes, min(panels*panelLanes, lanes-l), left, blocks, rows, last, right[l/panelLanes*steps*stepBytes:], steps, space)
	}
}
