package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A drawer draws 32 spins per row from the generators of each of some blocks.
//
// The wide one finds the probability p of +1 in units of 2^-16 from exponents
// rounded to 16 bits, by straight lines between 64 points, and compares it with
// the high half of each random number. Where they are closer than these could
// be off, it does as the portable code does, for the block's row.
type drawer struct {
	machine
	blocks int
	limits exp2Limits
	state  []reg.VecVirtual // wide: the generators, four registers per block; narrow ones stay in memory
	g      reg.GPVirtual
	bit    reg.VecVirtual   // of this row in its word; wide: in each half of it
	drawn  []reg.VecVirtual // the bits drawn so far, a word in each lane; wide: those of 15 rows, 16 bits in each lane

	natural                 reg.VecVirtual // wide: permutation that undoes that of a pack
	high                    reg.VecVirtual // the greatest exponent that is rounded
	level, slope            [2]reg.VecVirtual
	tolerance, twoTolerance reg.VecVirtual

	later []func() // wide: code for where a draw is close, after the loop
}

const (
	// exponentUnits is how many units of a rounded exponent there are in 1: the
	// lines are then off by as much as the probability at the ends of the range.
	exponentUnits = 3 << 10
	// halfBits is the number of rows whose spins make half of a word.
	halfBits = 15
)

func newDrawer(m machine, blocks int, g reg.GPVirtual) *drawer {
	d := &drawer{machine: m, blocks: blocks, g: g, bit: m.reg()}
	if !m.wide() {
		d.limits = m.exp2Limits()
		d.drawn = m.regs(m.drawnRegisters(blocks))
		return d
	}
	d.drawn = m.regs(blocks)
	d.state = m.regs(4 * blocks)
	for j, s := range d.state {
		m.loadInts(s, Mem{Base: g, Disp: 64 * j})
	}
	lines := probabilityLines()
	table := func(name string, values []uint16) (r [2]reg.VecVirtual) {
		at := GLOBL(name, 8|16)
		for k, v := range values {
			DATA(2*k, U16(v))
		}
		for h := range r {
			r[h] = m.reg()
			m.loadInts(r[h], at.Offset(64*h))
		}
		return r
	}
	suffix := label("%d", blocks)
	d.level, d.slope = table("probabilityLevels"+suffix, lines.level[:]), table("probabilitySlopes"+suffix, lines.slope[:])
	d.tolerance, d.twoTolerance = m.broadcast(word(lines.tolerance)*0x10001), m.broadcast(word(2*lines.tolerance)*0x10001)
	d.high = m.broadcast(f32(1 << 20))
	at := GLOBL("packedQuarters"+suffix, 8|16)
	for k, q := range []uint64{0, 2, 4, 6, 1, 3, 5, 7} {
		DATA(8*k, U64(q))
	}
	d.natural = m.reg()
	m.loadInts(d.natural, at)
	return d
}

// lines give the probability of +1 for a rounded exponent w as
// level[i] + slope[i] f/2^16 rounded down, where i is the top 6 bits of w and f
// the others, moved up by 6: in units of 2^-16, off by less than tolerance for
// every exponent that is rounded to w.
type lines struct {
	level, slope [64]uint16
	tolerance    uint16
}

func probabilityLines() (l lines) {
	const top = 1 << 16
	// at is the probability for an exponent in units of rounded ones.
	at := func(w float64) float64 { return top / (1 + math.Exp2(-w/exponentUnits)) }
	const length = top / 64
	for i := range l.level {
		start := float64(int16(i * length))
		a, b := at(start), at(start+length)
		if start == math.MinInt16 { // halfway to 0: it stands for all below it
			a /= 2
		}
		if start+length == top/2 {
			b = (b + top) / 2
		}
		// The chord, moved to the middle of its errors.
		var least, most float64
		for f := range length {
			e := at(start+float64(f)) - (a + (b-a)*float64(f)/length)
			least, most = min(least, e), max(most, e)
		}
		if a != at(start) || b != at(start+length) {
			least, most = 0, 0
		}
		l.level[i] = uint16(math.Round(a + (least+most)/2))
		l.slope[i] = uint16(math.Round(b - a))
	}
	var worst float64
	for k := range top {
		w, i, f := float64(int16(k)), k/length, uint32(k%length*(top/length))
		p := float64(uint32(l.level[i]) + uint32(l.slope[i])*f>>16)
		if p > top-1 {
			panic("a probability of 1")
		}
		low, high := at(w-0.501), at(w+0.501)
		if w == math.MinInt16 { // all below it as well
			low = 0
		}
		if w == math.MaxInt16 {
			high = top
		}
		worst = max(worst, high-p, p-low)
	}
	l.tolerance = uint16(math.Ceil(worst)) + 2
	return l
}

