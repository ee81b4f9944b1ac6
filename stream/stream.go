// Package stream derives independent random streams from one seed.
//
// A stream is named by what it is for (a seed, a purpose, a step, a block of
// chains, ...), not by what was drawn before it. So results do not depend on
// the order in which threads draw, and a resumed run needs no saved generator.
package stream

import "math/rand/v2"

// Key names a stream.
type Key uint64

// New returns the key of a seed.
func New(seed uint64) Key { return Key(mix(seed + golden)) }

// Sub returns the key of a stream below k; different labels give keys that
// are independent for all practical purposes. Key and label enter unlike: were
// they to commute, seed 1 would draw for purpose 2 what seed 2 draws for 1.
func (k Key) Sub(label uint64) Key { return Key(mix(mix(uint64(k)+golden) + golden*label)) }

// Rand returns a generator at the start of the stream.
func (k Key) Rand() *rand.Rand {
	return rand.New(rand.NewPCG(uint64(k), mix(uint64(k)+golden)))
}

// Fill writes well-mixed words derived from k to dst: seeds for a generator of
// the caller's own.
func (k Key) Fill(dst []uint64) {
	s := uint64(k)
	for i := range dst {
		s += golden
		dst[i] = mix(s)
	}
}

const golden = 0x9e3779b97f4a7c15

// mix is the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014),
// a bijection of 64-bit words.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
