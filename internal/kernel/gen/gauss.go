package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gaussFunctions writes the Gaussian averages that come from the table of the
// portable code.
func gaussFunctions(m machine) {
	gaussMoments(m)
	gaussMomentsAlike(m)
}

// Constants of the portable code.
const (
	gaussPad      = 0.69
	gaussWidth    = 1.875
	gaussNode     = 1.5
	gaussNodeBits = 21
	gaussLast     = 20 - gaussNode
)

// gaussDegrees are those in w of the coefficients of powers of y - node.
var gaussDegrees = []int{8, 8, 7, 6, 5, 3, 0}

// gaussCells is the number of cells, the columns of the table.
const gaussCells = 16

// A gauss writes parts of the Gaussian averages.
type gauss struct {
	machine
	zero, one, last reg.VecVirtual
}

func (m machine) gauss() gauss {
	g := gauss{m, m.reg(), m.broadcast(f32(1)), m.broadcast(f32(gaussLast))}
	m.zero(g.zero)
	return g
}

// table returns a pointer to the table.
func (g gauss) table() reg.GPVirtual {
	p := GP64()
	MOVQ(Mem{Symbol: Symbol{Name: "·gaussTableAligned"}, Base: reg.StaticBase}, p)
	return p
}

// scale writes w and dy/dx of variances, which it overwrites.
func (g gauss) scale(w, perMean, variance reg.VecVirtual) {
	g.add(variance, variance, f32(gaussPad))
	VSQRTPS(variance, variance)
	width := g.broadcast(f32(gaussWidth))
	g.div(perMean, width, variance)
	g.mul(w, perMean, perMean)
	g.mul(w, w, f32(2*gaussPad/(gaussWidth*gaussWidth)))
	g.add(w, w, f32(-1))
}

// place writes the cells of means and y-node over the means.
func (g gauss) place(cell, mean, perMean reg.VecVirtual) {
	node := cell
	g.and(mean, mean, word(1<<31-1))
	g.mul(mean, mean, perMean)
	g.min(mean, mean, g.last)
	g.add(node, mean, f32(gaussNode))
	g.addInts(node, node, word(1<<(gaussNodeBits-1)))
	g.and(node, node, ^word(1<<gaussNodeBits-1))
	left := g.reg()
	g.sub(left, node, f32(gaussNode))
	g.sub(mean, mean, left)
	VPSRLD(Imm(gaussNodeBits), node, cell)
}

// A lookup writes an element of each lane's cell in a row.
type lookup func(dst reg.VecVirtual, row Mem)

// lookup returns that of cells, which it may overwrite.
func (g gauss) lookup(cell reg.VecVirtual) lookup {
	if g.wide() {
		return func(dst reg.VecVirtual, row Mem) { VPERMPS(row, cell, dst) }
	}
	upper := g.reg()
	VPSLLD(Imm(28), cell, upper) // the sign is set where the cell is 8 or more
	return func(dst reg.VecVirtual, row Mem) {
		high := g.reg()
		VPERMPS(row, cell, dst)
		VPERMPS(row.Offset(g.bytes()), cell, high)
		VBLENDVPS(upper, high, dst, dst)
	}
}

// coefficient writes that of (y-node)^j, given w and its square.
func (g gauss) coefficient(dst reg.VecVirtual, j int, row Mem, get lookup, w, square reg.VecVirtual) {
	rows := gaussDegrees[j] + 1
	if rows == 1 {
		get(dst, row)
		return
	}
	next := g.reg() // the second of two polynomials of w^2
	half := []reg.VecVirtual{dst, next}
	get(half[0], row)
	get(half[1], row.Offset(4*gaussCells))
	for k := 2; k < rows; k++ {
		p, c := half[k%2], g.reg()
		get(c, row.Offset(4*gaussCells*k))
		g.mul(p, p, square)
		g.add(p, p, c)
	}
	odd, even := half[rows%2], half[1-rows%2]
	g.mul(odd, odd, w)
	g.add(dst, odd, even)
}

