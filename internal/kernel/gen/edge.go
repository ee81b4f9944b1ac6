package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// edgeFunctions writes the functions of the edges of a hidden unit.
func edgeFunctions(m machine) {
	edges(m)
	edgeConstant(m)
	edgeSlopes(m)
	plainEdges(m)
	plainEdgeSlopes(m)
}

// horner writes the polynomials of all x with the given coefficients, highest
// first, one term after the other.
func (m machine) horner(dst, x vec, c ...float64) {
	m.mul(dst, x, f32(c[0]))
	for _, v := range c[1 : len(c)-1] {
		m.add(dst, dst, f32(v))
		m.mul(dst, dst, x)
	}
	m.add(dst, dst, f32(c[len(c)-1]))
}

// halfAtanh writes (atanh s)/2 over s, as the portable code.
func (m machine) halfAtanh(s vec) {
	z, p := m.regs(len(s)), m.regs(len(s))
	m.mul(z, s, s)
	m.horner(p, z, 0.1086859567, 0.05583428147, 0.1017461321, 0.1665998033, 0.5000004071)
	m.mul(s, s, p)
}

// sum writes dst = a x + b y.
func (b blocks) sum(dst vec, a, x, c, y any) {
	m, t := b.m(), b.regs()
	m.mul(t, c, y)
	m.mul(dst, a, x)
	m.add(dst, dst, t)
}

// free returns (1-x)(1+x).
func (b blocks) free(x vec) vec {
	m, f, t := b.m(), b.constant(1), b.regs()
	m.add(t, x, f32(1))
	m.sub(f, f, x)
	m.mul(f, f, t)
	return f
}

// shortSinhCosh returns sinh y and cosh y, as the portable code.
func (b blocks) shortSinhCosh(y vec) (sinh, cosh vec) {
	m, z := b.m(), b.regs()
	sinh, cosh = b.regs(), b.regs()
	m.mul(z, y, y)
	m.horner(sinh, z, 0.008433362191, 0.1666555006, 1)
	m.mul(sinh, y, sinh)
	m.horner(cosh, z, 0.001406135974, 0.04166306031, 0.5000002142, 1)
	return sinh, cosh
}

// edgePointers are the parameters that edgeParts reads.
type edgePointers struct{ lambda, offset, plus, minus reg.GPVirtual }

// edgeSlices returns them, and their length.
func edgeSlices() (p edgePointers, n reg.GPVirtual) {
	p.lambda, n = slice("lambda")
	p.offset, p.plus, p.minus = pointer("offset"), pointer("plus"), pointer("minus")
	return p, n
}

func (p edgePointers) all(others ...reg.GPVirtual) []reg.GPVirtual {
	return append([]reg.GPVirtual{p.lambda, p.offset, p.plus, p.minus}, others...)
}

// edgeParts returns what the portable function does.
func (b blocks) edgeParts(p edgePointers) (q, r, w, sinh, cosh vec) {
	m := b.m()
	y, l := b.load(p.offset), b.load(p.lambda)
	m.mul(y, y, parameter("rate"))
	s, c := b.shortSinhCosh(y)
	w = b.free(l)
	u := b.constant(2)
	m.sub(u, u, w)
	m.add(l, l, l)
	q, r = b.regs(), b.regs()
	b.sum(q, u, s, l, c)
	b.sum(r, u, c, l, s)
	plus, minus := b.load(p.plus), b.load(p.minus)
	sinh, cosh = b.regs(), b.regs()
	m.sub(sinh, minus, plus)
	m.add(cosh, plus, minus)
	m.add(cosh, cosh, f32(2))
	return q, r, w, sinh, cosh
}