// start begins a word, or half a word.
func (d *drawer) start() {
	if d.wide() {
		VBROADCASTSS(word(0x00010001).mem(), d.bit)
	} else {
		VBROADCASTSS(word(1).mem(), d.bit)
	}
	for _, r := range d.drawn {
		d.zero(r)
	}
}

// step steps the generators of a block, wide: it returns the high halves of
// the random numbers of its 32 lanes; the low ones are the second word of state.
func (d *drawer) step(block int) reg.VecVirtual {
	r, t := ZMM(), ZMM()
	s := d.state[4*block : 4*block+4]
	VPADDQ(s[3], s[0], r)
	VPROLQ(Imm(23), r, r)
	VPADDQ(s[0], r, r)
	VPSLLQ(Imm(17), s[1], t)
	VPXORQ(s[1], s[3], s[3])
	VPTERNLOGQ(Imm(xor3), s[0], s[2], s[1])
	VPTERNLOGQ(Imm(xor3), s[0], t, s[2])
	VPXORQ(s[3], s[0], s[0])
	VPROLQ(Imm(45), s[3], s[3])
	return r
}

// random steps half of the generators of a block, narrow, and returns the random
// numbers of the 16 lanes that they serve.
func (d *drawer) random() [2]reg.VecVirtual {
	var s [4]reg.VecVirtual
	at := func(j int) Mem { return Mem{Base: d.g, Disp: 64 * j} }
	for j := range s {
		s[j] = YMM()
		VMOVDQU(at(j), s[j])
	}
	r, t := YMM(), YMM()
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
	VMOVDQU(s[0], at(0))
	VPSLLQ(Imm(17), s[1], t)
	VPXOR(s[2], s[1], s[1])
	VMOVDQU(s[1], at(1))
	VPXOR(t, s[2], s[2])
	VMOVDQU(s[2], at(2))
	rotate(s[3], 45)
	VMOVDQU(s[3], at(3))
	VPERMQ(Imm(0xd8), r, r)
	VPERMQ(Imm(0xd8), s[1], s[1])
	VPUNPCKLWD(r, s[1], t)
	VPUNPCKHWD(r, s[1], r)
	return [2]reg.VecVirtual{t, r}
}

// skip writes the function that steps a generator without drawing.
func skip(m machine) {
	TEXT("skip"+m.name, NOSPLIT, "func(state *uint64, steps int)")
	Doc(label("skip%s steps the generators of a block a number of times, at least once.", m.name))
	Pragma("noescape")
	state, steps := param("state"), param("steps")
	halves := 16 / m.lanes // of the generators of a block
	for half := range halves {
		at := func(j int) Mem { return Mem{Base: state, Disp: 64*j + m.bytes()*half} }
		s, t, left := m.regs(4), m.reg(), GP64()
		for j := range s {
			m.loadInts(s[j], at(j))
		}
		MOVQ(steps, left)
		next := label("step%d", half)
		Label(next)
		VPSLLQ(Imm(17), s[1], t)
		if m.wide() {
			VPXORQ(s[1], s[3], s[3])
			VPTERNLOGQ(Imm(xor3), s[0], s[2], s[1])
			VPTERNLOGQ(Imm(xor3), s[0], t, s[2])
			VPXORQ(s[3], s[0], s[0])
			VPROLQ(Imm(45), s[3], s[3])
		} else {
			VPXOR(s[0], s[2], s[2])
			VPXOR(s[1], s[3], s[3])
			VPXOR(s[2], s[1], s[1])
			VPXOR(s[3], s[0], s[0])
			VPXOR(t, s[2], s[2])
			VPSRLQ(Imm(64-45), s[3], t)
			VPSLLQ(Imm(45), s[3], s[3])
			VPOR(t, s[3], s[3])
		}
		DECQ(left)
		JNZ(LabelRef(next))
		for j := range s {
			m.store(at(j), s[j])
		}
	}
	VZEROUPPER()
	RET()
}

// xor3 is the table of x xor y xor z.
const xor3 = 0x96

