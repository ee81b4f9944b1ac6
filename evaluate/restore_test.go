package evaluate

import (
	"context"
	"errors"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// small machines are enumerated: 6 visible units.
func restoreMachine(key stream.Key) *rbm.Machine {
	rng := key.Rand()
	m := &rbm.Machine{Params: rbm.NewParams(6, 4, 0.5), Synapses: rbm.Binary(spin.Random(6, 4, rng))}
	for i := range m.VisibleField {
		m.VisibleField[i], m.VisibleOffset[i] = 0.5*rng.NormFloat64(), 0.8*rng.Float64()-0.4
	}
	for mu := range m.HiddenField {
		m.HiddenField[mu] = 0.5 * rng.NormFloat64()
	}
	return m
}

// exactMeans returns the means of each unit under weights exp(-F(s)) times
// likelihood(s), for all states s, which are the columns of all.
func exactMeans(m *rbm.Machine, all *spin.Matrix, likelihood func(a int) float64) []float64 {
	means := make([]float64, all.Rows())
	var total float64
	for a, f := range m.FreeEnergy(all) {
		w := math.Exp(-f) * likelihood(a)
		total += w
		for i := range means {
			means[i] += w * float64(all.At(i, a))
		}
	}
	for i := range means {
		means[i] /= total
	}
	return means
}

func allStates(n int) *spin.Matrix {
	all := spin.New(n, 1<<n)
	for a := range 1 << n {
		for i := range n {
			all.Set(i, a, int8(a>>i&1*2-1))
		}
	}
	return all
}

// TestRestore: posterior means of completed and of denoised samples are those
// of enumeration, for binary and real synapses, within 0.03: over ten standard
// errors of 200 chains x 200 sweeps with autocorrelations of a few sweeps.
func TestRestore(t *testing.T) {
	all := allStates(6)
	given := spin.New(6, 3)
	all.Gather(given, []int{5, 22, 63})
	units := []int{1, 4}
	const flip = 0.2
	for k := range 3 {
		m := restoreMachine(stream.New(uint64(k)))
		if k == 2 {
			weights := make([]float32, 24)
			for mu := range 4 {
				for i := range 6 {
					weights[mu*6+i] = float32(m.Signs().At(i, mu)) * (0.5 + 0.3*float32(i%3))
				}
			}
			m.Synapses = rbm.RealValued(6, 4, weights)
		}
		r := Restoring{Chains: 200, Sweeps: 300, Key: stream.New(9)}
		completed, err := Complete(t.Context(), OnMachine(m), given, units, r)
		if err != nil {
			t.Fatal(err)
		}
		denoised, err := Denoise(t.Context(), OnMachine(m), given, flip, r)
		if err != nil {
			t.Fatal(err)
		}
		for a := range 3 {
			want := exactMeans(m, all, func(s int) float64 {
				for _, i := range units {
					if all.At(i, s) != given.At(i, a) {
						return 0
					}
				}
				return 1
			})
			wantClean := exactMeans(m, all, func(s int) float64 {
				p := 1.
				for i := range 6 {
					if all.At(i, s) == given.At(i, a) {
						p *= 1 - flip
					} else {
						p *= flip
					}
				}
				return p
			})
			for i := range 6 {
				if got := float64(completed.Mean[i*3+a]); math.Abs(got-want[i]) > 0.03 {
					t.Errorf("machine %d, sample %d, unit %d: completed to %v, exactly %v", k, a, i, got, want[i])
				}
				if got := float64(denoised.Mean[i*3+a]); math.Abs(got-wantClean[i]) > 0.03 {
					t.Errorf("machine %d, sample %d, unit %d: denoised to %v, exactly %v", k, a, i, got, wantClean[i])
				}
			}
			for c := a * 200; c < (a+1)*200; c++ {
				if completed.States.At(1, c) != given.At(1, a) {
					t.Fatal("a given unit changed")
				}
			}
		}
		if Wrong(completed, given, units) != 0 {
			t.Error("given units are wrong")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m := restoreMachine(stream.New(1))
	if _, err := Complete(ctx, OnMachine(m), given, units, Restoring{Chains: 1, Sweeps: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Complete(t.Context(), OnMachine(m), spin.New(5, 1), units, Restoring{Chains: 1, Sweeps: 5}); err == nil {
		t.Error("samples of another size: no error")
	}
	if _, err := Complete(t.Context(), OnMachine(m), given, units, Restoring{}); err == nil {
		t.Error("no chains: no error")
	}
	for _, f := range []float64{0, 0.5, -1, math.NaN()} {
		if _, err := Denoise(t.Context(), OnMachine(m), given, f, Restoring{Chains: 1, Sweeps: 5}); err == nil {
			t.Errorf("noise of %v: no error", f)
		}
	}
}

// TestFlip: the share of flipped spins is the probability, within five standard deviations.
func TestFlip(t *testing.T) {
	s := spin.New(100, 400)
	Flip(s, 0.1, stream.New(1))
	sums, up := make([]int, 400), 0
	s.ColSums(sums)
	for _, v := range sums {
		up += (v + 100) / 2
	}
	if d := math.Abs(float64(up) - 4000); d > 5*math.Sqrt(40000*0.09) {
		t.Errorf("%d of 40000 spins flipped, of 4000 expected", up)
	}
}
