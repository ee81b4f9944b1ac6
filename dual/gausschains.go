package dual

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// GaussChains is the annealed partition term ln E_q Z of a machine with one layer of Gaussian
// units and one of spins, colours or groups. It runs persistent chains on the machine's dual:
// the network whose synapses are redrawn at every step. It is Gauss for machines whose bits have
// too many states, and gives no ln Z. Each synapse has the derivative
// <tanh(theta + a) - lambda> / (1 - lambda²), a = J (u - mu)(h - nu), averaged over the bits given u.
type GaussChains[T rbm.Real] struct {
	Count  int // chains
	Sweeps int // a call
	Key    stream.Key
	// The states to start at, of Count columns, of the layer that has them; nil for states of
	// no data.
	InitialReals *units.Reals[T]
	InitialBits  *spin.Matrix
	// Scouts is the number of chains, at most Count, that are replaced now and then by new ones from
	// scattered visible states, as in Chains.
	Scouts int

	now, before gaussStates[T]
	called      bool // there was a call that Undo can take back

	source *moving[T] // of the last call, whose memory the next one takes
	layers *movingLayers[T]
}

// gaussStates are those of the chains; without states before the first call.
type gaussStates[T rbm.Real] struct {
	u      *units.Reals[T]
	h      *spin.Matrix
	sweeps uint64
}

func (s gaussStates[T]) clone() gaussStates[T] {
	if s.u != nil {
		s.u, s.h = s.u.Clone(), s.h.Clone()
	}
	return s
}

// Serves implements Partition.
func (*GaussChains[T]) Serves(form Form) error { return servesGauss(form) }

// SetSweeps implements Sweeper.
func (c *GaussChains[T]) SetSweeps(sweeps int) { c.Sweeps = sweeps }

// Undo implements Undoer.
func (c *GaussChains[T]) Undo() {
	if c.called {
		c.now, c.called = c.before, false
	}
}

// State implements Stateful.
func (c *GaussChains[T]) State() State {
	if c.now.u == nil {
		return State{}
	}
	return State{Count: c.now.sweeps, States: []units.Stored{c.now.u.Store(), c.now.h.Store()}}
}

// Restore implements Stateful.
func (c *GaussChains[T]) Restore(visible, hidden int, s State) error {
	c.called = false
	if len(s.States) == 0 {
		c.now = gaussStates[T]{}
		return nil
	}
	reals, bits := visible, hidden
	if len(s.States) == 2 && !slices.Equal(s.States[0].Shape, []int{visible, c.Count}) {
		reals, bits = hidden, visible
	}
	if len(s.States) != 2 || !slices.Equal(s.States[0].Shape, []int{reals, c.Count}) || !slices.Equal(s.States[1].Shape, []int{bits, c.Count}) {
		return fmt.Errorf("%d states that are not those of %d chains on %d and %d units", len(s.States), c.Count, visible, hidden)
	}
	next := gaussStates[T]{units.NewReals[T](reals, c.Count), spin.New(bits, c.Count), s.Count}
	if err := next.u.Load(s.States[0]); err != nil {
		return err
	}
	if err := next.h.Load(s.States[1]); err != nil {
		return err
	}
	c.now = next
	return nil
}

// begin puts the chains where they start.
func (c *GaussChains[T]) begin(layers *movingLayers[T]) {
	key := c.Key.Sub(stream.ChainsStart)
	s := layers.moving
	c.now = gaussStates[T]{u: s.NewVisible(c.Count), h: s.RandomHidden(c.Count, key)}
	switch {
	case s.hiddenBits && c.InitialReals != nil:
		c.now.u = c.InitialReals.Clone()
		layers.DrawHidden(c.now.h, c.now.u, 1, key)
	case !s.hiddenBits && c.InitialBits != nil:
		c.now.h = c.InitialBits.Clone()
	}
}

