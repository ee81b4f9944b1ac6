package anatomy

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/gonum"
)

// eigenvalues returns those of a symmetric n x n matrix, rising, and destroys the matrix. It reports
// whether they converged. Reflections (Golub and Van Loan, Matrix Computations, section 8.3) make the
// matrix tridiagonal a row at a time; between two rows a context that is done ends it, which
// gonum's own loop does not offer. The error is the context's.
func eigenvalues(ctx context.Context, a []float64, n int) (values []float64, settled bool, err error) {
	diagonal, beside := make([]float64, n), make([]float64, max(0, n-1))
	product := make([]float64, n)
	for k := range n {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		diagonal[k] = a[k*n+k]
		rest := n - k - 1
		if rest == 0 {
			break
		}
		row := blas64.Vector{N: rest, Inc: 1, Data: a[k*n+k+1 : (k+1)*n]}
		below := blas64.Symmetric{Uplo: blas.Upper, N: rest, Stride: n, Data: a[(k+1)*n+k+1:]}
		length := blas64.Nrm2(row)
		if beside[k] = length; length == 0 {
			continue
		}
		beside[k] = -math.Copysign(length, row.Data[0])
		row.Data[0] -= beside[k]
		scale := 2 / blas64.Dot(row, row)
		p := blas64.Vector{N: rest, Inc: 1, Data: product[:rest]}
		blas64.Symv(scale, below, row, 0, p)
		blas64.Axpy(-scale/2*blas64.Dot(p, row), row, p)
		blas64.Syr2(-1, row, p, below)
	}
	settled = gonum.Implementation{}.Dsterf(n, diagonal, beside)
	return diagonal, settled, nil
}
