package kernel

import (
	"fmt"
	"testing"
)

func checkTranspose(t *testing.T, seed uint64, rows, cols, extra int) {
	ldX, ldDst := cols+extra, rows+2*extra
	x := fill(guarded[float32](t, max(0, rows*ldX-extra)), testRand(seed), 1)
	dst := guarded[float32](t, max(0, cols*ldDst-2*extra))
	Transpose(dst, ldDst, x, ldX, rows, cols)
	for i := range rows {
		for j := range cols {
			if dst[j*ldDst+i] != x[i*ldX+j] {
				t.Fatalf("%d x %d: element (%d, %d) is wrong", rows, cols, i, j)
			}
		}
	}
	for k, v := range dst {
		if k%ldDst >= rows && v != 0 {
			t.Fatalf("%d x %d: wrote between rows", rows, cols)
		}
	}
}

func TestTranspose(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		sizes := []int{1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 50}
		for _, rows := range sizes {
			for _, cols := range sizes {
				t.Run(fmt.Sprintf("%dx%d", rows, cols), func(t *testing.T) { checkTranspose(t, 1, rows, cols, (rows+cols)%3) })
			}
		}
		Transpose[float32](nil, 0, nil, 5, 0, 5)
	})
}

func FuzzTranspose(f *testing.F) {
	f.Add(uint64(1), uint8(40), uint8(20))
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8) {
		onTiers(t, func(t *testing.T) { checkTranspose(t, seed, 1+int(rows), 1+int(cols), int(seed%5)) })
	})
}

func checkAdam(t *testing.T, seed uint64, n int) {
	var a, b [4][]float32
	for k := range a {
		a[k] = arguments(t, seed+uint64(k), n)
		if k == 2 { // squares
			for i, v := range a[k] {
				a[k][i] = abs32(v)
			}
		}
		b[k] = append([]float32(nil), a[k]...)
	}
	for _, keep := range []float32{0.9, 0.35} {
		Adam(a[0], a[1], a[2], a[3], keep, 1-keep, 1-keep/20, 0.01, 1e-8, 5)
		adam(b[0], b[1], b[2], b[3], keep, 1-keep, 1-keep/20, 0.01, 1e-8, 5)
		RMSProp(a[0], a[2], a[3], 0.99, 0.02, 1e-8, 5)
		rmsProp(b[0], b[2], b[3], 0.99, 0.02, 1e-8, 5)
	}
	for k := range a {
		for i := range a[k] {
			if !same(a[k][i], b[k][i]) {
				t.Fatalf("n=%d: array %d, element %d: %v, want %v", n, k, i, a[k][i], b[k][i])
			}
		}
	}
}

func TestAdam(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 50 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkAdam(t, uint64(n), n) })
		}
		t.Run("1000", func(t *testing.T) { checkAdam(t, 7, 1000) })
	})
}

// Adam that keeps nothing of its average is RMSProp.
func TestRMSProp(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		const n = 100
		x, m, v, g := arguments(t, 1, n), make([]float32, n), make([]float32, n), arguments(t, 2, n)
		y, w := append([]float32(nil), x...), make([]float32, n)
		for range 3 {
			Adam(x, m, v, g, 0, 1, 0.98, 0.01, 1e-8, 5)
			RMSProp(y, w, g, 0.98, 0.01, 1e-8, 5)
		}
		for i := range x {
			if !same(x[i], y[i]) || !same(v[i], w[i]) {
				t.Fatalf("element %d: %v, %v, not %v, %v", i, y[i], w[i], x[i], v[i])
			}
		}
	})
}

func FuzzAdam(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, n uint16) {
		onTiers(t, func(t *testing.T) { checkAdam(t, seed, int(n%2000)) })
	})
}

func BenchmarkTranspose(b *testing.B) {
	const rows, cols = 500, 784
	x, dst := fill(make([]float32, rows*cols), testRand(1), 1), make([]float32, rows*cols)
	benchTiers(b, func(b *testing.B) {
		for b.Loop() {
			Transpose(dst, rows, x, cols, rows, cols)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/(rows*cols), "ns/element")
	})
}

func BenchmarkAdam(b *testing.B) {
	const n = 1 << 14
	x, m, v, g := make([]float32, n), make([]float32, n), make([]float32, n), fill(make([]float32, n), testRand(1), 1)
	benchTiers(b, func(b *testing.B) {
		for b.Loop() {
			Adam(x, m, v, g, 0.9, 0.1, 1, 1e-3, 1e-8, 10)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/n, "ns/element")
	})
}
