package dataset

import (
	"bufio"
	"bytes"
	"io"
)

// hashes passes delimited text on without its comments, in whose place empty lines stay. A line
// that begins with # is a comment, unless it has as many fields as the first row:
// right before that row it is the header, as numpy.savetxt writes one, and is passed on without
// the mark; further down it is a row, such as one that begins with the error #N/A of a spreadsheet.
type hashes struct {
	r      *bufio.Reader
	comma  byte
	fields int  // of the first row; 0 before it
	quoted bool // whether a line begins within a quoted field
	held   []byte
	out    []byte // ready for the caller of Read
	line   []byte
}

func newHashes(r io.Reader, comma byte) *hashes {
	return &hashes{r: bufio.NewReaderSize(r, window), comma: comma}
}

// Read implements io.Reader.
func (h *hashes) Read(p []byte) (int, error) {
	for len(h.out) == 0 {
		h.line = h.line[:0]
		var err error
		for {
			var part []byte
			part, err = h.r.ReadSlice('\n')
			h.line = append(h.line, part...)
			if err != bufio.ErrBufferFull {
				break
			}
		}
		if len(h.line) == 0 && err != nil {
			if len(h.held) > 0 {
				h.out, h.held = []byte("\n"), nil
				break
			}
			return 0, err
		}
		h.out = h.pass(h.line)
	}
	n := copy(p, h.out)
	h.out = h.out[n:]
	return n, nil
}

// pass returns what a line becomes. A line that may be the header is held until the next one.
func (h *hashes) pass(line []byte) []byte {
	marked := !h.quoted && line[0] == '#'
	switch {
	case marked && h.fields == 0:
		before := h.release(false)
		h.held = bytes.Clone(line)
		return before
	case marked && (h.fields == 1 || h.count(line) != h.fields):
		return line[len(line)-1:] // the line end, if it has one
	}
	if !h.quoted && h.fields == 0 && len(bytes.TrimSpace(line)) > 0 {
		h.fields = h.count(line)
		line = append(h.release(h.fields > 1 && h.count(h.held) == h.fields), line...)
	}
	if bytes.Count(line, []byte{'"'})%2 == 1 {
		h.quoted = !h.quoted
	}
	return line
}

// release returns the line that was held: without its mark if it is the header, else an empty one.
func (h *hashes) release(header bool) []byte {
	held := h.held
	h.held = nil
	switch {
	case len(held) == 0:
		return nil
	case header:
		return bytes.TrimLeft(held, "# ")
	}
	return []byte("\n")
}

// count returns the number of fields of a line.
func (h *hashes) count(line []byte) int {
	count, quoted := 1, false
	for _, b := range line {
		switch {
		case b == '"':
			quoted = !quoted
		case b == h.comma && !quoted:
			count++
		}
	}
	return count
}
