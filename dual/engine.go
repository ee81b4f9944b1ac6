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

// An Engine computes or estimates the moments of a network. Engines keep state
// between calls (messages, fixed points, chains) and expect the networks of
// consecutive calls to be close.
//
// What only some engines can do is an optional interface: Summing, Undoer,
// Stateful, Sweeper, Scouting.
type Engine[T rbm.Real] interface {
	// Moments sets dst to the moments of the network. If the context ends, the
	// engine gives up, returns the context's error, and is as it was before the call.
	Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error)
}

// A Sweeper is an engine of chains whose number of sweeps a call can be changed.
type Sweeper interface {
	SetSweeps(sweeps int)
}

// ExactName is what reports of Exact call it.
const ExactName = "exact"

// Exact enumerates the smaller layer, of at most MaxExact units: the oracle of
// all others.
type Exact[T rbm.Real] struct{}

// MaxExact is the largest smaller layer that the exact engine takes.
const MaxExact = 20

// GivesLnZ implements Summing.
func (Exact[T]) GivesLnZ() bool { return true }

// Moments computes the moments exactly. The error wraps rbm.ErrTooLarge, or is the context's.
func (Exact[T]) Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error) {
	spins := net.VisibleKind == units.Kind{} && net.HiddenKind == units.Kind{} // others are counted by their states
	if n := min(net.Visible(), net.Hidden()); spins && n > MaxExact {
		return Report{}, fmt.Errorf("%w: the exact engine takes a smaller layer of up to %d units, not %d; use chains", rbm.ErrTooLarge, MaxExact, n)
	}
	lnz, err := net.ExactMoments(ctx, dst)
	return Report{Engine: ExactName, LnZ: lnz, Converged: true}, err
}

// Chains estimates the moments from persistent Gibbs chains (Tieleman 2008),
// for networks with many states. It gives no ln Z. Products with spins are
// rounded far below the noise of any number of chains (spin.MulCoarse).
type Chains[T rbm.Real] struct {
	Count          int // chains
	Sweeps         int // a call
	Key            stream.Key
	InitialVisible *spin.Matrix // visible states to start at, of Count columns; nil for random ones
	// Scouts is the number of chains, at most Count, that are replaced every
	// scoutEvery sweeps by new ones, which come from scattered states by
	// scoutSweeps sweeps. Chains that began at data stay near them, and learning
	// then never sees states far from all data that the network holds likely,
	// however heavy they are; those that scouts find are unlearned.
	Scouts int
	// Probe is the number of sweeps between probes: as many scouts begin at scattered and extreme
	// states and at those that were met before, and join the chains only if one of them finds a state that stands far above the states
	// of the chains. So a heavy state that turns up, as when synapses settle, is unlearned at once,
	// and chains are left alone while there is none. 0: no probes. They begin with the first round of
	// scouts, and are for layers of spins.
	Probe int

	source       *sample.NetworkSource[T] // of the chains
	chains       *sample.SpinChains[T]
	visible      *spin.Matrix // the chains' visible states, transposed
	means        []T          // of the hidden spins, hidden x chains
	called       bool         // there was a call that Undo can take back
	first        bool         // it was the first
	before       *spin.Matrix // hidden states before the last call
	sweepsBefore uint64
	// met are the heaviest visible states of the last rounds of scouts, metBefore those before the
	// last call; nil before the first round. They are replaced and never changed.
	met, metBefore *spin.Matrix
	watches        []ChainWatch[T]
}

// A ChainWatch is told what calls do with chains of spins. It changes nothing.
type ChainWatch[T rbm.Real] interface {
	// Changed is told of the network of a call before the chains are swept on it, and of their hidden states (hidden x chains), with
	// the places of those that scouts have just replaced.
	Changed(net *rbm.Network[T], hidden *spin.Matrix, replaced []int)
	// Swept is told after the sweeps.
	Swept(net *rbm.Network[T], hidden *spin.Matrix)
}

// A Watchable engine has chains that can be watched.
type Watchable[T rbm.Real] interface {
	// Watch adds a watch; it is for before the first call.
	Watch(w ChainWatch[T])
	// Hidden returns the hidden states of the chains (hidden x chains), to be read; nil before the first call.
	Hidden() *spin.Matrix
}

// Watch implements Watchable.
func (c *Chains[T]) Watch(w ChainWatch[T]) { c.watches = append(c.watches, w) }

// Hidden implements Watchable.
func (c *Chains[T]) Hidden() *spin.Matrix {
	if c.chains == nil {
		return nil
	}
	return c.chains.Hidden
}

