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
	plainEdges(m)
	plainEdgeSlopes(m)
}

// horner writes the polynomials of all x with the given coefficients, highest
// first, one term after the other.
func (m machine) horner(dst, x []reg.VecVirtual, c ...float64) {
	for i, p := range dst {
		m.mul(p, x[i], f32(c[0]))
	}
	for _, v := range c[1 : len(c)-1] {
		for i, p := range dst {
			m.add(p, p, f32(v))
			m.mul(p, p, x[i])
		}
	}
	for _, p := range dst {
		m.add(p, p, f32(c[len(c)-1]))
	}
}

// shortTanh writes tanh z over every z, as the portable code.
func (m machine) shortTanh(z []reg.VecVirtual) {
	y, p := m.regs(len(z)), m.regs(len(z))
	for i := range z {
		m.mul(y[i], z[i], z[i])
	}
	m.horner(p, y, 0.01519432769, -0.05194721591, 0.1330816164, -0.3333234052, 1)
	for i := range z {
		m.mul(z[i], z[i], p[i])
	}
}

// A state is one of the four of an edge.
type state struct {
	s   float64
	arm string // of the state of the hidden unit
}

// stateGroups are the states of an edge in the groups whose computations are
// interleaved, so that none waits for its last result: as many as registers allow.
func (m machine) stateGroups() [][]state {
	all := []state{{1, "up"}, {1, "down"}, {-1, "up"}, {-1, "down"}}
	if m.wide() {
		return [][]state{all}
	}
	return [][]state{all[:2], all[2:]}
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

// edgeLogs returns ln f in some states of the edges of a block.
func (b block) edgeLogs(lambda, offset reg.GPVirtual, states []state) []reg.VecVirtual {
	m, n := b.m, len(states)
	z, t, d := m.regs(n), m.regs(n), m.regs(n)
	for i, s := range states {
		z[i] = b.arm(offset, s.s, s.arm)
	}
	m.shortTanh(z)
	l := b.load(at(lambda))
	for i, z := range z {
		m.add(t[i], z, l)
		m.mul(t[i], z, t[i])
		m.mul(d[i], l, z)
		m.add(d[i], d[i], f32(1))
		m.div(t[i], t[i], d[i])
	}
	for i, t := range t {
		m.mul(z[i], t, t)
	}
	m.horner(d, z, twiceAtanhCoefficients...)
	for i, t := range t {
		m.mul(t, t, d[i])
	}
	return t
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
		var sums, differences []reg.VecVirtual
		for _, states := range m.stateGroups() {
			logs := b.edgeLogs(lambda, offset, states)
			for i := 0; i < len(logs); i += 2 {
				sum, down, difference := logs[i], logs[i+1], m.reg()
				m.sub(difference, sum, down)
				m.add(sum, sum, down)
				sums, differences = append(sums, sum), append(differences, difference)
			}
		}
		plusSum, plusDifference := sums[0], differences[0]
		minusSum, minusDifference := sums[1], differences[1]
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

// weights returns functions that give four times the probability of a state of
// the edges of a block, (1 ± h) + s (s_i ± sh_i) with + for the arm up. The wide
// machine has registers to keep parts of it: base, of all blocks, and those of
// the block.
func (m machine) weights(s, sh reg.GPVirtual) func(b block) func(state) reg.VecVirtual {
	base := func(arm string) reg.VecVirtual {
		r := m.broadcast(f32(1))
		if arm == "up" {
			m.add(r, r, m.argument("h"))
		} else {
			m.sub(r, r, m.argument("h"))
		}
		return r
	}
	joint := func(b block, arm string) reg.VecVirtual {
		r, t := b.load(at(s)), b.load(at(sh))
		if arm == "up" {
			m.add(r, r, t)
		} else {
			m.sub(r, r, t)
		}
		return r
	}
	bases := map[string]reg.VecVirtual{}
	if m.wide() {
		bases["up"], bases["down"] = base("up"), base("down")
	}
	return func(b block) func(state) reg.VecVirtual {
		joints, all := map[string]reg.VecVirtual{}, map[state]reg.VecVirtual{}
		return func(state state) reg.VecVirtual {
			if w, ok := all[state]; ok {
				return w
			}
			h, j := bases[state.arm], joints[state.arm]
			if h == nil {
				h = base(state.arm)
			}
			if j == nil {
				j = joint(b, state.arm)
			}
			w := m.reg()
			if state.s > 0 {
				m.add(w, h, j)
			} else {
				m.sub(w, h, j)
			}
			if m.wide() {
				joints[state.arm], all[state] = j, w
			}
			return w
		}
	}
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
	weights := m.weights(pointers["s"], pointers["sh"])
	m.loop(n, size, order, func(b block) {
		weight := weights(b)
		l := b.load(at(lambda))
		slope, direct, indirect := m.reg(), m.reg(), m.reg()
		for k, states := range m.stateGroups() {
			n := len(states)
			z, d, q := m.regs(n), m.regs(n), m.regs(n)
			for i, s := range states {
				z[i] = b.arm(pointers["offset"], s.s, s.arm)
			}
			scaled := m.regs(n) // weight times z
			for i, s := range states {
				m.mul(scaled[i], weight(s), z[i])
			}
			m.shortTanh(z)
			for i, z := range z {
				m.mul(q[i], z, z)
				m.add(q[i], q[i], f32(1))
				m.add(d[i], z, z)
				m.mul(z, l, d[i])
				m.add(q[i], q[i], z)
				m.div(d[i], d[i], q[i])
			}
			for i, s := range states {
				w := m.reg()
				m.mul(w, weight(s), d[i])
				m.mul(d[i], scaled[i], d[i])
				if k == 0 && i == 0 {
					m.copy(slope, w)
					m.copy(direct, scaled[i])
					m.copy(indirect, d[i])
				} else {
					m.add(slope, slope, w)
					m.add(direct, direct, scaled[i])
					m.add(indirect, indirect, d[i])
				}
			}
		}
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

// twiceAtanhCoefficients, highest first, of the square, as in the portable function.
var twiceAtanhCoefficients = []float64{0.4367865106, 0.1197706241, 0.3028684717, 0.3987872722, 0.6666940648, 2}

func plainEdges(m machine) {
	TEXT("plainEdges"+m.name, NOSPLIT, "func(coupling []float32, lambda []float32, t float32) float64")
	Pragma("noescape")
	lambda, n := slice("lambda")
	coupling := pointer("coupling")
	sum := m.laneSums()
	m.loop(n, map[reg.GPVirtual]int{lambda: 4, coupling: 4}, []reg.GPVirtual{lambda, coupling}, func(b block) {
		q, w, p := b.load(at(lambda)), m.regs(1), m.regs(1)
		m.mul(q, q, m.argument("t"))
		m.mul(w[0], q, q)
		m.horner(p, w, twiceAtanhCoefficients...)
		m.mul(q, q, p[0])
		m.mul(q, q, f32(0.5))
		b.store(at(coupling), q)
		m.horner(p, w, -0.4208671124, -0.02209479116, -0.2337912692, -0.2460929482, -0.3335447852, -0.499995743, -1)
		m.mul(w[0], w[0], p[0])
		b.keep(w[0])
		m.accumulate(sum, w[0])
	})
	result := m.total(sum)
	VZEROUPPER()
	Store(result.AsX(), ReturnIndex(0))
	RET()
}

func plainEdgeSlopes(m machine) {
	TEXT("plainEdgeSlopes"+m.name, NOSPLIT, "func(byLambda []float32, lambda []float32, sh []float32, t float32) float64")
	Pragma("noescape")
	lambda, n := slice("lambda")
	byLambda, sh := pointer("byLambda"), pointer("sh")
	sum, t, free, one := m.laneSums(), m.argument("t"), m.reg(), m.broadcast(f32(1))
	// product writes (1-x)(1+x).
	product := func(dst, x reg.VecVirtual) {
		u := m.reg()
		m.sub(u, one, x)
		m.add(dst, one, x)
		m.mul(dst, u, dst)
	}
	product(free, t)
	m.loop(n, map[reg.GPVirtual]int{lambda: 4, byLambda: 4, sh: 4}, []reg.GPVirtual{lambda, byLambda, sh}, func(b block) {
		l, c := b.load(at(lambda)), b.load(at(sh))
		q, d, slope := m.reg(), m.reg(), m.reg()
		m.mul(q, l, t)
		product(d, q)
		m.sub(slope, c, q)
		m.mul(slope, slope, t)
		m.div(slope, slope, d)
		b.store(at(byLambda), slope)
		m.mul(c, l, c)
		m.mul(c, c, free)
		product(q, l)
		m.mul(q, q, t)
		m.add(c, c, q)
		m.div(c, c, d)
		b.keep(c)
		m.accumulate(sum, c)
	})
	result := m.total(sum)
	VZEROUPPER()
	Store(result.AsX(), ReturnIndex(0))
	RET()
}
