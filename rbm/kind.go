package rbm

import (
	"fmt"
	"slices"

	"bethe/spin"
	"bethe/stream"
)

// A Kind says what the synapses of a machine that learns are, and so what the
// thetas of its model stand for. One objective serves all kinds, as it is exact
// where each synapse is known. Kinds can be compared with ==.
type Kind interface {
	// String is the kind's word on the command line and in files.
	String() string
	// Known reports whether each synapse is known, without variance, so that the
	// divergence from a prior has no place in the objective.
	Known() bool
	// LogOdds reports whether a theta is the log-odds, halved, of a binary synapse:
	// then tanh theta is its mean, and the data term has the terms of second order
	// of a mean over ±1.
	LogOdds() bool
	// Pull is the share of theta that the gradient takes away, as a prior or a decay
	// of the given strengths pull it to 0.
	Pull(prior, decay float64) float64
	// Settled is the kind as which synapses learn on when learning settles.
	Settled() Kind
	// Write has w write what takes the place of the means in the objective. The key
	// is that of draws.
	Write(w Writer, key stream.Key)
	// Ship returns the synapses of the machine that is saved. Typical asks for draws
	// where the posterior leaves a synapse undecided (Posterior.Typical), else signs
	// are taken; the key is that of the draws.
	Ship(q *Posterior[float32], typical bool, key stream.Key) Synapses
}

// A Writer writes one form of the thetas of a posterior to its destination.
type Writer interface {
	Means()               // tanh theta
	Thetas()              // theta
	Draws(key stream.Key) // ±1, drawn from the posterior
	Signs()               // ±1, the signs of theta
}

// The kinds. All but BinaryKind are baselines.
var (
	// BinaryKind synapses are binary and known as far as their means tanh theta.
	BinaryKind Kind = binaryKind{}
	// RealKind synapses are the real numbers theta: learning is persistent
	// contrastive divergence.
	RealKind Kind = realKind{}
	// SampledKind synapses are drawn from the posterior for each step, and the
	// gradient at the draw is passed straight through to theta.
	SampledKind Kind = sampledKind{}
	// SignKind synapses are the signs of theta, which gets the gradient there
	// (straight-through: Courbariaux, Bengio and David 2015).
	SignKind Kind = signKind{}
)

// KindOr returns k, or BinaryKind if k is the zero value: what options mean that do
// not say.
func KindOr(k Kind) Kind {
	if k == nil {
		return BinaryKind
	}
	return k
}

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{BinaryKind, RealKind, SampledKind, SignKind} }

// KindOf returns the kind of the given word.
func KindOf(word string) (Kind, error) {
	kinds := Kinds()
	k := slices.IndexFunc(kinds, func(k Kind) bool { return k.String() == word })
	if k < 0 {
		return nil, fmt.Errorf("synapses of the kind %q are not known: they are binary, real, sampled or sign", word)
	}
	return kinds[k], nil
}

type (
	binaryKind  struct{ bitKind }
	realKind    struct{}
	sampledKind struct{ bitKind }
	signKind    struct{ bitKind }
)

// bitKind holds what the kinds of binary synapses share.
type bitKind struct{}

func (bitKind) LogOdds() bool { return true }
func (bitKind) Ship(q *Posterior[float32], typical bool, key stream.Key) Synapses {
	if typical {
		return Learned(q.Typical(key), q)
	}
	return Learned(q.Sign(), q)
}

func (binaryKind) String() string                { return "binary" }
func (binaryKind) Pull(prior, _ float64) float64 { return prior }
func (binaryKind) Settled() Kind                 { return SignKind }
func (binaryKind) Known() bool                   { return false }
func (binaryKind) Write(w Writer, _ stream.Key)  { w.Means() }

func (realKind) String() string                { return "real" }
func (realKind) Pull(_, decay float64) float64 { return decay }
func (k realKind) Settled() Kind               { return k }
func (realKind) Known() bool                   { return true }
func (realKind) LogOdds() bool                 { return false }
func (realKind) Write(w Writer, _ stream.Key)  { w.Thetas() }
func (realKind) Ship(q *Posterior[float32], _ bool, _ stream.Key) Synapses {
	return RealValued(q.Visible, q.Hidden, q.Theta)
}

func (sampledKind) String() string                 { return "sampled" }
func (sampledKind) Pull(_, _ float64) float64      { return 0 }
func (k sampledKind) Settled() Kind                { return k }
func (sampledKind) Known() bool                    { return true }
func (sampledKind) Write(w Writer, key stream.Key) { w.Draws(key) }

func (signKind) String() string               { return "sign" }
func (signKind) Pull(_, _ float64) float64    { return 0 }
func (k signKind) Settled() Kind              { return k }
func (signKind) Known() bool                  { return true }
func (signKind) Write(w Writer, _ stream.Key) { w.Signs() }

// WriterTo returns the writer of q's thetas to dst, hidden x visible.
func (q *Posterior[T]) WriterTo(dst []T) Writer { return &writer[T]{q, dst} }

type writer[T Real] struct {
	q   *Posterior[T]
	dst []T
}

func (w *writer[T]) Means()  { w.q.Mean(w.dst) }
func (w *writer[T]) Thetas() { copy(w.dst, w.q.Theta) }
func (w *writer[T]) Draws(key stream.Key) {
	m := spin.New(w.q.Hidden, w.q.Visible)
	spin.Draw(m, w.q.Theta, key)
	spin.Values(w.dst, m)
}
func (w *writer[T]) Signs() { spin.Values(w.dst, spin.FromSigns(w.q.Hidden, w.q.Visible, w.q.Theta)) }
