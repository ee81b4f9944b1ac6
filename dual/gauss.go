package dual

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// Gauss is the annealed partition term ln E_q Z of a machine with one layer of Gaussian
// units and one of spins, colours or groups, by enumeration of the latter.
// A synapse averages to f = cosh a + lambda sinh a with a = J (u - mu)(h - nu), and for each
// state of the bits the integral over the Gaussian units is a product of integrals of one
// dimension, by the trapezoid rule. It keeps nothing between calls.
//
// Z is an integral over u = (v - mean)/sigma: it does not know the own parameters.
type Gauss[T rbm.Real] struct{}

// maxGaussStates limits the states of the bits, and those times the Gaussian units.
const (
	maxGaussStates = 1 << 16
	maxGaussTable  = 1 << 23
)

// servesGauss refuses all but binary synapses between Gaussian units and bits.
func servesGauss(form Form) error {
	visible, err := units.ParseKind(form.Visible)
	hidden, errHidden := units.ParseKind(form.Hidden)
	if !form.Synapses.LogOdds() || err != nil || errHidden != nil || visible.Bits() == hidden.Bits() {
		return fmt.Errorf("%w: this one is of binary synapses between one layer of Gaussian units and one of bits, and it is %s synapses between %s and %s", ErrNotServed, form.Synapses, form.Visible, form.Hidden)
	}
	if err := units.CheckPair(visible, hidden); err != nil {
		return fmt.Errorf("%w: %w", ErrNotServed, err)
	}
	return nil
}

// Serves implements Partition.
func (Gauss[T]) Serves(form Form) error { return servesGauss(form) }

// GivesLnZ implements Summing.
func (Gauss[T]) GivesLnZ() bool { return true }

// mixed is a machine of Gaussian units and bits, whichever is the visible layer.
type mixed struct {
	coupling              float64
	reals, bits           int       // numbers of Gaussian units and of features of bits
	lambda                []float64 // reals x bits
	realField, realOffset []float64
	bitField, bitOffset   []float64
	kind                  units.Kind // of the bits
	hiddenBits            bool
}

// newMixed returns that of parameters and posterior means. The error is of more than one
// link, or of layers that are both of bits.
func newMixed[T rbm.Real](params *rbm.Params, mean []T) (*mixed, error) {
	n, p := params.Visible(), params.Hidden()
	checkMean(mean, n, p)
	if !params.Whole() {
		return nil, fmt.Errorf("%w: the term of Gaussian units is one of a single link, and the machine has %d", ErrNotServed, len(params.Links))
	}
	x := &mixed{coupling: params.Coupling(), reals: n, bits: p, lambda: make([]float64, n*p), realField: params.VisibleField, realOffset: params.VisibleOffset,
		bitField: params.HiddenField, bitOffset: params.HiddenOffset, kind: params.HiddenKind, hiddenBits: true}
	if params.VisibleKind.Bits() {
		x.reals, x.bits, x.hiddenBits, x.kind = p, n, false, params.VisibleKind
		x.realField, x.realOffset, x.bitField, x.bitOffset = x.bitField, x.bitOffset, x.realField, x.realOffset
	}
	if params.VisibleKind.Bits() == params.HiddenKind.Bits() {
		return nil, fmt.Errorf("%w: the term of Gaussian units is of a layer of them and one of bits, and units are %s and %s", ErrNotServed, params.VisibleKind, params.HiddenKind)
	}
	for k, v := range mean {
		x.lambda[x.at(k/n, k%n)] = float64(v)
	}
	return x, nil
}

// at is the place of the synapse of a hidden and a visible unit in reals x bits.
func (x *mixed) at(hidden, visible int) int {
	if x.hiddenBits {
		return visible*x.bits + hidden
	}
	return hidden*x.bits + visible
}

// reach returns the largest sum over bits of |h - nu|.
func (x *mixed) reach() float64 {
	sum, of := 0.0, x.kind.Features()
	for f := 0; f < x.bits; f += of {
		best := math.Inf(-1)
		if x.kind.None || !x.kind.OneHot() {
			best = 0
		}
		for _, nu := range x.bitOffset[f : f+of] {
			off, on := math.Abs(1+nu), math.Abs(1-nu)
			sum += off
			best = max(best, on-off)
		}
		sum += best
	}
	return sum
}

// nodes are those of the integral over a Gaussian unit of the given field. The error of
// the trapezoid rule falls exponentially: it is below 1e-9, in float32 below 1e-6.
func (x *mixed) nodes(field float64, exact bool) (u []float64, step float64) {
	far := 7.0
	step = 0.5
	if exact {
		far, step = 9, 0.4
	}
	far += math.Abs(field) + x.coupling*x.reach()
	k := math.Ceil(far / step)
	step = far / k
	for j := -k; j <= k; j++ {
		u = append(u, j*step)
	}
	return u, step
}

