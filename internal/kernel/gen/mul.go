package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mulTiles writes, for tiles of one to five rows, the product with packed
// bits by tables that registers hold, and the building of these tables.
func mulTiles(m machine) {
	if m.wide() {
		signedSums512()
	} else {
		signedSums256()
	}
	for rows := 1; rows <= 5; rows++ {
		mulTile(m, rows)
	}
	mulFew(m)
}

// mulTile writes the product of a tile. tables holds, for each word and each
// group of its bits, the sums of every sign pattern for each row of the tile.
// A tile of the narrow machine is 16 lanes, or 32 where registers allow; that
// of the wide one is 64 lanes.
func mulTile(m machine, rows int) {
	vectors, group := 4, 5
	if !m.wide() {
		group = 3
		if rows > 2 {
			vectors = 2
		}
	}
	entries := 4 << group
	TEXT(label("mulTile%d%s", rows, m.name), NOSPLIT, "func(words int, tables *float32, bits *uint32, stride int, dst *float32, ld int, add bool)")
	Doc(label("mulTile%d%s computes %d rows and %d lanes of a product with packed bits.", rows, m.name, rows, vectors*m.lanes))
	Pragma("noescape")
	words := param("words")
	tables := param("tables")
	bits := param("bits")
	stride := param("stride")
	dst := param("dst")
	ld := param("ld")
	add := Load(Param("add"), GP8())
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), ld)
	sum := make([][]reg.VecVirtual, rows)
	for r := range sum {
		sum[r] = m.regs(vectors)
		for _, z := range sum[r] {
			m.zero(z)
		}
	}
	index := m.regs(vectors)
	one := m.broadcast(f32(1))
	var table, picked []reg.VecVirtual
	if m.wide() {
		table, picked = m.regs(2), m.regs(3)
	} else {
		picked = m.regs(2)
	}
	Label("word")
	for v, r := range index {
		m.loadInts(r, Mem{Base: bits, Disp: m.bytes() * v})
	}
	n := 0
	for g := range 30 / group {
		if g > 0 {
			for _, r := range index {
				VPSRLD(Imm(uint64(group)), r, r)
			}
		}
		for r := range rows {
			at := Mem{Base: tables, Disp: entries * (g*rows + r)}
			if m.wide() {
				m.load(table[0], at)
				m.load(table[1], at.Offset(64))
			}
			for v := range vectors {
				p := picked[n%len(picked)]
				n++
				if m.wide() {
					VMOVDQA32(index[v], p)
					VPERMI2PS(table[1], table[0], p)
				} else {
					VPERMPS(at, index[v], p)
				}
				if v%2 == 0 { // additions and multiplications have units of their own
					m.add(sum[r][v], p, sum[r][v])
				} else {
					VFMADD231PS(p, one, sum[r][v]) // rounds as the addition does
				}
			}
		}
	}
	ADDQ(stride, bits)
	ADDQ(U32(uint32(entries*rows*30/group)), tables)
	DECQ(words)
	JNZ(LabelRef("word"))
	TESTB(add, add)
	JZ(LabelRef("set"))
	for _, row := range sum {
		for v, z := range row {
			m.add(z, z, Mem{Base: dst, Disp: m.bytes() * v})
			m.store(Mem{Base: dst, Disp: m.bytes() * v}, z)
		}
		ADDQ(ld, dst)
	}
	VZEROUPPER()
	RET()
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

