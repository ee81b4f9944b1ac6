package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// edgeArguments returns means, offsets and averages of spins.
func edgeArguments(tb testing.TB, seed uint64, n int) (lambda, offset, s, sh []float32) {
	rng := testRand(seed)
	uniform := func() []float32 {
		x := guarded[float32](tb, n)
		for i := range x {
			x[i] = float32(2*rng.Float64() - 1)
			switch rng.IntN(10) {
			case 0:
				x[i] = 1
			case 1:
				x[i] = -1
			case 2:
				x[i] = 0
			}
		}
		return x
	}
	lambda, offset, s, sh = uniform(), uniform(), uniform(), uniform()
	return lambda, offset, s, sh
}

// toEdges returns edges of a coupling and offsets.
func toEdges[T Real](j float64, offset []T) *Edges[T] {
	wide := make([]float64, len(offset))
	for i, v := range offset {
		wide[i] = float64(v)
	}
	var e Edges[T]
	e.Set(j, wide)
	return &e
}

// checkEdges holds the tier in use against portable code.
func checkEdges(t *testing.T, seed uint64, n int, j, nu, h float64) {
	lambda, offset, s, sh := edgeArguments(t, seed, n)
	e := toEdges(j, offset)
	for _, x := range []*[]float32{&e.offset, &e.plus, &e.minus} {
		own := guarded[float32](t, n)
		copy(own, *x)
		*x = own
	}
	k, byLambda, field := guarded[float32](t, n), guarded[float32](t, n), guarded[float32](t, n)
	for i := range field {
		field[i] = float32(i)
	}
	wantK, wantByLambda, wantField := make([]float32, n), make([]float32, n), slices.Clone(field)
	all := func(k, byLambda, field []float32) [3]float64 {
		return [3]float64{e.Couplings(k, field, lambda, nu), e.Constant(lambda, nu), e.Slopes(byLambda, lambda, s, sh, nu, h)}
	}
	got := all(k, byLambda, field)
	var want [3]float64
	onPortable(func() { want = all(wantK, wantByLambda, wantField) })
	if got != want {
		t.Fatalf("n=%d: sums of C, of A and by coupling %v, want %v", n, got, want)
	}
	for i := range k {
		if !same(k[i], wantK[i]) || field[i] != wantField[i] || !same(byLambda[i], wantByLambda[i]) {
			t.Fatalf("n=%d: edge %d: %v, %v, %v, want %v, %v, %v", n, i, k[i], field[i], byLambda[i], wantK[i], wantField[i], wantByLambda[i])
		}
	}
}

// checkPlainEdges also holds them against edges with offsets of 0, in float64.
func checkPlainEdges(t *testing.T, seed uint64, n int, j float64) {
	lambda, _, _, sh := edgeArguments(t, seed, n)
	k, want := guarded[float32](t, n), make([]float32, n)
	wide, wide64 := make([]float64, n), make([]float64, n)
	none, l64, sh64 := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range lambda {
		l64[i], sh64[i] = float64(lambda[i]), float64(sh[i])
	}
	each := func(what string) {
		for i := range k {
			if shortEdges(j/2) != nil && !same(k[i], want[i]) {
				t.Fatalf("n=%d J=%v: %s of edge %d: %v, want %v", n, j, what, i, k[i], want[i])
			}
			if d := math.Abs(float64(k[i]) - wide64[i]); d > 1e-6*max(j, math.Abs(wide64[i])) {
				t.Fatalf("n=%d J=%v: %s of edge %d at %v: %v, not %v", n, j, what, i, lambda[i], k[i], wide64[i])
			}
			if d := math.Abs(wide[i] - wide64[i]); d > 1e-12*max(1, math.Abs(wide64[i])) {
				t.Fatalf("n=%d J=%v: %s of edge %d at %v: %v in float64, not %v", n, j, what, i, lambda[i], wide[i], wide64[i])
			}
		}
	}
	PlainEdges(k, lambda, j)
	onPortable(func() { PlainEdges(want, lambda, j) })
	PlainEdges(wide, l64, j)
	e := toEdges(j, none)
	e.Couplings(wide64, make([]float64, n), l64, 0)
	each("K")
	byJ := PlainEdgeSlopes(k, lambda, sh, j)
	onPortable(func() {
		if sum := PlainEdgeSlopes(want, lambda, sh, j); byJ != sum {
			t.Fatalf("n=%d J=%v: by coupling %v, want %v", n, j, byJ, sum)
		}
	})
	byJ64 := e.Slopes(wide64, l64, none, sh64, 0, 0)
	tolerance := 1e-6 * float64(n)
	if sum := PlainEdgeSlopes(wide, l64, sh64, j); math.Abs(byJ-byJ64) > tolerance || math.Abs(sum-byJ64) > tolerance {
		t.Fatalf("n=%d J=%v: by coupling %v and %v, want %v", n, j, byJ, sum, byJ64)
	}
	each("by lambda")
}

func TestPlainEdges(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 50 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkPlainEdges(t, uint64(n), n, 0.1) })
		}
		for _, j := range []float64{1e-3, 0.03, 0.2, 0.21, 0.6, 1, 1.1} {
			t.Run(fmt.Sprint(j), func(t *testing.T) { checkPlainEdges(t, 7, 1000, j) })
		}
	})
}

