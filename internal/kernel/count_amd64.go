//go:build !purego

package kernel

// countRows is the number of rows of a tile of counts.
const countRows = 4

func countDiffVector(avx512 bool) func(counts []uint16, ld int, a []uint32, strideA, p int, b []uint32, strideB, k, lanes int) {
	return func(counts []uint16, ld int, a []uint32, strideA, p int, b []uint32, strideB, k, lanes int) {
		words := Words(k)
		if p == 0 || lanes == 0 {
			return
		}
		padded := Stride(lanes)
		if words == 0 {
			for i := range p {
				clear(counts[i*ld : i*ld+padded])
			}
			return
		}
		_ = counts[(p-1)*ld+padded-1]
		_ = a[(words-1)*strideA+p-1]
		_ = b[(words-1)*strideB+padded-1]
		for l := 0; l < padded; l += LaneAlign {
			for i := 0; i < p; {
				if p < countRows {
					if avx512 {
						countTile1AVX512(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
					} else {
						countTile1AVX2(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
					}
					i++
					continue
				}
				i = min(i, p-countRows) // the last tile may overlap the one before
				switch left := lanes - l; {
				case !avx512:
					countTile4AVX2(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
				case left <= 16:
					countTile4By16AVX512(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
				case left <= 32:
					countTile4By32AVX512(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
				default:
					countTile4AVX512(words, &a[i], strideA, &b[l], strideB, &counts[i*ld+l], ld)
				}
				i += countRows
			}
		}
	}
}

// drawCountsVector makes a kernel of assembly functions for some lanes and, if
// there is one, for twice as many.
func drawCountsVector(lanesAtOnce int, once, twice func(dst *uint32, stride int, counts *uint16, ld int, rows int, lanes int, slope float32, shift *float32, state *uint64)) func([]uint32, int, []uint16, int, int, int, float32, []float32, []Generator) {
	return func(dst []uint32, stride int, counts []uint16, ld, rows, lanes int, slope float32, shift []float32, g []Generator) {
		if rows == 0 || lanes == 0 {
			return
		}
		last := (Words(rows) - 1) * stride
		_ = dst[last : last+lanes]
		_ = counts[(rows-1)*ld+(lanes+DrawLanes-1)/DrawLanes*DrawLanes-1]
		_ = shift[rows-1]
		for l := 0; l < lanes; {
			draw, count := once, lanesAtOnce
			if twice != nil && lanes-l > lanesAtOnce {
				draw, count = twice, 2*lanesAtOnce
			}
			draw(&dst[l], stride, &counts[l], ld, rows, min(count, lanes-l), slope, &shift[0], stateOf(g, l))
			l += count
		}
	}
}
