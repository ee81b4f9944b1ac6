package dataset

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Header says whether the first row of text holds the names of its columns.
type Header int

const (
	HeaderAuto Header = iota // decide from the whole file
	HeaderYes
	HeaderNo
)

// A layout says what the columns of a text, or of an array of samples, are.
type layout struct {
	*profile
	path    string
	place   string // what errors about the columns name, such as "line 1"
	header  bool   // whether the first row holds names
	label   int    // column of the labels, -1 if there is none
	spins   []int  // columns of the spins, in order
	learned bool   // whether they are those that a model learned from
	dropped []int  // columns that were left out without being asked
	notes   []string
}

// width returns the columns of the text.
func (l *layout) width() int { return len(l.columns) }

// values returns how many rows hold data.
func (l *layout) values() int {
	if l.header || l.first == nil {
		return l.rows
	}
	return l.rows + 1
}

// name returns the name of a column, "" if it has none.
func (l *layout) name(k int) string {
	if !l.header {
		return ""
	}
	return strings.TrimSpace(l.first[k])
}

// title names a column in a message.
func (l *layout) title(k int) string {
	title := "column " + strconv.Itoa(k+1)
	if l.header {
		title += " (" + quote(l.name(k)) + ")"
	}
	return title
}

// fail returns an error of the columns.
func (l *layout) fail(problem, remedy string) *FileError {
	return &FileError{Path: l.path, Place: l.place, Problem: problem, Remedy: remedy}
}

// failJoined returns the error of spins with nothing between them.
func (l *layout) failJoined() *FileError {
	return l.fail(quote(l.first[0])+" has nothing between its spins", "put commas or blanks between them, such as 0,1,1 or -1,1,1")
}

// newLayout decides about the first row.
func (o Options) newLayout(path string, p *profile, wanted []string) (*layout, error) {
	l := &layout{profile: p, path: path, place: "line " + strconv.Itoa(p.begin), label: -1}
	if p.unseparated("+-") {
		return nil, l.failJoined()
	}
	if p.signs() {
		return nil, l.fail("spins are written as + and -", "write 1 and -1, or 1 and 0")
	}
	if b := p.blocks; b.lattices() {
		l.notes = append(l.notes, fmt.Sprintf("rows stand in %d blocks of %d, and each row is taken as a sample: if a block is one, write it on one line", b.count, b.size))
	}
	switch o.Header {
	case HeaderYes:
		l.header = true
	case HeaderAuto:
		v, why, at := p.header(wanted)
		switch {
		case v == isOpen && why == "":
			return nil, &FileError{Path: path, Place: l.place + ", column " + strconv.Itoa(at+1),
				Problem: quote(p.first[at]) + " stands among numbers", Remedy: remedyHeader}
		case v == isOpen:
			return nil, l.fail("it is not plain whether this is a header: "+why, remedyHeader)
		}
		if l.header = v == isHeader; l.header {
			l.notes = append(l.notes, "line "+strconv.Itoa(p.begin)+" is a header")
		}
	}
	if !l.header && o.Header == HeaderAuto && p.repeated() {
		return nil, l.fail("this header, or a row of words, stands in the file again", "keep it in the first line alone")
	}
	if p.title() && o.Header != HeaderNo {
		return nil, l.fail("nothing but "+quote(strings.TrimSpace(p.first[0]))+" stands in the first row, as in a title", "delete the line")
	}
	if l.header && l.rows == 0 {
		return nil, l.fail("a header without rows", "store at least one sample")
	}
	return l, nil
}

// find returns the column of a name or, where there is none of it, of a number.
func (l *layout) find(name string) (int, error) {
	var found []int
	for k := range l.columns {
		if l.header && (l.name(k) == name || l.first[k] == name) {
			found = append(found, k)
		}
	}
	width := l.width()
	switch k, err := strconv.Atoi(name); {
	case len(found) > 1:
		return 0, l.fail("two columns are named "+quote(name), "give the column's number, counted from 1")
	case len(found) == 1:
		return found[0], nil
	case err == nil && k >= 1 && k <= width:
		return k - 1, nil
	case err == nil && k < 0 && k >= -width:
		return width + k, nil
	case err == nil:
		return 0, l.fail("there is no column "+name, "give a number from 1 to "+strconv.Itoa(width)+", or from -1 to -"+strconv.Itoa(width)+" counted from the end")
	case !l.header:
		return 0, l.fail("there is no header to find the column "+quote(name)+" in", "give the column's number, counted from 1")
	}
	return 0, l.fail("there is no column "+quote(name), "give a number, or one of "+quoteAll(l.first))
}

