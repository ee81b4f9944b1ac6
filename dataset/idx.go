package dataset

import (
	"encoding/binary"
	"fmt"
)

// elementIDX lists the element types of IDX by their code.
var elementIDX = map[byte]element{
	0x08: {'u', 1, true},
	0x09: {'i', 1, true},
	0x0b: {'i', 2, true},
	0x0c: {'i', 4, true},
	0x0d: {'f', 4, true},
	0x0e: {'f', 8, true},
}

// headerIDX reads the header of an IDX file: two zero bytes, the code of the
// element type, the number of dimensions, and each as a big-endian uint32
// (Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database).
func headerIDX(s *source) (*array, error) {
	var magic [4]byte
	if err := s.full(magic[:], "the IDX header"); err != nil {
		return nil, err
	}
	if magic[0] != 0 || magic[1] != 0 {
		return nil, s.fail(0, "an IDX file begins with two zero bytes", remedyAgain)
	}
	e, ok := elementIDX[magic[2]]
	if !ok {
		return nil, s.fail(2, fmt.Sprintf("0x%02x is not an IDX element type", magic[2]), "the types are 0x08, 0x09 and 0x0b to 0x0e; "+remedyAgain)
	}
	if magic[3] == 0 {
		return nil, s.fail(3, "an IDX array of no dimensions", remedyShape)
	}
	var size [4]byte
	shape := make([]int64, magic[3])
	for k := range shape {
		if err := s.full(size[:], "the IDX header"); err != nil {
			return nil, err
		}
		shape[k] = int64(binary.BigEndian.Uint32(size[:]))
	}
	return newArray(s, e, shape, false)
}
