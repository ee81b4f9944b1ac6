//go:build !purego

package kernel

// drawBlockVector makes a kernel of an assembly function.
func drawBlockVector(draw func(bits *uint32, stride int, field *float32, ld int, rows int, lanes int, g *[32]uint64)) func([]uint32, int, []float32, int, int, int, *Generator) {
	return func(bits []uint32, stride int, field []float32, ld, rows, lanes int, g *Generator) {
		if rows == 0 {
			return
		}
		_ = bits[(Words(rows)-1)*stride : (Words(rows)-1)*stride+lanes]
		_ = field[(rows-1)*ld : (rows-1)*ld+lanes]
		draw(&bits[0], stride, &field[0], ld, rows, lanes, (*[32]uint64)(g))
	}
}
