package main

import (
	"bethe/internal/kernel"
	"bethe/internal/zzbench/g"
	"math/bits"
	"math/rand/v2"
)

func more() {
	if want("count") {
		const n, p, C = 784, 500, 1024
		rnd := func(words, stride int) []uint32 {
			x := make([]uint32, words*stride)
			for i := range x {
				x[i] = rand.Uint32() >> 2
			}
			return x
		}
		const sp, sn = 512, 832
		W, WT := rnd(27, sp), rnd(17, sn)
		V, H := rnd(27, C), rnd(17, C)
		counts := make([]uint16, n*C)
		// row-specialised
		w13, x13 := make([]uint64, p*13), make([]uint64, C*13)
		for i := range w13 {
			w13[i] = rand.Uint64()
		}
		for i := range x13 {
			x13[i] = rand.Uint64()
		}
		out := make([]uint16, p*C)
		row13 := &cont{name: "go row13", f: func() {
			for p := range p {
				wr := (*[13]uint64)(w13[p*13:])
				o := out[p*C : (p+1)*C]
				for c := range o {
					a := (*[13]uint64)(x13[c*13:])
					s := bits.OnesCount64(a[0]^wr[0]) + bits.OnesCount64(a[1]^wr[1]) + bits.OnesCount64(a[2]^wr[2]) + bits.OnesCount64(a[3]^wr[3]) +
						bits.OnesCount64(a[4]^wr[4]) + bits.OnesCount64(a[5]^wr[5]) + bits.OnesCount64(a[6]^wr[6]) + bits.OnesCount64(a[7]^wr[7]) +
						bits.OnesCount64(a[8]^wr[8]) + bits.OnesCount64(a[9]^wr[9]) + bits.OnesCount64(a[10]^wr[10]) + bits.OnesCount64(a[11]^wr[11]) + bits.OnesCount64(a[12]^wr[12])
					o[c] = uint16(s)
				}
			}
		}}
		race("count field 500x784, 1024 chains", p*C, "ns", append([]*cont{row13}, tiers(func() {
			kernel.CountDiff(counts, C, W, sp, p, V, C, n, C)
		})...)...)
		kernel.CountDiff(counts, C, W, sp, p, V, C, n, C)
		tab := make([]uint32, n*(n+1))
		for i := range tab {
			tab[i] = rand.Uint32()
		}
		shift := make([]float32, n)
		for i := range shift {
			shift[i] = 8
		}
		var gen kernel.Generator
		for i := range gen {
			gen[i] = rand.Uint64()
		}
		small := make([]uint16, n*64)
		draw := func() {
			for l := 0; l < 64; l += 16 {
				kernel.DrawCounts(H[l:], C, small[l:], 64, p, 16, -0.02, shift, &gen)
			}
		}
		kernel.CountDiff(small, 64, W, sp, p, V, C, n, 64)
		race("count draw 500 x 64", p*64, "ns", append(tiers(draw),
			&cont{name: "gather own table", f: func() {
				for l := 0; l < 64; l += 16 {
					g.DrawGather(&H[l], C, &small[l], 64, p, 16, &tab[0], n+1, (*[32]uint64)(&gen))
				}
			}}, &cont{name: "gather one table", f: func() {
				for l := 0; l < 64; l += 16 {
					g.DrawGather(&H[l], C, &small[l], 64, p, 16, &tab[0], 0, (*[32]uint64)(&gen))
				}
			}})...)
		half := func(dst, a []uint32, sa, p int, b []uint32, k int) {
			kernel.CountDiff(small, 64, a, sa, p, b, C, k, 64)
			for l := 0; l < 64; l += 16 {
				kernel.DrawCounts(dst[l:], C, small[l:], 64, p, 16, -0.02, shift, &gen)
			}
		}
		race("count sweep", (n+p)*C, "ns", tiers(func() {
			for l := 0; l < C; l += 64 {
				half(H[l:], W, sp, p, V[l:], n)
				half(V[l:], WT, sn, n, H[l:], p)
			}
		})...)
	}
}
