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
	"slices"
	"sync"

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
	words              []uint32 // [word of 30 rows][column]; bits outside the matrix are 0
}

// New returns a matrix with every element -1.
func New(rows, cols int) *Matrix {
	if rows < 0 || cols < 0 {
		panic(fmt.Sprintf("spin: negative dimension %d x %d", rows, cols))
	}
	stride := kernel.Stride(cols)
	return &Matrix{rows, cols, stride, make([]uint32, kernel.Words(rows)*stride)}
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
	c.words = append([]uint32(nil), m.words...)
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

// Mul computes dst = a m for a real p x rows matrix a, row-major; dst is
// p x cols. It panics if the lengths do not fit.
func Mul[T Real](dst, a []T, p int, m *Matrix) { mulRows(dst, a, p, m, 1, nil, exactly[T]) }

// MulCoarse is Mul with each row of a in float32 rounded to about 11 bits and a
// sign, about one and a half times as fast with AVX-512: for sums whose noise is far above that. Errors
// are of sqrt(rows/12)/1092 of the largest |element| of the row of a
// (kernel.MulBitsCoarse). Results have the same bits on every processor.
func MulCoarse[T Real](dst, a []T, p int, m *Matrix) {
	MulAffineCoarse(dst, a, p, m, 1, nil)
}

// MulAffine computes dst = slope a m + shift[i] in row i, with the shapes of
// Mul and shift of length p: the fields of a layer of units given the other.
func MulAffine[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T) {
	checkLen("MulAffine", "shifts", len(shift), p)
	mulRows(dst, a, p, m, slope, shift, exactly[T])
}

// MulAffineCoarse is MulAffine with the product of MulCoarse, without shifts where
// shift is nil.
func MulAffineCoarse[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T) {
	if shift != nil {
		checkLen("MulAffineCoarse", "shifts", len(shift), p)
	}
	mulRows(dst, a, p, m, slope, shift, coarsely[T])
}

// mulRows multiplies by pieces of the rows.
func mulRows[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T, multiply func(dst, a []T, p int, m *Matrix, slope T, shift []T)) {
	parallel.For(p, mulGrain(dst, a, p, m), func(lo, hi int) {
		own := shift
		if own != nil {
			own = shift[lo:hi]
		}
		multiply(dst[lo*m.cols:hi*m.cols], a[lo*m.rows:hi*m.rows], hi-lo, m, slope, own)
	})
}

// exactly multiplies some rows on one processor. Without shifts the slope is 1.
func exactly[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T) {
	kernel.MulBits(dst, a, p, m.rows, m.words, m.stride, m.cols)
	for i, shift := range shift {
		row := dst[i*m.cols : (i+1)*m.cols]
		kernel.Affine(row, row, slope, shift)
	}
}

// coarsely is exactly with rounded rows.
func coarsely[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T) {
	kernel.MulBitsCoarse(dst, a, p, m.rows, m.words, m.stride, m.cols, slope, shift)
}

// MulAffineAcross is MulAffine with the transpose of a, rows x p row-major, as the
// left factor, or MulAffineCoarse where coarse is set. It transposes the rows that are
// a piece of work, in the processor's cache: for a factor that is used once.
func MulAffineAcross[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T, coarse bool) {
	checkLen("MulAffineAcross", "shifts", len(shift), p)
	multiply := exactly[T]
	if coarse {
		multiply = coarsely[T]
	}
	grain := mulGrain(dst, a, p, m)
	grain += grain % (2 * rowTile) // few columns of a share their cache lines with other pieces
	parallel.For(p, grain, func(lo, hi int) {
		rows, ok := transposedRows.Get().(*[]T)
		if !ok {
			rows = new([]T)
		}
		defer transposedRows.Put(rows)
		*rows = slices.Grow((*rows)[:0], (hi-lo)*m.rows)[:(hi-lo)*m.rows]
		kernel.Transpose(*rows, m.rows, a[lo:], p, m.rows, hi-lo)
		multiply(dst[lo*m.cols:hi*m.cols], *rows, hi-lo, m, slope, shift[lo:hi])
	})
}

// transposedRows is work space of MulAffineAcross.
var transposedRows sync.Pool

// mulGrain checks the lengths of a product's matrices and returns how many rows
// are a piece of work.
func mulGrain[T Real](dst, a []T, p int, m *Matrix) int {
	checkLen("Mul", "elements of the left factor", len(a), p*m.rows)
	checkLen("Mul", "elements of the result", len(dst), p*m.cols)
	grain := parallel.Grain(kernel.Words(m.rows) * (320 + 5*m.cols))
	return (grain + rowTile - 1) / rowTile * rowTile
}

// rowTile is a multiple of the numbers of rows that kernels take together at best.
const rowTile = 20

// MulT computes dst = a transpose(m) for a real p x cols matrix a, row-major;
// dst is p x rows. Callers that need several products with the same transpose
// keep it (Transpose) and use Mul.
func MulT[T Real](dst, a []T, p int, m *Matrix) {
	t := New(m.cols, m.rows)
	m.Transpose(t)
	Mul(dst, a, p, t)
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