// Rows implements Partition. Errors are the context's, of fewer than one chain or sweep, and
// ErrNotServed.
func (c *GaussChains[T]) Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error) {
	if c.Count < 1 || c.Sweeps < 1 {
		return nil, Report{}, fmt.Errorf("%d chains of %d sweeps a call: both must be at least 1", c.Count, c.Sweeps)
	}
	x, err := newMixed(params, mean)
	if err != nil {
		return nil, Report{}, err
	}
	source := newMoving(x, c.source)
	layers := c.layers.on(source, c.Count)
	c.source, c.layers = source, layers
	c.before, c.called = c.now, true
	if c.now.u == nil {
		c.begin(layers)
	} else {
		c.now = c.now.clone() // the states of before stay
	}
	s := &c.now
	if round := scoutsDue(c.Scouts, s.sweeps, c.Sweeps); round > 0 {
		if err := c.scout(ctx, source, round); err != nil {
			c.Undo()
			return nil, Report{}, err
		}
	}
	for range c.Sweeps {
		if err := ctx.Err(); err != nil {
			c.Undo()
			return nil, Report{}, err
		}
		s.sweeps++
		layers.DrawVisible(s.u, s.h, 1, c.Key.Sub(stream.ChainsVisible).Sub(s.sweeps))
		layers.DrawHidden(s.h, s.u, 1, c.Key.Sub(stream.ChainsHidden).Sub(s.sweeps))
	}
	sums := layers.average(s.u)
	visible, hidden := sums.reals, sums.bits
	if !x.hiddenBits {
		visible, hidden = hidden, visible
	}
	copy(grad.VisibleField, visible)
	copy(grad.HiddenField, hidden)
	clear(grad.VisibleOwn)
	grad.Coupling[0] = sums.byCoupling
	n := params.Visible()
	row := func(dst []T, _ []float64, mu int) {
		if x.hiddenBits {
			copy(dst, sums.synapse[mu*n:(mu+1)*n])
			return
		}
		for i := range n {
			dst[i] = sums.synapse[i*x.reals+mu]
		}
	}
	return row, Report{Engine: "chains", LnZ: math.NaN(), Iterations: c.Sweeps, Converged: true, Rho: x.leastOf(sums.bits)}, nil
}

// scoutsDue returns the round of scouts that is due within so many sweeps after those done, 0 for none.
func scoutsDue(scouts int, done uint64, sweeps int) (round uint64) {
	if before, after := done/scoutEvery, (done+uint64(sweeps))/scoutEvery; scouts > 0 && before < after {
		return after
	}
	return 0
}

// scoutPlaces returns the chains that the scouts of a round replace.
func scoutPlaces(round uint64, scouts, count int) []int {
	places := make([]int, min(scouts, count))
	for k := range places {
		places[k] = (int(round-1)*len(places) + k) % count
	}
	return places
}

// scout puts scouts in the place of chains. The error is the context's.
func (c *GaussChains[T]) scout(ctx context.Context, source *moving[T], round uint64) error {
	places := scoutPlaces(round, c.Scouts, c.Count)
	count, key := len(places), c.Key.Sub(stream.ChainsScouts).Sub(round)
	layers, u, h := source.conditionals(count), source.NewVisible(count), source.RandomHidden(count, key)
	if source.hiddenBits {
		u = source.Base(count, key)
		for r := range u.Units() {
			for l, v := range u.Row(r) {
				_, share := math.Modf((float64(l) + 0.5) / math.Phi)
				u.Row(r)[l] = T(4*share) * v
			}
		}
		layers.DrawHidden(h, u, 1, key)
	} else {
		h = scatteredBits(c.InitialBits, source.bits, source.kind, count, key)
	}
	for round := range uint64(scoutSweeps) {
		if err := ctx.Err(); err != nil {
			return err
		}
		layers.DrawVisible(u, h, 1, key.Sub(stream.ChainsVisible).Sub(round))
		layers.DrawHidden(h, u, 1, key.Sub(stream.ChainsHidden).Sub(round))
	}
	c.now.u.Put(u, places)
	c.now.h.Put(h, places)
	return nil
}

// scatteredBits returns states of visible bits far from any data, which are like those given.
func scatteredBits(like *spin.Matrix, bits int, kind units.Kind, count int, key stream.Key) *spin.Matrix {
	base, net := make([]float64, bits), rbm.NewNetwork[float32](bits, 1)
	if like != nil {
		base = units.FeatureFields(like, kind)
	}
	net.VisibleKind = kind
	return sample.OnNetwork(net).From(base).Scattered(count, key)
}

