package evaluate

import (
	"math"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// BAR of a random machine is within five errors of the truth, its interval holds it, and best is BAR
// because the verdict is good. Where reverse starts are spoiled the slope accuses them, and best is mean.
func TestBAR(t *testing.T) {
	m := coupled(30, 8, 1, stream.New(1))
	x := try(t, "coupled", m, spin.Random(30, 50, stream.New(2).Rand()), Options{Temperatures: 60, Chains: 128, Equilibration: 200, Key: stream.New(3)})
	l := x.LogLikelihood
	if in := l.BARInterval; math.Abs(*l.BAR-x.exact) > 0.15 || !(in[0] < x.exact && x.exact < in[1]) || !l.Equilibrium.Reached || l.Best != *l.BAR {
		t.Errorf("bar %v %v, best %v, exactly %v; reasons %+v", *l.BAR, *in, l.Best, x.exact, l.Equilibrium.Reasons)
	}
	if in := l.BARInterval; in[1]-in[0] > min(l.ForwardInterval[1]-l.ForwardInterval[0], l.ReverseInterval[1]-l.ReverseInterval[0]) {
		t.Errorf("BAR's interval %v is wider than %v and %v", *in, *l.ForwardInterval, *l.ReverseInterval)
	}
	if s := l.Equilibrium.CrooksSlope; s == nil || math.Abs(*s-1) > 4.5**l.Equilibrium.CrooksSlopeError {
		t.Errorf("slope %v", s)
	}
	spoiled := *l.Evidence
	// Gaussian works of variance 2 about ln Z: forward as they should be, reverse ones a quarter as wide and farther away.
	rng, z := stream.New(5).Rand(), lnMean(l.Evidence.Forward)
	spoiled.Forward, spoiled.Reverse = make([]float64, 128), make([]float64, 128)
	for k := range spoiled.Forward {
		spoiled.Forward[k] = z - 1 + math.Sqrt2*rng.NormFloat64()
		spoiled.Reverse[k] = z + 2 + math.Sqrt2/4*rng.NormFloat64()
	}
	spoiled.Judge(&l, math.Inf(1), stream.New(4))
	if !slices.ContainsFunc(l.Equilibrium.Reasons, func(r Reason) bool { return r.Doubt == SlopeDoubt }) || l.Best != l.Mean {
		t.Errorf("slope %v ± %v of spoiled starts: %+v", *l.Equilibrium.CrooksSlope, *l.Equilibrium.CrooksSlopeError, l.Equilibrium.Reasons)
	}
	file, err := rbm.Load("testdata/digits-h10.npz")
	if err != nil {
		t.Fatal(err)
	}
	exact, err := Likelihood(t.Context(), OnMachine(file.Machine()), spin.Random(file.Visible(), 5, stream.New(1).Rand()), Options{})
	if err != nil || exact.Best != exact.Mean || exact.BAR != nil {
		t.Errorf("exact: %+v %v", exact, err)
	}
}
