package planted

import (
	"math"
	"testing"

	"bethe/spin"
)

// TestAlignedMeanStopsOnceAligned: the second set overlaps with the first, so
// the first pass takes it as it is; the others make the second pass reverse
// it, and the third pass changes nothing more. Further passes would give the
// same mean, in vain; as none leaves a trace, count them by what they allocate.
func TestAlignedMeanStopsOnceAligned(t *testing.T) {
	vector := func(s ...float64) *spin.Matrix { return spin.FromSigns(9, 1, s) }
	a := vector(1, 1, 1, 1, 1, 1, 1, 1, 1)
	b := vector(1, 1, 1, 1, 1, -1, -1, -1, -1)
	c := vector(1, 1, 1, -1, -1, 1, 1, 1, 1)
	minusB := vector(-1, -1, -1, -1, -1, 1, 1, 1, 1)
	turned, ready := []*spin.Matrix{a, b, c, c, c, c}, []*spin.Matrix{a, c, c, c, c, minusB}
	mean, want := alignedMean(t, turned), alignedMean(t, ready)
	for i := range want {
		if exact := float64(a.At(i, 0)-b.At(i, 0)+4*c.At(i, 0)) / 6; math.Abs(mean[i]-exact) > 1e-12 || math.Abs(want[i]-exact) > 1e-12 {
			t.Errorf("element %d: %v and %v, not %v", i, mean[i], want[i], exact)
		}
	}
	two := testing.AllocsPerRun(20, func() { alignedMean(t, ready) })
	three := testing.AllocsPerRun(20, func() { alignedMean(t, turned) })
	if three <= two || three > 2*two {
		t.Errorf("%v allocations in three passes, %v in two", three, two)
	}
}