// list returns the columns of a list of names, numbers, ranges of numbers such
// as 2-785, and "all".
func (l *layout) list(names []string) ([]int, error) {
	var list []int
	for _, name := range names {
		k, err := l.find(name)
		if err == nil {
			list = append(list, k)
			continue
		}
		first, last, ranged := strings.Cut(name, "-")
		lo, errLo := strconv.Atoi(first)
		hi, errHi := strconv.Atoi(last)
		if name == "all" {
			ranged, lo, hi, errLo, errHi = true, 1, l.width(), nil, nil
		}
		if !ranged || errLo != nil || errHi != nil {
			return nil, err
		}
		if lo < 1 || hi < lo || hi > l.width() {
			return nil, l.fail("there are no columns "+name, "give numbers from 1 to "+strconv.Itoa(l.width()))
		}
		for k := lo; k <= hi; k++ {
			list = append(list, k-1)
		}
	}
	seen := make([]bool, l.width())
	for _, k := range list {
		if seen[k] {
			return nil, l.fail(l.title(k)+" is named twice", "name it once")
		}
		seen[k] = true
	}
	return list, nil
}

// choose sets the columns of labels and spins. Those of text that hold a row's
// number or name, and nothing, are left out; a column that is named as labels are
// is taken for them.
func (l *layout) choose(o Options) (err error) {
	if !l.header && l.unseparated("01") {
		return l.failJoined()
	}
	taken, err := l.asked(o)
	if err != nil {
		return err
	}
	if err := l.known(o, taken); err != nil {
		return err
	}
	if l.label < 0 && o.LabelColumn == "" {
		if err := l.guessLabel(taken, o); err != nil {
			return err
		}
	}
	if l.label >= 0 {
		taken[l.label] = true
	}
	if l.learned {
		l.others(taken)
		return l.some()
	}
	if len(o.Columns) == 0 {
		if err := l.guessDropped(taken); err != nil {
			return err
		}
		l.rest(taken)
	}
	if len(o.Columns) == 0 && l.label < 0 {
		if err := l.oneMore(); err != nil {
			return err
		}
	}
	return l.some()
}

// asked sets the columns of labels and spins that o names, and reports which columns
// it speaks of.
func (l *layout) asked(o Options) (taken []bool, err error) {
	if o.LabelColumn != "" {
		if l.label, err = l.find(o.LabelColumn); err != nil {
			return nil, err
		}
	}
	drop, err := l.list(o.DropColumns)
	if err != nil {
		return nil, err
	}
	if slices.Contains(drop, l.label) {
		return nil, l.fail(l.title(l.label)+" holds the labels and is to be left out", "leave one of the two out")
	}
	if l.spins, err = l.list(o.Columns); err != nil {
		return nil, err
	}
	for _, k := range append(slices.Clone(drop), l.label) {
		if slices.Contains(l.spins, k) {
			return nil, l.fail(l.title(k)+" is asked for as spins and as something else", "name it once")
		}
	}
	taken = make([]bool, l.width())
	for _, k := range append(slices.Clone(l.spins), drop...) {
		taken[k] = true
	}
	if l.label >= 0 {
		taken[l.label] = true
	}
	return taken, nil
}

// known takes the columns that a model learned from for spins, in its order, if o has any and
// the columns have names.
func (l *layout) known(o Options, taken []bool) error {
	if !l.header || len(o.Columns) > 0 || len(o.Learned) == 0 {
		return nil
	}
	at := map[string]int{}
	for k := range l.columns {
		if name := l.name(k); !taken[k] {
			if _, twice := at[name]; twice {
				return l.fail("two columns are named "+quote(name), "say which columns hold spins with {Columns}")
			}
			at[name] = k
		}
	}
	for _, name := range o.Learned {
		k, there := at[name]
		if !there {
			return l.fail("there is no column "+quote(name)+", from which the model learned", "name the columns as there, or take all as they stand with {Columns}: all")
		}
		l.spins, taken[k] = append(l.spins, k), true
	}
	l.learned = true
	if !slices.IsSorted(l.spins) {
		l.notes = append(l.notes, "the columns stand in another order, and are read in that of the model")
	}
	return nil
}

// others leaves out the columns that a model did not learn from.
func (l *layout) others(taken []bool) {
	var titles []string
	for k := range l.columns {
		if !taken[k] {
			taken[k] = true
			l.dropped = append(l.dropped, k)
			titles = append(titles, l.title(k))
		}
	}
	if titles != nil {
		l.notes = append(l.notes, few(titles)+": not what the model learned from, and left out")
	}
}

// rest takes the columns that nothing else is said about for spins.
func (l *layout) rest(taken []bool) {
	for k := range l.columns {
		if !taken[k] {
			l.spins = append(l.spins, k)
		}
	}
}

// some returns an error if no column holds spins.
func (l *layout) some() error {
	if len(l.spins) == 0 {
		return l.fail("the labels and the columns left out leave no column for the samples", "read this file as labels of another")
	}
	return nil
}

// called returns the name of a column, or its number if it has none.
func (l *layout) called(k int) string {
	if !l.header {
		return strconv.Itoa(k + 1)
	}
	return l.name(k)
}