// SetSweeps implements Sweeper.
func (c *Chains[T]) SetSweeps(sweeps int) { c.Sweeps = sweeps }

// Undo implements Undoer.
func (c *Chains[T]) Undo() {
	switch {
	case !c.called:
		return
	case c.first:
		c.chains = nil
	default:
		c.chains.Hidden.Copy(c.before)
		c.chains.Sweeps = c.sweepsBefore
	}
	c.met = c.metBefore
	c.called = false
}

// Moments sweeps the chains and averages over them; hidden spins are averaged
// given the visible ones. Errors are the context's and of fewer than one chain or sweep.
func (c *Chains[T]) Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error) {
	if c.Count < 1 || c.Sweeps < 1 {
		return Report{}, fmt.Errorf("%d chains of %d sweeps a call: both must be at least 1", c.Count, c.Sweeps)
	}
	return c.sweep(ctx, dst, net)
}

// sweep is Moments for any number of sweeps, also none.
func (c *Chains[T]) sweep(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (Report, error) {
	c.called, c.first, c.metBefore = true, c.chains == nil, c.met
	if !c.first {
		c.before.Copy(c.chains.Hidden)
		c.sweepsBefore = c.chains.Sweeps
	} else {
		c.init(net)
		if c.InitialVisible != nil {
			c.chains.StartAt(c.InitialVisible)
		}
	}
	c.source.Set(net)
	if replaced, err := c.scout(ctx, net); err != nil {
		c.Undo()
		return Report{}, err
	} else {
		for _, w := range c.watches {
			w.Changed(net, c.chains.Hidden, replaced)
		}
	}
	for range c.Sweeps {
		if err := ctx.Err(); err != nil {
			c.Undo()
			return Report{}, err
		}
		c.chains.Sweep(1)
	}
	for _, w := range c.watches {
		w.Swept(net, c.chains.Hidden)
	}
	fields := c.chains.HiddenFields()
	scale := 1 / T(c.Count)
	c.chains.Visible.Transpose(c.visible)
	spin.Prepare[T](c.visible)
	if net.HiddenKind.OneHot() {
		rbm.SetMeans(c.means, fields, net.HiddenKind, c.Count)
	}
	together := kernel.RowsTogether() // hidden units, whose rows are still in cache in the product
	parallel.For(net.Hidden(), together, func(lo, hi int) {
		means := c.means[lo*c.Count : hi*c.Count]
		if !net.HiddenKind.OneHot() {
			kernel.Tanh(means, fields[lo*c.Count:hi*c.Count])
		}
		for mu := lo; mu < hi; mu++ {
			dst.Hidden[mu] = T(kernel.Sum(c.means[mu*c.Count:(mu+1)*c.Count])) * scale
		}
		spin.MulAffineCoarse(dst.Correlation[lo*net.Visible():hi*net.Visible()], means, hi-lo, c.visible, scale, nil)
	})
	sums := make([]int, net.Visible())
	c.visible.ColSums(sums)
	for i, s := range sums {
		dst.Visible[i] = T(s) * scale
	}
	return Report{Engine: "chains", LnZ: math.NaN(), Iterations: c.Sweeps, Converged: true}, nil
}

// Scouts begin every so many sweeps of the chains, and join the chains after so many sweeps. Of
// so many rounds the heaviest state is kept.
const (
	scoutEvery  = 100
	scoutSweeps = 25
	metRounds   = 64
	probeChains = 128 // chains that the scouts of a probe are held against
)

// A Scouting engine remembers heavy states that are far from data, or were.
type Scouting interface {
	// Met returns the heaviest visible state that scouts met in each of the last rounds, a
	// column a round, the last round's last; nil before the first.
	Met() *spin.Matrix
}

// Met implements Scouting.
func (c *Chains[T]) Met() *spin.Matrix { return c.met }

// meet adds a state, a column of states, to those that scouts have met.
func (c *Chains[T]) meet(states *spin.Matrix, column int) {
	var old []int
	if c.met != nil {
		for k := max(0, c.met.Cols()-metRounds+1); k < c.met.Cols(); k++ {
			old = append(old, k)
		}
	}
	next := spin.New(states.Rows(), len(old)+1)
	if len(old) > 0 {
		kept := spin.New(states.Rows(), len(old))
		c.met.Gather(kept, old)
		for k := range old {
			old[k] = k
		}
		next.Put(kept, old)
	}
	one := spin.New(states.Rows(), 1)
	states.Gather(one, []int{column})
	next.Put(one, []int{len(old)})
	c.met = next
}

// scout puts scouts in the place of the next chains in turn if their time has come, and returns the places. The
// error is the context's.
func (c *Chains[T]) scout(ctx context.Context, net *rbm.Network[T]) (places []int, err error) {
	due := func(every int) (round uint64, due bool) {
		before, after := c.chains.Sweeps/uint64(every), (c.chains.Sweeps+uint64(c.Sweeps))/uint64(every)
		return after, before < after
	}
	if c.Scouts < 1 {
		return nil, nil
	}
	known := *net
	known.Constant = 0 // learning leaves it open; weights are only compared
	if round, now := due(scoutEvery); now {
		places, key := scoutPlaces(round, c.Scouts, c.Count), c.Key.Sub(stream.ChainsScouts).Sub(round)
		begin := c.far(&known).Scattered(len(places), key.Sub(stream.ChainsScouts))
		scouts, weights, err := scouted(ctx, &known, begin, key)
		if err != nil {
			return nil, err
		}
		c.chains.Hidden.Put(scouts.Hidden, places)
		c.meet(scouts.Visible, sample.Heaviest(weights, 1)[0])
		return places, nil
	}
	spins := net.VisibleKind == units.Kind{} && net.HiddenKind == units.Kind{}
	if c.Probe < 1 || !spins || c.chains.Sweeps < scoutEvery {
		return nil, nil
	}
	if round, now := due(c.Probe); now {
		return c.probe(ctx, &known, round)
	}
	return nil, nil
}

// far returns a source of scattered and extreme states of a network.
func (c *Chains[T]) far(net *rbm.Network[T]) *sample.NetworkSource[T] {
	base := make([]float64, net.Visible())
	if c.InitialVisible != nil {
		base = units.FeatureFields(c.InitialVisible, net.VisibleKind)
	}
	return sample.OnNetwork(net).From(base)
}

// scouted returns chains that come from the given states, and the logarithms of the weights of the states where they are.
func scouted[T rbm.Real](ctx context.Context, net *rbm.Network[T], begin *spin.Matrix, key stream.Key) (*sample.SpinChains[T], []float64, error) {
	scouts := sample.NewChains(sample.OnNetwork(net).Rounded(), begin.Cols(), key)
	scouts.StartAt(begin)
	for range scoutSweeps {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		scouts.Sweep(1)
	}
	weights := make([]float64, begin.Cols())
	scouts.LogWeights(weights)
	return scouts, weights, nil
}

// probe is a round of scouts, in turn from scattered and extreme states and from those that were met before. If one of them
// weighs more than usual, they join the chains, and probe returns their places.
func (c *Chains[T]) probe(ctx context.Context, net *rbm.Network[T], round uint64) (places []int, err error) {
	places, key := scoutPlaces(round, c.Scouts, c.Count), c.Key.Sub(stream.ChainsProbe).Sub(round)
	far := c.far(net)
	begin := far.Scattered(len(places), key.Sub(stream.ProbeScattered))
	var extreme, again, met []int // places, and which of the states that were met
	for k := range places {
		switch k % 3 {
		case 1:
			extreme = append(extreme, k)
		case 2:
			if c.met == nil { // a checkpoint that has none
				continue
			}
			met = append(met, int((round*uint64(len(places)/3)+uint64(len(met)))%uint64(c.met.Cols())))
			again = append(again, k)
		}
	}
	if len(extreme) > 0 {
		begin.Put(far.Extremes(len(extreme), key.Sub(stream.ProbeExtreme)), extreme)
	}
	if len(again) > 0 {
		known := spin.New(begin.Rows(), len(met))
		c.met.Gather(known, met)
		begin.Put(known, again)
	}
	scouts, weights, err := scouted(ctx, net, begin, key)
	if err != nil {
		return nil, err
	}
	heaviest := sample.Heaviest(weights, 1)[0]
	if weights[heaviest] <= c.usual(net, round, key) {
		return nil, nil
	}
	c.chains.Hidden.Put(scouts.Hidden, places)
	c.meet(scouts.Visible, heaviest)
	return places, nil
}

// usual returns the logarithm of a weight that states of the chains hardly ever reach: the median of some chains and five
// times the distance from their lowest tenth to it, which a few chains in heavy states do not move.
func (c *Chains[T]) usual(net *rbm.Network[T], round uint64, key stream.Key) float64 {
	some := scoutPlaces(round, probeChains, c.Count)
	chains := sample.NewChains(sample.OnNetwork(net).Rounded(), len(some), key.Sub(stream.ProbeChains))
	c.chains.Hidden.Gather(chains.Hidden, some)
	chains.Sweep(1)
	weights := make([]float64, len(some))
	chains.LogWeights(weights)
	slices.Sort(weights)
	median := weights[len(weights)/2]
	return median + 5*(median-weights[len(weights)/10])
}

func (c *Chains[T]) init(net *rbm.Network[T]) {
	c.source = sample.OnNetwork(net).Rounded()
	c.chains = sample.NewChains(c.source, c.Count, c.Key)
	c.visible, c.before = spin.New(c.Count, net.Visible()), spin.New(net.Hidden(), c.Count)
	c.means = make([]T, net.Hidden()*c.Count)
}

// A State is what an engine or a partition term keeps between calls. A fresh
// one that is given it goes on as the old one would have.
type State struct {
	Count   uint64         // sweeps or steps done
	States  []units.Stored // states of chains, of units of any kind
	Numbers [][]float64    // messages or magnetisations
}

// Stateful is implemented by engines and partition terms that keep something
// between calls.
type Stateful interface {
	// State returns a copy, empty before the first call.
	State() State
	// Restore puts the value where State found one, itself or another, for networks
	// of the given size. The error tells what does not fit.
	Restore(visible, hidden int, s State) error
}

// State implements Stateful.
func (c *Chains[T]) State() State {
	if c.chains == nil {
		return State{}
	}
	state := State{Count: c.chains.Sweeps, States: []units.Stored{c.chains.Hidden.Store()}} // hidden x chains
	if c.met != nil {
		state.States = append(state.States, c.met.Store()) // visible x rounds
	}
	return state
}

// Restore implements Stateful.
func (c *Chains[T]) Restore(visible, hidden int, s State) error {
	c.called = false
	if len(s.States) == 0 {
		c.chains, c.met = nil, nil
		return nil
	}
	if shape := s.States[0].Shape; len(s.States) > 2 || !slices.Equal(shape, []int{hidden, c.Count}) {
		return fmt.Errorf("%d states, of shape %v, hidden units x chains, for an engine of %d x %d", len(s.States), shape, hidden, c.Count)
	}
	restored := spin.New(hidden, c.Count)
	if err := restored.Load(s.States[0]); err != nil {
		return err
	}
	var met *spin.Matrix
	if len(s.States) == 2 { // earlier programs kept none
		shape := s.States[1].Shape
		if len(shape) != 2 || shape[0] != visible || shape[1] < 1 || shape[1] > metRounds {
			return fmt.Errorf("states of scouts of shape %v, not %d visible units x rounds, at most %d of them", shape, visible, metRounds)
		}
		met = spin.New(visible, shape[1])
		if err := met.Load(s.States[1]); err != nil {
			return err
		}
	}
	c.init(rbm.NewNetwork[T](visible, hidden))
	c.chains.Hidden, c.chains.Sweeps, c.met = restored, s.Count, met
	return nil
}

// restoreNumbers copies the numbers of a state to arrays of the given lengths. Those
// of an empty state are nil.
func restoreNumbers[T rbm.Real](s State, lengths ...int) ([][]T, error) {
	if len(s.Numbers) == 0 {
		return make([][]T, len(lengths)), nil
	}
	if len(s.Numbers) != len(lengths) {
		return nil, fmt.Errorf("a state of %d arrays, not %d", len(s.Numbers), len(lengths))
	}
	out := make([][]T, len(lengths))
	for k, x := range s.Numbers {
		if len(x) != lengths[k] {
			return nil, fmt.Errorf("a state of %d numbers, not %d", len(x), lengths[k])
		}
		out[k] = narrow[T](x)
	}
	return out, nil
}

// Auto returns the engine for a network of the given size and the reason for
// the choice: exact where enumerating costs no more than the data terms would,
// chains elsewhere. Bethe and TAP are never chosen: without fields their
// paramagnetic fixed point makes the hidden units collapse onto each other,
// and with many states one fixed point does not stand for all.
func Auto[T rbm.Real](visible, hidden int, chains Chains[T]) (engine Engine[T], why string) {
	if n := min(visible, hidden); n <= 16 && (visible+hidden)<<n <= maxExactCost {
		return Exact[T]{}, fmt.Sprintf("exact: the smaller layer has %d units", n)
	}
	return &chains, fmt.Sprintf("chains: %d x %d units are too many to enumerate every step", visible, hidden)
}

// maxExactCost is how many unit states a step the automatic choice enumerates.
const maxExactCost = 1 << 19
