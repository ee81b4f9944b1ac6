// Package sample draws states of bipartite networks, by block Gibbs sampling,
// and estimates their partition functions by annealing.
package sample

import (
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Chains are Gibbs chains on a network. A sweep draws the visible layer given
// the hidden one, then the hidden one given the visible. Every draw is a
// function of the key, the number of sweeps done and the place alone, so equal
// keys give equal chains whatever the threads, and a chain goes on where it
// was from its hidden state and its number of sweeps.
type Chains[T rbm.Real] struct {
	Visible *spin.Matrix // visible x chains
	Hidden  *spin.Matrix // hidden x chains
	Sweeps  uint64       // done so far

	key        stream.Key
	layers     conditionals[T]
	visible    []T   // visible fields b, at the chains' temperature
	at         T     // the temperature: what couplings and hidden fields are multiplied by
	clamped    []int // visible units held at their state in clamp
	clamp      *spin.Matrix
	observed   []T // visible fields of each chain, or nil
	shownField []T // of VisibleFields, where units are clamped or observed
}

// NewChains returns n chains on a network that start at independent fair
// hidden spins.
func NewChains[T rbm.Real](net *rbm.Network[T], n int, key stream.Key) *Chains[T] {
	return newChains(ownNetwork(net).conditionals(n), net.VisibleField, n, key)
}

// NewCoarseChains is NewChains with fields in float32 rounded as in
// spin.MulCoarse, about one and a half times as fast with AVX-512, for as long as the network's largest
// coupling lets the error of a field be below 1e-3 (its standard deviation over
// states): 0.13 for layers of up to 784 units.
func NewCoarseChains[T rbm.Real](net *rbm.Network[T], n int, key stream.Key) *Chains[T] {
	layers := ownNetwork(net).conditionals(n)
	layers.mayRound = true
	layers.round()
	return newChains(layers, net.VisibleField, n, key)
}

// NewMachineChains returns n chains on a machine that start at independent fair
// hidden spins. Where synapses are binary, fields are counts of spins, and the
// chains several times faster than those on the machine's network.
func NewMachineChains(machine *rbm.Machine, n int, key stream.Key) *Chains[float32] {
	layers, fields, _ := machineConditionals(machine, n)
	return newChains(layers(), fields, n, key)
}

func newChains[T rbm.Real](layers conditionals[T], fields []T, n int, key stream.Key) *Chains[T] {
	if n < 1 {
		panic(fmt.Sprintf("sample: %d chains", n))
	}
	visible, hidden := layers.size()
	return &Chains[T]{Visible: spin.New(visible, n), Hidden: spin.Random(hidden, n, key.Sub(start).Rand()),
		key: key, layers: layers, visible: fields, at: 1}
}

// Labels of the streams below a chain's key.
const (
	start = iota
	drawVisible
	drawHidden
	drawExchange
	redrawHidden
	rung
	drawSeen
)

// SetNetwork changes the network that the chains follow; it must have the
// same shape and not change until the next call. It panics for chains on a machine.
func (c *Chains[T]) SetNetwork(net *rbm.Network[T]) {
	if net.Visible() != c.Visible.Rows() || net.Hidden() != c.Hidden.Rows() {
		panic(fmt.Sprintf("sample: a network of %d x %d units for chains of %d x %d",
			net.Visible(), net.Hidden(), c.Visible.Rows(), c.Hidden.Rows()))
	}
	layers, ok := c.layers.(*realConditionals[T])
	if !ok {
		panic("sample: SetNetwork of chains on a machine")
	}
	layers.set(net)
	layers.round()
	c.visible = net.VisibleField
}

// Start sets the visible states to the columns of s and draws the hidden ones given them.
func (c *Chains[T]) Start(s *spin.Matrix) {
	if s.Rows() != c.Visible.Rows() || s.Cols() != c.Visible.Cols() {
		panic(fmt.Sprintf("sample: Start of %d x %d chains at %d x %d spins", c.Visible.Rows(), c.Visible.Cols(), s.Rows(), s.Cols()))
	}
	*c.Visible = *s.Clone()
	c.drawHidden()
}

// MeanFields returns the fields in which independent spins have the means of
// samples (visible x M), shrunk by M/(M+2), so that a spin that never changes
// gets a finite one.
func MeanFields(samples *spin.Matrix) []float64 {
	fields, sums := make([]float64, samples.Rows()), make([]int, samples.Rows())
	samples.RowSums(sums)
	for i, s := range sums {
		fields[i] = math.Atanh(float64(s) / float64(samples.Cols()+2))
	}
	return fields
}

// Scattered returns n visible states of independent spins, len(base) x n, to start
// chains at that should find states far from any data. base holds the fields in
// which independent spins have the means of the data. In every other state all
// spins have one mean, in the others the fields are those of the data at inverse
// temperatures from -1 to 1, so that there are states with all unlikely spins
// turned. Means and temperatures are spread evenly, in any run of neighbouring
// columns too: multiples of the golden ratio.
func Scattered(base []float64, n int, key stream.Key) *spin.Matrix {
	fields := make([]float64, len(base)*n)
	for k := range n {
		_, share := math.Modf((float64(k/2) + 0.5) / math.Phi)
		for i, b := range base {
			if at := 2*share - 1; k%2 == 0 {
				fields[i*n+k] = math.Atanh(at)
			} else {
				fields[i*n+k] = at * b
			}
		}
	}
	s := spin.New(len(base), n)
	spin.Draw(s, fields, key)
	return s
}

// heldField is the size of the field that VisibleFields shows for a clamped
// unit: its tanh is 1.
const heldField = 100

// Clamp holds the named visible units at their states in s (visible x chains),
// from now on; the other units are then sampled given them.
func (c *Chains[T]) Clamp(units []int, s *spin.Matrix) {
	c.clamped, c.clamp = units, s
	c.Visible.CopyRows(s, units)
	c.drawHidden()
}

// Observe adds, from now on, a field of the given strength along the spins of y
// (visible x chains) to the visible units. Where y is what a channel that flips
// each spin with probability f made of s, and the strength ln((1-f)/f) / 2, the
// chains sample s given y, with the network as the prior: exact Bayes.
func (c *Chains[T]) Observe(y *spin.Matrix, strength float64) {
	if y.Rows() != c.Visible.Rows() || y.Cols() != c.Visible.Cols() {
		panic(fmt.Sprintf("sample: Observe of %d x %d spins by chains of %d x %d", y.Rows(), y.Cols(), c.Visible.Rows(), c.Visible.Cols()))
	}
	c.observed = make([]T, y.Rows()*y.Cols())
	spin.Values(c.observed, y)
	kernel.Affine(c.observed, c.observed, T(strength), 0)
}

// drawObserved draws the visible states again, in the last draw's fields and
// those of the observation.
func (c *Chains[T]) drawObserved() {
	c.shownField = append(c.shownField[:0], c.layers.visibleFields()...)
	for k, f := range c.observed {
		c.shownField[k] += f
	}
	spin.Draw(c.Visible, c.shownField, c.key.Sub(drawSeen).Sub(c.Sweeps))
}

// Sweep does k sweeps.
func (c *Chains[T]) Sweep(k int) {
	for range k {
		c.Sweeps++
		c.layers.drawVisible(c.Visible, c.Hidden, c.visible, c.at, c.key.Sub(drawVisible).Sub(c.Sweeps))
		if c.observed != nil {
			c.drawObserved()
		}
		if len(c.clamped) > 0 {
			c.Visible.CopyRows(c.clamp, c.clamped)
		}
		c.drawHidden()
	}
}

func (c *Chains[T]) drawHidden() {
	c.layers.drawHidden(c.Hidden, c.Visible, c.at, c.key.Sub(drawHidden).Sub(c.Sweeps))
}

// HiddenFields returns the fields of the hidden units given the visible
// states, hidden x chains, valid until the next sweep: their tanh is the
// average of the hidden spins over all that the last draw could have been.
func (c *Chains[T]) HiddenFields() []T { return c.layers.hiddenFields() }

// VisibleFields returns the fields from which the visible states were last
// drawn, visible x chains, valid until the next sweep; those of clamped units
// are ±heldField.
func (c *Chains[T]) VisibleFields() []T {
	switch {
	case c.observed == nil && len(c.clamped) == 0:
		return c.layers.visibleFields()
	case c.observed == nil || c.Sweeps == 0: // else shownField holds them already
		c.shownField = append(c.shownField[:0], c.layers.visibleFields()...)
	}
	chains := c.Visible.Cols()
	for _, i := range c.clamped {
		for a := range chains {
			c.shownField[i*chains+a] = T(c.clamp.At(i, a)) * heldField
		}
	}
	return c.shownField
}
