//go:build openblas

package main

/*
#cgo LDFLAGS: -lopenblas
enum {rowMajor = 101, plain = 111, transposed = 112};
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda,
	const float *b, int ldb, float beta, float *c, int ldc);
void cblas_sgemv(int order, int ta, int m, int n, float alpha, const float *a, int lda,
	const float *x, int incx, float beta, float *y, int incy);
void openblas_set_num_threads(int n);
char *openblas_get_config(void);
char *openblas_get_corename(void);
*/
import "C"

func init() {
	C.openblas_set_num_threads(1)
	core := C.GoString(C.openblas_get_corename())
	openBLAS = &blas{
		version: C.GoString(C.openblas_get_config()) + ", kernels for " + core,
		core:    core,
		mul: func(dst, a, b []float32, m, k, n int, transA, transB bool) {
			lda, ldb, ta, tb := k, n, C.int(C.plain), C.int(C.plain)
			if transA {
				lda, ta = m, C.transposed
			}
			if transB {
				ldb, tb = k, C.transposed
			}
			C.cblas_sgemm(C.rowMajor, ta, tb, C.int(m), C.int(n), C.int(k), 1, (*C.float)(&a[0]), C.int(lda),
				(*C.float)(&b[0]), C.int(ldb), 0, (*C.float)(&dst[0]), C.int(n))
		},
		mulVector: func(y, a, x []float32, m, n int) {
			C.cblas_sgemv(C.rowMajor, C.plain, C.int(m), C.int(n), 1, (*C.float)(&a[0]), C.int(n),
				(*C.float)(&x[0]), 1, 0, (*C.float)(&y[0]), 1)
		},
	}
}
