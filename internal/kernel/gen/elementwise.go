package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise writes the functions of the elements of slices.
func elementwise(m machine) {
	tanh(m)
	addLog2Cosh(m, false)
	addLog2Cosh(m, true)
	gaussLog2Cosh(m)
}

// A block is where the elements are that one pass of a loop works on.
type block struct {
	m    machine
	part bool // only the lanes of mask
	mask mask
}

// load returns the elements at a pointer, 0 in lanes past the end.
func (b block) load(at Mem) reg.VecVirtual {
	r := b.m.reg()
	b.loadInto(r, at)
	return r
}

func (b block) loadInto(r reg.VecVirtual, at Mem) {
	if b.part {
		b.m.loadMasked(r, at, b.mask)
	} else {
		b.m.load(r, at)
	}
}

func (b block) store(at Mem, r reg.VecVirtual) {
	if b.part {
		b.m.storeMasked(at, r, b.mask)
	} else {
		b.m.store(at, r)
	}
}

// keep clears the lanes past the end.
func (b block) keep(r reg.VecVirtual) {
	switch {
	case !b.part:
	case b.m.wide():
		VMOVAPS_Z(r, b.mask.k, r)
	default:
		VANDPS(r, b.mask.v, r)
	}
}

// addDoubles adds float32 elements to float64 elements in memory. It overwrites r.
func (b block) addDoubles(at Mem, r reg.VecVirtual) {
	for h := range 2 {
		at := at.Offset(h * b.m.bytes())
		if b.m.wide() {
			half := ZMM()
			if h == 1 {
				VEXTRACTF64X4(Imm(1), r, r.AsY())
			}
			VCVTPS2PD(r.AsY(), half)
			if b.part {
				k := b.mask.k
				if h == 1 {
					k = K()
					KSHIFTRW(Imm(8), b.mask.k, k)
				}
				old := ZMM()
				VMOVUPD_Z(at, k, old)
				VADDPD(old, half, half)
				VMOVUPD(half, k, at)
				continue
			}
			VADDPD(at, half, half)
			VMOVUPD(half, at)
			continue
		}
		half := YMM()
		if h == 1 {
			VEXTRACTF128(Imm(1), r, r.AsX())
		}
		VCVTPS2PD(r.AsX(), half)
		if b.part {
			k, old := YMM(), YMM()
			if h == 1 {
				VEXTRACTF128(Imm(1), b.mask.v, k.AsX())
				VPMOVSXDQ(k.AsX(), k)
			} else {
				VPMOVSXDQ(b.mask.v.AsX(), k)
			}
			VMASKMOVPD(at, k, old)
			VADDPD(old, half, half)
			VMASKMOVPD(half, k, at)
			continue
		}
		VADDPD(at, half, half)
		VMOVUPD(half, at)
	}
}

// loop writes a loop over n elements, body for whole blocks and once more for
// an incomplete one. Pointers advance by their element's size.
func (m machine) loop(n reg.GPVirtual, pointers map[reg.GPVirtual]int, order []reg.GPVirtual, body func(b block)) {
	SUBQ(Imm(uint64(m.lanes)), n)
	JLT(LabelRef("part"))
	Label("whole")
	body(block{m: m})
	for _, p := range order {
		ADDQ(U32(uint32(pointers[p]*m.lanes)), p)
	}
	SUBQ(Imm(uint64(m.lanes)), n)
	JGE(LabelRef("whole"))
	Label("part")
	ADDQ(Imm(uint64(m.lanes)), n)
	JZ(LabelRef("done"))
	body(block{m: m, part: true, mask: m.firstMask(n)})
	Label("done")
}

// argument returns a register with a float parameter in all lanes.
func (m machine) argument(name string) reg.VecVirtual {
	r := m.reg()
	VBROADCASTSS(parameter(name).mem(), r)
	return r
}

func slice(name string) (base, n reg.GPVirtual) {
	base, n = GP64(), GP64()
	Load(Param(name).Base(), base)
	Load(Param(name).Len(), n)
	return base, n
}

func pointer(name string) reg.GPVirtual {
	base := GP64()
	Load(Param(name).Base(), base)
	return base
}

func at(p reg.GPVirtual) Mem { return Mem{Base: p} }

