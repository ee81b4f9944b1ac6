package units

import (
	"math/rand/v2"

	"bethe/internal/npy"
	"bethe/spin"
)

// States are states of the units of one layer, in several chains or samples, a
// column each: *spin.Matrix of spins, *Reals of real numbers. A type S implements
// States[S], so that generic code gets states of type S back, without a type
// assertion. Mistakes in shapes panic. sampletest.States holds a type to this contract.
type States[S any] interface {
	// Units returns the number of units, Len that of columns.
	Units() int
	Len() int
	// Blank returns new states of as many units of the same kind in count columns.
	// What they hold is up to the kind.
	Blank(count int) S
	// Clone returns a copy.
	Clone() S
	// Gather sets column k of dst, of len(columns) columns, to column columns[k].
	Gather(dst S, columns []int)
	// Put is the inverse: it sets column columns[k] to column k of src.
	Put(src S, columns []int)
	// Swap exchanges the named columns with those of states of the same shape.
	Swap(other S, columns []int)
	// CopyUnits copies the named units of states of the same shape, in all columns.
	CopyUnits(src S, units []int)
	// Hash returns a number that equal states share and others hardly ever.
	Hash() uint64
	// Store returns a copy of the states for a file.
	Store() Stored
	// Load sets the states, whose shape stays, to stored ones. The error tells what
	// does not fit; then the states are as before.
	Load(s Stored) error
}

// Masked is implemented by states whose single elements can be copied.
type Masked[S any] interface {
	// CopyWhere copies elements of src, which has the same shape, if where (units x columns) is +1 there.
	CopyWhere(src S, where *spin.Matrix)
}

// Stored are states as a file keeps them: an array of Shape {units, columns} whose
// Data, row-major, are a slice of a type that the kind chooses: []int8 of ±1 for
// spins, []float32 or []float64 for real numbers. Name is left to the file.
type Stored = npy.Array

// Choose returns count columns of s in random order, none a second time before all
// were taken once: some samples of a data set. It panics if s has no column.
func Choose[S States[S]](s S, count int, rng *rand.Rand) S {
	order := rng.Perm(s.Len())
	columns := make([]int, count)
	for k := range columns {
		columns[k] = order[k%len(order)]
	}
	out := s.Blank(count)
	s.Gather(out, columns)
	return out
}

// Shown are samples as pictures show them: numbers from -1 to 1, one for each place of a
// picture, places x count.
type Shown struct {
	Values []float32
	Count  int
}
