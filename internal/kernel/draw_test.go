package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func testGenerator(seed uint64) (g Generator) {
	rng := testRand(seed)
	for i := range g {
		g[i] = rng.Uint64()
	}
	return g
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
	g := testGenerator(seed)
	h := g
	drawBlock(want, stride, field, ld, rows, lanes, &h)
	DrawBlock(bits, stride, field, ld, rows, lanes, &g)
	if !slices.Equal(bits, want) || g != h {
		t.Fatalf("rows=%d lanes=%d extra=%d: differs from the portable draw", rows, lanes, extra)
	}
}

func TestDrawBlock(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for lanes := 1; lanes <= DrawLanes; lanes++ {
			for _, rows := range []int{0, 1, 2, 29, 30, 31, 60, 61, 150} {
				t.Run(fmt.Sprintf("%dx%d", rows, lanes), func(t *testing.T) { checkDraw(t, uint64(rows), rows, lanes, rows%3) })
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
		g := testGenerator(3)
		DrawBlock(bits, DrawLanes, field, DrawLanes, rows, DrawLanes, &g)
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

func TestThreshold(t *testing.T) {
	for f := -30.0; f <= 30; f += 0.001 {
		y := -2 * math.Log2E * float32(f)
		got, want := float64(threshold(y)), (1<<32)/(1+math.Exp2(float64(y)))
		if math.Abs(got-want) > 1+want/(1<<22) {
			t.Fatalf("threshold(%v) = %v, want %v", y, got, want)
		}
	}
	for y, want := range map[float32]uint32{0: 1 << 31, 200: 0, -200: 1<<32 - 1, float32(math.Inf(1)): 0, float32(math.Inf(-1)): 1<<32 - 1, float32(math.NaN()): 0} {
		if got := threshold(y); got != want {
			t.Errorf("threshold(%v) = %d, want %d", y, got, want)
		}
	}
}

func FuzzDrawBlock(f *testing.F) {
	f.Add(uint64(1), uint8(61), uint8(3), uint8(1))
	f.Fuzz(func(t *testing.T, seed uint64, rows, lanes, extra uint8) {
		onTiers(t, func(t *testing.T) { checkDraw(t, seed, int(rows), 1+int(lanes%DrawLanes), int(extra%9)) })
	})
}

func BenchmarkDrawBlock(b *testing.B) {
	const rows, lanes = 784, 1024
	field := fill(make([]float32, rows*lanes), testRand(1), 1)
	bits := make([]uint32, Words(rows)*lanes)
	benchTiers(b, func(b *testing.B) {
		g := testGenerator(1)
		for b.Loop() {
			for l := 0; l < lanes; l += DrawLanes {
				DrawBlock(bits[l:], lanes, field[l:], lanes, rows, DrawLanes, &g)
			}
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/(rows*lanes), "ns/spin")
	})
}
