package spin

import (
	"slices"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
)

// Mul computes dst = a m for a real p x rows matrix a, row-major; dst is
// p x cols. It panics if the lengths do not fit.
func Mul[T Real](dst, a []T, p int, m *Matrix) { mulRows(dst, a, p, exactly[T](m), 1, nil) }

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
	mulRows(dst, a, p, exactly[T](m), slope, shift)
}

// MulAffineCoarse is MulAffine with the product of MulCoarse, without shifts where
// shift is nil.
func MulAffineCoarse[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T) {
	if shift != nil {
		checkLen("MulAffineCoarse", "shifts", len(shift), p)
	}
	f := coarsely[T](m, p)
	defer f.done()
	mulRows(dst, a, p, f, slope, shift)
}

// MulAffineAcross is MulAffine with the transpose of a, rows x p row-major, as the
// left factor, or MulAffineCoarse where coarse is set. It transposes the rows that are
// a piece of work, in the processor's cache: for a factor that is used once.
func MulAffineAcross[T Real](dst, a []T, p int, m *Matrix, slope T, shift []T, coarse bool) {
	checkLen("MulAffineAcross", "shifts", len(shift), p)
	f := exactly[T](m)
	if coarse {
		f = coarsely[T](m, p)
	}
	defer f.done()
	grain := f.grain(dst, a, p)
	grain += grain % (2 * f.together) // few columns of a share their cache lines with other pieces
	parallel.For(p, grain, func(lo, hi int) {
		rows, ok := transposedRows.Get().(*[]T)
		if !ok {
			rows = new([]T)
		}
		defer transposedRows.Put(rows)
		*rows = slices.Grow((*rows)[:0], (hi-lo)*m.rows)[:(hi-lo)*m.rows]
		kernel.Transpose(*rows, m.rows, a[lo:], p, m.rows, hi-lo)
		f.multiply(dst[lo*m.cols:hi*m.cols], *rows, hi-lo, slope, shift[lo:hi])
	})
}

// transposedRows is work space of MulAffineAcross.
var transposedRows sync.Pool

// MulT computes dst = a transpose(m) for a real p x cols matrix a, row-major;
// dst is p x rows. Callers that need several products with the same transpose
// keep it (Transpose) and use Mul.
func MulT[T Real](dst, a []T, p int, m *Matrix) {
	t := New(m.cols, m.rows)
	m.Transpose(t)
	Mul(dst, a, p, t)
}

// Prepare makes a matrix ready for many products of few rounded rows each (MulCoarse and its kind): where the processor
// multiplies by another form of the bits, it is made once here and not in each of them. Results are the same. It is
// lost when the matrix changes, and takes eight times the memory of the matrix. In float64 nothing is rounded, and nothing made.
func Prepare[T Real](m *Matrix) {
	if !rounds[T]() {
		return
	}
	if !kernel.Expands() {
		m.changed()
		return
	}
	if size := kernel.ExpandedBytes(m.rows, m.cols); len(m.expanded) != size {
		m.expanded = kernel.Lines(m.expanded, size)
		m.expand(m.expanded)
	}
}

// rounds reports whether products of T are rounded.
func rounds[T Real]() bool {
	_, single := any(T(0)).(float32)
	return single
}

// changed drops the expansion that Prepare made.
func (m *Matrix) changed() {
	if len(m.expanded) > 0 { // else nothing is written: several goroutines may change parts of their own
		m.expanded = m.expanded[:0]
	}
}

// expand writes the form that rounded products multiply by, if it is another one than the words.
func (m *Matrix) expand(dst []int8) {
	if len(dst) == 0 {
		return
	}
	parallel.For(parallel.Pieces(m.cols, lanesAtOnce), parallel.Grain(kernel.Words(m.rows)*lanesAtOnce), func(lo, hi int) {
		l := lo * lanesAtOnce
		kernel.Expand(dst[kernel.ExpandedBytes(m.rows, l):], m.words[l:], m.stride, m.rows, min(m.cols, hi*lanesAtOnce)-l)
	})
}

// A factor is a matrix as the right factor of a product.
type factor[T Real] struct {
	m        *Matrix
	rounded  bool    // rows of the left factor are rounded
	together int     // rows that kernels take together at best, or a multiple of them
	expanded []int8  // the form that rounded products multiply by, if it is made
	space    *[]int8 // holds expanded if it was made for one product
}

// exactly multiplies in the arithmetic of T.
func exactly[T Real](m *Matrix) factor[T] { return factor[T]{m: m, together: 20} }

// coarsely multiplies p rows that are rounded.
func coarsely[T Real](m *Matrix, p int) factor[T] {
	f := factor[T]{m: m, rounded: true, together: max(20, kernel.RowsTogether()), expanded: m.expanded}
	if rounds[T]() && len(f.expanded) == 0 && p > kernel.RowsTogether() && kernel.Expands() {
		if size := kernel.ExpandedBytes(m.rows, m.cols); size > 0 { // once for all pieces
			space, ok := expansions.Get().(*[]int8)
			if !ok {
				space = new([]int8)
			}
			*space = kernel.Lines(*space, size)
			m.expand(*space)
			f.expanded, f.space = *space, space
		}
	}
	return f
}

// done gives back what the product took.
func (f *factor[T]) done() {
	if f.space != nil {
		expansions.Put(f.space)
	}
}

// multiply multiplies p rows on one processor: dst = slope a m, plus shifts where
// there are some. An exact product without shifts has slope 1.
func (f *factor[T]) multiply(dst, a []T, p int, slope T, shift []T) {
	m := f.m
	if f.rounded {
		kernel.MulExpandedCoarse(dst, a, p, m.rows, m.words, m.stride, m.cols, f.expanded, slope, shift)
		return
	}
	kernel.MulBits(dst, a, p, m.rows, m.words, m.stride, m.cols)
	for i, shift := range shift {
		row := dst[i*m.cols : (i+1)*m.cols]
		kernel.Affine(row, row, slope, shift)
	}
}

// expansions is work space of rounded products.
var expansions sync.Pool

// mulRows multiplies by pieces of the rows.
func mulRows[T Real](dst, a []T, p int, f factor[T], slope T, shift []T) {
	if grain := f.grain(dst, a, p); p > grain {
		mulPieces(dst, a, p, grain, f, slope, shift)
		return
	}
	f.multiply(dst, a, p, slope, shift) // one piece: no loop to set up, nothing on the heap
}

// mulPieces multiplies by pieces of grain rows on all processors.
func mulPieces[T Real](dst, a []T, p, grain int, f factor[T], slope T, shift []T) {
	n, cols := f.m.rows, f.m.cols
	parallel.For(p, grain, func(lo, hi int) {
		own := shift
		if own != nil {
			own = shift[lo:hi]
		}
		f.multiply(dst[lo*cols:hi*cols], a[lo*n:hi*n], hi-lo, slope, own)
	})
}

// grain checks the lengths of a product's matrices and returns how many rows
// are a piece of work.
func (f *factor[T]) grain(dst, a []T, p int) int {
	checkLen("Mul", "elements of the left factor", len(a), p*f.m.rows)
	checkLen("Mul", "elements of the result", len(dst), p*f.m.cols)
	grain := parallel.Grain(kernel.Words(f.m.rows) * (320 + 5*f.m.cols))
	return (grain + f.together - 1) / f.together * f.together
}
