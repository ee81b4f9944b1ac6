//go:build !purego

package kernel

// transposeVector serves all vector tiers: wider registers gain nothing.
func transposeVector(dst []float32, ldDst int, x []float32, ldX, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	_ = dst[(cols-1)*ldDst+rows-1]
	_ = x[(rows-1)*ldX+cols-1]
	whole, wide := rows&^(transposeTile-1), cols&^(transposeTile-1)
	for j := 0; j < wide; j += transposeTile {
		for i := 0; i < whole; i += transposeTile {
			transposeTileAVX2(&dst[j*ldDst+i], ldDst, &x[i*ldX+j], ldX)
		}
	}
	if whole < rows {
		transpose(dst[whole:], ldDst, x[whole*ldX:], ldX, rows-whole, cols)
	}
	if wide < cols {
		transpose(dst[wide*ldDst:], ldDst, x[wide:], ldX, whole, cols-wide)
	}
}
