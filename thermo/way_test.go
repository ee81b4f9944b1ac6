package thermo

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// wayMachine is one of 14 x 5 units.
func wayMachine() *rbm.Machine {
	params := rbm.NewParams(14, 5, 0.4)
	rng := stream.New(4).Rand()
	for i := range params.VisibleField {
		params.VisibleField[i], params.VisibleOffset[i] = 0.3*rng.NormFloat64(), 0.3
	}
	return &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(14, 5, rng))}
}

// The way to a machine and back: ln Z within five errors, dissipation that is not negative and agrees with that along the way, a
// slope of 1, and heat that keeps its theorem, in detail where sweeps read the same backwards.
func TestAnneal(t *testing.T) {
	m := wayMachine()
	exact, err := m.LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	told := 0.0
	w, err := Anneal(t.Context(), m, Annealing{Temperatures: 30, Chains: 2000, Equilibration: 200, Key: stream.New(1), Progress: func(f float64) { told = f }})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(w.LnZ-exact) > 5*w.RatioError || w.RatioError > 0.1 || told < 0.8 || len(w.Forward) != 2000 {
		t.Errorf("ln Z %.4f ± %.4f, exactly %.4f", w.LnZ, w.RatioError, exact)
	}
	last, first := w.Along[len(w.Along)-1], w.Along[0]
	if last.T != 1 || first.T != 0 || math.Abs(last.Forward-w.DissipatedForward) > 0.2 || math.Abs(first.Reverse-w.DissipatedReverse) > 0.2 || w.DissipatedForward < 0 || w.DissipatedReverse < 0 {
		t.Errorf("dissipated %.3f and %.3f, along the way %+v %+v", w.DissipatedForward, w.DissipatedReverse, last, first)
	}
	if w.Slope == nil || math.Abs(*w.Slope-1) > 5**w.SlopeError || !(w.Length > 0) {
		t.Errorf("slope %v, length %v", w.Slope, w.Length)
	}
	for _, order := range []Sweeping{Blocks, Palindromic} {
		h := w.ExchangeHeat(m, 0.6, 1, order, stream.New(2))
		if math.Abs(h.MeanExp-1) > 5*h.MeanExpError || h.MeanHeat < 0 || h.EntropyProduction < 0 {
			t.Errorf("order %d: <exp> %.3f ± %.3f, mean heat %.3f", order, h.MeanExp, h.MeanExpError, h.MeanHeat)
		}
		if order == Palindromic && (h.Slope == nil || math.Abs(*h.Slope-0.4) > 5**h.SlopeError) {
			t.Errorf("slope %v ± %v of 0.4", h.Slope, h.SlopeError)
		}
	}
	again, err := Anneal(t.Context(), m, Annealing{Temperatures: 30, Chains: 10, Starts: spin.Random(14, 10, stream.New(3).Rand()), Key: stream.New(1)})
	if err != nil || again.Chains != 10 {
		t.Errorf("from starts: %v", err)
	}
	for _, a := range []Annealing{{Temperatures: -1}, {Chains: 1}, {Equilibration: 3}, {Chains: 3, Starts: spin.New(14, 4)}, {Chains: 3, Starts: spin.New(13, 3)}} {
		if _, err := Anneal(t.Context(), m, a); err == nil {
			t.Errorf("%+v passes", a)
		}
	}
}

// The slope of signs is that of heats that obey the theorem, and there is none if all have one sign.
func TestSignSlope(t *testing.T) {
	rng := stream.New(6).Rand()
	var q []float64
	for range 5000 { // Gaussian heats of mean a v/2 and variance v obey it with slope a
		q = append(q, 0.5*4/2+2*rng.NormFloat64())
	}
	if a, se := signSlope(q); math.Abs(a-0.5) > 4.5*se || se > 0.05 {
		t.Errorf("slope %.3f ± %.3f of 0.5", a, se)
	}
	if a, _ := signSlope([]float64{1, 2}); !math.IsNaN(a) {
		t.Errorf("slope %v of heats of one sign", a)
	}
}