func FuzzPlainEdges(f *testing.F) {
	f.Add(uint64(1), uint16(100), 0.1)
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, j float64) {
		j = math.Abs(math.Mod(j, 1.3)) + 1e-3
		if math.IsNaN(j) {
			return
		}
		onTiers(t, func(t *testing.T) { checkPlainEdges(t, seed, int(n%2000), j) })
	})
}

func TestEdges(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 50 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkEdges(t, uint64(n), n, 0.1, 0.3, -0.2) })
			t.Run(fmt.Sprint("far", n), func(t *testing.T) { checkEdges(t, uint64(n), n, 0.3, 0.3, -0.2) })
		}
		for _, r := range edgeRanges {
			t.Run(fmt.Sprint("1000 to ", r.limit), func(t *testing.T) { checkEdges(t, 7, 1000, r.limit, -1, 0.7) })
		}
	})
}

func FuzzEdges(f *testing.F) {
	f.Add(uint64(1), uint16(100), 0.1, 0.2, 0.3)
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, j, nu, h float64) {
		j, nu, h = math.Abs(math.Mod(j, 0.6))+1e-3, math.Mod(nu, 1), math.Mod(h, 1)
		if math.IsNaN(j + nu + h) {
			return
		}
		onTiers(t, func(t *testing.T) { checkEdges(t, seed, int(n%2000), j, nu, h) })
	})
}

// In float32 every number is within its tolerance of the one in float64, with
// the short method and beyond it.
func TestEdgeAccuracy(t *testing.T) {
	const n = 2000
	wide := func(x []float32) []float64 {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = float64(v)
		}
		return y
	}
	onTiers(t, func(t *testing.T) {
		for _, nu := range []float64{0, -0.3, 0.9, 1} {
			for _, j := range []float64{1e-4, 0.01, 0.1, 0.11, 0.3, 0.5, 0.6, 5} {
				lambda, offset, s, sh := edgeArguments(t, 3, n)
				x := 2 * j * (1 + math.Abs(nu))
				if shortEdges(j) == nil { // where f almost vanishes its logarithm is steep
					for i := range lambda {
						lambda[i] *= 0.9
					}
				}
				slopeTolerance := 2e-6
				if j > edgeRanges[0].limit { // a slope can be large there, where f is small
					slopeTolerance = 5e-6
				}
				const h = -0.4
				for i := range sh { // averages that spins can have
					sh[i] = h * s[i]
				}
				k, field, byLambda := make([]float32, n), make([]float32, n), make([]float32, n)
				k64, field64, byLambda64 := make([]float64, n), make([]float64, n), make([]float64, n)
				e, e64 := toEdges(j, offset), toEdges(j, wide(offset))
				a, c := e.Constant(lambda, nu), e.Couplings(k, field, lambda, nu)
				a64, c64 := e64.Constant(wide(lambda), nu), e64.Couplings(k64, field64, wide(lambda), nu)
				byJ := e.Slopes(byLambda, lambda, s, sh, nu, h)
				byJ64 := e64.Slopes(byLambda64, wide(lambda), wide(s), wide(sh), nu, h)
				for i := range k {
					if math.Abs(float64(k[i])-k64[i]) > 7e-7*x || math.Abs(float64(field[i])-field64[i]) > 7e-7*x {
						t.Fatalf("J=%v nu=%v: lambda=%v offset=%v: K=%v B=%v, want %v %v", j, nu, lambda[i], offset[i], k[i], field[i], k64[i], field64[i])
					}
					if d := math.Abs(float64(byLambda[i]) - byLambda64[i]); d > slopeTolerance*max(x, math.Abs(byLambda64[i])) {
						t.Fatalf("J=%v nu=%v: lambda=%v offset=%v: by lambda %v, want %v", j, nu, lambda[i], offset[i], byLambda[i], byLambda64[i])
					}
				}
				if math.Abs(a-a64) > 2e-6*math.Abs(a64)+2e-8*n || math.Abs(c-c64) > 1e-7*n*x || math.Abs(byJ-byJ64) > 1e-6*n*x/j {
					t.Fatalf("J=%v nu=%v: sums %v %v %v, want %v %v %v", j, nu, a, c, byJ, a64, c64, byJ64)
				}
			}
		}
	})
}

func BenchmarkEdges(b *testing.B) {
	const n = 784
	lambda, offset, s, sh := edgeArguments(b, 1, n)
	k, field := make([]float32, n), make([]float32, n)
	per := func(b *testing.B) { b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/n, "ns/edge") }
	e, far, beyond := toEdges(0.1, offset), toEdges(0.2, offset), toEdges(1, offset)
	b.Run("Couplings", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				e.Couplings(k, field, lambda, 0.2)
			}
			per(b)
		})
	})
	b.Run("CouplingsFar", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				far.Couplings(k, field, lambda, 0.2)
			}
			per(b)
		})
	})
	b.Run("Constant", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				e.Constant(lambda, 0.2)
			}
			per(b)
		})
	})
	b.Run("Slopes", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				e.Slopes(k, lambda, s, sh, 0.2, 0.3)
			}
			per(b)
		})
	})
	b.Run("PlainEdges", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				PlainEdges(k, lambda, 0.1)
			}
			per(b)
		})
	})
	b.Run("PlainEdgeSlopes", func(b *testing.B) {
		benchTiers(b, func(b *testing.B) {
			for b.Loop() {
				PlainEdgeSlopes(k, lambda, sh, 0.1)
			}
			per(b)
		})
	})
	b.Run("logarithms", func(b *testing.B) {
		for b.Loop() {
			beyond.Couplings(k, field, lambda, 0.2)
		}
		per(b)
	})
}
