package kernel

// TransposeBits transposes the first cols columns, at most WordBits of them, of
// a packed matrix of the given rows and stride. bits starts at one of its columns.
// Lane i of dst becomes row i, with column j in bit j. dst holds one word a row.
func TransposeBits(dst, bits []uint32, stride, rows, cols int) { // dst is a word of the transpose
	dst = dst[:rows]
	if cols < 0 || cols > WordBits {
		panic("kernel: TransposeBits of more columns than a word holds")
	}
	use().transposeBits(dst, bits, stride, cols)
}

func transposeBits(dst, bits []uint32, stride, cols int) {
	var t [32]uint32
	for w := 0; len(dst) > 0; w++ {
		copy(t[:cols], bits[w*stride:])
		clear(t[cols:])
		transpose32(&t)
		dst = dst[copy(dst, t[:WordBits]):]
	}
}

// transpose32 transposes a 32 x 32 matrix of bits in place (Hacker's Delight,
// section 7-3): bit j of t[i] goes to bit i of t[j].
func transpose32(t *[32]uint32) {
	mask := uint32(0x0000ffff)
	for s := 16; s != 0; s >>= 1 {
		for k := 0; k < 32; k = (k + s + 1) &^ s {
			d := (t[k]>>s ^ t[k+s]) & mask
			t[k] ^= d << s
			t[k+s] ^= d
		}
		mask ^= mask << (s >> 1)
	}
}
