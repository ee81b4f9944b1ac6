package kernel

import (
	"math"
	"unsafe"
)

// Products of two real matrices whose elements are rounded to whole numbers of 16 bits: the left factor to ±leftTop, the right
// one to ±rightTop, in units that the caller's limits of |x| give. Sums are of whole numbers, so they are exact in any order, and
// all tiers give the same bits. They are for statistics, whose noise is far above the rounding. In float64 nothing is rounded.
//
// Two numbers that a sum takes together share a word. A left factor keeps its words as the caller fills it in, by rows or across
// them; a right one in panels of wholeLanes, word after word.
const (
	leftTop    = 1<<10 - 1
	rightTop   = 1<<12 - 1
	wholeWords = 256 // words that are added up as whole numbers: 2 wholeWords leftTop rightTop is below 1<<31
	wholeLanes = 32
)

// wholeFunctions are what tiers have of these products.
type wholeFunctions struct {
	roundPairs func(dst []uint32, step int, x, y []float32, scale float32)
	roundRow   func(dst []uint32, x []float32, scale float32)
	mulWhole   func(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32)
}

var portableWhole = wholeFunctions{roundPairs, roundRow, mulWhole}

// A scale is how the elements of a factor are rounded.
type scale struct{ by, unit float32 }

func scaleOf(top, limit float64) scale { return scale{float32(top / limit), float32(limit / top)} }

// A Left is the left factor of a product: rows x inner.
type Left[T Real] struct {
	rows, inner   int
	rowStep, step int // of words
	top           int // elements are rounded to ±top
	scale
	words []uint32
	reals []T // in float64
}

// NewLeft returns a left factor, to be filled in by SetRow.
func NewLeft[T Real](rows, inner int) *Left[T] {
	words := (inner + 1) / 2
	return newLeft[T](rows, inner, words, words, 1)
}

// NewLeftAcross returns a left factor, to be filled in by SetPair.
func NewLeftAcross[T Real](rows, inner int) *Left[T] {
	return newLeft[T](rows, inner, (inner+1)/2, 1, rows)
}

func newLeft[T Real](rows, inner, words, rowStep, step int) *Left[T] {
	l := &Left[T]{rows: rows, inner: inner, rowStep: rowStep, step: step, top: leftTop}
	if rounds[T]() {
		l.words = make([]uint32, rows*words)
	} else {
		l.reals = make([]T, rows*inner)
	}
	return l
}

// rounds reports whether factors of T are rounded.
func rounds[T Real]() bool {
	_, ok := any(T(0)).(float32)
	return ok
}

// Limit sets what |x| of the elements that follow does not exceed.
func (l *Left[T]) Limit(limit float64) { l.scale = scaleOf(float64(l.top), limit) }

// SetRow sets row i, of inner elements.
func (l *Left[T]) SetRow(i int, x []T) {
	if x, ok := any(x).([]float32); ok {
		words := l.words[i*l.rowStep:][:l.rowStep]
		if l.top == narrowTop {
			use().narrow.roundRow(words, x[:l.inner], l.by)
		} else {
			use().roundRow(words, x[:l.inner], l.by)
		}
		return
	}
	copy(l.reals[i*l.inner:(i+1)*l.inner], x)
}

// SetPair sets the elements 2p and 2p+1 of all rows, one after another in x and in y. Y of the last pair is nil
// where inner is odd.
func (l *Left[T]) SetPair(p int, x, y []T) {
	if x, ok := any(x).([]float32); ok {
		use().roundPairs(l.words[p*l.step:(p+1)*l.step], wholeLanes, x[:l.rows], orZeros(any(y).([]float32), l.rows), l.by)
		return
	}
	for i, v := range x[:l.rows] {
		l.reals[i*l.inner+2*p] = v
		if y != nil {
			l.reals[i*l.inner+2*p+1] = y[i]
		}
	}
}

// orZeros returns the first n elements of x, or zeros if it is nil.
func orZeros(x []float32, n int) []float32 {
	if x == nil {
		return make([]float32, n)
	}
	return x[:n]
}

// A Right is the right factor of a product: inner x lanes.
type Right[T Real] struct {
	inner, lanes int
	words        int // of a lane
	top          int // elements are rounded to ±top
	scale
	panels []uint32 // of wholeLanes each
	reals  []T      // in float64
}

// NewRight returns a right factor, to be filled in by SetPair or SetLanes.
func NewRight[T Real](inner, lanes int) *Right[T] { return newRight[T](inner, lanes, (inner+1)/2) }

func newRight[T Real](inner, lanes, words int) *Right[T] {
	r := &Right[T]{inner: inner, lanes: lanes, words: words, top: rightTop}
	if rounds[T]() {
		r.panels = make([]uint32, (lanes+wholeLanes-1)/wholeLanes*wholeLanes*r.words)
	} else {
		r.reals = make([]T, inner*lanes)
	}
	return r
}

// Limit sets what |x| of the elements that follow does not exceed.
func (r *Right[T]) Limit(limit float64) { r.scale = scaleOf(float64(r.top), limit) }

