package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// sameSum reports whether two sums are equal or both NaN.
func sameSum(x, y float64) bool { return x == y || x != x && y != y }

func checkRows(t *testing.T, seed uint64, n int) {
	rng := testRand(seed)
	row := func() []float32 { return fill(guarded[float32](t, n), rng, 1) }
	equal := func(name string, got, want []float32) {
		t.Helper()
		for i := range want {
			if !same(got[i], want[i]) {
				t.Fatalf("%s: element %d of %d is %v, want %v", name, i, n, got[i], want[i])
			}
		}
	}
	equalSums := func(name string, got, want []float64) {
		t.Helper()
		for i := range want {
			if !sameSum(got[i], want[i]) {
				t.Fatalf("%s of %d: sum %d is %v, want %v", name, n, i, got[i], want[i])
			}
		}
	}
	x, got, want := arguments(t, seed, n), row(), make([]float32, n)
	slope, shift := float32(rng.NormFloat64()), float32(rng.NormFloat64())
	Affine(got, x, slope, shift)
	affine(want, x, slope, shift)
	equal("affine", got, want)
	AffineFloor(got, x, slope, shift)
	affineFloor(want, x, slope, shift)
	equal("affineFloor", got, want)
	copy(got, x)
	AffineFloor(got, got, slope, shift)
	equal("affineFloor in place", got, want)

	equalSums("sum", []float64{Sum(x)}, []float64{sumRow(x)})
	sum, wantSum := guarded[float64](t, n), make([]float64, n)
	for i := range sum {
		sum[i] = rng.NormFloat64()
		wantSum[i] = sum[i]
	}
	for rows := 1; rows <= rowsTogether; rows += 7 {
		few, scale := fill(guarded[float32](t, rows*n), rng, 1), fill(guarded[float32](t, rows), rng, 1)
		use().addRows(sum, few, scale)
		addRows(wantSum, few, scale)
		equalSums("addRows", sum, wantSum)
	}

	lambda, offset := row(), row()
	a, f := Biases(got, lambda, offset)
	wantA, wantF := biases(want, lambda, offset)
	equal("biases", got, want)
	equalSums("biases", []float64{a, f}, []float64{wantA, wantF})
	equalSums("free", []float64{Free(lambda)}, []float64{free(lambda)})
	if _, f := Biases(got, lambda, make([]float32, n)); f != Free(lambda) {
		t.Errorf("without offsets Biases gives %v, Free %v", f, Free(lambda))
	}

	tanh, sech2, mean, variance := row(), row(), row(), row()
	copy(want, tanh)
	s0, s1, s2 := FieldSums(tanh, sech2, mean, variance, slope, shift)
	w0, w1, w2 := fieldSums(want, sech2, mean, variance, slope, shift)
	equal("fieldSums", tanh, want)
	equalSums("fieldSums", []float64{s0, s1, s2}, []float64{w0, w1, w2})

	r := SynapseRow[float32]{row(), row(), row(), row(), row(), row()}
	g := SynapseGradient(got, r, SynapseScales[float32]{0.3, 0.7, 1.1, slope, shift})
	wantG := synapseGradient(want, r.Mean, r.Offset, r.TanhData, r.Sech2Data, r.Partition, r.Theta, 0.3, 0.7, 1.1, slope, shift)
	equal("synapseGradient", got, want)
	equalSums("synapseGradient", []float64{g}, []float64{wantG})
}

func TestRows(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 70 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkRows(t, uint64(n), n) })
		}
		t.Run("1000", func(t *testing.T) { checkRows(t, 5, 1000) })
	})
}

