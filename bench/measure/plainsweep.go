package main

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// Size of the machine of all comparisons.
const visible, hidden = 784, 500

// Words of 64 units of each layer.
const visibleWords, hiddenWords = (visible + 63) / 64, (hidden + 63) / 64

// A plainSweep is block Gibbs sampling of binary synapses as one writes it in
// Go with care: 64 units per word, rows of known length, and draws that compare
// random bits with a table of thresholds, one for all units of a layer. It is a
// yardstick, so it has no fields and one size.
type plainSweep struct {
	toHidden  [hidden][visibleWords]uint64
	toVisible [visible][hiddenWords]uint64
	s         [][visibleWords]uint64 // one per chain
	h         [][hiddenWords]uint64
	thresholdHidden,
	thresholdVisible []uint32
	generator [4]uint64
	counts    [visible]uint16
}

func newPlainSweep(chains int) *plainSweep {
	p := &plainSweep{s: make([][visibleWords]uint64, chains), h: make([][hiddenWords]uint64, chains)}
	for mu := range hidden {
		for i := range visible {
			b := rand.Uint64() & 1
			p.toHidden[mu][i/64] |= b << (i % 64)
			p.toVisible[i][mu/64] |= b << (mu % 64)
		}
	}
	for c := range chains {
		for mu := range hidden {
			p.h[c][mu/64] |= rand.Uint64() & 1 << (mu % 64)
		}
		for i := range visible {
			p.s[c][i/64] |= rand.Uint64() & 1 << (i % 64)
		}
	}
	table := func(n int) []uint32 {
		t := make([]uint32, n+1)
		for k := range t {
			t[k] = uint32(math.MaxUint32 / (1 + math.Exp(-2*coupling*float64(n-2*k))))
		}
		return t
	}
	p.thresholdHidden, p.thresholdVisible = table(visible), table(hidden)
	for k := range p.generator {
		p.generator[k] = rand.Uint64()
	}
	return p
}

// hiddenCounts counts in how many visible units chain c differs from the
// synapses of each hidden unit.
func (p *plainSweep) hiddenCounts(dst []uint16, c int) {
	s := &p.s[c]
	for mu := range dst {
		w := &p.toHidden[mu]
		dst[mu] = uint16(bits.OnesCount64(s[0]^w[0]) + bits.OnesCount64(s[1]^w[1]) + bits.OnesCount64(s[2]^w[2]) +
			bits.OnesCount64(s[3]^w[3]) + bits.OnesCount64(s[4]^w[4]) + bits.OnesCount64(s[5]^w[5]) + bits.OnesCount64(s[6]^w[6]) +
			bits.OnesCount64(s[7]^w[7]) + bits.OnesCount64(s[8]^w[8]) + bits.OnesCount64(s[9]^w[9]) + bits.OnesCount64(s[10]^w[10]) +
			bits.OnesCount64(s[11]^w[11]) + bits.OnesCount64(s[12]^w[12]))
	}
}

// visibleCounts is hiddenCounts the other way round.
func (p *plainSweep) visibleCounts(dst []uint16, c int) {
	h := &p.h[c]
	for i := range dst {
		w := &p.toVisible[i]
		dst[i] = uint16(bits.OnesCount64(h[0]^w[0]) + bits.OnesCount64(h[1]^w[1]) + bits.OnesCount64(h[2]^w[2]) +
			bits.OnesCount64(h[3]^w[3]) + bits.OnesCount64(h[4]^w[4]) + bits.OnesCount64(h[5]^w[5]) + bits.OnesCount64(h[6]^w[6]) +
			bits.OnesCount64(h[7]^w[7]))
	}
}

// draw sets the spins of a layer from counts. The generator is xoshiro256++
// (Blackman and Vigna 2021); a step serves two units.
func (p *plainSweep) draw(words []uint64, counts []uint16, threshold []uint32) {
	s0, s1, s2, s3 := p.generator[0], p.generator[1], p.generator[2], p.generator[3]
	for w := range words {
		var word uint64
		block := counts[64*w : min(64*w+64, len(counts))]
		for k := 0; k < len(block); k += 2 { // both layers have an even number of units
			random := bits.RotateLeft64(s0+s3, 23) + s0
			t := s1 << 17
			s2 ^= s0
			s3 ^= s1
			s1 ^= s2
			s0 ^= s3
			s2 ^= t
			s3 = bits.RotateLeft64(s3, 45)
			_, a := bits.Sub64(random&math.MaxUint32, uint64(threshold[block[k]]), 0) // borrows if below
			_, b := bits.Sub64(random>>32, uint64(threshold[block[k+1]]), 0)
			word |= a<<k | b<<(k+1)
		}
		words[w] = word
	}
	p.generator = [4]uint64{s0, s1, s2, s3}
}

// sweep does a sweep of all chains.
func (p *plainSweep) sweep() {
	for c := range p.s {
		p.visibleCounts(p.counts[:], c)
		p.draw(p.s[c][:], p.counts[:], p.thresholdVisible)
		p.hiddenCounts(p.counts[:hidden], c)
		p.draw(p.h[c][:], p.counts[:hidden], p.thresholdHidden)
	}
}
