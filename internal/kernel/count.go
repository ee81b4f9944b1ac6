package kernel

import (
	"math"
	"math/bits"
)

// CountDiff counts, for p columns of a and some of b, packed matrices of k
// rows, in how many rows they differ:
//
//	counts[i*ld+l] = sum over r of a(r, i) != b(r, l),   i < p, l < lanes.
//
// The product of the columns is k minus twice that: the field of a binary unit
// with binary synapses. What follows the last lane in its tile of LaneAlign lanes may be
// written, so ld is at least Stride(lanes); k is below 1<<16.
func CountDiff(counts []uint16, ld int, a []uint32, strideA, p int, b []uint32, strideB, k, lanes int) {
	if k >= 1<<16 {
		panic("kernel: CountDiff of more rows than counts can hold")
	}
	use().countDiff(counts, ld, a, strideA, p, b, strideB, k, lanes)
}

func countDiff(counts []uint16, ld int, a []uint32, strideA, p int, b []uint32, strideB, k, lanes int) {
	padded := Stride(lanes)
	word := func(x []uint32, stride, w int) []uint32 { // zeros past the last word
		if w < Words(k) {
			return x[w*stride:]
		}
		return nil
	}
	for i := range p {
		row := counts[i*ld : i*ld+padded]
		clear(row)
		for w := 0; w < Words(k); w += 2 { // 60 bits at a time
			x := uint64(word(a, strideA, w)[i])
			low := word(b, strideB, w)[:len(row)]
			if high := word(b, strideB, w+1); high == nil {
				for l, v := range low {
					row[l] += uint16(bits.OnesCount64(x ^ uint64(v)))
				}
			} else {
				high = high[:len(row)]
				x |= uint64(word(a, strideA, w+1)[i]) << 32
				for l, v := range low {
					row[l] += uint16(bits.OnesCount64(x ^ (uint64(v) | uint64(high[l])<<32)))
				}
			}
		}
	}
}

// DrawCounts draws rows x lanes spins as DrawBlock does, in fields
// shift[r] + slope counts[r*ld+l]: the fields of binary units from CountDiff.
// Each row of counts holds whole blocks of DrawLanes of them, whatever the lanes.
// All tiers draw the same spins.
func DrawCounts(dst []uint32, stride int, counts []uint16, ld, rows, lanes int, slope float32, shift []float32, g []Generator) {
	checkGenerators(lanes, g)
	use().drawCounts(dst, stride, counts, ld, rows, lanes, slope, shift, g)
}

func drawCounts(dst []uint32, stride int, counts []uint16, ld, rows, lanes int, slope float32, shift []float32, g []Generator) {
	a := float32(slope * (2 * math.Log2E))
	drawLanes(dst, stride, rows, lanes, g, func(r, l, lanes int, words *[DrawLanes]uint32, g *Generator, random *[8]uint64) {
		b := float32(shift[r] * (2 * math.Log2E))
		for k, c := range counts[r*ld+l : r*ld+l+lanes] {
			words[k] |= up(g, random, k, mulAdd(a, float32(c), b)) << (r % WordBits)
		}
	})
}
