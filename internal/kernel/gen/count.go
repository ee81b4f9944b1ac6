package main

import (
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// counting writes the counts of differing bits and the draws from them.
func counting(m machine) {
	for _, rows := range []int{1, 4} {
		if m.wide() {
			countTile512(rows, 4)
		} else {
			countTile256(rows)
		}
	}
	if m.wide() { // for few chains
		countTile512(4, 1)
		countTile512(4, 2)
	}
	drawCounts(m)
}

func countTileText(m machine, rows, lanes int) {
	name := label("countTile%d%s", rows, m.name)
	if lanes < 64 {
		name = label("countTile%dBy%d%s", rows, lanes, m.name)
	}
	TEXT(name, NOSPLIT, "func(words int, a *uint32, strideA int, b *uint32, strideB int, counts *uint16, ld int)")
	Doc(label("%s counts in how many bits %d columns of a differ from %d of b.", name, rows, lanes))
	Pragma("noescape")
}

// countTile512 counts for 16 lanes a vector.
func countTile512(rows, vectors int) {
	m := avx512
	countTileText(m, rows, m.lanes*vectors)
	words, a, strideA, b, strideB := param("words"), param("a"), param("strideA"), param("b"), param("strideB")
	counts, ld := param("counts"), param("ld")
	SHLQ(Imm(2), strideA)
	SHLQ(Imm(2), strideB)
	SHLQ(Imm(1), ld)
	sum := make([][]reg.VecVirtual, rows)
	for r := range sum {
		sum[r] = m.regs(vectors)
		for _, z := range sum[r] {
			m.zero(z)
		}
	}
	x, t := m.regs(vectors), m.regs(4)
	Label("word")
	for v := range x {
		m.loadInts(x[v], Mem{Base: b, Disp: 64 * v})
	}
	for r := range rows {
		for v := range x {
			VPXORD_BCST(Mem{Base: a, Disp: 4 * r}, x[v], t[v])
			VPOPCNTD(t[v], t[v])
			VPADDD(t[v], sum[r][v], sum[r][v])
		}
	}
	ADDQ(strideA, a)
	ADDQ(strideB, b)
	DECQ(words)
	JNZ(LabelRef("word"))
	for _, row := range sum {
		for v, z := range row {
			VPMOVDW(z, Mem{Base: counts, Disp: 32 * v})
		}
		ADDQ(ld, counts)
	}
	VZEROUPPER()
	RET()
}

// countTile256 looks up the bits in half-bytes (Muła, Kurz and Lemire 2018),
// 16 lanes after the other, and sums up bytes for as long as they hold.
func countTile256(rows int) {
	m := avx2
	countTileText(m, rows, 64)
	words, a, strideA, b, strideB := param("words"), param("a"), param("strideA"), param("b"), param("strideB")
	counts, ld := param("counts"), param("ld")
	SHLQ(Imm(2), strideA)
	SHLQ(Imm(2), strideB)
	SHLQ(Imm(1), ld)
	table := GLOBL(label("bitsOfHalfBytes%d", rows), 8|16)
	for i := range 32 {
		DATA(i, U8(bits.OnesCount(uint(i%16))))
	}
	lookup, low := m.reg(), m.broadcast(0x0f0f0f0f)
	m.loadInts(lookup, table)
	sum := make([][]reg.VecVirtual, rows)
	for r := range sum {
		sum[r] = m.regs(2)
	}
	x := m.regs(2)
	tile := GP64()
	MOVQ(U32(4), tile)
	Label("tile")
	left, pa, pb, out := GP64(), GP64(), GP64(), GP64()
	MOVQ(words, left)
	MOVQ(a, pa)
	MOVQ(b, pb)
	m.clearCounts(rows, counts, ld)
	Label("block")
	for _, row := range sum {
		for _, y := range row {
			m.zero(y)
		}
	}
	n := GP64() // 31 times 8 bits are fewer than 256
	MOVQ(U32(31), n)
	CMPQ(left, n)
	CMOVQLT(left, n)
	SUBQ(n, left)
	Label("word")
	m.loadInts(x[0], Mem{Base: pb})
	m.loadInts(x[1], Mem{Base: pb, Disp: 32})
	for r := range rows {
		own := m.reg()
		VPBROADCASTD(Mem{Base: pa, Disp: 4 * r}, own)
		for v := range x {
			t, high := m.reg(), m.reg()
			VPXOR(own, x[v], t)
			VPSRLW(Imm(4), t, high)
			VPAND(low, t, t)
			VPAND(low, high, high)
			VPSHUFB(t, lookup, t)
			VPSHUFB(high, lookup, high)
			VPADDB(high, t, t)
			VPADDB(t, sum[r][v], sum[r][v])
		}
	}
	ADDQ(strideA, pa)
	ADDQ(strideB, pb)
	DECQ(n)
	JNZ(LabelRef("word"))
	MOVQ(counts, out)
	for _, row := range sum {
		for _, y := range row { // bytes to words to double words
			VPMADDUBSW(word(0x01010101).mem(), y, y)
			VPMADDWD(word(0x00010001).mem(), y, y)
		}
		VPACKUSDW(row[1], row[0], row[0])
		VPERMQ(Imm(0xd8), row[0], row[0])
		VPADDW(Mem{Base: out}, row[0], row[0])
		VMOVDQU(row[0], Mem{Base: out})
		ADDQ(ld, out)
	}
	TESTQ(left, left)
	JNZ(LabelRef("block"))
	ADDQ(Imm(64), b)
	ADDQ(Imm(32), counts)
	DECQ(tile)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// clearCounts sets 16 counts of each row to 0.
func (m machine) clearCounts(rows int, counts, ld reg.GPVirtual) {
	out, zero := GP64(), m.reg()
	m.zero(zero)
	MOVQ(counts, out)
	for range rows {
		VMOVDQU(zero, Mem{Base: out})
		ADDQ(ld, out)
	}
}

// drawCounts writes the functions that draw spins in fields from counts.
func drawCounts(m machine) {
	for _, blocks := range m.drawingBlocks() {
		TEXT(label("drawCounts%d%s", m.drawingLanes(blocks), m.name), NOSPLIT, "func(dst *uint32, stride int, counts *uint16, ld int, rows int, lanes int, slope float32, shift *float32, state *uint64)")
		Doc(label("drawCounts%[1]d%[2]s is drawCounts for at least one row of up to %[1]d lanes.", m.drawingLanes(blocks), m.name))
		Pragma("noescape")
		slope := m.argument("slope")
		m.mul(slope, slope, f32(twoLog2E))
		counts, ld, shift := param("counts"), param("ld"), param("shift")
		SHLQ(Imm(1), ld)
		ahead := GP64()
		LEAQ(Mem{Base: ld, Index: ld, Scale: 8}, ahead)
		var own reg.VecVirtual
		m.drawRows("dst", blocks, func() {
			PREFETCHT0(Mem{Base: counts, Index: ahead, Scale: 1})
			own = m.reg()
			VBROADCASTSS(Mem{Base: shift}, own)
			m.mul(own, own, f32(twoLog2E))
		}, func(v int, y reg.VecVirtual, _ mask) {
			VPMOVZXWD(Mem{Base: counts, Disp: 2 * m.lanes * v}, y)
			VCVTDQ2PS(y, y)
			m.mul(y, y, slope)
			m.add(y, y, own)
		}, func() {
			ADDQ(ld, counts)
			ADDQ(Imm(4), shift)
		})
	}
}
