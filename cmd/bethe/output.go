package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"bethe/internal/durable"
)

// A checkedWriter remembers the first error, so that a full standard output does
// not pass for success where nobody looks at what printing returns.
type checkedWriter struct {
	w   io.Writer
	err error
}

func (c *checkedWriter) Write(b []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}

// outputTaken reports whether a file that is asked for is standard output.
func outputTaken(cmd *cobra.Command) bool {
	const flag = "out"
	if one, err := cmd.Flags().GetString(flag); err == nil {
		return durable.StandardOutput(one)
	}
	several, err := cmd.Flags().GetStringArray(flag)
	return err == nil && slices.ContainsFunc(several, durable.StandardOutput)
}

// printable returns a text for a terminal: control characters, which names of files
// and settings may hold, are written as \x and two digits, but for ends of lines
// and tabs.
func printable(text string) string {
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

// printableJSON returns JSON of the same meaning with the control characters that
// its encoder leaves as they are, from DEL on, written as it writes the others.
func printableJSON(text []byte) []byte {
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
