package rbm

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/spin"
)

// Brute force for the tests: sums over states written down as plainly as can
// be, sharing nothing with the package.

// state returns the spins of bits of k, lowest first.
func state(k, n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = float64(2*(k>>i&1) - 1)
	}
	return s
}

// columns packs states 0 ... 2^n-1 as columns.
func columns(n int) *spin.Matrix {
	m := spin.New(n, 1<<n)
	for k := range 1 << n {
		for i, v := range state(k, n) {
			m.Set(i, k, int8(v))
		}
	}
	return m
}

// lnWeight is the exponent of the machine's definition.
func (m *Machine) lnWeight(s, h []float64) float64 {
	sum := 0.0
	for _, l := range m.Links {
		for i := l.Visible.From; i < l.Visible.To; i++ {
			for mu := l.Hidden.From; mu < l.Hidden.To; mu++ {
				sum += l.Coupling * (s[i] - m.VisibleOffset[i]) * m.synapse(i, mu) * (h[mu] - m.HiddenOffset[mu])
			}
		}
	}
	return sum + dot(m.VisibleField, s) + dot(m.HiddenField, h)
}

// synapse is xi or w of a pair of units.
func (m *Machine) synapse(i, mu int) float64 {
	return float64(Values(m.Synapses)[mu*m.Visible()+i])
}

// lnWeight is the exponent of the network's definition.
func (n *Network[T]) lnWeight(s, h []float64) float64 {
	sum := n.Constant
	for i := range s {
		for mu := range h {
			sum += s[i] * float64(n.Coupling[mu*len(s)+i]) * h[mu]
		}
	}
	return sum + dot(n.VisibleField, s) + dot(n.HiddenField, h)
}

func dot[A, B Real](a []A, b []B) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}

// bruteLnZ sums over all 2^(n+p) states.
func bruteLnZ(n, p int, lnWeight func(s, h []float64) float64) float64 {
	var all []float64
	for k := range 1 << n {
		s := state(k, n)
		for l := range 1 << p {
			all = append(all, lnWeight(s, state(l, p)))
		}
	}
	return lnSum(all)
}

func lnSum(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = math.Max(top, v)
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// bruteMoments averages over all 2^(n+p) states.
func bruteMoments(n, p int, lnWeight func(s, h []float64) float64) *Moments[float64] {
	lnz := bruteLnZ(n, p, lnWeight)
	m := NewMoments[float64](n, p)
	for k := range 1 << n {
		s := state(k, n)
		for l := range 1 << p {
			h := state(l, p)
			w := math.Exp(lnWeight(s, h) - lnz)
			for i := range s {
				m.Visible[i] += w * s[i]
			}
			for mu := range h {
				m.Hidden[mu] += w * h[mu]
				for i := range s {
					m.Correlation[mu*n+i] += w * s[i] * h[mu]
				}
			}
		}
	}
	return m
}

// largerLayer computes ln Z and moments by enumerating the layer that the
// package does not: the larger one. For machines too large for all states.
func largerLayer(net *Network[float64]) (float64, *Moments[float64]) {
	n, p := net.Visible(), net.Hidden()
	coupling := func(i, mu int) float64 { return net.Coupling[mu*n+i] }
	large, small, largeField, smallField := n, p, net.VisibleField, net.HiddenField
	if p > n {
		large, small, largeField, smallField = p, n, smallField, largeField
		coupling = func(i, mu int) float64 { return net.Coupling[i*n+mu] }
	}
	lnw, fields := make([]float64, 1<<large), make([]float64, small<<large)
	for k := range lnw {
		x := state(k, large)
		lnw[k] = net.Constant + dot(largeField, x)
		for u, f := range smallField {
			for i := range x {
				f += coupling(i, u) * x[i]
			}
			fields[k*small+u] = f
			lnw[k] += math.Log(2 * math.Cosh(f))
		}
	}
	lnz := lnSum(lnw)
	big, little, corr := make([]float64, large), make([]float64, small), make([]float64, n*p)
	for k := range lnw {
		w := math.Exp(lnw[k] - lnz)
		for i, x := range state(k, large) {
			big[i] += w * x
			for u, f := range fields[k*small : (k+1)*small] {
				e := u*n + i
				if p > n {
					e = i*n + u
				}
				corr[e] += w * x * math.Tanh(f)
			}
		}
		for u, f := range fields[k*small : (k+1)*small] {
			little[u] += w * math.Tanh(f)
		}
	}
	if p > n {
		big, little = little, big
	}
	return lnz, &Moments[float64]{big, little, corr}
}

// randomMachine draws all parameters; fields and offsets only where asked for.
func randomMachine(n, p int, coupling float64, fields, offsets bool, rng *rand.Rand) *Machine {
	m := &Machine{Params: NewParams(n, p, coupling), Synapses: Binary(spin.Random(n, p, rng))}
	for _, f := range [][]float64{m.VisibleField, m.HiddenField} {
		for i := range f {
			if fields {
				f[i] = 0.6 * rng.NormFloat64()
			}
		}
	}
	for _, o := range [][]float64{m.VisibleOffset, m.HiddenOffset} {
		for i := range o {
			if offsets {
				o[i] = 2*rng.Float64() - 1
			}
		}
	}
	if offsets {
		m.VisibleOffset[0] = 1 // a pixel that never changes
	}
	return m
}

func randomNetwork(n, p int, scale float64, fields bool, rng *rand.Rand) *Network[float64] {
	net := NewNetwork[float64](n, p)
	for k := range net.Coupling {
		net.Coupling[k] = scale * rng.NormFloat64()
	}
	if fields {
		net.Constant = rng.NormFloat64()
		for i := range net.VisibleField {
			net.VisibleField[i] = rng.NormFloat64()
		}
		for mu := range net.HiddenField {
			net.HiddenField[mu] = rng.NormFloat64()
		}
	}
	return net
}

// near fails unless |got - want| <= tolerance max(1, |want|).
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s is %.17g, not %.17g", what, got, want)
	}
}

func nearAll[A, B Real](t *testing.T, what string, got []A, want []B, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, not %d", what, len(got), len(want))
	}
	for k := range want {
		if !(math.Abs(float64(got[k])-float64(want[k])) <= tolerance*math.Max(1, math.Abs(float64(want[k])))) {
			t.Errorf("%s: element %d is %.17g, not %.17g", what, k, float64(got[k]), float64(want[k]))
			return
		}
	}
}

func nearMoments[A, B Real](t *testing.T, what string, got *Moments[A], want *Moments[B], tolerance float64) {
	t.Helper()
	nearAll(t, what+": visible", got.Visible, want.Visible, tolerance)
	nearAll(t, what+": hidden", got.Hidden, want.Hidden, tolerance)
	nearAll(t, what+": correlation", got.Correlation, want.Correlation, tolerance)
}

// wantPanic runs f and checks that it panics with the message.
func wantPanic(t *testing.T, message string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != message {
			t.Errorf("panic %q, not %q", got, message)
		}
	}()
	f()
}