// mulFew writes the product of a few rows and as many lanes as a register has without tables: each element
// by its signs, added up in the order of the tables. The elements of the last word of the rows may lie elsewhere.
func mulFew(m machine) {
	rows, group := 4, 3
	if m.wide() {
		rows, group = 5, 5
	}
	TEXT("mulFew"+m.name, NOSPLIT, "func(words int, bits *uint32, stride int, a *float32, lda int, last *float32, dst *float32, add bool)")
	Doc(label("mulFew%s computes %d rows and %d lanes of a product with packed bits: some words, and one more whose rows are at last, 32 elements apart, unless it is nil.", m.name, rows, m.lanes))
	Pragma("noescape")
	words, bits, stride := param("words"), param("bits"), param("stride")
	a, lda, last := param("a"), param("lda"), param("last")
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), lda)
	bases := []reg.GPVirtual{a, GP64()} // of every third row
	row := func(r, disp int) Mem {
		at := Mem{Base: bases[r/3], Disp: disp}
		if r%3 > 0 {
			at.Index, at.Scale = lda, uint8(r%3)
		}
		return at
	}
	third := func() {
		LEAQ(Mem{Base: a, Index: lda, Scale: 1}, bases[1])
		LEAQ(Mem{Base: bases[1], Index: lda, Scale: 2}, bases[1])
	}
	third()
	sum, sign := m.regs(rows), m.regs(group)
	for _, z := range sum {
		m.zero(z)
	}
	word30, one := m.reg(), m.broadcast(f32(1))
	TESTQ(words, words)
	JZ(LabelRef("last"))
	Label("word")
	m.loadInts(word30, at(bits))
	n := 0
	for g := range 30 / group {
		for j, s := range sign { // +1 or -1
			VPSLLD(Imm(uint64(31-g*group-j)), word30, s)
			m.and(s, s, word(1<<31))
			m.xor(s, s, f32(-1))
		}
		for r := range rows {
			x := func(j int) place { return place(row(r, 4*(g*group+j))) }
			t := m.reg()
			m.mul(t, sign[0], x(0))
			if m.wide() {
				u := m.reg()
				m.mul(u, sign[1], x(1))
				VFMADD231PS_BCST(Mem(x(2)), sign[2], t)
				VFMADD231PS_BCST(Mem(x(3)), sign[3], u)
				m.add(t, t, u)
				VFMADD231PS_BCST(Mem(x(4)), sign[4], t)
			} else {
				for j := 1; j < group; j++ {
					u := m.reg()
					VBROADCASTSS(Mem(x(j)), u)
					VFMADD231PS(u, sign[j], t)
				}
			}
			if n++; n%2 == 0 { // additions and multiplications have units of their own
				m.add(sum[r], t, sum[r])
			} else {
				VFMADD231PS(t, one, sum[r]) // rounds as the addition does
			}
		}
	}
	ADDQ(stride, bits)
	for _, base := range bases {
		ADDQ(Imm(4*30), base)
	}
	DECQ(words)
	JNZ(LabelRef("word"))
	Label("last")
	TESTQ(last, last)
	JZ(LabelRef("done"))
	MOVQ(last, a)
	MOVQ(U32(4*32), lda)
	third()
	XORQ(last, last)
	MOVQ(U32(1), words)
	JMP(LabelRef("word"))
	Label("done")
	dst, add := param("dst"), Load(Param("add"), GP8())
	TESTB(add, add)
	JZ(LabelRef("set"))
	for r, z := range sum {
		m.add(z, z, Mem{Base: dst, Disp: m.bytes() * r})
	}
	Label("set")
	for r, z := range sum {
		m.store(Mem{Base: dst, Disp: m.bytes() * r}, z)
	}
	VZEROUPPER()
	RET()
}

// signs returns a register whose lane l is +1 where bit j of l is set, else -1.
func signs(m machine, j int) reg.VecVirtual {
	at := GLOBL(label("signs%d%s", j, m.name), 8|16)
	for l := range m.lanes {
		DATA(4*l, F32(2*(l>>j&1)-1))
	}
	r := m.reg()
	m.load(r, at)
	return r
}

func signedSums512() {
	TEXT("signedSumsAVX512", NOSPLIT, "func(tables *float32, step int, x *float32, groups int)")
	Doc("signedSumsAVX512 tabulates the sums of every sign pattern of each group of five elements, step bytes apart.")
	Pragma("noescape")
	tables := param("tables")
	step := param("step")
	x := param("x")
	n := param("groups")
	var s [4]reg.VecVirtual
	for j := range s {
		s[j] = signs(avx512, j)
	}
	t, u := ZMM(), ZMM()
	Label("group")
	VMULPS_BCST(Mem{Base: x}, s[0], t)
	VMULPS_BCST(Mem{Base: x, Disp: 4}, s[1], u)
	VFMADD231PS_BCST(Mem{Base: x, Disp: 8}, s[2], t)
	VFMADD231PS_BCST(Mem{Base: x, Disp: 12}, s[3], u)
	VADDPS(t, u, t)
	VSUBPS_BCST(Mem{Base: x, Disp: 16}, t, u)
	VADDPS_BCST(Mem{Base: x, Disp: 16}, t, t)
	VMOVUPS(u, Mem{Base: tables})
	VMOVUPS(t, Mem{Base: tables, Disp: 64})
	ADDQ(Imm(20), x)
	ADDQ(step, tables)
	DECQ(n)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}

func signedSums256() {
	TEXT("signedSumsAVX2", NOSPLIT, "func(tables *float32, step int, x *float32, groups int)")
	Doc("signedSumsAVX2 tabulates the sums of every sign pattern of each group of three elements, step bytes apart.")
	Pragma("noescape")
	tables := param("tables")
	step := param("step")
	x := param("x")
	n := param("groups")
	var s [3]reg.VecVirtual
	for j := range s {
		s[j] = signs(avx2, j)
	}
	t, u := YMM(), YMM()
	Label("group")
	VBROADCASTSS(Mem{Base: x}, t)
	VMULPS(s[0], t, t)
	for j := 1; j < 3; j++ {
		VBROADCASTSS(Mem{Base: x, Disp: 4 * j}, u)
		VFMADD231PS(u, s[j], t)
	}
	VMOVUPS(t, Mem{Base: tables})
	ADDQ(Imm(12), x)
	ADDQ(step, tables)
	DECQ(n)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	RET()
}