func tanh(m machine) {
	TEXT("tanh"+m.name, NOSPLIT, "func(dst []float32, x []float32)")
	Pragma("noescape")
	x, n := slice("x")
	dst := pointer("dst")
	low, high := m.broadcast(f32(-tanhLimit)), m.broadcast(f32(tanhLimit))
	m.loop(n, map[reg.GPVirtual]int{x: 4, dst: 4}, []reg.GPVirtual{x, dst}, func(b block) {
		v := b.load(at(x))
		m.max(v, v, low)
		m.min(v, v, high)
		y, p, q := m.regs(1), m.regs(1), m.regs(1)
		m.mul(y[0], v, v)
		m.horner(p, y, 1.153185511e-05, 0.002960474953, 0.1293441916, 0.9999998693)
		m.horner(q, y, 2.492552747e-07, 0.0002400122747, 0.02385409, 0.4626764589, 1)
		m.mul(v, v, p[0])
		m.div(v, v, q[0])
		b.store(at(dst), v)
	})
	VZEROUPPER()
	RET()
}

const tanhLimit = 7.9

// lnOnePlusExp writes ln(1+exp(-2x)), x >= 0, over x.
func (m machine) lnOnePlusExp(x reg.VecVirtual, limits exp2Limits) {
	e, s, q := m.reg(), m.reg(), m.reg()
	m.mul(x, x, f32(minusTwoLog2E))
	m.exp2(e, x, limits)
	m.add(s, e, f32(2))
	m.div(s, e, s)
	m.mul(q, s, s)
	m.polynomial(x, q, []float64{2.0 / 13, 2.0 / 11, 2.0 / 9, 2.0 / 7, 2.0 / 5, 2.0 / 3, 2})
	m.mul(x, x, s)
}

func addLog2Cosh(m machine, step bool) {
	if step {
		TEXT("addLog2CoshStep"+m.name, NOSPLIT, "func(sum []float64, x []float32, before float32, t float32)")
	} else {
		TEXT("addLog2Cosh"+m.name, NOSPLIT, "func(sum []float64, x []float32)")
	}
	Pragma("noescape")
	x, n := slice("x")
	sum := pointer("sum")
	limits := m.exp2Limits()
	var before, t, difference reg.VecVirtual
	if step {
		before, t, difference = m.argument("before"), m.argument("t"), m.reg()
		m.sub(difference, t, before)
	}
	m.loop(n, map[reg.GPVirtual]int{x: 4, sum: 8}, []reg.GPVirtual{x, sum}, func(b block) {
		v := b.load(at(x))
		m.and(v, v, word(1<<31-1))
		u := m.reg()
		if step {
			w := m.reg()
			m.mul(u, v, t)
			m.lnOnePlusExp(u, limits)
			m.mul(w, v, before)
			m.lnOnePlusExp(w, limits)
			m.sub(u, u, w)
			m.mul(v, v, difference)
		} else {
			m.copy(u, v)
			m.lnOnePlusExp(u, limits)
		}
		m.add(v, v, u)
		b.addDoubles(at(sum), v)
	})
	VZEROUPPER()
	RET()
}

// mixture is that of the portable code.
var mixture = [4]struct{ weight, scale float64 }{
	{0.10649961621292248, 0.4886941876086139},
	{0.4583611018421914, 0.7155390107463702},
	{0.3741883837381062, 1.0523490994401727},
	{0.06095089820677979, 1.5573179058196276},
}

