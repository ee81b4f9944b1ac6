package main

import . "github.com/mmcloughlin/avo/build"

// joinFunctions writes the passes over rows of the layers above the first.
func joinFunctions(m machine) {
	dot(m)
	centre(m)
	mix(m)
	joinFields(m)
	joinGradient(m)
}

func dot(m machine) {
	TEXT("dot"+m.name, NOSPLIT, "func(x []float32, y []float32) float64")
	Pragma("noescape")
	x, n := slice("x")
	y := pointer("y")
	sum := m.shortSums()
	m.floats(n, func(b block) {
		v := b.load(at(x))
		m.mul(v, v, b.load(at(y)))
		m.accumulateShort(sum, v)
	}, x, y)
	m.returnsShort(sum)
}

func centre(m machine) {
	TEXT("centre"+m.name, NOSPLIT, "func(dst []float32, tanh []float32, sech2 []float32, sech2Sums []float32, squareSums []float32, shiftSums []float32, offset float32) (tanhSum float64, sech2Sum float64, squareSum float64)")
	Pragma("noescape")
	dst, n := slice("dst")
	tanh, sech2 := pointer("tanh"), pointer("sech2")
	sech2Sums, squareSums, shiftSums := pointer("sech2Sums"), pointer("squareSums"), pointer("shiftSums")
	offset := m.argument("offset")
	tanhSum, sech2Sum, squareSum := m.shortSums(), m.shortSums(), m.shortSums()
	m.floats(n, func(b block) {
		t, r, u := b.load(at(tanh)), b.load(at(sech2)), m.reg()
		m.sub(u, t, offset)
		b.store(at(dst), u)
		m.mul(u, u, u)
		b.keep(u)
		m.accumulateShort(tanhSum, t)
		m.accumulateShort(sech2Sum, r)
		m.accumulateShort(squareSum, u)
		s := b.load(at(sech2Sums))
		m.add(s, s, r)
		b.store(at(sech2Sums), s)
		s = b.load(at(squareSums))
		m.add(s, s, u)
		b.store(at(squareSums), s)
		m.mul(t, t, offset)
		s = b.load(at(shiftSums))
		m.add(s, s, t)
		b.store(at(shiftSums), s)
	}, dst, tanh, sech2, sech2Sums, squareSums, shiftSums)
	m.returnsShort(tanhSum, sech2Sum, squareSum)
}

func mix(m machine) {
	TEXT("mix"+m.name, NOSPLIT, "func(dst []float32, from []float32, x []float32, y []float32, byX float32, byY float32)")
	Pragma("noescape")
	dst, n := slice("dst")
	from, x, y := pointer("from"), pointer("x"), pointer("y")
	byX, byY := m.argument("byX"), m.argument("byY")
	m.floats(n, func(b block) {
		f, v, w := b.load(at(from)), b.load(at(x)), b.load(at(y))
		m.mul(v, v, byX)
		m.add(f, f, v)
		m.mul(w, w, byY)
		m.add(f, f, w)
		b.store(at(dst), f)
	}, dst, from, x, y)
	VZEROUPPER()
	RET()
}

func joinFields(m machine) {
	TEXT("joinFields"+m.name, NOSPLIT, "func(mean []float32, variance []float32, fromMean []float32, fromVariance []float32, product []float32, state []float32, by []float32, spread []float32, square []float32, coupling float32, reaction float32, free float32, taken float32)")
	Pragma("noescape")
	mean, n := slice("mean")
	variance, fromMean, fromVariance := pointer("variance"), pointer("fromMean"), pointer("fromVariance")
	product, state := pointer("product"), pointer("state")
	by, spread, square := pointer("by"), pointer("spread"), pointer("square")
	coupling, reaction, free, taken, zero := m.argument("coupling"), m.argument("reaction"), m.argument("free"), m.argument("taken"), m.reg()
	m.zero(zero)
	m.floats(n, func(b block) {
		f, p := b.load(at(fromMean)), b.load(at(product))
		m.mul(p, p, coupling)
		m.add(f, f, p)
		s := b.load(at(state))
		m.mul(s, s, b.load(at(by)))
		m.mul(s, s, reaction)
		m.add(f, f, s)
		b.store(at(mean), f)
		v, w := b.load(at(spread)), b.load(at(square))
		m.mul(v, v, free)
		m.mul(w, w, taken)
		m.sub(v, v, w)
		w = b.load(at(fromVariance))
		m.add(w, w, v)
		m.max(w, w, zero)
		b.store(at(variance), w)
	}, mean, variance, fromMean, fromVariance, product, state, by, spread, square)
	VZEROUPPER()
	RET()
}

func joinGradient(m machine) {
	TEXT("joinGradient"+m.name, NOSPLIT, "func(grad []float32, product []float32, mean []float32, first []float32, second []float32, partition []float32, theta []float32, slope float32, byFirst float32, bySecond float32, share float32) (sum float64, direct float64, curved float64)")
	Pragma("noescape")
	grad, n := slice("grad")
	product, mean, first, second := pointer("product"), pointer("mean"), pointer("first"), pointer("second")
	partition, theta := pointer("partition"), pointer("theta")
	slope, byFirst, bySecond, share := m.argument("slope"), m.argument("byFirst"), m.argument("bySecond"), m.argument("share")
	sum, direct, curved := m.shortSums(), m.shortSums(), m.shortSums()
	m.floats(n, func(b block) {
		q, c := b.load(at(first)), b.load(at(second))
		m.mul(q, q, byFirst)
		m.mul(c, c, bySecond)
		m.add(q, q, c)
		l, p := b.load(at(mean)), b.load(at(product))
		m.mul(q, q, l)
		m.mul(c, l, p)
		m.accumulateShort(direct, c)
		m.mul(p, p, slope)
		m.sub(p, p, q)
		m.mul(q, q, l)
		m.accumulateShort(curved, q)
		m.sub(p, p, b.load(at(partition)))
		l = b.load(at(theta))
		m.mul(l, l, share)
		m.sub(p, p, l)
		b.store(at(grad), p)
		m.accumulateShort(sum, p)
	}, grad, product, mean, first, second, partition, theta)
	m.returnsShort(sum, direct, curved)
}
