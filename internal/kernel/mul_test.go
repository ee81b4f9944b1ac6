package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkMul compares a product with the sums in float64, and requires that rows
// computed one by one come out the same.
func checkMul(t *testing.T, seed uint64, p, k, lanes, extra int) {
	rng := testRand(seed)
	stride := Stride(lanes) + extra*LaneAlign
	bits := guarded[uint32](t, max(0, Words(k)*stride-extra*LaneAlign))
	all := make([]uint32, Words(k)*stride)
	copy(bits, randomBits(all, rng, k, stride, lanes))
	a := fill(guarded[float32](t, p*k), rng, 1)
	dst := guarded[float32](t, p*lanes)
	for i := range dst {
		dst[i] = float32(math.NaN())
	}
	MulBits(dst, a, p, k, bits, stride, lanes)
	row := guarded[float32](t, lanes)
	for i := range p {
		var scale float64
		for _, v := range a[i*k : (i+1)*k] {
			scale += math.Abs(float64(v))
		}
		for l := range lanes {
			var want float64
			for r := range k {
				want += float64(a[i*k+r]) * float64(int(bits[r/WordBits*stride+l]>>(r%WordBits)&1)*2-1)
			}
			if d := math.Abs(float64(dst[i*lanes+l]) - want); !(d <= 3e-7*scale) {
				t.Fatalf("p=%d k=%d lanes=%d: (%d, %d) = %v, want %v", p, k, lanes, i, l, dst[i*lanes+l], want)
			}
		}
		MulBits(row, a[i*k:(i+1)*k], 1, k, bits, stride, lanes)
		if !slices.Equal(row, dst[i*lanes:(i+1)*lanes]) {
			t.Fatalf("p=%d k=%d lanes=%d: row %d alone differs", p, k, lanes, i)
		}
	}
}

func TestMulBits(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, p := range []int{1, 2, 3, 4, 5, 6, 7, 13} {
			for _, k := range []int{0, 1, 7, 29, 30, 31, 60, 95, 211, 429, 601} {
				for _, lanes := range []int{1, 15, 16, 17, 33, 63, 64, 65, 100, 129} {
					t.Run(fmt.Sprintf("%dx%dx%d", p, k, lanes), func(t *testing.T) {
						checkMul(t, uint64(p*k*lanes), p, k, lanes, (p+k)%2)
					})
				}
			}
		}
		MulBits[float32](nil, nil, 0, 5, nil, 0, 0)
	})
}

// TestMulFew: a product of few lanes is the same as in the company of others.
func TestMulFew(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const p, lanes = 7, fewLanes + 5
	for _, k := range []int{1, 29, 30, 31, 429} {
		a, bits := make([]float64, p*k), make([]uint32, Words(k)*lanes)
		for i := range a {
			a[i] = rng.NormFloat64()
		}
		for i := range bits {
			bits[i] = rng.Uint32() & (1<<WordBits - 1)
		}
		all := make([]float64, p*lanes)
		MulBits(all, a, p, k, bits, lanes, lanes)
		for some := 1; some <= fewLanes; some++ {
			few := make([]float64, p*some)
			MulBits(few, a, p, k, bits, lanes, some)
			for i := range p {
				if !slices.Equal(few[i*some:(i+1)*some], all[i*lanes:][:some]) {
					t.Fatalf("%d elements, %d lanes: row %d differs", k, some, i)
				}
			}
		}
	}
}

// Vector kernels take few lanes without tables, and rows that are left over with some before them: a lane has the same bits
// as in the company of many.
func TestMulFewLanes(t *testing.T) {
	const lanes = 70
	onTiers(t, func(t *testing.T) {
		for _, k := range []int{1, 29, 30, 31, 95, 211, 240, 784} {
			rng := testRand(uint64(k))
			const p = 13
			stride := Stride(lanes)
			bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
			a, all := fill(make([]float32, p*k), rng, 1), make([]float32, p*lanes)
			MulBits(all, a, p, k, bits, stride, lanes)
			for _, rows := range []int{1, 4, 5, 6, 13} {
				for _, some := range []int{1, 4, 8, 9, 16, 17, 32, 33} {
					few := guarded[float32](t, rows*some)
					MulBits(few, guardedCopy(t, a[:rows*k]), rows, k, bits, stride, some)
					for i := range rows {
						if !slices.Equal(few[i*some:(i+1)*some], all[i*lanes:][:some]) {
							t.Fatalf("%d elements, %d rows, %d lanes: row %d differs", k, rows, some, i)
						}
					}
				}
			}
		}
	})
}

// guardedCopy returns a copy that ends where memory ends.
func guardedCopy(t *testing.T, x []float32) []float32 {
	y := guarded[float32](t, len(x))
	copy(y, x)
	return y
}

// Sums of small integers are exact, so that all tiers agree.
func TestMulBitsExact(t *testing.T) {
	const p, k, lanes = 11, 784, 150
	rng := testRand(1)
	stride := Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a := make([]float32, p*k)
	for i := range a {
		a[i] = float32(rng.IntN(2001) - 1000)
	}
	want := make([]float32, p*lanes)
	mulBits(want, a, p, k, bits, stride, lanes)
	onTiers(t, func(t *testing.T) {
		dst := make([]float32, p*lanes)
		MulBits(dst, a, p, k, bits, stride, lanes)
		if !slices.Equal(dst, want) {
			t.Error("differs from the portable product")
		}
	})
}

func FuzzMulBits(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint16(784), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, p uint8, k, lanes uint16) {
		onTiers(t, func(t *testing.T) { checkMul(t, seed, int(p%16), int(k%1000), int(lanes%400), int(seed%3)) })
	})
}

func TestMulBitsAllocates(t *testing.T) {
	const p, k, lanes = 6, 100, 100
	stride := Stride(lanes)
	bits, a, dst := make([]uint32, Words(k)*stride), make([]float32, p*k), make([]float32, p*lanes)
	onTiers(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(100, func() { MulBits(dst, a, p, k, bits, stride, lanes) }); n > 0.5 {
			t.Errorf("%v allocations a product", n)
		}
	})
}

func BenchmarkMulBits(b *testing.B) {
	for _, s := range []struct{ p, k, lanes int }{
		{500, 784, 1000}, {100, 784, 1000}, {500, 1000, 784}, {784, 500, 1000}, {1, 784, 1000}, {2, 784, 1000}, {5, 784, 1000}, {8, 784, 100}, {100, 100, 100}, {500, 784, 1}, {500, 784, 5}, {500, 784, 20}, {500, 784, 32}, {500, 784, 64},
	} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.p, s.k, s.lanes), func(b *testing.B) {
			rng := testRand(1)
			stride := Stride(s.lanes)
			bits := randomBits(make([]uint32, Words(s.k)*stride), rng, s.k, stride, s.lanes)
			a, dst := fill(make([]float32, s.p*s.k), rng, 1), make([]float32, s.p*s.lanes)
			benchTiers(b, func(b *testing.B) {
				for b.Loop() {
					MulBits(dst, a, s.p, s.k, bits, stride, s.lanes)
				}
				b.ReportMetric(2*float64(s.p*s.k*s.lanes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFeq/s")
			})
		})
	}
}
