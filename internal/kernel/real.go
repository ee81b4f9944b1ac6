package kernel

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// MulReal computes dst = a b for real row-major matrices, a m x k, b k x n.
// transA and transB say that the array holds the transpose, k x m or n x k.
// Products in float32 of different tiers differ by rounding; none depends on
// the number of threads.
func MulReal[T Real](dst, a, b []T, m, k, n int, transA, transB bool) {
	if k == 0 {
		clear(dst[:m*n])
	}
	if m*k*n == 0 {
		return
	}
	if dst, ok := any(dst).([]float32); ok {
		use().mulReal(dst, any(a).([]float32), any(b).([]float32), m, k, n, transA, transB)
		return
	}
	opA, lda, opB, ldb := mulRealOps(m, k, n, transA, transB)
	gonum.Implementation{}.Dgemm(opA, opB, m, n, k, 1, any(a).([]float64), lda, any(b).([]float64), ldb, 0, any(dst).([]float64), n)
}

func mulReal(dst, a, b []float32, m, k, n int, transA, transB bool) {
	opA, lda, opB, ldb := mulRealOps(m, k, n, transA, transB)
	gonum.Implementation{}.Sgemm(opA, opB, m, n, k, 1, a, lda, b, ldb, 0, dst, n)
}

func mulRealOps(m, k, n int, transA, transB bool) (opA blas.Transpose, lda int, opB blas.Transpose, ldb int) {
	opA, lda, opB, ldb = blas.NoTrans, k, blas.NoTrans, n
	if transA {
		opA, lda = blas.Trans, m
	}
	if transB {
		opB, ldb = blas.Trans, k
	}
	return opA, lda, opB, ldb
}
