package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// realTiles writes the tiles of products of real matrices, two registers wide.
func realTiles(m machine) {
	most := 6
	if m.wide() {
		most = 12
	}
	for rows := 1; rows <= most; rows++ {
		realTile(m, rows)
	}
}

func realTile(m machine, rows int) {
	TEXT(label("realTile%d%s", rows, m.name), NOSPLIT, "func(k int, a *float32, rowStep int, step int, b *float32, dst *float32, ld int, add bool)")
	Doc(label("realTile%d%s computes %d rows of a tile of a product of real matrices.", rows, m.name, rows))
	Pragma("noescape")
	k, a, rowStep, step, b := param("k"), param("a"), param("rowStep"), param("step"), param("b")
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
	right, left := m.regs(2), m.regs(2)
	Label("term")
	for v, r := range right {
		m.load(r, Mem{Base: b, Disp: m.bytes() * v})
	}
	for r := range rows {
		at := Mem{Base: bases[r/3]}
		if r%3 > 0 {
			at.Index, at.Scale = rowStep, uint8(r%3)
		}
		x := left[r%2]
		VBROADCASTSS(at, x)
		for v, z := range sum[r] {
			VFMADD231PS(x, right[v], z)
		}
	}
	for _, base := range bases {
		ADDQ(step, base)
	}
	ADDQ(U32(uint32(2*m.bytes())), b)
	DECQ(k)
	JNZ(LabelRef("term"))
	dst, ld, add := param("dst"), param("ld"), GP8()
	Load(Param("add"), add)
	SHLQ(Imm(2), ld)
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
