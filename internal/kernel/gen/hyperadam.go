package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sizes and places of HyperNumbers.
const (
	hyperHidden   = 4
	hyperFeatures = 4
	hyperOutputs  = 5

	hyperIn   = hyperHidden
	hyperOut  = hyperIn + hyperHidden*hyperFeatures
	hyperRest = hyperOut + hyperOutputs*(hyperHidden+1)
)

// clip keeps x within ±limit; NaN stays.
func (m machine) clip(x reg.VecVirtual, limit float64) {
	m.min(x, x, m.broadcast(f32(limit)))
	m.max(x, x, m.broadcast(f32(-limit)))
}

// hyperAdam writes the function that takes one step of the learned rule for a row of parameters.
func hyperAdam(m machine) {
	TEXT("hyperAdam"+m.name, NOSPLIT, "func(theta []float32, grad []float32, size []float32, agree []float32, first []float32, slow []float32, fast []float32, second []float32, by *float32)")
	Pragma("noescape")
	theta, n := slice("theta")
	grad, size, agree := pointer("grad"), pointer("size"), pointer("agree")
	first, slow, fast, second := pointer("first"), pointer("slow"), pointer("fast"), pointer("second")
	by := param("by")
	number := func(k int) place { return place{Base: by, Disp: 4 * k} }
	const keep, take, byFirst, bySlow, byFast, bySecond, rate, limit = hyperRest, hyperRest + 1, hyperRest + 2, hyperRest + 3, hyperRest + 4, hyperRest + 5, hyperRest + 6, hyperRest + 7
	const log2E = 1.44269504088896340735992468100189214
	absolute := word(1<<31 - 1)
	m.floats(n, func(b block) {
		g, t := b.load(at(grad)), m.reg()
		average := func(p reg.GPVirtual, keep, take any) reg.VecVirtual {
			x := b.load(at(p))
			m.mul(x, x, keep)
			m.mul(t, g, take)
			m.add(x, x, t)
			b.store(at(p), x)
			return x
		}
		square := func(p reg.GPVirtual, keep, take float64, unbias int) reg.VecVirtual {
			x := b.load(at(p))
			m.mul(x, x, f32(keep))
			m.mul(t, g, f32(take))
			m.mul(t, t, g)
			m.add(x, x, t)
			b.store(at(p), x)
			m.mul(x, x, number(unbias))
			VSQRTPS(x, x)
			m.add(x, x, f32(1e-8))
			return x
		}
		root, rootFast := square(second, 0.999, 0.001, bySecond), square(fast, 0.95, 0.05, byFast)
		both := m.reg()
		m.mul(both, root, rootFast)
		m.div(both, m.broadcast(f32(1)), both)
		m.mul(rootFast, both, rootFast) // by u0, u1 and u2
		m.mul(root, both, root)         // by u3
		u1 := average(first, number(keep), number(take))
		u2 := average(slow, f32(0.98), f32(0.02))
		u0, u3 := g, root
		m.mul(u1, u1, number(byFirst))
		m.mul(u3, u1, root)
		m.mul(u1, u1, rootFast)
		m.mul(u0, g, rootFast)
		m.mul(u2, u2, number(bySlow))
		m.mul(u2, u2, rootFast)

		x := b.load(at(theta))
		f := m.regs(hyperFeatures)
		m.and(f[0], u1, absolute)
		m.min(f[0], f[0], m.broadcast(f32(2)))
		b.store(at(size), f[0])
		m.mul(f[1], u0, u2)
		m.clip(f[1], 2)
		b.store(at(agree), f[1])
		m.mul(f[2], x, u1)
		m.clip(f[2], 2)
		m.and(f[3], x, absolute)
		m.min(f[3], f[3], m.broadcast(f32(4)))
		m.sub(f[3], f[3], f32(1))
		h, d := m.regs(hyperHidden), m.regs(hyperHidden)
		for q, z := range h {
			weight := func(k int) place { return number(hyperIn + q*hyperFeatures + k) }
			m.mul(z, f[0], weight(0))
			m.add(z, z, number(q))
			for k := 1; k < hyperFeatures; k++ {
				m.mul(t, f[k], weight(k))
				m.add(z, z, t)
			}
		}
		for q, z := range h {
			m.and(d[q], z, absolute)
			m.add(d[q], d[q], f32(1))
		}
		low, high := m.reg(), m.reg()
		m.mul(low, d[0], d[1])
		m.mul(high, d[2], d[3])
		for q := range h {
			m.mul(h[q], h[q], d[q^1])
		}
		m.mul(t, low, high)
		m.div(t, m.broadcast(f32(1)), t)
		m.mul(high, t, high)
		m.mul(low, t, low)
		for q, byPair := range []reg.VecVirtual{high, high, low, low} {
			m.mul(h[q], h[q], byPair)
		}
		o := m.reg()
		out := func(j int) {
			weight := func(q int) place { return number(hyperOut + j*(hyperHidden+1) + q) }
			m.mul(o, h[0], weight(0))
			m.add(o, o, weight(hyperHidden))
			for q := 1; q < hyperHidden; q++ {
				m.mul(t, h[q], weight(q))
				m.add(o, o, t)
			}
		}
		move := m.reg()
		for j, u := range []reg.VecVirtual{u0, u2, u3} {
			m.sub(u, u, u1)
			out(j + 1)
			m.mul(o, o, u)
			if j == 0 {
				m.add(move, o, u1)
			} else {
				m.add(move, move, o)
			}
		}
		out(4)
		x = b.load(at(theta))
		m.mul(o, o, x)
		m.add(move, move, o)
		out(0)
		m.clip(o, 3*log2E)
		gain := m.reg()
		m.exp2Within(gain, o)
		m.mul(move, move, gain)
		m.mul(move, move, number(rate))
		m.add(x, x, move)
		bound := m.reg()
		VBROADCASTSS(Mem(number(limit)), bound)
		m.min(x, x, bound)
		m.xor(bound, bound, word(1<<31))
		m.max(x, x, bound)
		b.store(at(theta), x)
	}, theta, grad, size, agree, first, slow, fast, second)
	VZEROUPPER()
	RET()
}