// widest is how far a Gaussian unit may reach in deviations: two and a half nodes for each.
const widest = 1e4

// states returns the number of states of the bits. The error is rbm.ErrTooLarge, or tells of a Gaussian unit that
// reaches beyond widest.
func (x *mixed) states() (int, error) {
	reach := x.coupling * x.reach()
	for r, field := range x.realField {
		if far := math.Abs(field) + reach; !(far <= widest) {
			return 0, fmt.Errorf("unit %d, a Gaussian one, reaches %.3g deviations from 0, beyond %g: coupling or field is too large", r, far, float64(widest))
		}
	}
	ln := x.kind.LnStates(x.bits)
	if !(ln < math.Log(maxGaussStates)+1e-9 && ln+math.Log(float64(x.reals)) < math.Log(maxGaussTable)) {
		return 0, fmt.Errorf("%w: %d features of %s units have exp(%.1f) states, beside %d Gaussian units", rbm.ErrTooLarge, x.bits, x.kind, ln, x.reals)
	}
	states := 1
	for range x.bits / x.kind.Features() {
		states *= x.kind.Choices()
	}
	return states, nil
}

// on returns the feature that is on where a unit has chosen, -1 for none.
func (x *mixed) on(unit, choice int) int {
	switch {
	case !x.kind.OneHot() && choice == 1:
		return unit
	case choice == x.kind.States: // of spins that is 0
		return -1
	}
	return unit*x.kind.States + choice
}

// spread sets e to base plus the sum of turn of the features that are on, in each state:
// the choice of the first unit changes fastest.
func (x *mixed) spread(e []float64, base float64, turn []float64) {
	e[0] = base
	size := 1
	for unit := range x.bits / x.kind.Features() {
		for choice := x.kind.Choices() - 1; choice >= 0; choice-- {
			by := 0.0
			if f := x.on(unit, choice); f >= 0 {
				by = turn[f]
			}
			to := e[choice*size:][:size]
			for k, v := range e[:size] {
				to[k] = v + by
			}
		}
		size *= x.kind.Choices()
	}
}

// gather returns the sum of weights over the states, and sets on to that over those in
// which each feature is on. It overwrites the weights.
func (x *mixed) gather(on, weights []float64) (total float64) {
	size := len(weights)
	for unit := x.bits/x.kind.Features() - 1; unit >= 0; unit-- {
		size /= x.kind.Choices()
		for choice := range x.kind.Choices() {
			part := weights[choice*size:][:size]
			if f := x.on(unit, choice); f >= 0 {
				sum := 0.0
				for _, v := range part {
					sum += v
				}
				on[f] = sum
			}
			if choice > 0 {
				to := weights[:size]
				for k, v := range part {
					to[k] += v
				}
			}
		}
	}
	return weights[0]
}

// SecondMoments returns <u²> of the Gaussian units under the dual network. Errors are those
// of Rows.
func (Gauss[T]) SecondMoments(ctx context.Context, params *rbm.Params, mean []T) ([]float64, error) {
	s, _, _, err := sumGauss(ctx, params, mean)
	if err != nil {
		return nil, err
	}
	return s.second, nil
}

// sumGauss returns all sums, ln Z, and the probabilities of the states of the bits.
func sumGauss[T rbm.Real](ctx context.Context, params *rbm.Params, mean []T) (s *gaussSums, lnZ float64, p []float64, err error) {
	x, err := newMixed(params, mean)
	if err != nil {
		return nil, 0, nil, err
	}
	states, err := x.states()
	if err != nil {
		return nil, 0, nil, err
	}
	_, single := any(T(0)).(float32)
	s = &gaussSums{mixed: x, states: states, exact: !single, own: make([]float64, x.reals*states), first: make([]float64, x.reals), second: make([]float64, x.reals),
		synapse: make([]float64, x.reals*x.bits), byCoupling: make([]float64, x.reals*x.bits)}
	if lnZ, p, err = s.weights(ctx); err != nil {
		return nil, 0, nil, err
	}
	return s, lnZ, p, s.averages(ctx, p)
}

// Rows implements Partition. Errors are rbm.ErrTooLarge, ErrNotServed and the context's.
func (Gauss[T]) Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error) {
	s, lnZ, p, err := sumGauss(ctx, params, mean)
	if err != nil {
		return nil, Report{}, err
	}
	x, on := s.mixed, make([]float64, s.bits)
	x.gather(on, p)
	for f, v := range on {
		on[f] = 2*v - 1
	}
	visible, hidden := s.first, on
	if !x.hiddenBits {
		visible, hidden = hidden, visible
	}
	copy(grad.VisibleField, visible)
	copy(grad.HiddenField, hidden)
	clear(grad.Coupling)
	clear(grad.VisibleOwn)
	n := params.Visible()
	row := func(dst []T, byCoupling []float64, mu int) {
		for i := range n {
			k := x.at(mu, i)
			dst[i] = T(s.synapse[k])
			byCoupling[0] += s.byCoupling[k]
		}
	}
	return row, Report{Engine: ExactName, LnZ: lnZ, Converged: true, Rho: x.leastOf(on)}, nil
}

