package dual

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// RealChains estimates the moments of networks with one layer of Gaussian units, from
// persistent block Gibbs chains, as Chains does for bits. It is the engine of Weighted for
// synapses that are known. It gives no ln Z.
type RealChains struct {
	Count  int // chains
	Sweeps int // a call
	Key    stream.Key
	// InitialReals or InitialBits are the visible states to start at, of Count columns, of the
	// kind of the visible units; nil for random hidden ones.
	InitialReals *units.Reals[float32]
	InitialBits  *spin.Matrix
	Scouts       int // chains that are replaced now and then by new ones from scattered states, as in Chains

	bits, bitsBefore   *spin.Matrix          // hidden states, if those are bits
	reals, realsBefore *units.Reals[float32] // and if they are Gaussian
	sweeps, swept      uint64                // done, and before the last call
	called             bool
}

// SetSweeps implements Sweeper.
func (c *RealChains) SetSweeps(sweeps int) { c.Sweeps = sweeps }

// Undo implements Undoer.
func (c *RealChains) Undo() {
	if c.called {
		c.bits, c.reals, c.sweeps, c.called = c.bitsBefore, c.realsBefore, c.swept, false
	}
}

// Moments implements Engine. Errors are the context's, of fewer than one chain or sweep, and of a
// network without a Gaussian layer.
func (c *RealChains) Moments(ctx context.Context, dst *rbm.Moments[float32], net *rbm.Network[float32]) (Report, error) {
	switch {
	case c.Count < 1 || c.Sweeps < 1:
		return Report{}, fmt.Errorf("%d chains of %d sweeps a call: both must be at least 1", c.Count, c.Sweeps)
	case net.VisibleKind.Bits() == net.HiddenKind.Bits():
		return Report{}, fmt.Errorf("%w: these chains are of one Gaussian layer, and units are %s and %s", ErrNotServed, net.VisibleKind, net.HiddenKind)
	}
	c.bitsBefore, c.realsBefore, c.swept, c.called = c.bits, c.reals, c.sweeps, true
	var err error
	n, p, share := net.Visible(), net.Hidden(), 1/float32(c.Count)
	if !net.VisibleKind.Bits() {
		var chains *sample.Chains[float32, *units.Reals[float32], *spin.Matrix]
		if chains, err = swept(ctx, gaussPath(net), c, c.bits, c.InitialReals); err == nil {
			c.bits = chains.Hidden
			u, means := chains.Visible, chains.HiddenFields()
			rbm.SetMeans(means, means, net.HiddenKind, c.Count)
			kernel.MulReal(dst.Correlation, means, u.Values(), p, c.Count, n, false, true)
			kernel.Affine(dst.Correlation, dst.Correlation, share, 0)
			rowMeans(dst.Hidden, means)
			rowMeans(dst.Visible, u.Values())
		}
	} else {
		var chains *sample.Chains[float32, *spin.Matrix, *units.Reals[float32]]
		if chains, err = swept(ctx, sample.OnHopfield(net, c.base(net)), c, c.reals, c.InitialBits); err == nil {
			c.reals = chains.Hidden
			s, means := spin.New(c.Count, n), chains.HiddenFields() // which are the means
			chains.Visible.Transpose(s)
			spin.MulAffine(dst.Correlation, means, p, s, share, make([]float32, p))
			rowMeans(dst.Hidden, means)
			sums := make([]int, n)
			s.ColSums(sums)
			for i, v := range sums {
				dst.Visible[i] = float32(v) * share
			}
		}
	}
	if err != nil {
		c.Undo()
		return Report{}, err
	}
	c.sweeps += uint64(c.Sweeps)
	return Report{Engine: "chains", LnZ: math.NaN(), Iterations: c.Sweeps, Converged: true}, nil
}

