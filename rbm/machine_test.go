package rbm

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"bethe/spin"
)

// All states of a machine: energy, the free energy and means that follow, and
// the three other ways to write the same weights.
func TestMachineStates(t *testing.T) {
	eachMachine(t, func(t *testing.T, m *Machine) {
		n, p := m.Visible(), m.Hidden()
		before := m.Clone()
		s, h := columns(n), columns(p)
		plain, constant := m.Plain()
		if plain.Centred() {
			t.Error("the plain machine has offsets")
		}
		net, zeroOne := NetworkOf[float64](m), m.ZeroOne()
		hiddenMeans, visibleMeans, free := m.HiddenMeans(s), m.VisibleMeans(h), m.FreeEnergy(s)
		lnWeights := make([]float64, 1<<n)
		net.LogWeights(lnWeights, s)

		for k := range 1 << n {
			v := state(k, n)
			same := spin.New(n, 1<<p) // state v beside every hidden state
			for a := range 1 << p {
				for i := range n {
					same.Set(i, a, int8(v[i]))
				}
			}
			energy := m.Energy(same, h)
			sums, up := make([]float64, 1<<p), make([]float64, p)
			for l := range 1 << p {
				g := state(l, p)
				w := m.lnWeight(v, g)
				sums[l] = w
				near(t, "-energy", -energy[l], w, 1e-13)
				near(t, "plain machine's ln weight", plain.lnWeight(v, g)+constant, w, 1e-13)
				near(t, "network's ln weight", net.lnWeight(v, g), w, 1e-13)
				near(t, "ln weight of units 0 and 1", zeroOneLnWeight(zeroOne, k, l), w, 1e-13)
			}
			lnw := lnSum(sums)
			near(t, "-free energy", -free[k], lnw, 1e-13)
			near(t, "LogWeights", lnWeights[k], lnw, 1e-13)
			for l, w := range sums {
				for mu, x := range state(l, p) {
					up[mu] += x * math.Exp(w-lnw)
				}
			}
			for mu := range up {
				near(t, "hidden mean", hiddenMeans[mu<<n+k], up[mu], 1e-12)
			}
			if t.Failed() {
				return
			}
		}
		for l := range 1 << p {
			sums, mean := make([]float64, 1<<n), make([]float64, n)
			for k := range sums {
				sums[k] = m.lnWeight(state(k, n), state(l, p))
			}
			lnw := lnSum(sums)
			for k, w := range sums {
				for i, x := range state(k, n) {
					mean[i] += x * math.Exp(w-lnw)
				}
			}
			for i := range mean {
				near(t, "visible mean", visibleMeans[i<<p+l], mean[i], 1e-12)
			}
		}
		if !reflect.DeepEqual(before, m) {
			t.Error("the machine changed")
		}
	})
}

// zeroOneLnWeight is the exponent of ZeroOne's definition, of the bits of k and l.
func zeroOneLnWeight(z ZeroOne, k, l int) float64 {
	sum := z.Constant
	n := len(z.Visible)
	for i, a := range z.Visible {
		sum += a * float64(k>>i&1)
		for mu := range z.Hidden {
			sum += z.W[mu*n+i] * float64(k>>i&1) * float64(l>>mu&1)
		}
	}
	for mu, b := range z.Hidden {
		sum += b * float64(l>>mu&1)
	}
	return sum
}

// The formulas of ZeroOne's documentation, and a plain machine's parameters
// apart from the original's.
func TestConversions(t *testing.T) {
	m := randomMachine(3, 2, 0.7, true, false, rand.New(rand.NewPCG(1, 2)))
	z := m.ZeroOne()
	for mu := range 2 {
		column := 0.0
		for i := range 3 {
			near(t, "W", z.W[mu*3+i], 4*0.7*float64(m.Signs().At(i, mu)), 1e-15)
			column += float64(m.Signs().At(i, mu))
		}
		near(t, "hidden", z.Hidden[mu], 2*m.HiddenField[mu]-2*0.7*column, 1e-15)
	}
	plain, constant := m.Plain()
	if constant != 0 || !reflect.DeepEqual(plain.Params, m.Params) {
		t.Error("a machine without offsets is not its own plain machine")
	}
	plain.VisibleField[0]++
	if plain.VisibleField[0] == m.VisibleField[0] {
		t.Error("the plain machine shares its fields")
	}
}

