// Package sample draws states of machines of a visible and a hidden layer, by block
// Gibbs sampling and tempering, and estimates their partition functions by annealing:
// of any kind of units that a Source speaks for.
package sample

import (
	"errors"
	"fmt"
	"slices"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Chains are Gibbs chains on a machine. A sweep draws the visible layer given
// the hidden one, then the hidden one given the visible. Every draw is a
// function of the key, the number of sweeps done and the place alone, so equal
// keys give equal chains whatever the threads, and a chain goes on where it
// was from its hidden state and its number of sweeps.
type Chains[T rbm.Real, V units.States[V], H units.States[H]] struct {
	Visible V
	Hidden  H
	Sweeps  uint64 // done so far

	key      stream.Key
	layers   Conditionals[T, V, H]
	at       T            // the place on the path
	clamped  []int        // visible units held at their state in clamp
	clamp    V            // unless none is clamped
	hold     func()       // writes known visible values back; nil if there are none
	observed Observing[V] // nil unless visible states were observed through noise
	shown    []T          // scratch of VisibleFields, where the fields of clamped units stay
	free     []int        // units that are not clamped, once shown is made
}

// NewChains returns n chains on a machine that start at random hidden states.
func NewChains[T rbm.Real, V units.States[V], H units.States[H]](source Source[T, V, H], n int, key stream.Key) *Chains[T, V, H] {
	return newChains(source, n, 1, key)
}

// newChains returns chains at t.
func newChains[T rbm.Real, V units.States[V], H units.States[H]](source Source[T, V, H], n int, t T, key stream.Key) *Chains[T, V, H] {
	if n < 1 {
		panic(fmt.Sprintf("sample: %d chains", n))
	}
	return &Chains[T, V, H]{Visible: source.NewVisible(n), Hidden: source.RandomHidden(n, key.Sub(stream.ChainsStart)),
		key: key, layers: source.Conditionals(n), at: t}
}

// checkShape panics unless states are those of the visible layer of all chains.
func (c *Chains[T, V, H]) checkShape(verb string, s V) {
	if s.Units() != c.Visible.Units() || s.Len() != c.Visible.Len() {
		panic(fmt.Sprintf("sample: %s of %d x %d chains at %d x %d states", verb, c.Visible.Units(), c.Visible.Len(), s.Units(), s.Len()))
	}
}

// StartAt sets the visible states to the columns of s and draws the hidden ones given them.
func (c *Chains[T, V, H]) StartAt(s V) {
	c.checkShape("Start", s)
	c.Visible = s.Clone()
	c.drawHidden(stream.ChainsHidden)
}

// Clamp holds the named visible units at their states in s (visible x chains),
// from now on; the other units are then sampled given them.
func (c *Chains[T, V, H]) Clamp(units []int, s V) {
	c.checkShape("Clamp", s)
	c.clamped, c.clamp, c.shown = units, s, nil
	c.Visible.CopyUnits(s, units)
	c.drawHidden(stream.ChainsHidden)
}

// Hold calls put now, and after each draw of the visible states, before the hidden ones are drawn given them. put writes
// the known part of Visible back, and the rest is sampled given it. Call StartAt, which replaces Visible, before Hold.
func (c *Chains[T, V, H]) Hold(put func()) {
	c.hold = put
	put()
	c.drawHidden(stream.ChainsHidden)
}

// ErrCannotObserve is the error of chains whose units know no noisy channel.
var ErrCannotObserve = errors.New("units of this kind cannot be observed through a noisy channel")

// Observe tells, from now on, what a noisy channel of the given strength made of
// the visible states, or of the first units of them (units x chains): see Observing. A channel that flips a spin
// with probability f has strength ln((1-f)/f) / 2, one that adds Gaussian noise to
// a number 1 over the noise's variance. The chains then sample what went into the
// channel, with the machine as the prior: exact Bayes. The error is ErrCannotObserve.
func (c *Chains[T, V, H]) Observe(y V, strength float64) error {
	return c.ObserveSome(y, nil, strength)
}

// ObserveSome is Observe of the units that are not missing (units x chains: +1); nil: of all.
func (c *Chains[T, V, H]) ObserveSome(y V, missing *spin.Matrix, strength float64) error {
	if y.Units() > c.Visible.Units() || y.Len() != c.Visible.Len() {
		c.checkShape("Observe", y)
	}
	observed, ok := c.layers.(Observing[V])
	if !ok {
		return ErrCannotObserve
	}
	c.observed = observed
	observed.Observe(y, missing, strength)
	return nil
}

// Sweep does k sweeps.
func (c *Chains[T, V, H]) Sweep(k int) {
	for range k {
		c.sweepVisible()
		c.drawHidden(stream.ChainsHidden)
	}
}

// sweepVisible is the first half of a sweep.
func (c *Chains[T, V, H]) sweepVisible() {
	c.Sweeps++
	c.layers.DrawVisible(c.Visible, c.Hidden, c.at, c.key.Sub(stream.ChainsVisible).Sub(c.Sweeps))
	if c.observed != nil {
		c.observed.DrawObserved(c.Visible, c.key.Sub(stream.ChainsSeen).Sub(c.Sweeps))
	}
	if len(c.clamped) > 0 {
		c.Visible.CopyUnits(c.clamp, c.clamped)
	}
	if c.hold != nil {
		c.hold()
	}
}

// LogWeights writes the logarithm of the weight of each visible state, summed over
// the hidden units, to dst, one per chain.
func (c *Chains[T, V, H]) LogWeights(dst []float64) {
	c.layers.LogWeights(dst[:c.Visible.Len()], c.Visible)
}

// drawHidden draws the hidden states given the visible ones, from a stream of the
// sweeps that were done.
func (c *Chains[T, V, H]) drawHidden(label uint64) {
	c.layers.DrawHidden(c.Hidden, c.Visible, c.at, c.key.Sub(label).Sub(c.Sweeps))
}

// HiddenFields returns the fields of the hidden units given the visible
// states, hidden x chains, valid until the next sweep: the averages of the hidden
// units in them (tanh for spins) are those over all that the last draw could have been.
func (c *Chains[T, V, H]) HiddenFields() []T { return c.layers.HiddenFields() }

// VisibleFields returns the fields of the last draw of visible states, visible x
// chains, valid until the next sweep. Fields of clamped units hold
// them at their states (±100 for spins).
func (c *Chains[T, V, H]) VisibleFields() []T {
	fields := c.layers.VisibleFields()
	if len(c.clamped) == 0 {
		return fields
	}
	if len(c.shown) != len(fields) {
		c.shown, c.free = slices.Clone(fields), c.free[:0]
		c.layers.HoldFields(c.shown, c.clamp, c.clamped)
		held := make([]bool, c.Visible.Units())
		for _, i := range c.clamped {
			held[i] = true
		}
		for i, h := range held {
			if !h {
				c.free = append(c.free, i)
			}
		}
		return c.shown
	}
	width := len(fields) / c.Visible.Units()
	for _, i := range c.free {
		copy(c.shown[i*width:(i+1)*width], fields[i*width:(i+1)*width])
	}
	return c.shown
}

// VisibleMeans writes the means of the visible units in VisibleFields to dst,
// visible x chains.
func (c *Chains[T, V, H]) VisibleMeans(dst []T) { c.layers.VisibleMeans(dst, c.VisibleFields()) }
