package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// testGenerators returns generators for the given lanes.
func testGenerators(seed uint64, lanes int) []Generator {
	rng := testRand(seed)
	all := make([]Generator, (lanes+DrawLanes-1)/DrawLanes)
	for b := range all {
		for i := range all[b] {
			all[b][i] = rng.Uint64()
		}
	}
	return all
}

func checkDraw(t *testing.T, seed uint64, rows, lanes, extra int) {
	rng := testRand(seed)
	ld := lanes + extra
	stride := lanes + 3*extra
	field := fill(guarded[float32](t, max(0, rows*ld-extra)), rng, 2)
	for i := range field {
		if rng.IntN(20) == 0 {
			field[i] = hard[rng.IntN(len(hard))]
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
	drawBlock(want, stride, field, ld, rows, lanes, h)
	DrawBlock(bits, stride, field, ld, rows, lanes, g)
	if !slices.Equal(bits, want) || lanes%DrawLanes == 0 && !slices.Equal(g, h) {
		t.Fatalf("rows=%d lanes=%d extra=%d: differs from the portable draw", rows, lanes, extra)
	}
}

func TestDrawBlock(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for lanes := 1; lanes <= 2*LaneAlign; lanes++ {
			for _, rows := range []int{0, 1, 2, 29, 30, 31, 60, 61, 150} {
				t.Run(fmt.Sprintf("%dx%d", rows, lanes), func(t *testing.T) { checkDraw(t, uint64(rows), rows, lanes, rows%3) })
			}
		}
	})
}

// A draw of all rows is that of the first ones and, where the generators have skipped
// these, of the others.
func TestSkip(t *testing.T) {
	const lanes, stride = LaneAlign, LaneAlign
	onTiers(t, func(t *testing.T) {
		for _, first := range []int{0, 30, 60, 390} {
			rows := first + 61
			field := fill(make([]float32, rows*lanes), testRand(9), 1)
			all, parts := make([]uint32, Words(rows)*stride), make([]uint32, Words(rows)*stride)
			DrawBlock(all, stride, field, lanes, rows, lanes, testGenerators(4, lanes))
			DrawBlock(parts, stride, field, lanes, first, lanes, testGenerators(4, lanes))
			g, h := testGenerators(4, lanes), testGenerators(4, lanes)
			for b := range g {
				g[b].Skip(first)
				skip(&h[b], first)
			}
			if !slices.Equal(g, h) {
				t.Fatalf("%d steps: another state", first)
			}
			DrawBlock(parts[first/WordBits*stride:], stride, field[first*lanes:], lanes, rows-first, lanes, g)
			if !slices.Equal(all, parts) {
				t.Fatalf("%d rows skipped: other spins", first)
			}
		}
	})
}

// Spins are up as often as their fields say.
func TestDrawFrequencies(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		const rows = 1 << 15
		field := make([]float32, rows*DrawLanes)
		for i := range field {
			field[i] = float32(i%DrawLanes-8) / 4
		}
		bits := make([]uint32, Words(rows)*DrawLanes)
		DrawBlock(bits, DrawLanes, field, DrawLanes, rows, DrawLanes, testGenerators(3, DrawLanes))
		for l := range DrawLanes {
			var up int
			for r := range rows {
				up += int(bits[r/WordBits*DrawLanes+l] >> (r % WordBits) & 1)
			}
			p := 1 / (1 + math.Exp(-2*float64(field[l])))
			if z := (float64(up) - rows*p) / math.Sqrt(rows*p*(1-p)); math.Abs(z) > 4.5 {
				t.Errorf("field %v: %d of %d up, %.1f standard deviations off", field[l], up, rows, z)
			}
		}
	})
}

// drawn reports the spin that the random number u gives in every lane.
func drawn(t *testing.T, w float32, u uint32) bool {
	var g Generator
	var random [8]uint64
	for i := range random {
		random[i], g[8+i] = uint64(u>>16)*0x1000100010001, uint64(u&0xffff)*0x1000100010001
	}
	first := up(&g, &random, 0, w)
	for l := range DrawLanes {
		if up(&g, &random, l, w) != first {
			t.Fatal("lanes differ")
		}
	}
	return first == 1
}

// Numbers below some threshold give +1; it is the probability as exactly as
// odds in float32 can say it.
func TestDrawThreshold(t *testing.T) {
	for f := -30.0; f <= 30; f += 0.001 {
		w := 2 * math.Log2E * float32(f)
		odds := math.Exp2(float64(w))
		p := odds / (1 + odds)
		off := 5e-7*p*(1-p) + 1./(1<<30)
		// The least number that is not +1 lies between these two, as those below it are.
		least, most := math.Ceil((p-off)*(1<<30)), math.Floor((p+off)*(1<<30))
		if least > 0 && !drawn(t, w, uint32(least-1)<<2) || most < 1<<30 && drawn(t, w, uint32(most)<<2) {
			t.Fatalf("field %v: the probability of +1 is not %v, within %v", f, p, off)
		}
	}
	for w, want := range map[float32][2]bool{ // for the least number and for the greatest
		0:    {true, false},
		-200: {false, false}, float32(math.Inf(-1)): {false, false},
		200: {true, true}, float32(math.Inf(1)): {true, true},
		float32(math.NaN()): {false, false},
	} {
		if got := [2]bool{drawn(t, w, 0), drawn(t, w, math.MaxUint32)}; got != want {
			t.Errorf("exponent %v: %v, want %v", w, got, want)
		}
	}
}

func FuzzDrawBlock(f *testing.F) {
	f.Add(uint64(1), uint8(61), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, rows, lanes, extra uint8) {
		onTiers(t, func(t *testing.T) { checkDraw(t, seed, int(rows), 1+int(lanes%100), int(extra%9)) })
	})
}

func BenchmarkDrawBlock(b *testing.B) {
	const rows, lanes = 784, 1024
	field := fill(make([]float32, rows*lanes), testRand(1), 1)
	bits := make([]uint32, Words(rows)*lanes)
	benchTiers(b, func(b *testing.B) {
		g := testGenerators(1, lanes)
		for b.Loop() {
			DrawBlock(bits, lanes, field, lanes, rows, lanes, g)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/(rows*lanes), "ns/spin")
	})
}
