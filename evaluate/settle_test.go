package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// R-hat is that of a plain computation from the whole series.
func TestRHat(t *testing.T) {
	const units, chains, samples, sweeps = 3, 2, 2, 9 // halves of 4, one sweep left over
	rng := stream.New(3).Rand()
	series := make([][]float32, sweeps)
	s := newSettling[float32](units, chains*samples, chains, sweeps)
	for k := range series {
		series[k] = make([]float32, units*chains*samples)
		for j := range series[k] {
			series[k][j] = float32(rng.Float64()) + float32(j%4/2)*float32(k)/5 // chains of the second sample drift
		}
		s.add(series[k])
	}
	for a, got := range s.rHat() {
		var within, between float64
		for i := range units {
			var means []float64
			for c := range chains {
				for half := range 2 {
					mean, square := 0.0, 0.0
					for k := 4 * half; k < 4*half+4; k++ {
						v := float64(series[k][i*chains*samples+a*chains+c])
						mean += v / 4
						square += v * v / 4
					}
					means = append(means, mean)
					within += (square - mean*mean) * 4 / 3 / 4
				}
			}
			mean := (means[0] + means[1] + means[2] + means[3]) / 4
			for _, m := range means {
				between += (m - mean) * (m - mean) / 3
			}
		}
		want := math.Sqrt((within*3/4 + between) / within)
		if math.Abs(got-want) > 1e-4*want || (got > LargestRHat) != (a == 1) {
			t.Errorf("sample %d: %v, not %v", a, got, want)
		}
	}
}

// Chains of a machine of two heavy states, which ten sweeps do not join, are told
// from those of an easy one; what does not move at all has settled.
func TestSettled(t *testing.T) {
	complete := func(coupling float64, units []int, chains, sweeps int) *SpinRestoration {
		t.Helper()
		signs := make([]int8, 6*4)
		for k := range signs {
			signs[k] = 1
		}
		m := &rbm.Machine{Params: rbm.NewParams(6, 4, coupling), Synapses: rbm.Binary(spin.FromSigns(6, 4, signs))}
		r, err := Complete(t.Context(), OnMachine(m), spin.New(6, 2), units, Restoring{Chains: chains, Sweeps: sweeps, Key: stream.New(4)})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if n, worst := complete(0.05, []int{0}, 5, 300).Unsettled(); n != 0 || !(worst < 1.02) {
		t.Errorf("an easy machine: %d samples, R-hat %v", n, worst)
	}
	r := complete(2, nil, 8, 10)                                // by symmetry all means are 0
	if n, worst := r.Unsettled(); n != 2 || worst != mostRHat { // chains stay where they started: enough sweeps to tell
		t.Errorf("two states: %d samples, R-hat %v, means %v", n, worst, r.Mean)
	}
	if n, worst := complete(0.05, []int{0}, 5, 2).Unsettled(); n != 2 || !math.IsInf(worst, 1) {
		t.Errorf("two sweeps tell nothing: %d samples, R-hat %v", n, worst)
	}
	if n, worst := complete(0.05, []int{0, 1, 2, 3, 4, 5}, 3, 20).Unsettled(); n != 0 || worst != 1 {
		t.Errorf("everything is given: %d samples, R-hat %v", n, worst)
	}
}
