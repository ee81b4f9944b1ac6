//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

// tilesAMX are products by the processor's tiles. Each function sets up their state and releases it, so none is
// left when the system or the runtime changes to another thread or goroutine on purpose; the system keeps it
// over interrupts and signals.
var tilesAMX = tileFunctions{
	largest: largestAVX512,
	row:     func(dst []int8, x []float32, scale float32) { tileRowAVX512(&dst[0], x, scale) },
	expand: func(dst []int8, bits []uint32, stride, words int) {
		expandTilesAVX512(&dst[0], &bits[0], stride, words)
	},
	product: func(dst []float32, ld, lanes int, a []int8, blocks, rows int, last [][2]float32, b []int8, steps int, space *tileSpace) {
		tileProductAMX(&dst[0], ld, lanes, &a[0], blocks, rows, &last[0], &b[0], steps, space)
	},
}

// amxTier returns the tier whose rounded products are by tiles. All else is the wide one's, counts too: by tiles, whole sweeps
// took as long or longer (docs/performance.md).
func amxTier(wide *tier) tier {
	t := *wide
	t.name = "amx"
	t.rounded = &byTiles{tilesAMX}
	return t
}

// noTiles says why there are no tiles, empty if there are.
func noTiles() string {
	x := &cpu.X86
	if !x.HasAMXTile || !x.HasAMXInt8 {
		return "the processor has no tiles of 8-bit integers (flags amx_tile and amx_int8)"
	}
	if err := askForTiles(); err != nil {
		return "the processor has tiles, but the system does not give them: " + err.Error()
	}
	return ""
}
