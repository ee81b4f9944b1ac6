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
		s.unfit = true
		return nil, s.fail(at, "elements of type "+quote(header.Descr)+" are not real numbers of a known size",
			"convert them, such as with array.astype(numpy.int8), or labels that are words with array.astype(str)")
	}
	return newArray(s, e, header.Shape, header.Fortran)
}

// elementNPY returns the element type that a descr such as "<f8" names.
func elementNPY(descr string) (element, bool) {
	if e, ok := textNPY(descr); ok {
		return e, true
	}
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

// maxText limits the length of a text in an array.
const maxText = 4096

// textNPY returns the type of text that a descr such as "<U5" names.
func textNPY(descr string) (element, bool) {
	if len(descr) < 3 || strings.IndexByte("|<>", descr[0]) < 0 {
		return element{}, false
	}
	n, ok := whole(descr[2:])
	if !ok || n < 1 || n > maxText {
		return element{}, false
	}
	switch descr[1] {
	case 'S':
		return element{kind: 'S', size: n}, true
	case 'U':
		return element{kind: 'U', size: 4 * n, big: descr[0] == '>'}, true
	}
	return element{}, false
}
