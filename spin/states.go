package spin

import (
	"fmt"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/npy"
)

// A matrix is states of a layer of spins too (units.States): a row is a unit, a
// column per chain or sample.

// Units returns the number of rows.
func (m *Matrix) Units() int { return m.rows }

// Len returns the number of columns.
func (m *Matrix) Len() int { return m.cols }

// Blank returns a matrix of as many rows and count columns with every element -1.
func (m *Matrix) Blank(count int) *Matrix { return New(m.rows, count) }

// Copy copies src, of the same shape, to m.
func (m *Matrix) Copy(src *Matrix) {
	if m.rows != src.rows || m.cols != src.cols {
		panic(fmt.Sprintf("spin: Copy of %d x %d to %d x %d", src.rows, src.cols, m.rows, m.cols))
	}
	m.changed()
	copy(m.words, src.words)
}

// CopyUnits copies the named rows of src, of the same shape, to m.
func (m *Matrix) CopyUnits(src *Matrix, units []int) {
	if m.rows != src.rows || m.cols != src.cols {
		panic(fmt.Sprintf("spin: CopyUnits of %d x %d to %d x %d", src.rows, src.cols, m.rows, m.cols))
	}
	m.changed()
	masks := make([]uint32, kernel.Words(m.rows))
	for _, i := range units {
		if uint(i) >= uint(m.rows) {
			panic(fmt.Sprintf("spin: CopyUnits of row %d of %d", i, m.rows))
		}
		masks[i/kernel.WordBits] |= 1 << (i % kernel.WordBits)
	}
	for w, mask := range masks {
		if mask == 0 {
			continue
		}
		out := m.words[w*m.stride:][:m.cols]
		for l, v := range src.words[w*m.stride:][:m.cols] {
			out[l] = out[l]&^mask | v&mask
		}
	}
}

// CopyWhere copies the elements of src where the mask, where, is +1; all have the same shape.
func (m *Matrix) CopyWhere(src, where *Matrix) {
	for _, x := range []*Matrix{src, where} {
		if m.rows != x.rows || m.cols != x.cols {
			panic(fmt.Sprintf("spin: CopyWhere of %d x %d to %d x %d", x.rows, x.cols, m.rows, m.cols))
		}
	}
	m.changed()
	for k, mask := range where.words {
		m.words[k] = m.words[k]&^mask | src.words[k]&mask
	}
}

// Swap exchanges the named columns of m and other, of the same shape.
func (m *Matrix) Swap(other *Matrix, columns []int) {
	if m.rows != other.rows || m.cols != other.cols {
		panic(fmt.Sprintf("spin: Swap of %d x %d and %d x %d matrices", m.rows, m.cols, other.rows, other.cols))
	}
	m.checkColumns("Swap", columns)
	m.changed()
	other.changed()
	for w := 0; w < len(m.words); w += m.stride {
		x, y := m.words[w:w+m.cols], other.words[w:w+m.cols]
		for _, j := range columns {
			x[j], y[j] = y[j], x[j]
		}
	}
}

// Put sets column columns[k] of m to column k of src, which must have m's rows and
// len(columns) columns. It is the inverse of Gather.
func (m *Matrix) Put(src *Matrix, columns []int) {
	if src.rows != m.rows || src.cols != len(columns) {
		panic(fmt.Sprintf("spin: Put of %d x %d into %d columns of %d rows", src.rows, src.cols, len(columns), m.rows))
	}
	m.checkColumns("Put", columns)
	m.changed()
	for w := range kernel.Words(m.rows) {
		from, to := src.words[w*src.stride:][:src.cols], m.words[w*m.stride:][:m.cols]
		for k, j := range columns {
			to[j] = from[k]
		}
	}
}

func (m *Matrix) checkColumns(verb string, columns []int) {
	for _, j := range columns {
		if uint(j) >= uint(m.cols) {
			panic(fmt.Sprintf("spin: %s of column %d of a %d x %d matrix", verb, j, m.rows, m.cols))
		}
	}
}

// Store returns the elements as an array of int8 ±1, rows x columns.
func (m *Matrix) Store() npy.Array {
	values := make([]int8, m.rows*m.cols)
	Values(values, m)
	return npy.Array{Shape: []int{m.rows, m.cols}, Data: values}
}

// Load sets the elements to those that Store returned of a matrix of the same
// shape. The error tells what does not fit.
func (m *Matrix) Load(s npy.Array) error {
	values, ok := s.Data.([]int8)
	switch {
	case !ok:
		return fmt.Errorf("spins as %T, not %T", s.Data, values)
	case !slices.Equal(s.Shape, []int{m.rows, m.cols}) || len(values) != m.rows*m.cols:
		return fmt.Errorf("%d spins of shape %v for a matrix of %d x %d", len(values), s.Shape, m.rows, m.cols)
	}
	for k, v := range values {
		if v != 1 && v != -1 {
			return fmt.Errorf("spin (%d, %d) is %d, not 1 or -1", k/m.cols, k%m.cols, v)
		}
	}
	m.changed()
	m.words = FromSigns(m.rows, m.cols, values).words
	return nil
}
