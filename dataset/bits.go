package dataset

import (
	"math"
	"math/rand/v2"
	"strconv"

	"bethe/spin"
	"bethe/units"
)

// A packer turns a stream of numbers into vectors of packed spins: bit k%8 of
// byte k/8 of a vector is 1 where its element k is +1. A vector begins at a
// byte. Only what has been added takes memory.
type packer struct {
	length    int        // elements of a vector
	threshold *float64   // levels above it are +1; nil if numbers must be spins
	rng       *rand.Rand // draws spins of levels, which are shares of white; nil if they are not drawn
	white     float64
	keep      bool    // levels are kept too, in 255ths of white
	levels    []uint8 // those that were added
	ask       bool    // whether white is a guess that levels far below it make doubtful
	packed    []byte
	low, high float64 // smallest and largest number so far
	some, all bool    // whether a spin is +1, and whether each is
	begun     bool
	filled    int       // elements of the last vector so far
	real      bool      // numbers are kept as well, and any is one
	reals     []float32 // those that were added
	missing   *missing  // which numbers stand for missing values; nil: none
	holes     []byte    // bits as packed has them: 1 where a value is missing
	holed     bool      // whether one is
	zero      bool      // whether a 0 has been seen that counts as a spin
	minus     bool      // and a -1
}

// add adds numbers. If one is no spin, it returns its index in x, the problem
// and the remedy.
func (p *packer) add(x []float64) (bad int, problem, remedy string) {
	for k, v := range x {
		if p.filled == p.length {
			p.filled = 0
		}
		if p.filled&7 == 0 {
			p.packed = append(p.packed, 0)
			if p.missing != nil {
				p.holes = append(p.holes, 0)
			}
		}
		var plus bool
		switch {
		case p.missing.number(v):
			p.holes[len(p.holes)-1] |= 1 << (p.filled & 7)
			p.holed = true
			p.filled++
			if p.real {
				p.reals = append(p.reals, 0)
			}
			if p.keep {
				p.levels = append(p.levels, 0)
			}
			continue
		case p.real:
			if !finite(v) {
				return k, value(v) + " is not a finite number", finiteRemedy(v)
			}
			if math.Abs(v) > math.MaxFloat32/4 {
				return k, value(v) + " is too large", "use smaller units"
			}
			p.reals = append(p.reals, float32(v))
			plus = v > 0
		case p.threshold != nil:
			if !finite(v) {
				return k, value(v) + " is not a finite number", finiteRemedy(v)
			}
			plus = v > *p.threshold
		case p.rng != nil:
			if !(v >= 0 && v <= p.white) {
				return k, "the level " + value(v) + " is no share of white, " + value(p.white), remedyWhite
			}
			plus = p.rng.Float64()*p.white < v
			if p.keep {
				p.levels = append(p.levels, uint8(math.Round(v/p.white*units.White)))
			}
		case v == 1:
			plus = true
		case v == 0 && !p.minus:
			p.zero = true
		case v == -1 && !p.zero:
			p.minus = true
		case v == 0 || v == -1:
			return k, "both 0 and -1 occur, so the values are neither 0/1 nor ±1", remedyThreshold
		case !finite(v):
			return k, value(v) + " is not a finite number", finiteRemedy(v)
		default:
			return k, "the value " + value(v) + " is neither 0/1 nor ±1", remedyThreshold
		}
		if plus {
			p.packed[len(p.packed)-1] |= 1 << (p.filled & 7)
		}
		if !p.begun {
			p.low, p.high, p.begun, p.all = v, v, true, true
		}
		p.low, p.high = min(p.low, v), max(p.high, v)
		p.some, p.all = p.some || plus, p.all && plus
		p.filled++
	}
	return -1, "", ""
}

