package variational

import (
	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
)

// unitsTogether is the number of hidden units that a piece of work takes
// through all of the data term: as many as products take rows together. No result
// depends on it.
func unitsTogether() int { return kernel.RowsTogether() }

// unitRows are the work space in which up to unitsTogether hidden units go
// through the data term. It stays in the cache of the processor that uses it.
type unitRows[T rbm.Real] struct {
	bias                     []T       // (1 - lambda^2) mu: units x visible
	meanAtMu, freeConstant   []float64 // of each unit: sums of lambda mu and of (1 - lambda^2)(1 + mu^2)
	sech2Sum                 []float64 // of each unit: sum over samples
	field, variance          []T       // units x batch
	localMean, localVariance []T       // of one unit in each sample
	tanhData, sech2Data      []T       // products with the samples: units x visible
	partition                []T       // derivatives of the partition term for one unit
}

// unitRows returns work space for n visible units and m samples, to be put back
// into work.
func (o *Objective[T]) unitRows(n, m int) *unitRows[T] {
	w, ok := o.work.Get().(*unitRows[T])
	units := unitsTogether()
	if !ok || len(w.bias) != units*n || len(w.localMean) != m {
		rows := func(length int) []T { return make([]T, units*length) }
		sums := func() []float64 { return make([]float64, units) }
		w = &unitRows[T]{
			meanAtMu: sums(), freeConstant: sums(), sech2Sum: sums(),
			bias: rows(n), field: rows(m), variance: rows(m), localMean: make([]T, m), localVariance: make([]T, m),
			tanhData: rows(n), sech2Data: rows(n), partition: make([]T, n),
		}
	}
	return w
}

// fields computes, for hidden units lo to hi-1, what localFields takes from the
// synapses, and in each sample lambda.s as field and, unless all samples are alike
// there, sum (1 - lambda^2) mu s as variance.
func (o *Objective[T]) fields(w *unitRows[T], lo, hi int, samples *spin.Matrix, multiply func(dst, a []T, p int, m *spin.Matrix)) {
	n, m, units := samples.Rows(), samples.Cols(), hi-lo
	means := o.mean[lo*n : hi*n]
	for k := range units {
		var atMu, free float64
		if row := means[k*n : (k+1)*n]; o.biased {
			atMu, free = kernel.Biases(w.bias[k*n:(k+1)*n], row, o.offset)
		} else {
			free = kernel.Free(row)
		}
		if o.known() { // without variance
			free = 0
		}
		w.meanAtMu[k], w.freeConstant[k] = atMu, free
	}
	multiply(w.field[:units*m], means, units, samples)
	if !o.alike() {
		multiply(w.variance[:units*m], w.bias[:units*n], units, samples)
	}
}

// alike reports whether the local fields of a hidden unit have the same variance in all samples.
func (o *Objective[T]) alike() bool { return !o.biased || o.known() }

// localFields computes the local fields of hidden unit mu, the k-th of w, under
// the posterior, in each sample, after fields: the means J lambda.(s - mu) + c and
// the variances J^2 sum (1 - lambda^2)(s - mu)^2, where (s - mu)^2 = 1 + mu^2 - 2 mu s.
func (o *Objective[T]) localFields(w *unitRows[T], params *rbm.Params, k, mu int) {
	m, j := len(w.localMean), params.Coupling
	kernel.Affine(w.localMean, w.field[k*m:(k+1)*m], T(j), T(params.HiddenField[mu]-j*w.meanAtMu[k]))
	free := T(j * j * w.freeConstant[k])
	if o.alike() {
		kernel.AffineFloor(w.localVariance, w.localMean, 0, free)
		return
	}
	kernel.AffineFloor(w.localVariance, w.variance[k*m:(k+1)*m], T(-2*j*j), free)
}
