package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A drawer draws 16 spins a row from the generators of a block.
type drawer struct {
	machine
	limits exp2Limits
	state  []reg.VecVirtual // wide: the generators; narrow ones stay in memory
	g      reg.GPVirtual
	halves reg.VecVirtual   // wide: permutation that puts low halves first
	bit    reg.VecVirtual   // of this row in its word
	drawn  []reg.VecVirtual // the word of each lane so far
}

func newDrawer(m machine, g reg.GPVirtual) *drawer {
	d := &drawer{machine: m, g: g, limits: m.exp2Limits(), bit: m.reg(), drawn: m.regs(16 / m.lanes)}
	if m.wide() {
		at := GLOBL("lowHalvesFirst", 8|16)
		for i := range 16 {
			DATA(4*i, U32(uint32(2*i%16+i/8)))
		}
		d.halves = m.reg()
		m.load(d.halves, at)
		d.state = m.regs(4)
		for j, s := range d.state {
			m.loadInts(s, Mem{Base: g, Disp: 64 * j})
		}
	}
	d.start()
	return d
}

// start begins a word.
func (d *drawer) start() {
	VBROADCASTSS(word(1).mem(), d.bit)
	for _, r := range d.drawn {
		d.zero(r)
	}
}

// random steps the generators and returns the random words of the 16 lanes.
func (d *drawer) random() []reg.VecVirtual {
	if d.wide() {
		r, t := ZMM(), ZMM()
		s := d.state
		VPADDQ(s[3], s[0], r)
		VPROLQ(Imm(23), r, r)
		VPADDQ(s[0], r, r)
		VPSLLQ(Imm(17), s[1], t)
		VPXORQ(s[0], s[2], s[2])
		VPXORQ(s[1], s[3], s[3])
		VPXORQ(s[2], s[1], s[1])
		VPXORQ(s[3], s[0], s[0])
		VPXORQ(t, s[2], s[2])
		VPROLQ(Imm(45), s[3], s[3])
		VPERMD(r, d.halves, r)
		return []reg.VecVirtual{r}
	}
	var half [2]reg.VecVirtual
	for h := range half {
		var s [4]reg.VecVirtual
		for j := range s {
			s[j] = YMM()
			VMOVDQU(Mem{Base: d.g, Disp: 64*j + 32*h}, s[j])
		}
		r, t := YMM(), YMM()
		half[h] = r
		rotate := func(x reg.VecVirtual, by uint64) {
			VPSRLQ(Imm(64-by), x, t)
			VPSLLQ(Imm(by), x, x)
			VPOR(t, x, x)
		}
		VPADDQ(s[3], s[0], r)
		rotate(r, 23)
		VPADDQ(s[0], r, r)
		VPXOR(s[1], s[3], s[3])
		VPXOR(s[0], s[2], s[2])
		VPXOR(s[3], s[0], s[0])
		VMOVDQU(s[0], Mem{Base: d.g, Disp: 32 * h})
		VPSLLQ(Imm(17), s[1], t)
		VPXOR(s[2], s[1], s[1])
		VMOVDQU(s[1], Mem{Base: d.g, Disp: 64 + 32*h})
		VPXOR(t, s[2], s[2])
		VMOVDQU(s[2], Mem{Base: d.g, Disp: 128 + 32*h})
		rotate(s[3], 45)
		VMOVDQU(s[3], Mem{Base: d.g, Disp: 192 + 32*h})
	}
	high := YMM()
	VSHUFPS(Imm(0xdd), half[1], half[0], high)
	VSHUFPS(Imm(0x88), half[1], half[0], half[0])
	VPERMQ(Imm(0xd8), half[0], half[0])
	VPERMQ(Imm(0xd8), high, high)
	return []reg.VecVirtual{half[0], high}
}