// exactly compares the random words of a register of lanes with the odds for
// exponents w, as the portable code does; both are overwritten. The result is
// in the mask, wide, or in random.
func (d *drawer) exactly(up reg.OpmaskVirtual, w, random reg.VecVirtual, limits exp2Limits) {
	odds, rest := d.reg(), d.reg()
	d.exp2(odds, w, limits)
	VPSRLD(Imm(1), random, random)
	if d.wide() {
		VPORD_BCST(word(1).mem(), random, random)
		VPXORD_BCST(word(1<<31-2).mem(), random, rest)
	} else {
		VPOR(word(1).mem(), random, random)
		VPXOR(word(1<<31-2).mem(), random, rest)
	}
	VCVTDQ2PS(random, random)
	VCVTDQ2PS(rest, rest)
	d.mul(odds, odds, rest)
	if d.wide() {
		VCMPPS(Imm(17), odds, random, up) // random < odds
	} else {
		VCMPPS(Imm(17), odds, random, random)
	}
}

// row draws a row; exponent loads the v-th register of exponents.
func (d *drawer) row(exponent func(v int, w reg.VecVirtual)) {
	if !d.wide() {
		for v, r := range d.random() {
			w := d.reg()
			exponent(v, w)
			d.exactly(nil, w, r, d.limits)
			VPAND(d.bit, r, r)
			VPOR(r, d.drawn[v], d.drawn[v])
		}
		return
	}
	for b := range d.blocks {
		high := d.step(b)
		var w [2]reg.VecVirtual
		for h := range w {
			w[h] = d.reg()
			exponent(2*b+h, w[h])
			d.mul(w[h], w[h], f32(exponentUnits))
			d.min(w[h], w[h], d.high)
			VCVTPS2DQ(w[h], w[h])
		}
		VPACKSSDW(w[1], w[0], w[0])
		VPERMQ(w[0], d.natural, w[0])
		level, slope := d.reg(), d.reg()
		VPSRLW(Imm(10), w[0], level)
		d.copy(slope, level)
		VPERMI2W(d.level[1], d.level[0], level)
		VPERMI2W(d.slope[1], d.slope[0], slope)
		VPSLLW(Imm(6), w[0], w[0])
		VPMULHUW(w[0], slope, slope)
		VPADDW(slope, level, level)
		up, close := K(), K()
		VPCMPUW(Imm(1), level, high, up) // high < level
		VPSUBW(high, level, level)
		VPADDW(d.tolerance, level, level)
		VPCMPUW(Imm(2), d.twoTolerance, level, close)
		KORTESTD(close, close)
		JNZ(LabelRef(label("close%d", b)))
		Label(label("drawn%d", b))
		VPADDW(d.bit, d.drawn[b], up, d.drawn[b])
		d.later = append(d.later, func() {
			Label(label("close%d", b))
			limits := d.exp2Limits()
			var ups [2]reg.OpmaskVirtual
			for h := range ups {
				ups[h] = K()
				w, r, low := d.reg(), d.reg(), d.reg()
				exponent(2*b+h, w)
				if h == 0 {
					VPMOVZXWD(high.AsY(), r)
					VPMOVZXWD(d.state[4*b+1].AsY(), low)
				} else {
					half := YMM()
					VEXTRACTI64X4(Imm(1), high, half)
					VPMOVZXWD(half, r)
					VEXTRACTI64X4(Imm(1), d.state[4*b+1], half)
					VPMOVZXWD(half, low)
				}
				VPSLLD(Imm(16), r, r)
				VPORD(low, r, r)
				d.exactly(ups[h], w, r, limits)
			}
			KUNPCKWD(ups[0], ups[1], up)
			JMP(LabelRef(label("drawn%d", b)))
		})
	}
}

// drawnRegisters is the number of registers of words that blocks have; narrow
// functions take half a block.
func (m machine) drawnRegisters(blocks int) int { return 2 * blocks }

// drawingLanes returns how many lanes a function for some blocks takes.
func (m machine) drawingLanes(blocks int) int { return m.drawnRegisters(blocks) * m.lanes }

// drawingBlocks are the numbers of blocks of lanes that functions take.
func (m machine) drawingBlocks() []int {
	if m.wide() {
		return []int{1, 2}
	}
	return []int{1}
}

