package dataset

import (
	"encoding/binary"
	"math"
	"strconv"
)

// An element is the type of the numbers in an array.
type element struct {
	kind byte // 'b' bool, 'i' signed, 'u' unsigned, 'f' float, 'U' and 'S' text
	size int  // bytes
	big  bool // most significant byte first
}

// String returns numpy's name of the type, such as "uint8".
func (e element) String() string {
	if e.kind == 'b' {
		return "bool"
	}
	if e.text() {
		return "text"
	}
	return map[byte]string{'i': "int", 'u': "uint", 'f': "float"}[e.kind] + strconv.Itoa(8*e.size)
}

// text reports whether the elements are text.
func (e element) text() bool { return e.kind == 'U' || e.kind == 'S' }

// decode writes the numbers in src, of len(dst)*e.size bytes, to dst; it may
// reorder the bytes of src. Integers beyond 2^53 are rounded.
func (e element) decode(dst []float64, src []byte) {
	if e.big && e.size > 1 {
		reverse(src, e.size)
	}
	le := binary.LittleEndian
	switch e.size {
	case 1:
		if e.kind == 'i' {
			for k := range dst {
				dst[k] = float64(int8(src[k]))
			}
			return
		}
		for k := range dst {
			dst[k] = float64(src[k])
		}
	case 2:
		for k := range dst {
			switch v := le.Uint16(src[2*k:]); e.kind {
			case 'i':
				dst[k] = float64(int16(v))
			case 'u':
				dst[k] = float64(v)
			default:
				dst[k] = half(v)
			}
		}
	case 4:
		for k := range dst {
			switch v := le.Uint32(src[4*k:]); e.kind {
			case 'i':
				dst[k] = float64(int32(v))
			case 'u':
				dst[k] = float64(v)
			default:
				dst[k] = float64(math.Float32frombits(v))
			}
		}
	case 8:
		for k := range dst {
			switch v := le.Uint64(src[8*k:]); e.kind {
			case 'i':
				dst[k] = float64(int64(v))
			case 'u':
				dst[k] = float64(v)
			default:
				dst[k] = math.Float64frombits(v)
			}
		}
	}
}

// reverse reverses every group of size bytes.
func reverse(b []byte, size int) {
	for ; len(b) >= size; b = b[size:] {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
}

// half returns the value of an IEEE 754 binary16 number.
func half(v uint16) float64 {
	sign, exponent, fraction := 1.0, int(v>>10&31), float64(v&1023)
	if v>>15 != 0 {
		sign = -1
	}
	switch {
	case exponent == 0: // subnormal
		return sign * math.Ldexp(fraction, -24)
	case exponent < 31:
		return sign * math.Ldexp(1024+fraction, exponent-25)
	case fraction == 0:
		return math.Inf(int(sign))
	}
	return math.NaN()
}
