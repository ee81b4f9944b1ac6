package kernel

import (
	"fmt"
	"slices"
	"testing"
)

func checkCount(t *testing.T, seed uint64, p, k, lanes, extra int) {
	rng := testRand(seed)
	strideA, strideB, ld := Stride(p), Stride(lanes)+extra*LaneAlign, Stride(lanes)+extra
	packed := func(stride, lanes int) []uint32 {
		x := guarded[uint32](t, max(0, (Words(k)-1)*stride+Stride(lanes)))
		copy(x, randomBits(make([]uint32, Words(k)*stride), rng, k, stride, lanes))
		return x
	}
	a, b := packed(strideA, p), packed(strideB, lanes)
	counts := guarded[uint16](t, max(0, (p-1)*ld+Stride(lanes)))
	want := make([]uint16, len(counts))
	for i := range counts {
		counts[i] = 0xa5a5
		want[i] = 0xa5a5
	}
	CountDiff(counts, ld, a, strideA, p, b, strideB, k, lanes)
	countDiff(want, ld, a, strideA, p, b, strideB, k, lanes)
	for i := range p { // what follows the last lane in its tile is anything
		for _, x := range [][]uint16{counts, want} {
			clear(x[i*ld+lanes : i*ld+Stride(lanes)])
		}
	}
	if !slices.Equal(counts, want) {
		t.Fatalf("p=%d k=%d lanes=%d: counts differ", p, k, lanes)
	}
	for i := range p {
		for l := range lanes {
			var n uint16
			for r := range k {
				n += uint16((a[r/WordBits*strideA+i] ^ b[r/WordBits*strideB+l]) >> (r % WordBits) & 1)
			}
			if counts[i*ld+l] != n {
				t.Fatalf("p=%d k=%d lanes=%d: (%d, %d) = %d, want %d", p, k, lanes, i, l, counts[i*ld+l], n)
			}
		}
	}
}

func TestCountDiff(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, p := range []int{1, 3, 4, 5, 7, 8, 13} {
			for _, k := range []int{0, 1, 29, 30, 31, 60, 61, 300, 929, 930, 931} {
				for _, lanes := range []int{1, 16, 17, 32, 33, 64, 65} {
					checkCount(t, uint64(p*k*lanes), p, k, lanes, (p+k)%2)
				}
			}
		}
		checkCount(t, 1, 5, 65535, 2, 0)
	})
}

func FuzzCountDiff(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint16(784), uint8(100))
	f.Fuzz(func(t *testing.T, seed uint64, p uint8, k uint16, lanes uint8) {
		onTiers(t, func(t *testing.T) { checkCount(t, seed, 1+int(p%20), int(k%1500), 1+int(lanes), int(seed%3)) })
	})
}

func checkDrawCounts(t *testing.T, seed uint64, rows, lanes, extra int) {
	rng := testRand(seed)
	whole := (lanes + DrawLanes - 1) / DrawLanes * DrawLanes
	ld, stride := whole+extra, lanes+3*extra
	counts := guarded[uint16](t, max(0, (rows-1)*ld+whole))
	for i := range counts {
		counts[i] = uint16(rng.IntN(1000))
		if rng.IntN(50) == 0 {
			counts[i] = 0xffff
		}
	}
	shift := fill(guarded[float32](t, rows), rng, 2)
	for i := range shift {
		shift[i] -= 10
		if rng.IntN(20) == 0 {
			shift[i] = hard[rng.IntN(len(hard))]
		}
	}
	bits := guarded[uint32](t, max(0, Words(rows)*stride-3*extra))
	want := make([]uint32, len(bits))
	for i := range bits {
		bits[i] = 0xa5a5a5a5
		want[i] = bits[i]
	}
	g := testGenerators(seed, lanes)
	h := slices.Clone(g)
	drawCounts(want, stride, counts, ld, rows, lanes, 0.02, shift, h)
	DrawCounts(bits, stride, counts, ld, rows, lanes, 0.02, shift, g)
	if !slices.Equal(bits, want) || lanes%DrawLanes == 0 && !slices.Equal(g, h) {
		t.Fatalf("rows=%d lanes=%d extra=%d: differs from the portable draw", rows, lanes, extra)
	}
}

func TestDrawCounts(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for lanes := 1; lanes <= 2*LaneAlign; lanes++ {
			for _, rows := range []int{0, 1, 2, 29, 30, 31, 60, 61, 150} {
				t.Run(fmt.Sprintf("%dx%d", rows, lanes), func(t *testing.T) { checkDrawCounts(t, uint64(rows), rows, lanes, rows%3) })
			}
		}
	})
}

