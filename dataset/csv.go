package dataset

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxRow limits the bytes of a row of text, and so what a file without line ends
// can make the reader hold.
const maxRow = 16 << 20

// A table is delimited text, read a row at a time.
type table struct {
	*source
	csv    *csv.Reader
	row    *rowLimit
	header []string // names of the columns, nil if the text has none
	first  []string // first row of numbers if it has been read, else nil
	width  int      // columns
	begin  int      // line of the first row or header
	label  int      // column that holds the labels, from 0; -1 if none does
}

// newTable reads the header of a table, if it has one, and finds its column of
// labels.
func newTable(s *source, labelColumn string) (*table, error) {
	if head, _ := s.r.Peek(3); string(head) == "\ufeff" {
		if err := s.full(make([]byte, 3), "the byte order mark"); err != nil {
			return nil, err
		}
	}
	ahead, _ := s.r.Peek(window)
	t := &table{source: s, row: &rowLimit{r: s}, label: -1}
	t.csv = csv.NewReader(t.row)
	t.csv.Comma = delimiter(ahead)
	t.csv.FieldsPerRecord = -1 // checked by next
	t.csv.ReuseRecord = true
	row, line, err := t.next()
	if err == io.EOF {
		return nil, &FileError{Path: s.path, Problem: "text without rows", Remedy: remedyAgain}
	}
	if err != nil {
		return nil, err
	}
	t.width, t.begin = len(row), line
	numbers := 0
	for _, field := range row {
		if _, ok := number(field); ok {
			numbers++
		}
	}
	switch {
	case numbers == 0, numbers < len(row) && labelColumn != "" && slices.Contains(row, labelColumn):
		t.header = slices.Clone(row)
	case numbers < len(row):
		k := slices.IndexFunc(row, func(field string) bool { _, ok := number(field); return !ok })
		return nil, t.failAt(t.at(line, k), quote(row[k])+" stands among numbers", "write numbers, or a header of names, in the first row")
	default:
		t.first = slices.Clone(row)
	}
	return t, t.findLabel(labelColumn)
}

// delimiter tells what separates the columns by the first line that is not
// blank: a tab, a semicolon, a comma or a space, the first of these to occur
// outside of quotes.
func delimiter(ahead []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(ahead, "\r\n"), []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	for _, c := range "\t;, " {
		quoted := false
		for _, b := range line {
			switch {
			case b == '"':
				quoted = !quoted
			case rune(b) == c && !quoted:
				return c
			}
		}
	}
	return ','
}

// findLabel sets the column of labels from its name or number.
func (t *table) findLabel(name string) error {
	if name == "" {
		return nil
	}
	var found []int
	for k, field := range t.header {
		if field == name {
			found = append(found, k)
		}
	}
	place := "line " + strconv.Itoa(t.begin)
	if len(found) > 1 {
		return t.failAt(place, "two columns are named "+quote(name), "give the column's number, counted from 1")
	}
	if len(found) == 1 {
		t.label = found[0]
		return nil
	}
	switch k, err := strconv.Atoi(name); {
	case err == nil && k >= 1 && k <= t.width:
		t.label = k - 1
	case err == nil && k < 0 && k >= -t.width:
		t.label = t.width + k
	case err == nil:
		return t.failAt(place, "there is no column "+name, "give a number from 1 to "+strconv.Itoa(t.width)+", or from -1 to -"+strconv.Itoa(t.width)+" counted from the end")
	case t.header == nil:
		return t.failAt(place, "there is no header to find the column "+quote(name)+" in", "give the column's number, counted from 1")
	default:
		return t.failAt(place, "there is no column "+quote(name), "give a number, or one of "+quoteAll(t.header))
	}
	return nil
}

// next returns the next row, valid until the one after it is read, and its
// line; [io.EOF] after the last.
func (t *table) next() ([]string, int, error) {
	if row := t.first; row != nil {
		t.first = nil
		return row, t.begin, nil
	}
	t.row.read = 0
	row, err := t.csv.Read()
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
	case err != nil:
		return nil, 0, t.failed(err, "the text")
	}
	line, _ := t.csv.FieldPos(0)
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

