package dualtest

import (
	"math"
	"runtime"
	"testing"

	"bethe/rbm"
)

// lnWeights returns the logarithms of the weights of all states of a network.
func lnWeights(net *rbm.Network[float64]) []float64 {
	n, p := net.Visible(), net.Hidden()
	lnWeight := make([]float64, 1<<(n+p))
	for k := range lnWeight {
		sum := net.Constant
		for i, b := range net.VisibleField {
			sum += b * spinOf(k, i)
		}
		for mu, c := range net.HiddenField {
			sum += c * spinOf(k, n+mu)
			for i := range n {
				sum += net.Coupling[mu*n+i] * spinOf(k, i) * spinOf(k, n+mu)
			}
		}
		lnWeight[k] = sum
	}
	return lnWeight
}

// enumerate returns the moments of a network, from all its states, and ln Z.
func enumerate(net *rbm.Network[float64]) (*rbm.Moments[float64], float64) {
	n, p := net.Visible(), net.Hidden()
	lnWeight := lnWeights(net)
	lnZ := rbm.LogSumExp(lnWeight)
	m := rbm.NewMoments[float64](n, p)
	for k, v := range lnWeight {
		w := math.Exp(v - lnZ)
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
	return m, lnZ
}

// spinOf is spin i in the bits of state k.
func spinOf(k, i int) float64 { return float64(2*(k>>i&1) - 1) }

func convert[T rbm.Real](net *rbm.Network[float64]) *rbm.Network[T] {
	to := rbm.NewNetwork[T](net.Visible(), net.Hidden())
	to.Constant = net.Constant
	for k, v := range net.Coupling {
		to.Coupling[k] = T(v)
	}
	for k, v := range net.VisibleField {
		to.VisibleField[k] = T(v)
	}
	for k, v := range net.HiddenField {
		to.HiddenField[k] = T(v)
	}
	return to
}

func widen[T rbm.Real](x []T) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

// near fails unless |got - want| <= tolerance max(1, |want|) for all elements.
func near(t *testing.T, where any, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%+v: %d numbers of %s, not %d", where, len(got), what, len(want))
		return
	}
	for k, v := range want {
		if !(math.Abs(got[k]-v) <= tolerance*max(1, math.Abs(v))) {
			t.Errorf("%+v: %s[%d] is %.15g, not %.15g: off by %.3g, more than %.3g", where, what, k, got[k], v, math.Abs(got[k]-v), tolerance)
			return
		}
	}
}

// same fails unless the numbers are the same to the last bit.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s gave %d numbers, not %d", what, len(got), len(want))
		return
	}
	for k, v := range want {
		if math.Float64bits(got[k]) != math.Float64bits(v) {
			t.Errorf("%s: number %d is %v, not %v", what, k, got[k], v)
			return
		}
	}
}

// sameBytes fails if results depend on the number of threads.
func sameBytes(t *testing.T, what string, results func() []float64) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := results()
	for _, threads := range []int{2, 3} {
		runtime.GOMAXPROCS(threads)
		same(t, what+" with other threads", results(), want)
	}
}
