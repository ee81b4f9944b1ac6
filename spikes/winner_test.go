package spikes

import (
	"math"
	"testing"

	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// TestWinnerLaw: sums to one, and of two neurons it is Phi.
func TestWinnerLaw(t *testing.T) {
	for _, c := range [][4]float64{{0, 0.3, 1, 2}, {5, -5, 0.1, 3}, {0, 40, 1, 1}, {1, 1, 1e-3, 1}} {
		law := WinnerLaw(c[:2], c[2:])
		want := math.Erfc(-(c[0]-c[1])/math.Sqrt(2*(c[2]+c[3]))) / 2
		if math.Abs(law[0]-want) > 1e-6 || math.Abs(law[0]+law[1]-1) > 1e-6 {
			t.Errorf("%v: %v, not %v", c, law, want)
		}
	}
	sum := 0.0
	for _, p := range WinnerLaw([]float64{0, 1, 2, 0.5, -3}, []float64{1, 0.2, 0.4, 2, 9}) {
		sum += p
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("sums to %v", sum)
	}
	for _, v := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("the variance %v is taken", v)
				}
			}()
			WinnerLaw([]float64{0}, []float64{v})
		}()
	}
}

// TestDrawnBits: a group whose synapses are drawn anew for each decision has the winners of WinnerLaw and
// the softmax of variational.Groups, integrals of one dimension: within 5 standard errors of 6,000
// draws of the bits. The softmax at mean synapses is far off.
func TestDrawnBits(t *testing.T) {
	const n, states, draws = 400, 5, 6000
	rng := stream.New(12).Rand()
	j := 1.6 / math.Sqrt(n)
	lambda, s := make([]float64, n*states), make([]float64, n)
	for i := range s {
		s[i] = float64(2*rng.IntN(2) - 1)
	}
	mean, variance := make([]float64, states), make([]float64, states)
	field := make([]float64, states)
	for k := range states {
		field[k] = 0.7 * rng.NormFloat64()
		mean[k] = field[k]
		for i := range n {
			l := math.Tanh(0.5*rng.NormFloat64() + 0.03*s[i])
			lambda[k*n+i] = l
			mean[k] += j * l * s[i]
			variance[k] += j * j * (1 - l*l)
		}
	}
	soft, hard, square := make([]float64, states), make([]float64, states), make([]float64, states)
	p := make([]float64, states)
	for range draws {
		best, sum := 0, 0.0
		f := append([]float64(nil), field...)
		for k := range f {
			for i := range n {
				if 2*rng.Float64()-1 < lambda[k*n+i] {
					f[k] += j * s[i]
				} else {
					f[k] -= j * s[i]
				}
			}
			if f[k] > f[best] {
				best = k
			}
			p[k] = math.Exp(f[k])
			sum += p[k]
		}
		hard[best]++
		for k := range p {
			soft[k] += p[k] / sum
			square[k] += p[k] * p[k] / (sum * sum)
		}
	}
	// Features are held as spins: fields are half, and averages of 2y - 1.
	kind := units.Kind{Word: units.Group, States: states}
	half, quarter := make([]float64, states), make([]float64, states)
	for k := range half {
		half[k], quarter[k] = mean[k]/2, variance[k]/4
	}
	first, second := make([]float64, states), make([]float64, states)
	variational.ExactGroups[float64](kind).Averages(first, second, half, quarter, 1)
	law, total, worst := WinnerLaw(mean, variance), 0.0, 0.0
	for k := range mean {
		total += math.Exp(mean[k])
	}
	for k := range mean {
		got, want := soft[k]/draws, (1+first[k])/2
		if e := math.Sqrt((square[k]/draws - got*got) / draws); math.Abs(got-want) > 5*e {
			t.Errorf("state %d: expected softmax %v, draws %v ± %v", k, want, got, e)
		}
		got = hard[k] / draws
		if e := math.Sqrt(law[k] * (1 - law[k]) / draws); math.Abs(got-law[k]) > 5*e {
			t.Errorf("state %d wins with %v, draws %v ± %v", k, law[k], got, e)
		}
		worst = max(worst, math.Abs(soft[k]/draws-math.Exp(mean[k])/total))
	}
	t.Logf("winners %.3f; the softmax at mean synapses is off by up to %.3f", law, worst)
	if worst < 0.05 {
		t.Errorf("the softmax at mean synapses is off by %v only: the test tells nothing", worst)
	}
}
