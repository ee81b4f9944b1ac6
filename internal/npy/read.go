package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An Archive is the content of an .npz file, or the part asked for.
type Archive struct {
	path   string
	arrays map[string]Array
}

// NewArchive returns arrays that are in memory as an archive, with the name that errors
// have for its path. Of arrays of one name the last counts.
func NewArchive(name string, arrays []Array) *Archive {
	a := &Archive{name, map[string]Array{}}
	for _, array := range arrays {
		a.arrays[array.Name] = array
	}
	return a
}

// Limits on an archive: members, and bytes of one that is no array. A text of a
// few bytes can be JSON of many values.
const (
	maxMembers = 1024
	maxText    = 1 << 20
)

// ReadArchive reads an .npz file that WriteArchive or numpy.savez wrote, its
// arrays of the types that Write knows, of either byte order. A matrix in Fortran
// order, as numpy.savez writes a transpose, is turned into C order. It reads
// no more than limit bytes of decoded data, and 1 MiB of a member that is no
// array. Errors name the file and the array.
func ReadArchive(path string, limit int64) (*Archive, error) {
	return ReadArchiveOf(path, limit, func(string, []int) error { return nil })
}

// ReadArchiveOf is ReadArchive of a file whose members are known: check is called
// with the name and shape of each, nil of one that is no array, before its
// elements are read. Its error is returned behind the path.
func ReadArchiveOf(path string, limit int64, check func(name string, shape []int) error) (*Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return openArchive(path, f, info.Size(), limit, check)
}

// ParseArchive is ReadArchive of the content of a file, which errors call path.
func ParseArchive(path string, content []byte, limit int64) (*Archive, error) {
	return openArchive(path, bytes.NewReader(content), int64(len(content)), limit, func(string, []int) error { return nil })
}