// Rows that are summed by halves give what float64 does, to within float32.
func TestLongRows(t *testing.T) {
	const n = 5*shortRow + 3
	rng := testRand(1)
	var x [6][]float32
	var y [6][]float64
	for k := range x {
		x[k] = make([]float32, n)
		for i := range x[k] {
			x[k][i] = rng.Float32()
			y[k] = append(y[k], float64(x[k][i]))
		}
	}
	got, want, gotRow, wantRow := make([]float64, 7), make([]float64, 7), make([]float32, n), make([]float64, n)
	by, by64 := SynapseScales[float32]{0.5, 0.25, 0.5, 4, 0.25}, SynapseScales[float64]{0.5, 0.25, 0.5, 4, 0.25}
	// In float64, without splitting.
	bias64, bias := make([]float64, n), make([]float32, n)
	want[0], want[1] = biases(bias64, y[0], y[1])
	want[5] = synapseGradient(wantRow, y[0], y[1], y[2], y[3], y[4], y[5], by64.First, by64.Second, by64.Excess, by64.Sech2Sum, by64.Share)
	want[6] = free(y[0])
	want[2], want[3], want[4] = fieldSums(y[2], y[3], y[4], y[5], 0.25, -1)
	onTiers(t, func(t *testing.T) {
		tanh := slices.Clone(x[2])
		got[0], got[1] = Biases(bias, x[0], x[1])
		got[2], got[3], got[4] = FieldSums(tanh, x[3], x[4], x[5], 0.25, -1)
		got[5] = SynapseGradient(gotRow, SynapseRow[float32]{x[0], x[1], x[2], x[3], x[4], x[5]}, by)
		got[6] = Free(x[0])
		for k := range want {
			if math.Abs(got[k]-want[k]) > 2e-7*n {
				t.Errorf("sum %d is %v, want %v", k, got[k], want[k])
			}
		}
		for i, v := range wantRow {
			if math.Abs(float64(gotRow[i])-v) > 1e-6 || math.Abs(float64(bias[i])-bias64[i]) > 1e-6 || math.Abs(float64(tanh[i])-y[2][i]) > 1e-6 {
				t.Fatalf("element %d is %v and %v, want %v and %v", i, gotRow[i], tanh[i], v, y[2][i])
			}
		}
	})
}

func FuzzRows(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		onTiers(t, func(t *testing.T) { checkRows(t, seed, int(n%(shortRow+1))) })
	})
}

// In float64 rows obey the formulas of their doc comments.
func TestRowFormulas(t *testing.T) {
	const n, o, l = 3, 0.3, -0.6
	near := func(name string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-14 {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	all := func(v float64) []float64 { return []float64{v, v, v} }
	x := []float64{-2, 1, 3}
	Affine(x, x, 2, 1)
	near("Affine", x[0], -3)
	near("Sum", Sum(x), 7)
	AffineFloor(x, x, 1, 0)
	near("AffineFloor", x[0], 0)
	near("AffineFloor", x[2], 7)
	bias := all(0)
	atOffset, free := Biases(bias, all(l), all(o))
	near("bias", bias[2], (1-l*l)*o)
	near("sum of lambda offset", atOffset, n*l*o)
	near("Free", Free(all(l)), n*(1-l*l))
	near("sum of (1-lambda^2)(1+offset^2)", free, n*(1-l*l)*(1+o*o))
	tanh := all(0.4)
	tanhSum, sech2Sum, slope := FieldSums(tanh, all(0.8), all(1.5), all(0.2), 0.1, 0.5)
	near("tanh - centre", tanh[1], 0.3)
	near("sum of tanh", tanhSum, n*0.4)
	near("sum of sech^2", sech2Sum, n*0.8)
	near("slope", slope, n*(0.3*1+0.8*0.2))
	gradSum := SynapseGradient(bias, SynapseRow[float64]{all(l), all(o), all(7), all(5), all(0.1), all(0.9)}, SynapseScales[float64]{First: 2, Second: 3, Excess: 4, Sech2Sum: 11, Share: 0.5})
	near("SynapseGradient", bias[0], 2*(7-o*4)-3*l*((1+o*o)*11-2*o*5)-0.1-0.5*0.9)
	near("sum of the gradient", gradSum, n*bias[0])
}

func BenchmarkRows(b *testing.B) {
	const n = 784
	rng := testRand(1)
	row := func() []float32 { return fill(make([]float32, n), rng, 1) }
	x, dst, sum, rows := row(), row(), make([]float64, n), fill(make([]float32, 8*n), rng, 1)
	r := SynapseRow[float32]{row(), row(), row(), row(), row(), row()}
	for _, c := range []struct {
		name string
		call func()
	}{
		{"Affine", func() { Affine(dst, x, 2, 1) }},
		{"Sum", func() { Sum(x) }},
		{"8 AddRows", func() { AddRows(sum, rows, x[:8]) }},
		{"Biases", func() { Biases(dst, r.Mean, r.Offset) }},
		{"Free", func() { Free(r.Mean) }},
		{"FieldSums", func() { FieldSums(dst, r.Mean, r.Offset, r.Theta, 0, 0.1) }},
		{"SynapseGradient", func() { SynapseGradient(dst, r, SynapseScales[float32]{1, 1, 1, 1, 1}) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			benchTiers(b, func(b *testing.B) {
				for b.Loop() {
					c.call()
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/n, "ns/element")
			})
		})
	}
}
