package variational

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// TestRoughSquares: sums with the squares of means by their averages of rows and columns are exact where
// squares are alike, and have the right mean elsewhere; so have sums over samples.
func TestRoughSquares(t *testing.T) {
	const odd, even, m = 7, 5, 24
	key := stream.New(3)
	model := NewModel[float64](Initial{Hidden: odd, Above: []int{even}, Coupling: 0.2, Fields: true, Centre: true, Deviation: 0.8, Key: key}, spin.Random(9, 30, key.Rand()))
	f := model.Layers()
	rng := key.Sub(1).Rand()
	for _, alike := range []bool{true, false} {
		mean := make([]float64, model.Visible()*odd)
		block := make([]float64, f.Synapses(1))
		for k := range block {
			block[k] = 0.6 * float64(2*(k%2)-1)
			if !alike {
				block[k] *= rng.Float64()
			}
		}
		rbm.SetBlock(f, mean, block, 1)
		var exact, rough upper[float64]
		exact.prepare(model, mean, false, false, m)
		rough.prepare(model, mean, false, true, m)
		for _, ofEven := range []bool{true, false} {
			rows, inner := odd, even
			if ofEven {
				rows, inner = even, odd
			}
			states, sums := make([]float64, inner*m), make([]float64, m)
			for k := range states {
				states[k] = rng.Float64()
				if !alike {
					states[k] = states[k%m] // alike in all units: then only the mean of squares counts
				}
			}
			exact.sum(sums, append([]float64(nil), states...), 0, inner)
			want, got := make([]float64, rows*m), make([]float64, rows*m)
			exact.squares(want, &exact.links[0], states, sums, ofEven)
			rough.squares(got, &rough.links[0], states, sums, ofEven)
			for k, w := range want {
				if math.Abs(got[k]-w) > 1e-12 {
					t.Fatalf("alike %v, of even units %v: %v, not %v", alike, ofEven, got[k], w)
				}
			}
		}
	}
	var exact, rough upper[float64]
	mean := make([]float64, model.Visible()*odd)
	exact.prepare(model, mean, false, false, m)
	rough.prepare(model, mean, false, true, m)
	a, b := make([]float64, odd*m), make([]float64, even*m)
	for k := range a {
		a[k] = rng.Float64()
	}
	for k := range b {
		b[k] = float64(k / m) // the same in all samples
	}
	want, got := make([]float64, odd*even), make([]float64, odd*even)
	exact.correlate(want, a, b, odd, even)
	rough.correlate(got, a, b, odd, even)
	for k, w := range want {
		if math.Abs(got[k]-w) > 1e-12 {
			t.Fatalf("pair %d: %v, not %v", k, got[k], w)
		}
	}
}
