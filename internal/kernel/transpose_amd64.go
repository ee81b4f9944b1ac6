//go:build !purego

package kernel

// transposeVector serves all vector tiers: wider registers gain nothing.
func transposeVector(dst []float32, ldDst int, x []float32, ldX, rows, cols int) {
	if rows == 0 || cols == 0 {
		return
	}
	if rows < transposeTile || cols < transposeTile {
		transpose(dst, ldDst, x, ldX, rows, cols)
		return
	}
	_ = dst[(cols-1)*ldDst+rows-1]
	_ = x[(rows-1)*ldX+cols-1]
	for j := 0; j < cols; j += transposeTile {
		j := min(j, cols-transposeTile) // the last tile may overlap the one before
		for i := 0; i < rows; i += transposeTile {
			i := min(i, rows-transposeTile)
			transposeTileAVX2(&dst[j*ldDst+i], ldDst, &x[i*ldX+j], ldX)
		}
	}
}
