package dataset

import (
	"errors"
	"strings"

	"bethe/internal/npy"
)

// headerNPY reads the header of an npy file.
func headerNPY(s *source) (*array, error) {
	at := s.n
	header, err := npy.ReadHeader(s)
	var wrong *npy.HeaderError
	switch {
	case errors.As(err, &wrong):
		return nil, s.fail(at+wrong.Offset, wrong.Problem, "write the file with numpy.save, as a plain array of numbers")
	case err != nil:
		return nil, s.failed(err, "the npy header")
	}
	e, ok := elementNPY(header.Descr)
	if !ok {
		return nil, s.fail(at, "elements of type "+quote(header.Descr)+" are not real numbers of a known size",
			"convert them, such as with array.astype(numpy.int8)")
	}
	return newArray(s, e, header.Shape, header.Fortran)
}

// elementNPY returns the element type that a descr such as "<f8" names.
func elementNPY(descr string) (element, bool) {
	if len(descr) != 3 {
		return element{}, false
	}
	order, e := descr[0], element{kind: descr[1], size: int(descr[2] - '0'), big: descr[0] == '>'}
	switch descr[1:] {
	case "b1", "i1", "u1":
		return e, strings.IndexByte("|<>", order) >= 0
	case "i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8":
		return e, order == '<' || order == '>'
	}
	return element{}, false
}
