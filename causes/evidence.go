package causes

import (
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// blockLen is the number of samples that are worked on together. Sums over samples are
// sums over blocks first, so another number would change results of the same seed.
const blockLen = 1024

// A block is some samples, divided by patch.
type block struct {
	first, count int
	parts        []*spin.Matrix // of each patch, its visible units x count
	partsT       []*spin.Matrix // transposes, where statistics are taken
	holes        [][]hole       // of each patch, the values that are missing
}

// A hole is a missing value: a unit of a patch in a sample of a block.
type hole struct{ unit, sample int }

// divide returns the samples in blocks, with transposes if they are to be learned from. Missing is nil, or +1 where a value is missing.
func divide(samples, missing *spin.Matrix, patches [][]int, learned bool) []block {
	blocks := make([]block, parallel.Pieces(samples.Cols(), blockLen))
	for k := range blocks {
		blocks[k] = blockOf(samples, missing, patches, k*blockLen, min(samples.Cols(), (k+1)*blockLen), learned)
	}
	return blocks
}

// blockOf returns columns lo to hi-1 of samples.
func blockOf(samples, missing *spin.Matrix, patches [][]int, lo, hi int, learned bool) block {
	b := block{first: lo, count: hi - lo}
	columns := make([]int, hi-lo)
	for a := range columns {
		columns[a] = lo + a
	}
	whole := samples.Blank(hi - lo)
	samples.Gather(whole, columns)
	for _, units := range patches {
		part := whole
		if !everyUnit(units, samples.Rows()) {
			part = rowsOf(whole, units)
		}
		b.parts = append(b.parts, part)
		if learned {
			t := spin.New(part.Cols(), part.Rows())
			part.Transpose(t)
			b.partsT = append(b.partsT, t)
		}
		var holes []hole
		for j, i := range units {
			for a := lo; missing != nil && a < hi; a++ {
				if missing.At(i, a) > 0 {
					holes = append(holes, hole{j, a - lo})
				}
			}
		}
		b.holes = append(b.holes, holes)
	}
	return b
}

// everyUnit reports whether units are 0, 1, ..., n-1.
func everyUnit(units []int, n int) bool {
	for k, i := range units {
		if k != i {
			return false
		}
	}
	return len(units) == n
}

// rowsOf returns the named rows of s.
func rowsOf(s *spin.Matrix, rows []int) *spin.Matrix {
	part := spin.New(len(rows), s.Cols())
	for k, i := range rows {
		for a := range s.Cols() {
			if s.At(i, a) > 0 {
				part.Set(k, a, 1)
			}
		}
	}
	return part
}

// evidence is what samples say of the states of the groups: the logarithm of the
// probability of a patch given state k of its group is weights of k times the patch
// plus the offset of k, both summed over the units that are seen.
type evidence[T rbm.Real] struct {
	states  int
	weights [][]T // of each group, states x units of its patch
	each    [][]T // what each unit adds to the offset, the same
	offset  [][]T // of each group, states: that of a whole patch
}

// newEvidence takes fields and offsets of each unit (states x visible).
func newEvidence[T rbm.Real](patches [][]int, states int, fields, offsets []float64) *evidence[T] {
	e := &evidence[T]{states: states}
	visible := len(fields) / states
	for _, units := range patches {
		w, each, o := make([]T, states*len(units)), make([]T, states*len(units)), make([]T, states)
		for k := range states {
			sum := 0.0
			for j, i := range units {
				w[k*len(units)+j], each[k*len(units)+j] = T(fields[k*visible+i]), T(offsets[k*visible+i])
				sum += offsets[k*visible+i]
			}
			o[k] = T(sum)
		}
		e.weights, e.each, e.offset = append(e.weights, w), append(e.each, each), append(e.offset, o)
	}
	return e
}

// of writes the evidence of a block for the states of group g to dst, states x count.
func (e *evidence[T]) of(dst []T, g int, b *block) {
	if b.parts[g].Rows() == 0 {
		for k, o := range e.offset[g] {
			for a := range b.count {
				dst[k*b.count+a] = o
			}
		}
		return
	}
	spin.MulAffine(dst, e.weights[g], e.states, b.parts[g], 1, e.offset[g])
	part, holes := b.parts[g], b.holes[g]
	parallel.For(e.states, parallel.Grain(4*len(holes)), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			row, w, each := dst[k*b.count:(k+1)*b.count], e.weights[g][k*part.Rows():], e.each[g][k*part.Rows():]
			for _, h := range holes {
				row[h.sample] -= w[h.unit]*T(part.At(h.unit, h.sample)) + each[h.unit]
			}
		}
	})
}
