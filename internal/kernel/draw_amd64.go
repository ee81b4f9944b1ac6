//go:build !purego

package kernel

// drawBlockVector makes a kernel of assembly functions for some lanes and, if
// there is one, for twice as many.
func drawBlockVector(lanesAtOnce int, once, twice func(bits *uint32, stride int, field *float32, ld int, rows int, lanes int, state *uint64)) func([]uint32, int, []float32, int, int, int, []Generator) {
	return func(bits []uint32, stride int, field []float32, ld, rows, lanes int, g []Generator) {
		if rows == 0 || lanes == 0 {
			return
		}
		_ = bits[(Words(rows)-1)*stride : (Words(rows)-1)*stride+lanes]
		_ = field[(rows-1)*ld : (rows-1)*ld+lanes]
		for l := 0; l < lanes; {
			draw, count := once, lanesAtOnce
			if twice != nil && lanes-l > lanesAtOnce {
				draw, count = twice, 2*lanesAtOnce
			}
			draw(&bits[l], stride, &field[l], ld, rows, min(count, lanes-l), stateOf(g, l))
			l += count
		}
	}
}

// stateOf returns where the state of the generators that serve the lanes from l
// on begins: four lanes share one.
func stateOf(g []Generator, l int) *uint64 { return &g[l/DrawLanes][l%DrawLanes/4] }

func skipVector(skip func(state *uint64, steps int)) func(*Generator, int) {
	return func(g *Generator, steps int) {
		if steps > 0 {
			skip(&g[0], steps)
		}
	}
}
