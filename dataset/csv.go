package dataset

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// A table is delimited text whose columns are known, read a row at a time.
type table struct {
	*text
	*layout
	pending bool // whether the first row holds data and has not been read yet
}

// next returns the next row of data.
func (t *table) next() ([]string, int, error) {
	if t.pending {
		t.pending = false
		row, line, err := t.text.next()
		if err != nil || !t.header {
			return row, line, err
		}
		t.text.width = t.layout.width()
	}
	return t.text.next()
}

// at names the place of column k, counted from 0, of a line.
func (t *table) at(line, k int) string {
	place := "line " + strconv.Itoa(line) + ", column " + strconv.Itoa(k+1)
	if t.header {
		place += " (" + quote(t.name(k)) + ")"
	}
	return place
}

// cell returns the number in column k of a row.
func (t *table) cell(row []string, line, k int) (float64, error) {
	v, ok := number(row[k])
	if !ok {
		problem, remedy := notNumber(row[k])
		return 0, t.text.failAt(t.at(line, k), problem, remedy)
	}
	return v, nil
}

// openTable reads a text once to learn what its columns are, and returns it
// before its first row of data. Columns are those that choose chooses.
func (c *content) openTable(opt Options, choose func(l *layout) error) (*table, error) {
	t, err := newText(c.source)
	if err != nil {
		return nil, err
	}
	p, err := newProfile(t, newMissing(opt.Missing))
	if err != nil {
		return nil, err
	}
	wanted := append(append([]string{opt.LabelColumn}, opt.Columns...), opt.DropColumns...)
	wanted = slices.DeleteFunc(wanted, func(name string) bool {
		_, number := whole(name)
		return number || name == ""
	})
	l, err := opt.newLayout(c.source.path, p, wanted)
	if err != nil {
		return nil, err
	}
	if err := choose(l); err != nil {
		return nil, err
	}
	if c.source, err = c.open(c.source.path, opt); err != nil {
		return nil, err
	}
	if t, err = newText(c.source); err != nil {
		return nil, err
	}
	t.begin = p.begin
	if !l.header {
		t.width = l.width()
	}
	return &table{t, l, true}, nil
}

func (c *content) samplesCSV(opt Options) (*Set, error) {
	if opt.LabelPath != "" {
		opt.LabelColumn = "" // chooses in that file
	}
	t, err := c.openTable(opt, func(l *layout) error { return l.choose(opt) })
	if err != nil {
		return nil, err
	}
	p := opt.packer(len(t.spins), false)
	set := &Set{}
	var labels labelList
	x := make([]float64, len(t.spins))
	for {
		row, line, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if t.label >= 0 {
			if problem, remedy := labels.add(row[t.label]); problem != "" {
				return nil, t.text.failAt(t.at(line, t.label), problem, remedy)
			}
		}
		for j, k := range t.spins {
			if p.missing.field(row[k]) {
				x[j] = hole
			} else if x[j], err = t.cell(row, line, k); err != nil {
				return nil, err
			}
		}
		if j, problem, remedy := p.add(x); j >= 0 {
			problem, remedy = t.suspect(problem, remedy)
			return nil, t.text.failAt(t.at(line, t.spins[j]), problem, remedy)
		}
	}
	if problem, remedy := p.verdict(); problem != "" {
		return nil, &FileError{Path: t.layout.path, Problem: problem, Remedy: remedy}
	}
	p.fill(set, nil, false)
	set.Source = opt.source(formatCSV, p, "", "text")
	set.Source.Header = t.header
	if t.label >= 0 {
		set.Labels, set.Classes = labels.all()
	}
	if err := t.describe(set, p, opt); err != nil {
		return nil, err
	}
	return set, nil
}

func (c *content) labelsCSV(opt Options) (labelling, error) {
	opt.LabelPath, opt.Columns, opt.DropColumns = "", nil, nil
	t, err := c.openTable(opt, func(l *layout) error { return l.chooseLabels(opt) })
	if err != nil {
		return labelling{}, err
	}
	var labels labelList
	for {
		row, line, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return labelling{}, err
		}
		if problem, remedy := labels.add(row[t.label]); problem != "" {
			return labelling{}, t.text.failAt(t.at(line, t.label), problem, remedy)
		}
	}
	numbers, classes := labels.all()
	return labelling{numbers, classes}, nil
}

// chooseLabels sets the column of labels of a text of nothing else: the one
// asked for, the one that is named as labels are, or the only one that does not
// number the rows.
func (l *layout) chooseLabels(o Options) (err error) {
	if o.LabelColumn != "" {
		l.label, err = l.find(o.LabelColumn)
		return err
	}
	if l.width() == 1 {
		l.label = 0
		return nil
	}
	taken := make([]bool, l.width())
	if err := l.guessLabel(taken, o); err != nil || l.label >= 0 {
		return err
	}
	if err := l.guessDropped(taken); err != nil {
		return err
	}
	if rest := l.width() - len(l.dropped); rest != 1 {
		return l.fail(columns(rest)+" where labels take one", "say which column holds the labels: {LabelColumn}")
	}
	l.label = slices.Index(taken, false)
	return nil
}

// A labelList collects labels, which are all whole numbers or all words.
type labelList struct {
	numbers []int
	words   []string
	code    map[string]int // of a word: its place in words
}

// add adds a label of a text. It returns the problem of a bad label, "" if there is none.
func (l *labelList) add(field string) (problem, remedy string) {
	v, isNumber := number(field)
	field = strings.TrimSpace(field)
	switch k, _ := kindOf(field); {
	case k == kindMissing:
		problem, _ := notNumber(field)
		return problem, remedyNoLabel
	case k == kindComma:
		return notNumber(field)
	case isNumber && l.words != nil:
		return "the label " + quote(field) + " is a number among words", "write all labels as words, or number the classes"
	case isNumber:
		n, ok := label(v)
		if !ok {
			return "the label " + value(v) + " is not an integer", "number the classes"
		}
		l.numbers = append(l.numbers, n)
		return "", ""
	case l.words == nil && l.numbers != nil:
		return "the label " + quote(field) + " is a word among numbers", "write all labels as words, or number the classes"
	}
	l.word(field)
	return "", ""
}

// word adds a label that is a word.
func (l *labelList) word(name string) {
	if l.code == nil {
		l.code = map[string]int{}
	}
	k, known := l.code[name]
	if !known {
		k = len(l.words)
		name = strings.Clone(name)
		l.code[name] = k
		l.words = append(l.words, name)
	}
	l.numbers = append(l.numbers, k)
}

// all returns the labels. Those that are words are numbered in the order of
// their alphabet, and classes are their names; else it is nil.
func (l *labelList) all() (labels []int, classes []string) {
	if l.words == nil {
		return l.numbers, nil
	}
	classes = slices.Sorted(slices.Values(l.words))
	rank := make([]int, len(classes))
	for k, name := range classes {
		rank[l.code[name]] = k
	}
	for k, n := range l.numbers {
		l.numbers[k] = rank[n]
	}
	return l.numbers, classes
}
