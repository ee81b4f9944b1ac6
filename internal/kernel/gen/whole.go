package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wholeFunctions writes products of matrices of whole numbers of 16 bits, two of them a word.
func wholeFunctions(m machine) {
	roundPairs(m)
	roundRow(m)
	most := 6
	if m.wide() {
		most = 12
	}
	for rows := 1; rows <= most; rows++ {
		wholeTile(m, rows)
	}
}

// panelBytes is the size of a pair of rows of a panel.
const panelBytes = 4 * 32

// rounded writes r = r by, rounded to whole numbers: in its low 16 bits.
func rounded(m machine, r, by reg.VecVirtual) {
	m.mul(r, r, by)
	m.add(r, r, f32(3<<22)) // there the unit of float32 is 1
}

func roundPairs(m machine) {
	TEXT("roundPairs"+m.name, NOSPLIT, "func(dst *uint32, step int, panels int, x *float32, y *float32, scale float32)")
	Pragma("noescape")
	dst, step, panels, x, y := param("dst"), param("step"), param("panels"), param("x"), param("y")
	scale, low := m.argument("scale"), m.broadcast(word(0xffff))
	SHLQ(Imm(2), step)
	Label("panel")
	for disp := 0; disp < panelBytes; disp += m.bytes() {
		first, second := m.reg(), m.reg()
		m.load(first, Mem{Base: x, Disp: disp})
		m.load(second, Mem{Base: y, Disp: disp})
		rounded(m, first, scale)
		rounded(m, second, scale)
		m.and(first, first, low)
		VPSLLD(Imm(16), second, second)
		if m.wide() {
			VPORD(second, first, first)
		} else {
			VPOR(second, first, first)
		}
		m.store(Mem{Base: dst, Disp: disp}, first)
	}
	ADDQ(Imm(panelBytes), x)
	ADDQ(Imm(panelBytes), y)
	ADDQ(step, dst)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

func roundRow(m machine) {
	TEXT("roundRow"+m.name, NOSPLIT, "func(dst *uint32, sixteens int, x *float32, scale float32)")
	Pragma("noescape")
	dst, sixteens, x := param("dst"), param("sixteens"), param("x")
	scale := m.argument("scale")
	Label("sixteen")
	if m.wide() {
		r := m.reg()
		m.load(r, at(x))
		rounded(m, r, scale)
		VPMOVDW(r, at(dst))
	} else {
		low, high := m.reg(), m.reg()
		for k, r := range []reg.VecVirtual{low, high} {
			m.load(r, Mem{Base: x, Disp: m.bytes() * k})
			m.mul(r, r, scale)
			VCVTPS2DQ(r, r)
		}
		VPACKSSDW(high, low, low)
		VPERMQ(Imm(0xd8), low, low)
		m.store(at(dst), low)
	}
	ADDQ(Imm(64), x)
	ADDQ(Imm(32), dst)
	DECQ(sixteens)
	JNZ(LabelRef("sixteen"))
	VZEROUPPER()
	RET()
}

// wholeTile writes a tile of two registers by some rows.
func wholeTile(m machine, rows int) {
	TEXT(label("wholeTile%d%s", rows, m.name), NOSPLIT, "func(pairs int, a *uint32, rowStep int, step int, b *uint32, dst *float32, ld int, unit float32, add bool)")
	Pragma("noescape")
	pairs, a, rowStep, step, b := param("pairs"), param("a"), param("rowStep"), param("step"), param("b")
	SHLQ(Imm(2), rowStep)
	SHLQ(Imm(2), step)
	bases := []reg.GPVirtual{a} // of every third row
	for r := 3; r < rows; r += 3 {
		next := GP64()
		LEAQ(Mem{Base: bases[len(bases)-1], Index: rowStep, Scale: 1}, next)
		LEAQ(Mem{Base: next, Index: rowStep, Scale: 2}, next)
		bases = append(bases, next)
	}
	sum := make([][]reg.VecVirtual, rows)
	for r := range sum {
		sum[r] = m.regs(2)
		for _, z := range sum[r] {
			m.zero(z)
		}
	}
	right := m.regs(2)
	left := m.regs(1)
	if m.wide() {
		left = m.regs(2)
	}
	Label("pair")
	for v, r := range right {
		m.loadInts(r, Mem{Base: b, Disp: m.bytes() * v})
	}
	for r := range rows {
		from := Mem{Base: bases[r/3]}
		if r%3 > 0 {
			from.Index, from.Scale = rowStep, uint8(r%3)
		}
		x := left[r%len(left)]
		VPBROADCASTD(from, x)
		for v, z := range sum[r] {
			if m.wide() {
				VPDPWSSD(x, right[v], z)
			} else {
				product := m.reg()
				VPMADDWD(x, right[v], product)
				VPADDD(product, z, z)
			}
		}
	}
	for _, base := range bases {
		ADDQ(step, base)
	}
	ADDQ(U32(panelBytes), b)
	DECQ(pairs)
	JNZ(LabelRef("pair"))
	dst, ld, add := param("dst"), param("ld"), GP8()
	Load(Param("add"), add)
	SHLQ(Imm(2), ld)
	for _, row := range sum {
		for _, z := range row {
			VCVTDQ2PS(z, z)
			m.mul(z, z, parameter("unit"))
		}
	}
	TESTB(add, add)
	JZ(LabelRef("set"))
	out := GP64()
	MOVQ(dst, out)
	for _, row := range sum {
		for v, z := range row {
			m.add(z, z, Mem{Base: out, Disp: m.bytes() * v})
		}
		ADDQ(ld, out)
	}
	Label("set")
	for _, row := range sum {
		for v, z := range row {
			m.store(Mem{Base: dst, Disp: m.bytes() * v}, z)
		}
		ADDQ(ld, dst)
	}
	VZEROUPPER()
	RET()
}
