package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// transposition writes the transposition of a tile of 16 x 16 elements, for
// the narrow machine only.
func transposition(m machine) {
	if m.wide() {
		return
	}
	TEXT("transposeTileAVX2", NOSPLIT, "func(dst *float32, ldDst int, x *float32, ldX int)")
	Doc("transposeTileAVX2 transposes 16 x 16 elements.")
	Pragma("noescape")
	dst, ldDst, x, ldX := param("dst"), param("ldDst"), param("x"), param("ldX")
	SHLQ(Imm(2), ldDst)
	SHLQ(Imm(2), ldX)
	r := m.regs(4)        // rows k and k+4
	for half := range 2 { // of the rows of x
		if half == 1 {
			LEAQ(Mem{Base: x, Index: ldX, Scale: 8}, x)
		}
		x4 := GP64()
		LEAQ(Mem{Base: x, Index: ldX, Scale: 4}, x4)
		three := GP64()
		LEAQ(Mem{Base: ldX, Index: ldX, Scale: 2}, three)
		out := GP64()
		MOVQ(dst, out)
		row := func(k, column int) Mem { // rows 0 to 7
			base := x
			if k >= 4 {
				base = x4
			}
			switch k % 4 {
			case 0:
				return Mem{Base: base, Disp: 4 * column}
			case 3:
				return Mem{Base: base, Disp: 4 * column, Index: three, Scale: 1}
			default:
				return Mem{Base: base, Disp: 4 * column, Index: ldX, Scale: uint8(k % 4)}
			}
		}
		for column := 0; column < 16; column += 4 {
			for k := range r {
				VMOVUPS(row(k, column), r[k].AsX())
				VINSERTF128(Imm(1), row(k+4, column), r[k], r[k])
			}
			t, u := m.regs(4), YMM()
			VUNPCKLPS(r[1], r[0], t[0])
			VUNPCKHPS(r[1], r[0], t[1])
			VUNPCKLPS(r[3], r[2], t[2])
			VUNPCKHPS(r[3], r[2], t[3])
			for j := range 4 {
				low, high := t[j/2], t[j/2+2]
				if j%2 == 0 {
					VUNPCKLPD(high, low, u)
				} else {
					VUNPCKHPD(high, low, u)
				}
				VMOVUPS(u, Mem{Base: out, Disp: 32 * half})
				ADDQ(ldDst, out)
			}
		}
	}
	VZEROUPPER()
	RET()
}
