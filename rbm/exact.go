package rbm

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/spin"
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
	lnz, err := newEnumeration(ctx, n).logSum(nil)
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

// A walk over states looks at the context each time it has visited so many units.
const unitsBetweenLooks = 1 << 17

// walk calls visit for the states lo <= k < hi in Gray-code order with the
// energy of the small layer's fields, the fields of the large layer, and the
// unit that flips after the state (-1 at the end). It gives up if the context ends.
func (e *enumeration) walk(lo, hi int, visit func(k int, energy float64, fields []float64, spins []float64, flip int)) {
	spins := make([]float64, e.small)
	fields := append([]float64(nil), e.largeField...)
	gray := lo ^ lo>>1
	energy := 0.0
	for u := range spins {
		spins[u] = 1 - 2*float64(gray>>u&1)
		energy += spins[u] * e.smallField[u]
		for j, w := range e.coupling[u*e.large : (u+1)*e.large] {
			fields[j] += spins[u] * w
		}
	}
	between := max(1, unitsBetweenLooks/e.large)
	for k := lo; k < hi; k++ {
		if (k-lo)%between == 0 && e.ctx.Err() != nil {
			return
		}
		flip := bits.TrailingZeros(uint(k + 1))
		if k+1 == hi {
			flip = -1
		}
		visit(k, energy, fields, spins, flip)
		if flip >= 0 {
			d := -2 * spins[flip]
			spins[flip] = -spins[flip]
			energy += d * e.smallField[flip]
			for j, w := range e.coupling[flip*e.large : (flip+1)*e.large] {
				fields[j] += d * w
			}
		}
	}
}

// logSum returns ln sum exp(energy) over all states, and fills energies, in
// order of visit, if it is not nil. The error is the context's.
func (e *enumeration) logSum(energies []float64) (float64, error) {
	states := 1 << e.small
	parts := make([]float64, parallel.Pieces(states, e.piece()))
	err := parallel.ForContext(e.ctx, states, e.piece(), func(lo, hi int) {
		local := make([]float64, 0, hi-lo)
		e.walk(lo, hi, func(k int, energy float64, fields, _ []float64, _ int) {
			for _, f := range fields {
				energy += kernel.Log2Cosh(f)
			}
			local = append(local, energy)
		})
		if energies != nil {
			copy(energies[lo:], local)
		}
		parts[lo/e.piece()] = LogSumExp(local)
	})
	return LogSumExp(parts), err
}

// moments returns the averages of the small layer, of the large layer, and
// their products (small x large). Only one small unit flips between states, so
// a unit's signed sum is settled when it flips: the cost a state is that of the
// large layer alone. The error is the context's.
func (e *enumeration) moments(energies []float64, lnz float64) (small, large, corr []float64, err error) {
	states := 1 << e.small
	type part struct{ small, large, corr []float64 }
	parts := make([]part, parallel.Pieces(states, e.piece()))
	err = parallel.ForContext(e.ctx, states, e.piece(), func(lo, hi int) {
		p := part{make([]float64, e.small), make([]float64, e.large), make([]float64, e.small*e.large)}
		settled := make([]float64, e.small*e.large) // p.large when the unit last flipped
		settle := func(u int, spin float64) {
			c, s := p.corr[u*e.large:(u+1)*e.large], settled[u*e.large:(u+1)*e.large]
			for j, v := range p.large {
				c[j] += spin * (v - s[j])
				s[j] = v
			}
		}
		e.walk(lo, hi, func(k int, _ float64, fields, spins []float64, flip int) {
			w := math.Exp(energies[k] - lnz)
			for u, s := range spins {
				p.small[u] += w * s
			}
			for j, f := range fields {
				p.large[j] += w * math.Tanh(f)
			}
			if flip >= 0 {
				settle(flip, spins[flip])
			} else {
				for u, s := range spins {
					settle(u, s)
				}
			}
		})
		parts[lo/e.piece()] = p
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
	step := make([]int8, small*large) // ±1 by which unit u moves the place in row j
	for u := range small {
		for j := range large {
			step[u*large+j] = synapses.At(j, u)
		}
	}
	states := 1 << small
	piece := min(states, 1<<12)
	parts := make([]float64, parallel.Pieces(states, piece))
	between := max(1, unitsBetweenLooks/large)
	err := parallel.ForContext(ctx, states, piece, func(lo, hi int) {
		place := make([]int32, large) // index of the state's entry in the table
		energy := 0.0
		up := make([]bool, small)
		for j := range place {
			place[j] = int32(j * width)
		}
		for u := range up {
			up[u] = (lo^lo>>1)>>u&1 == 1
			sign := int8(-1)
			if up[u] {
				sign = 1
			}
			energy += float64(sign) * smallField[u]
			for j, d := range step[u*large : (u+1)*large] {
				if d == sign {
					place[j]++
				}
			}
		}
		energies := make([]float64, 0, hi-lo)
		for k := lo; k < hi; k++ {
			if (k-lo)%between == 0 && ctx.Err() != nil {
				return
			}
			sum := 0.0
			for _, p := range place {
				sum += table[p]
			}
			energies = append(energies, energy+sum)
			if k+1 < hi {
				u := bits.TrailingZeros(uint(k + 1))
				sign := int32(1)
				if up[u] {
					sign = -1
				}
				up[u] = !up[u]
				energy += 2 * float64(sign) * smallField[u]
				for j, d := range step[u*large : (u+1)*large] {
					place[j] += sign * int32(d)
				}
			}
		}
		parts[lo/piece] = LogSumExp(energies)
	})
	return constant + LogSumExp(parts), err
}
