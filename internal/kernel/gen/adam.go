package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// adam writes the step of Adam.
func adam(m machine) {
	TEXT("adam"+m.name, NOSPLIT, "func(theta []float32, first []float32, second []float32, grad []float32, scale float32, epsilon float32, limit float32)")
	Pragma("noescape")
	theta, n := slice("theta")
	first, second, grad := pointer("first"), pointer("second"), pointer("grad")
	scale, epsilon, high, low := m.argument("scale"), m.argument("epsilon"), m.argument("limit"), m.reg()
	m.xor(low, high, word(1<<31))
	order := []reg.GPVirtual{theta, first, second, grad}
	m.loop(n, map[reg.GPVirtual]int{theta: 4, first: 4, second: 4, grad: 4}, order, func(b block) {
		g, x, mean, square, t := b.load(at(grad)), b.load(at(theta)), b.load(at(first)), b.load(at(second)), m.reg()
		m.mul(mean, mean, f32(0.9))
		m.mul(t, g, f32(0.1))
		m.add(mean, mean, t)
		b.store(at(first), mean)
		m.mul(square, square, f32(0.999))
		m.mul(t, g, f32(0.001))
		m.mul(t, t, g)
		m.add(square, square, t)
		b.store(at(second), square)
		VSQRTPS(square, square)
		m.add(square, square, epsilon)
		m.mul(mean, mean, scale)
		m.div(mean, mean, square)
		m.add(x, x, mean)
		m.min(x, x, high)
		m.max(x, x, low)
		b.store(at(theta), x)
	})
	VZEROUPPER()
	RET()
}
