package sampler

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"bethe/internal/npy"
	"bethe/spin"
)

// Samples are states of both layers, a column a read.
type Samples struct{ Visible, Hidden *spin.Matrix }

// maxText is the largest text of samples that is read, in bytes.
const maxText = 1 << 30

// ReadSamples reads samples of visible and hidden units: text with a line a read, of numbers 1 and -1
// between blanks or commas, the visible units first; or an .npy file of reads x units. Empty
// lines and lines that begin with # are passed over. If reads is 0 there must be at least one, else exactly so many. Errors name the
// line and the number.
func ReadSamples(r io.Reader, visible, hidden, reads int) (Samples, error) {
	b := bufio.NewReaderSize(io.LimitReader(r, maxText), 1<<16)
	if magic, _ := b.Peek(6); bytes.Equal(magic, []byte("\x93NUMPY")) {
		return readArray(b, visible, hidden, reads)
	}
	return readLines(newLines(b, visible+hidden), visible, hidden, reads, false)
}

// newLines returns a scanner of lines that are not much longer than those of samples.
func newLines(r io.Reader, units int) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16*units+4096)
	return lines
}

// readLines reads samples to the end or, if it is asked for, to an empty line.
func readLines(lines *bufio.Scanner, visible, hidden, reads int, toEmpty bool) (Samples, error) {
	var rows [][]int8
	number := 1
	for ; lines.Scan(); number++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" && toEmpty {
			return columns(rows, visible, hidden, reads)
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if reads > 0 && len(rows) == reads {
			return Samples{}, fmt.Errorf("line %d: more than the %d samples that were asked for", number, reads)
		}
		row, err := parseRow(text, visible+hidden)
		if err != nil {
			return Samples{}, fmt.Errorf("line %d: %w", number, err)
		}
		rows = append(rows, row)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return Samples{}, fmt.Errorf("line %d: far longer than a sample of %d units", number, visible+hidden)
	case err != nil:
		return Samples{}, err
	case toEmpty:
		return Samples{}, fmt.Errorf("it ended after %d samples, without an empty line", len(rows))
	}
	return columns(rows, visible, hidden, reads)
}

// parseRow reads the spins of one sample.
func parseRow(text string, units int) ([]int8, error) {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' || r == ';' })
	if len(words) != units {
		return nil, fmt.Errorf("%d numbers, and the machine has %d units", len(words), units)
	}
	row := make([]int8, units)
	for u, w := range words {
		switch w {
		case "1", "+1", "1.0":
			row[u] = 1
		case "-1", "-1.0":
			row[u] = -1
		default:
			return nil, fmt.Errorf("number %d is %.20q, not 1 or -1", u+1, w)
		}
	}
	return row, nil
}

// columns makes samples of rows.
func columns(rows [][]int8, visible, hidden, reads int) (Samples, error) {
	if len(rows) == 0 || reads > 0 && len(rows) != reads {
		return Samples{}, fmt.Errorf("%d samples, and %s asked for", len(rows), wanted(reads))
	}
	s := Samples{spin.New(visible, len(rows)), spin.New(hidden, len(rows))}
	for a, row := range rows {
		for u, v := range row {
			if u < visible {
				s.Visible.Set(u, a, v)
			} else {
				s.Hidden.Set(u-visible, a, v)
			}
		}
	}
	return s, nil
}

func wanted(reads int) string {
	if reads == 0 {
		return "some were"
	}
	return fmt.Sprintf("%d were", reads)
}

// readArray reads an .npy array of reads x units.
func readArray(r io.Reader, visible, hidden, reads int) (Samples, error) {
	shape, values, err := npy.ReadArray(r, maxText, func(shape []int) error {
		if len(shape) != 2 || shape[1] != visible+hidden {
			return fmt.Errorf("an array of shape %v, and samples x units is %d columns", shape, visible+hidden)
		}
		return nil
	})
	if err != nil {
		return Samples{}, err
	}
	at, err := numbers(values)
	if err != nil {
		return Samples{}, err
	}
	rows := make([][]int8, shape[0])
	for a := range rows {
		rows[a] = make([]int8, shape[1])
		for u := range rows[a] {
			switch v := at(a*shape[1] + u); v {
			case 1, -1:
				rows[a][u] = int8(v)
			default:
				return Samples{}, fmt.Errorf("sample %d: number %d is %v, not 1 or -1", a+1, u+1, v)
			}
		}
	}
	return columns(rows, visible, hidden, reads)
}

// numbers returns a look at the elements of an array.
func numbers(values any) (func(k int) float64, error) {
	switch x := values.(type) {
	case []int8:
		return func(k int) float64 { return float64(x[k]) }, nil
	case []int64:
		return func(k int) float64 { return float64(x[k]) }, nil
	case []float32:
		return func(k int) float64 { return float64(x[k]) }, nil
	case []float64:
		return func(k int) float64 { return x[k] }, nil
	}
	return nil, fmt.Errorf("an array of %T: samples are int8, int64, float32 or float64", values)
}