// take draws the spins of lanes of register v from the exponents y, which it
// overwrites, and random words.
func (d *drawer) take(v int, y, random reg.VecVirtual) {
	p := d.reg()
	d.exp2(p, y, d.limits)
	d.add(p, p, f32(1))
	one := d.broadcast(f32(1))
	d.div(p, one, p)
	if d.wide() {
		below, sure, up := K(), K(), K()
		d.mul(y, p, f32(1<<32))
		VCMPPS_BCST(Imm(17), f32(1).mem(), p, below) // p < 1
		VCMPPS_BCST(Imm(29), f32(1).mem(), p, sure)  // p >= 1
		VCVTTPS2UDQ_Z(y, below, y)
		VPTERNLOGD(Imm(0xff), y, y, sure, y)
		VPCMPUD(Imm(1), y, random, up)
		VPORD(d.bit, d.drawn[v], up, d.drawn[v])
		return
	}
	// Integers from 2^31 on are converted as halves: they are even.
	small, large, isLarge := d.reg(), y, one
	VCMPPS(Imm(29), f32(0.5).mem(), p, isLarge)
	d.mul(large, p, f32(1<<31))
	d.mul(small, p, f32(1<<32))
	VCVTTPS2DQ(small, small)
	VCVTTPS2DQ(large, large)
	VPADDD(large, large, large)
	VBLENDVPS(isLarge, large, small, small)
	VCMPPS(Imm(29), f32(1).mem(), p, isLarge) // p >= 1
	VPOR(isLarge, small, small)
	VCMPPS(Imm(7), p, p, isLarge) // not NaN
	VPAND(isLarge, small, small)
	VPXOR(word(1<<31).mem(), small, small)
	VPXOR(word(1<<31).mem(), random, random)
	VPCMPGTD(random, small, small)
	VPAND(d.bit, small, small)
	VPOR(small, d.drawn[v], d.drawn[v])
}

// drawing writes the function that draws spins in real fields.
func drawing(m machine) {
	TEXT("drawBlock"+m.name, NOSPLIT, "func(bits *uint32, stride int, field *float32, ld int, rows int, lanes int, state *[32]uint64)")
	Doc("drawBlock" + m.name + " is drawBlock for at least one row.")
	Pragma("noescape")
	field, ld := param("field"), param("ld")
	SHLQ(Imm(2), ld)
	ahead := GP64() // rows are far apart
	LEAQ(Mem{Base: ld, Index: ld, Scale: 8}, ahead)
	m.drawRows("bits", func() {
		PREFETCHT0(Mem{Base: field, Index: ahead, Scale: 1})
	}, func(v int, y reg.VecVirtual, k mask) {
		m.loadMasked(y, Mem{Base: field, Disp: m.bytes() * v}, k)
		m.mul(y, y, f32(minusTwoLog2E))
	}, func() {
		ADDQ(ld, field)
	})
}

// drawRows writes the rest of a function that draws rows of up to 16 spins to
// the parameter dst: exponent loads the v-th register of exponents, advance
// goes to the next row.
func (m machine) drawRows(dst string, begin func(), exponent func(v int, y reg.VecVirtual, k mask), advance func()) {
	bits, stride, rows, lanes := param(dst), param("stride"), param("rows"), param("lanes")
	SHLQ(Imm(2), stride)
	d := newDrawer(m, param("state"))
	masks := m.laneMasks(lanes)
	left := GP64()
	Label("word")
	MOVQ(U32(30), left)
	CMPQ(rows, left)
	CMOVQLT(rows, left)
	SUBQ(left, rows)
	d.start()
	Label("row")
	begin()
	random := d.random()
	for v, r := range random {
		y := m.reg()
		exponent(v, y, masks[v])
		d.take(v, y, r)
	}
	VPADDD(d.bit, d.bit, d.bit)
	advance()
	DECQ(left)
	JNZ(LabelRef("row"))
	for v, w := range d.drawn {
		m.storeMasked(Mem{Base: bits, Disp: m.bytes() * v}, w, masks[v])
	}
	ADDQ(stride, bits)
	TESTQ(rows, rows)
	JNZ(LabelRef("word"))
	d.finish()
	VZEROUPPER()
	RET()
}

// finish stores the state of the generators.
func (d *drawer) finish() {
	for j, s := range d.state {
		VMOVUPS(s, Mem{Base: d.g, Disp: 64 * j})
	}
}

// laneMasks returns the masks of 16 lanes of which the first n count.
func (m machine) laneMasks(n reg.GPVirtual) []mask {
	masks := []mask{m.firstMask(n)}
	if !m.wide() {
		rest := GP64()
		LEAQ(Mem{Base: n, Disp: -8}, rest)
		masks = append(masks, m.firstMask(rest))
	}
	return masks
}

const minusTwoLog2E = -2.88539008177792681471984936200378427
