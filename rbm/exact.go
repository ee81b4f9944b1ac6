package rbm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/units"
)

// MaxExact is the largest smaller layer whose states are enumerated.
const MaxExact = 25

// ErrTooLarge is what exact sums over the states return for a network whose
// smaller layer has more than MaxExact units.
var ErrTooLarge = errors.New("too many units for an exact sum")

func checkExact(visible, hidden int) error {
	if n := min(visible, hidden); n > MaxExact {
		return fmt.Errorf("%w: the smaller layer has %d units and the limit is %d", ErrTooLarge, n, MaxExact)
	}
	return nil
}

// LnZ returns the logarithm of the sum of all weights, exactly. The cost is
// proportional to 2^min(N,P) max(N,P); the error is ErrTooLarge or the context's.
func (n *Network[T]) LnZ(ctx context.Context) (float64, error) {
	if err := checkExact(n.Visible(), n.Hidden()); err != nil {
		return 0, err
	}
	e := newEnumeration(ctx, n)
	lnz, err := e.logSum(nil)
	return n.Constant + lnz, err
}

// ExactMoments computes all moments exactly and returns ln Z; cost and error as for LnZ.
func (n *Network[T]) ExactMoments(ctx context.Context, dst *Moments[T]) (float64, error) {
	if err := checkExact(n.Visible(), n.Hidden()); err != nil {
		return 0, err
	}
	e := newEnumeration(ctx, n)
	energies := make([]float64, 1<<e.small)
	lnz, err := e.logSum(energies)
	if err != nil {
		return 0, err
	}
	small, large, corr, err := e.moments(energies, lnz)
	if err != nil {
		return 0, err
	}
	if e.hiddenSmall {
		copyTo(dst.Hidden, small)
		copyTo(dst.Visible, large)
		copyTo(dst.Correlation, corr)
	} else {
		copyTo(dst.Visible, small)
		copyTo(dst.Hidden, large)
		for mu := range n.Hidden() {
			for i := range n.Visible() {
				dst.Correlation[mu*n.Visible()+i] = T(corr[i*n.Hidden()+mu])
			}
		}
	}
	return n.Constant + lnz, nil
}

func copyTo[T, S Real](dst []T, src []S) {
	for i, v := range src {
		dst[i] = T(v)
	}
}

// An enumeration visits the states of the smaller layer in Gray-code order, in
// float64, keeping the fields of the larger layer, which factorises.
type enumeration struct {
	ctx                    context.Context
	small, large           int
	hiddenSmall            bool
	smallField, largeField []float64
	coupling               []float64 // small x large
}

func newEnumeration[T Real](ctx context.Context, n *Network[T]) *enumeration {
	e := &enumeration{ctx: ctx, small: n.Hidden(), large: n.Visible(), hiddenSmall: true}
	e.smallField, e.largeField = widen(n.HiddenField), widen(n.VisibleField)
	e.coupling = widen(n.Coupling)
	if n.Visible() < n.Hidden() {
		e.hiddenSmall = false
		e.small, e.large = e.large, e.small
		e.smallField, e.largeField = e.largeField, e.smallField
		t := make([]float64, len(e.coupling))
		transpose(t, e.coupling, n.Hidden(), n.Visible())
		e.coupling = t
	}
	return e
}

func widen[T Real](x []T) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// piece is the number of consecutive states that one goroutine visits; sums are
// taken over pieces first, so results do not depend on the number of threads.
func (e *enumeration) piece() int { return min(1<<e.small, 1<<10) }

// A walker follows the small layer's states of a piece of an enumeration.
type walker struct {
	*enumeration
	energy float64   // of the small layer's fields
	fields []float64 // of the large layer
	visit  func(place int, spins []float64, flip int)
}

// Begin implements units.Visitor.
func (w *walker) Begin(spins []float64) {
	w.fields = slices.Clone(w.largeField)
	for u, s := range spins {
		w.energy += s * w.smallField[u]
		for j, k := range w.coupling[u*w.large : (u+1)*w.large] {
			w.fields[j] += s * k
		}
	}
}

// Visit implements units.Visitor.
func (w *walker) Visit(place int, spins []float64, flip int) { w.visit(place, spins, flip) }

// Flip implements units.Visitor.
func (w *walker) Flip(u int, spin float64) {
	d := 2 * spin
	w.energy += d * w.smallField[u]
	for j, k := range w.coupling[u*w.large : (u+1)*w.large] {
		w.fields[j] += d * k
	}
}

// logSum returns ln sum exp(energy) over all states, and fills energies, in
// order of visit, unless it is nil. The error is the context's.
func (e *enumeration) logSum(energies []float64) (float64, error) {
	parts := make([]float64, parallel.Pieces(1<<e.small, e.piece()))
	err := units.WalkStates(e.ctx, e.small, e.piece(), e.large, func(lo, hi int) units.Visitor {
		w, piece := &walker{enumeration: e}, energies
		if piece == nil {
			piece = make([]float64, hi-lo)
		} else {
			piece = piece[lo:hi]
		}
		w.visit = func(k int, _ []float64, flip int) {
			energy := w.energy
			for _, f := range w.fields {
				energy += kernel.Log2Cosh(f)
			}
			piece[k-lo] = energy
			if flip < 0 {
				parts[lo/e.piece()] = LogSumExp(piece)
			}
		}
		return w
	})
	return LogSumExp(parts), err
}

