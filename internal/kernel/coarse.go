package kernel

import (
	"math"
	"slices"

	"bethe/internal/parallel"
)

// MulBitsCoarse computes
//
//	dst[i*lanes+l] = slope (sum over r of a[i*k+r] s(r, l)) + shift[i]
//
// (no shifts where there are none) with the shapes of MulBits and the rows of a rounded to whole numbers of up to
// ±coarseTop, each row with a unit of its own: the largest |a| of the row over
// coarseTop. It is for statistics, sums whose noise is far above the rounding.
//
// Sums of whole numbers are exact in any order, so all tiers give the same
// bits. The error of a sum is below k/2 units; for signs that know nothing
// of the rounding it has a standard deviation of sqrt(k/12) units or less,
// 0.0074 of the largest |a| for 784 rows and 0.0059 for 500. A row with an
// element that is not finite gives NaN, one whose elements are all below 1e-30
// gives 0. In float64 nothing is
// rounded but as usual.
func MulBitsCoarse[T Real](dst, a []T, p, k int, bits []uint32, stride, lanes int, slope T, shift []T) {
	MulExpandedCoarse(dst, a, p, k, bits, stride, lanes, nil, slope, shift)
}

func shiftOf[T Real](shift []T, i int) T {
	if shift == nil {
		return 0
	}
	return shift[i]
}

// coarseTop is the largest number of a row: WordBits of them add up to 15 bits
// and a sign.
const coarseTop = (1<<15 - 1) / WordBits

// coarseUnit returns what a row of k elements is multiplied by before it is
// rounded, and the unit of the result, for the bits of its largest |x|. Long
// rows have a larger unit, so that all sums are below 1<<24.
func coarseUnit(largest uint32, k int) (scale, unit float32) {
	x := math.Float32frombits(largest)
	switch top := float32(min(coarseTop, 1<<24/max(k, 1))); {
	case !(x <= math.MaxFloat32):
		return 0, float32(math.NaN())
	case x < 1e-30:
		return 0, 0
	default:
		return top / x, x / top
	}
}

// CoarseError returns the greatest standard deviation of the error of an output
// of MulBitsCoarse for rows of k elements that are taken from a: infinity or
// NaN where a is not finite, 0 in float64.
func CoarseError[T Real](a []T, k int) float64 {
	x, ok := any(a).([]float32)
	if !ok {
		return 0
	}
	const grain = 1 << 14
	parts := make([]uint32, parallel.Pieces(len(x), grain))
	parallel.For(len(x), grain, func(lo, hi int) { parts[lo/grain] = use().largest(x[lo:hi]) })
	_, unit := coarseUnit(slices.Max(append(parts, 0)), k)
	return float64(unit) * math.Sqrt(float64(k)/12)
}

// largest returns the bits of the largest |x|, larger for infinity and NaN.
func largest(x []float32) (top uint32) {
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	return top
}

// wholeRow sets dst to scale x rounded to whole numbers, halves to even ones.
func wholeRow(dst, x []float32, scale float32) {
	const shift = 3 << 22 // there the unit of float32 is 1
	dst = dst[:len(x)]
	for j, v := range x {
		dst[j] = (float32(v*scale) + shift) - shift
	}
}

// mulBitsCoarseByFloats is MulBitsCoarse by whole numbers in float32, which are
// exact: the specification, and the narrow tier's way.
func (f *functions) mulBitsCoarseByFloats(dst, a []float32, p, k int, bits []uint32, stride, lanes int, slope float32, shift []float32) {
	const together = 10
	whole := make([]float32, min(p, together)*k)
	var units [together]float32
	for i := 0; i < p; i += together {
		rows := min(together, p-i)
		for r := range rows {
			x := a[(i+r)*k : (i+r+1)*k]
			var scale float32
			scale, units[r] = coarseUnit(f.largest(x), k)
			f.wholeRow(whole[r*k:(r+1)*k], x, scale)
		}
		f.mulBits(dst[i*lanes:(i+rows)*lanes], whole[:rows*k], rows, k, bits, stride, lanes)
		for r := range rows {
			out := dst[(i+r)*lanes : (i+r+1)*lanes]
			f.affine(out, out, float32(units[r]*slope), shiftOf(shift, i+r))
		}
	}
}
