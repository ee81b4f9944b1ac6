//go:build !purego

package kernel

// A wholeTiling is a blocked product of whole numbers: panels are read one after another, by as many rows
// of the left factor as registers hold.
type wholeTiling struct {
	width int         // columns of a tile
	tiles []wholeTile // by number of rows, the largest last
}

// A wholeTile computes rows x width elements of a product, word (i, w) of the left factor being a[i*rowStep+w*step]
// and word (w, l) of the right one b[w*wholeLanes+l].
type wholeTile func(pairs int, a *uint32, rowStep, step int, b *uint32, dst *float32, ld int, unit float32, add bool)

var wholeAVX2 = wholeTiling{16, []wholeTile{
	1: wholeTile1AVX2, 2: wholeTile2AVX2, 3: wholeTile3AVX2, 4: wholeTile4AVX2, 5: wholeTile5AVX2, 6: wholeTile6AVX2,
}}

var wholeAVX512 = wholeTiling{32, []wholeTile{
	1: wholeTile1AVX512, 2: wholeTile2AVX512, 3: wholeTile3AVX512, 4: wholeTile4AVX512, 5: wholeTile5AVX512, 6: wholeTile6AVX512,
	7: wholeTile7AVX512, 8: wholeTile8AVX512, 9: wholeTile9AVX512, 10: wholeTile10AVX512, 11: wholeTile11AVX512, 12: wholeTile12AVX512,
}}

func (t *wholeTiling) mul(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32) {
	dst = dst[:rows*lanes]
	_, _ = a[(rows-1)*rowStep+(words-1)*step], panels[(lanes+wholeLanes-1)/wholeLanes*wholeLanes*words-1]
	var edge [12 * wholeLanes]float32
	for l := 0; l < lanes; l += t.width {
		for from := 0; from < words; from += wholeWords {
			pairs := min(wholeWords, words-from)
			panel := &panels[(l/wholeLanes*words+from)*wholeLanes+l%wholeLanes]
			for i := 0; i < rows; {
				together := min(len(t.tiles)-1, rows-i)
				at := &a[i*rowStep+from*step]
				if l+t.width <= lanes {
					t.tiles[together](pairs, at, rowStep, step, panel, &dst[i*lanes+l], lanes, unit, from > 0)
				} else {
					t.tiles[together](pairs, at, rowStep, step, panel, &edge[0], t.width, unit, false)
					for r := range together {
						out := dst[(i+r)*lanes+l : (i+r+1)*lanes]
						for k, v := range edge[r*t.width:][:len(out)] {
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

func roundPairsVector(round func(dst *uint32, step, panels int, x, y *float32, scale float32)) func(dst []uint32, step int, x, y []float32, scale float32) {
	return func(dst []uint32, step int, x, y []float32, scale float32) {
		y = y[:len(x)]
		panels := len(x) / wholeLanes
		if panels > 0 {
			_ = dst[(panels-1)*step+wholeLanes-1]
			round(&dst[0], step, panels, &x[0], &y[0], scale)
		}
		if done := panels * wholeLanes; done < len(x) {
			roundPairs(dst[panels*step:], step, x[done:], y[done:], scale)
		}
	}
}

func roundRowVector(round func(dst *uint32, sixteens int, x *float32, scale float32)) func(dst []uint32, x []float32, scale float32) {
	return func(dst []uint32, x []float32, scale float32) {
		const side = 16
		sixteens := len(x) / side
		if sixteens > 0 {
			_ = dst[sixteens*side/2-1]
			round(&dst[0], sixteens, &x[0], scale)
		}
		roundRow(dst[sixteens*side/2:], x[sixteens*side:], scale)
	}
}
