package rbm

import (
	"fmt"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/units"
)

// A Network is a bipartite Ising network with real couplings,
//
//	weight(s, h) = exp( Constant + sum s_i K_{i mu} h_mu + b.s + c.h ):
//
// what a machine with known synapses, and the dual network of a posterior,
// both are.
type Network[T Real] struct {
	Constant      float64
	Coupling      []T // K, hidden x visible
	VisibleField  []T // b, of length N
	HiddenField   []T // c, of length P
	CouplingLimit T   // at least every |K|, if it was known when the couplings were set; else 0
	// VisibleKind and HiddenKind are the kinds of units; the zero value is that of spins.
	// Of one-hot units s and h are the spins that hold the features, Gaussian ones have
	// the factor exp(-s²/2).
	VisibleKind, HiddenKind units.Kind
}

// NewNetwork returns a network without couplings and fields.
func NewNetwork[T Real](visible, hidden int) *Network[T] {
	return &Network[T]{Coupling: make([]T, visible*hidden), VisibleField: make([]T, visible), HiddenField: make([]T, hidden)}
}

// SetWeights makes n the network of a machine with the given parameters and real
// synapses w (hidden x visible), as NetworkOf does.
func (n *Network[T]) SetWeights(params *Params, w []T) {
	if len(w) != len(n.Coupling) || params.Visible() != n.Visible() || params.Hidden() != n.Hidden() {
		panic(fmt.Sprintf("rbm: SetWeights of %d synapses of %d x %d units in a network of %d x %d", len(w), params.Visible(), params.Hidden(), n.Visible(), n.Hidden()))
	}
	visible, hidden := slices.Clone(params.VisibleField), slices.Clone(params.HiddenField)
	n.Constant = uncentre(visible, hidden, params, w)
	copyTo(n.VisibleField, visible)
	copyTo(n.HiddenField, hidden)
	setCouplings(n, params, w)
}

// setCouplings sets the couplings to J w, 0 outside all links.
func setCouplings[T, S Real](n *Network[T], params *Params, w []S) {
	n.CouplingLimit = 0
	n.VisibleKind, n.HiddenKind = params.VisibleKind, params.HiddenKind
	if !params.Whole() {
		clear(n.Coupling)
	}
	visible := n.Visible()
	for mu := range n.Hidden() {
		for _, l := range params.Links {
			if !l.Joins(mu) {
				continue
			}
			j := T(l.Coupling)
			to := n.Coupling[mu*visible:][l.Visible.From:l.Visible.To]
			for i, v := range w[mu*visible:][l.Visible.From:l.Visible.To] {
				to[i] = j * T(v)
			}
		}
	}
}

// Visible returns the number of visible units.
func (n *Network[T]) Visible() int { return len(n.VisibleField) }

// Hidden returns the number of hidden units.
func (n *Network[T]) Hidden() int { return len(n.HiddenField) }

// Moments are averages over the states of a network.
type Moments[T Real] struct {
	Visible     []T // <s_i>, of length N
	Hidden      []T // <h_mu>, of length P
	Correlation []T // <s_i h_mu>, hidden x visible
}

// NewMoments returns moments of zero.
func NewMoments[T Real](visible, hidden int) *Moments[T] {
	return &Moments[T]{make([]T, visible), make([]T, hidden), make([]T, visible*hidden)}
}

// HiddenFields computes the local fields of the hidden units,
// dst[mu*M+a] = c_mu + sum_i K_{i mu} s_i^a, for the M columns of s.
func (n *Network[T]) HiddenFields(dst []T, s *spin.Matrix) {
	spin.MulAffine(dst, n.Coupling, n.Hidden(), s, 1, n.HiddenField)
}

// VisibleFields computes the local fields of the visible units,
// dst[i*M+a] = b_i + sum_mu K_{i mu} h_mu^a, for the M columns of h.
// couplingT is the transpose of the couplings, visible x hidden (TransposeCoupling).
func (n *Network[T]) VisibleFields(dst, couplingT []T, h *spin.Matrix) {
	spin.MulAffine(dst, couplingT, n.Visible(), h, 1, n.VisibleField)
}

// TransposeCoupling writes the couplings as a visible x hidden matrix to dst.
func (n *Network[T]) TransposeCoupling(dst []T) {
	transpose(dst, n.Coupling, n.Hidden(), n.Visible())
}

// LogWeights computes the logarithm of the weight of each column of s, summed
// over the hidden units: Constant + b.s + sum_mu ln 2cosh(field of mu), which
// is minus the free energy. dst has one element per column.
func (n *Network[T]) LogWeights(dst []float64, s *spin.Matrix) {
	m := s.Cols()
	if s.Rows() != n.Visible() || len(dst) != m {
		panic(fmt.Sprintf("rbm: LogWeights of %d x %d spins into %d numbers, for %d visible units", s.Rows(), m, len(dst), n.Visible()))
	}
	fields := make([]T, n.Hidden()*m)
	n.HiddenFields(fields, s)
	visible := make([]T, m)
	spin.Mul(visible, n.VisibleField, 1, s)
	n.logWeights(dst, visible, fields)
}

// logWeights is LogWeights, given what visible fields and the hidden units see of each column.
func (n *Network[T]) logWeights(dst []float64, visible, fields []T) {
	m := len(dst)
	parallel.For(m, parallel.Grain(n.Hidden()*20), func(lo, hi int) {
		for a := lo; a < hi; a++ {
			dst[a] = n.Constant + float64(visible[a])
		}
		if n.HiddenKind != (units.Kind{}) {
			AddLogSums(dst[lo:hi], fields, n.HiddenKind, m, lo, 1)
			return
		}
		for mu := range n.Hidden() {
			kernel.AddLog2Cosh(dst[lo:hi], fields[mu*m+lo:mu*m+hi])
		}
	})
}

// transpose writes the rows x cols matrix x transposed to dst.
func transpose[T Real](dst, x []T, rows, cols int) {
	if len(dst) != rows*cols || len(x) != rows*cols {
		panic(fmt.Sprintf("rbm: transpose of %d into %d elements, for %d x %d", len(x), len(dst), rows, cols))
	}
	const tile = 64
	parallel.For((cols+tile-1)/tile, parallel.Grain(tile*rows), func(lo, hi int) {
		first, last := lo*tile, min(cols, hi*tile)
		kernel.Transpose(dst[first*rows:], rows, x[first:], cols, rows, last-first)
	})
}
