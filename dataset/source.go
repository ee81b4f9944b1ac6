package dataset

import (
	"bufio"
	"errors"
	"io"
	"strconv"
)

// A source is the decoded content of a file, or of an array in an npz file: a
// stream that counts its bytes, ends with an error past a limit, and says in
// errors where it stands.
type source struct {
	path  string
	array string // name in an npz file, "" elsewhere
	gzip  bool
	r     *bufio.Reader
	n     int64 // bytes read so far
	limit int64
	unfit bool // whether its elements were found to be of a type that is not read
}

// window is how far a source can look ahead.
const window = 64 << 10

func newSource(path string, r io.Reader, limit int64) *source {
	return &source{path: path, r: bufio.NewReaderSize(r, window), limit: limit}
}

var errLimit = errors.New("more decoded bytes than the limit")

// Read implements [io.Reader].
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.n >= s.limit {
		if _, err := s.r.Peek(1); err != nil {
			return 0, err
		}
		return 0, errLimit
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.limit-s.n)])
	s.n += int64(n)
	return n, err
}

// full reads len(p) bytes of something the file ought to hold.
func (s *source) full(p []byte, what string) error {
	if _, err := io.ReadFull(s, p); err != nil {
		return s.failed(err, what)
	}
	return nil
}

// end checks that nothing follows.
func (s *source) end(what string) error {
	at := s.n
	switch _, err := io.ReadFull(s, make([]byte, 1)); err {
	case io.EOF:
		return nil
	case nil, errLimit:
		return s.fail(at, "bytes follow "+what, remedyAgain)
	default: // a checksum that is wrong or cut off
		e := s.fail(at, "what follows "+what+" cannot be read", remedyAgain)
		e.Err = err
		return e
	}
}

// failed returns the error of a read that ended with err. what names the part that was being read.
func (s *source) failed(err error, what string) error {
	switch {
	case errors.Is(err, errLimit):
		return s.fail(s.n, "the content is larger than the limit of "+strconv.FormatInt(s.limit, 10)+" bytes", "raise the limit if the file can be trusted")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e := s.fail(s.n, "the file ends inside of "+what, remedyAgain)
		e.Err = io.ErrUnexpectedEOF
		return e
	}
	e := s.fail(s.n, "cannot read "+what, remedyAgain)
	e.Err = err
	return e
}

// fail returns an error at a byte of the content.
func (s *source) fail(at int64, problem, remedy string) *FileError {
	return s.failAt("byte "+strconv.FormatInt(at, 10)+s.decompressed(), problem, remedy)
}

// failAt returns an error at a place of the content.
func (s *source) failAt(place, problem, remedy string) *FileError {
	if s.array != "" {
		place = "array " + quote(s.array) + ", " + place
	}
	return &FileError{Path: s.path, Place: place, Problem: problem, Remedy: remedy}
}

// whole returns an error of the content as a whole.
func (s *source) whole(problem, remedy string) *FileError {
	place := ""
	if s.array != "" {
		place = "array " + quote(s.array)
	}
	return &FileError{Path: s.path, Place: place, Problem: problem, Remedy: remedy}
}

func (s *source) decompressed() string {
	if s.gzip {
		return " once decompressed"
	}
	return ""
}
