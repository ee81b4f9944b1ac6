package planted

import (
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
)

// TestPool: components that are the same up to order and signs of the hidden
// units add up, and others count by their weight.
func TestPool(t *testing.T) {
	const n, p = 15, 3
	rng := stream.New(1).Rand()
	a := make([]float64, n*p)
	for k := range a {
		a[k] = 2*rng.Float64() - 1
	}
	b := make([]float64, n*p) // a with units exchanged and one reversed
	copy(b[:n], a[2*n:])
	copy(b[n:2*n], a[:n])
	for i := range n {
		b[2*n+i] = -a[n+i]
	}
	pooled := Pool([][]float64{a, b}, []float64{3, 2}, n, p)
	for k := range a {
		if math.Abs(pooled[k]-a[k]) > 1e-12 {
			t.Fatalf("element %d: %v, not %v", k, pooled[k], a[k])
		}
	}
	// A different component shifts the mean by its share of the weight.
	c := append([]float64(nil), a...)
	c[0] = -a[0]
	pooled = Pool([][]float64{a, c}, []float64{-1000, -1000 - math.Log(3)}, n, p)
	if want := 0.75*a[0] - 0.25*a[0]; math.Abs(pooled[0]-want) > 1e-12 || math.Abs(pooled[1]-a[1]) > 1e-12 {
		t.Errorf("pooled %v, %v", pooled[0], pooled[1])
	}
	reference := spin.New(n, p)
	spin.FromSigns(p, n, a).Transpose(reference)
	if m := MatchMean(pooled, reference); m.Unit[0] != 0 || m.Sign[2] != 1 {
		t.Errorf("pooled units are in another order: %+v", m)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for weights that do not fit")
		}
	}()
	Pool([][]float64{a}, nil, n, p)
}
