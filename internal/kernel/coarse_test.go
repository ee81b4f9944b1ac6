package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// checkCoarse compares a product in fixed point with its portable
// specification, bit for bit, and with the sums in float64 within its error.
func checkCoarse(t *testing.T, seed uint64, p, k, lanes, extra int) {
	rng := testRand(seed)
	stride := Stride(lanes) + extra*LaneAlign
	bits := guarded[uint32](t, max(0, Words(k)*stride-extra*LaneAlign))
	all := make([]uint32, Words(k)*stride)
	copy(bits, randomBits(all, rng, k, stride, lanes))
	a := fill(guarded[float32](t, p*k), rng, 1)
	if k > 0 && p > 2 {
		clear(a[k : 2*k])
		a[2*k] = 300 // all others are small
	}
	dst := guarded[float32](t, p*lanes)
	for i := range dst {
		dst[i] = float32(math.NaN())
	}
	slope, shift := float32(1), []float32(nil)
	if seed%2 == 1 {
		slope, shift = -0.3, fill(guarded[float32](t, p), rng, 1)
	}
	MulBitsCoarse(dst, a, p, k, bits, stride, lanes, slope, shift)
	want := make([]float32, p*lanes)
	portable.mulBitsCoarseByFloats(want, a, p, k, bits, stride, lanes, slope, shift)
	for i := range want {
		if math.Float32bits(dst[i]) != math.Float32bits(want[i]) {
			t.Fatalf("p=%d k=%d lanes=%d: (%d, %d) = %v, want %v", p, k, lanes, i/lanes, i%lanes, dst[i], want[i])
		}
	}
	for i := range p {
		row := a[i*k : (i+1)*k]
		unit := float64(math.Float32frombits(largest(row))) / coarseTop
		for l := range lanes {
			var exact float64
			for r, v := range row {
				exact += float64(v) * float64(int(bits[r/WordBits*stride+l]>>(r%WordBits)&1)*2-1)
			}
			exact = float64(slope)*exact + float64(shiftOf(shift, i))
			if d := math.Abs(float64(dst[i*lanes+l]) - exact); !(d <= 0.501*float64(k)*unit+1e-6*math.Abs(exact)) {
				t.Fatalf("p=%d k=%d lanes=%d: (%d, %d) = %v, exactly %v", p, k, lanes, i, l, dst[i*lanes+l], exact)
			}
		}
	}
}

func TestMulBitsCoarse(t *testing.T) {
	check := func(t *testing.T, rows, lengths, lanes []int) {
		for _, p := range rows {
			for _, k := range lengths {
				for _, lanes := range lanes {
					checkCoarse(t, uint64(p*k*lanes), p, k, lanes, (p+k)%2)
				}
			}
		}
		MulBitsCoarse[float32](nil, nil, 0, 5, nil, 0, 0, 1, nil)
	}
	onTiers(t, func(t *testing.T) {
		check(t, []int{1, 2, 3, 4, 5, 6, 7, 13}, []int{0, 1, 7, 29, 30, 31, 60, 95, 330, 331, 601}, []int{1, 15, 16, 17, 33, 63, 64, 65, 100, 129})
	})
	onTiles(t, func(t *testing.T) {
		check(t, []int{1, 15, 16, 17, 33}, []int{0, 1, 30, 31, 60, 61, 120}, []int{1, 16, 17, 31, 33, 65})
		check(t, []int{17, 33}, []int{95, 331}, []int{31, 65}) // more steps
	})
}

// The error of a product with signs that know nothing of the rounding is the
// one that the documentation states: over 40,000 outputs its mean square is
// known to 1 %.
func TestMulBitsCoarseNoise(t *testing.T) {
	const p, k, lanes = 40, 784, 1000
	rng := testRand(5)
	stride := Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a := make([]float32, p*k)
	for i := range a {
		a[i] = float32(math.Tanh(rng.NormFloat64()))
	}
	exact, coarse := make([]float32, p*lanes), make([]float32, p*lanes)
	MulBits(exact, a, p, k, bits, stride, lanes)
	onTiers(t, func(t *testing.T) {
		MulBitsCoarse(coarse, a, p, k, bits, stride, lanes, 1, nil)
		var square float64
		for i := range exact {
			square += float64(exact[i]-coarse[i]) * float64(exact[i]-coarse[i])
		}
		deviation := math.Sqrt(square / (p * lanes))
		if want := math.Sqrt(k/12.) / coarseTop; deviation > 1.05*want || deviation < 0.8*want {
			t.Errorf("standard deviation %v, expected %v", deviation, want)
		}
	})
}