func gaussLog2Cosh(m machine) {
	TEXT("gaussLog2Cosh"+m.name, NOSPLIT, "func(mean []float32, variance []float32) float64")
	Pragma("noescape")
	mean, n := slice("mean")
	variance := pointer("variance")
	low, one := m.broadcast(f32(-126)), m.broadcast(f32(1))
	total := m.laneSums()
	m.loop(n, map[reg.GPVirtual]int{mean: 4, variance: 4}, []reg.GPVirtual{mean, variance}, func(b block) {
		x, v := b.load(at(mean)), b.load(at(variance))
		t, r := m.reg(), m.reg()
		m.and(x, x, word(1<<31-1))
		ways := 1 // components whose computations are interleaved, as registers allow
		if m.wide() {
			ways = len(mixture)
		}
		for first := 0; first < len(mixture); first += ways {
			scale, u, w, y, p, e := m.regs(ways), m.regs(ways), m.regs(ways), m.regs(ways), m.regs(ways), m.regs(ways)
			each := func(f func(i int)) {
				for i := range ways {
					f(i)
				}
			}
			each(func(i int) {
				c := mixture[first+i].scale
				m.add(scale[i], v, f32(c*c))
			})
			each(func(i int) { VSQRTPS(scale[i], scale[i]) })
			each(func(i int) { m.mul(u[i], x, f32(0.3275911*0.707106781186547524400844362104849)) })
			each(func(i int) { m.add(u[i], scale[i], u[i]) })
			each(func(i int) { m.mul(w[i], scale[i], u[i]) })
			each(func(i int) { m.div(w[i], one, w[i]) })  // 1/(scale u)
			each(func(i int) { m.mul(u[i], w[i], u[i]) }) // 1/scale
			each(func(i int) { m.mul(y[i], x, u[i]) })
			each(func(i int) { m.mul(y[i], y[i], y[i]) })
			each(func(i int) { m.mul(y[i], y[i], f32(-0.5*1.44269504088896340735992468100189214)) })
			each(func(i int) { m.mul(w[i], scale[i], w[i]) })
			each(func(i int) { m.mul(w[i], w[i], scale[i]) }) // scale/u
			each(func(i int) {
				m.polynomial(p[i], w[i], []float64{1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592})
			})
			each(func(i int) { m.mul(p[i], p[i], w[i]) })
			each(func(i int) { m.mul(scale[i], scale[i], f32(mixture[first+i].weight*rootTwoOverPi)) })
			z := w
			each(func(i int) { m.max(y[i], y[i], low) })
			each(func(i int) { m.add(z[i], y[i], f32(3<<22)) })
			each(func(i int) { m.sub(e[i], z[i], f32(3<<22)) })
			each(func(i int) { m.sub(y[i], y[i], e[i]) })
			each(func(i int) { m.polynomial(e[i], y[i], exp2Coefficients) })
			each(func(i int) { VPSLLD(Imm(23), z[i], z[i]) })
			each(func(i int) { VPADDD(z[i], e[i], e[i]) })
			each(func(i int) { m.mul(p[i], p[i], e[i]) })
			each(func(i int) { m.sub(p[i], one, p[i]) })
			each(func(i int) { m.mul(p[i], p[i], f32(mixture[first+i].weight)) })
			each(func(i int) { m.mul(scale[i], scale[i], e[i]) })
			each(func(i int) {
				if first+i == 0 {
					m.copy(t, p[i])
					m.copy(r, scale[i])
				} else {
					m.add(t, t, p[i])
					m.add(r, r, scale[i])
				}
			})
		}
		m.mul(t, x, t)
		m.add(t, t, r)
		b.keep(t)
		m.accumulate(total, t)
	})
	result := m.total(total)
	VZEROUPPER()
	Store(result.AsX(), ReturnIndex(0))
	RET()
}

const rootTwoOverPi = 0.797884560802865355879892119868763736951717

// laneSums returns float64 sums of 0, one for each of eight lanes.
func (m machine) laneSums() []reg.VecVirtual {
	total := m.regs(16 / m.lanes)
	for _, r := range total {
		m.zero(r)
	}
	return total
}

// accumulate adds float32 elements to lane sums; it overwrites r.
func (m machine) accumulate(total []reg.VecVirtual, r reg.VecVirtual) {
	d := m.reg()
	for half := range 2 {
		to := total[half%len(total)]
		if m.wide() {
			if half == 1 {
				VEXTRACTF64X4(Imm(1), r, r.AsY())
			}
			VCVTPS2PD(r.AsY(), d)
		} else {
			if half == 1 {
				VEXTRACTF128(Imm(1), r, r.AsX())
			}
			VCVTPS2PD(r.AsX(), d)
		}
		VADDPD(d, to, to)
	}
}

// total adds up lane sums in the order of the portable code.
func (m machine) total(s []reg.VecVirtual) reg.VecVirtual {
	y := YMM()
	if m.wide() {
		VEXTRACTF64X4(Imm(1), s[0], y)
		VADDPD(y, s[0].AsY(), y)
	} else {
		VADDPD(s[1], s[0], y)
	}
	x := XMM()
	VEXTRACTF128(Imm(1), y, x)
	VADDPD(x, y.AsX(), x)
	high := XMM()
	VPERMILPD(Imm(1), x, high)
	VADDSD(high, x, x)
	return x
}
