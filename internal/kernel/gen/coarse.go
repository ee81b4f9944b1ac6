package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// coarse writes the products of rows in fixed point: for the wide machine with
// tables of 16-bit sums, for the narrow one what turns rows into whole numbers.
func coarse(m machine) {
	largest(m)
	if !m.wide() {
		wholeRow()
		return
	}
	prefetch()
	coarseRow()
	subsetSums()
	for rows := 1; rows <= 4; rows++ {
		coarseTile(rows)
	}
}

// largest writes the function that finds the largest |x|. Numbers without sign
// are ordered as their bits are, infinities and NaN last.
func largest(m machine) {
	TEXT("largest"+m.name, NOSPLIT, "func(x []float32) uint32")
	Doc("largest" + m.name + " is largest.")
	Pragma("noescape")
	x, n := slice("x")
	tops := m.regs(4)
	top, sign := tops[0], m.broadcast(1<<31-1)
	for _, r := range tops {
		m.zero(r)
	}
	Label("four")
	SUBQ(Imm(uint64(4*m.lanes)), n)
	JLT(LabelRef("rest"))
	for k, r := range tops {
		v := m.reg()
		m.and(v, sign, Mem{Base: x, Disp: k * m.bytes()})
		VPMAXSD(v, r, r)
	}
	ADDQ(U32(uint32(4*m.bytes())), x)
	JMP(LabelRef("four"))
	Label("rest")
	ADDQ(Imm(uint64(4*m.lanes)), n)
	for _, r := range tops[1:] {
		VPMAXSD(r, top, top)
	}
	m.loop(n, map[reg.GPVirtual]int{x: 4}, []reg.GPVirtual{x}, func(b block) {
		v := b.load(at(x))
		m.and(v, v, sign)
		VPMAXSD(v, top, top)
	})
	half := YMM()
	low := top.AsY()
	if m.wide() {
		VEXTRACTI64X4(Imm(1), top, half)
		VPMAXSD(half, low, low)
	}
	VEXTRACTI128(Imm(1), low, half.AsX())
	VPMAXSD(half.AsX(), top.AsX(), top.AsX())
	VPSHUFD(Imm(0x4e), top.AsX(), half.AsX())
	VPMAXSD(half.AsX(), top.AsX(), top.AsX())
	VPSHUFD(Imm(0xb1), top.AsX(), half.AsX())
	VPMAXSD(half.AsX(), top.AsX(), top.AsX())
	r := GP32()
	VMOVD(top.AsX(), r)
	VZEROUPPER()
	Store(r, ReturnIndex(0))
	RET()
}

// wholeRow writes wholeRow for the narrow machine.
func wholeRow() {
	m := avx2
	TEXT("wholeRowAVX2", NOSPLIT, "func(dst []float32, x []float32, scale float32)")
	Doc("wholeRowAVX2 is wholeRow.")
	Pragma("noescape")
	x, n := slice("x")
	dst := pointer("dst")
	scale := m.argument("scale")
	m.loop(n, map[reg.GPVirtual]int{x: 4, dst: 4}, []reg.GPVirtual{x, dst}, func(b block) {
		v := b.load(at(x))
		m.mul(v, v, scale)
		m.add(v, v, f32(3<<22))
		m.sub(v, v, f32(3<<22))
		b.store(at(dst), v)
	})
	VZEROUPPER()
	RET()
}