// AnnealedLnZ implements Annealable: ln E_q Z. Chains start at base where the bits are visible,
// else at their own fields; Gaussian units start without synapses.
func (c *GaussChains[T]) AnnealedLnZ(ctx context.Context, params *rbm.Params, mean []T, base []float64, with sample.Annealing) (sample.LnZEstimate, error) {
	x, err := newMixed(params, mean)
	if err != nil {
		return sample.LnZEstimate{}, err
	}
	source := newMoving[T](x, nil)
	if !x.hiddenBits {
		source.base = base
	}
	return sample.AnnealedLnZ(ctx, source, with)
}

// gaussAverages are what the term needs of the chains; synapse is bits x reals.
type gaussAverages[T rbm.Real] struct {
	reals, bits []float64
	synapse     []T
	byCoupling  float64
}

// average averages over the chains at u, after DrawHidden, and over the bits
// given u. The derivative by J is that of an integral over u: J d ln Z/dJ = sum <(u - mu)(u - b)> - 1.
func (c *movingLayers[T]) average(u *units.Reals[T]) *gaussAverages[T] {
	m, share := c.chains, 1/float64(c.chains)
	out := &gaussAverages[T]{reals: make([]float64, c.reals), bits: make([]float64, c.bits), synapse: make([]T, len(c.rows))}
	for r := range out.reals {
		square := 0.0
		for _, v := range u.Row(r) {
			out.reals[r] += float64(v) * share
			square += (float64(v) - c.realOffset[r]) * (float64(v) - c.realField[r]) * share
		}
		out.byCoupling += (square - 1) / c.coupling
	}
	means := c.signs // not read before the next draw
	rbm.SetMeans(means, c.fields, c.kind, m)
	for b := range out.bits {
		out.bits[b] = kernel.Sum(means[b*m:(b+1)*m]) * share
	}
	terms := c.first()
	const together = 32 // bits whose rows share what the product reads
	product, sums := make([]T, len(c.rows)), make([]T, c.reals)
	for n := 1; n <= terms; n++ {
		if n > 1 {
			c.next()
		}
		for r := range sums {
			sums[r] = T(kernel.Sum(c.power[r*m : (r+1)*m]))
		}
		parallel.For(c.bits, together, func(lo, hi int) {
			if c.signed[n] != nil {
				kernel.MulReal(product[lo*c.reals:hi*c.reals], means[lo*m:hi*m], c.power, hi-lo, m, c.reals, false, true)
			}
			for b := lo; b < hi; b++ {
				even, odd := powersOf(c.nu[b], n)
				e, o := T(even*share), T(odd*share)
				coefficients, sum := c.m[n][b*c.reals:(b+1)*c.reals], out.synapse[b*c.reals:(b+1)*c.reals]
				for r, p := range product[b*c.reals : (b+1)*c.reals] {
					sum[r] += coefficients[r] * (e*sums[r] + o*p)
				}
			}
		})
	}
	if len(c.wild) == 0 {
		return out
	}
	parallel.For(c.bits, 4, func(lo, hi int) {
		s := make([]T, m)
		for b := lo; b < hi; b++ {
			nu := T(c.bitOffset[b])
			for _, r := range c.wild {
				kernel.Affine(s, c.x[r*m:(r+1)*m], nu, 0)
				kernel.Tanh(s, s)
				k := b*c.reals + r
				out.synapse[k] = slope(c.across[k], means[b*m:(b+1)*m], c.tau[r*m:(r+1)*m], s) * T(share)
			}
		}
	})
	return out
}

// slope returns the sum over chains of the derivative of ln f by lambda, averaged over a bit of the
// given means; s is tanh nu x.
func slope[T rbm.Real](lambda T, mean, tau, s []T) (sum T) {
	least := T(smallest[T]())
	tau, s = tau[:len(mean)], s[:len(mean)]
	for l, h := range mean {
		t, s := tau[l], s[l]
		a, d := 1-lambda*s, t*(lambda-s)
		up, down := max(a+d, least), max(a-d, least)
		sum += ((1+h)*(t-s)*down - (1-h)*(t+s)*up) / (2 * up * down)
	}
	return sum
}
