package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transposeBits writes the transposition of bits for the narrow machine only:
// the bytes of the 32 words of a block are sorted by their place in the word,
// and the top bits of 32 bytes are taken at once.
func transposeBits(m machine) {
	if m.wide() {
		return
	}
	TEXT("transposeBitsAVX2", NOSPLIT, "func(dst *uint32, bits *uint32, stride int, words int, cols int)")
	Doc("transposeBitsAVX2 transposes up to 32 columns of whole words: 30 words of dst for each.")
	Pragma("noescape")
	dst, bits, stride, words, cols := param("dst"), param("bits"), param("stride"), param("words"), param("cols")
	SHLQ(Imm(2), stride)
	var masks [4]mask
	for i := range masks {
		left := GP64()
		LEAQ(Mem{Base: cols, Disp: -8 * i}, left)
		masks[i] = m.firstMask(left)
	}
	sort, gather := m.reg(), m.reg()
	sorted := GLOBL("bytesByPlace", 8|16)
	for i := range 32 {
		DATA(i, U8(i%4*4+i/4%4))
	}
	m.loadInts(sort, sorted)
	interleave := GLOBL("interleaveHalves", 8|16)
	for i := range 8 {
		DATA(4*i, U32(uint32(i/2+i%2*4)))
	}
	m.loadInts(gather, interleave)
	y := m.regs(4)
	t := m.regs(4)
	Label("word")
	for i := range y {
		m.loadMasked(y[i], Mem{Base: bits, Disp: 32 * i}, masks[i])
		VPSHUFB(sort, y[i], y[i])
	}
	VPUNPCKLDQ(y[1], y[0], t[0])
	VPUNPCKHDQ(y[1], y[0], t[1])
	VPUNPCKLDQ(y[3], y[2], t[2])
	VPUNPCKHDQ(y[3], y[2], t[3])
	place := []reg.VecVirtual{y[0], y[1], y[2], y[3]} // bytes 0 to 3 of the words
	VPUNPCKLQDQ(t[2], t[0], place[0])
	VPUNPCKHQDQ(t[2], t[0], place[1])
	VPUNPCKLQDQ(t[3], t[1], place[2])
	VPUNPCKHQDQ(t[3], t[1], place[3])
	for b, p := range place {
		VPERMD(p, gather, p)
		for bit := 7; bit >= 0; bit-- {
			if row := 8*b + bit; row < 30 {
				r := GP32()
				VPMOVMSKB(p, r)
				MOVL(r, Mem{Base: dst, Disp: 4 * row})
			}
			if bit > 0 {
				VPADDB(p, p, p)
			}
		}
	}
	ADDQ(stride, bits)
	ADDQ(Imm(120), dst)
	DECQ(words)
	JNZ(LabelRef("word"))
	VZEROUPPER()
	RET()
}
