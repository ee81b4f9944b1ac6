package units

import (
	"fmt"

	"bethe/spin"
)

// Below returns states with the units of a above those of b, a column each: how the layers
// of a deep machine become one.
func Below(a, b *spin.Matrix) *spin.Matrix {
	if a.Cols() != b.Cols() {
		panic(fmt.Sprintf("units: Below of %d and %d columns", a.Cols(), b.Cols()))
	}
	n := a.Rows()
	out := spin.New(n+b.Rows(), a.Cols())
	copyRows(out, a, 0, 0, n)
	copyRows(out, b, n, 0, b.Rows())
	return out
}

// Rows returns the units from lo to hi-1 of states.
func Rows(s *spin.Matrix, lo, hi int) *spin.Matrix {
	out := spin.New(hi-lo, s.Cols())
	copyRows(out, s, 0, lo, hi)
	return out
}

// copyRows copies the rows from lo to hi-1 of src to those of dst from at on.
func copyRows(dst, src *spin.Matrix, at, lo, hi int) {
	for i := lo; i < hi; i++ {
		for a := range src.Cols() {
			dst.Set(at+i-lo, a, src.At(i, a))
		}
	}
}