// verdict returns a problem of the spins that were made of grey levels, "" if there is
// none: the threshold or the level of white is on another scale than the levels.
func (p *packer) verdict() (problem, remedy string) {
	levels := "levels lie in " + value(p.low) + " to " + value(p.high)
	if p.low == p.high {
		levels = "all levels are " + value(p.low)
	}
	switch {
	case p.real:
	case p.threshold != nil && !p.some:
		return levels + ", none above the threshold " + value(*p.threshold) + ": every spin would be -1", p.scale()
	case p.threshold != nil && p.all:
		return levels + ", all above the threshold " + value(*p.threshold) + ": every spin would be +1", p.scale()
	case p.rng != nil && p.ask && p.high < p.white/2:
		return levels + ", so white may not be " + value(p.white), remedyWhite
	case p.rng != nil && !p.some:
		return levels + ", and white is " + value(p.white) + ": every spin would be -1", remedyWhite
	case p.rng != nil && p.all:
		return levels + ", and white is " + value(p.white) + ": every spin would be +1", remedyWhite
	}
	return "", ""
}

// scale is the remedy of a threshold on another scale.
func (p *packer) scale() string {
	remedy := "state a level between the two with {Threshold}"
	if p.low == p.high {
		remedy = "there is nothing to tell apart: write the file again"
	}
	if p.low >= -128 && p.low < 0 && p.high <= 127 {
		remedy += "; bytes above 127 that were stored as int8 are negative: store them as uint8"
	}
	return remedy
}

// columns returns vectors that are packed as the columns of a matrix, vector k as column
// at(k), or k if at is nil; turned is that matrix transposed.
func (p *packer) columns(packed []byte, at func(k int) int, turned bool) *spin.Matrix {
	stride := (p.length + 7) / 8
	m := spin.New(p.length, len(packed)/stride)
	for k := range m.Cols() {
		j := k
		if at != nil {
			j = at(k)
		}
		m.SetColumn(j, packed[k*stride:(k+1)*stride])
	}
	if turned {
		return across(m)
	}
	return m
}

// numbers returns the numbers of the vectors as the columns of a matrix, vector k as column at(k),
// or k if at is nil; turned is of that matrix transposed.
func (p *packer) numbers(at func(k int) int, turned bool) *units.Reals[float32] {
	count := len(p.reals) / p.length
	rows, columns := p.length, count
	if turned {
		rows, columns = count, p.length
	}
	r := units.NewReals[float32](rows, columns)
	for k := range count {
		j := k
		if at != nil {
			j = at(k)
		}
		for e, v := range p.reals[k*p.length : (k+1)*p.length] {
			if turned {
				r.Row(j)[e] = v
			} else {
				r.Row(e)[j] = v
			}
		}
	}
	return r
}

// fill sets the samples of a set to the vectors; turned says that a vector is a unit in all samples.
func (p *packer) fill(set *Set, at func(k int) int, turned bool) {
	set.Samples = p.columns(p.packed, at, turned)
	if p.holed {
		set.Missing = p.columns(p.holes, at, turned)
	}
	if p.real {
		set.Reals = p.numbers(at, turned)
	}
	if p.keep {
		set.Levels = p.greys(at, turned)
	}
}

// greys returns the levels of the vectors as numbers does.
func (p *packer) greys(at func(k int) int, turned bool) *units.Levels {
	count := len(p.levels) / p.length
	features, samples := p.length, count
	if turned {
		features, samples = count, p.length
	}
	l := units.NewLevels(features, samples)
	for k := range count {
		j := k
		if at != nil {
			j = at(k)
		}
		for e, v := range p.levels[k*p.length : (k+1)*p.length] {
			if turned {
				l.Of(e)[j] = v
			} else {
				l.Of(j)[e] = v
			}
		}
	}
	return l
}

func value(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// label returns the number as a label. It reports whether it is one: an
// integer that float64 holds exactly.
func label(v float64) (int, bool) {
	const most = 1 << 53
	if !(v >= -most && v <= most) {
		return 0, false
	}
	n := int(v)
	return n, float64(n) == v
}
