package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A machine is an instruction set to write for. Its methods take the
// destination first and operands in the order of the formula; float constants
// are operands too.
type machine struct {
	name  string // suffix of function names
	lanes int    // 32-bit elements in a register
}

var (
	avx2   = machine{"AVX2", 8}
	avx512 = machine{"AVX512", 16}
)

func (m machine) wide() bool { return m.lanes == 16 }

// bytes is the size of a register.
func (m machine) bytes() int { return 4 * m.lanes }

// reg returns a fresh vector register.
func (m machine) reg() reg.VecVirtual {
	if m.wide() {
		return ZMM()
	}
	return YMM()
}

func (m machine) regs(n int) []reg.VecVirtual {
	r := make([]reg.VecVirtual, n)
	for i := range r {
		r[i] = m.reg()
	}
	return r
}

// A word is a 32-bit constant, the same in all lanes.
type word uint32

// f32 is the word of a float.
func f32(x float64) word { return word(math.Float32bits(float32(x))) }

var words = map[word]Mem{}

// mem returns eight copies of a constant in memory.
func (w word) mem() Mem {
	if at, ok := words[w]; ok {
		return at
	}
	at := GLOBL(fmt.Sprintf("word%08x", uint32(w)), 8|16) // RODATA, NOPTR
	for i := range 8 {
		DATA(4*i, U32(w))
	}
	words[w] = at
	return at
}

// broadcast returns a register that holds a constant.
func (m machine) broadcast(w word) reg.VecVirtual {
	r := m.reg()
	VBROADCASTSS(w.mem(), r)
	return r
}

// A parameter is the name of a float parameter, the same in all lanes.
type parameter string

// mem is where it is.
func (p parameter) mem() Mem {
	at, err := Param(string(p)).Resolve()
	if err != nil {
		panic(err)
	}
	return at.Addr
}

// A place is where a float is in memory, the same in all lanes.
type place Mem

// two writes the instruction dst = x op y. If dst is a slice of registers it writes one for each.
func (m machine) two(plain, embedded func(...Op), dst, x, y any) {
	if dst, ok := dst.([]reg.VecVirtual); ok {
		one := func(x any, i int) any {
			if x, ok := x.([]reg.VecVirtual); ok {
				return x[i]
			}
			return x
		}
		for i, r := range dst {
			m.two(plain, embedded, r, one(x, i), one(y, i))
		}
		return
	}
	switch x.(type) {
	case word, parameter, place:
		x, y = y, x // only commutative operations are called with a constant first
	}
	switch v := y.(type) {
	case word:
		if m.wide() {
			embedded(v.mem(), x.(Op), dst.(Op))
			return
		}
		y = v.mem()
	case parameter:
		m.two(plain, embedded, dst, x, place(v.mem()))
		return
	case place:
		if m.wide() {
			embedded(Mem(v), x.(Op), dst.(Op))
			return
		}
		r := m.reg()
		VBROADCASTSS(Mem(v), r)
		y = r
	}
	plain(y.(Op), x.(Op), dst.(Op))
}

func (m machine) add(dst, x, y any) { m.two(VADDPS, VADDPS_BCST, dst, x, y) }
func (m machine) mul(dst, x, y any) { m.two(VMULPS, VMULPS_BCST, dst, x, y) }

func (m machine) addInts(dst, x, y any) { m.two(VPADDD, VPADDD_BCST, dst, x, y) }

func (m machine) sub(dst, x, y any) {
	switch x.(type) {
	case word, parameter, place:
		panic("sub from a constant")
	}
	m.two(VSUBPS, VSUBPS_BCST, dst, x, y)
}

func (m machine) div(dst, x, y any) {
	if _, ok := x.(word); ok {
		panic("division of a constant")
	}
	m.two(VDIVPS, VDIVPS_BCST, dst, x, y)
}

// min writes dst = min(x, bound), NaN where x is NaN; bound is a register.
func (m machine) min(dst, x, bound Op) { VMINPS(x, bound, dst) }

// max is min's counterpart.
func (m machine) max(dst, x, bound Op) { VMAXPS(x, bound, dst) }

func (m machine) and(dst, x, y any) {
	if m.wide() {
		m.two(VPANDD, VPANDD_BCST, dst, x, y)
	} else {
		m.two(three(VPAND), nil, dst, x, y)
	}
}

func (m machine) xor(dst, x, y any) {
	if m.wide() {
		m.two(VPXORD, VPXORD_BCST, dst, x, y)
	} else {
		m.two(three(VPXOR), nil, dst, x, y)
	}
}

func (m machine) zero(r reg.VecVirtual) {
	if m.wide() {
		VPXORD(r, r, r)
	} else {
		VPXOR(r, r, r)
	}
}

// load and store move a whole register of 32-bit elements.
func (m machine) load(dst reg.VecVirtual, from Mem)  { VMOVUPS(from, dst) }
func (m machine) store(to Mem, src reg.VecVirtual)   { VMOVUPS(src, to) }
func (m machine) copy(dst, src reg.VecVirtual)       { VMOVAPS(src, dst) }
func (m machine) loadInts(dst reg.VecVirtual, p Mem) { VMOVUPS(p, dst) }

