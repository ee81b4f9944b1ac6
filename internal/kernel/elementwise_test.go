package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// arguments returns n arguments, many of them hard ones.
func arguments(tb testing.TB, seed uint64, n int) []float32 {
	rng := testRand(seed)
	x := fill(guarded[float32](tb, n), rng, 3)
	for i := range x {
		if rng.IntN(4) == 0 {
			x[i] = hard[rng.IntN(len(hard))]
		}
	}
	return x
}

func checkElementwise(t *testing.T, seed uint64, n int) {
	x, v := arguments(t, seed, n), arguments(t, seed+1, n)
	for i := range v {
		v[i] = abs32(v[i])
	}
	equal := func(name string, got, want []float32) {
		t.Helper()
		for i := range want {
			if !same(got[i], want[i]) {
				t.Fatalf("%s(%v, %v) = %v, want %v (element %d of %d)", name, x[i], v[i], got[i], want[i], i, n)
			}
		}
	}
	got, want := guarded[float32](t, n), make([]float32, n)
	Tanh(got, x)
	tanh(want, x)
	equal("tanh", got, want)

	got2, want2 := guarded[float32](t, n), make([]float32, n)
	GaussMoments(got, got2, x, v)
	gaussMoments(want, want2, x, v)
	equal("gaussMoments", got, want)
	equal("gaussMoments'", got2, want2)
	m, r := append([]float32(nil), x...), append([]float32(nil), v...)
	GaussMoments(m, r, m, r)
	equal("gaussMoments in place", m, want)
	for _, one := range []float32{0, 0.3, 50} {
		GaussMoments(got, got2, x, []float32{one})
		gaussMoments(want, want2, x, slices.Repeat([]float32{one}, n))
		equal("gaussMoments, one variance", got, want)
		equal("gaussMoments', one variance", got2, want2)
	}

	sum, wantSum := guarded[float64](t, n), make([]float64, n)
	check := func(name string) {
		t.Helper()
		for i := range sum {
			if sum[i] != wantSum[i] && !(sum[i] != sum[i] && wantSum[i] != wantSum[i]) {
				t.Fatalf("%s: %v adds up to %v, want %v", name, x[i], sum[i], wantSum[i])
			}
		}
	}
	for i := range sum {
		sum[i] = float64(i)
		wantSum[i] = sum[i]
	}
	AddLog2Cosh(sum, x)
	addLog2Cosh(wantSum, x)
	check("addLog2Cosh")
	AddLog2CoshStep(sum, x, 0.5, 0.625)
	addLog2CoshStep(wantSum, x, 0.5, 0.625)
	check("addLog2CoshStep")

	finite := fill(guarded[float32](t, n), testRand(seed), 4)
	for i := range v {
		v[i] = finite[i] * finite[i]
	}
	if got, want := GaussLog2Cosh(finite, v), gaussLog2Cosh(finite, v); got != want {
		t.Fatalf("gaussLog2Cosh of %d = %v, want %v", n, got, want)
	}
}

func TestElementwise(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 70 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkElementwise(t, uint64(n), n) })
		}
		t.Run("1000", func(t *testing.T) { checkElementwise(t, 5, 1000) })
	})
}

func FuzzElementwise(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		onTiers(t, func(t *testing.T) { checkElementwise(t, seed, int(n%2000)) })
	})
}

func TestExp2(t *testing.T) {
	for y := float32(-126); y <= 126; y += 1. / 512 {
		want := math.Exp2(float64(y))
		if d := math.Abs(float64(exp2(y))/want - 1); d > 2e-7 {
			t.Fatalf("exp2(%v) is off by %v", y, d)
		}
	}
}

func TestAccuracy(t *testing.T) {
	for x := -40.0; x <= 40; x += 0.0037 {
		f := []float32{float32(x)}
		x := float64(f[0])
		out := make([]float32, 1)
		tanh(out, f)
		if d := math.Abs(float64(out[0]) - math.Tanh(x)); d > 5e-7*math.Abs(math.Tanh(x)) || math.Abs(float64(out[0])) > 1 {
			t.Fatalf("tanh(%v) is off by %v", x, d)
		}
		sum := make([]float64, 1)
		addLog2Cosh(sum, f)
		if want := Log2Cosh(x); math.Abs(sum[0]/want-1) > 3e-7 {
			t.Fatalf("ln 2cosh(%v) = %v, want %v", x, sum[0], want)
		}
		clear(sum)
		addLog2CoshStep(sum, f, 0.5, 0.625)
		if want := Log2Cosh(0.625*x) - Log2Cosh(0.5*x); math.Abs(sum[0]-want) > 3e-7*(1+want) {
			t.Fatalf("step at %v = %v, want %v", x, sum[0], want)
		}
		for _, v := range []float32{0, 0.01, 0.5, 2, 30, 1000} {
			want := GaussLog2Cosh([]float64{x}, []float64{float64(v)})
			if got := gaussLog2Cosh(f, []float32{v}); math.Abs(got-want) > 1e-6*(1+want) {
				t.Fatalf("gaussLog2Cosh(%v, %v) = %v, want %v", x, v, got, want)
			}
		}
	}
}

