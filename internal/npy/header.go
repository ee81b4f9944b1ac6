package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Magic is how every .npy file begins.
const Magic = "\x93NUMPY"

// maxHeader limits the length of a header. Those of plain arrays take 118
// bytes; numpy itself refuses more than 10000.
const maxHeader = 1 << 16

// A Header tells what an .npy file holds.
type Header struct {
	Descr   string // NumPy's name of the element type, such as "<f8"
	Fortran bool   // elements lie in column-major order
	Shape   []int64
}

// A HeaderError is a header that is not one, and the byte of the file where
// this shows.
type HeaderError struct {
	Offset  int64
	Problem string
}

func (e *HeaderError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.Problem) }

// ReadHeader reads the header of an .npy file, versions 1 to 3: the magic
// string, two bytes of version, the header's length as a little-endian uint16,
// or uint32 from version 2 on, and a Python dictionary. Errors are a
// *HeaderError and those of r, io.ErrUnexpectedEOF at a premature end.
//
// The parser is our own and strict because the input may be hostile: the one
// in github.com/sbinet/npyio v0.6.0 allocates whatever length a header states,
// panics on dictionaries laid out otherwise than numpy's, and takes the end of
// a truncated file for zeros.
func ReadHeader(r io.Reader) (Header, error) {
	offset := int64(0)
	full := func(n int) ([]byte, error) {
		b := make([]byte, n)
		_, err := io.ReadFull(r, b)
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		offset += int64(n)
		return b, err
	}
	pre, err := full(8)
	if err != nil {
		return Header{}, err
	}
	if string(pre[:6]) != Magic {
		return Header{}, &HeaderError{0, "an npy file begins with " + strconv.QuoteToASCII(Magic)}
	}
	width := map[byte]int{1: 2, 2: 4, 3: 4}[pre[6]]
	if width == 0 {
		return Header{}, &HeaderError{6, fmt.Sprintf("npy version %d.%d is not known", pre[6], pre[7])}
	}
	length, err := full(width)
	if err != nil {
		return Header{}, err
	}
	n := binary.LittleEndian.Uint32(append(length, 0, 0)[:4])
	if n > maxHeader {
		return Header{}, &HeaderError{8, fmt.Sprintf("an npy header of %d bytes", n)}
	}
	at := offset
	text, err := full(int(n))
	if err != nil {
		return Header{}, err
	}
	p := &parser{text: string(text)}
	if problem := p.parse(); problem != "" {
		return Header{}, &HeaderError{at + int64(p.at), "in the npy header, " + problem}
	}
	return p.header, nil
}

// A parser reads the dictionary in a header.
type parser struct {
	text   string
	at     int // byte of text reached
	header Header
}

// parse reads the whole dictionary. It returns the fault, at byte d.at of the text, or "".
func (d *parser) parse() string {
	if !d.take('{') {
		return "a dictionary should begin"
	}
	seen := map[string]bool{}
	for !d.take('}') {
		key, ok := d.quoted()
		switch {
		case !ok:
			return "a quoted key should stand"
		case seen[key]:
			return "the key " + quote(key) + " stands twice"
		case !d.take(':'):
			return "a colon should follow the key " + quote(key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if d.header.Descr, ok = d.quoted(); !ok {
				return "the type is a record, not a number"
			}
		case "fortran_order":
			switch {
			case d.word("True"):
				d.header.Fortran = true
			case !d.word("False"):
				return "True or False should stand"
			}
		case "shape":
			if wrong := d.tuple(); wrong != "" {
				return wrong
			}
		default:
			return "the key " + quote(key) + " is not known"
		}
		if !d.take(',') && d.peek() != '}' {
			return "a comma should stand"
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return "the key " + quote(key) + " is missing"
		}
	}
	if d.space(); d.at < len(d.text) {
		return "more text follows the dictionary"
	}
	return ""
}

// tuple reads a shape such as "(60000, 28, 28)"; Python 2 wrote "60000L".
func (d *parser) tuple() string {
	if !d.take('(') {
		return "a shape should stand"
	}
	d.header.Shape = []int64{}
	for !d.take(')') {
		d.space()
		from := d.at
		for d.at < len(d.text) && d.text[d.at] >= '0' && d.text[d.at] <= '9' {
			d.at++
		}
		if d.at == from {
			return "a length should stand"
		}
		n, err := strconv.ParseInt(d.text[from:d.at], 10, 64)
		if err != nil {
			d.at = from
			return "a length is too large"
		}
		d.header.Shape = append(d.header.Shape, n)
		d.take('L')
		if !d.take(',') && d.peek() != ')' {
			return "a comma should stand"
		}
	}
	return ""
}

// quoted reads a string in single or double quotes, without escapes.
func (d *parser) quoted() (string, bool) {
	q := d.peek()
	if q != '\'' && q != '"' {
		return "", false
	}
	n := strings.IndexByte(d.text[d.at+1:], q)
	if n < 0 {
		return "", false
	}
	text := d.text[d.at+1 : d.at+1+n]
	d.at += n + 2
	return text, true
}

// word reads the word w, if it is next.
func (d *parser) word(w string) bool {
	d.space()
	if !strings.HasPrefix(d.text[d.at:], w) {
		return false
	}
	d.at += len(w)
	return true
}

// take reads the byte c, if it is next.
func (d *parser) take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.at++
	return true
}

// peek returns the next byte that is not white space, 0 at the end.
func (d *parser) peek() byte {
	if d.space(); d.at == len(d.text) {
		return 0
	}
	return d.text[d.at]
}

func (d *parser) space() {
	for d.at < len(d.text) && strings.IndexByte(" \t\r\n", d.text[d.at]) >= 0 {
		d.at++
	}
}

// quote quotes a key for a message, shortened if it is long.
func quote(key string) string {
	const most = 40
	if r := []rune(key); len(r) > most {
		key = string(r[:most]) + "…"
	}
	return strconv.Quote(key)
}
