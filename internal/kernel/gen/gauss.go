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
var gaussDegrees = []int{7, 7, 6, 5, 3, 1}

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

// scale returns how to write w and dy/dx of variances, which it overwrites.
func (g gauss) scale(w, perMean, variance reg.VecVirtual) steps {
	return steps{
		func() { g.add(variance, variance, f32(gaussPad)) },
		func() { VSQRTPS(variance, variance) },
		func() { g.div(perMean, g.broadcast(f32(gaussWidth)), variance) },
		func() { g.mul(w, perMean, perMean) },
		func() { g.mul(w, w, f32(2*gaussPad/(gaussWidth*gaussWidth))) },
		func() { g.add(w, w, f32(-1)) },
	}
}

// place returns how to write the cells of means and y-node over the means.
func (g gauss) place(cell, mean, perMean reg.VecVirtual) steps {
	node, left := cell, g.reg()
	return steps{
		func() { g.and(mean, mean, word(1<<31-1)) },
		func() { g.mul(mean, mean, perMean) },
		func() { g.min(mean, mean, g.last) },
		func() { g.add(node, mean, f32(gaussNode)) },
		func() { g.addInts(node, node, word(1<<(gaussNodeBits-1))) },
		func() { g.and(node, node, ^word(1<<gaussNodeBits-1)) },
		func() { g.sub(left, node, f32(gaussNode)) },
		func() { VPSRLD(Imm(gaussNodeBits), node, cell) },
		func() { g.sub(mean, mean, left) },
	}
}

// A lookup writes an element of each lane's cell in a row.
type lookup func(dst reg.VecVirtual, row Mem)

// lookup returns that of cells.
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

// steps are what a computation does, one after the other.
type steps []func()

// interleave does the steps of computations side by side, so that none waits for
// its last result: few of the instructions to come can overtake one that waits.
func interleave(all ...steps) {
	var turns int
	for _, s := range all {
		turns = max(turns, len(s))
	}
	for i := range turns {
		for _, s := range all {
			for _, do := range s[i*len(s)/turns : (i+1)*len(s)/turns] {
				do()
			}
		}
	}
}

// coefficient returns how to compute that of (y-node)^j, given w and its square.
func (g gauss) coefficient(dst reg.VecVirtual, j int, row Mem, get lookup, w, square reg.VecVirtual) steps {
	rows := gaussDegrees[j] + 1
	if rows == 1 {
		return steps{func() { get(dst, row) }}
	}
	next := g.reg() // the second of two polynomials of w^2
	half := []reg.VecVirtual{dst, next}
	s := steps{func() { get(half[0], row) }, func() { get(half[1], row.Offset(4*gaussCells)) }}
	for k := 2; k < rows; k++ {
		p := half[k%2]
		s = append(s, func() {
			c := g.reg()
			get(c, row.Offset(4*gaussCells*k))
			g.mul(p, p, square)
			g.add(p, p, c)
		})
	}
	odd, even := half[rows%2], half[1-rows%2]
	return append(s, func() {
		g.mul(odd, odd, w)
		g.add(dst, odd, even)
	})
}