// drawing writes the functions that draw spins in real fields.
func drawing(m machine) {
	skip(m)
	for _, blocks := range m.drawingBlocks() {
		TEXT(label("drawBlock%d%s", m.drawingLanes(blocks), m.name), NOSPLIT, "func(bits *uint32, stride int, field *float32, ld int, rows int, lanes int, state *uint64)")
		Doc(label("drawBlock%[1]d%[2]s is drawBlock for at least one row of up to %[1]d lanes.", m.drawingLanes(blocks), m.name))
		Pragma("noescape")
		field, ld := param("field"), param("ld")
		SHLQ(Imm(2), ld)
		ahead := GP64() // rows are far apart
		LEAQ(Mem{Base: ld, Index: ld, Scale: 8}, ahead)
		m.drawRows("bits", blocks, func() {
			for b := range m.drawnRegisters(blocks) * m.bytes() / 64 {
				PREFETCHT0(Mem{Base: field, Index: ahead, Scale: 1, Disp: 64 * b})
			}
		}, func(v int, w reg.VecVirtual, k mask) {
			m.loadMasked(w, Mem{Base: field, Disp: m.bytes() * v}, k)
			m.mul(w, w, f32(twoLog2E))
		}, func() {
			ADDQ(ld, field)
		})
	}
}

// drawRows writes the rest of a function that draws rows of spins to the
// parameter dst: begin does what a row needs, exponent loads the v-th register
// of exponents, advance goes to the next row.
func (m machine) drawRows(dst string, blocks int, begin func(), exponent func(v int, w reg.VecVirtual, k mask), advance func()) {
	bits, stride, rows, lanes := param(dst), param("stride"), param("rows"), param("lanes")
	SHLQ(Imm(2), stride)
	d := newDrawer(m, blocks, param("state"))
	masks := m.laneMasks(lanes, m.drawnRegisters(blocks))
	left := GP64()
	part := func(name string, most int) {
		MOVQ(U32(uint32(most)), left)
		CMPQ(rows, left)
		CMOVQLT(rows, left)
		SUBQ(left, rows)
		d.start()
		Label(name)
		begin()
		d.row(func(v int, w reg.VecVirtual) { exponent(v, w, masks[v]) })
		VPADDD(d.bit, d.bit, d.bit)
		advance()
		DECQ(left)
		JNZ(LabelRef(name))
	}
	Label("word")
	if m.wide() {
		half := GP64()
		XORQ(half, half)
		Label("half")
		part("row", halfBits)
		d.store(bits, half, masks)
		TESTQ(rows, rows)
		JZ(LabelRef("end"))
		XORQ(Imm(1), half)
		JNZ(LabelRef("half"))
		ADDQ(stride, bits)
		JMP(LabelRef("word"))
		for _, f := range d.later {
			f()
		}
	} else {
		part("row", 2*halfBits)
		for v, w := range d.drawn {
			m.storeMasked(Mem{Base: bits, Disp: m.bytes() * v}, w, masks[v])
		}
		ADDQ(stride, bits)
		TESTQ(rows, rows)
		JNZ(LabelRef("word"))
	}
	Label("end")
	d.finish()
	VZEROUPPER()
	RET()
}

// store stores half a word of each lane, wide: the low one, or if half is
// not 0 the high one beside it.
func (d *drawer) store(bits, half reg.GPVirtual, masks []mask) {
	for b, all := range d.drawn {
		for h := range 2 {
			w, at, k := d.reg(), Mem{Base: bits, Disp: 128*b + 64*h}, masks[2*b+h]
			if h == 0 {
				VPMOVZXWD(all.AsY(), w)
			} else {
				upper := YMM()
				VEXTRACTI64X4(Imm(1), all, upper)
				VPMOVZXWD(upper, w)
			}
			low := d.reg()
			d.loadMasked(low, at, k)
			done := label("low%d%d", b, h)
			TESTQ(half, half)
			JZ(LabelRef(done))
			VPSLLD(Imm(halfBits), w, w)
			VPORD(low, w, w)
			Label(done)
			d.storeMasked(at, w, k)
		}
	}
}

// finish stores the state of the generators.
func (d *drawer) finish() {
	for j, s := range d.state {
		VMOVUPS(s, Mem{Base: d.g, Disp: 64 * j})
	}
}

// laneMasks returns the masks of some registers of lanes: the first n lanes count.
func (m machine) laneMasks(n reg.GPVirtual, registers int) []mask {
	masks := []mask{m.firstMask(n)}
	for v := 1; v < registers; v++ {
		rest := GP64()
		LEAQ(Mem{Base: n, Disp: -m.lanes * v}, rest)
		masks = append(masks, m.firstMask(rest))
	}
	return masks
}

const twoLog2E = 2.88539008177792681471984936200378427

const minusTwoLog2E = -twoLog2E