// coarseRow writes the function that rounds a row to whole numbers of 16 bits.
func coarseRow() {
	m := avx512
	TEXT("coarseRowAVX512", NOSPLIT, "func(dst *uint32, x []float32, scale float32) int32")
	Doc("coarseRowAVX512 writes scale x, rounded, to both halves of each word of dst and zeros up to a multiple of 16 words; it returns the sum.")
	Pragma("noescape")
	x, n := slice("x")
	dst := param("dst")
	scale := m.argument("scale")
	total, halves := m.reg(), m.reg()
	m.zero(total)
	twice := GLOBL("lowHalfTwice", 8|16)
	for i := range 16 {
		DATA(4*i, U32(uint32(0x01000100+0x04040404*(i%4))))
	}
	m.loadInts(halves, twice)
	m.loop(n, map[reg.GPVirtual]int{x: 4, dst: 4}, []reg.GPVirtual{x, dst}, func(b block) {
		v := b.load(at(x))
		m.mul(v, v, scale)
		VCVTPS2DQ(v, v)
		VPADDD(v, total, total)
		VPSHUFB(halves, v, v)
		VMOVUPS(v, at(dst))
	})
	half := YMM()
	VEXTRACTI64X4(Imm(1), total, half)
	VPADDD(half, total.AsY(), total.AsY())
	VEXTRACTI128(Imm(1), total.AsY(), half.AsX())
	VPADDD(half.AsX(), total.AsX(), total.AsX())
	VPSHUFD(Imm(0x4e), total.AsX(), half.AsX())
	VPADDD(half.AsX(), total.AsX(), total.AsX())
	VPSHUFD(Imm(0xb1), total.AsX(), half.AsX())
	VPADDD(half.AsX(), total.AsX(), total.AsX())
	r := GP32()
	VMOVD(total.AsX(), r)
	VZEROUPPER()
	Store(r, ReturnIndex(0))
	RET()
}

