// Package fixed has what samplers need of real numbers in integers: log-odds, probabilities,
// exponentials, draws of a winner, and random words. All of it is the same on every processor,
// with or without a floating-point unit; sources in C, Go and Verilog hold the same tables.
package fixed

import (
	"math"
	"math/bits"

	"bethe/stream"
)

// Log-odds are numbers of Places binary places. A step of a table is 1/64, and from End on
// its values are 1, or 0.
const (
	Places    = 32
	StepShift = Places - 6
	End       = 22
)

// Sigmoid is 1/(1+exp(-k/64)), and Decay exp(-k/64), in units of 2^-32; exp(0) is one unit less
// than 1.
var Sigmoid, Decay = tables()

func tables() (sigmoid, decay []uint32) {
	for k := range End<<(Places-StepShift) + 1 {
		e := math.Exp(-float64(k) / 64)
		sigmoid = append(sigmoid, uint32(math.Round(0x1p32/(1+e))))
		decay = append(decay, uint32(min(math.Round(0x1p32*e), 1<<32-1)))
	}
	return sigmoid, decay
}

// Of returns x in units of 2^-places, rounded.
func Of(x float64, places int) int64 { return int64(math.Round(math.Ldexp(x, places))) }

// Probability returns 1/(1+exp(-x)) in units of 2^-32, x of Places binary places: interpolated
// linearly, less than 4e-6 from the exact one.
func Probability(x int64) uint64 {
	p, a := uint64(1)<<32, max(x, -x)
	if a < End<<Places {
		k, rest := a>>StepShift, uint64(a&(1<<StepShift-1))
		p = uint64(Sigmoid[k]) + uint64(Sigmoid[k+1]-Sigmoid[k])*rest>>StepShift
	}
	if x < 0 {
		p = 1<<32 - p
	}
	return p
}

// Exponential returns exp(-x) in units of 2^-32 for x >= 0 of Places binary places: interpolated
// linearly, a share of less than 4e-5 from the exact one down to exp(-End), where it ends.
func Exponential(x int64) uint64 {
	if x >= End<<Places {
		return 0
	}
	k, rest := x>>StepShift, uint64(x&(1<<StepShift-1))
	return uint64(Decay[k]) - uint64(Decay[k]-Decay[k+1])*rest>>StepShift
}

// Random is the state of xoshiro128++ (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36, 2021).
type Random [4]uint32

// Seeded returns the state that is the first two words of SplitMix64 from a seed, their lower
// halves first.
func Seeded(seed uint64) Random {
	var state [2]uint64
	stream.Key(seed).Fill(state[:])
	return Random{uint32(state[0]), uint32(state[0] >> 32), uint32(state[1]), uint32(state[1] >> 32)}
}

// Next returns the next word.
func (r *Random) Next() uint32 {
	out := bits.RotateLeft32(r[0]+r[3], 7) + r[0]
	t := r[1] << 9
	r[2] ^= r[0]
	r[3] ^= r[1]
	r[1] ^= r[2]
	r[0] ^= r[3]
	r[2] ^= t
	r[3] = bits.RotateLeft32(r[3], 11)
	return out
}

// Draw returns 1 with the probability that belongs to log-odds x, else 0.
func (r *Random) Draw(x int64) uint32 {
	if p := Probability(x); uint64(r.Next()) < p {
		return 1
	}
	return 0
}

// ChooseShift is by how many bits the weights of so many places are shortened, so that their sum
// is at most 2^32.
func ChooseShift(count int) int { return bits.Len(uint(count - 1)) }

// Choose returns a place with probability ∝ exp of its logarithm, of Places binary places. It
// takes one word. The weights are those over the largest, shortened by ChooseShift bits.
func (r *Random) Choose(logs []int64) int {
	top := logs[0]
	for _, v := range logs {
		top = max(top, v)
	}
	shift, sum := ChooseShift(len(logs)), uint64(0)
	for _, v := range logs {
		sum += Exponential(top-v) >> shift
	}
	at, word := uint64(0), uint64(r.Next())
	mark := sum * word >> 32
	for k, v := range logs {
		if at += Exponential(top-v) >> shift; mark < at {
			return k
		}
	}
	return len(logs) - 1
}