// In float32 averages are those of tanh itself, by the trapezoidal rule; in float64
// those of the mixture.
func TestGaussMomentsAccuracy(t *testing.T) {
	for _, v := range []float64{0, 0.01, 0.1, 0.5, 1, 2, 5, 30, 1000} {
		for k := -12.0; k <= 12; k += 0.037 {
			mean := float64(float32(k * math.Sqrt(0.3+v)))
			var tanh, sech2 float64
			deviation := math.Sqrt(v)
			step := min(0.1, 0.3/deviation)
			for n := -math.Ceil(9 / step); n*step <= 9; n++ {
				z := n * step
				weight, x := step/math.Sqrt(2*math.Pi)*math.Exp(-z*z/2), math.Tanh(mean+deviation*z)
				tanh += weight * x
				sech2 += weight * (1 - x*x)
			}
			check := func(what string, gotTanh, gotSech2, tanhTolerance, sech2Tolerance float64) {
				if math.Abs(gotTanh-tanh) > tanhTolerance || math.Abs(gotSech2-sech2) > sech2Tolerance {
					t.Fatalf("%s: averages at mean %v and variance %v: %v, %v, want %v, %v", what, mean, v, gotTanh, gotSech2, tanh, sech2)
				}
			}
			short, short2 := make([]float32, 1), make([]float32, 1)
			gaussMoments(short, short2, []float32{float32(mean)}, []float32{float32(v)})
			check("float32", float64(short[0]), float64(short2[0]), 4e-6, 4e-6)
			long, long2 := make([]float64, 1), make([]float64, 1)
			GaussMoments(long, long2, []float64{mean}, []float64{v})
			check("float64", long[0], long2[0], 1e-5, 1e-4)
		}
	}
}

// Averages are within their bounds whatever the mean and variance, reach them at
// infinite means, and are NaN where an argument is.
func TestGaussMomentsBounds(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	onTiers(t, func(t *testing.T) {
		var mean, variance []float32
		for _, v := range []float32{0, 1e-30, 1e-3, 0.1, 0.37, 1, 4, 70, 1e6, 1e30, math.MaxFloat32} {
			for k := float32(0); k < 12; k += 1. / 128 {
				mean, variance = append(mean, k*float32(math.Sqrt(float64(0.3+v)))), append(variance, v)
			}
			mean, variance = append(mean, inf, math.MaxFloat32), append(variance, v, v)
		}
		n := len(mean)
		tanh, sech2 := make([]float32, n), make([]float32, n)
		GaussMoments(tanh, sech2, mean, variance)
		for k, m := range mean {
			if !(tanh[k] >= 0 && tanh[k] <= 1 && sech2[k] >= 0 && sech2[k] <= 1) || m == 0 && tanh[k] != 0 || m == inf && (tanh[k] != 1 || sech2[k] != 0) {
				t.Fatalf("gaussMoments(%v, %v) = %v, %v", m, variance[k], tanh[k], sech2[k])
			}
			mean[k] = -m
		}
		minus := make([]float32, n)
		GaussMoments(minus, sech2, mean, variance)
		for k := range minus {
			if minus[k] != -tanh[k] {
				t.Fatalf("gaussMoments(%v, %v) = %v, not %v", mean[k], variance[k], minus[k], -tanh[k])
			}
		}
		for _, c := range [][2]float32{{nan, 1}, {1, nan}, {nan, nan}, {0, nan}, {inf, nan}} {
			for _, alike := range []bool{false, true} {
				tanh, sech2, mean, variance := make([]float32, 20), make([]float32, 20), slices.Repeat(c[:1], 20), slices.Repeat(c[1:], 20)
				if alike {
					variance = variance[:1]
				}
				GaussMoments(tanh, sech2, mean, variance)
				for k := range tanh {
					if tanh[k] == tanh[k] || sech2[k] == sech2[k] {
						t.Fatalf("gaussMoments(%v, %v) = %v, %v", c[0], c[1], tanh[k], sech2[k])
					}
				}
			}
		}
	})
}

func BenchmarkElementwise(b *testing.B) {
	const n = 1 << 14
	rng := testRand(1)
	x, v, dst, dst2, sum := fill(make([]float32, n), rng, 2), make([]float32, n), make([]float32, n), make([]float32, n), make([]float64, n)
	for i := range v {
		v[i] = float32(rng.Float64())
	}
	per := func(b *testing.B) { b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/n, "ns/element") }
	b.Run("math.Tanh", func(b *testing.B) {
		for b.Loop() {
			for i, x := range x {
				dst[i] = float32(math.Tanh(float64(x)))
			}
		}
		per(b)
	})
	for _, c := range []struct {
		name string
		call func()
	}{
		{"Tanh", func() { Tanh(dst, x) }},
		{"GaussMoments", func() { GaussMoments(dst, dst2, x, v) }},
		{"GaussMoments/alike", func() { GaussMoments(dst, dst2, x, v[:1]) }},
		{"GaussLog2Cosh", func() { GaussLog2Cosh(x, v) }},
		{"AddLog2Cosh", func() { AddLog2Cosh(sum, x) }},
		{"AddLog2CoshStep", func() { AddLog2CoshStep(sum, x, 0.5, 0.625) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			benchTiers(b, func(b *testing.B) {
				for b.Loop() {
					c.call()
				}
				per(b)
			})
		})
	}
}