// moments returns the averages of the small layer, of the large layer, and
// their products (small x large). Only one small unit flips between states, so
// a unit's signed sum is settled when it flips: the cost a state is that of the
// large layer alone. The error is the context's.
func (e *enumeration) moments(energies []float64, lnz float64) (small, large, corr []float64, err error) {
	type part struct{ small, large, corr []float64 }
	parts := make([]part, parallel.Pieces(len(energies), e.piece()))
	err = units.WalkStates(e.ctx, e.small, e.piece(), e.large, func(lo, _ int) units.Visitor {
		p := part{make([]float64, e.small), make([]float64, e.large), make([]float64, e.small*e.large)}
		parts[lo/e.piece()] = p
		settled := make([]float64, e.small*e.large) // p.large when the unit last flipped
		settle := func(u int, spin float64) {
			c, s := p.corr[u*e.large:(u+1)*e.large], settled[u*e.large:(u+1)*e.large]
			for j, v := range p.large {
				c[j] += spin * (v - s[j])
				s[j] = v
			}
		}
		w := &walker{enumeration: e}
		w.visit = func(k int, spins []float64, flip int) {
			weight := math.Exp(energies[k] - lnz)
			for u, s := range spins {
				p.small[u] += weight * s
			}
			for j, f := range w.fields {
				p.large[j] += weight * math.Tanh(f)
			}
			if flip >= 0 {
				settle(flip, spins[flip])
			} else {
				for u, s := range spins {
					settle(u, s)
				}
			}
		}
		return w
	})
	if err != nil {
		return nil, nil, nil, err
	}
	for _, p := range parts[1:] {
		addTo(parts[0].small, p.small)
		addTo(parts[0].large, p.large)
		addTo(parts[0].corr, p.corr)
	}
	return parts[0].small, parts[0].large, parts[0].corr, nil
}

func addTo(dst, x []float64) {
	for i, v := range x {
		dst[i] += v
	}
}

// LogSumExp returns ln sum exp(x) without overflow; of nothing it is -Inf.
func LogSumExp(x []float64) float64 {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	if math.IsInf(top, 0) {
		return top
	}
	var sum float64
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

// LnZ returns the logarithm of the machine's partition function, exactly. With
// binary synapses every field of the larger layer is one of min(N,P)+1 values,
// so the walk over the 2^min(N,P) states reads ln 2cosh from a table. The
// error is ErrTooLarge or the context's.
func (m *Machine) LnZ(ctx context.Context) (float64, error) {
	if _, ok := m.Synapses.(Signed); !ok || !m.Whole() {
		return NetworkOf[float64](m).LnZ(ctx)
	}
	if err := checkExact(m.Visible(), m.Hidden()); err != nil {
		return 0, err
	}
	plain, constant := m.Plain()
	small, large := plain.Hidden(), plain.Visible()
	smallField, largeField := plain.HiddenField, plain.VisibleField
	synapses, coupling := plain.Signs(), plain.Coupling() // large x small
	if large < small {
		small, large, smallField, largeField = large, small, largeField, smallField
		t := spin.New(large, small)
		synapses.Transpose(t)
		synapses = t
	}
	width := small + 1
	table := make([]float64, large*width) // row j: ln 2cosh(J(2k - small) + field_j)
	for j := range large {
		for k := range width {
			table[j*width+k] = kernel.Log2Cosh(coupling*float64(2*k-small) + largeField[j])
		}
	}
	step := make([]int8, small*large) // ±1: see tableWalker
	for u := range small {
		for j := range large {
			step[u*large+j] = synapses.At(j, u)
		}
	}
	piece := min(1<<small, 1<<12)
	parts := make([]float64, parallel.Pieces(1<<small, piece))
	err := units.WalkStates(ctx, small, piece, large, func(lo, hi int) units.Visitor {
		return &tableWalker{table: table, step: step, field: smallField, width: width, large: large,
			energies: make([]float64, 0, hi-lo), sum: &parts[lo/piece]}
	})
	return constant + LogSumExp(parts), err
}

// A tableWalker follows the states of a piece of a machine with binary synapses. It
// takes each state with all its spins turned: the sum over all states is the same.
type tableWalker struct {
	table        []float64 // ln 2cosh of the fields of unit j of the large layer, large x width
	step         []int8    // ±1: move of the place in row j if unit u of the small layer flips to -1, small x large
	field        []float64 // of the small layer
	width, large int
	place        []int32 // index of the state's entry in each row of the table
	energy       float64 // of the small layer's fields
	energies     []float64
	sum          *float64 // ln of the sum of the weights
}

// Begin implements units.Visitor.
func (w *tableWalker) Begin(spins []float64) {
	w.place = make([]int32, w.large)
	for j := range w.place {
		w.place[j] = int32(j * w.width)
	}
	for u, s := range spins {
		w.energy -= s * w.field[u]
		for j, d := range w.step[u*w.large : (u+1)*w.large] {
			if float64(d) == -s {
				w.place[j]++
			}
		}
	}
}

// Visit implements units.Visitor.
func (w *tableWalker) Visit(_ int, _ []float64, flip int) {
	sum := 0.0
	for _, p := range w.place {
		sum += w.table[p]
	}
	w.energies = append(w.energies, w.energy+sum)
	if flip < 0 {
		*w.sum = LogSumExp(w.energies)
	}
}

// Flip implements units.Visitor.
func (w *tableWalker) Flip(u int, spin float64) {
	w.energy -= 2 * spin * w.field[u]
	move := int32(-spin)
	for j, d := range w.step[u*w.large : (u+1)*w.large] {
		w.place[j] += move * int32(d)
	}
}
