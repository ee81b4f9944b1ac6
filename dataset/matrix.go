package dataset

import "slices"

// A matrix is an array of shape (samples, columns) as it is read. A layout says which
// columns hold spins.
type matrix struct {
	a      *array
	l      *layout
	packer *packer
	labels []int
	at     []int     // place of each column among the spins, -1 if it holds none
	row    []float64 // a sample, in C order, as far as its elements are there
	filled int
	spins  []float64
	order  []int // in Fortran order: places of the columns that were packed

	bad             int64 // the stored element that is no spin; -1 if there is none
	problem, remedy string
}

// asksColumns reports whether o says which columns hold what.
func (o Options) asksColumns() bool {
	return len(o.Columns)+len(o.DropColumns) > 0 || o.LabelColumn != "" && o.LabelPath == ""
}

// layout returns what opt says about the columns, and which columns it names.
func (a *array) layout(opt Options) (*layout, []bool, error) {
	l := &layout{profile: &profile{columns: make([]column, a.shape[1]), rows: int(a.shape[0])}, path: a.path, label: -1}
	if a.source.array != "" {
		l.place = "array " + quote(a.source.array)
	}
	if opt.LabelPath != "" {
		opt.LabelColumn = "" // chooses in that file
	}
	taken, err := l.asked(opt)
	if err != nil {
		return nil, nil, err
	}
	if len(opt.Columns) == 0 {
		l.rest(taken)
	}
	return l, taken, l.some()
}

// matrix reads the elements as samples of shape (samples, columns). Which columns hold
// spins, l says, or opt if l is nil. If the first column turns out to count the rows, matrix
// returns the layout without it: the array must then be read again.
func (a *array) matrix(f format, opt Options, l *layout) (set *Set, again *layout, err error) {
	var m *matrix
	var taken []bool
	err = a.each(func(first int64, x []float64) (err error) {
		if m == nil { // so much of the array is there
			of := l
			if of == nil {
				if of, taken, err = a.layout(opt); err != nil {
					return err
				}
			}
			m = a.newMatrix(of, opt)
		}
		if a.fortran {
			return m.takeColumns(first, x)
		}
		return m.takeRows(first, x)
	})
	if m != nil && m.bad >= 0 && err != nil {
		return nil, nil, a.failAt(a.place(m.bad), m.problem, m.remedy)
	}
	if err != nil {
		return nil, nil, err
	}
	if l == nil && len(opt.Columns) == 0 && !taken[0] && m.l.counting() {
		if !m.l.surelyCounts() {
			return nil, nil, m.l.fail(m.l.title(0)+" counts the rows, or holds spins", remedyColumns)
		}
		m.l.spins = slices.DeleteFunc(m.l.spins, func(k int) bool { return k == 0 })
		m.l.drop(0, "counts the rows")
		return nil, m.l, m.l.some()
	}
	set, err = m.set(f, opt)
	return set, nil, err
}

func (a *array) newMatrix(l *layout, opt Options) *matrix {
	m := &matrix{a: a, l: l, bad: -1, at: make([]int, a.shape[1])}
	for k := range l.columns {
		l.columns[k] = column{counts: true}
		m.at[k] = -1
	}
	for j, k := range l.spins {
		m.at[k] = j
	}
	if m.packer = a.packer(opt, len(l.spins)); a.fortran {
		m.packer.length = int(a.shape[0])
	} else {
		m.row, m.spins = make([]float64, a.shape[1]), make([]float64, len(l.spins))
	}
	return m
}

// takeRows takes elements in C order.
func (m *matrix) takeRows(first int64, x []float64) error {
	for n, v := range x {
		m.row[m.filled] = v
		m.l.columns[m.filled].number(v)
		if m.filled++; m.filled < len(m.row) {
			continue
		}
		m.filled = 0
		begin := first + int64(n+1-len(m.row)) // of the row
		if k := m.l.label; k >= 0 {
			if err := m.label(begin+int64(k), m.row[k]); err != nil {
				return err
			}
		}
		if m.bad >= 0 {
			continue
		}
		for j, k := range m.l.spins {
			m.spins[j] = m.row[k]
		}
		var j int
		if j, m.problem, m.remedy = m.packer.add(m.spins); j >= 0 {
			m.bad = begin + int64(m.l.spins[j])
		}
	}
	return nil
}

// takeColumns takes elements in Fortran order.
func (m *matrix) takeColumns(first int64, x []float64) error {
	samples := m.a.shape[0]
	for len(x) > 0 {
		k := int(first / samples)
		part := x[:min(int64(len(x)), samples-first%samples)]
		for n, v := range part {
			m.l.columns[k].number(v)
			if k == m.l.label {
				if err := m.label(first+int64(n), v); err != nil {
					return err
				}
			}
		}
		if m.at[k] >= 0 && m.bad < 0 {
			if first%samples == 0 {
				m.order = append(m.order, m.at[k])
			}
			var n int
			if n, m.problem, m.remedy = m.packer.add(part); n >= 0 {
				m.bad = first + int64(n)
			}
		}
		first, x = first+int64(len(part)), x[len(part):]
	}
	return nil
}

// label takes the stored element at a place for a label.
func (m *matrix) label(at int64, v float64) error {
	n, ok := label(v)
	if !ok {
		return m.a.failAt(m.a.place(at), "the label "+value(v)+" is not an integer", "number the classes")
	}
	m.labels = append(m.labels, n)
	return nil
}

// set returns what was read.
func (m *matrix) set(f format, opt Options) (*Set, error) {
	if m.bad >= 0 {
		problem, remedy := m.l.suspect(m.problem, m.remedy)
		return nil, m.a.failAt(m.a.place(m.bad), problem, remedy)
	}
	grey := m.packer.threshold != nil || m.packer.rng != nil
	if grey && len(opt.Columns) == 0 && m.l.label < 0 {
		if err := m.l.oneMore(); err != nil {
			return nil, err
		}
	}
	set, err := m.a.set(f, opt, m.packer)
	if err != nil {
		return nil, err
	}
	if set.Labels = m.labels; m.a.fortran {
		m.packer.fill(set, func(k int) int { return m.order[k] }, true)
	} else {
		m.packer.fill(set, nil, false)
	}
	if err := m.l.describe(set, m.packer, opt); err != nil {
		return nil, err
	}
	return set, nil
}
