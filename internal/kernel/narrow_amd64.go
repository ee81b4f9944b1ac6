//go:build !purego

package kernel

import "math"

// byBytes holds narrow factors as bytes: a left one as its elements and 128, without a sign, as the instruction has it
// that multiplies four pairs of bytes a lane.
type byBytes struct{}

// flipLeft adds 128 to the four bytes of a word, each by itself.
const flipLeft = 0x80808080

func (byBytes) perWord() int { return 4 }

func (byBytes) roundRow(dst []uint32, x []float32, scale float32) {
	const side = 16
	sixteens := len(x) / side
	if sixteens > 0 {
		_ = dst[sixteens*side/4-1]
		roundBytesAVX512(&dst[0], sixteens, &x[0], scale)
	}
	x = x[sixteens*side:]
	for k := range dst[sixteens*side/4:] {
		word := uint32(flipLeft)
		for j, v := range x[4*k : min(len(x), 4*k+4)] {
			word ^= roundByte(v, scale) << (8 * j)
		}
		dst[sixteens*side/4+k] = word
	}
}

// roundByte returns an element times scale, in eight bits.
func roundByte(x, scale float32) uint32 {
	const shift = 3 << 22 // there the unit of float32 is 1
	return math.Float32bits(float32(x*scale)+shift) & 0xff
}

func (byBytes) roundFour(dst []uint32, q, wordStep, panelStep int, x [4][]float32, scale float32, left bool) {
	n := len(x[0])
	for j := range x {
		x[j] = orZeros(x[j], n)
	}
	dst = dst[q*wordStep:]
	flip := uint32(0)
	if left {
		flip = flipLeft
	}
	panels := n / wholeLanes
	if panels > 0 {
		_ = dst[(panels-1)*panelStep+wholeLanes-1]
		roundFourAVX512(&dst[0], panelStep, panels, &x[0][0], &x[1][0], &x[2][0], &x[3][0], scale, flip)
	}
	for l := panels * wholeLanes; l < n; l++ {
		word := flip
		for j := range x {
			word ^= roundByte(x[j][l], scale) << (8 * j)
		}
		dst[panels*panelStep+l-panels*wholeLanes] = word
	}
}

// byteTiles are by number of rows.
var byteTiles = []func(words int, a *uint32, rowStep, step int, b *uint32, shift *int32, dst *float32, ld int, unit float32, add bool){
	1: byteTile1AVX512, 2: byteTile2AVX512, 3: byteTile3AVX512, 4: byteTile4AVX512, 5: byteTile5AVX512, 6: byteTile6AVX512,
	7: byteTile7AVX512, 8: byteTile8AVX512, 9: byteTile9AVX512, 10: byteTile10AVX512, 11: byteTile11AVX512, 12: byteTile12AVX512,
}

func (byBytes) mul(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32) {
	dst = dst[:rows*lanes]
	_, _ = a[(rows-1)*rowStep+(words-1)*step], panels[(lanes+wholeLanes-1)/wholeLanes*wholeLanes*words-1]
	const most = wholeWords / 2 // words of a part
	var edge [12 * wholeLanes]float32
	var shift [wholeLanes]int32 // what 128 in the place of each element of a left row gives
	for l := 0; l < lanes; l += wholeLanes {
		for from := 0; from < words; from += most {
			count := min(most, words-from)
			panel := &panels[(l/wholeLanes*words+from)*wholeLanes]
			byteSumsAVX512(count, panel, &shift[0])
			for i := 0; i < rows; {
				together := min(len(byteTiles)-1, rows-i)
				at := &a[i*rowStep+from*step]
				if l+wholeLanes <= lanes {
					byteTiles[together](count, at, rowStep, step, panel, &shift[0], &dst[i*lanes+l], lanes, unit, from > 0)
				} else {
					byteTiles[together](count, at, rowStep, step, panel, &shift[0], &edge[0], wholeLanes, unit, false)
					for r := range together {
						out := dst[(i+r)*lanes+l : (i+r+1)*lanes]
						for k, v := range edge[r*wholeLanes:][:len(out)] {
							if from > 0 {
								v += out[k]
							}
							out[k] = v
						}
					}
				}
				i += together
			}
		}
	}
}
