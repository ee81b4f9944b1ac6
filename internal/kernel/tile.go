package kernel

// Products by matrix tiles. A tile is tileRows rows of tileWidth signed bytes, row after row, and the
// factors lie in memory as tiles, step by step through the rows r of the sum. A step takes two words,
// 2*WordBits rows, in tileWidth places: place 32*w + b is bit b of word w, and the last two places of each
// half hold zeros in the left factor.
//
//   - Left factor: blocks of tileRows rounded rows, in a block for each step two tiles, one of high limbs and one of
//     low ones.
//   - Right factor: panels of panelLanes lanes, in a panel for each step two tiles of tileRows lanes, as ±1. Four
//     places follow each other: row q of a tile has those from 4q of its lanes.
//
// Sums are of whole numbers, so they are exact and the bits of results those of every other tier.
const (
	tileRows   = 16
	tileWidth  = 64
	tileBytes  = tileRows * tileWidth
	stepBytes  = 2 * tileBytes
	panelLanes = 2 * tileRows
	limbBits   = 5 // a whole number is its high limb times 1<<limbBits and its low one, which is not negative
)

// tileSteps returns the number of steps through k rows.
func tileSteps(k int) int { return (Words(k) + 1) / 2 }

// A tileSpace is what a product by tiles needs beside its factors: the shapes of tiles and four tiles of sums.
type tileSpace = [tileWidth + 4*tileBytes]int8

// tileFunctions are the loops of products by tiles: the assembly, or the Go functions that specify it.
type tileFunctions struct {
	largest func(x []float32) uint32
	row     func(dst []int8, x []float32, scale float32)
	expand  func(dst []int8, bits []uint32, stride, words int)
	product func(dst []float32, ld, lanes int, a []int8, blocks, rows int, last [][2]float32, b []int8, steps int, space *tileSpace)
}

var tilesInGo = tileFunctions{
	largest: largest,
	row:     tileRow,
	expand:  expandTiles,
	product: tileProduct,
}

// tileRow writes one row of the left factor: of scale x, rounded, the high limbs to dst, tileWidth places per step,
// and the low ones tileBytes behind.
func tileRow(dst []int8, x []float32, scale float32) {
	whole := make([]float32, len(x))
	wholeRow(whole, x, scale)
	for s := 0; s < len(x); s += 2 * WordBits {
		at := dst[s/(2*WordBits)*stepBytes:]
		high, low := at[:tileWidth], at[tileBytes:][:tileWidth]
		clear(high)
		clear(low)
		for j, v := range whole[s:min(len(x), s+2*WordBits)] {
			place, q := j/WordBits*32+j%WordBits, int32(v)
			high[place], low[place] = int8(q>>limbBits), int8(q&(1<<limbBits-1))
		}
	}
}

// expandTiles writes the right factor's tiles of tileRows lanes, every second one of dst.
func expandTiles(dst []int8, bits []uint32, stride, words int) {
	for s := range (words + 1) / 2 {
		tile := dst[s*stepBytes:][:tileBytes]
		clear(tile)
		for w := range min(2, words-2*s) {
			for l := range tileRows {
				v := bits[(2*s+w)*stride+l]
				for b := range 32 {
					tile[(32*w+b)/4*tileWidth+4*l+b%4] = int8(v>>b&1)*2 - 1
				}
			}
		}
	}
}

// sumTiles returns the sums of products of place x of row i of a tile of the left factor and lane l of one of the right, through steps.
func sumTiles(a, b []int8, steps, i, l int) (sum int32) {
	for s := range steps {
		row := a[s*stepBytes+i*tileWidth:][:tileWidth]
		for q := range tileRows {
			x, y := row[4*q:][:4], b[s*stepBytes+q*tileWidth+4*l:][:4]
			sum += int32(x[0])*int32(y[0]) + int32(x[1])*int32(y[1]) + int32(x[2])*int32(y[2]) + int32(x[3])*int32(y[3])
		}
	}
	return sum
}

// tileProduct multiplies blocks of rounded rows by panels of lanes. Each block has so many rows that count. An element
// is unit times the sum plus shift: last has these pairs, one per row. Rows of dst are ld apart.
func tileProduct(dst []float32, ld, lanes int, a []int8, blocks, rows int, last [][2]float32, b []int8, steps int, _ *tileSpace) {
	for block := range blocks {
		for i := range rows {
			row := block*rows + i
			at, unit, shift := a[block*steps*stepBytes:], last[row][0], last[row][1]
			for l := range lanes {
				panel := b[l/panelLanes*steps*stepBytes+l%panelLanes/tileRows*tileBytes:]
				high, low := sumTiles(at, panel, steps, i, l%tileRows), sumTiles(at[tileBytes:], panel, steps, i, l%tileRows)
				dst[row*ld+l] = float32(float32(high<<limbBits+low)*unit) + shift
			}
		}
	}
}