// Rows of numbers that are not finite give NaN and leave the others alone;
// the largest sums of the longest rows are exact.
func TestMulBitsCoarseExtremes(t *testing.T) {
	const p, k, lanes = 6, 20000, 70
	stride := Stride(lanes)
	bits := make([]uint32, Words(k)*stride)
	for w := range Words(k) {
		for l := range lanes {
			bits[w*stride+l] = 1<<min(WordBits, k-w*WordBits) - 1
		}
	}
	a := make([]float32, p*k)
	for i := range a {
		a[i] = []float32{1, -3, 1e38, 1e-29, 1e-31, 2}[i/k]
	}
	a[5*k+17] = float32(math.Inf(1))
	onAll(t, func(t *testing.T) {
		dst := make([]float32, p*lanes)
		MulBitsCoarse(dst, a, p, k, bits, stride, lanes, 1, nil)
		for l := range lanes {
			for i, want := range []float64{k, -3 * k, math.Inf(1), 1e-29 * k, 0} {
				if got := float64(dst[i*lanes+l]); !(math.Abs(got-want) <= 1e-6*math.Abs(want)) && got != want {
					t.Fatalf("row %d: %v, want %v", i, got, want)
				}
			}
			if got := dst[5*lanes+l]; got == got {
				t.Fatalf("a row with an infinity gives %v", got)
			}
		}
		a[5*k+17] = float32(math.NaN())
		MulBitsCoarse(dst, a, p, k, bits, stride, lanes, 1, nil)
		if got := dst[5*lanes]; got == got {
			t.Fatalf("a row with NaN gives %v", got)
		}
	})
}

func FuzzMulBitsCoarse(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint16(784), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, p uint8, k, lanes uint16) {
		onAll(t, func(t *testing.T) { checkCoarse(t, seed, int(p%16), int(k%1000), int(lanes%400), int(seed%3)) })
	})
}

// In float64 nothing is rounded.
func TestMulBitsCoarseInDoublePrecision(t *testing.T) {
	const p, k, lanes = 3, 50, 20
	rng := testRand(2)
	stride := Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a := make([]float64, p*k)
	for i := range a {
		a[i] = rng.NormFloat64()
	}
	want, got := make([]float64, p*lanes), make([]float64, p*lanes)
	MulBits(want, a, p, k, bits, stride, lanes)
	MulBitsCoarse(got, a, p, k, bits, stride, lanes, 1, nil)
	if !slices.Equal(got, want) {
		t.Error("differs from MulBits")
	}
}

func BenchmarkMulBitsCoarse(b *testing.B) {
	for _, s := range []struct{ p, k, lanes int }{
		{500, 784, 500}, {500, 500, 784}, {784, 500, 500}, {500, 784, 1000}, {8, 784, 500}, {32, 784, 500}, {2000, 784, 500}, {784, 2000, 500}, {100, 100, 100},
	} {
		b.Run(fmt.Sprintf("%dx%dx%d", s.p, s.k, s.lanes), func(b *testing.B) {
			rng := testRand(1)
			stride := Stride(s.lanes)
			bits := randomBits(make([]uint32, Words(s.k)*stride), rng, s.k, stride, s.lanes)
			a, dst := fill(make([]float32, s.p*s.k), rng, 1), make([]float32, s.p*s.lanes)
			benchTiers(b, func(b *testing.B) {
				expanded := Lines(nil, ExpandedBytes(s.k, s.lanes))
				Expand(expanded, bits, stride, s.k, s.lanes)
				for _, way := range []struct {
					name string
					mul  func(dst, a []float32, p, k int, bits []uint32, stride, lanes int)
				}{{"coarse", func(dst, a []float32, p, k int, bits []uint32, stride, lanes int) {
					MulBitsCoarse(dst, a, p, k, bits, stride, lanes, 1, nil)
				}}, {"prepared", func(dst, a []float32, p, k int, bits []uint32, stride, lanes int) {
					MulExpandedCoarse(dst, a, p, k, bits, stride, lanes, expanded, 1, nil)
				}}, {"float32", MulBits[float32]}} {
					if way.name == "prepared" && len(expanded) == 0 { // it is coarse
						continue
					}
					b.Run(way.name, func(b *testing.B) {
						for b.Loop() {
							way.mul(dst, a, s.p, s.k, bits, stride, s.lanes)
						}
						b.ReportMetric(2*float64(s.p*s.k*s.lanes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFeq/s")
					})
				}
			})
		})
	}
}

func TestCoarseError(t *testing.T) {
	x := make([]float32, 40000)
	x[31007] = -0.5
	onTiers(t, func(t *testing.T) {
		if got, want := CoarseError(x, 784), 0.5/coarseTop*math.Sqrt(784./12); math.Abs(got-want) > 1e-6*want {
			t.Errorf("%v, want %v", got, want)
		}
		x[3] = float32(math.NaN())
		if got := CoarseError(x, 784); got < 1 {
			t.Errorf("%v for NaN", got)
		}
		x[3] = 0
	})
	if got := CoarseError([]float64{1}, 784); got != 0 {
		t.Errorf("%v in float64", got)
	}
}