func edges(m machine) {
	TEXT("edges"+m.name, NOSPLIT, "func(coupling []float32, field []float32, lambda []float32, offset []float32, plus []float32, minus []float32, "+
		"rate float32, kq float32, kv float32, kd float32, bq float32, bv float32, bd float32, cn float32, cd float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	coupling, field := pointer("coupling"), pointer("field")
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		q, r, w, sinh, cosh := b.edgeParts(p)
		c, cUnder, t := b.regs(), b.regs(), b.regs()
		m.mul(t, sinh, q)
		m.mul(c, w, parameter("cn"))
		m.sub(c, c, t)
		b.sum(cUnder, cosh, r, w, parameter("cd"))
		m.mul(sinh, sinh, w)
		m.mul(cosh, cosh, w)
		k, kUnder, own, ownUnder := b.regs(), b.regs(), b.regs(), b.regs()
		b.sum(k, q, parameter("kq"), sinh, parameter("kv"))
		m.mul(kUnder, cosh, parameter("kd"))
		m.add(kUnder, kUnder, r)
		b.sum(own, q, parameter("bq"), sinh, parameter("bv"))
		m.mul(ownUnder, cosh, parameter("bd"))
		m.add(ownUnder, ownUnder, r)
		m.div(c, c, cUnder)
		m.div(k, k, kUnder)
		m.div(own, own, ownUnder)
		m.halfAtanh(append(append(append(vec{}, k...), own...), c...))
		b.store(coupling, k)
		m.add(own, b.load(field), own)
		b.store(field, own)
		b.accumulate(total, c)
	}, p.all(coupling, field)...)
	m.returns(total)
}

func edgeConstant(m machine) {
	TEXT("edgeConstant"+m.name, NOSPLIT, "func(lambda []float32, offset []float32, plus []float32, minus []float32, "+
		"rate float32, sinhJ float32, sinhNu float32, coshJ float32, coshNu float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		q, r, w, sinh, cosh := b.edgeParts(p)
		m.mul(sinh, sinh, w)
		m.mul(cosh, cosh, w)
		above, under := b.regs(), b.regs()
		b.sum(above, q, parameter("sinhJ"), sinh, parameter("sinhNu"))
		b.sum(under, r, parameter("coshJ"), cosh, parameter("coshNu"))
		equal, opposite := b.regs(), b.regs()
		m.add(equal, under, above)
		m.sub(opposite, under, above)
		both, t := append(append(vec{}, equal...), opposite...), m.regs(2*len(b))
		m.add(t, both, f32(1))
		m.sub(both, both, f32(1))
		m.div(both, both, t)
		m.halfAtanh(both)
		m.add(equal, equal, opposite)
		b.accumulate(total, equal)
	}, p.all()...)
	m.returns(total)
}

func edgeSlopes(m machine) {
	TEXT("edgeSlopes"+m.name, NOSPLIT, "func(byLambda []float32, lambda []float32, offset []float32, plus []float32, minus []float32, s []float32, sh []float32, "+
		"rate float32, pp float32, pm float32, mp float32, mm float32, up float32, down float32, nu float32, h float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	byLambda, s, sh := pointer("byLambda"), pointer("s"), pointer("sh")
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		y := b.load(p.offset)
		m.mul(y, y, parameter("rate"))
		g := b.regs()
		m.horner(g, y, 0.001406202531, 0.008433347313, 0.04166319521, 0.166655505, 0.5000001676, 1)
		m.mul(y, y, g)           // exp(y) - 1
		gain := b.load(p.lambda) // 1 + lambda
		m.add(gain, gain, f32(1))
		signs := []func(dst, x, y any){m.add, m.sub} // of a spin of 1 and of -1
		above, under := make([]vec, 4), make([]vec, 4)
		for h, p := range []reg.GPVirtual{p.plus, p.minus} {
			x, t, e := b.load(p), b.regs(), b.regs()
			m.mul(t, x, y)
			m.add(e, x, y)
			m.add(e, e, t)
			m.add(t, e, f32(1))
			base, joint := b.constant(1), b.load(s) // parts of the probabilities
			signs[h](base, base, parameter("h"))
			signs[h](joint, joint, b.load(sh))
			for s, exponential := range [][]parameter{{"pp", "pm"}, {"mp", "mm"}} {
				k, w := 2*s+h, b.regs()
				above[k], under[k] = b.regs(), b.regs()
				m.mul(above[k], t, exponential[h])
				m.add(above[k], above[k], e)
				m.mul(under[k], gain, above[k])
				m.add(under[k], under[k], f32(2))
				signs[s](w, base, joint)
				m.mul(above[k], w, above[k])
			}
		}
		for k, v := range above {
			m.div(v, v, under[k])
		}
		for h := range 2 { // above becomes the sum over s and that with s
			last := under[h]
			m.sub(last, above[h], above[2+h])
			m.add(above[h], above[h], above[2+h])
			above[2+h] = last
		}
		slope := b.regs()
		m.add(slope, above[0], above[1])
		m.mul(slope, slope, f32(0.25))
		b.store(byLambda, slope)
		o, away, direct := b.load(p.offset), b.load(s), b.load(sh)
		for h, part := range []parameter{"up", "down"} {
			sum, spin := above[h], above[2+h]
			m.mul(sum, o, sum)
			m.sub(spin, spin, sum)
			m.mul(spin, spin, part)
		}
		indirect := above[2]
		m.add(indirect, indirect, above[3])
		m.sub(away, away, o)
		m.mul(o, o, parameter("h"))
		m.sub(direct, direct, o)
		m.mul(away, away, parameter("nu"))
		m.sub(direct, direct, away)
		l := b.load(p.lambda)
		m.mul(indirect, b.free(l), indirect)
		m.mul(direct, l, direct)
		m.add(direct, direct, indirect)
		b.accumulate(total, direct)
	}, p.all(byLambda, s, sh)...)
	m.returns(total)
}