func openArchive(path string, from io.ReaderAt, size, limit int64, check func(name string, shape []int) error) (*Archive, error) {
	z, err := zip.NewReader(from, size)
	if err != nil {
		if ext := filepath.Ext(path); errors.Is(err, zip.ErrFormat) && ext != "" && ext != ".npz" {
			return nil, fmt.Errorf("%s: not an .npz file: models are .npz files, and a %s file is data or something else", path, ext)
		}
		if errors.Is(err, zip.ErrFormat) {
			return nil, fmt.Errorf("%s: not an .npz file, or a damaged one", path)
		}
		return nil, fmt.Errorf("%s: not an .npz file, or a damaged one: %w", path, err)
	}
	if len(z.File) > maxMembers {
		return nil, fmt.Errorf("%s: %d arrays, more than the %d that are read", path, len(z.File), maxMembers)
	}
	a := &Archive{path, map[string]Array{}}
	for _, member := range z.File {
		// Names are never paths here, but one that would lead out of a folder
		// is not from numpy.
		if !filepath.IsLocal(member.Name) || strings.Contains(member.Name, `\`) {
			return nil, fmt.Errorf("%s: a member has the name %q, a path out of the archive", path, member.Name)
		}
		array, err := readMember(member, &limit, check)
		if refused := (*refusal)(nil); errors.As(err, &refused) {
			return nil, fmt.Errorf("%s: %w", path, refused.error)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: array %q: %w", path, array.Name, err)
		}
		if _, twice := a.arrays[array.Name]; twice {
			return nil, fmt.Errorf("%s: two arrays have the name %q", path, array.Name)
		}
		a.arrays[array.Name] = array
	}
	return a, nil
}

// A refusal is the error of the check of ReadArchiveOf.
type refusal struct{ error }

func readMember(member *zip.File, limit *int64, check func(name string, shape []int) error) (Array, error) {
	const suffix = ".npy"
	array := Array{Name: member.Name}
	f, err := member.Open()
	if err != nil {
		return array, err
	}
	defer f.Close()
	r := &limited{f, limit}
	if n := len(member.Name) - len(suffix); n < 0 || member.Name[n:] != suffix {
		if err := check(array.Name, nil); err != nil {
			return array, &refusal{err}
		}
		text, err := io.ReadAll(io.LimitReader(r, maxText+1))
		if err == nil && len(text) > maxText {
			err = fmt.Errorf("a text of more than the limit of %d bytes", maxText)
		}
		array.Data = text
		return array, err
	}
	array.Name = member.Name[:len(member.Name)-len(suffix)]
	checked := func(shape []int) error {
		if err := check(array.Name, shape); err != nil {
			return &refusal{err}
		}
		return nil
	}
	if array.Shape, array.Data, err = ReadArray(r, *limit, checked); err != nil {
		return array, err
	}
	switch _, err := io.ReadFull(r, make([]byte, 1)); err {
	case io.EOF: // and the checksum is right
		return array, nil
	case nil:
		return array, errors.New("more bytes than the array takes")
	default:
		return array, err
	}
}

// ReadArray reads an .npy array of at most limit bytes. check is called with its shape before its elements are read.
func ReadArray(r io.Reader, limit int64, check func(shape []int) error) (shape []int, data any, err error) {
	header, err := ReadHeader(r)
	if err != nil {
		return nil, nil, err
	}
	n := int64(1)
	for _, s := range header.Shape {
		if s < 0 || s > 0 && n > limit/s {
			return nil, nil, fmt.Errorf("shape %v is larger than the limit of %d bytes", header.Shape, limit)
		}
		n *= s
		shape = append(shape, int(s))
	}
	if header.Fortran && len(shape) > 2 {
		return nil, nil, errors.New("elements in Fortran order; write the array with numpy.ascontiguousarray")
	}
	if err := check(shape); err != nil {
		return nil, nil, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	kind := header.Descr
	if descr, big := strings.CutPrefix(kind, ">"); big {
		kind, order = "<"+descr, binary.BigEndian
	}
	switch kind {
	case "|i1":
		data, err = elements[int8](r, order, header, n, 1, limit)
	case "<u4":
		data, err = elements[uint32](r, order, header, n, 4, limit)
	case "<i8":
		data, err = elements[int64](r, order, header, n, 8, limit)
	case "<u8":
		data, err = elements[uint64](r, order, header, n, 8, limit)
	case "<f4":
		data, err = elements[float32](r, order, header, n, 4, limit)
	case "<f8":
		data, err = elements[float64](r, order, header, n, 8, limit)
	default:
		err = fmt.Errorf("elements of type %q are not read here", header.Descr)
	}
	return shape, data, err
}

// elements reads n numbers, a block at a time, so that a header that promises
// more than the file holds costs no memory.
func elements[T int8 | uint32 | int64 | uint64 | float32 | float64](r io.Reader, order binary.ByteOrder, header Header, n, size, limit int64) ([]T, error) {
	if n > limit/size {
		return nil, fmt.Errorf("%d elements are more than the limit of %d bytes", n, limit)
	}
	const block = 1 << 16
	x := make([]T, 0, min(n, block))
	for int64(len(x)) < n {
		part := make([]T, min(block, n-int64(len(x))))
		if err := binary.Read(r, order, part); err != nil {
			return nil, fmt.Errorf("the file ends after %d of %d elements: %w", len(x), n, err)
		}
		x = append(x, part...)
	}
	if header.Fortran && len(header.Shape) == 2 {
		x = transposed(x, int(header.Shape[0]), int(header.Shape[1]))
	}
	return x, nil
}

// transposed returns a rows x cols matrix, column-major, as one that is row-major.
func transposed[T any](x []T, rows, cols int) []T {
	y := make([]T, len(x))
	for i := range rows {
		for j := range cols {
			y[i*cols+j] = x[j*rows+i]
		}
	}
	return y
}

// limited reads at most *left bytes.
type limited struct {
	r    io.Reader
	left *int64
}

var errLimit = errors.New("more data than the limit of what is read")

func (l *limited) Read(p []byte) (int, error) {
	if *l.left < 0 {
		return 0, errLimit
	}
	n, err := l.r.Read(p[:min(int64(len(p)), *l.left+1)]) // one more, to tell the limit from the end
	if *l.left -= int64(n); *l.left < 0 {
		return 0, errLimit
	}
	return n, err
}

// Has reports whether there is an array of the name.
func (a *Archive) Has(name string) bool {
	_, ok := a.arrays[name]
	return ok
}

// Names returns the names of all arrays and other members, sorted.
func (a *Archive) Names() []string { return slices.Sorted(maps.Keys(a.arrays)) }

// Part returns the members whose names end in suffix, without it. Errors name the
// archive and the suffix.
func (a *Archive) Part(suffix string) *Archive {
	part := &Archive{fmt.Sprintf("%s (arrays ...%s)", a.path, suffix), map[string]Array{}}
	for name, array := range a.arrays {
		if short, ok := strings.CutSuffix(name, suffix); ok {
			part.arrays[short] = array
		}
	}
	return part
}

// Get returns the elements of an array, which must be of type T and of the
// given shape; -1 stands for any length. The error names file and array.
func Get[T any](a *Archive, name string, shape ...int) ([]T, error) {
	array, ok := a.arrays[name]
	if !ok {
		return nil, fmt.Errorf("%s: there is no array %q", a.path, name)
	}
	x, ok := array.Data.([]T)
	if !ok {
		return nil, fmt.Errorf("%s: array %q holds elements of %T, not %T", a.path, name, array.Data, x)
	}
	fits := len(shape) == len(array.Shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = shape[i] == array.Shape[i] || shape[i] == -1
	}
	if !fits {
		return nil, fmt.Errorf("%s: array %q has shape %v, not %v (-1: any)", a.path, name, array.Shape, shape)
	}
	return x, nil
}

// Shape returns the shape of an array, nil if there is none of the name.
func (a *Archive) Shape(name string) []int { return a.arrays[name].Shape }

// Array returns an array with its name, its shape and the elements as they are, none of
// them if there is none of the name.
func (a *Archive) Array(name string) Array {
	array := a.arrays[name]
	array.Name = name
	return array
}

// Bytes returns a member that is not an array, such as meta.json.
func (a *Archive) Bytes(name string) ([]byte, error) {
	x, ok := a.arrays[name].Data.([]byte)
	if !ok {
		return nil, fmt.Errorf("%s: there is no member %q", a.path, name)
	}
	return x, nil
}