// at names the place of column k, counted from 0, of a line.
func (t *table) at(line, k int) string {
	place := "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(k+1)
	if k < len(t.header) {
		place += " (" + quote(t.header[k]) + ")"
	}
	return place
}

// cell returns the number in column k of a row.
func (t *table) cell(row []string, line, k int) (float64, error) {
	v, ok := number(row[k])
	switch {
	case ok:
		return v, nil
	case strings.TrimSpace(row[k]) == "":
		return 0, t.failAt(t.at(line, k), "an empty field", "fill it in, or drop the row or column")
	}
	return 0, t.failAt(t.at(line, k), quote(row[k])+" is not a number", "write numbers, or leave the column out")
}

// labelOf returns the label in column k of a row.
func (t *table) labelOf(row []string, line, k int) (int, error) {
	v, err := t.cell(row, line, k)
	if err != nil {
		return 0, err
	}
	n, ok := label(v)
	if !ok {
		return 0, t.failAt(t.at(line, k), "the label "+value(v)+" is not an integer", "number the classes")
	}
	return n, nil
}

// number reads a field; infinities and NaN are numbers here.
func number(field string) (float64, bool) {
	switch field {
	case "0":
		return 0, true
	case "1":
		return 1, true
	case "-1":
		return -1, true
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

func samplesCSV(s *source, opt Options) (*Set, error) {
	if opt.LabelPath != "" {
		opt.LabelColumn = ""
	}
	t, err := newTable(s, opt.LabelColumn)
	if err != nil {
		return nil, err
	}
	p := opt.packer(t.width, false)
	if t.label >= 0 {
		p.length--
	}
	if p.length == 0 {
		return nil, t.failAt("line "+strconv.Itoa(t.begin), "the labels leave no column for the samples", "read this file as labels of another")
	}
	set := &Set{Source: opt.source(formatCSV, p, "", "text")}
	x := make([]float64, 0, t.width)
	for {
		row, line, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		x = x[:0]
		for k := range row {
			if k == t.label {
				n, err := t.labelOf(row, line, k)
				if err != nil {
					return nil, err
				}
				set.Labels = append(set.Labels, n)
				continue
			}
			v, err := t.cell(row, line, k)
			if err != nil {
				return nil, err
			}
			x = append(x, v)
		}
		if k, problem, remedy := p.add(x); k >= 0 {
			if t.label >= 0 && k >= t.label {
				k++
			}
			return nil, t.failAt(t.at(line, k), problem, remedy)
		}
	}
	if len(p.packed) == 0 {
		return nil, t.failAt("line "+strconv.Itoa(t.begin), "a header without rows", "store at least one sample")
	}
	set.Samples = p.columns(nil)
	return set, nil
}

func labelsCSV(s *source, opt Options) ([]int, error) {
	t, err := newTable(s, opt.LabelColumn)
	if err != nil {
		return nil, err
	}
	if t.label < 0 {
		if t.width > 1 {
			return nil, t.failAt("line "+strconv.Itoa(t.begin), columns(t.width)+" where labels take one", "say which column holds the labels")
		}
		t.label = 0
	}
	var labels []int
	for {
		row, line, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		n, err := t.labelOf(row, line, t.label)
		if err != nil {
			return nil, err
		}
		labels = append(labels, n)
	}
	if labels == nil {
		return nil, t.failAt("line "+strconv.Itoa(t.begin), "a header without rows", "store at least one label")
	}
	return labels, nil
}

// errRow is the error of a row longer than maxRow.
var errRow = errors.New("row too long")

// A rowLimit passes text on until more than a row may take has been read since
// read was last set to 0.
type rowLimit struct {
	r    io.Reader
	read int
}

func (l *rowLimit) Read(p []byte) (int, error) {
	if l.read > maxRow {
		return 0, errRow
	}
	n, err := l.r.Read(p)
	l.read += n
	return n, err
}
