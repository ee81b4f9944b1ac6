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