// oneMore returns an error if there is a column more than a square picture has,
// and the first or the last column may hold labels: digits are often stored so.
func (l *layout) oneMore() error {
	n := len(l.spins)
	side, ok := squareSide(n - 1)
	if !ok {
		return nil
	}
	var may []string
	for _, k := range []int{l.spins[0], l.spins[n-1]} {
		if c := &l.columns[k]; c.words+c.commas == 0 && !c.fraction && c.low >= 0 && c.high <= 1000 {
			may = append(may, l.title(k))
		}
	}
	if may == nil {
		return nil
	}
	return l.fail(columns(n)+" are those of a picture of "+strconv.Itoa(side)+" x "+strconv.Itoa(side)+" and one more: "+strings.Join(may, " or ")+" may hold labels",
		"name it with {LabelColumn}, leave it out with {DropColumns}, or take all with {Columns}: all")
}

// labelNames are what columns of labels are called.
var labelNames = []string{"label", "labels", "class", "target", "targets", "category", "species", "digit", "outcome", "y"}

// indexNames are what columns of row numbers and row names are called.
var indexNames = []string{"", "index", "id", "idx", "rownames", "row_names", "rowname", "row_id"}

// isIndexName reports whether a name is usual for a column of row numbers. Pandas
// names it "Unnamed: 0" when it reads its own file.
func isIndexName(name string) bool {
	return slices.Contains(indexNames, strings.ToLower(name)) || strings.HasPrefix(name, "Unnamed: ")
}

// guessLabel takes the only column that is named as labels are for them.
func (l *layout) guessLabel(taken []bool, o Options) error {
	if !l.header {
		return nil
	}
	var found []int
	coordinates := false
	for k := range l.columns {
		name := strings.ToLower(l.name(k))
		coordinates = coordinates || name == "x"
		if !taken[k] && slices.Contains(labelNames, name) {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return nil
	}
	k := found[0]
	c := &l.columns[k]
	switch {
	case len(found) > 1:
		return l.fail(l.title(k)+" and "+l.title(found[1])+" are both named as labels are", remedyColumns)
	case c.fraction || coordinates && strings.ToLower(l.name(k)) == "y":
		return l.fail(l.title(k)+" is named as labels are, but may be none", remedyColumns)
	}
	if o.LabelPath != "" {
		taken[k] = true
		l.drop(k, "holds labels, which another file has")
		return nil
	}
	l.label = k
	l.notes = append(l.notes, l.title(k)+" holds the labels")
	return nil
}

// guessDropped leaves out columns of row numbers and names, and of nothing.
func (l *layout) guessDropped(taken []bool) error {
	for k := range l.columns {
		c := &l.columns[k]
		empty := c.numbers+c.words == 0 && c.missing > 0
		if !l.header {
			kind, _ := kindOf(l.first[k])
			empty = empty && kind == kindMissing
		}
		switch {
		case taken[k]:
		case empty && strings.TrimSpace(l.first[k]) == "":
			taken[k] = true
			l.drop(k, "is empty")
		case l.header && isIndexName(l.name(k)):
			if l.rows > 1 && !l.distinct(k) {
				return l.fail(l.title(k)+" is named as row numbers are, but may hold spins", remedyColumns)
			}
			taken[k] = true
			l.drop(k, "numbers or names the rows")
		case k == 0 && l.counting():
			if !l.surelyCounts() {
				return l.fail(l.title(k)+" counts the rows, or holds spins", remedyColumns)
			}
			taken[k] = true
			l.drop(k, "counts the rows")
		}
	}
	return nil
}

func (l *layout) drop(k int, why string) {
	l.dropped = append(l.dropped, k)
	l.notes = append(l.notes, l.title(k)+" "+why+" and is left out")
}

// distinct reports whether the values can be those of row numbers or names:
// words or whole numbers, each of them once.
func (p *profile) distinct(k int) bool {
	c, x := &p.columns[k], p.indexes[k]
	return x != nil && !x.twice && !c.fraction && c.missing == 0
}

// counting reports whether the first column counts three rows or more, from 0 or 1.
func (l *layout) counting() bool {
	c := &l.columns[0]
	if c.words+c.missing > 0 || !c.counts || c.numbers == 0 || l.values() < 3 {
		return false
	}
	from := c.low
	if !l.header && l.first != nil {
		v, ok := number(l.first[0])
		if !ok || v != c.low-1 {
			return false
		}
		from = v
	}
	return from == 0 || from == 1
}

// surelyCounts reports whether a first column that counts the rows can be nothing
// else: there are many rows, or all other columns hold spins.
func (l *layout) surelyCounts() bool {
	if l.values() >= 8 {
		return true
	}
	for k := range l.columns[1:] {
		c := &l.columns[1+k]
		if c.words > 0 || c.fraction || c.low < -1 || c.high > 1 {
			return false
		}
	}
	return l.width() > 1
}
