package kernel

import "math"

// The float32 functions below and their vector versions do the same operations
// in the same order, so that they agree bit for bit (NaN stays NaN, of any
// payload). Explicit conversions keep products from being fused with sums, and
// polynomials are split in halves (Estrin's scheme), as vector code waits for
// results more than it computes.

// exp2 is 2^y in float32, relative error below 2e-7, for y in [-126, 126]; it
// saturates outside. The polynomial is a minimax fit on [-1/2, 1/2] with
// exp2(0) = 1, so powers of integers are exact.
func exp2(y float32) float32 {
	y = clamp(y, 126)
	const magic = 3 << 22 // adding it rounds to an integer, kept in the low bits
	z := y + magic
	r := y - (z - magic)
	r2 := float32(r * r)
	low := mulAdd(mulAdd(0.0555031055101, r, 0.240226527829), r2, mulAdd(0.693147214968, r, 1))
	high := mulAdd(0.000155946781613, r2, mulAdd(0.00134066439024, r, 0.00961769297299))
	p := mulAdd(high, float32(r2*r2), low)
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(z)<<23)
}

// mulAdd is x y + z, rounded twice.
func mulAdd(x, y, z float32) float32 { return float32(x*y) + z }

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

// clamp is x kept in [-limit, limit]: branches, which are well predicted, cost
// less than min and max.
func clamp(x, limit float32) float32 {
	if x > limit {
		return limit
	}
	if x < -limit {
		return -limit
	}
	return x
}

// Exp sets dst[j] = exp(x[j]) to a relative error below 1e-6, for |x| below 87; it
// saturates outside. dst may be x.
func Exp(dst, x []float32) {
	for j, v := range x {
		dst[j] = exp2(v * math.Log2E)
	}
}
