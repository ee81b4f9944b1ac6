// Package sample draws states of bipartite networks, by block Gibbs sampling,
// and estimates their partition functions by annealing.
package sample

import (
	"fmt"

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

	key       stream.Key
	net       *rbm.Network[T]
	couplingT []T // visible x hidden
	fieldV    []T // of the visible units when they were drawn
	fieldH    []T // of the hidden units, given Visible

	clamped []int // visible units held at their state in clamp
	clamp   *spin.Matrix
}

// NewChains returns n chains that start at independent fair hidden spins.
func NewChains[T rbm.Real](net *rbm.Network[T], n int, key stream.Key) *Chains[T] {
	if n < 1 {
		panic(fmt.Sprintf("sample: %d chains", n))
	}
	c := &Chains[T]{
		Visible: spin.New(net.Visible(), n), Hidden: spin.Random(net.Hidden(), n, key.Sub(start).Rand()), key: key,
		couplingT: make([]T, len(net.Coupling)),
		fieldV:    make([]T, net.Visible()*n), fieldH: make([]T, net.Hidden()*n),
	}
	c.SetNetwork(net)
	return c
}

// Labels of the streams below a chain's key.
const (
	start = iota
	drawVisible
	drawHidden
)

// SetNetwork changes the network that the chains follow; it must have the
// same shape and not change until the next call.
func (c *Chains[T]) SetNetwork(net *rbm.Network[T]) {
	if net.Visible() != c.Visible.Rows() || net.Hidden() != c.Hidden.Rows() {
		panic(fmt.Sprintf("sample: a network of %d x %d units for chains of %d x %d",
			net.Visible(), net.Hidden(), c.Visible.Rows(), c.Hidden.Rows()))
	}
	c.net = net
	net.TransposeCoupling(c.couplingT)
}

// Start sets the visible states to the columns of s and draws the hidden ones given them.
func (c *Chains[T]) Start(s *spin.Matrix) {
	if s.Rows() != c.Visible.Rows() || s.Cols() != c.Visible.Cols() {
		panic(fmt.Sprintf("sample: Start of %d x %d chains at %d x %d spins", c.Visible.Rows(), c.Visible.Cols(), s.Rows(), s.Cols()))
	}
	*c.Visible = *s.Clone()
	c.drawHidden()
}

// heldField is the size of the field that VisibleFields shows for a clamped unit.
const heldField = 100

// Clamp holds the named visible units at their states in s (visible x chains),
// from now on; the other units are then sampled given them.
func (c *Chains[T]) Clamp(units []int, s *spin.Matrix) {
	c.clamped, c.clamp = units, s
	c.Visible.CopyRows(s, units)
	c.drawHidden()
}

// Sweep does k sweeps.
func (c *Chains[T]) Sweep(k int) {
	for range k {
		c.Sweeps++
		c.net.VisibleFields(c.fieldV, c.couplingT, c.Hidden)
		spin.Draw(c.Visible, c.fieldV, c.key.Sub(drawVisible).Sub(c.Sweeps))
		if len(c.clamped) > 0 {
			c.Visible.CopyRows(c.clamp, c.clamped)
			for _, i := range c.clamped {
				for a := range c.Visible.Cols() {
					c.fieldV[i*c.Visible.Cols()+a] = T(c.clamp.At(i, a)) * heldField
				}
			}
		}
		c.drawHidden()
	}
}

func (c *Chains[T]) drawHidden() {
	c.net.HiddenFields(c.fieldH, c.Visible)
	spin.Draw(c.Hidden, c.fieldH, c.key.Sub(drawHidden).Sub(c.Sweeps))
}

// HiddenFields returns the fields of the hidden units given the visible
// states, hidden x chains, valid until the next sweep: their tanh is the
// average of the hidden spins over all that the last draw could have been.
func (c *Chains[T]) HiddenFields() []T { return c.fieldH }

// VisibleFields returns the fields from which the visible states were last
// drawn, visible x chains, valid until the next sweep.
func (c *Chains[T]) VisibleFields() []T { return c.fieldV }