// polynomial writes E tanh of |mean| over l = y-node and E sech^2, for
// coefficients from the highest on.
func (g gauss) moments(sech2, l, perMean reg.VecVirtual, coefficient func(dst reg.VecVirtual, j int)) {
	t, r := g.reg(), sech2
	n := len(gaussDegrees)
	coefficient(r, n-1)
	for j := n - 2; j >= 0; j-- {
		c := g.reg()
		coefficient(c, j)
		if j == n-2 {
			g.mul(r, r, l)
			g.add(t, r, c)
			g.add(r, r, t)
			continue
		}
		g.mul(t, t, l)
		g.add(t, t, c)
		if j > 0 {
			g.mul(r, r, l)
			g.add(r, r, t)
		}
	}
	g.mul(r, r, perMean)
	g.max(r, r, g.zero)
	g.min(l, t, g.one)
}

// gaussRow returns where the coefficients of (y-node)^j begin.
func gaussRow(table Mem, j int) Mem {
	for _, d := range gaussDegrees[:j] {
		table = table.Offset(4 * gaussCells * (d + 1))
	}
	return table
}

func gaussMoments(m machine) {
	TEXT("gaussMoments"+m.name, NOSPLIT, "func(tanh []float32, sech2 []float32, mean []float32, variance []float32)")
	Pragma("noescape")
	tanh, sech2 := pointer("tanh"), pointer("sech2")
	mean, n := slice("mean")
	variance := pointer("variance")
	g := m.gauss()
	table := at(g.table())
	order := []reg.GPVirtual{mean, variance, tanh, sech2}
	m.loop(n, map[reg.GPVirtual]int{mean: 4, variance: 4, tanh: 4, sech2: 4}, order, func(b block) {
		w, square, perMean, cell, r, sign := m.reg(), m.reg(), m.reg(), m.reg(), m.reg(), m.reg()
		g.scale(w, perMean, b.load(at(variance)))
		m.mul(square, w, w)
		x := b.load(at(mean))
		m.and(sign, x, word(1<<31))
		g.place(cell, x, perMean)
		get := g.lookup(cell)
		g.moments(r, x, perMean, func(dst reg.VecVirtual, j int) {
			g.coefficient(dst, j, gaussRow(table, j), get, w, square)
		})
		m.xor(x, x, sign)
		b.store(at(tanh), x)
		b.store(at(sech2), r)
	})
	VZEROUPPER()
	RET()
}

func gaussMomentsAlike(m machine) {
	TEXT("gaussMomentsAlike"+m.name, NOSPLIT, "func(tanh []float32, sech2 []float32, mean []float32, variance float32)")
	Pragma("noescape")
	tanh, sech2 := pointer("tanh"), pointer("sech2")
	mean, n := slice("mean")
	g := m.gauss()
	table := at(g.table())
	w, square, perMean := m.reg(), m.reg(), m.reg()
	g.scale(w, perMean, m.argument("variance"))
	m.mul(square, w, w)
	// Coefficients of all cells: a row each, in registers where there are enough.
	var row []reg.VecVirtual
	var buffer Mem
	if !m.wide() {
		buffer = AllocLocal(4 * gaussCells * len(gaussDegrees))
	}
	for j := range gaussDegrees {
		for part := 0; part < 4*gaussCells; part += m.bytes() {
			c := m.reg()
			g.coefficient(c, j, gaussRow(table, j).Offset(part), m.load, w, square)
			if m.wide() {
				row = append(row, c)
			} else {
				m.store(buffer.Offset(4*gaussCells*j+part), c)
			}
		}
	}
	m.loop(n, map[reg.GPVirtual]int{mean: 4, tanh: 4, sech2: 4}, []reg.GPVirtual{mean, tanh, sech2}, func(b block) {
		cell, r, sign := m.reg(), m.reg(), m.reg()
		x := b.load(at(mean))
		m.and(sign, x, word(1<<31))
		g.place(cell, x, perMean)
		get := g.lookup(cell)
		g.moments(r, x, perMean, func(dst reg.VecVirtual, j int) {
			if m.wide() {
				VPERMPS(row[j], cell, dst)
			} else {
				get(dst, buffer.Offset(4*gaussCells*j))
			}
		})
		m.xor(x, x, sign)
		b.store(at(tanh), x)
		b.store(at(sech2), r)
	})
	VZEROUPPER()
	RET()
}
