package approximation

import (
	"context"
	"errors"
	"math"
	"testing"

	"bethe/setting"
	"bethe/stream"
)

// Targets are densities, and the divergence is 0 of the target itself and what it should be of a Gaussian.
func TestTargets(t *testing.T) {
	for _, name := range Targets {
		target, err := NewTarget(name)
		if err != nil {
			t.Fatal(err)
		}
		lnq, sum := make([]float64, len(target.p)), 0.0
		for k, p := range target.p {
			sum += p * cell * cell
			lnq[k] = math.Log(p) + 3
		}
		if kl := target.divergence(lnq, nil); math.Abs(sum-1) > 1e-9 || math.Abs(kl) > 1e-9 {
			t.Errorf("%s: the density adds up to %v and is %v from itself", name, sum, kl)
		}
	}
	ring, _ := NewTarget("ring")
	if kl := ring.Covariance(); math.Abs(kl-0.824) > 0.001 { // by a program of its own in NumPy
		t.Errorf("the Gaussian is %.4f from the ring", kl)
	}
	var wrong *setting.Error
	if _, err := NewTarget("square"); !errors.As(err, &wrong) || wrong.Setting != "target" {
		t.Errorf("%v", err)
	}
}

// The gradient is that of the divergence, by differences, for real weights and, but for the synapses,
// for bits.
func TestGradient(t *testing.T) {
	target, _ := NewTarget("ring")
	for _, m := range []Machine{{3, 0}, {3, 2}} {
		f := newFit(target, m, false, stream.New(1))
		f.sigma[0], f.b[1] = 0.2, 0.3
		f.set()
		for k, g := range f.gradient() {
			for i, want := range g {
				x := [][]float64{f.theta, f.c, f.j, f.sigma, f.b}[k]
				if k == 0 && m.Copies > 0 || k == 2 && m.Copies == 0 {
					continue
				}
				const e = 1e-2
				old := x[i]
				x[i] = old + e
				up := f.set()
				x[i] = old - e
				down := f.set()
				x[i] = old
				if got := (down - up) / (2 * e); math.Abs(got-want) > 1e-3*max(1, math.Abs(want)) {
					t.Errorf("%v: derivative %d of %d is %.6f, not %.6f", m, i, k, want, got)
				}
			}
		}
	}
}

// Fits come closer than the Gaussian, real weights and several bits closer than one bit, whose
// divergence stays above what functions of the diagonals can reach; a context ends them.
func TestFit(t *testing.T) {
	target, _ := NewTarget("ring")
	fit := func(m Machine) float64 {
		kl, err := Fit(t.Context(), target, m, 2, 200, stream.New(3))
		if err != nil {
			t.Fatal(err)
		}
		return kl
	}
	one, three, weights := fit(Machine{4, 1}), fit(Machine{4, 3}), fit(Machine{4, 0})
	if !(weights < three && three < one && one < target.Covariance()) {
		t.Errorf("real %.3f, three bits %.3f, one bit %.3f, Gaussian %.3f", weights, three, one, target.Covariance())
	}
	if again := fit(Machine{4, 3}); again != three {
		t.Errorf("the same seed gives %v and %v", three, again)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Fit(ctx, target, Machine{4, 1}, 2, 1000000, stream.New(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
