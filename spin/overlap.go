package spin

import (
	"fmt"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/stream"
)

// Overlaps are the products of all columns of two matrices of spins,
// sum over r of a(r, i) b(r, l): the fields of binary units with binary
// synapses. They are kept as counts of differing rows, 16 bits each, so that
// fields and spins in them follow without a product of real numbers.
type Overlaps struct {
	rows, cols int      // columns of a, of b
	length     int      // rows of a and b
	tiles      int      // of lanesAtOnce columns of b
	counts     []uint16 // [tile][row][lane of the tile]: what one thread works on lies together
}

// Cols returns the number of columns of b.
func (o *Overlaps) Cols() int { return o.cols }

// Set computes the products of the columns of a and b, which must have equally
// many rows, fewer than 65536.
func (o *Overlaps) Set(a, b *Matrix) {
	o.resize(a, b)
	parallel.For(o.tiles, o.grain(), func(lo, hi int) {
		for tile := lo; tile < hi; tile++ {
			o.setTile(a, b, tile)
		}
	})
}

func (o *Overlaps) resize(a, b *Matrix) {
	if a.rows != b.rows || a.rows >= 1<<16 {
		panic(fmt.Sprintf("spin: Overlaps of columns of %d and %d rows", a.rows, b.rows))
	}
	o.rows, o.cols, o.length, o.tiles = a.cols, b.cols, a.rows, b.stride/lanesAtOnce
	if need := o.rows * b.stride; cap(o.counts) < need {
		o.counts = make([]uint16, need)
	} else {
		o.counts = o.counts[:need]
	}
}

// grain is the number of tiles that are one piece of work.
func (o *Overlaps) grain() int {
	return parallel.Grain(o.rows * lanesAtOnce * (1 + kernel.Words(o.length)/4))
}

// tile returns the counts of a tile, row after row.
func (o *Overlaps) tile(tile int) []uint16 {
	return o.counts[tile*o.rows*lanesAtOnce : (tile+1)*o.rows*lanesAtOnce]
}

func (o *Overlaps) setTile(a, b *Matrix, tile int) {
	if o.rows == 0 || o.length == 0 {
		clear(o.tile(tile))
		return
	}
	first := tile * lanesAtOnce
	kernel.CountDiff(o.tile(tile), lanesAtOnce, a.words, a.stride, a.cols, b.words[first:], b.stride, a.rows, min(lanesAtOnce, b.cols-first))
}

// Fields computes the fields dst[i*cols+l] = shift[i] + slope times the product
// of column i of a and column l of b. dst holds as many elements as there are
// products, shift as many as a has columns.
func (o *Overlaps) Fields(dst []float32, slope float32, shift []float32) {
	checkLen("Fields", "elements", len(dst), o.rows*o.cols)
	checkLen("Fields", "shifts", len(shift), o.rows)
	parallel.For(o.rows, parallel.Grain(2*o.cols), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			base, step := shift[i]+slope*float32(o.length), -2*slope
			for tile := range o.tiles {
				out := dst[i*o.cols+tile*lanesAtOnce : i*o.cols+min(o.cols, (tile+1)*lanesAtOnce)]
				for l, c := range o.tile(tile)[i*lanesAtOnce:][:len(out)] {
					out[l] = base + step*float32(c)
				}
			}
		}
	})
}

// Draw sets element (i, l) of m to +1 with probability 1/(1+exp(-2 field)) in
// the fields that Fields gives. Equal keys give equal spins whatever the number
// of threads.
func (o *Overlaps) Draw(m *Matrix, slope float32, shift []float32, key stream.Key) {
	base := o.bases(m, slope, shift)
	parallel.For(o.tiles, parallel.Grain(o.rows*lanesAtOnce*2), func(lo, hi int) {
		for tile := lo; tile < hi; tile++ {
			o.drawTile(m, tile, -2*slope, base, key)
		}
	})
}

// SetDraw is Set and Draw in one, a tile at a time while its counts are at hand.
func (o *Overlaps) SetDraw(m, a, b *Matrix, slope float32, shift []float32, key stream.Key) {
	o.resize(a, b)
	base := o.bases(m, slope, shift)
	parallel.For(o.tiles, o.grain(), func(lo, hi int) {
		for tile := lo; tile < hi; tile++ {
			o.setTile(a, b, tile)
			o.drawTile(m, tile, -2*slope, base, key)
		}
	})
}

// bases returns the fields of each column of a where no row differs.
func (o *Overlaps) bases(m *Matrix, slope float32, shift []float32) []float32 {
	if m.rows != o.rows || m.cols != o.cols {
		panic(fmt.Sprintf("spin: Draw of %d x %d spins in %d x %d fields", m.rows, m.cols, o.rows, o.cols))
	}
	checkLen("Draw", "shifts", len(shift), o.rows)
	m.changed()
	base := make([]float32, o.rows)
	for i, s := range shift {
		base[i] = s + slope*float32(o.length)
	}
	return base
}

func (o *Overlaps) drawTile(m *Matrix, tile int, step float32, base []float32, key stream.Key) {
	l := tile * lanesAtOnce
	g := tileGenerators(key, tile)
	kernel.DrawCounts(m.words[l:], m.stride, o.tile(tile), lanesAtOnce, o.rows, min(lanesAtOnce, m.cols-l), step, base, g[:])
}