// SetPair sets the rows 2p and 2p+1. Y of the last pair is nil where inner is odd.
func (r *Right[T]) SetPair(p int, x, y []T) {
	if x, ok := any(x).([]float32); ok {
		use().roundPairs(r.panels[p*wholeLanes:], r.words*wholeLanes, x[:r.lanes], orZeros(any(y).([]float32), r.lanes), r.by)
		return
	}
	copy(r.reals[2*p*r.lanes:(2*p+1)*r.lanes], x)
	if y != nil {
		copy(r.reals[(2*p+1)*r.lanes:(2*p+2)*r.lanes], y)
	}
}

// WholeLanes is what the first lane of SetLanes is a multiple of, and how many it takes.
const WholeLanes = wholeLanes

// SetLanes sets the lanes from lane first on, WholeLanes of them or those that are left, to the rows of x, each of inner
// elements, one after another. Work is space for as many elements, with any content.
func (r *Right[T]) SetLanes(first int, x []T, work *Lanes) {
	lanes := min(wholeLanes, r.lanes-first)
	if x, ok := any(x).([]float32); ok {
		if len(work.words) < wholeLanes*r.words {
			work.words = make([]uint32, wholeLanes*r.words)
		}
		for l := range lanes {
			use().roundRow(work.words[l*r.words:(l+1)*r.words], x[l*r.inner:(l+1)*r.inner], r.by)
		}
		panel := r.panels[first*r.words:][:wholeLanes*r.words]
		use().transpose(asFloats(panel), wholeLanes, asFloats(work.words), r.words, lanes, r.words) // moves words whatever they are
		return
	}
	for l := range lanes {
		for i, v := range x[l*r.inner : (l+1)*r.inner] {
			r.reals[i*r.lanes+first+l] = v
		}
	}
}

// Lanes is work space of SetLanes.
type Lanes struct{ words []uint32 }

func asFloats(x []uint32) []float32 { return unsafe.Slice((*float32)(unsafe.Pointer(&x[0])), len(x)) }

// MulWhole sets dst to rows lo to hi-1 of the product a b: (hi-lo) x lanes. It panics if the factors do not fit.
func MulWhole[T Real](dst []T, a *Left[T], lo, hi int, b *Right[T]) {
	if a.inner != b.inner || (a.top == narrowTop) != (b.top == narrowTop) {
		panic("kernel: factors of different sizes, or one of them narrow")
	}
	dst = dst[:(hi-lo)*b.lanes]
	if len(dst) == 0 || a.inner == 0 {
		clear(dst)
		return
	}
	if dst, ok := any(dst).([]float32); ok {
		multiply := use().mulWhole
		if a.top == narrowTop {
			multiply = use().narrow.mul
		}
		multiply(dst, a.words[lo*a.rowStep:], hi-lo, a.rowStep, a.step, b.panels, b.words, b.lanes, float32(a.unit*b.unit))
		return
	}
	clear(dst)
	for i := lo; i < hi; i++ {
		out := dst[(i-lo)*b.lanes:][:b.lanes]
		for r, x := range a.reals[i*a.inner : (i+1)*a.inner] {
			for l, y := range b.reals[r*b.lanes : (r+1)*b.lanes] {
				out[l] += x * y
			}
		}
	}
}

// roundPair returns the word of two elements, times scale.
func roundPair(x, y, scale float32) uint32 {
	const shift = 3 << 22 // there the unit of float32 is 1
	low, high := math.Float32bits(float32(x*scale)+shift), math.Float32bits(float32(y*scale)+shift)
	return low&0xffff | high<<16
}

// roundPairs rounds pairs of elements of x and y. Panels of them are step words apart.
func roundPairs(dst []uint32, step int, x, y []float32, scale float32) {
	for l, v := range x {
		dst[l/wholeLanes*step+l%wholeLanes] = roundPair(v, y[l], scale)
	}
}

// roundRow rounds pairs of neighbours. The last pair may be one element alone.
func roundRow(dst []uint32, x []float32, scale float32) {
	for k := range dst {
		var y float32
		if 2*k+1 < len(x) {
			y = x[2*k+1]
		}
		dst[k] = roundPair(x[2*k], y, scale)
	}
}

// mulWhole multiplies words of the left factor by panels, in parts of wholeWords words.
func mulWhole(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32) {
	for i := range rows {
		for l := range lanes {
			panel := panels[l/wholeLanes*words*wholeLanes+l%wholeLanes:]
			var total float32
			for from := 0; from < words; from += wholeWords {
				var sum int32
				for w := from; w < min(words, from+wholeWords); w++ {
					x, y := a[i*rowStep+w*step], panel[w*wholeLanes]
					sum += int32(int16(x))*int32(int16(y)) + int32(int16(x>>16))*int32(int16(y>>16))
				}
				total += float32(float32(sum) * unit)
			}
			dst[i*lanes+l] = total
		}
	}
}
