package sample

import (
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Source is what chains, tempering and annealing run on: the family of
// distributions exp(-(1-t) base - t energy) of a visible and a hidden layer that
// leads from a base of independent visible units and free hidden ones (t = 0) to a
// machine (t = 1). OnNetwork and OnMachine make those of spins; sampletest.Run holds
// any other against enumeration. T is the precision of its fields, V and H are the
// states of its layers.
//
// Draws are functions of the key and the place alone, whatever the number of threads.
// A source is used by one goroutine at a time.
type Source[T rbm.Real, V units.States[V], H units.States[H]] interface {
	// Units returns the sizes of the layers.
	Units() (visible, hidden int)
	// NewVisible and NewHidden return states of the layers in count chains, to be
	// drawn into.
	NewVisible(count int) V
	NewHidden(count int) H
	// RandomHidden returns random hidden states, at which chains start.
	RandomHidden(count int, key stream.Key) H
	// Base returns visible states drawn from the base.
	Base(count int, key stream.Key) V
	// LnZBase returns ln Z at t = 0. Gains and log-weights are in its units:
	// ln Z at t is LnZBase plus ln of the mean of exp(gain from 0 to t) over the base.
	LnZBase() float64
	// Conditionals returns the conditionals of count chains. Several of them are used at
	// once, each by one goroutine at a time; they share what does not change.
	Conditionals(count int) Conditionals[T, V, H]
}

// Conditionals draw a layer given the other, for all of some chains at once.
type Conditionals[T rbm.Real, V, H any] interface {
	// DrawHidden draws h given v in the distribution at t.
	DrawHidden(h H, v V, t T, key stream.Key)
	// HiddenFields returns the fields of the hidden units given the visible states
	// of the last DrawHidden, at t = 1, hidden x chains, valid until the next.
	HiddenFields() []T
	// DrawVisible draws v given h in the distribution at t.
	DrawVisible(v V, h H, t T, key stream.Key)
	// VisibleFields returns the fields of the last draw of visible states,
	// visible x chains, valid until the next draw.
	VisibleFields() []T
	// VisibleMeans writes the means of visible units in the given fields to dst,
	// both visible x chains.
	VisibleMeans(dst, fields []T)
	// HoldFields sets the fields (visible x chains) of the named units to ones in
	// which their means are their states in v.
	HoldFields(fields []T, v V, units []int)
	// AddGains adds to sum, one number per chain, what the log-weight of the visible
	// states, summed over the hidden ones, gains from t = from to t = to. v are the
	// states of the last DrawHidden, at whatever t.
	AddGains(sum []float64, v V, from, to T)
	// LogWeights writes the log-weights of the visible states of the last
	// DrawHidden at t = 1, summed over the hidden ones, to dst.
	LogWeights(dst []float64, v V)
}

// Observing is implemented by conditionals that can take into account what a noisy
// channel made of the visible states.
type Observing[V any] interface {
	// Observe tells, from now on, that the channel made y (visible x chains) of v
	// with a probability proportional, as a function of v, to exp(strength y.v) for
	// spins and exp(-strength (y - v)^2 / 2) for real numbers. Nothing is known of a unit where missing
	// (units x chains) is +1; nil: all is.
	Observe(y V, missing *spin.Matrix, strength float64)
	// DrawObserved draws v again, as the last DrawVisible did but given y as well.
	// VisibleFields are those of this draw then, until the next.
	DrawObserved(v V, key stream.Key)
}

// Scattering is implemented by sources that know visible states far from any data,
// at which chains may start to find what chains at data would not.
type Scattering[V any] interface {
	// Scattered returns such states in count columns.
	Scattered(count int, key stream.Key) V
}
