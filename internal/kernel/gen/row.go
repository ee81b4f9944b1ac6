package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// rowFunctions writes the passes over rows of a matrix.
func rowFunctions(m machine) {
	affine(m, false)
	affine(m, true)
	sum(m)
	addRows(m)
	biases(m)
	free(m)
	fieldSums(m)
	synapseGradient(m)
}

// floats writes a loop over the elements of float32 slices.
func (m machine) floats(n reg.GPVirtual, body func(b block), pointers ...reg.GPVirtual) {
	size := map[reg.GPVirtual]int{}
	for _, p := range pointers {
		size[p] = 4
	}
	m.loop(n, size, pointers, body)
}

// returns writes the end of a function whose results are lane sums.
func (m machine) returns(sums ...[]reg.VecVirtual) {
	var totals []reg.VecVirtual
	for _, s := range sums {
		totals = append(totals, m.total(s))
	}
	VZEROUPPER()
	for i, t := range totals {
		Store(t.AsX(), ReturnIndex(i))
	}
	RET()
}

// shortSums returns float32 sums of 0, one for each of 16 lanes.
func (m machine) shortSums() []reg.VecVirtual {
	sums := m.regs(16 / m.lanes)
	for _, s := range sums {
		m.zero(s)
	}
	return sums
}

// accumulateShort adds float32 elements to short sums. The narrow machine's two
// registers change places, which their sum does not tell.
func (m machine) accumulateShort(sums []reg.VecVirtual, r reg.VecVirtual) {
	if m.wide() {
		m.add(sums[0], sums[0], r)
		return
	}
	next := m.reg()
	m.add(next, sums[1], r)
	m.copy(sums[1], sums[0])
	m.copy(sums[0], next)
}

// returnsShort writes the end of a function whose results are short sums.
func (m machine) returnsShort(sums ...[]reg.VecVirtual) {
	var totals [][]reg.VecVirtual
	for _, s := range sums {
		total := m.laneSums()
		for _, r := range s {
			m.accumulate(total, r)
		}
		totals = append(totals, total)
	}
	m.returns(totals...)
}

func affine(m machine, floor bool) {
	name := "affine"
	if floor {
		name = "affineFloor"
	}
	TEXT(name+m.name, NOSPLIT, "func(dst []float32, x []float32, slope float32, shift float32)")
	Pragma("noescape")
	x, n := slice("x")
	dst := pointer("dst")
	slope, shift, zero := m.argument("slope"), m.argument("shift"), m.reg()
	if floor {
		m.zero(zero)
	}
	m.floats(n, func(b block) {
		v := b.load(at(x))
		m.mul(v, v, slope)
		m.add(v, v, shift)
		if floor {
			m.max(v, v, zero)
		}
		b.store(at(dst), v)
	}, x, dst)
	VZEROUPPER()
	RET()
}

func sum(m machine) {
	TEXT("sum"+m.name, NOSPLIT, "func(x []float32) float64")
	Pragma("noescape")
	x, n := slice("x")
	total := m.laneSums()
	m.floats(n, func(b block) { m.accumulate(total, b.load(at(x))) }, x)
	m.returns(total)
}

func addRows(m machine) {
	TEXT("addRows"+m.name, NOSPLIT, "func(sum []float64, x []float32, scale []float32)")
	Pragma("noescape")
	sum, n := slice("sum")
	x := pointer("x")
	scale, rows := slice("scale")
	step := GP64() // from row to row
	MOVQ(n, step)
	SHLQ(Imm(2), step)
	from, by, left := GP64(), GP64(), GP64()
	m.loop(n, map[reg.GPVirtual]int{x: 4, sum: 8}, []reg.GPVirtual{x, sum}, func(b block) {
		row := label("row%v", b.part)
		total, factor := m.reg(), m.reg()
		m.zero(total)
		MOVQ(x, from)
		MOVQ(scale, by)
		MOVQ(rows, left)
		Label(row)
		v := b.load(at(from))
		VBROADCASTSS(at(by), factor)
		m.mul(v, v, factor)
		m.add(total, total, v)
		ADDQ(step, from)
		ADDQ(Imm(4), by)
		DECQ(left)
		JNZ(LabelRef(row))
		b.addDoubles(at(sum), total)
	})
	VZEROUPPER()
	RET()
}

