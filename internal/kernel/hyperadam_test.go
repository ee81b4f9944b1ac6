package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// hyperNumbers draws a net whose outputs have about the given size.
func hyperNumbers[T Real](rng *rand.Rand, size float64) *HyperNumbers[T] {
	by := &HyperNumbers[T]{Keep: 0.9, Take: 0.1, First: 1.3, Slow: 2.1, Fast: 1.2, Second: 11, Rate: 0.02, Limit: 4}
	for q := range by.Base {
		by.Base[q] = T(rng.NormFloat64())
		for k := range by.In[q] {
			by.In[q][k] = T(rng.NormFloat64())
		}
	}
	for j := range by.Out {
		for q := range by.Out[j] {
			by.Out[j][q] = T(size * rng.NormFloat64())
		}
	}
	return by
}

// A hyperRow is what HyperAdam changes and the gradient: theta, first, slow, fast, second, grad, size, agree.
type hyperRow[T Real] [8][]T

func (r *hyperRow[T]) step(by *HyperNumbers[T]) {
	HyperAdam(r[0], r[5], r[6], r[7], HyperState[T]{r[1], r[2], r[3], r[4]}, by)
}

func checkHyperAdam(t *testing.T, seed uint64, n int) {
	var a, b hyperRow[float32]
	for k := range a {
		a[k] = arguments(t, seed+uint64(k), n)
		if k == 3 || k == 4 { // squares
			for i, v := range a[k] {
				a[k][i] = abs32(v)
			}
		}
		b[k] = append([]float32(nil), a[k]...)
	}
	by := hyperNumbers[float32](testRand(seed), 1)
	for range 2 {
		a.step(by)
		hyperAdam(b[0], b[5], b[6], b[7], b[1], b[2], b[3], b[4], by)
	}
	for k := range a {
		for i := range a[k] {
			if !same(a[k][i], b[k][i]) {
				t.Fatalf("n=%d: array %d, element %d: %v, want %v", n, k, i, a[k][i], b[k][i])
			}
		}
	}
}

func TestHyperAdam(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 50 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkHyperAdam(t, uint64(n), n) })
		}
		t.Run("1000", func(t *testing.T) { checkHyperAdam(t, 7, 1000) })
	})
}

func FuzzHyperAdam(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		onTiers(t, func(t *testing.T) { checkHyperAdam(t, seed, int(n%2000)) })
	})
}

// finiteRow draws a row that learning could have.
func finiteRow[T Real](rng *rand.Rand, n int) *hyperRow[T] {
	var r hyperRow[T]
	for k := range r {
		r[k] = make([]T, n)
		for i := range r[k] {
			r[k][i] = T(rng.NormFloat64())
			if k == 3 || k == 4 {
				r[k][i] *= r[k][i]
			}
		}
	}
	return &r
}

// TestHyperAdamFormulas holds the float64 step against the formulas, with a division wherever they have one.
func TestHyperAdamFormulas(t *testing.T) {
	rng := testRand(3)
	const n = 200
	r, by := finiteRow[float64](rng, n), hyperNumbers[float64](rng, 0.5)
	want := make([]float64, n)
	for i := range want {
		g, x := r[5][i], r[0][i]
		root := func(average, share, unbias float64) float64 {
			return math.Sqrt(unbias*((1-share)*average+share*g*g)) + 1e-8
		}
		first, slow := by.First*(0.9*r[1][i]+0.1*g), by.Slow*(0.98*r[2][i]+0.02*g)
		fast, second := root(r[3][i], 0.05, by.Fast), root(r[4][i], 0.001, by.Second)
		u := [4]float64{g / second, first / second, slow / second, first / fast}
		clip := func(v float64) float64 { return max(-2, min(2, v)) }
		f := [4]float64{min(2, math.Abs(u[1])), clip(u[0] * u[2]), clip(x * u[1]), min(4, math.Abs(x)) - 1}
		var o [5]float64
		for j := range o {
			o[j] = by.Out[j][4]
			for q := range by.Base {
				z := by.Base[q]
				for k, v := range f {
					z += by.In[q][k] * v
				}
				o[j] += by.Out[j][q] * z / (1 + math.Abs(z))
			}
		}
		gain := math.Exp2(max(-hyperGain, min(hyperGain, o[0])))
		move := by.Rate * gain * (u[1] + o[1]*(u[0]-u[1]) + o[2]*(u[2]-u[1]) + o[3]*(u[3]-u[1]) + o[4]*x)
		want[i] = max(-by.Limit, min(by.Limit, x+move))
	}
	r.step(by)
	for i, x := range r[0] {
		if !(math.Abs(x-want[i]) < 1e-12) {
			t.Fatalf("element %d: %v, not %v", i, x, want[i])
		}
	}
}

// TestHyperAdamIsOdd: where theta, the gradient and its averages turn, so does the move, to the bit, whatever the net.
func TestHyperAdamIsOdd(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		rng := testRand(9)
		for _, size := range []float64{0, 0.3, 5} {
			a := finiteRow[float32](rng, 300)
			var b hyperRow[float32]
			odd := []bool{0: true, 1: true, 2: true, 5: true, 7: false}
			for k := range a {
				b[k] = append([]float32(nil), a[k]...)
				if odd[k] {
					for i := range b[k] {
						b[k][i] = -b[k][i]
					}
				}
			}
			by := hyperNumbers[float32](rng, size)
			for range 3 {
				a.step(by)
				b.step(by)
			}
			for k := range a {
				for i, x := range a[k] {
					if odd[k] {
						x = -x
					}
					if b[k][i] != x {
						t.Fatalf("size %v, array %d, element %d: %v turned is %v", size, k, i, a[k][i], b[k][i])
					}
				}
			}
		}
	})
}

// TestHyperAdamOfNothing: a net whose outputs are 0 is Adam.
func TestHyperAdamOfNothing(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		rng := testRand(5)
		const n = 500
		r := finiteRow[float32](rng, n)
		theta, first, second := append([]float32(nil), r[0]...), append([]float32(nil), r[1]...), append([]float32(nil), r[4]...)
		by := hyperNumbers[float32](rng, 0)
		root := float32(math.Sqrt(1 / float64(by.Second)))
		for range 3 {
			r.step(by)
			Adam(theta, first, second, r[5], by.Keep, by.Take, 1, by.Rate*by.First*root, 1e-8*root, by.Limit)
		}
		for i, x := range r[0] {
			if !(math.Abs(float64(x-theta[i])) < 1e-6) {
				t.Fatalf("theta %d: %v, Adam's %v", i, x, theta[i])
			}
		}
	})
}

func BenchmarkHyperAdam(b *testing.B) {
	const rows, n = 500, 784
	rng := testRand(1)
	all := make([]*hyperRow[float32], rows)
	var arrays [6][]float32
	for k := range arrays {
		arrays[k] = fill(make([]float32, rows*n), rng, 0.1)
	}
	scratch := [2][]float32{make([]float32, n), make([]float32, n)}
	for p := range all {
		all[p] = &hyperRow[float32]{6: scratch[0], 7: scratch[1]}
		for k, x := range arrays {
			all[p][k] = x[p*n : (p+1)*n]
			if k == 3 || k == 4 {
				for i, v := range all[p][k] {
					all[p][k][i] = v * v
				}
			}
		}
	}
	by := hyperNumbers[float32](rng, 0.3)
	benchTiers(b, func(b *testing.B) {
		for b.Loop() {
			for _, r := range all {
				r.step(by)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e3, "ms/step")
	})
}
