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
	if !n.spins() {
		c, err := newCensus(ctx, n)
		if err != nil {
			return 0, err
		}
		lnz, err := c.logSum(nil)
		return n.Constant + lnz, err
	}
	if err := checkExact(n.Visible(), n.Hidden()); err != nil {
		return 0, err
	}
	e := newEnumeration(ctx, n)
	lnz, err := e.logSum(nil)
	return n.Constant + lnz, err
}

// ExactMoments computes all moments exactly and returns ln Z; cost and error as for LnZ.
func (n *Network[T]) ExactMoments(ctx context.Context, dst *Moments[T]) (float64, error) {
	if !n.spins() {
		lnz, err := censusMoments(ctx, n, dst)
		return n.Constant + lnz, err
	}
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
}

// Begin implements units.Visitor.
func (w *walker) Begin(spins []float64) {
	w.fields = slices.Clone(w.largeField)
	for u, s := range spins {
		w.energy += s * w.smallField[u]
		add(w.fields, s, w.coupling[u*w.large:(u+1)*w.large])
	}
}

// Flip implements units.Visitor.
func (w *walker) Flip(u int, spin float64) {
	w.energy += 2 * spin * w.smallField[u]
	add(w.fields, 2*spin, w.coupling[u*w.large:(u+1)*w.large])
}

// add adds scale x to dst.
func add(dst []float64, scale float64, x []float64) {
	dst = dst[:len(x)]
	for j, v := range x {
		dst[j] += scale * v
	}
}

// A summer is a walker that sums the weights.
type summer struct {
	walker
	first    int
	energies []float64 // of the piece's states
	sum      *float64  // ln of the sum of their weights
}

// Visit implements units.Visitor.
func (w *summer) Visit(place int, _ []float64, flip int) {
	energy := w.energy
	for _, f := range w.fields {
		energy += kernel.Log2Cosh(f)
	}
	w.energies[place-w.first] = energy
	if flip < 0 {
		*w.sum = LogSumExp(w.energies)
	}
}

// logSum returns ln sum exp(energy) over all states, and fills energies, in
// order of visit, unless it is nil. The error is the context's.
func (e *enumeration) logSum(energies []float64) (float64, error) {
	parts := make([]float64, parallel.Pieces(1<<e.small, e.piece()))
	err := units.WalkStates(e.ctx, e.small, e.piece(), e.large, func(lo, hi int) units.Visitor {
		w := &summer{walker: walker{enumeration: e}, first: lo, sum: &parts[lo/e.piece()]}
		if energies == nil {
			w.energies = make([]float64, hi-lo)
		} else {
			w.energies = energies[lo:hi]
		}
		return w
	})
	return LogSumExp(parts), err
}

// An averager is a walker that averages, with known weights. Only one small unit flips
// between states, so a unit's signed sum is settled when it flips: the cost a state is
// that of the large layer alone.
type averager struct {
	walker
	energies             []float64 // of all states
	lnz                  float64
	smallMean, largeMean []float64
	correlation, settled []float64 // small x large; settled is largeMean when the unit last flipped
}

// Visit implements units.Visitor.
func (w *averager) Visit(place int, spins []float64, flip int) {
	weight := math.Exp(w.energies[place] - w.lnz)
	for u, s := range spins {
		w.smallMean[u] += weight * s
	}
	mean := w.largeMean
	for j, f := range w.fields {
		mean[j] += weight * math.Tanh(f)
	}
	if flip >= 0 {
		w.settle(flip, spins[flip])
		return
	}
	for u, s := range spins {
		w.settle(u, s)
	}
}

func (w *averager) settle(u int, spin float64) {
	c, s := w.correlation[u*w.large:(u+1)*w.large], w.settled[u*w.large:(u+1)*w.large]
	for j, v := range w.largeMean {
		c[j] += spin * (v - s[j])
		s[j] = v
	}
}

// moments returns the averages of the small layer, of the large layer, and
// their products (small x large). The error is the context's.
func (e *enumeration) moments(energies []float64, lnz float64) (small, large, corr []float64, err error) {
	parts := make([]*averager, parallel.Pieces(len(energies), e.piece()))
	err = units.WalkStates(e.ctx, e.small, e.piece(), e.large, func(lo, _ int) units.Visitor {
		w := &averager{walker: walker{enumeration: e}, energies: energies, lnz: lnz, smallMean: make([]float64, e.small), largeMean: make([]float64, e.large),
			correlation: make([]float64, e.small*e.large), settled: make([]float64, e.small*e.large)}
		parts[lo/e.piece()] = w
		return w
	})
	if err != nil {
		return nil, nil, nil, err
	}
	sum := parts[0]
	for _, p := range parts[1:] {
		addTo(sum.smallMean, p.smallMean)
		addTo(sum.largeMean, p.largeMean)
		addTo(sum.correlation, p.correlation)
	}
	return sum.smallMean, sum.largeMean, sum.correlation, nil
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
	if _, ok := m.Synapses.(Signed); !ok || !m.Whole() || !m.Spins() {
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
