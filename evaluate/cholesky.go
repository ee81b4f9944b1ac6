package evaluate

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// Sizes of the blocks between two looks at a context, in rows and columns.
const (
	choleskyRows    = 64
	choleskyColumns = 1024
)

// cholesky returns the upper factor U of h = U^T U, and whether h is positive definite. It finds
// some rows at a time, and those in parts, so that a context that is done ends it; gonum
// factors each block. The error is the context's.
func cholesky(ctx context.Context, h *mat.SymDense) (upper *mat.TriDense, positive bool, err error) {
	n := h.SymmetricDim()
	upper = mat.NewTriDense(n, mat.Upper, nil)
	for i := range n {
		for j := i; j < n; j++ {
			upper.SetTri(i, j, h.At(i, j))
		}
	}
	raw := upper.RawTriangular()
	at := func(i, j, rows, columns int) blas64.General {
		if rows == 0 || columns == 0 {
			return blas64.General{Rows: rows, Cols: columns, Stride: raw.Stride}
		}
		return blas64.General{Rows: rows, Cols: columns, Stride: raw.Stride, Data: raw.Data[i*raw.Stride+j:]}
	}
	for lo := 0; lo < n; lo += choleskyRows {
		rows := min(choleskyRows, n-lo)
		block := blas64.Symmetric{Uplo: blas.Upper, N: rows, Stride: raw.Stride, Data: raw.Data[lo*raw.Stride+lo:]}
		above := at(0, lo, lo, rows) // the part of U over the block
		if lo > 0 {
			blas64.Syrk(blas.Trans, -1, above, 1, block)
		}
		corner, ok := lapack64.Potrf(block)
		if !ok {
			return nil, false, nil
		}
		for from := lo + rows; from < n; from += choleskyColumns {
			if err := ctx.Err(); err != nil {
				return nil, false, err
			}
			columns := min(choleskyColumns, n-from)
			right := at(lo, from, rows, columns)
			if lo > 0 {
				blas64.Gemm(blas.Trans, blas.NoTrans, -1, above, at(0, from, lo, columns), 1, right)
			}
			blas64.Trsm(blas.Left, blas.Trans, 1, corner, right)
		}
	}
	return upper, true, ctx.Err()
}