// moments writes E tanh of |mean| over l = y-node and E sech^2, given how to
// compute coefficients. Others are steps of something else, to do on the way.
func (g gauss) moments(sech2, l, perMean reg.VecVirtual, coefficient func(dst reg.VecVirtual, j int) steps, others steps) {
	t, r := g.reg(), sech2
	n := len(gaussDegrees)
	c := g.regs(n)
	ladder := func(first, last int) (s steps) { // of powers of l, from the first coefficient to the last
		for j := first; j >= last; j-- {
			switch j {
			case n - 1:
			case n - 2:
				s = append(s, func() {
					g.mul(r, c[n-1], l)
					g.add(t, r, c[j])
					g.add(r, r, t)
				})
			default:
				s = append(s, func() {
					g.mul(t, t, l)
					g.add(t, t, c[j])
					if j > 0 {
						g.mul(r, r, l)
						g.add(r, r, t)
					}
				})
			}
		}
		return s
	}
	groups := [][]int{{5, 4, 3}, {2, 1, 0}} // computed side by side, as registers allow
	if !g.wide() {
		groups = [][]int{{5}, {4}, {3}, {2}, {1}, {0}}
	}
	var before steps
	for i, group := range groups {
		all := []steps{before}
		for _, j := range group {
			all = append(all, coefficient(c[j], j))
		}
		all = append(all, others[i*len(others)/len(groups):(i+1)*len(others)/len(groups)])
		interleave(all...)
		before = ladder(group[0], group[len(group)-1])
		if !g.wide() {
			interleave(before)
			before = nil
		}
	}
	interleave(before)
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

// A gaussBlock holds the registers of a block before the polynomials.
type gaussBlock struct {
	w, perMean, cell, l, sign reg.VecVirtual
}

// load returns how to write the sign, cells and y-node of a block of means.
func (g gauss) load(s gaussBlock, b block, mean reg.GPVirtual) steps {
	return append(steps{func() {
		b.loadInto(s.l, at(mean))
		g.and(s.sign, s.l, word(1<<31))
	}}, g.place(s.cell, s.l, s.perMean)...)
}

// store computes and stores the averages of a block.
func (g gauss) store(s gaussBlock, b block, tanh, sech2 reg.GPVirtual, coefficient func(dst reg.VecVirtual, j int) steps, others steps) {
	r := g.reg()
	g.moments(r, s.l, s.perMean, coefficient, others)
	g.xor(s.l, s.l, s.sign)
	b.store(at(tanh), s.l)
	b.store(at(sech2), r)
}

// loop writes a loop over n elements, pointers to arguments and results, given how
// to load and store a block. In wide registers it loads a block, which takes a root
// and a division, while it computes the one before.
func (g gauss) loop(n reg.GPVirtual, arguments, results []reg.GPVirtual, registers func() gaussBlock, load func(s gaussBlock, b block) steps, store func(s gaussBlock, b block, others steps)) {
	if !g.wide() {
		pointers, order := map[reg.GPVirtual]int{}, append(arguments, results...)
		for _, p := range order {
			pointers[p] = 4
		}
		g.machine.loop(n, pointers, order, func(b block) {
			s := registers()
			interleave(load(s, b))
			store(s, b, nil)
		})
		return
	}
	advance := func(pointers []reg.GPVirtual) {
		for _, p := range pointers {
			ADDQ(U32(uint32(g.bytes())), p)
		}
	}
	s, b := registers(), block{m: g.machine, part: true, mask: g.firstMask(n)}
	interleave(load(s, b))
	Label("loop")
	advance(arguments)
	SUBQ(Imm(uint64(g.lanes)), n)
	next, after := registers(), block{m: g.machine, part: true, mask: g.firstMask(n)}
	store(s, b, load(next, after))
	advance(results)
	for _, r := range [][2]reg.VecVirtual{{s.w, next.w}, {s.perMean, next.perMean}, {s.cell, next.cell}, {s.l, next.l}, {s.sign, next.sign}} {
		if r[0] != r[1] {
			g.copy(r[0], r[1])
		}
	}
	KMOVW(after.mask.k, b.mask.k)
	CMPQ(n, Imm(0))
	JG(LabelRef("loop"))
}

func gaussMoments(m machine) {
	TEXT("gaussMoments"+m.name, NOSPLIT, "func(tanh []float32, sech2 []float32, mean []float32, variance []float32)")
	Pragma("noescape")
	tanh, sech2 := pointer("tanh"), pointer("sech2")
	mean, n := slice("mean")
	variance := pointer("variance")
	g := m.gauss()
	table := at(g.table())
	registers := func() gaussBlock { return gaussBlock{m.reg(), m.reg(), m.reg(), m.reg(), m.reg()} }
	load := func(s gaussBlock, b block) steps {
		v := m.reg()
		all := append(steps{func() { b.loadInto(v, at(variance)) }}, g.scale(s.w, s.perMean, v)...)
		return append(all, g.load(s, b, mean)...)
	}
	store := func(s gaussBlock, b block, others steps) {
		square := m.reg()
		m.mul(square, s.w, s.w)
		get := g.lookup(s.cell)
		g.store(s, b, tanh, sech2, func(dst reg.VecVirtual, j int) steps {
			return g.coefficient(dst, j, gaussRow(table, j), get, s.w, square)
		}, others)
	}
	g.loop(n, []reg.GPVirtual{mean, variance}, []reg.GPVirtual{tanh, sech2}, registers, load, store)
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
	interleave(g.scale(w, perMean, m.argument("variance")))
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
			interleave(g.coefficient(c, j, gaussRow(table, j).Offset(part), m.load, w, square))
			if m.wide() {
				row = append(row, c)
			} else {
				m.store(buffer.Offset(4*gaussCells*j+part), c)
			}
		}
	}
	registers := func() gaussBlock { return gaussBlock{w, perMean, m.reg(), m.reg(), m.reg()} }
	load := func(s gaussBlock, b block) steps { return g.load(s, b, mean) }
	store := func(s gaussBlock, b block, others steps) {
		get := g.lookup(s.cell)
		g.store(s, b, tanh, sech2, func(dst reg.VecVirtual, j int) steps {
			return steps{func() {
				if m.wide() {
					VPERMPS(row[j], s.cell, dst)
				} else {
					get(dst, buffer.Offset(4*gaussCells*j))
				}
			}}
		}, others)
	}
	g.loop(n, []reg.GPVirtual{mean}, []reg.GPVirtual{tanh, sech2}, registers, load, store)
	VZEROUPPER()
	RET()
}
