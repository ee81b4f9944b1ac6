//go:build !purego

package kernel

import (
	"sync"
	"unsafe"

	"bethe/internal/parallel"
)

// A realTiling is a blocked product of real matrices (Goto and van de Geijn
// 2008): the right factor is packed in panels as wide as a tile, the left one
// is read where it is. Each output is summed in the order of k, block by
// block, whatever tile it is in.
type realTiling struct {
	width int        // columns of a tile
	tiles []realTile // by number of rows, the largest last
}

// A realTile computes rows x width elements of a product, a(i, r) being
// a[i*rowStep+r*step] and b(r, j) packed b[r*width+j].
type realTile func(k int, a *float32, rowStep, step int, b, dst *float32, ld int, add bool)

var realAVX2 = realTiling{16, []realTile{
	1: realTile1AVX2, 2: realTile2AVX2, 3: realTile3AVX2, 4: realTile4AVX2, 5: realTile5AVX2, 6: realTile6AVX2,
}}

var realAVX512 = realTiling{32, []realTile{
	1: realTile1AVX512, 2: realTile2AVX512, 3: realTile3AVX512, 4: realTile4AVX512, 5: realTile5AVX512, 6: realTile6AVX512,
	7: realTile7AVX512, 8: realTile8AVX512, 9: realTile9AVX512, 10: realTile10AVX512, 11: realTile11AVX512, 12: realTile12AVX512,
}}

const (
	realDepth  = 256 // terms summed in registers
	realRows   = 120 // rows of a piece of work
	realPanels = 128 // columns of a piece of work
)

var realPool = sync.Pool{New: func() any { return new([]float32) }}

// mulRealAVX512 takes the narrower tiles where the wide ones would be half empty.
func mulRealAVX512(dst, a, b []float32, m, k, n int, transA, transB bool) {
	t := &realAVX512
	if n <= realAVX2.width {
		t = &realAVX2
	}
	t.mulReal(dst, a, b, m, k, n, transA, transB)
}

func (t *realTiling) mulReal(dst, a, b []float32, m, k, n int, transA, transB bool) {
	dst, a, b = dst[:m*n], a[:m*k], b[:k*n]
	rowStep, step := k, 1
	if transA {
		rowStep, step = 1, m
	}
	const line = 64 / 4
	panels := (n + t.width - 1) / t.width
	buffer := realPool.Get().(*[]float32)
	defer realPool.Put(buffer)
	if size := panels*t.width*k + line; len(*buffer) < size {
		*buffer = make([]float32, size)
	}
	packed := *buffer
	for uintptr(unsafe.Pointer(&packed[0]))%64 != 0 {
		packed = packed[1:]
	}
	// Panel p holds columns p*width to (p+1)*width-1, row after row.
	parallel.For(panels, parallel.Grain(t.width*k/2), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			t.pack(packed[p*t.width*k:(p+1)*t.width*k], b, p*t.width, k, n, transB)
		}
	})
	across := (n + realPanels - 1) / realPanels
	parallel.For((m+realRows-1)/realRows*across, parallel.Grain(realRows*realPanels*k/16), func(lo, hi int) {
		var edge [12 * 32]float32
		for piece := lo; piece < hi; piece++ {
			i0, j0 := piece/across*realRows, piece%across*realPanels
			i1, j1 := min(m, i0+realRows), min(n, j0+realPanels)
			blocks := (k + realDepth - 1) / realDepth
			depth := (k + blocks - 1) / blocks
			for r := 0; r < k; r += depth {
				terms := min(depth, k-r)
				for j := j0; j < j1; j += t.width {
					panel := &packed[j*k+r*t.width]
					for i := i0; i < i1; {
						rows := min(len(t.tiles)-1, i1-i)
						at := &a[i*rowStep+r*step]
						if j+t.width <= n {
							t.tiles[rows](terms, at, rowStep, step, panel, &dst[i*n+j], n, r > 0)
						} else {
							t.tiles[rows](terms, at, rowStep, step, panel, &edge[0], t.width, false)
							for q := range rows {
								out := dst[(i+q)*n+j : (i+q+1)*n]
								from := edge[q*t.width:][:len(out)]
								if r > 0 {
									for l, v := range from {
										out[l] += v
									}
								} else {
									copy(out, from)
								}
							}
						}
						i += rows
					}
				}
			}
		}
	})
}

// pack copies columns from j on of the right factor to a panel, and zeros past
// the last column.
func (t *realTiling) pack(panel, b []float32, j, k, n int, transB bool) {
	width := min(t.width, n-j)
	if width < t.width {
		clear(panel)
	}
	if transB {
		transposeVector(panel, t.width, b[j*k:], k, width, k)
		return
	}
	for r := range k {
		copy(panel[r*t.width:(r+1)*t.width], b[r*n+j:][:width])
	}
}
