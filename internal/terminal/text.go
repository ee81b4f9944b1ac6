// Package terminal is what a program needs to speak to a person: text without control
// characters, a writer that remembers its first error, and a bar that shows how far work is.
package terminal

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"
)

// A Writer writes to another one and remembers the first error, so that a full standard output does
// not pass for success where nobody looks at what printing returns.
type Writer struct {
	To  io.Writer
	Err error // the first
}

func (w *Writer) Write(b []byte) (int, error) {
	if w.Err != nil {
		return 0, w.Err
	}
	n, err := w.To.Write(b)
	w.Err = err
	return n, err
}

// Printable returns a text for a terminal: control characters, which names of files
// and settings may hold, are written as \x and two digits, but for ends of lines
// and tabs.
func Printable(text string) string {
	plain := true
	for k := 0; k < len(text) && plain; k++ {
		plain = text[k] >= ' ' && text[k] < 0x7f || text[k] == '\n' || text[k] == '\t'
	}
	if plain {
		return text
	}
	var b bytes.Buffer
	for k := 0; k < len(text); {
		r, size := utf8.DecodeRuneInString(text[k:])
		raw := r == utf8.RuneError && size == 1 && text[k] < 0xa0
		if raw || unicode.IsControl(r) && r != '\n' && r != '\t' {
			for _, c := range []byte(text[k : k+size]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(text[k : k+size])
		}
		k += size
	}
	return b.String()
}

// PrintableJSON returns JSON of the same meaning with the control characters that
// its encoder leaves as they are, from DEL on, written as it writes the others.
func PrintableJSON(text []byte) []byte {
	var b bytes.Buffer
	for k := 0; k < len(text); {
		r, size := utf8.DecodeRune(text[k:])
		if r >= 0x7f && unicode.IsControl(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.Write(text[k : k+size])
		}
		k += size
	}
	return b.Bytes()
}
