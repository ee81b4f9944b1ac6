package kernel

import (
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
)

// tileTiers are those of tiles that there are for tests.
func tileTiers() []tier { return append([]tier{slowTiles}, vectorTileTiers()...) }

// onTiles runs a test on every tier of tiles, those for tests too.
func onTiles(t *testing.T, test func(t *testing.T)) {
	list := tileTiers()
	if i := slices.Index(Tiers(), "amx"); i >= 0 {
		list = append(list, tiers[i])
	}
	for _, x := range list {
		t.Run(x.name, func(t *testing.T) {
			setTier(t, &x)
			test(t)
		})
	}
}

// onAll runs a test on every tier.
func onAll(t *testing.T, test func(t *testing.T)) {
	onTiers(t, test)
	onTiles(t, test)
}

// A place of the left factor times that of the right one is an element times a sign, in every step: the factors of
// small whole numbers are looked at element by element.
func TestTileLayout(t *testing.T) {
	onTiles(t, func(t *testing.T) {
		f := &tilesOf(use()).tileFunctions
		for _, k := range []int{1, 15, 16, 17, 29, 30, 31, 46, 59, 60, 61, 76, 90, 91, 120, 121, 784} {
			rng := testRand(uint64(k))
			steps := tileSteps(k)
			row := guarded[float32](t, k)
			left, right := Lines(nil, steps*stepBytes), Lines(nil, steps*stepBytes)
			fillBytes := func(x []int8) { // earlier contents must not show
				for i := range x {
					x[i] = 0x55
				}
			}
			fillBytes(left)
			fillBytes(right)
			for j := range row {
				row[j] = float32(rng.IntN(2*coarseTop+1) - coarseTop)
			}
			bits := randomBits(guarded[uint32](t, Words(k)*LaneAlign), rng, k, LaneAlign, tileRows)
			const i = 3
			f.row(left[i*tileWidth:], row, 0.5)
			f.expand(right[tileBytes:], bits, LaneAlign, Words(k))
			whole := make([]float32, k)
			wholeRow(whole, row, 0.5)
			for s := range steps {
				for place := range tileWidth {
					r := (2*s+place/32)*WordBits + place%32
					high, low := left[s*stepBytes+i*tileWidth+place], left[s*stepBytes+tileBytes+i*tileWidth+place]
					if place%32 >= WordBits || r >= k {
						if high != 0 || low != 0 {
							t.Fatalf("k=%d: step %d, place %d holds %d and %d, not zeros", k, s, place, high, low)
						}
						continue
					}
					if got := 32*int(high) + int(low); got != int(whole[r]) {
						t.Fatalf("k=%d: element %d is %d, want %v", k, r, got, whole[r])
					}
					for l := range tileRows {
						want := int8(bits[r/WordBits*LaneAlign+l]>>(r%WordBits)&1)*2 - 1
						if got := right[s*stepBytes+tileBytes+place/4*tileWidth+4*l+place%4]; got != want {
							t.Fatalf("k=%d: element %d of lane %d is %d, want %d", k, r, l, got, want)
						}
					}
				}
			}
			if slices.Contains(right[tileBytes:2*tileBytes], 0x55) {
				t.Fatalf("k=%d: a tile is not filled", k)
			}
		}
	})
}

// Products with forms made before, whole or lane by lane, are those without.
func TestExpandedForms(t *testing.T) {
	const p, k, lanes = 70, 100, 150
	rng := testRand(3)
	stride := Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a := fill(make([]float32, p*k), rng, 1)
	want, dst := make([]float32, p*lanes), make([]float32, p*lanes)
	portable.mulBitsCoarseByFloats(want, a, p, k, bits, stride, lanes, 1, nil)
	onAll(t, func(t *testing.T) {
		expanded := make([]int8, ExpandedBytes(k, lanes))
		Expand(expanded, bits, stride, k, lanes)
		apart := make([]int8, len(expanded))
		for l := 0; l < lanes; l += LaneAlign {
			n := min(LaneAlign, lanes-l)
			Expand(apart[ExpandedBytes(k, l):][:ExpandedBytes(k, n)], bits[l:], stride, k, n)
		}
		if !slices.Equal(expanded, apart) {
			t.Error("lanes that are expanded apart differ")
		}
		clear(dst)
		MulExpandedCoarse(dst, a, p, k, bits, stride, lanes, expanded, 1, nil)
		if !slices.Equal(dst, want) {
			t.Error("a product with the expanded form differs")
		}
	})
}

// Left factors larger than the part that is multiplied at a time, and more panels than one call takes, give the same products.
func TestManyTiles(t *testing.T) {
	const p, k, lanes = 5, 30, 5000
	rng := testRand(4)
	stride := Stride(lanes)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	check := func(a []float32, p, k int, bits []uint32, stride, lanes int) {
		t.Helper()
		want, got := make([]float32, p*lanes), make([]float32, p*lanes)
		portable.mulBitsCoarseByFloats(want, a, p, k, bits, stride, lanes, 1, nil)
		MulBitsCoarse(got, a, p, k, bits, stride, lanes, 1, nil)
		if !slices.Equal(got, want) {
			t.Errorf("%d x %d by %d lanes differs", p, k, lanes)
		}
	}
	onTiles(t, func(t *testing.T) {
		check(fill(make([]float32, p*k), rng, 1), p, k, bits, stride, lanes)
		const tall = 4000 // parts of two blocks
		high := randomBits(make([]uint32, Words(tall)*Stride(70)), rng, tall, Stride(70), 70)
		check(fill(make([]float32, 56*tall), rng, 1), 56, tall, high, Stride(70), 70)
		const long = 40000 // one block fills a part
		longer := randomBits(make([]uint32, Words(long)*LaneAlign), rng, long, LaneAlign, 2)
		check(fill(make([]float32, 20*long), rng, 1), 20, long, longer, LaneAlign, 2)
	})
}

