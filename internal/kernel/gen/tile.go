package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes the functions of the tier with matrix tiles (AMX). The assembler does not know the
// instructions, so their bytes are written here; avo does not see what registers they use, so all
// registers of functions with such instructions are chosen by hand.
func tiles(m machine) {
	if !m.wide() {
		return
	}
	tileRow()
	expandTiles()
	tileProduct()
}

// Sizes in bytes. A tile has 16 rows of 64; a step has two tiles of each factor; a space holds the
// configuration and four tiles of sums.
const (
	tileSize   = 1024
	stepSize   = 2 * tileSize
	spaceTiles = 64
)

// bytes writes an instruction that the assembler does not know.
func bytes(comment string, code ...byte) {
	Comment(comment)
	for _, b := range code {
		Instruction(&ir.Instruction{Opcode: "BYTE", Operands: []Op{U8(b)}})
	}
}

// number is that of a general register in encodings.
func number(r reg.GPPhysical) byte {
	for n, other := range []reg.GPPhysical{reg.RAX, reg.RCX, reg.RDX, reg.RBX, reg.RSP, reg.RBP, reg.RSI, reg.RDI,
		reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15} {
		if r == other {
			return byte(n)
		}
	}
	panic("no general register")
}

// A tile is one of the eight tile registers.
type tile byte

// vex returns the prefix of an instruction of the map 0F38 with W 0 and L 0: pp is that of the
// prefix, vvvv a second register; the top bits of the others.
func vex(pp, vvvv, r, x, b byte) []byte {
	return []byte{0xc4, (1-r>>3)<<7 | (1-x>>3)<<6 | (1-b>>3)<<5 | 2, (15-vvvv)<<3 | pp}
}

const pp66, ppF3, ppF2 = 1, 2, 3

// atIndex returns the ModRM, SIB and displacement of [base + index + disp].
func atIndex(r tile, base, index reg.GPPhysical, disp int) []byte {
	d := uint32(int32(disp))
	return []byte{2<<6 | byte(r)<<3 | 4, number(index)&7<<3 | number(base)&7, byte(d), byte(d >> 8), byte(d >> 16), byte(d >> 24)}
}

// loadTile loads 16 rows, index bytes apart, that are used again soon.
func loadTile(t tile, base, index reg.GPPhysical, disp int) {
	load("TILELOADD", ppF2, t, base, index, disp)
}

// passTile loads 16 rows, index bytes apart, with the hint that the first cache does not keep them.
func passTile(t tile, base, index reg.GPPhysical, disp int) {
	load("TILELOADDT1", pp66, t, base, index, disp)
}

// load writes an instruction that loads a tile.
func load(name string, pp byte, t tile, base, index reg.GPPhysical, disp int) {
	bytes(fmt.Sprintf("%s %d(%v)(%v*1), TMM%d", name, disp, base.Asm(), index.Asm(), t),
		append(append(vex(pp, 0, 0, number(index), number(base)), 0x4b), atIndex(t, base, index, disp)...)...)
}

// storeTile stores 16 rows, index bytes apart.
func storeTile(t tile, base, index reg.GPPhysical, disp int) {
	bytes(fmt.Sprintf("TILESTORED TMM%d, %d(%v)(%v*1)", t, disp, base.Asm(), index.Asm()),
		append(append(vex(ppF3, 0, 0, number(index), number(base)), 0x4b), atIndex(t, base, index, disp)...)...)
}

// zeroTile sets a tile to 0.
func zeroTile(t tile) {
	bytes(fmt.Sprintf("TILEZERO TMM%d", t), append(vex(ppF2, 0, 0, 0, 0), 0x49, 0xc0|byte(t)<<3)...)
}

// addProduct adds the products of signed bytes of a and b to sums of 32 bits.
func addProduct(sum, a, b tile) {
	bytes(fmt.Sprintf("TDPBSSD TMM%d, TMM%d, TMM%d", b, a, sum), append(vex(ppF2, byte(b), 0, 0, 0), 0x5e, 0xc0|byte(sum)<<3|byte(a))...)
}

// configure sets the shapes of tiles from 64 bytes.
func configure(at reg.GPPhysical) {
	if number(at)&7 == 4 || number(at)&7 == 5 {
		panic("this base register needs another form")
	}
	bytes(fmt.Sprintf("LDTILECFG (%v)", at.Asm()), append(vex(0, 0, 0, 0, number(at)), 0x49, number(at)&7)...)
}

// releaseTiles gives the tiles back.
func releaseTiles() { bytes("TILERELEASE", append(vex(0, 0, 0, 0, 0), 0x49, 0xc0)...) }