// subsetSums writes the function that builds tables.
func subsetSums() {
	TEXT("subsetSumsAVX512", NOSPLIT, "func(tables *uint16, step int, q *uint32, groups int)")
	Doc("subsetSumsAVX512 tabulates the sums of every subset of each group of six numbers from coarseRowAVX512, step bytes apart.")
	Pragma("noescape")
	tables, step, q, n := param("tables"), param("step"), param("q"), param("groups")
	var has [5]reg.OpmaskVirtual // lanes whose index has bit j
	for j, bits := range []uint32{0xaaaaaaaa, 0xcccccccc, 0xf0f0f0f0, 0xff00ff00, 0xffff0000} {
		r := GP32()
		has[j] = K()
		MOVL(U32(bits), r)
		KMOVD(r, has[j])
	}
	Label("group")
	var v [6]reg.VecVirtual
	for j := range v {
		v[j] = ZMM()
		VPBROADCASTD(Mem{Base: q, Disp: 4 * j}, v[j])
	}
	sum, other := ZMM(), ZMM()
	VMOVDQU16_Z(v[0], has[0], sum)
	VMOVDQU16_Z(v[1], has[1], other)
	VPADDW(v[2], sum, has[2], sum)
	VPADDW(v[3], other, has[3], other)
	VPADDW(v[4], sum, has[4], sum)
	VPADDW(other, sum, sum)
	VPADDW(v[5], sum, other)
	VMOVDQU64(sum, Mem{Base: tables})
	VMOVDQU64(other, Mem{Base: tables, Disp: 64})
	ADDQ(Imm(24), q)
	ADDQ(step, tables)
	DECQ(n)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

// coarseTile writes the product of tiles of 64 lanes. Registers hold 32 lanes
// of 16 bits: two lanes 16 apart lie side by side. The sums of a word fit 16
// bits; they are then added to sums of 32.
func coarseTile(rows int) {
	m := avx512
	TEXT(label("coarseTile%dAVX512", rows), NOSPLIT, "func(words int, tables *uint16, bits *uint32, stride int, dst *float32, ld int, tiles int, add bool, last *[4][3]uint32)")
	Doc(label("coarseTile%dAVX512 computes %d rows of a product in fixed point for some tiles of 64 lanes.", rows, rows))
	Pragma("noescape")
	words, tables, bits, stride := param("words"), param("tables"), param("bits"), param("stride")
	dst, ld, last := param("dst"), param("ld"), param("last")
	tiles := param("tiles")
	add := Load(Param("add"), GP8())
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	pairs := func(half int) Mem { // lanes of two registers side by side: their low or high halves
		name := label("halves%dOfRows%d", half, rows)
		at := GLOBL(name, 8|16)
		for l := range 16 {
			DATA(4*l, U32(uint32(2*l+half|(32+2*l+half)<<16)))
		}
		return at
	}
	low, high := pairs(0), pairs(1)
	sum := make([][4]reg.VecVirtual, rows)
	for r := range sum {
		for v := range sum[r] {
			sum[r][v] = m.reg()
		}
	}
	var index [2][5]reg.VecVirtual
	for v := range index {
		for g := range index[v] {
			index[v][g] = m.reg()
		}
	}
	picked, table, above := m.reg(), m.reg(), m.reg()
	short := m.regs(2)
	odd := m.broadcast(1 << 16)
	Label("tile")
	for _, row := range sum {
		for _, z := range row {
			m.zero(z)
		}
	}
	left, from, at := GP64(), GP64(), GP64()
	MOVQ(words, left)
	MOVQ(bits, from)
	MOVQ(tables, at)
	Label("word")
	for v, ix := range index {
		m.loadInts(picked, Mem{Base: from, Disp: 128 * v})
		next := Mem{Base: from, Disp: 128*v + 64}
		m.loadInts(ix[0], low)
		VPERMI2W(next, picked, ix[0])
		m.loadInts(ix[4], high)
		VPERMI2W(next, picked, ix[4])
		VPSRLW(Imm(6), ix[0], ix[1])
		VPSHRDW(Imm(12), ix[4], ix[0], ix[2])
		VPSRLW(Imm(2), ix[4], ix[3])
		VPSRLW(Imm(8), ix[4], ix[4])
	}
	for r := range rows {
		for g := range 5 {
			sums := Mem{Base: at, Disp: 128 * (g*rows + r)}
			m.loadInts(table, sums)
			m.loadInts(above, sums.Offset(64))
			for v := range index {
				if g == 0 {
					VMOVDQA32(index[v][g], short[v])
					VPERMI2W(above, table, short[v])
					continue
				}
				VMOVDQA32(index[v][g], picked)
				VPERMI2W(above, table, picked)
				VPADDW(picked, short[v], short[v])
			}
		}
		for v, s := range short {
			VPDPWSSD_BCST(word(1).mem(), s, sum[r][2*v])
			VPDPWSSD(odd, s, sum[r][2*v+1])
		}
	}
	ADDQ(stride, from)
	ADDQ(U32(uint32(128*5*rows)), at)
	DECQ(left)
	JNZ(LabelRef("word"))
	out := GP64()
	TESTB(add, add)
	JZ(LabelRef("added"))
	MOVQ(dst, out)
	for _, row := range sum {
		for v, z := range row {
			VPADDD(Mem{Base: out, Disp: 64 * v}, z, z)
		}
		ADDQ(ld, out)
	}
	Label("added")
	TESTQ(last, last)
	JZ(LabelRef("store"))
	for r, row := range sum {
		for _, z := range row {
			VPADDD(z, z, z)
			VPSUBD_BCST(Mem{Base: last, Disp: 12 * r}, z, z)
			VCVTDQ2PS(z, z)
			VMULPS_BCST(Mem{Base: last, Disp: 12*r + 4}, z, z)
			VADDPS_BCST(Mem{Base: last, Disp: 12*r + 8}, z, z)
		}
	}
	Label("store")
	MOVQ(dst, out)
	for _, row := range sum {
		for v, z := range row {
			m.store(Mem{Base: out, Disp: 64 * v}, z)
		}
		ADDQ(ld, out)
	}
	ADDQ(U32(256), bits)
	ADDQ(U32(256), dst)
	DECQ(tiles)
	JNZ(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// prefetch writes the function that asks for memory that is soon read.
func prefetch() {
	TEXT("prefetchAVX512", NOSPLIT, "func(x *float32, n int)")
	Doc("prefetchAVX512 brings n elements into the second cache.")
	Pragma("noescape")
	x, n := param("x"), param("n")
	Label("line")
	PREFETCHT1(Mem{Base: x})
	ADDQ(Imm(64), x)
	SUBQ(Imm(16), n)
	JG(LabelRef("line"))
	RET()
}
