package kernel

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// MulReal computes dst = a b for real row-major matrices, a m x k, b k x n.
// transA and transB say that the array holds the transpose, k x m or n x k.
func MulReal[T Real](dst, a, b []T, m, k, n int, transA, transB bool) {
	opA, lda, opB, ldb := blas.NoTrans, k, blas.NoTrans, n
	if transA {
		opA, lda = blas.Trans, m
	}
	if transB {
		opB, ldb = blas.Trans, k
	}
	switch dst := any(dst).(type) {
	case []float32:
		gonum.Implementation{}.Sgemm(opA, opB, m, n, k, 1, any(a).([]float32), lda, any(b).([]float32), ldb, 0, dst, n)
	case []float64:
		gonum.Implementation{}.Dgemm(opA, opB, m, n, k, 1, any(a).([]float64), lda, any(b).([]float64), ldb, 0, dst, n)
	}
}
