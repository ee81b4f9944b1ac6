package kernel

import (
	"math"
	"math/bits"
)

// A Generator is the state of eight xoshiro256++ generators side by side
// (Blackman and Vigna 2021): word 8j+i is word j of generator i. One step gives
// a 32-bit number for each of DrawLanes lanes. Any state will do that is not all 0.
type Generator [32]uint64

// Next steps the generators. The number of lane l has 16 bits of out[l/4] as its
// high half, from bit 16(l%4) on: the generators' output; and those of the second
// word of state as its low half, which a draw looks at once in thousands of times.
func (g *Generator) Next(out *[8]uint64) {
	for i := range out {
		s0, s1, s2, s3 := g[i], g[8+i], g[16+i], g[24+i]
		out[i] = bits.RotateLeft64(s0+s3, 23) + s0
		t := s1 << 17
		s2 ^= s0
		s3 ^= s1
		s1 ^= s2
		s0 ^= s3
		s2 ^= t
		g[i], g[8+i], g[16+i], g[24+i] = s0, s1, s2, bits.RotateLeft64(s3, 45)
	}
}

// Skip steps the generators as often as a draw of so many rows does: others then
// draw the rows that follow.
func (g *Generator) Skip(rows int) { use().skip(g, rows) }

func skip(g *Generator, steps int) {
	var random [8]uint64
	for range steps {
		g.Next(&random)
	}
}

// DrawBlock draws rows x lanes spins, each +1 with probability
// 1/(1+exp(-2 field)); a field that is NaN gives -1. Row r of the b-th DrawLanes
// lanes uses the r-th step of g[b], so a lane's spins do not depend on how many
// lanes are asked for. field[r*ld+l] is the field; bits is packed with the given
// stride, and only these lanes of it are written. What is left of a generator is its next
// state where all of its lanes were drawn. Vector kernels draw the same spins.
func DrawBlock[T Real](bits []uint32, stride int, field []T, ld, rows, lanes int, g []Generator) {
	checkGenerators(lanes, g)
	if field, ok := any(field).([]float32); ok {
		use().drawBlock(bits, stride, field, ld, rows, lanes, g)
		return
	}
	drawBlock(bits, stride, field, ld, rows, lanes, g)
}

func checkGenerators(lanes int, g []Generator) {
	if lanes > len(g)*DrawLanes {
		panic("kernel: a draw of more lanes than its generators serve")
	}
}

func drawBlock[T Real](dst []uint32, stride int, field []T, ld, rows, lanes int, g []Generator) {
	drawLanes(dst, stride, rows, lanes, g, func(r, l, lanes int, words *[DrawLanes]uint32, g *Generator, random *[8]uint64) {
		for k, f := range field[r*ld+l : r*ld+l+lanes] {
			words[k] |= up(g, random, k, 2*math.Log2E*float32(f)) << (r % WordBits)
		}
	})
}

// drawLanes steps the generators and stores words of spins; row sets the bits
// of the lanes from l of row r.
func drawLanes(dst []uint32, stride, rows, lanes int, g []Generator, row func(r, l, lanes int, words *[DrawLanes]uint32, g *Generator, random *[8]uint64)) {
	var random [8]uint64
	for l := 0; l < lanes; l += DrawLanes {
		var words [DrawLanes]uint32
		g, lanes := &g[l/DrawLanes], min(DrawLanes, lanes-l)
		for r := range rows {
			g.Next(&random)
			row(r, l, lanes, &words, g, &random)
			if r%WordBits == WordBits-1 || r == rows-1 {
				copy(dst[r/WordBits*stride+l:][:lanes], words[:lanes])
				clear(words[:])
			}
		}
	}
}

// up returns 1 if the spin of lane l of a block is +1, else 0, in field f with
// w = 2f log2(e). With u uniform on the odd numbers below 2^31 it is where
//
//	u < (2^31 - u) 2^w, that is u/2^31 < 1/(1+2^-w):
//
// no division is needed, and both signs are treated alike, whichever is the rare
// one. Probabilities are multiples of 2^-30; the relative error of the odds, that of
// 2^w, is below 3e-7.
func up(g *Generator, random *[8]uint64, l int, w float32) (bit uint32) {
	shift := l & 3 << 4
	u := int32(uint32(random[l>>2]>>shift)&0xffff<<15 | uint32(g[8+l>>2]>>shift)&0xffff>>1 | 1)
	if float32(u) < float32(float32(u^(1<<31-2))*exp2(w)) {
		bit = 1
	}
	return bit
}
