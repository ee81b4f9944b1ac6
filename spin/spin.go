// Package spin provides matrices of spins ±1, one bit each, and their products
// with real matrices.
//
// Everywhere in this module a set of M samples of N visible spins is an N x M
// matrix: row i is spin i, column a is sample a.
package spin

import (
	"fmt"
	"math/bits"
	"math/rand/v2"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/stream"
)

// Real is a type of real number: float32 in training, float64 where results
// are held against exact ones.
type Real = kernel.Real

// A Matrix is a rows x cols matrix of ±1, packed along its rows. The zero
// value is an empty matrix.
type Matrix struct {
	rows, cols, stride int
	words              []uint32 // [word of 30 rows][column]; bits outside the matrix are 0. What writes them calls changed
	expanded           []int8   // what Prepare made of the words; empty if they changed since then
}

// New returns a matrix with every element -1.
func New(rows, cols int) *Matrix {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("spin: negative dimension %d x %d", rows, cols))
	}
	stride := kernel.Stride(cols)
	return &Matrix{rows: rows, cols: cols, stride: stride, words: make([]uint32, kernel.Words(rows)*stride)}
}

// Random returns a matrix of independent fair spins.
func Random(rows, cols int, rng *rand.Rand) *Matrix {
	m := New(rows, cols)
	for i := range rows {
		for j := range cols {
			m.put(i, j, uint32(rng.Uint64()>>63))
		}
	}
	return m
}

// FromSigns returns the rows x cols matrix of the signs of x, row-major; 0
// counts as +1. It panics unless x holds rows*cols elements.
func FromSigns[T int8 | Real](rows, cols int, x []T) *Matrix {
	m := New(rows, cols)
	checkLen("FromSigns", "elements", len(x), rows*cols)
	for i := range rows {
		for j, v := range x[i*cols : (i+1)*cols] {
			if v >= 0 {
				m.put(i, j, 1)
			}
		}
	}
	return m
}

// Rows returns the number of rows.
func (m *Matrix) Rows() int { return m.rows }

// Cols returns the number of columns.
func (m *Matrix) Cols() int { return m.cols }

// At returns element (i, j), +1 or -1. It panics if there is none.
func (m *Matrix) At(i, j int) int8 {
	m.check(i, j)
	return int8(m.words[i/kernel.WordBits*m.stride+j]>>(i%kernel.WordBits)&1)*2 - 1
}

// Set sets element (i, j) to +1 if s > 0, else to -1. It panics if there is no such element.
func (m *Matrix) Set(i, j int, s int8) {
	m.check(i, j)
	m.changed()
	w, b := &m.words[i/kernel.WordBits*m.stride+j], uint32(1)<<(i%kernel.WordBits)
	*w &^= b
	if s > 0 {
		*w |= b
	}
}

// put sets a bit that is 0 so far.
func (m *Matrix) put(i, j int, b uint32) {
	m.words[i/kernel.WordBits*m.stride+j] |= b << (i % kernel.WordBits)
}

func (m *Matrix) check(i, j int) {
	if uint(i) >= uint(m.rows) || uint(j) >= uint(m.cols) {
		panic(fmt.Sprintf("spin: element (%d, %d) of a %d x %d matrix", i, j, m.rows, m.cols))
	}
}

// Values writes the elements as ±1, row-major, to dst of rows*cols elements.
func Values[T int8 | Real](dst []T, m *Matrix) {
	checkLen("Values", "elements", len(dst), m.rows*m.cols)
	for i := range m.rows {
		word := m.words[i/kernel.WordBits*m.stride:][:m.cols]
		out, shift := dst[i*m.cols:(i+1)*m.cols], i%kernel.WordBits
		for j, w := range word {
			out[j] = T(int8(w>>shift&1)*2 - 1)
		}
	}
}

// Clone returns a copy.
func (m *Matrix) Clone() *Matrix {
	c := *m
	c.words, c.expanded = append([]uint32(nil), m.words...), nil
	return &c
}