// Registers of products.
var (
	tileA, tileB    = reg.RAX, reg.RDX // next tiles of the factors
	tileLine        = reg.RBX          // bytes from row to row of a tile
	tileSums        = reg.R8           // where sums are stored
	tileLeft        = reg.R13          // steps, then rows to come
	tileOut, tileLd = reg.R9, reg.R10  // result and bytes from row to row of it
	tileBlocks      = reg.R12          // blocks of rows to come
	tileFrom        = reg.RSI          // sums that are read
)

// sumTiles multiplies two tiles of rows by two of lanes through all steps: sums of the first
// tile's rows by lanes 0 to 15, by 16 to 31, and of the second one's likewise. Rows pass: a panel of lanes stays in the
// first cache while all blocks of rows go by it, so a hint keeps them from displacing it. That is worth 14 to 21 % where
// the lanes are prepared (on a shared Xeon, family 6, model 207, least of six, 500, 2,000 and 32 rows x 784 by 784 x 500:
// 898, 899 and 1,026 to 1,086 GF-eq/s against 773, 767 and 898); the hint on the lanes instead is worth 4 to 12 %.
func sumTiles() {
	Load(Param("b"), tileB)
	Load(Param("steps"), tileLeft)
	for t := range tile(4) {
		zeroTile(t)
	}
	Label("step")
	passTile(4, tileA, tileLine, 0)
	loadTile(6, tileB, tileLine, 0)
	loadTile(7, tileB, tileLine, tileSize)
	passTile(5, tileA, tileLine, tileSize)
	addProduct(0, 4, 6)
	addProduct(1, 4, 7)
	addProduct(2, 5, 6)
	addProduct(3, 5, 7)
	ADDQ(U32(stepSize), tileA)
	ADDQ(U32(stepSize), tileB)
	DECQ(tileLeft)
	JNZ(LabelRef("step"))
	for t := range tile(4) {
		storeTile(t, tileSums, tileLine, int(t)*tileSize)
	}
}

// advance adds to a parameter.
func advance(name string, by Op) {
	at, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	ADDQ(by, at.Addr)
}

// tileProduct writes the product of rounded rows and expanded lanes.
func tileProduct() {
	TEXT("tileProductAMX", NOSPLIT, "func(dst *float32, ld int, lanes int, a *int8, blocks int, rows int, last *[2]float32, b *int8, steps int, space *[4160]int8)")
	Doc("tileProductAMX multiplies blocks of rows by lanes, 32 at a time: see tileProduct.")
	Pragma("noescape")
	Load(Param("space"), tileSums)
	configure(tileSums)
	ADDQ(Imm(spaceTiles), tileSums)
	MOVQ(U32(64), tileLine)
	Load(Param("ld"), tileLd)
	SHLQ(Imm(2), tileLd)
	last, ones, count := reg.R11, reg.ECX, reg.RDI
	Label("panel")
	Load(Param("lanes"), count)
	MOVL(U32(32), reg.ECX)
	CMPQ(count, reg.RCX)
	CMOVQGT(reg.RCX, count)
	MOVL(I32(-1), ones)
	BZHIL(reg.EDI, ones, ones)
	KMOVD(ones, reg.K1)
	KSHIFTRD(Imm(16), reg.K1, reg.K2)
	Load(Param("a"), tileA)
	Load(Param("last"), last)
	Load(Param("dst"), tileOut)
	Load(Param("blocks"), tileBlocks)
	Label("block")
	sumTiles()
	Load(Param("rows"), tileLeft)
	MOVQ(tileSums, tileFrom)
	Label("row")
	for half, k := range []reg.OpmaskPhysical{reg.K1, reg.K2} {
		z := ZMM()
		VMOVDQU32(Mem{Base: tileFrom, Disp: half * tileSize}, z)
		VPSLLD(Imm(5), z, z)
		VPADDD(Mem{Base: tileFrom, Disp: (2 + half) * tileSize}, z, z)
		VCVTDQ2PS(z, z)
		VMULPS_BCST(Mem{Base: last}, z, z)
		VADDPS_BCST(Mem{Base: last, Disp: 4}, z, z)
		VMOVUPS(z, k, Mem{Base: tileOut, Disp: 64 * half})
	}
	ADDQ(Imm(64), tileFrom)
	ADDQ(Imm(8), last)
	ADDQ(tileLd, tileOut)
	DECQ(tileLeft)
	JNZ(LabelRef("row"))
	DECQ(tileBlocks)
	JNZ(LabelRef("block"))
	Load(Param("steps"), count)
	SHLQ(Imm(11), count)
	advance("b", count)
	advance("dst", Imm(128))
	lanes, err := Param("lanes").Resolve()
	if err != nil {
		panic(err)
	}
	SUBQ(Imm(32), lanes.Addr)
	JG(LabelRef("panel"))
	releaseTiles()
	VZEROUPPER()
	RET()
}

