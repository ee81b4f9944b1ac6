package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// oneHot writes the functions of one-hot units: a block of samples goes through the rows.
func oneHot(m machine) {
	oneHotMeans(m)
	oneHotMoments(m)
	oneHotChoices(m)
}

// rows are those of matrices of the same shape, k x n.
type rows struct {
	machine
	count, offset, left, step reg.GPVirtual // step and offset in bytes
	limits                    exp2Limits
	none, least               reg.VecVirtual
}

func newRows(m machine, n reg.GPVirtual) *rows {
	r := &rows{machine: m, count: param("k"), offset: GP64(), left: GP64(), step: GP64(), limits: m.exp2Limits(), none: m.argument("none"), least: m.argument("least")}
	MOVQ(n, r.step)
	SHLQ(Imm(2), r.step)
	return r
}

// each goes through the rows.
func (r *rows) each(name string, b block, body func()) {
	row := label("%s%v", name, b.part)
	XORQ(r.offset, r.offset)
	MOVQ(r.count, r.left)
	Label(row)
	body()
	ADDQ(r.step, r.offset)
	DECQ(r.left)
	JNZ(LabelRef(row))
}

// at is where the block is in the present row of a matrix.
func (r *rows) at(p reg.GPVirtual) Mem { return Mem{Base: p, Index: r.offset, Scale: 1} }

// weight writes exp(2(x - top)) over x.
func (r *rows) weight(x, top reg.VecVirtual) {
	e := r.reg()
	r.sub(x, x, top)
	r.mul(x, x, f32(twoLog2E))
	r.exp2(e, x, r.limits)
	r.copy(x, e)
}

// nothing returns the weight of the state in which no feature is on.
func (r *rows) nothing(top reg.VecVirtual) reg.VecVirtual {
	x := r.reg()
	r.zero(x)
	r.weight(x, top)
	r.mul(x, x, r.none)
	return x
}

func (r *rows) top() reg.VecVirtual {
	top := r.reg()
	r.copy(top, r.least)
	return top
}

func (r *rows) inverse(x reg.VecVirtual) {
	one := r.broadcast(f32(1))
	r.div(x, one, x)
}

func oneHotMeans(m machine) {
	TEXT("oneHotMeans"+m.name, NOSPLIT, "func(dst []float32, field []float32, k int, n int, none float32, least float32)")
	Pragma("noescape")
	dst, field := pointer("dst"), pointer("field")
	n := param("n")
	r := newRows(m, n)
	m.floats(n, func(b block) {
		top := r.top()
		r.each("top", b, func() { m.max(top, b.load(r.at(field)), top) })
		sum := r.nothing(top)
		r.each("weight", b, func() {
			x := b.load(r.at(field))
			r.weight(x, top)
			m.add(sum, sum, x)
			b.store(r.at(dst), x)
		})
		r.inverse(sum)
		r.each("mean", b, func() {
			p := b.load(r.at(dst))
			m.mul(p, p, sum)
			m.add(p, p, p)
			m.add(p, p, f32(-1))
			b.store(r.at(dst), p)
		})
	}, dst, field)
	VZEROUPPER()
	RET()
}

func oneHotMoments(m machine) {
	TEXT("oneHotMoments"+m.name, NOSPLIT, "func(first []float32, second []float32, mean []float32, variance []float32, noise []float32, k int, n int, none float32, least float32)")
	Pragma("noescape")
	first, second, mean, variance, noise := pointer("first"), pointer("second"), pointer("mean"), pointer("variance"), pointer("noise")
	n := param("n")
	r := newRows(m, n)
	m.floats(n, func(b block) {
		topU, topV := r.top(), r.top()
		r.each("top", b, func() {
			x, d, z, u := b.load(r.at(mean)), b.load(r.at(variance)), b.load(r.at(noise)), m.reg()
			VSQRTPS(d, d)
			m.mul(d, d, z)
			m.add(u, x, d)
			m.sub(x, x, d)
			m.max(topU, u, topU)
			m.max(topV, x, topV)
			b.store(r.at(first), u)
			b.store(r.at(second), x)
		})
		sumU, sumV := r.nothing(topU), r.nothing(topV)
		r.each("weight", b, func() {
			u, v := b.load(r.at(first)), b.load(r.at(second))
			r.weight(u, topU)
			r.weight(v, topV)
			m.add(sumU, sumU, u)
			m.add(sumV, sumV, v)
			b.store(r.at(first), u)
			b.store(r.at(second), v)
		})
		r.inverse(sumU)
		r.inverse(sumV)
		r.each("mean", b, func() {
			p, q, s, t := b.load(r.at(first)), b.load(r.at(second)), m.reg(), m.reg()
			m.mul(p, p, sumU)
			m.mul(q, q, sumV)
			m.add(s, p, q)
			m.mul(p, p, p)
			m.mul(q, q, q)
			m.add(p, p, q)
			m.sub(t, s, p)
			m.add(t, t, t)
			m.add(s, s, f32(-1))
			b.store(r.at(first), s)
			b.store(r.at(second), t)
		})
	}, first, second, mean, variance, noise)
	VZEROUPPER()
	RET()
}

func oneHotChoices(m machine) {
	TEXT("oneHotChoices"+m.name, NOSPLIT, "func(choice []int32, weight []float32, uniform []float32, k int, n int, none float32, least float32)")
	Pragma("noescape")
	choice, weight, uniform := pointer("choice"), pointer("weight"), pointer("uniform")
	n := param("n")
	r := newRows(m, n)
	m.floats(n, func(b block) {
		top := r.top()
		r.each("top", b, func() { m.max(top, b.load(r.at(weight)), top) })
		sum := r.nothing(top)
		r.each("weight", b, func() {
			x := b.load(r.at(weight))
			r.weight(x, top)
			m.add(sum, sum, x)
			b.store(r.at(weight), x)
		})
		left, passed, beyond := b.load(at(uniform)), m.reg(), m.broadcast(word(1<<32-1))
		m.mul(left, left, sum)
		m.zero(passed)
		const notLess = 5
		if m.wide() {
			k, all, x := K(), K(), m.reg()
			KXNORW(all, all, all)
			r.each("choice", b, func() {
				b.loadInto(x, r.at(weight))
				VCMPPS(Imm(notLess), x, left, all, k)
				KMOVW(k, all)
				VPSUBD(beyond, passed, all, passed)
				VSUBPS(x, left, all, left)
			})
		} else {
			x, k := m.reg(), m.reg()
			r.each("choice", b, func() {
				b.loadInto(x, r.at(weight))
				VCMPPS(Imm(notLess), x, left, k)
				m.and(beyond, beyond, k)
				VPSUBD(beyond, passed, passed)
				m.and(x, x, beyond)
				m.sub(left, left, x)
			})
		}
		b.store(at(choice), passed)
	}, choice, weight, uniform)
	VZEROUPPER()
	RET()
}