// A mask selects lanes of a register.
type mask struct {
	k reg.OpmaskVirtual // wide
	v reg.VecVirtual    // narrow
}

// firstMask returns the mask of the first n lanes of a register, for the n of
// a general register: none if it is negative, all if it is larger than lanes.
func (m machine) firstMask(n reg.GPVirtual) mask {
	count := GP64()
	limit := GP64()
	MOVQ(n, count)
	XORQ(limit, limit)
	CMPQ(count, limit)
	CMOVQLT(limit, count)
	MOVQ(U32(uint32(m.lanes)), limit)
	CMPQ(count, limit)
	CMOVQGT(limit, count)
	if m.wide() {
		ones := GP32()
		MOVL(U32(0xffff), ones)
		BZHIL(count.As32(), ones, ones)
		k := K()
		KMOVW(ones, k)
		return mask{k: k}
	}
	at := GP64()
	LEAQ(slidingMask(), at)
	NEGQ(count)
	v := m.reg()
	VMOVUPS(Mem{Base: at, Index: count, Scale: 4, Disp: 32}, v)
	return mask{v: v}
}

var sliding *Mem

// slidingMask is eight words of ones followed by eight of zeros.
func slidingMask() Mem {
	if sliding == nil {
		at := GLOBL("slidingMask", 8|16)
		for i := range 16 {
			w := uint32(0)
			if i < 8 {
				w = 1<<32 - 1
			}
			DATA(4*i, U32(w))
		}
		sliding = &at
	}
	return *sliding
}

// loadMasked loads the lanes of a mask and sets the others to 0.
func (m machine) loadMasked(dst reg.VecVirtual, from Mem, k mask) {
	if m.wide() {
		VMOVUPS_Z(from, k.k, dst)
	} else {
		VMASKMOVPS(from, k.v, dst)
	}
}

// storeMasked stores the lanes of a mask.
func (m machine) storeMasked(to Mem, src reg.VecVirtual, k mask) {
	if m.wide() {
		VMOVUPS(src, k.k, to)
	} else {
		VMASKMOVPS(src, k.v, to)
	}
}

// exp2 writes dst = 2^y, in the operations of the portable function.
func (m machine) exp2(dst, y reg.VecVirtual, limits exp2Limits) {
	m.max(y, y, limits.low)
	m.min(y, y, limits.high)
	m.exp2Within(dst, y)
}

// exp2Within is exp2 of y that is within its limits.
func (m machine) exp2Within(dst, y reg.VecVirtual) {
	z, n := m.reg(), m.reg()
	m.add(z, y, f32(3<<22))
	m.sub(n, z, f32(3<<22))
	m.sub(n, y, n)
	m.polynomial(dst, n, exp2Coefficients)
	VPSLLD(Imm(23), z, z)
	VPADDD(z, dst, dst)
}

// exp2Coefficients, highest first, as in the portable function.
var exp2Coefficients = []float64{0.000155946781613, 0.00134066439024, 0.00961769297299, 0.0555031055101, 0.240226527829, 0.693147214968, 1}

type exp2Limits struct{ low, high reg.VecVirtual }

func (m machine) exp2Limits() exp2Limits {
	return exp2Limits{m.broadcast(f32(-126)), m.broadcast(f32(126))}
}

// polynomial writes the polynomial of x of degree 4 or 6 with the given
// coefficients, highest first, in halves as the portable code does.
func (m machine) polynomial(dst, x reg.VecVirtual, c []float64) {
	line := func(dst reg.VecVirtual, a, b float64) { // a x + b
		m.mul(dst, x, f32(a))
		m.add(dst, dst, f32(b))
	}
	square, low := m.reg(), m.reg()
	m.mul(square, x, x)
	n := len(c)
	line(low, c[n-2], c[n-1])
	switch n {
	case 5:
		high := m.reg()
		m.mul(high, square, f32(c[0]))
		line(dst, c[1], c[2])
		m.add(dst, dst, high)
		m.mul(dst, dst, square)
		m.add(dst, dst, low)
	case 7:
		high := m.reg()
		line(dst, c[3], c[4])
		m.mul(dst, dst, square)
		m.add(low, dst, low)
		line(dst, c[1], c[2])
		m.mul(high, square, f32(c[0]))
		m.add(dst, dst, high)
		m.mul(square, square, square)
		m.mul(dst, dst, square)
		m.add(dst, dst, low)
	default:
		panic("polynomial of this degree")
	}
}

// three makes an instruction of three operands one of any number.
func three(f func(x, y, dst Op)) func(...Op) {
	return func(o ...Op) { f(o[0], o[1], o[2]) }
}

// param loads a parameter into a general register.
func param(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

func label(format string, args ...any) string { return fmt.Sprintf(format, args...) }
