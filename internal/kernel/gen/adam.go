package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// adam writes the steps of Adam, with an average of the gradient and without.
func adam(m machine) {
	adamStep(m, "adam", true)
	adamStep(m, "rmsProp", false)
}

func adamStep(m machine, name string, momentum bool) {
	arguments := "theta []float32, second []float32, grad []float32, stay float32, scale float32, epsilon float32, limit float32"
	if momentum {
		arguments = "theta []float32, first []float32, second []float32, grad []float32, keep float32, take float32, stay float32, scale float32, epsilon float32, limit float32"
	}
	TEXT(name+m.name, NOSPLIT, "func("+arguments+")")
	Pragma("noescape")
	theta, n := slice("theta")
	second, grad := pointer("second"), pointer("grad")
	stay, scale, epsilon, high, low := m.argument("stay"), m.argument("scale"), m.argument("epsilon"), m.argument("limit"), m.reg()
	m.xor(low, high, word(1<<31))
	order := []reg.GPVirtual{theta, second, grad}
	var first reg.GPVirtual
	var keep, take reg.VecVirtual
	if momentum {
		first, keep, take = pointer("first"), m.argument("keep"), m.argument("take")
		order = append(order, first)
	}
	sizes := map[reg.GPVirtual]int{}
	for _, p := range order {
		sizes[p] = 4
	}
	m.loop(n, sizes, order, func(b block) {
		g, x, square, t := b.load(at(grad)), b.load(at(theta)), b.load(at(second)), m.reg()
		m.mul(square, square, f32(0.999))
		m.mul(t, g, f32(0.001))
		m.mul(t, t, g)
		m.add(square, square, t)
		b.store(at(second), square)
		if momentum {
			mean := b.load(at(first))
			m.mul(mean, mean, keep)
			m.mul(g, g, take)
			m.add(g, mean, g)
			b.store(at(first), g)
		}
		VSQRTPS(square, square)
		m.add(square, square, epsilon)
		m.mul(g, g, scale)
		m.div(g, g, square)
		m.mul(x, x, stay)
		m.add(x, x, g)
		m.min(x, x, high)
		m.max(x, x, low)
		b.store(at(theta), x)
	})
	VZEROUPPER()
	RET()
}
