package units

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/stream"
)

// Reals are states of units that are real numbers.
type Reals[T kernel.Real] struct {
	units, columns int
	values         []T // units x columns
}

// NewReals returns states of 0.
func NewReals[T kernel.Real](units, columns int) *Reals[T] {
	if units < 0 || columns < 0 {
		panic(fmt.Sprintf("units: %d units in %d columns", units, columns))
	}
	return &Reals[T]{units, columns, make([]T, units*columns)}
}

// RealsOf returns the states whose values (units x columns, row-major) are given;
// they are not copied.
func RealsOf[T kernel.Real](units, columns int, values []T) *Reals[T] {
	if units < 0 || columns < 0 || len(values) != units*columns {
		panic(fmt.Sprintf("units: %d values of %d units in %d columns", len(values), units, columns))
	}
	return &Reals[T]{units, columns, values}
}

// Units returns the number of units.
func (r *Reals[T]) Units() int { return r.units }

// Len returns the number of columns.
func (r *Reals[T]) Len() int { return r.columns }

// Values returns the values, units x columns, row-major. They are the states' own.
func (r *Reals[T]) Values() []T { return r.values }

// Row returns the values of a unit, one per column. They are the states' own.
func (r *Reals[T]) Row(unit int) []T { return r.values[unit*r.columns : (unit+1)*r.columns] }

// Blank returns states of 0, of as many units.
func (r *Reals[T]) Blank(count int) *Reals[T] { return NewReals[T](r.units, count) }

// Clone returns a copy.
func (r *Reals[T]) Clone() *Reals[T] { return &Reals[T]{r.units, r.columns, slices.Clone(r.values)} }

// Gather sets column k of dst to column columns[k] of r.
func (r *Reals[T]) Gather(dst *Reals[T], columns []int) {
	r.checkSome("Gather", dst, columns)
	r.rows(len(columns), func(i int) {
		from, to := r.Row(i), dst.Row(i)
		for k, j := range columns {
			to[k] = from[j]
		}
	})
}

// Put sets column columns[k] of r to column k of src.
func (r *Reals[T]) Put(src *Reals[T], columns []int) {
	r.checkSome("Put", src, columns)
	r.rows(len(columns), func(i int) {
		from, to := src.Row(i), r.Row(i)
		for k, j := range columns {
			to[j] = from[k]
		}
	})
}

// Swap exchanges the named columns of r and other, of the same shape.
func (r *Reals[T]) Swap(other *Reals[T], columns []int) {
	r.checkShape("Swap", other)
	r.checkColumns("Swap", columns)
	r.rows(len(columns), func(i int) {
		x, y := r.Row(i), other.Row(i)
		for _, j := range columns {
			x[j], y[j] = y[j], x[j]
		}
	})
}

// CopyUnits copies the named units of src, of the same shape, to r.
func (r *Reals[T]) CopyUnits(src *Reals[T], units []int) {
	r.checkShape("CopyUnits", src)
	for _, i := range units {
		if uint(i) >= uint(r.units) {
			panic(fmt.Sprintf("units: CopyUnits of unit %d of %d", i, r.units))
		}
	}
	for _, i := range units {
		copy(r.Row(i), src.Row(i))
	}
}

// CopyWhere copies the numbers of src where the mask, where, is +1; all have the same shape.
func (r *Reals[T]) CopyWhere(src *Reals[T], where *spin.Matrix) {
	r.checkShape("CopyWhere", src)
	if where.Rows() != r.units || where.Cols() != r.columns {
		panic(fmt.Sprintf("units: CopyWhere of %d x %d numbers with a mask of %d x %d", r.units, r.columns, where.Rows(), where.Cols()))
	}
	for k, v := range src.values {
		if where.At(k/r.columns, k%r.columns) > 0 {
			r.values[k] = v
		}
	}
}

// Hash returns a number that equal states share and others hardly ever.
func (r *Reals[T]) Hash() uint64 {
	h := stream.New(uint64(r.units)).Sub(uint64(r.columns))
	for _, v := range r.values {
		h = h.Sub(math.Float64bits(float64(v)))
	}
	return uint64(h)
}

// Store returns a copy of the values.
func (r *Reals[T]) Store() Stored {
	return Stored{Shape: []int{r.units, r.columns}, Data: slices.Clone(r.values)}
}

// Load takes stored values of the same precision and shape.
func (r *Reals[T]) Load(s Stored) error {
	values, ok := s.Data.([]T)
	switch {
	case !ok:
		return fmt.Errorf("states as %T, not %T", s.Data, r.values)
	case !slices.Equal(s.Shape, []int{r.units, r.columns}) || len(values) != len(r.values):
		return fmt.Errorf("%d values of shape %v for %d units in %d columns", len(values), s.Shape, r.units, r.columns)
	}
	for k, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("unit %d is %v in column %d", k/r.columns, v, k%r.columns)
		}
	}
	copy(r.values, values)
	return nil
}

// rows calls do for each unit. columns is the number of columns that a call handles.
func (r *Reals[T]) rows(columns int, do func(i int)) {
	parallel.For(r.units, parallel.Grain(columns*32), func(lo, hi int) { // a cost of missing the cache
		for i := lo; i < hi; i++ {
			do(i)
		}
	})
}

func (r *Reals[T]) checkShape(verb string, other *Reals[T]) {
	if other.units != r.units || other.columns != r.columns {
		panic(fmt.Sprintf("units: %s of states of %d x %d and %d x %d", verb, r.units, r.columns, other.units, other.columns))
	}
}

func (r *Reals[T]) checkSome(verb string, some *Reals[T], columns []int) {
	if some.units != r.units || some.columns != len(columns) {
		panic(fmt.Sprintf("units: %s of %d columns of %d units with states of %d x %d", verb, len(columns), r.units, some.units, some.columns))
	}
	r.checkColumns(verb, columns)
}

func (r *Reals[T]) checkColumns(verb string, columns []int) {
	for _, j := range columns {
		if uint(j) >= uint(r.columns) {
			panic(fmt.Sprintf("units: %s of column %d of %d", verb, j, r.columns))
		}
	}
}

// MulAffine computes dst = a r + shift[k] in row k, for a matrix a of p rows: fields of the
// other layer. Without shift it is the product.
func MulAffine[T kernel.Real](dst, a []T, p int, r *Reals[T], shift []T) {
	n, m := r.units, r.columns
	if len(dst) != p*m || len(a) != p*n {
		panic(fmt.Sprintf("units: MulAffine of %d numbers to %d for %d x %d x %d", len(a), len(dst), p, n, m))
	}
	kernel.MulReal(dst, a, r.values, p, n, m, false, false)
	if shift != nil {
		parallel.For(p, parallel.Grain(m), func(lo, hi int) {
			for k := lo; k < hi; k++ {
				kernel.Affine(dst[k*m:(k+1)*m], dst[k*m:(k+1)*m], 1, shift[k])
			}
		})
	}
}
