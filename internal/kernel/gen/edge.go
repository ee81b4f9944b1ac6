package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// edgeFunctions writes the functions of the edges of a hidden unit.
func edgeFunctions(m machine) {
	for _, r := range edgeRanges {
		r.couplings(m)
		r.constant(m)
		r.slopes(m)
		r.plain(m)
	}
	plainEdgeSlopes(m)
}

// An edgeRange are the polynomials of couplings up to a limit, as in the portable code.
type edgeRange struct {
	name                           string
	atanh, sinh, cosh, exponential []float64
}

var edgeRanges = []edgeRange{{
	name:        "Near",
	atanh:       []float64{0.1043275577, 0.1666026689, 0.5000001394},
	sinh:        []float64{0.008344390535, 0.1666665298, 1},
	cosh:        []float64{0.04174408131, 0.4999990416, 1},
	exponential: []float64{0.008346128528, 0.0417360211, 0.1666664709, 0.4999993096, 1},
}, {
	name:        "Far",
	atanh:       []float64{0.6708923727, -1.044833446, 0.8303064101, -0.2672417473, 0.1251786643, 0.06292658394, 0.100512289, 0.1666548989, 0.5000000442},
	sinh:        []float64{0.0002037740442, 0.008330211424, 0.1666671825, 1},
	cosh:        []float64{0.001437277978, 0.04163846158, 0.5000046628, 1},
	exponential: []float64{2.54826866e-05, 0.0002037728783, 0.001388329083, 0.008330213007, 0.04166683596, 0.166667182, 0.4999999871, 1},
}}

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

// halfAtanh writes (atanh s)/2 over s.
func (r edgeRange) halfAtanh(m machine, s vec) {
	z, p := m.regs(len(s)), m.regs(len(s))
	m.mul(z, s, s)
	m.horner(p, z, r.atanh...)
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

// sinhCosh returns sinh y and cosh y.
func (r edgeRange) sinhCosh(b blocks, y vec) (sinh, cosh vec) {
	m, z := b.m(), b.regs()
	sinh, cosh = b.regs(), b.regs()
	m.mul(z, y, y)
	m.horner(sinh, z, r.sinh...)
	m.mul(sinh, y, sinh)
	m.horner(cosh, z, r.cosh...)
	return sinh, cosh
}

// edgePointers are the parameters that parts reads.
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

// parts returns what the portable function does.
func (r edgeRange) parts(b blocks, p edgePointers) (q, v, w, sinh, cosh vec) {
	m := b.m()
	y, l := b.load(p.offset), b.load(p.lambda)
	m.mul(y, y, parameter("rate"))
	s, c := r.sinhCosh(b, y)
	w = b.free(l)
	u := b.constant(2)
	m.sub(u, u, w)
	m.add(l, l, l)
	q, v = b.regs(), b.regs()
	b.sum(q, u, s, l, c)
	b.sum(v, u, c, l, s)
	plus, minus := b.load(p.plus), b.load(p.minus)
	sinh, cosh = b.regs(), b.regs()
	m.sub(sinh, minus, plus)
	m.add(cosh, plus, minus)
	m.add(cosh, cosh, f32(2))
	return q, v, w, sinh, cosh
}

func (r edgeRange) couplings(m machine) {
	TEXT("couplings"+r.name+m.name, NOSPLIT, "func(coupling []float32, field []float32, lambda []float32, offset []float32, plus []float32, minus []float32, "+
		"rate float32, kq float32, kv float32, kd float32, bq float32, bv float32, bd float32, cn float32, cd float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	coupling, field := pointer("coupling"), pointer("field")
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		q, v, w, sinh, cosh := r.parts(b, p)
		c, cUnder, t := b.regs(), b.regs(), b.regs()
		m.mul(t, sinh, q)
		m.mul(c, w, parameter("cn"))
		m.sub(c, c, t)
		b.sum(cUnder, cosh, v, w, parameter("cd"))
		m.mul(sinh, sinh, w)
		m.mul(cosh, cosh, w)
		k, kUnder, own, ownUnder := b.regs(), b.regs(), b.regs(), b.regs()
		b.sum(k, q, parameter("kq"), sinh, parameter("kv"))
		m.mul(kUnder, cosh, parameter("kd"))
		m.add(kUnder, kUnder, v)
		b.sum(own, q, parameter("bq"), sinh, parameter("bv"))
		m.mul(ownUnder, cosh, parameter("bd"))
		m.add(ownUnder, ownUnder, v)
		m.div(c, c, cUnder)
		m.div(k, k, kUnder)
		m.div(own, own, ownUnder)
		r.halfAtanh(m, append(append(append(vec{}, k...), own...), c...))
		b.store(coupling, k)
		m.add(own, b.load(field), own)
		b.store(field, own)
		b.accumulate(total, c)
	}, p.all(coupling, field)...)
	m.returns(total)
}

