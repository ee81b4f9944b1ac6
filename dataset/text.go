package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Limits on a row of text, and so on what a file without line ends can make the
// reader hold.
const (
	maxRow     = 16 << 20 // bytes
	maxColumns = 1 << 19
)

// A text is delimited text, read a row at a time. Lines that begin with # are
// comments, but for those that hashes knows as a header or a row.
type text struct {
	*source
	read  func() (row []string, line int, err error)
	width int // columns, 0 if it is not known yet
	begin int // line of the row that told the width
}

// newText tells what separates the columns of s, and begins before its first row.
func newText(s *source) (*text, error) {
	if head, _ := s.r.Peek(3); string(head) == "\ufeff" {
		if err := s.full(make([]byte, 3), "the byte order mark"); err != nil {
			return nil, err
		}
	}
	ahead, _ := s.r.Peek(window)
	if bytes.IndexByte(ahead, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(ahead, "\r"), '\r') >= 0 {
		return nil, &FileError{Path: s.path, Problem: "the lines end with CR alone", Remedy: "save it again with other line ends, such as with tr '\\r' '\\n'"}
	}
	t := &text{source: s}
	comma, stated := delimiter(ahead)
	if comma == ' ' {
		t.read = blankRows(s)
		return t, nil
	}
	limit := &rowLimit{r: s, comma: byte(comma)}
	c := csv.NewReader(newHashes(limit, byte(comma)))
	c.Comma = comma
	c.FieldsPerRecord = -1 // checked by next
	c.ReuseRecord = true
	c.TrimLeadingSpace = comma != '\t' // it would take tabs for space
	t.read = func() ([]string, int, error) {
		limit.read, limit.commas = 0, 0
		row, err := c.Read()
		if err != nil {
			return nil, 0, err
		}
		line, _ := c.FieldPos(0)
		return row, line, nil
	}
	if stated { // the first line is no row
		if _, _, err := t.read(); err != nil {
			return nil, t.failed(err, "the text")
		}
	}
	return t, nil
}

// delimiter tells what separates the columns by the first line that is neither
// blank nor a comment: a tab, a semicolon, a comma, blanks or a bar, the first of
// these to occur outside of quotes. A line such as "sep=;", as Excel reads it, states it.
func delimiter(ahead []byte) (comma rune, stated bool) {
	var line []byte
	for rest := ahead; len(rest) > 0; {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		line = bytes.TrimRight(line, "\r ")
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] != '#' {
			break
		}
		line = nil
	}
	if c, ok := bytes.CutPrefix(line, []byte("sep=")); ok && len(c) == 1 && strings.IndexByte("\t;,|", c[0]) >= 0 {
		return rune(c[0]), true
	}
	if bytes.Contains(line, []byte("\t ")) || bytes.Contains(line, []byte(" \t")) {
		return ' ', false // aligned by both
	}
	for _, c := range "\t;, |" {
		quoted := false
		for k, b := range line {
			switch {
			case b == '"':
				quoted = !quoted
			case rune(b) == c && !quoted && (c != ' ' || len(bytes.TrimSpace(line[:k])) > 0):
				return c, false
			}
		}
	}
	return ',', false
}

// next returns the next row, valid until the one after it is read, and its
// line; [io.EOF] after the last.
func (t *text) next() ([]string, int, error) {
	row, line, err := t.read()
	if bad := new(csv.ParseError); errors.As(err, &bad) {
		e := t.failAt("line "+strconv.Itoa(bad.Line)+", byte "+strconv.Itoa(bad.Column-1)+" of it", "the quotes do not match", "quote whole fields or none")
		e.Err = bad.Err
		return nil, 0, e
	}
	switch {
	case err == io.EOF:
		return nil, 0, err
	case errors.Is(err, errRow):
		return nil, 0, t.fail(t.n, "a row is longer than "+strconv.Itoa(maxRow)+" bytes", "store the samples as an npy file")
	case errors.Is(err, errColumns):
		return nil, 0, t.fail(t.n, "a row has more than "+strconv.Itoa(maxColumns)+" columns", "store the samples as an npy file")
	case errors.Is(err, errMatrices):
		return nil, 0, t.fail(t.n, "text of Octave with several matrices", "save the samples alone, such as with save -text FILE X")
	case err != nil:
		return nil, 0, t.failed(err, "the text")
	}
	if t.width != 0 && len(row) != t.width {
		return nil, 0, t.failAt("line "+strconv.Itoa(line), columns(len(row))+", but line "+strconv.Itoa(t.begin)+" has "+strconv.Itoa(t.width),
			"give every row as many columns")
	}
	return row, line, nil
}

func columns(n int) string {
	if n == 1 {
		return "1 column"
	}
	return strconv.Itoa(n) + " columns"
}

// blankRows reads rows whose columns are aligned by blanks, as numpy.loadtxt
// does: any number of spaces and tabs separates two fields, those around a line
// do not count, and # begins a comment. A field in double quotes, as R writes
// names, may hold blanks.
func blankRows(s *source) func() ([]string, int, error) {
	r := bufio.NewReaderSize(s, window)
	var line []byte
	var row []string
	number, matrices := 0, 0
	return func() ([]string, int, error) {
		for {
			line = line[:0]
			for {
				part, err := r.ReadSlice('\n')
				line = append(line, part...)
				switch {
				case len(line) > maxRow:
					return nil, 0, errRow
				case err == bufio.ErrBufferFull:
					continue
				case err == io.EOF && len(line) > 0:
				case err != nil:
					return nil, 0, err
				}
				break
			}
			number++
			if bytes.HasPrefix(line, []byte("# name: ")) {
				if matrices++; matrices > 1 {
					return nil, 0, errMatrices
				}
			}
			var err error
			if row, err = blankFields(row[:0], line); err != nil {
				return nil, 0, &csv.ParseError{Line: number, Column: len(line), Err: err}
			}
			if len(row) > maxColumns {
				return nil, 0, errColumns
			}
			if len(row) > 0 {
				return row, number, nil
			}
		}
	}
}

// blankFields appends the fields of a line to row.
func blankFields(row []string, line []byte) ([]string, error) {
	for {
		line = bytes.TrimLeft(line, " \t\r\n\v\f")
		if len(line) == 0 || line[0] == '#' || len(row) > maxColumns {
			return row, nil
		}
		if line[0] == '"' {
			field, rest, closed := bytes.Cut(line[1:], []byte{'"'})
			if !closed {
				return row, csv.ErrQuote
			}
			row, line = append(row, string(field)), rest
			continue
		}
		end := bytes.IndexAny(line, " \t\r\n\v\f#")
		if end < 0 {
			end = len(line)
		}
		row, line = append(row, string(line[:end])), line[end:]
	}
}

// Errors of a row that is longer than maxRow or wider than maxColumns, and of a second matrix of Octave.
var (
	errMatrices = errors.New("several matrices")
	errRow      = errors.New("row too long")
	errColumns  = errors.New("too many columns")
)

// A rowLimit passes text on until more than a row may hold has been read since
// read and commas were last set to 0.
type rowLimit struct {
	r            io.Reader
	comma        byte
	read, commas int
}

func (l *rowLimit) Read(p []byte) (int, error) {
	switch {
	case l.read > maxRow:
		return 0, errRow
	case l.commas > maxColumns:
		return 0, errColumns
	}
	n, err := l.r.Read(p)
	l.read += n
	l.commas += bytes.Count(p[:n], []byte{l.comma})
	return n, err
}
