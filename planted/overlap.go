package planted

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
)

// A Matching pairs the hidden units of an estimate with those of a reference.
// The distribution of a machine without hidden fields does not change when
// hidden units are exchanged or all synapses of one change sign, so synapses
// are known only up to both, and are compared after the best pairing. Slices
// have one element for each hidden unit nu of the reference.
type Matching struct {
	Unit    []int     // the hidden unit of the estimate that is paired with nu
	Sign    []int8    // ±1, to multiply its synapses with
	Overlap []float64 // |sum_i estimate_{i Unit[nu]} reference_{i nu}| / N
}

// Mean returns the mean overlap of the hidden units.
func (m *Matching) Mean() float64 {
	var sum float64
	for _, q := range m.Overlap {
		sum += q
	}
	return sum / float64(len(m.Overlap))
}

// Ordered returns the real estimates that were matched, hidden x visible, in the
// order and signs of the reference's hidden units.
func (m *Matching) Ordered(estimate []float64) []float64 {
	n := len(estimate) / len(m.Unit)
	out := make([]float64, len(estimate))
	for nu, mu := range m.Unit {
		for i, v := range estimate[mu*n : (mu+1)*n] {
			out[nu*n+i] = float64(m.Sign[nu]) * v
		}
	}
	return out
}

// Match pairs the hidden units of two machines such that the sum of overlaps
// is greatest. Both matrices are visible x hidden; it panics if their shapes
// differ or are empty.
func Match(estimate, reference *spin.Matrix) *Matching {
	n, p := reference.Rows(), reference.Cols()
	if estimate.Rows() != n || estimate.Cols() != p || n == 0 || p == 0 {
		panic(fmt.Sprintf("planted: Match of %d x %d with %d x %d synapses", estimate.Rows(), estimate.Cols(), n, p))
	}
	dot := make([]int32, p*p)
	spin.Dot(dot, reference, estimate)
	products := make([]float64, p*p)
	for k, v := range dot {
		products[k] = float64(v)
	}
	return match(n, p, products)
}

// MatchMean pairs real estimates of the synapses, such as posterior means,
// hidden x visible, with a reference, visible x hidden, such that the sum of
// overlaps is greatest. It panics if the shapes do not fit or are empty.
func MatchMean[T rbm.Real](estimate []T, reference *spin.Matrix) *Matching {
	n, p := reference.Rows(), reference.Cols()
	if len(estimate) != n*p || n == 0 || p == 0 {
		panic(fmt.Sprintf("planted: MatchMean of %d estimates with %d x %d synapses", len(estimate), n, p))
	}
	product := make([]T, p*p)
	spin.Mul(product, estimate, p, reference)
	products := make([]float64, p*p)
	for mu := range p {
		for nu := range p {
			products[nu*p+mu] = float64(product[mu*p+nu])
		}
	}
	return match(n, p, products)
}

// match pairs units by their scalar products, reference x estimate.
func match(n, p int, products []float64) *Matching {
	overlap := make([]float64, p*p)
	for k, v := range products {
		overlap[k] = math.Abs(v) / float64(n)
	}
	m := &Matching{Unit: assign(p, overlap), Sign: make([]int8, p), Overlap: make([]float64, p)}
	for nu, mu := range m.Unit {
		m.Overlap[nu] = overlap[nu*p+mu]
		m.Sign[nu] = 1
		if products[nu*p+mu] < 0 {
			m.Sign[nu] = -1
		}
	}
	return m
}
