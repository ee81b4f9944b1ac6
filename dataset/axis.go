package dataset

import (
	"fmt"
	"slices"

	"bethe/spin"
)

// An Axis says which axis of an array counts the samples.
type Axis int

const (
	AxisAuto  Axis = iota // the first, unless the last may be meant
	AxisFirst             // (samples, spins) and (samples, height, width), as of numpy
	AxisLast              // (spins, samples) and (height, width, samples), as of MATLAB
)

// orient makes the axis of the samples the first. An array with its axes reversed is the
// same array in the other order, and its pictures have rows where they had columns.
func (a *array) orient(opt Options) {
	if opt.SamplesAxis != AxisLast {
		return
	}
	shape := slices.Clone(a.stored)
	slices.Reverse(shape)
	a.shape, a.fortran = oneChannel(shape), !a.fortran
	a.turned = len(a.shape) == 3
}

// doubtAxis returns an error if it is open which axis counts the samples, and what to
// note if another one than the first may. Pictures stand in the last axis of arrays of MATLAB, which
// are in Fortran order.
func (a *array) doubtAxis(opt Options) (note string, err error) {
	if opt.SamplesAxis != AxisAuto || len(a.stored) != 3 {
		return "", nil
	}
	first, second, last := a.shape[0], a.shape[1], a.shape[2]
	readings := fmt.Sprintf("%d pictures of %d x %d, as MATLAB has them, or %d of %d x %d", last, first, second, first, second, last)
	switch {
	case first == second && first >= leastSide && first != last:
		return "", a.fail(0, "an array of shape "+a.dims()+" can be "+readings, "say with {SamplesAxis} which axis counts the samples: first or last")
	case min(first, second) > 2 && last > first && (a.fortran && last > second || last > 2*second):
		return "shape " + a.dims() + " can be " + readings + "; it is taken for the latter", nil
	}
	return "", nil
}

// across returns the transpose of a matrix.
func across(m *spin.Matrix) *spin.Matrix {
	t := spin.New(m.Cols(), m.Rows())
	m.Transpose(t)
	return t
}