// Many goroutines multiply at the same time. Meanwhile signals of a profile and of the runtime interrupt them,
// garbage is collected, and they move from thread to thread. Each still gets the product that it gets alone.
func TestTileThreads(t *testing.T) {
	if err := pprof.StartCPUProfile(io.Discard); err == nil { // else one is running, whose signals do
		defer pprof.StopCPUProfile()
	}
	const p, k, lanes = 20, 70, 40
	onTiles(t, func(t *testing.T) {
		var wg sync.WaitGroup
		for seed := range uint64(8) {
			wg.Go(func() {
				rng := testRand(seed)
				bits := randomBits(make([]uint32, Words(k)*LaneAlign), rng, k, LaneAlign, lanes)
				a := fill(make([]float32, p*k), rng, 1)
				want := make([]float32, p*lanes)
				portable.mulBitsCoarseByFloats(want, a, p, k, bits, LaneAlign, lanes, 1, nil)
				for range 20 {
					got := make([]float32, p*lanes)
					MulBitsCoarse(got, a, p, k, bits, LaneAlign, lanes, 1, nil)
					if !slices.Equal(got, want) {
						t.Error("a product differs among many at the same time")
						return
					}
					runtime.Gosched()
				}
			})
		}
		for range 5 {
			runtime.GC()
		}
		wg.Wait()
	})
}

// The shapes that tiles get are those of the instruction LDTILECFG.
func TestShapeTiles(t *testing.T) {
	var s tileSpace
	shapeTiles(&s, 5)
	want := make([]int8, tileWidth)
	want[0] = 1
	for t := range 8 {
		want[16+2*t], want[48+t] = 64, []int8{5, 5, 5, 5, 5, 5, 16, 16}[t]
	}
	if !slices.Equal(s[:tileWidth], want) {
		t.Errorf("%v", s[:tileWidth])
	}
}

// A tier that is not there is refused with the reason.
func TestAbsentTiers(t *testing.T) {
	for _, name := range []string{"avx2", "avx512", "amx"} {
		there := slices.Contains(Tiers(), name)
		at := slices.IndexFunc(absent, func(x absentTier) bool { return x.name == name })
		if there == (at >= 0) {
			t.Errorf("%s is both there and not, or neither", name)
		}
		if at < 0 {
			continue
		}
		_, err := pick(name)
		if want := fmt.Sprintf("BETHE_KERNEL=%s: %s; kernels that there are: portable", name, absent[at].why); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// BenchmarkTiles times the parts of a product of 500 x 784 rounded rows by 784 x 500 bits: for the roofline in docs/performance.md.
func BenchmarkTiles(b *testing.B) {
	const p, k, lanes = 500, 784, 500
	at := slices.Index(Tiers(), "amx")
	if at < 0 {
		b.Skip("NOT MEASURED: this machine has no tiles")
	}
	setTier(b, &tiers[at])
	t := tilesOf(use())
	rng, stride, steps := testRand(1), Stride(lanes), tileSteps(k)
	bits := randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes)
	a, dst := fill(make([]float32, p*k), rng, 1), make([]float32, p*lanes)
	right := Lines(nil, ExpandedBytes(k, lanes))
	s := tilePool.Get().(*tileScratch)
	part := func(name string, products float64, do func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				do()
			}
			if products > 0 {
				b.ReportMetric(products*float64(b.N)/b.Elapsed().Seconds()/1e12, "Tproducts/s")
			}
		})
	}
	part("largest", 0, func() {
		for i := range p {
			t.largest(a[i*k : (i+1)*k])
		}
	})
	part("round", 0, func() { t.round(s, a, p, k, 1) })
	part("expand", 0, func() { Expand(right, bits, stride, k, lanes) })
	t.round(s, a, p, k, 1)
	Expand(right, bits, stride, k, lanes)
	all := 2. * tileWidth * float64(steps) // of both limbs
	part("multiply", all*(p/tileRows)*tileRows*(lanes+12), func() {
		t.multiply(dst, lanes, s.left, p/tileRows, tileRows, s.last, right, steps, s.whole)
	})
	part("multiply-in-first-cache", all*tileRows*panelLanes*16, func() {
		for range 16 {
			t.product(dst, lanes, panelLanes, s.left, 1, tileRows, s.last, right, steps, s.whole)
		}
	})
}

// tilesOf returns the products by tiles of kernels that have them.
func tilesOf(f *functions) *byTiles {
	if forms, ok := f.rounded.(*forms); ok {
		return forms.roundedProducts.(*byTiles)
	}
	return f.rounded.(*byTiles)
}