func (r edgeRange) constant(m machine) {
	TEXT("constant"+r.name+m.name, NOSPLIT, "func(lambda []float32, offset []float32, plus []float32, minus []float32, "+
		"rate float32, sinhJ float32, sinhNu float32, coshJ float32, coshNu float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		q, v, w, sinh, cosh := r.parts(b, p)
		m.mul(sinh, sinh, w)
		m.mul(cosh, cosh, w)
		above, under := b.regs(), b.regs()
		b.sum(above, q, parameter("sinhJ"), sinh, parameter("sinhNu"))
		b.sum(under, v, parameter("coshJ"), cosh, parameter("coshNu"))
		equal, opposite := b.regs(), b.regs()
		m.add(equal, under, above)
		m.sub(opposite, under, above)
		both, t := append(append(vec{}, equal...), opposite...), m.regs(2*len(b))
		m.add(t, both, f32(1))
		m.sub(both, both, f32(1))
		m.div(both, both, t)
		r.halfAtanh(m, both)
		m.add(equal, equal, opposite)
		b.accumulate(total, equal)
	}, p.all()...)
	m.returns(total)
}

func (r edgeRange) slopes(m machine) {
	TEXT("slopes"+r.name+m.name, NOSPLIT, "func(byLambda []float32, lambda []float32, offset []float32, plus []float32, minus []float32, s []float32, sh []float32, "+
		"rate float32, pp float32, pm float32, mp float32, mm float32, up float32, down float32, nu float32, h float32, hUp float32, hDown float32) float64")
	Pragma("noescape")
	p, n := edgeSlices()
	byLambda, s, sh := pointer("byLambda"), pointer("s"), pointer("sh")
	total := m.laneSums()
	m.pairs(n, func(b blocks) {
		y := b.load(p.offset)
		m.mul(y, y, parameter("rate"))
		g := b.regs()
		m.horner(g, y, r.exponential...)
		m.mul(y, y, g) // exp(y) - 1
		whole := g
		m.add(whole, y, f32(1))
		gain := b.load(p.lambda) // 1 + lambda
		m.add(gain, gain, f32(1))
		signs := []func(dst, x, y any){m.add, m.sub} // of a spin of 1 and of -1
		above, under := make([]vec, 4), make([]vec, 4)
		for h, p := range []reg.GPVirtual{p.plus, p.minus} {
			e, t := b.load(p), b.regs()
			m.mul(e, whole, e)
			m.add(e, e, y)
			m.add(t, e, f32(1))
			base, joint := b.argument([]string{"hUp", "hDown"}[h]), b.load(s) // parts of the probabilities
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

func (r edgeRange) plain(m machine) {
	TEXT("plain"+r.name+m.name, NOSPLIT, "func(coupling []float32, lambda []float32, t float32)")
	Pragma("noescape")
	lambda, n := slice("lambda")
	coupling := pointer("coupling")
	m.pairs(n, func(b blocks) {
		k := b.load(lambda)
		m.mul(k, k, parameter("t"))
		r.halfAtanh(m, k)
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

// argument returns fresh registers that hold a parameter.
func (b blocks) argument(name string) vec {
	v := make(vec, len(b))
	for i := range v {
		v[i] = b.m().argument(name)
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

// accumulate adds the values before the end to lane sums.
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
