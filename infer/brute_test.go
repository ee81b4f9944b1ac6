package infer

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// exactly returns means (hidden x visible), pair means, ln P(D) under the given
// prior (pinned synapses known), and the entropy, by enumerating all synapses
// and all states of the machine's hidden layer.
func exactly(t *testing.T, data *spin.Matrix, hidden int, j float64, prior [][]float64) (mean, pair []float64, evidence, entropy float64) {
	t.Helper()
	n, m := data.Rows(), data.Cols()
	bits := n * hidden
	if bits > 20 {
		t.Fatalf("%d synapses are too many to enumerate", bits)
	}
	s := make([]int, n*m)
	for i := range n {
		for a := range m {
			s[a*n+i] = int(data.At(i, a))
		}
	}
	lnw := make([]float64, 1<<bits)
	for state := range lnw {
		xi := func(i, mu int) int { return 1 - 2*(state>>(mu*n+i)&1) }
		var sum float64
		for mu := range hidden {
			for i := range n {
				theta := prior[mu][i]
				switch {
				case math.IsInf(theta, 0):
					if theta*float64(xi(i, mu)) < 0 {
						sum = math.Inf(-1)
					}
				default:
					sum += theta*float64(xi(i, mu)) - math.Log(2*math.Cosh(theta))
				}
			}
		}
		if !math.IsInf(sum, -1) {
			var z float64
			for h := range 1 << hidden {
				w := 1.0
				for i := range n {
					field := 0
					for mu := range hidden {
						field += xi(i, mu) * (1 - 2*(h>>mu&1))
					}
					w *= 2 * math.Cosh(j*float64(field))
				}
				z += w
			}
			for a := range m {
				for mu := range hidden {
					field := 0
					for i := range n {
						field += xi(i, mu) * s[a*n+i]
					}
					sum += math.Log(2 * math.Cosh(j*float64(field)))
				}
			}
			sum -= float64(m) * math.Log(z)
		}
		lnw[state] = sum
	}
	evidence = rbm.LogSumExp(lnw)
	mean, pair = make([]float64, bits), make([]float64, n)
	for state, v := range lnw {
		w := math.Exp(v - evidence)
		if w == 0 {
			continue
		}
		entropy -= w * (v - evidence)
		for k := range bits {
			mean[k] += w * float64(1-2*(state>>k&1))
		}
		if hidden == 2 {
			for i := range n {
				pair[i] += w * float64((1-2*(state>>i&1))*(1-2*(state>>(n+i)&1)))
			}
		}
	}
	return mean, pair, evidence, entropy
}

// randomPrior returns thetas, hidden x visible.
func randomPrior(n, hidden int, deviation float64, key stream.Key) []float64 {
	rng := key.Rand()
	theta := make([]float64, n*hidden)
	for k := range theta {
		theta[k] = deviation * rng.NormFloat64()
	}
	return theta
}

func furthest(a, b []float64) (d float64) {
	for k, v := range a {
		d = max(d, math.Abs(v-b[k]))
	}
	return d
}

func settle[T rbm.Real](t *testing.T, data *spin.Matrix, opt Options) (*Passing[T], *Result) {
	t.Helper()
	p, err := New[T](data, opt)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Converged {
		t.Fatalf("not settled after %d iterations: residual %v", r.Iterations, r.Residual)
	}
	return p, r
}
