package dataset

import (
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A profile is what all rows of a text together show of its columns.
type profile struct {
	first   []string       // the first row; with a name in front for row names that have none
	begin   int            // its line
	rows    int            // those after the first
	again   bool           // whether one of them equals the first
	rising  int            // how many of them rise from column to column
	columns []column       // what they hold
	indexes map[int]*index // the first columns that are named as row numbers are
	blocks  blocks
}

// blocks are rows with empty lines or comments between.
type blocks struct {
	last        int // line of the last row
	rows        int // of the block so far
	count, size int // whole blocks, and the rows of each; size is -1 if they differ
}

// add takes a row at a line.
func (b *blocks) add(line int) {
	if b.rows > 0 && line > b.last+1 {
		b.end()
	}
	b.last = line
	b.rows++
}

func (b *blocks) end() {
	switch {
	case b.count == 0:
		b.size = b.rows
	case b.rows != b.size:
		b.size = -1
	}
	b.count++
	b.rows = 0
}

// lattices reports whether there are three blocks or more of as many rows, at least two: a
// block may then be a sample.
func (b *blocks) lattices() bool { return b.count >= 3 && b.size > 1 }

// A column sums up the fields of one column, below the first row.
type column struct {
	low, high, last                 float64 // of the numbers
	numbers, words, missing, commas uint32  // fields of each kind; commas are numbers with commas
	fraction                        bool    // whether a number is not whole
	recurs                          bool    // whether the first row's word occurs again
	counts                          bool    // whether each number is one more than the one before it
}

// An index holds the values of a column whose name says that it numbers the rows.
type index struct {
	values map[uint64]struct{}
	twice  bool // whether a value occurs again
}

// maxIndexes limits the columns whose values are all kept while a text is read.
const maxIndexes = 4

// add takes the value of one more row.
func (x *index) add(field string) {
	h := fnv.New64a()
	h.Write([]byte(strings.TrimSpace(field)))
	if _, twice := x.values[h.Sum64()]; twice {
		x.twice = true
	}
	x.values[h.Sum64()] = struct{}{}
}

// add takes the field of one more row.
func (c *column) add(field, first string) {
	k, v := kindOf(field)
	switch k {
	case kindNumber:
		c.number(v)
	case kindMissing:
		c.missing++
	case kindComma:
		c.commas++
	default:
		c.words++
		c.recurs = c.recurs || field == first
	}
}

// number takes a number.
func (c *column) number(v float64) {
	if c.numbers == 0 {
		c.low, c.high = v, v
	} else {
		c.counts = c.counts && v == c.last+1
		c.low, c.high = min(c.low, v), max(c.high, v)
	}
	c.numbers++
	c.last = v
	c.fraction = c.fraction || v != math.Trunc(v)
}

// numeric reports whether all rows after the first hold numbers, or nothing.
func (c *column) numeric() bool { return c.numbers+c.commas > 0 && c.words == 0 }

// rises reports whether a row is of three numbers or more, each larger than the
// one before it.
func rises(row []string) bool {
	last := math.Inf(-1)
	for _, field := range row {
		v, ok := number(field)
		if !ok || !(v > last) {
			return false
		}
		last = v
	}
	return len(row) > 2
}

// newProfile reads all rows of a text. Fields may stand for missing values.
func newProfile(t *text, missing *missing) (*profile, error) {
	row, line, err := t.next()
	if err == io.EOF {
		return nil, &FileError{Path: t.path, Problem: "text without rows", Remedy: remedyAgain}
	}
	if err != nil {
		return nil, err
	}
	p := &profile{first: slices.Clone(row), begin: line}
	for k := range p.first {
		p.first[k] = strings.Clone(p.first[k])
	}
	t.width, t.begin = len(row), line
	p.blocks.add(line)
	for {
		if p.rows == 0 {
			t.width = 0
		}
		row, line, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if p.rows == 0 {
			switch {
			case len(row) == len(p.first)+1 && p.names(): // R names no row names
				p.first = slices.Insert(p.first, 0, "")
			case len(row) != len(p.first):
				t.width = len(p.first)
				return nil, t.failAt("line "+strconv.Itoa(line), columns(len(row))+", but line "+strconv.Itoa(t.begin)+" has "+strconv.Itoa(t.width),
					"give every row as many columns")
			}
			t.width = len(row)
			p.columns = make([]column, len(row))
			p.indexes = map[int]*index{}
			for k := range p.columns {
				p.columns[k].counts = true
				if isIndexName(strings.TrimSpace(p.first[k])) && len(p.indexes) < maxIndexes {
					p.indexes[k] = &index{values: map[uint64]struct{}{}}
				}
			}
		}
		p.rows++
		p.blocks.add(line)
		again := true
		for k, field := range row {
			if missing.field(field) {
				p.columns[k].missing++
			} else {
				p.columns[k].add(field, p.first[k])
			}
			if x := p.indexes[k]; x != nil {
				x.add(field)
			}
			again = again && field == p.first[k]
		}
		p.again = p.again || again
		if rises(row) {
			p.rising++
		}
	}
	p.blocks.end()
	if p.columns == nil {
		p.columns = make([]column, len(p.first))
	}
	return p, nil
}

// names reports whether the first row holds no number, or counts its columns.
func (p *profile) names() bool {
	numbers := 0
	for _, field := range p.first {
		if k, _ := kindOf(field); k == kindNumber {
			numbers++
		}
	}
	start, count := p.sequence()
	return numbers == 0 || count > 1 && start >= 0
}

// sequence returns the first of the whole numbers in the first row, which is 0
// or 1, and how many there are, if each is one more than the one before it;
// else -1.
func (p *profile) sequence() (start, count int) {
	for _, field := range p.first {
		switch k, _ := kindOf(field); k {
		case kindWord, kindMissing:
			continue
		}
		n, ok := whole(field)
		switch {
		case !ok, count == 0 && n != 0 && n != 1, count > 0 && n != start+count:
			return -1, 0
		case count == 0:
			start = n
		}
		count++
	}
	if count == 0 {
		return -1, 0
	}
	return start, count
}

// mangled reports whether the first row is data that pandas took for names: it
// tells equal names apart as 0, 0.1, 0.2, ....
func (p *profile) mangled() bool {
	seen := map[string]int{}
	renamed := 0
	for k, field := range p.first {
		v, fraction, dotted := strings.Cut(strings.TrimSpace(field), ".")
		if _, ok := whole(v); !ok || p.columns[k].fraction {
			return false
		}
		if dotted {
			if n, ok := whole(fraction); !ok || seen[v] == 0 || n != seen[v] {
				return false
			}
			renamed++
		} else if seen[v] > 0 {
			return false
		}
		seen[v]++
	}
	return renamed > 1
}

// A verdict says whether a first row is a header.
type verdict int

const (
	isData verdict = iota
	isHeader
	isOpen
)

// header decides whether the first row is a header. In an open case why says what
// speaks for both, or is "" if the column at index at is the reason. The caller
// asks for columns by the wanted names.
func (p *profile) header(wanted []string) (v verdict, why string, at int) {
	var forNames, against, numbers, alone, strange int
	stranger := -1
	named := false
	for k, field := range p.first {
		c := &p.columns[k]
		switch kind, _ := kindOf(field); {
		case kind == kindNumber:
			numbers++
			continue
		case kind == kindComma, kind == kindMissing && strings.TrimSpace(field) != "":
			strange++ // data, if not good ones
			continue
		case kind == kindMissing:
			continue
		case slices.Contains(wanted, strings.TrimSpace(field)):
			named = true
		case p.rows == 0:
			alone++
		case c.numeric():
			forNames++
		case c.recurs:
			against++
			continue
		default:
			alone++
		}
		if stranger < 0 {
			stranger = k
		}
	}
	start, count := p.sequence()
	switch {
	case named:
		return isHeader, "", 0
	case forNames > 0 && against > 0:
		return isOpen, "its first row holds names of some columns and values of others", 0
	case against > 0:
		return isData, "", 0
	case numbers+strange == 0 && (forNames > 0 || alone > 0 && len(p.first) > alone):
		return isHeader, "", 0
	case numbers+strange == 0 && alone > 0:
		return p.onlyWords(), "its first row and all others hold words", 0
	case count > 1 && count == numbers:
		return p.counted(start, count)
	case forNames > 0 || p.rows == 0 && alone > 0:
		return isOpen, "", stranger
	case stranger < 0 && p.rows > 0 && p.mangled():
		return isHeader, "", 0
	case p.rows > 0 && p.rising == 0 && rises(p.first) && p.outside():
		return isOpen, "its first row, " + quoteAll(p.first) + ", rises as names do, and no other does", 0
	}
	return isData, "", 0
}

// outside reports whether the first row has numbers that no other row has in any
// column, or so many that no row of data would be in order by chance.
func (p *profile) outside() bool {
	low, high := math.Inf(1), math.Inf(-1)
	for k := range p.columns {
		low, high = min(low, p.columns[k].low), max(high, p.columns[k].high)
	}
	last, _ := number(p.first[len(p.first)-1])
	return len(p.first) >= 8 || last > high || last < low
}

// onlyWords decides about a first row of words that do not occur again, over
// columns that hold words too.
func (p *profile) onlyWords() verdict {
	if p.rows == 0 {
		return isHeader // of nothing
	}
	for k := range p.columns {
		if p.columns[k].numbers > 0 {
			return isHeader
		}
	}
	return isOpen
}

// counted decides about a first row of the numbers 0, 1, 2, ... or 1, 2, 3, ...,
// and perhaps of words that do not occur again.
func (p *profile) counted(start, count int) (v verdict, why string, at int) {
	if p.rows == 0 {
		return isData, "", 0
	}
	low, high := math.Inf(1), math.Inf(-1)
	whole := true
	for k := range p.columns {
		c := &p.columns[k]
		if c.words > 0 || c.numbers == 0 {
			continue
		}
		low, high = min(low, c.low), max(high, c.high)
		whole = whole && !c.fraction
	}
	binary := whole && low >= 0 && high <= 1
	signs := whole && low >= -1 && high <= 1 && !binary
	switch {
	case binary && (start > 0 || count > 2), signs:
		return isHeader, "", 0 // the others are spins, it is not
	case count > 2 && !p.again:
		return isHeader, "", 0
	}
	return isOpen, "its first row, " + quoteAll(p.first) + ", can be names or a sample", 0
}

// repeated reports whether the first row is words that all stand again in their
// columns, over numbers.
func (p *profile) repeated() bool {
	for k, field := range p.first {
		c := &p.columns[k]
		if kind, _ := kindOf(field); kind != kindWord || !c.recurs || c.numbers == 0 {
			return false
		}
	}
	return p.again
}

// title reports whether the first row is a word and then nothing, as Excel writes
// a title over a table.
func (p *profile) title() bool {
	if kind, _ := kindOf(p.first[0]); kind != kindWord || len(p.first) < 3 || p.rows == 0 {
		return false
	}
	for k, field := range p.first[1:] {
		if strings.TrimSpace(field) != "" || p.columns[1+k].numbers+p.columns[1+k].words == 0 {
			return false
		}
	}
	return true
}

// unseparated reports whether the first row is a string of the given two letters,
// and no number that a column of numbers has.
func (p *profile) unseparated(letters string) bool {
	f := p.first[0]
	return len(p.first) == 1 && strings.Trim(f, letters) == "" && (len(f) >= 8 || len(f) > 1 && f[0] != '1')
}

// signs reports whether the first row is of several signs without digits.
func (p *profile) signs() bool {
	return len(p.first) > 1 && !slices.ContainsFunc(p.first, func(field string) bool {
		field = strings.TrimSpace(field)
		return field != "+" && field != "-"
	})
}