// Hash returns a number that equal matrices share and others hardly ever.
func (m *Matrix) Hash() uint64 {
	h := stream.New(uint64(m.rows)).Sub(uint64(m.cols))
	for w := 0; w < kernel.Words(m.rows); w++ {
		for _, v := range m.words[w*m.stride:][:m.cols] {
			h = h.Sub(uint64(v))
		}
	}
	return uint64(h)
}

// Equal reports whether two matrices have the same shape and elements.
func (m *Matrix) Equal(o *Matrix) bool {
	if m.rows != o.rows || m.cols != o.cols {
		return false
	}
	for i, w := range m.words {
		if w != o.words[i] {
			return false
		}
	}
	return true
}

// Gather sets column k of dst to column cols[k] of m; dst must have m's rows
// and len(cols) columns. It takes samples from a data set.
func (m *Matrix) Gather(dst *Matrix, cols []int) {
	checkGather(dst, m.rows, m.cols, cols)
	dst.changed()
	parallel.For(kernel.Words(m.rows), parallel.Grain(len(cols)*32), func(lo, hi int) { // a cost of missing the cache
		for w := lo; w < hi; w++ {
			src, out := m.words[w*m.stride:][:m.cols], dst.words[w*dst.stride:][:dst.cols]
			for k, c := range cols {
				out[k] = src[c]
			}
		}
	})
}

func checkGather(dst *Matrix, rows, cols int, which []int) {
	if dst.rows != rows || dst.cols != len(which) {
		panic(fmt.Sprintf("spin: Gather of %d columns of %d rows into %d x %d", len(which), rows, dst.rows, dst.cols))
	}
	for _, j := range which {
		if uint(j) >= uint(cols) {
			panic(fmt.Sprintf("spin: Gather of column %d of a %d x %d matrix", j, rows, cols))
		}
	}
}

// Choose returns count columns of m in random order, none a second time before
// all were taken once: some samples of a data set. It panics if m has no column.
func (m *Matrix) Choose(count int, rng *rand.Rand) *Matrix {
	order := rng.Perm(m.cols)
	cols := make([]int, count)
	for k := range cols {
		cols[k] = order[k%len(order)]
	}
	out := New(m.rows, count)
	m.Gather(out, cols)
	return out
}

// Transpose writes the transpose of m to dst, which must be cols x rows and
// not share storage with m.
func (m *Matrix) Transpose(dst *Matrix) {
	if dst.rows != m.cols || dst.cols != m.rows {
		panic(fmt.Sprintf("spin: Transpose of %d x %d into %d x %d", m.rows, m.cols, dst.rows, dst.cols))
	}
	dst.changed()
	if m.rows == 0 {
		return
	}
	const b = kernel.WordBits
	parallel.For(kernel.Words(dst.rows), parallel.Grain(kernel.Words(m.rows)*400), func(lo, hi int) {
		for v := lo; v < hi; v++ { // word v of dst: columns b*v ... of m
			kernel.TransposeBits(dst.words[v*dst.stride:][:dst.cols], m.words[b*v:], m.stride, m.rows, min(b, m.cols-b*v))
		}
	})
}

// RowSums writes the sum of the elements of each row to dst of length rows.
func (m *Matrix) RowSums(dst []int) {
	checkLen("RowSums", "sums", len(dst), m.rows)
	for w := range kernel.Words(m.rows) {
		var count [kernel.WordBits]int
		for _, v := range m.words[w*m.stride:][:m.cols] {
			for ; v != 0; v &= v - 1 {
				count[bits.TrailingZeros32(v)]++
			}
		}
		for i := w * kernel.WordBits; i < min(m.rows, (w+1)*kernel.WordBits); i++ {
			dst[i] = 2*count[i-w*kernel.WordBits] - m.cols
		}
	}
}

// ColSums writes the sum of the elements of each column to dst of length cols.
// It is much cheaper than RowSums.
func (m *Matrix) ColSums(dst []int) {
	checkLen("ColSums", "sums", len(dst), m.cols)
	for j := range dst {
		dst[j] = -m.rows
	}
	const together = 1 << 11 // words whose rows a count can hold
	var zero [together]uint32
	var counts [lanesAtOnce]uint16 // of elements that are not -1
	for w := 0; w < kernel.Words(m.rows); w += together {
		rows := min(together*kernel.WordBits, m.rows-w*kernel.WordBits)
		for first := 0; first < m.cols; first += lanesAtOnce {
			out := dst[first:min(first+lanesAtOnce, m.cols)]
			kernel.CountDiff(counts[:], lanesAtOnce, zero[:], 1, 1, m.words[w*m.stride+first:], m.stride, rows, len(out))
			for l := range out {
				out[l] += 2 * int(counts[l])
			}
		}
	}
}

