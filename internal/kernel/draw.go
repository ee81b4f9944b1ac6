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
// probability 1/(1+exp(-2 field)). Row r uses the r-th step of g, so a lane's
// spins do not depend on how many lanes are asked for. field[r*ld+l] is the
// field; bits is packed with the given stride, and only these lanes of it are
// written.
func DrawBlock[T Real](bits []uint32, stride int, field []T, ld, rows, lanes int, g *Generator) {
	var random [8]uint64
	var words [DrawLanes]uint32
	for r := range rows {
		g.Next(&random)
		bit := uint32(1) << (r % WordBits)
		for l, f := range field[r*ld : r*ld+lanes] {
			u := uint32(random[l&7] >> (l & 8 << 2))
			if u < threshold(float32(f)) {
				words[l] |= bit
			}
		}
		if r%WordBits == WordBits-1 || r == rows-1 {
			copy(bits[r/WordBits*stride:][:lanes], words[:lanes])
			clear(words[:])
		}
	}
}

// threshold returns 2^32/(1+exp(-2f)) rounded down, at most 2^32-1: a spin in
// field f is +1 when a uniform 32-bit number is below it. Its relative error
// is about 2^-23.
func threshold(f float32) uint32 {
	p := 1 / (1 + exp32(-2*f))
	if p >= 1 {
		return math.MaxUint32
	}
	return uint32(p * (1 << 32))
}

// exp32 is exp in float32, relative error below 2e-7 where the result is
// normal; it saturates instead of overflowing. Cody-Waite reduction, and the
// minimax polynomial of the Cephes library (Moshier).
func exp32(x float32) float32 {
	if x > 88 {
		x = 88
	}
	if x < -87 {
		x = -87
	}
	const magic = 3 << 22 // adding it rounds to an integer, kept in the low bits
	z := float32(x*math.Log2E) + magic
	n := z - magic
	f := x - float32(n*0.693359375) - float32(n*-2.12194440e-4)
	p := 5.0000001201e-1 + f*(1.6666665459e-1+f*(4.1665795894e-2+f*(8.3334519073e-3+f*(1.3981999507e-3+f*1.9875691500e-4))))
	return math.Float32frombits(math.Float32bits(1+f+f*f*p) + math.Float32bits(z)<<23)
}