// Spins in the fields of counts are those that DrawBlock draws in the same
// fields, but where rounding of the field takes a draw across its threshold.
func TestDrawCountsFields(t *testing.T) {
	const rows, slope, shift = 3000, 0.0625, -2
	counts, field := make([]uint16, rows*DrawLanes), make([]float32, rows*DrawLanes)
	shifts := make([]float32, rows)
	rng := testRand(1)
	for i := range counts {
		counts[i] = uint16(rng.IntN(64))
		field[i] = shift + slope*float32(counts[i])
		shifts[i/DrawLanes] = shift
	}
	onTiers(t, func(t *testing.T) {
		a, b := make([]uint32, Words(rows)*DrawLanes), make([]uint32, Words(rows)*DrawLanes)
		DrawCounts(a, DrawLanes, counts, DrawLanes, rows, DrawLanes, slope, shifts, testGenerators(1, DrawLanes))
		DrawBlock(b, DrawLanes, field, DrawLanes, rows, DrawLanes, testGenerators(1, DrawLanes))
		if !slices.Equal(a, b) {
			t.Error("draws differ")
		}
	})
}

func FuzzDrawCounts(f *testing.F) {
	f.Add(uint64(1), uint8(61), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, rows, lanes, extra uint8) {
		onTiers(t, func(t *testing.T) { checkDrawCounts(t, seed, int(rows), 1+int(lanes%100), int(extra%9)) })
	})
}

func BenchmarkCountDiff(b *testing.B) {
	const p, k, lanes = 500, 784, 1024
	rng := testRand(1)
	x, y := randomBits(make([]uint32, Words(k)*Stride(p)), rng, k, Stride(p), p), randomBits(make([]uint32, Words(k)*lanes), rng, k, lanes, lanes)
	counts := make([]uint16, p*lanes)
	benchTiers(b, func(b *testing.B) {
		for b.Loop() {
			CountDiff(counts, lanes, x, Stride(p), p, y, lanes, k, lanes)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/(p*lanes), "ns/unit")
	})
}

// gibbs is a sweep of chains on binary synapses, a tile of lanes at a time.
type gibbs struct {
	n, p, lanes         int
	synapses, synapsesT []uint32 // visible x hidden, hidden x visible
	visible, hidden     []uint32
	counts              []uint16
	shiftV, shiftH      []float32
	slope               float32
}

func newGibbs(n, p, lanes int) *gibbs {
	rng := testRand(1)
	g := &gibbs{n: n, p: p, lanes: lanes, counts: make([]uint16, max(n, p)*LaneAlign), slope: -0.02}
	g.synapses = randomBits(make([]uint32, Words(n)*Stride(p)), rng, n, Stride(p), p)
	g.synapsesT = randomBits(make([]uint32, Words(p)*Stride(n)), rng, p, Stride(n), n)
	g.visible = randomBits(make([]uint32, Words(n)*lanes), rng, n, lanes, lanes)
	g.hidden = make([]uint32, Words(p)*lanes)
	for range n {
		g.shiftV = append(g.shiftV, float32(rng.NormFloat64())-g.slope*float32(p)/2)
	}
	for range p {
		g.shiftH = append(g.shiftH, float32(rng.NormFloat64())-g.slope*float32(n)/2)
	}
	return g
}

func (g *gibbs) sweep(r []Generator) {
	for l := 0; l < g.lanes; l += LaneAlign {
		g.half(g.hidden[l:], g.synapses, g.p, g.visible[l:], g.n, g.shiftH, r)
		g.half(g.visible[l:], g.synapsesT, g.n, g.hidden[l:], g.p, g.shiftV, r)
	}
}

func (g *gibbs) half(dst, a []uint32, p int, b []uint32, k int, shift []float32, r []Generator) {
	CountDiff(g.counts, LaneAlign, a, Stride(p), p, b, g.lanes, k, LaneAlign)
	DrawCounts(dst, g.lanes, g.counts, LaneAlign, p, LaneAlign, g.slope, shift, r)
}

func BenchmarkGibbs(b *testing.B) {
	g := newGibbs(784, 500, 1024)
	benchTiers(b, func(b *testing.B) {
		r := testGenerators(1, LaneAlign)
		for b.Loop() {
			g.sweep(r)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/float64((g.n+g.p)*g.lanes), "ns/unit")
	})
}
