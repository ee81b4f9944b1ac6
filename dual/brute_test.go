package dual

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/rbm"
)

// Brute force for the tests, from the definitions alone. Synapses and other
// matrices are hidden x visible; bit k of an index stands for spin or synapse k.

func spinOf(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

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

func ln2cosh(x float64) float64 { return lnSum([]float64{x, -x}) }

// couplingOf is J of the link between two units, 0 if there is none.
func couplingOf(m *rbm.Params, i, mu int) float64 {
	for _, l := range m.Links {
		if !l.Joins(mu) {
			continue
		}
		if l.Visible.From <= i && i < l.Visible.To {
			return l.Coupling
		}
	}
	return 0
}

// machineLnZ sums over all states of a machine with the synapses in the bits of xi.
func machineLnZ(m *rbm.Params, xi int) float64 {
	n, p := m.Visible(), m.Hidden()
	var all []float64
	for k := range 1 << n {
		for l := range 1 << p {
			sum := 0.0
			for i, b := range m.VisibleField {
				sum += b * spinOf(k, i)
			}
			for mu, c := range m.HiddenField {
				h := spinOf(l, mu)
				sum += c * h
				for i := range n {
					sum += couplingOf(m, i, mu) * (spinOf(k, i) - m.VisibleOffset[i]) * spinOf(xi, mu*n+i) * (h - m.HiddenOffset[mu])
				}
			}
			all = append(all, sum)
		}
	}
	return lnSum(all)
}

// lnProbability is ln of the probability of the synapses xi under their means.
func lnProbability(mean []float64, xi int) float64 {
	sum := 0.0
	for k, lambda := range mean {
		sum += math.Log((1 + lambda*spinOf(xi, k)) / 2)
	}
	return sum
}

// lnMeanZ is ln of the sum over all synapses of q(xi) Z(xi).
func lnMeanZ(m *rbm.Params, mean []float64) float64 {
	var all []float64
	for xi := range 1 << len(mean) {
		if lnq := lnProbability(mean, xi); !math.IsInf(lnq, -1) {
			all = append(all, lnq+machineLnZ(m, xi))
		}
	}
	return lnSum(all)
}

// exactMoments of a network, over all its states, with ln Z.
func exactMoments(net *rbm.Network[float64]) (*rbm.Moments[float64], float64) {
	n, p := net.Visible(), net.Hidden()
	lnw := make([]float64, 1<<(n+p))
	for k := range lnw {
		lnw[k] = net.Constant
		for i, b := range net.VisibleField {
			lnw[k] += b * spinOf(k, i)
		}
		for mu, c := range net.HiddenField {
			lnw[k] += c * spinOf(k, n+mu)
			for i := range n {
				lnw[k] += net.Coupling[mu*n+i] * spinOf(k, i) * spinOf(k, n+mu)
			}
		}
	}
	lnz := lnSum(lnw)
	m := rbm.NewMoments[float64](n, p)
	for k := range lnw {
		w := math.Exp(lnw[k] - lnz)
		for i := range n {
			m.Visible[i] += w * spinOf(k, i)
		}
		for mu := range p {
			m.Hidden[mu] += w * spinOf(k, n+mu)
			for i := range n {
				m.Correlation[mu*n+i] += w * spinOf(k, i) * spinOf(k, n+mu)
			}
		}
	}
	return m, lnz
}

// randomParams draws fields and offsets where asked for.
func randomParams(n, p int, coupling float64, fields, offsets bool, rng *rand.Rand) *rbm.Params {
	m := rbm.NewParams(n, p, coupling)
	for _, f := range [][]float64{m.VisibleField, m.HiddenField} {
		for i := range f {
			if fields {
				f[i] = 0.5 * rng.NormFloat64()
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
	return &m
}

// randomMeans draws posterior means; if polarised, some are ±1.
func randomMeans(n int, polarised bool, rng *rand.Rand) []float64 {
	mean := make([]float64, n)
	for k := range mean {
		mean[k] = math.Tanh(1.2 * rng.NormFloat64())
		if polarised && k%3 == 0 {
			mean[k] = math.Copysign(1, mean[k])
		}
	}
	return mean
}

func randomNetwork(n, p int, coupling, field float64, rng *rand.Rand) *rbm.Network[float64] {
	net := rbm.NewNetwork[float64](n, p)
	net.Constant = 0.3
	for k := range net.Coupling {
		net.Coupling[k] = coupling * rng.NormFloat64()
	}
	for _, f := range [][]float64{net.VisibleField, net.HiddenField} {
		for i := range f {
			f[i] = field * rng.NormFloat64()
		}
	}
	return net
}

func term(t *testing.T, p Partition[float64], m *rbm.Params, mean []float64) (*Gradient[float64], Report) {
	t.Helper()
	grad := NewGradient[float64](m)
	for _, x := range [][]float64{grad.Synapse, grad.VisibleField, grad.HiddenField} {
		for k := range x {
			x[k] = math.NaN() // to be overwritten
		}
	}
	grad.Coupling[0] = math.NaN()
	report, err := Term(context.Background(), p, grad, m, mean)
	if err != nil {
		t.Fatal(err)
	}
	return grad, report
}

func moments(t *testing.T, e Engine[float64], net *rbm.Network[float64]) (*rbm.Moments[float64], Report) {
	t.Helper()
	m := rbm.NewMoments[float64](net.Visible(), net.Hidden())
	report, err := e.Moments(context.Background(), m, net)
	if err != nil {
		t.Fatal(err)
	}
	return m, report
}

// worst returns max |x - y|; NaN if any is.
func worst(x, y []float64) float64 {
	w := 0.0
	for k := range y {
		w = max(w, math.Abs(x[k]-y[k]))
	}
	return w
}

// near fails unless |got - want| <= tolerance max(1, |want|).
func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1, math.Abs(want))) {
		t.Errorf("%s is %.15g, not %.15g", what, got, want)
	}
}

func nearMoments(t *testing.T, what string, got, want *rbm.Moments[float64], tolerance float64) {
	t.Helper()
	for name, d := range map[string]float64{
		"visible": worst(got.Visible, want.Visible), "hidden": worst(got.Hidden, want.Hidden), "correlation": worst(got.Correlation, want.Correlation),
	} {
		if !(d <= tolerance) {
			t.Errorf("%s: %s off by %.3g, more than %.3g", what, name, d, tolerance)
		}
	}
}