// Dot writes the products of all columns, dst[i*b.Cols()+j] = sum over r of
// a(r, i) b(r, j), to dst of a.Cols()*b.Cols() elements. The matrices must have
// equally many rows. Each product is N - 2 popcount(a xor b): the field of a
// binary unit, or the overlap of two spin vectors times N.
func Dot(dst []int32, a, b *Matrix) {
	if a.rows != b.rows {
		panic(fmt.Sprintf("spin: Dot of columns of %d and %d rows", a.rows, b.rows))
	}
	checkLen("Dot", "elements", len(dst), a.cols*b.cols)
	words := kernel.Words(a.rows)
	parallel.For(a.cols, parallel.Grain(words*b.cols), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out := dst[i*b.cols : (i+1)*b.cols]
			for j := range out {
				out[j] = int32(a.rows)
			}
			for w := range words {
				x := a.words[w*a.stride+i]
				for j, y := range b.words[w*b.stride:][:len(out)] {
					out[j] -= 2 * int32(bits.OnesCount32(x^y))
				}
			}
		}
	})
}

// Draw sets every element (i, j) of m to +1 with probability
// 1/(1+exp(-2 field[i*cols+j])), independently: spins in a field. The same key
// gives the same spins whatever the number of threads.
func Draw[T Real](m *Matrix, field []T, key stream.Key) {
	DrawColumns(m, 0, m.cols, field, key)
}

// DrawColumns sets columns first, ..., last-1 of m to what Draw would; field holds
// only theirs, rows x (last-first), so that not all need to be in memory at once.
// It panics unless first is a multiple of kernel.LaneAlign and last is one too or
// the number of columns.
func DrawColumns[T Real](m *Matrix, first, last int, field []T, key stream.Key) {
	if first < 0 || first > last || last > m.cols || first%lanesAtOnce != 0 || last%lanesAtOnce != 0 && last != m.cols {
		panic(fmt.Sprintf("spin: DrawColumns %d to %d of %d", first, last, m.cols))
	}
	width := last - first
	checkLen("Draw", "fields", len(field), m.rows*width)
	m.changed()
	tiles, half := parallel.Pieces(width, lanesAtOnce), m.rows/2/kernel.WordBits*kernel.WordBits
	if half < 2*kernel.WordBits {
		half = 0
	}
	draw := func(tile, from, to int) {
		l := tile * lanesAtOnce
		g := tileGenerators(key, first/lanesAtOnce+tile)
		for b := range g {
			g[b].Skip(from)
		}
		kernel.DrawBlock(m.words[from/kernel.WordBits*m.stride+first+l:], m.stride, field[from*width+l:], width, to-from, min(lanesAtOnce, width-l), g[:])
	}
	// The first half of the rows of all tiles, then the other, so that two workers have
	// the rows whose fields they computed.
	parallel.For(2*tiles, parallel.Grain(m.rows*lanesAtOnce*4), func(lo, hi int) {
		for piece := lo; piece < hi; piece++ {
			if piece < tiles {
				draw(piece, 0, half)
			} else {
				draw(piece-tiles, half, m.rows)
			}
		}
	})
}

// lanesAtOnce is the number of columns that one piece of work takes in draws and
// counts: those of a tile of the kernels.
const lanesAtOnce = kernel.LaneAlign

// tileGenerators returns the generators of the columns of a tile: each block of
// DrawLanes columns has one of its own.
func tileGenerators(key stream.Key, tile int) (g [lanesAtOnce / kernel.DrawLanes]kernel.Generator) {
	for b := range g {
		key.Sub(uint64(tile*len(g) + b)).Fill(g[b][:])
	}
	return g
}

func checkLen(verb, what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("spin: %s with %d %s, not %d", verb, got, what, want))
	}
}
