package sampler

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/thermo"
)

// small returns a network of 3 x 2 units.
func small() *rbm.Network[float64] {
	net := rbm.NewNetwork[float64](3, 2)
	copy(net.Coupling, []float64{0.5, -0.5, 0.5, 0.5, 0.5, -0.5})
	copy(net.VisibleField, []float64{0.3, -2, 0.7})
	copy(net.HiddenField, []float64{0.1, -0.4})
	return net
}

func TestRange(t *testing.T) {
	net := small()
	for _, c := range []struct {
		r    Range
		want float64
	}{{Range{}, math.Inf(1)}, {Range{Coupling: 1}, 2}, {Range{Field: 1}, 0.5}, {Range{Field: 4, Coupling: 1}, 2}, {Range{Field: 2, Coupling: 1}, 1}} {
		if got := c.r.Scale(net); got != c.want {
			t.Errorf("%+v: scale %v, not %v", c.r, got, c.want)
		}
	}
	r := Range{Field: 2, Coupling: 1, Bits: 3} // levels k/3
	p := NewProblem(net, r.Scale(net))
	r.Round(p)
	for k, want := range []float64{0, 2, -2. / 3, 0, 2. / 3} {
		if math.Abs(p.Linear[k]-want) > 1e-15 {
			t.Errorf("field %d is %v, not %v", k, p.Linear[k], want)
		}
	}
	if p.Quadratic[0] != -2./3 || p.Quadratic[1] != 2./3 { // 0.5 is half way between 1/3 and 2/3
		t.Errorf("couplings %v", p.Quadratic)
	}
	beyond := NewProblem(net, 10)
	Range{Field: 4}.Round(beyond)
	if beyond.Linear[1] != 4 || beyond.Linear[0] != -3 || beyond.Quadratic[0] != -5 {
		t.Errorf("clipped: %+v", beyond)
	}
	whole := NewProblem(net, 1)
	Range{Bits: 2}.Round(whole) // -1, 0, 1 times the largest
	if whole.Quadratic[0] != -0.5 || whole.Linear[1] != 2 || whole.Linear[0] != 0 {
		t.Errorf("of its own range: %+v", whole)
	}
}

// A gauge keeps ln Z, and a problem gives back its network.
func TestGauge(t *testing.T) {
	net := small()
	p := NewProblem(net, 3)
	p.Turn([]int8{1, -1, -1, 1, -1})
	if got, want := thermo.Enumerate(p.Network()).LnZ, thermo.Enumerate(net).LnZ; math.Abs(got-want) > 1e-12 {
		t.Errorf("ln Z %v, not %v", got, want)
	}
	p.Turn([]int8{1, -1, -1, 1, -1})
	back := p.Network()
	for k, v := range net.Coupling {
		if math.Abs(back.Coupling[k]-v) > 1e-15 {
			t.Errorf("coupling %d is %v, not %v", k, back.Coupling[k], v)
		}
	}
}