func biases(m machine) {
	TEXT("biases"+m.name, NOSPLIT, "func(bias []float32, lambda []float32, offset []float32) (atOffset float64, free float64)")
	Pragma("noescape")
	lambda, n := slice("lambda")
	bias, offset := pointer("bias"), pointer("offset")
	one := m.broadcast(f32(1))
	atOffset, free := m.shortSums(), m.shortSums()
	m.floats(n, func(b block) {
		l, o, v, t := b.load(at(lambda)), b.load(at(offset)), m.reg(), m.reg()
		m.sub(v, one, l)
		m.add(t, one, l)
		m.mul(v, v, t)
		m.mul(t, v, o)
		b.store(at(bias), t)
		m.mul(l, l, o)
		m.accumulateShort(atOffset, l)
		m.mul(o, o, o)
		m.add(o, o, f32(1))
		m.mul(v, v, o)
		b.keep(v)
		m.accumulateShort(free, v)
	}, lambda, bias, offset)
	m.returnsShort(atOffset, free)
}

func free(m machine) {
	TEXT("free"+m.name, NOSPLIT, "func(lambda []float32) float64")
	Pragma("noescape")
	lambda, n := slice("lambda")
	one, sum := m.broadcast(f32(1)), m.shortSums()
	m.floats(n, func(b block) {
		l, v := b.load(at(lambda)), m.reg()
		m.sub(v, one, l)
		m.add(l, one, l)
		m.mul(v, v, l)
		b.keep(v)
		m.accumulateShort(sum, v)
	}, lambda)
	m.returnsShort(sum)
}

func fieldSums(m machine) {
	TEXT("fieldSums"+m.name, NOSPLIT, "func(tanh []float32, sech2 []float32, mean []float32, variance []float32, centre float32, shift float32) (tanhSum float64, sech2Sum float64, slope float64)")
	Pragma("noescape")
	tanh, n := slice("tanh")
	sech2, mean, variance := pointer("sech2"), pointer("mean"), pointer("variance")
	centre, shift := m.argument("centre"), m.argument("shift")
	tanhSum, sech2Sum, slope := m.shortSums(), m.shortSums(), m.shortSums()
	m.floats(n, func(b block) {
		t, r, f, v, u := b.load(at(tanh)), b.load(at(sech2)), b.load(at(mean)), b.load(at(variance)), m.reg()
		m.sub(u, t, centre)
		b.store(at(tanh), u)
		m.accumulateShort(tanhSum, t)
		m.sub(f, f, shift)
		m.mul(f, u, f)
		m.mul(v, r, v)
		m.add(f, f, v)
		m.accumulateShort(sech2Sum, r)
		b.keep(f)
		m.accumulateShort(slope, f)
	}, tanh, sech2, mean, variance)
	m.returnsShort(tanhSum, sech2Sum, slope)
}

func synapseGradient(m machine) {
	TEXT("synapseGradient"+m.name, NOSPLIT, "func(grad []float32, mean []float32, offset []float32, tanhData []float32, sech2Data []float32, partition []float32, theta []float32, first float32, second float32, excess float32, sech2Sum float32, share float32) float64")
	Pragma("noescape")
	grad, n := slice("grad")
	mean, offset, tanhData, sech2Data := pointer("mean"), pointer("offset"), pointer("tanhData"), pointer("sech2Data")
	partition, theta := pointer("partition"), pointer("theta")
	first, second, excess := m.argument("first"), m.argument("second"), m.argument("excess")
	sech2Sum, share := m.argument("sech2Sum"), m.argument("share")
	sum := m.shortSums()
	m.floats(n, func(b block) {
		if !b.part {
			PREFETCHT0(Mem{Base: theta, Disp: 1024}) // from memory, where rows follow each other
		}
		o, direct, spread, t, u := b.load(at(offset)), b.load(at(tanhData)), m.reg(), m.reg(), b.load(at(sech2Data))
		m.mul(t, o, excess)
		m.sub(direct, direct, t)
		m.mul(direct, direct, first)
		m.mul(spread, o, o)
		m.add(spread, spread, f32(1))
		m.mul(spread, spread, sech2Sum)
		m.mul(o, o, f32(2))
		m.mul(o, o, u)
		m.sub(spread, spread, o)
		l := b.load(at(mean))
		m.mul(l, l, second)
		m.mul(l, l, spread)
		m.sub(direct, direct, l)
		m.sub(direct, direct, b.load(at(partition)))
		l = b.load(at(theta))
		m.mul(l, l, share)
		m.sub(direct, direct, l)
		b.store(at(grad), direct)
		b.keep(direct)
		m.accumulateShort(sum, direct)
	}, grad, mean, offset, tanhData, sech2Data, partition, theta)
	m.returnsShort(sum)
}
