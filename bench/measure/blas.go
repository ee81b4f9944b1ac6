package main

import (
	gonum "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// A blas is a library of real products: the yardstick of kernels.
type blas struct {
	version string
	core    string // which processor's kernels it uses, if it has several
	// mul computes dst = a b, a m x k and b k x n, row-major; transA and transB
	// say that the array holds the transpose.
	mul func(dst, a, b []float32, m, k, n int, transA, transB bool)
	// mulVector computes y = a x, a m x n.
	mulVector func(y, a, x []float32, m, n int)
}

// openBLAS is nil in a build without the tag openblas.
var openBLAS *blas

var gonumBLAS = blas{
	mul: func(dst, a, b []float32, m, k, n int, transA, transB bool) {
		shape := func(x []float32, rows, cols int, trans bool) (gonum.Transpose, blas32.General) {
			if trans {
				return gonum.Trans, blas32.General{Rows: cols, Cols: rows, Stride: rows, Data: x}
			}
			return gonum.NoTrans, blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: x}
		}
		ta, ga := shape(a, m, k, transA)
		tb, gb := shape(b, k, n, transB)
		blas32.Gemm(ta, tb, 1, ga, gb, 0, blas32.General{Rows: m, Cols: n, Stride: n, Data: dst})
	},
	mulVector: func(y, a, x []float32, m, n int) {
		blas32.Gemv(gonum.NoTrans, 1, blas32.General{Rows: m, Cols: n, Stride: n, Data: a},
			blas32.Vector{N: n, Inc: 1, Data: x}, 0, blas32.Vector{N: m, Inc: 1, Data: y})
	},
}