// tileRow writes the rounding of a row to limbs. Of 60 elements per step 16, 14, 16 and 14 are loaded; packing puts
// four of each side by side, and a permutation parts them.
func tileRow() {
	m := avx512
	TEXT("tileRowAVX512", NOSPLIT, "func(dst *int8, x []float32, scale float32)")
	Doc("tileRowAVX512 is tileRow.")
	Pragma("noescape")
	x, n := slice("x")
	dst := param("dst")
	scale := m.argument("scale")
	order := GLOBL("limbOrder", 8|16)
	for i := range 16 {
		DATA(4*i, U32(uint32(i%4*4+i/4)))
	}
	part, low := ZMM(), ZMM()
	VMOVDQU32(order, part)
	VPBROADCASTW(word(31<<16|31).mem(), low)
	short := K()
	ones := GP32()
	MOVL(U32(1<<14-1), ones)
	KMOVW(ones, short)
	starts := []int{0, 16, 30, 46}
	step := func(load func(k int, dst reg.VecVirtual)) {
		v := m.regs(4)
		for k, z := range v {
			load(k, z)
			VMULPS(scale, z, z)
			VCVTPS2DQ(z, z)
		}
		a, b, h := ZMM(), ZMM(), ZMM()
		VPACKSSDW(v[1], v[0], a)
		VPACKSSDW(v[3], v[2], b)
		VPSRAW(Imm(5), a, h)
		VPANDD(low, a, a)
		high := ZMM()
		VPSRAW(Imm(5), b, high)
		VPANDD(low, b, b)
		VPACKSSWB(high, h, h)
		VPACKSSWB(b, a, a)
		VPERMD(h, part, h)
		VPERMD(a, part, a)
		VMOVDQU32(h, Mem{Base: dst})
		VMOVDQU32(a, Mem{Base: dst, Disp: tileSize})
	}
	Label("step")
	SUBQ(Imm(60), n)
	JLT(LabelRef("rest"))
	step(func(k int, z reg.VecVirtual) {
		if from := (Mem{Base: x, Disp: 4 * starts[k]}); k%2 == 0 {
			VMOVUPS(from, z)
		} else {
			VMOVUPS_Z(from, short, z)
		}
	})
	ADDQ(U32(240), x)
	ADDQ(U32(stepSize), dst)
	JMP(LabelRef("step"))
	Label("rest")
	ADDQ(Imm(60), n)
	JZ(LabelRef("done"))
	step(func(k int, z reg.VecVirtual) {
		left := GP64()
		LEAQ(Mem{Base: n, Disp: -starts[k]}, left)
		some := m.firstMask(left)
		if k%2 == 1 {
			KANDW(short, some.k, some.k)
		}
		VMOVUPS_Z(Mem{Base: x, Disp: 4 * starts[k]}, some.k, z)
	})
	Label("done")
	VZEROUPPER()
	RET()
}

// expandTiles writes the expansion of bits for the right factor.
func expandTiles() {
	m := avx512
	TEXT("expandTilesAVX512", NOSPLIT, "func(dst *int8, bits *uint32, stride int, words int)")
	Doc("expandTilesAVX512 writes the tiles of 16 lanes, every second tile of dst.")
	Pragma("noescape")
	dst, bits, stride, left := param("dst"), param("bits"), param("stride"), param("words")
	SHLQ(Imm(2), stride)
	spread := GLOBL("byteFourTimes", 8|16)
	for i := range 16 {
		DATA(4*i, U32(uint32(i%4*4)*0x01010101))
	}
	each, one, minus, fourTimes := m.broadcast(0x08040201), m.broadcast(0x01010101), m.broadcast(0xffffffff), ZMM()
	VMOVDQU32(spread, fourTimes)
	odd := GP64()
	XORQ(odd, odd)
	nibbles := func(z reg.VecVirtual) {
		t := ZMM()
		k := K()
		for row := range 8 {
			VPSHUFB(fourTimes, z, t)
			VPTESTMB(each, t, k)
			VPBLENDMB(one, minus, k, t)
			VMOVDQU32(t, Mem{Base: dst, Disp: 64 * row})
			if row < 7 {
				VPSRLD(Imm(4), z, z)
			}
		}
	}
	z := ZMM()
	Label("word")
	VMOVDQU32(Mem{Base: bits}, z)
	nibbles(z)
	ADDQ(stride, bits)
	ADDQ(U32(tileSize/2), dst)
	XORQ(Imm(1), odd)
	JNZ(LabelRef("next"))
	ADDQ(U32(tileSize), dst)
	Label("next")
	DECQ(left)
	JNZ(LabelRef("word"))
	TESTQ(odd, odd)
	JZ(LabelRef("done"))
	nothing := ZMM()
	VPXORD(nothing, nothing, nothing)
	for row := range 8 {
		VMOVDQU32(nothing, Mem{Base: dst, Disp: 64 * row})
	}
	Label("done")
	VZEROUPPER()
	RET()
}
