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
		wholeTile(m, rows, false)
	}
	if !m.wide() {
		return
	}
	roundBytes(m)
	roundFour(m)
	byteSums(m)
	for rows := 1; rows <= most; rows++ {
		wholeTile(m, rows, true)
	}
}

// roundBytes writes the rounding of a row to bytes and 128.
func roundBytes(m machine) {
	TEXT("roundBytes"+m.name, NOSPLIT, "func(dst *uint32, sixteens int, x *float32, scale float32)")
	Pragma("noescape")
	dst, sixteens, x := param("dst"), param("sixteens"), param("x")
	scale := m.argument("scale")
	Label("sixteen")
	r := m.reg()
	m.load(r, at(x))
	rounded(m, r, scale)
	m.xor(r, r, word(0x80))
	VPMOVDB(r, at(dst))
	ADDQ(Imm(64), x)
	ADDQ(Imm(16), dst)
	DECQ(sixteens)
	JNZ(LabelRef("sixteen"))
	VZEROUPPER()
	RET()
}

// roundFour writes the rounding of four rows to bytes, a word for four of them.
func roundFour(m machine) {
	TEXT("roundFour"+m.name, NOSPLIT, "func(dst *uint32, step int, panels int, x0 *float32, x1 *float32, x2 *float32, x3 *float32, scale float32, flip uint32)")
	Pragma("noescape")
	dst, step, panels := param("dst"), param("step"), param("panels")
	rows := []reg.GPVirtual{param("x0"), param("x1"), param("x2"), param("x3")}
	scale, flip, low := m.argument("scale"), m.argument("flip"), m.broadcast(word(0xff))
	SHLQ(Imm(2), step)
	Label("panel")
	for disp := 0; disp < panelBytes; disp += m.bytes() {
		all := m.reg()
		for j, x := range rows {
			r := m.reg()
			m.load(r, Mem{Base: x, Disp: disp})
			rounded(m, r, scale)
			m.and(r, r, low)
			if j == 0 {
				VPXORD(flip, r, all)
				continue
			}
			VPSLLD(Imm(uint64(8*j)), r, r)
			VPXORD(r, all, all)
		}
		m.store(Mem{Base: dst, Disp: disp}, all)
	}
	for _, x := range rows {
		ADDQ(U32(panelBytes), x)
	}
	ADDQ(step, dst)
	DECQ(panels)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}

// byteSums writes 128 times the sums of the bytes of each lane of a panel.
func byteSums(m machine) {
	TEXT("byteSums"+m.name, NOSPLIT, "func(words int, b *uint32, dst *int32)")
	Pragma("noescape")
	words, b, dst := param("words"), param("b"), param("dst")
	left, sum := m.broadcast(word(0x80808080)), m.regs(2)
	for _, z := range sum {
		m.zero(z)
	}
	Label("word")
	for v, z := range sum {
		VPDPBUSD(Mem{Base: b, Disp: m.bytes() * v}, left, z)
	}
	ADDQ(U32(panelBytes), b)
	DECQ(words)
	JNZ(LabelRef("word"))
	for v, z := range sum {
		m.store(Mem{Base: dst, Disp: m.bytes() * v}, z)
	}
	VZEROUPPER()
	RET()
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

// wholeTile writes a tile of two registers by some rows, of pairs or of four bytes.
func wholeTile(m machine, rows int, bytes bool) {
	name, shift := "wholeTile", ""
	if bytes {
		name, shift = "byteTile", "shift *int32, "
	}
	TEXT(label("%s%d%s", name, rows, m.name), NOSPLIT, "func(pairs int, a *uint32, rowStep int, step int, b *uint32, "+shift+"dst *float32, ld int, unit float32, add bool)")
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
			switch {
			case bytes:
				VPDPBUSD(right[v], x, z)
			case m.wide():
				VPDPWSSD(x, right[v], z)
			default:
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
	if bytes {
		shift := param("shift")
		for _, row := range sum {
			for v, z := range row {
				VPSUBD(Mem{Base: shift, Disp: m.bytes() * v}, z, z)
			}
		}
	}
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