func TestMachinePanics(t *testing.T) {
	m := randomMachine(3, 2, 1, false, false, rand.New(rand.NewPCG(1, 2)))
	for _, c := range []struct{ rows, cols, hidden, hiddenCols int }{{2, 5, 2, 5}, {3, 5, 3, 5}, {3, 5, 2, 4}} {
		func() {
			defer func() {
				if s, _ := recover().(string); len(s) < 12 || s[:12] != "rbm: Energy " {
					t.Errorf("%v: panic %q", c, s)
				}
			}()
			m.Energy(spin.New(c.rows, c.cols), spin.New(c.hidden, c.hiddenCols))
		}()
	}
	net := NetworkOf[float64](m)
	wantPanic(t, "rbm: LogWeights of 3 x 4 spins into 5 numbers, for 3 visible units", func() { net.LogWeights(make([]float64, 5), spin.New(3, 4)) })
	wantPanic(t, "rbm: LogWeights of 2 x 4 spins into 4 numbers, for 3 visible units", func() { net.LogWeights(make([]float64, 4), spin.New(2, 4)) })
	wantPanic(t, "rbm: transpose of 6 into 5 elements, for 2 x 3", func() { net.TransposeCoupling(make([]float64, 5)) })
}

// Transposing in tiles moves every element, also of shapes that are no multiple of a tile.
func TestTransposeCoupling(t *testing.T) {
	for _, shape := range [][2]int{{1, 1}, {1, 40}, {15, 17}, {16, 32}, {33, 31}, {500, 700}} {
		n, p := shape[0], shape[1]
		net := NewNetwork[float32](n, p)
		for k := range net.Coupling {
			net.Coupling[k] = float32(k)
		}
		got := make([]float32, n*p)
		net.TransposeCoupling(got)
		for k, v := range got {
			if want := float32(k%p*n + k/p); v != want {
				t.Fatalf("%d x %d: element %d is %v, not %v", n, p, k, v, want)
			}
		}
	}
}

func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for want, damage := range map[string]func(p *Params){
		"": func(p *Params) {
			p.VisibleField[0], p.VisibleOffset[1], p.HiddenOffset[0] = -math.MaxFloat64, 1, -1
		},
		"a machine of 0 visible and 3 hidden units: both must be at least 1":                                func(p *Params) { p.VisibleField = nil },
		"a machine of 2 visible and 0 hidden units: both must be at least 1":                                func(p *Params) { p.HiddenField = nil },
		"visible_offset has 1 elements, visible_field 2":                                                    func(p *Params) { p.VisibleOffset = p.VisibleOffset[:1] },
		"hidden_offset has 0 elements, hidden_field 3":                                                      func(p *Params) { p.HiddenOffset = nil },
		"coupling is 0: it must be positive and finite":                                                     func(p *Params) { p.SetCoupling(0) },
		"coupling is -1: it must be positive and finite":                                                    func(p *Params) { p.SetCoupling(-1) },
		"coupling is NaN: it must be positive and finite":                                                   func(p *Params) { p.SetCoupling(nan) },
		"coupling is +Inf: it must be positive and finite":                                                  func(p *Params) { p.SetCoupling(inf) },
		"visible_field[1] is NaN: it must lie between -1.7976931348623157e+308 and 1.7976931348623157e+308": func(p *Params) { p.VisibleField[1] = nan },
		"hidden_field[2] is -Inf: it must lie between -1.7976931348623157e+308 and 1.7976931348623157e+308": func(p *Params) { p.HiddenField[2] = -inf },
		"visible_offset[0] is 1.5: it must lie between -1 and 1":                                            func(p *Params) { p.VisibleOffset[0] = 1.5 },
		"a machine without links: it has no synapses":                                                       func(p *Params) { p.Links = nil },
		"links 0 and 1 share synapses":                                                                      func(p *Params) { p.Links = append(p.Links, Link{1, Range{0, 1}, Range{2, 3}}) },
		"link 0 joins visible units 0 to 2 and hidden units 0 to 2 of 2 and 3":                              func(p *Params) { p.Links[0].Visible.To = 3 },
		"hidden_offset[1] is NaN: it must lie between -1 and 1":                                             func(p *Params) { p.HiddenOffset[1] = nan },
	} {
		p := NewParams(2, 3, 1)
		damage(&p)
		got := ""
		if err := p.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("error %q, not %q", got, want)
		}
	}
}

func TestCentredAndHasFields(t *testing.T) {
	for k := range 5 {
		p := NewParams(2, 3, 1)
		if k < 4 {
			[][]float64{p.VisibleField, p.HiddenField, p.VisibleOffset, p.HiddenOffset}[k][1] = -0.1
		}
		if p.HasFields() != (k < 2) || p.Centred() != (k == 2 || k == 3) {
			t.Errorf("parameter %d: fields %v, centred %v", k, p.HasFields(), p.Centred())
		}
	}
}