// gaussSums are the sums over all states.
type gaussSums struct {
	*mixed
	states              int
	exact               bool
	own                 []float64 // ln of the integral over each Gaussian unit, in each state: reals x states
	first, second       []float64 // <u>, <u²>
	synapse, byCoupling []float64 // derivatives, reals x bits
}

// An edgeTable holds a Gaussian unit's edges at one node.
type edgeTable struct {
	base float64   // ln of the product of all f, and of exp(-u²/2 + field u), where all features are off
	turn []float64 // by what ln f grows where a feature is on
}

func (x *mixed) table(t *edgeTable, r int, u, field, offset float64) {
	t.base = (field - u/2) * u
	for b, nu := range x.bitOffset {
		a, lambda := x.coupling*(u-offset), x.lambda[r*x.bits+b]
		off := kernel.EdgeLog(lambda, a*(-1-nu))
		t.base += off
		t.turn[b] = kernel.EdgeLog(lambda, a*(1-nu)) - off
	}
}

// weights returns ln Z and the probability of each state. The error is the context's.
func (s *gaussSums) weights(ctx context.Context) (lnZ float64, p []float64, err error) {
	err = parallel.ForContext(ctx, s.reals, 1, func(lo, hi int) {
		t, e, top := edgeTable{turn: make([]float64, s.bits)}, make([]float64, s.states), make([]float64, s.states)
		for r := lo; r < hi; r++ {
			sum := s.own[r*s.states : (r+1)*s.states]
			nodes, step := s.nodes(s.realField[r], s.exact)
			for j, u := range nodes {
				if ctx.Err() != nil {
					return
				}
				s.table(&t, r, u, s.realField[r], s.realOffset[r])
				s.spread(e, t.base, t.turn)
				if j == 0 {
					copy(top, e)
					for k := range sum {
						sum[k] = 1
					}
					continue
				}
				for k, v := range e {
					if d := v - top[k]; d <= 0 {
						sum[k] += math.Exp(d)
					} else {
						sum[k] = sum[k]*math.Exp(-d) + 1
						top[k] = v
					}
				}
			}
			lnStep := math.Log(step)
			for k, v := range top {
				sum[k] = v + math.Log(sum[k]) + lnStep
			}
		}
	})
	if err != nil {
		return 0, nil, err
	}
	p = make([]float64, s.states)
	off, turn := 0.0, make([]float64, s.bits)
	for b, c := range s.bitField {
		off -= c
		turn[b] = 2 * c
	}
	s.spread(p, off, turn)
	for r := range s.reals {
		for k, v := range s.own[r*s.states : (r+1)*s.states] {
			p[k] += v
		}
	}
	lnZ = rbm.LogSumExp(p)
	for k, v := range p {
		p[k] = math.Exp(v - lnZ)
	}
	return lnZ, p, nil
}

// averages sets the averages, given the probability of each state. The error is the context's.
func (s *gaussSums) averages(ctx context.Context, p []float64) error {
	return parallel.ForContext(ctx, s.reals, 1, func(lo, hi int) {
		t, e, on := edgeTable{turn: make([]float64, s.bits)}, make([]float64, s.states), make([]float64, s.bits)
		for r := lo; r < hi; r++ {
			own := s.own[r*s.states : (r+1)*s.states]
			nodes, step := s.nodes(s.realField[r], s.exact)
			for _, u := range nodes {
				if ctx.Err() != nil {
					return
				}
				s.table(&t, r, u, s.realField[r], s.realOffset[r])
				s.spread(e, t.base, t.turn)
				for k, v := range e {
					e[k] = p[k] * math.Exp(v-own[k]) * step
				}
				total := s.gather(on, e)
				s.first[r] += total * u
				s.second[r] += total * u * u
				for b, nu := range s.bitOffset {
					lambda, w := s.lambda[r*s.bits+b], u-s.realOffset[r]
					for _, of := range [2]struct{ h, weight float64 }{{1, on[b]}, {-1, total - on[b]}} {
						y := w * (of.h - nu)
						byLambda, byA := kernel.EdgeSlope(lambda, s.coupling*y)
						s.synapse[r*s.bits+b] += of.weight * byLambda
						s.byCoupling[r*s.bits+b] += of.weight * byA * y
					}
				}
			}
		}
	})
}
