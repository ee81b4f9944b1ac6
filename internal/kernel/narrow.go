package kernel

// Narrow factors are those of a product of whole numbers (MulWhole) whose elements are rounded to ±narrowTop, in units of their limits:
// for what is drawn or averaged over many units, whose noise is above that. They may be held as bytes, four of them a word, and sums are
// the same whole numbers however they are held. Parts of long sums are as long as those of the others.
const narrowTop = 1<<7 - 1

// narrowProducts is a tier's way to hold narrow factors and to multiply them.
type narrowProducts interface {
	// perWord is the number of elements of a word: 2 or 4.
	perWord() int
	// roundRow rounds a row of a left factor.
	roundRow(dst []uint32, x []float32, scale float32)
	// roundFour rounds four rows that a sum takes one after the other, the q-th four of a left or a right factor. Rows that there are not
	// are nil. Words are wordStep apart, panels of wholeLanes lanes panelStep.
	roundFour(dst []uint32, q, wordStep, panelStep int, x [4][]float32, scale float32, left bool)
	mul(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32)
}

// byPairs holds narrow factors as the wider ones.
type byPairs struct{ *wholeFunctions }

func (byPairs) perWord() int { return 2 }

func (b byPairs) roundRow(dst []uint32, x []float32, scale float32) {
	b.wholeFunctions.roundRow(dst, x, scale)
}

func (b byPairs) roundFour(dst []uint32, q, wordStep, panelStep int, x [4][]float32, scale float32, _ bool) {
	n := len(x[0])
	b.roundPairs(dst[2*q*wordStep:], panelStep, x[0], orZeros(x[1], n), scale)
	if x[2] != nil {
		b.roundPairs(dst[(2*q+1)*wordStep:], panelStep, x[2], orZeros(x[3], n), scale)
	}
}

func (b byPairs) mul(dst []float32, a []uint32, rows, rowStep, step int, panels []uint32, words, lanes int, unit float32) {
	b.mulWhole(dst, a, rows, rowStep, step, panels, words, lanes, unit)
}

// NewNarrowLeft returns a narrow left factor, to be filled in by SetRow.
func NewNarrowLeft[T Real](rows, inner int) *Left[T] {
	words := narrowWords(inner)
	l := newLeft[T](rows, inner, words, words, 1)
	l.top = narrowTop
	return l
}

// NewNarrowLeftAcross returns a narrow left factor, to be filled in by SetFour.
func NewNarrowLeftAcross[T Real](rows, inner int) *Left[T] {
	l := newLeft[T](rows, inner, narrowWords(inner), 1, rows)
	l.top = narrowTop
	return l
}

// NewNarrowRight returns a narrow right factor, to be filled in by SetFour.
func NewNarrowRight[T Real](inner, lanes int) *Right[T] {
	r := newRight[T](inner, lanes, narrowWords(inner))
	r.top = narrowTop
	return r
}

// narrowWords is the number of words of so many elements.
func narrowWords(inner int) int {
	per := use().narrow.perWord()
	return (inner + per - 1) / per
}

// SetFour sets the elements 4q to 4q+3 of all rows, one after another in each x. Those that there are not are nil.
func (l *Left[T]) SetFour(q int, x [4][]T) {
	if x, ok := any(x).([4][]float32); ok {
		use().narrow.roundFour(l.words, q, l.step, wholeLanes, x, l.by, true)
		return
	}
	for j, of := range x {
		for i, v := range of {
			l.reals[i*l.inner+4*q+j] = v
		}
	}
}

// SetFour sets the rows 4q to 4q+3. Those that there are not are nil.
func (r *Right[T]) SetFour(q int, x [4][]T) {
	if x, ok := any(x).([4][]float32); ok {
		use().narrow.roundFour(r.panels, q, wholeLanes, r.words*wholeLanes, x, r.by, false)
		return
	}
	for j := 0; j < len(x) && x[j] != nil; j++ {
		copy(r.reals[(4*q+j)*r.lanes:], x[j])
	}
}
