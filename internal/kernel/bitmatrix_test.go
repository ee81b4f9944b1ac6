package kernel

import (
	"fmt"
	"slices"
	"testing"
)

func checkTransposeBits(t *testing.T, seed uint64, rows, cols, extra int) {
	rng := testRand(seed)
	stride := cols + extra
	bits := guarded[uint32](t, max(0, Words(rows)*stride-extra))
	for i := range bits {
		bits[i] = rng.Uint32()
	}
	for j := range cols { // only the padding of the last word is 0
		if used := rows % WordBits; used > 0 {
			bits[Words(rows)*stride-stride+j] &= 1<<used - 1
		}
	}
	for i := range bits {
		bits[i] &= 1<<WordBits - 1
	}
	dst, want := guarded[uint32](t, rows), make([]uint32, rows)
	TransposeBits(dst, bits, stride, rows, cols)
	for i := range want {
		for j := range cols {
			want[i] |= bits[i/WordBits*stride+j] >> (i % WordBits) & 1 << j
		}
	}
	if !slices.Equal(dst, want) {
		t.Fatalf("%d x %d: wrong", rows, cols)
	}
}

func TestTransposeBits(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for cols := range WordBits + 1 {
			for _, rows := range []int{0, 1, 2, 29, 30, 31, 60, 61, 100} {
				t.Run(fmt.Sprintf("%dx%d", rows, cols), func(t *testing.T) { checkTransposeBits(t, 1, rows, cols, (rows+cols)%4) })
			}
		}
	})
}

func FuzzTransposeBits(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint8(30))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, cols uint8) {
		onTiers(t, func(t *testing.T) { checkTransposeBits(t, seed, int(rows%500), int(cols%(WordBits+1)), int(seed%5)) })
	})
}

func BenchmarkTransposeBits(b *testing.B) {
	const rows, cols = 784, 1000
	stride, across := Stride(cols), Stride(rows)
	bits := randomBits(make([]uint32, Words(rows)*stride), testRand(1), rows, stride, cols)
	dst := make([]uint32, Words(cols)*across)
	benchTiers(b, func(b *testing.B) {
		for b.Loop() {
			for v := range Words(cols) {
				TransposeBits(dst[v*across:], bits[WordBits*v:], stride, rows, min(WordBits, cols-WordBits*v))
			}
		}
	})
}
