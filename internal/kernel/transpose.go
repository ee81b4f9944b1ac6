package kernel

// Transpose writes the rows x cols matrix x transposed to dst:
//
//	dst[j*ldDst+i] = x[i*ldX+j],   i < rows, j < cols.
//
// The arrays must not overlap.
func Transpose[T Real](dst []T, ldDst int, x []T, ldX, rows, cols int) {
	if dst, ok := any(dst).([]float32); ok {
		use().transpose(dst, ldDst, any(x).([]float32), ldX, rows, cols)
		return
	}
	transpose(dst, ldDst, x, ldX, rows, cols)
}

// transposeTile is the side of the tiles of a transposition: a cache line.
const transposeTile = 16

func transpose[T Real](dst []T, ldDst int, x []T, ldX, rows, cols int) {
	for j0 := 0; j0 < cols; j0 += transposeTile {
		for i0 := 0; i0 < rows; i0 += transposeTile {
			width, height := min(transposeTile, cols-j0), min(transposeTile, rows-i0)
			for j := range width {
				out := dst[(j0+j)*ldDst+i0:][:height]
				at := i0*ldX + j0 + j
				for i := range out {
					out[i] = x[at]
					at += ldX
				}
			}
		}
	}
}