// swept returns chains that have gone on from hidden states, or began if those are nil.
func swept[V units.States[V], H units.States[H]](ctx context.Context, source sample.Source[float32, V, H], c *RealChains, from H, start V) (*sample.Chains[float32, V, H], error) {
	var none H
	var nowhere V
	chains := sample.NewChains(source, c.Count, c.Key)
	chains.Sweeps = c.sweeps
	switch {
	case any(from) != any(none):
		chains.Hidden = from.Clone()
	case any(start) != any(nowhere):
		chains.StartAt(start)
	}
	if scattering, ok := any(source).(sample.Scattering[V]); ok {
		if round := scoutsDue(c.Scouts, c.sweeps, c.Sweeps); round > 0 {
			places := scoutPlaces(round, c.Scouts, c.Count)
			key := c.Key.Sub(stream.ChainsScouts).Sub(round)
			scouts := sample.NewChains(source, len(places), key)
			scouts.StartAt(scattering.Scattered(len(places), key))
			if err := sweepAll(ctx, scouts.Sweep, scoutSweeps); err != nil {
				return nil, err
			}
			chains.Hidden.Put(scouts.Hidden, places)
		}
	}
	return chains, sweepAll(ctx, chains.Sweep, c.Sweeps)
}

// sweepAll sweeps chains, and gives up where the context ends.
func sweepAll(ctx context.Context, sweep func(k int), sweeps int) error {
	for range sweeps {
		if err := ctx.Err(); err != nil {
			return err
		}
		sweep(1)
	}
	return nil
}

// base returns fields of independent visible bits. Their means are those of the states that chains started at.
func (c *RealChains) base(net *rbm.Network[float32]) []float64 {
	if c.InitialBits == nil {
		return make([]float64, net.Visible())
	}
	return units.FeatureFields(c.InitialBits, net.VisibleKind)
}

// gaussPath is the path to a network of Gaussian visible units from standard normal ones.
func gaussPath(net *rbm.Network[float32]) *sample.GaussSource {
	mean, one := make([]float64, net.Visible()), make([]float64, net.Visible())
	for i := range one {
		one[i] = 1
	}
	return sample.OnGauss(net, mean, one, one)
}

// State implements Stateful.
func (c *RealChains) State() State {
	switch {
	case c.bits != nil:
		return State{Count: c.sweeps, States: []units.Stored{c.bits.Store()}}
	case c.reals != nil:
		return State{Count: c.sweeps, States: []units.Stored{c.reals.Store()}}
	}
	return State{}
}

// Restore implements Stateful.
func (c *RealChains) Restore(_, hidden int, s State) error {
	c.called = false
	if len(s.States) == 0 {
		c.bits, c.reals, c.sweeps = nil, nil, 0
		return nil
	}
	if len(s.States) > 1 {
		return fmt.Errorf("%d layers of states, not one", len(s.States))
	}
	if _, reals := s.States[0].Data.([]float32); reals {
		next := units.NewReals[float32](hidden, c.Count)
		if err := next.Load(s.States[0]); err != nil {
			return err
		}
		c.bits, c.reals, c.sweeps = nil, next, s.Count
		return nil
	}
	next := spin.New(hidden, c.Count)
	if err := next.Load(s.States[0]); err != nil {
		return err
	}
	c.bits, c.reals, c.sweeps = next, nil, s.Count
	return nil
}

// annealedNetwork estimates ln Z of a network, of any kinds of units, from independent visible units
// in the fields base.
func annealedNetwork[T rbm.Real](ctx context.Context, net *rbm.Network[T], base []float64, with sample.Annealing) (sample.LnZEstimate, error) {
	if net.VisibleKind.Bits() && net.HiddenKind.Bits() {
		return sample.AnnealedLnZ(ctx, sample.OnNetwork(net).From(base), with)
	}
	single := rbm.NewNetwork[float32](net.Visible(), net.Hidden())
	single.VisibleKind, single.HiddenKind, single.Constant = net.VisibleKind, net.HiddenKind, net.Constant
	for _, x := range []struct {
		to   []float32
		from []T
	}{{single.Coupling, net.Coupling}, {single.VisibleField, net.VisibleField}, {single.HiddenField, net.HiddenField}} {
		for k, v := range x.from {
			x.to[k] = float32(v)
		}
	}
	if !net.VisibleKind.Bits() {
		return sample.AnnealedLnZ(ctx, gaussPath(single), with)
	}
	return sample.AnnealedLnZ(ctx, sample.OnHopfield(single, base), with)
}
