package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// edgeFunctions writes the functions of the edges of a hidden unit.
func edgeFunctions(m machine) {
	edges(m)
	edgeSlopes(m)
}

// tanhRatio returns p and q of tanh z = p/q; it overwrites z.
func (m machine) tanhRatio(z reg.VecVirtual) (p, q reg.VecVirtual) {
	y, q := m.reg(), m.reg()
	m.mul(y, z, z)
	m.mul(q, y, f32(1.0/945))
	m.add(q, q, f32(1.0/9))
	m.mul(q, q, y)
	m.add(q, q, f32(1))
	p = z
	m.mul(p, z, q)
	m.mul(q, y, f32(1.0/63))
	m.add(q, q, f32(4.0/9))
	m.mul(q, q, y)
	m.add(q, q, f32(1))
	return p, q
}

// arm returns x/2 of the edges at a pointer to offsets, for s = ±1 and the
// parameter of an arm.
func (b block) arm(offset reg.GPVirtual, s float64, name string) reg.VecVirtual {
	m := b.m
	z, one := b.load(at(offset)), m.broadcast(f32(s))
	m.sub(z, one, z)
	m.mul(z, z, m.argument(name))
	return z
}

func edges(m machine) {
	TEXT("edges"+m.name, NOSPLIT, "func(coupling []float32, field []float64, lambda []float32, offset []float32, up float32, down float32) (sumA float64, sumC float64)")
	Pragma("noescape")
	lambda, n := slice("lambda")
	offset, coupling, field := pointer("offset"), pointer("coupling"), pointer("field")
	quarter := GLOBL("quarter"+m.name, 8|16)
	DATA(0, F64(0.25))
	a, c := m.laneSums(), m.laneSums()
	order := []reg.GPVirtual{lambda, offset, coupling, field}
	m.loop(n, map[reg.GPVirtual]int{lambda: 4, offset: 4, coupling: 4, field: 8}, order, func(b block) {
		edge := func(s float64, arm string) reg.VecVirtual {
			p, q := m.tanhRatio(b.arm(offset, s, arm))
			l, t := b.load(at(lambda)), m.reg()
			m.mul(t, l, q)
			m.add(t, t, p)
			m.mul(t, t, p)
			m.mul(p, p, l)
			m.add(p, p, q)
			m.mul(p, p, q)
			m.div(t, t, p)
			w := q
			m.mul(w, t, t)
			m.polynomial(p, w, []float64{0.446344241819, 0.0308365923997, 0.257251824464, 0.281697512312, 0.400215261321, 0.666662385369, 2})
			m.mul(t, t, p)
			return t
		}
		pair := func(s float64) (sum, difference reg.VecVirtual) {
			sum = edge(s, "up")
			down := edge(s, "down")
			difference = m.reg()
			m.sub(difference, sum, down)
			m.add(sum, sum, down)
			return sum, difference
		}
		plusSum, plusDifference := pair(1)
		minusSum, minusDifference := pair(-1)
		t := m.reg()
		m.sub(t, plusDifference, minusDifference)
		m.mul(t, t, f32(0.25))
		b.store(at(coupling), t)
		m.sub(t, plusSum, minusSum)
		m.mul(t, t, f32(0.25))
		b.addDoubles(at(field), t)
		m.add(plusSum, plusSum, minusSum)
		b.keep(plusSum)
		m.accumulate(a, plusSum)
		m.add(plusDifference, plusDifference, minusDifference)
		b.keep(plusDifference)
		m.accumulate(c, plusDifference)
	})
	sums := []reg.VecVirtual{m.total(a), m.total(c)}
	VZEROUPPER()
	for i, s := range sums {
		VMULSD(quarter, s.AsX(), s.AsX())
		Store(s.AsX(), ReturnIndex(i))
	}
	RET()
}

func edgeSlopes(m machine) {
	TEXT("edgeSlopes"+m.name, NOSPLIT, "func(byLambda []float32, lambda []float32, offset []float32, s []float32, sh []float32, up float32, down float32, h float32) float64")
	Pragma("noescape")
	lambda, n := slice("lambda")
	order := []reg.GPVirtual{lambda}
	pointers := map[string]reg.GPVirtual{}
	for _, name := range []string{"byLambda", "offset", "s", "sh"} {
		pointers[name] = pointer(name)
		order = append(order, pointers[name])
	}
	size := map[reg.GPVirtual]int{}
	for _, p := range order {
		size[p] = 4
	}
	sum := m.laneSums()
	m.loop(n, size, order, func(b block) {
		l := b.load(at(lambda))
		slope, direct, indirect := m.reg(), m.reg(), m.reg()
		first := true
		add := func(s float64, arm string, h, sh float64) {
			// weight = (1 + h) + s (s + sh), signs as given
			w, t := b.load(at(pointers["s"])), b.load(at(pointers["sh"]))
			if sh > 0 {
				m.add(w, w, t)
			} else {
				m.sub(w, w, t)
			}
			argument := m.argument("h")
			base := m.broadcast(f32(1))
			if h > 0 {
				m.add(base, base, argument)
			} else {
				m.sub(base, base, argument)
			}
			if s > 0 {
				m.add(w, base, w)
			} else {
				m.sub(w, base, w)
			}
			z := b.arm(pointers["offset"], s, arm)
			scaled := t
			m.mul(scaled, w, z)
			p, q := m.tanhRatio(z)
			d := m.reg()
			m.mul(d, p, q)
			m.mul(d, d, f32(2))
			m.mul(p, p, p)
			m.mul(q, q, q)
			m.add(q, q, p)
			m.mul(p, l, d)
			m.add(q, q, p)
			m.div(d, d, q)
			m.mul(w, w, d)
			m.mul(d, scaled, d)
			if first {
				m.copy(slope, w)
				m.copy(direct, scaled)
				m.copy(indirect, d)
			} else {
				m.add(slope, slope, w)
				m.add(direct, direct, scaled)
				m.add(indirect, indirect, d)
			}
			first = false
		}
		add(1, "up", 1, 1)
		add(1, "down", -1, -1)
		add(-1, "up", 1, 1)
		add(-1, "down", -1, -1)
		m.mul(slope, slope, f32(0.25))
		b.store(at(pointers["byLambda"]), slope)
		one, t := m.broadcast(f32(1)), m.reg()
		m.mul(direct, direct, l)
		m.sub(t, one, l)
		m.add(one, one, l)
		m.mul(t, t, one)
		m.mul(indirect, indirect, t)
		m.add(direct, direct, indirect)
		b.keep(direct)
		m.accumulate(sum, direct)
	})
	result := m.total(sum)
	VZEROUPPER()
	Store(result.AsX(), ReturnIndex(0))
	RET()
}
