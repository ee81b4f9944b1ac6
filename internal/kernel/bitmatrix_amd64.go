//go:build !purego

package kernel

// transposeBitsVector serves all vector tiers.
func transposeBitsVector(dst, bits []uint32, stride, cols int) {
	if len(dst) == 0 {
		return
	}
	words := Words(len(dst))
	if cols == 0 {
		clear(dst)
		return
	}
	_ = bits[(words-1)*stride+cols-1]
	whole := len(dst) / WordBits
	if whole > 0 {
		transposeBitsAVX2(&dst[0], &bits[0], stride, whole, cols)
	}
	if whole < words {
		var last [WordBits]uint32
		transposeBitsAVX2(&last[0], &bits[whole*stride], stride, 1, cols)
		copy(dst[whole*WordBits:], last[:])
	}
}