func plainEdges(m machine) {
	TEXT("plainEdges"+m.name, NOSPLIT, "func(coupling []float32, lambda []float32, t float32)")
	Pragma("noescape")
	lambda, n := slice("lambda")
	coupling := pointer("coupling")
	m.pairs(n, func(b blocks) {
		k := b.load(lambda)
		m.mul(k, k, parameter("t"))
		m.halfAtanh(k)
		m.add(k, k, k)
		b.store(coupling, k)
	}, lambda, coupling)
	VZEROUPPER()
	RET()
}

func plainEdgeSlopes(m machine) {
	TEXT("plainEdgeSlopes"+m.name, NOSPLIT, "func(byLambda []float32, lambda []float32, sh []float32, t float32) float64")
	Pragma("noescape")
	lambda, n := slice("lambda")
	byLambda, sh := pointer("byLambda"), pointer("sh")
	t, total := m.argument("t"), m.laneSums()
	free := blocks{{m: m}}.free(vec{t})[0]
	m.pairs(n, func(b blocks) {
		l, c := b.load(lambda), b.load(sh)
		q, slope := b.regs(), b.regs()
		m.mul(q, l, t)
		d := b.free(q)
		m.sub(slope, c, q)
		m.mul(slope, slope, t)
		m.div(slope, slope, d)
		b.store(byLambda, slope)
		m.mul(c, l, c)
		m.mul(c, c, free)
		q = b.free(l)
		m.mul(q, q, t)
		m.add(c, c, q)
		m.div(c, c, d)
		b.accumulate(total, c)
	}, lambda, byLambda, sh)
	m.returns(total)
}

// A vec is one register for each of some blocks.
type vec = []reg.VecVirtual

// blocks are neighbouring blocks whose computations are interleaved, so that one
// goes on while another waits for a result.
type blocks []block

func (b blocks) m() machine { return b[0].m }

// regs returns fresh registers.
func (b blocks) regs() vec { return b.m().regs(len(b)) }

// constant returns fresh registers that hold a number.
func (b blocks) constant(x float64) vec {
	v := make(vec, len(b))
	for i := range v {
		v[i] = b.m().broadcast(f32(x))
	}
	return v
}

// at is where the i-th block is.
func (b blocks) at(p reg.GPVirtual, i int) Mem { return at(p).Offset(i * b.m().bytes()) }

func (b blocks) load(p reg.GPVirtual) vec {
	v := make(vec, len(b))
	for i, one := range b {
		v[i] = one.load(b.at(p, i))
	}
	return v
}

func (b blocks) store(p reg.GPVirtual, v vec) {
	for i, one := range b {
		one.store(b.at(p, i), v[i])
	}
}

// accumulate adds what is before the end to lane sums.
func (b blocks) accumulate(total vec, v vec) {
	for i, one := range b {
		one.keep(v[i])
		b.m().accumulate(total, v[i])
	}
}

// pairs writes a loop as floats does, of two blocks at a time where registers allow.
func (m machine) pairs(n reg.GPVirtual, body func(b blocks), pointers ...reg.GPVirtual) {
	if m.wide() {
		SUBQ(Imm(uint64(2*m.lanes)), n)
		JLT(LabelRef("single"))
		Label("pair")
		body(blocks{{m: m}, {m: m}})
		for _, p := range pointers {
			ADDQ(U32(uint32(2*m.bytes())), p)
		}
		SUBQ(Imm(uint64(2*m.lanes)), n)
		JGE(LabelRef("pair"))
		Label("single")
		ADDQ(Imm(uint64(2*m.lanes)), n)
	}
	m.floats(n, func(b block) { body(blocks{b}) }, pointers...)
}
