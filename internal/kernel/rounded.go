package kernel

// roundedProducts is a tier's way to multiply rounded rows by a packed matrix.
type roundedProducts interface {
	// rowsTogether is the number of rows that are taken together at best.
	rowsTogether() int
	// names are those of its forms.
	names() []string
	// expands reports whether it multiplies by an expanded form now, if there is one.
	expands() bool
	// expandedBytes is the size of the form of a matrix that it multiplies by, 0 if that is the packed one.
	expandedBytes(k, lanes int) int
	// expand writes that form.
	expand(dst []int8, bits []uint32, stride, k, lanes int)
	// mulBitsCoarse is MulBitsCoarse. expanded holds what expand wrote or is of another length.
	mulBitsCoarse(dst, a []float32, p, k int, bits []uint32, stride, lanes int, expanded []int8, slope float32, shift []float32)
}

// byTables are rounded products with tables of sums, which packed bits pick.
type byTables func(dst, a []float32, p, k int, bits []uint32, stride, lanes int, slope float32, shift []float32)

func (byTables) expands() bool                          { return false }
func (byTables) rowsTogether() int                      { return 8 }
func (byTables) expandedBytes(int, int) int             { return 0 }
func (byTables) expand([]int8, []uint32, int, int, int) {}
func (f byTables) mulBitsCoarse(dst, a []float32, p, k int, bits []uint32, stride, lanes int, _ []int8, slope float32, shift []float32) {
	f(dst, a, p, k, bits, stride, lanes, slope, shift)
}

// RowsTogether is the number of rows that rounded products (MulBitsCoarse) of the tier in use take together at best. Results
// do not depend on how rows are split.
func RowsTogether() int { return use().rounded.rowsTogether() }

// Expands reports whether an expanded form is of use now: a Contest may find that products by the packed one are quicker.
func Expands() bool { return use().rounded.expands() }

// ExpandedBytes is the size of the expanded form of a packed matrix of k rows and some lanes, for the tier in use to
// multiply rounded rows by; 0 if it expands nothing. It is additive in lanes for multiples of LaneAlign.
func ExpandedBytes(k, lanes int) int { return use().rounded.expandedBytes(k, lanes) }

// Expand writes that form of a packed matrix to dst of as many bytes, for MulExpandedCoarse. Lanes can be expanded
// apart, from a multiple of LaneAlign each.
func Expand(dst []int8, bits []uint32, stride, k, lanes int) {
	use().rounded.expand(dst, bits, stride, k, lanes)
}

// MulExpandedCoarse is MulBitsCoarse by a matrix that is at hand in both forms: expanded is what Expand wrote of
// bits, or empty: then it is made in every call if there is one that is of use. Results are the same.
func MulExpandedCoarse[T Real](dst, a []T, p, k int, bits []uint32, stride, lanes int, expanded []int8, slope T, shift []T) {
	if dst, ok := any(dst).([]float32); ok {
		use().rounded.mulBitsCoarse(dst, any(a).([]float32), p, k, bits, stride, lanes, expanded, float32(slope), any(shift).([]float32))
		return
	}
	mulBits(dst, a, p, k, bits, stride, lanes)
	for i := range p {
		out := dst[i*lanes : (i+1)*lanes]
		affine(out, out, slope, shiftOf(shift, i))
	}
}
