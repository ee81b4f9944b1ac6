package kernel

import (
	"math"
	"math/bits"
)

// A Generator is the state of eight xoshiro256++ generators side by side
// (Blackman and Vigna 2021): word 8j+i is word j of generator i. One step gives
// eight 64-bit words, so one 32-bit number for each of DrawLanes lanes. Any
// state will do that is not all 0.
type Generator [32]uint64

// Next steps the generators. Lane l of the draw is the low (l < 8) or high half
// of word l%8.
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

// DrawBlock draws rows x lanes spins, lanes <= DrawLanes, each +1 with
// probability 1/(1+exp(-2 field)); a field that is NaN gives -1. Row r uses the
// r-th step of g, so a lane's spins do not depend on how many lanes are asked
// for. field[r*ld+l] is the field; bits is packed with the given stride, and
// only these lanes of it are written. Vector kernels draw the same spins.
func DrawBlock[T Real](bits []uint32, stride int, field []T, ld, rows, lanes int, g *Generator) {
	if field, ok := any(field).([]float32); ok {
		use().drawBlock(bits, stride, field, ld, rows, lanes, g)
		return
	}
	drawBlock(bits, stride, field, ld, rows, lanes, g)
}

func drawBlock[T Real](dst []uint32, stride int, field []T, ld, rows, lanes int, g *Generator) {
	var random [8]uint64
	var words [DrawLanes]uint32
	for r := range rows {
		g.Next(&random)
		for l, f := range field[r*ld : r*ld+lanes] {
			_, up := bits.Sub32(lane(&random, l), threshold(-2*math.Log2E*float32(f)), 0) // borrows if below
			words[l] |= up << (r % WordBits)
		}
		if r%WordBits == WordBits-1 || r == rows-1 {
			copy(dst[r/WordBits*stride:][:lanes], words[:lanes])
			clear(words[:])
		}
	}
}

// lane returns the random word of lane l.
func lane(random *[8]uint64, l int) uint32 { return uint32(random[l&7] >> (l & 8 << 2)) }

// threshold returns 2^32/(1+2^y) rounded down, at most 2^32-1, and 0 for NaN: a
// spin in field f is +1 when a uniform 32-bit number is below the threshold at
// y = -2f log2(e). Its relative error is about 2^-22.
func threshold(y float32) uint32 {
	p := 1 / (1 + exp2(y))
	if p < 1 {
		return uint32(p * (1 << 32))
	}
	if p >= 1 {
		return math.MaxUint32
	}
	return 0
}
