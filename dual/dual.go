// Package dual provides the equivalent ("dual") network of a posterior over
// binary synapses, whose couplings are real, and the engines that compute its
// moments: the expectation step of the learning.
//
// Averaging the Boltzmann weight of the machine over the synapses gives the
// weight of another bipartite Ising network. Its partition function is E_q Z
// exactly (Annealed). The paper's form (H. Huang, Phys. Rev. E 102, 030301)
// averages ln Z over a Gaussian instead (Quenched).
package dual

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/units"
)

// A Gradient holds the derivatives of some function of a model.
type Gradient[T rbm.Real] struct {
	Synapse                   []T // by the posterior means lambda, hidden x visible
	VisibleField, HiddenField []float64
	Coupling                  []float64 // by the coupling of each link
	VisibleOwn                []float64 // by the parameters that only some kinds of units have
}

// NewGradient returns a gradient of zero, for a model with parameters like these.
func NewGradient[T rbm.Real](params *rbm.Params) *Gradient[T] {
	n, p := params.Visible(), params.Hidden()
	return &Gradient[T]{make([]T, n*p), make([]float64, n), make([]float64, p), make([]float64, len(params.Links)), make([]float64, len(params.VisibleOwn))}
}

// fits reports whether the gradient is of a model with parameters like these.
func (g *Gradient[T]) fits(params *rbm.Params) bool {
	return g != nil && len(g.VisibleField) == params.Visible() && len(g.HiddenField) == params.Hidden() && len(g.Coupling) == len(params.Links)
}

// A Form says what a machine is made of.
type Form struct {
	Synapses        rbm.Kind
	Visible, Hidden string // kinds of units: units.Spin, ...
}

// ErrNotServed is what Partition.Serves returns, with the reason.
var ErrNotServed = errors.New("the partition term does not serve this machine")

// A Partition computes the term of the bound that stands for E_q ln Z, and owns
// the statistics that it takes. What only some terms can do is an optional
// interface: Summing, Annealable, Undoer.
type Partition[T rbm.Real] interface {
	// Serves returns nil if the term is one of machines of this form. Else the error
	// wraps ErrNotServed.
	Serves(form Form) error
	// Rows sets grad, all but grad.Synapse, to the derivatives of the term at the
	// given parameters and posterior means (hidden x visible). It returns those by
	// the synapses a hidden unit at a time, so that a row is used while it is in the
	// cache and no matrix of them is kept. grad.Coupling is the part that rows do not
	// return. The report's LnZ is the term itself, or NaN if the engine gives none.
	// Errors are the context's and those of a machine or a size that the form or its
	// engine cannot serve. If there is one, the term is as it was before the call.
	Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error)
}

// A Row sets dst to the derivatives of a partition term by the synapses of hidden
// unit mu, and adds the unit's part of those by the couplings to byCoupling, one a
// link. It serves several goroutines at a time, until the term is computed again or
// its arguments change.
type Row[T rbm.Real] func(dst []T, byCoupling []float64, mu int)

// Summing is implemented by engines and partition terms whose reports can hold ln Z.
type Summing interface {
	// GivesLnZ reports whether reports hold ln Z. Others hold NaN.
	GivesLnZ() bool
}

// GivesLnZ reports whether the reports of an engine or a partition term hold ln Z.
func GivesLnZ(x any) bool {
	s, ok := x.(Summing)
	return ok && s.GivesLnZ()
}

// Annealable is implemented by partition terms whose value can be estimated by
// annealing, if the engine gives none.
type Annealable[T rbm.Real] interface {
	// AnnealedLnZ estimates the term (see sample.AnnealedLnZ) from independent
	// visible units in the fields base.
	// Errors are the context's and those of the annealing.
	AnnealedLnZ(ctx context.Context, params *rbm.Params, mean []T, base []float64, a sample.Annealing) (sample.LnZEstimate, error)
}

// An Undoer is an engine or a partition term that keeps something between calls and
// can forget the last one.
type Undoer interface {
	// Undo puts it where it was before the last call.
	Undo()
}

// Undo has an engine or a partition term forget its last call, if it keeps anything
// between calls.
func Undo(x any) {
	if u, ok := x.(Undoer); ok {
		u.Undo()
	}
}

// Term sets grad to all derivatives of a partition term, as Partition.Rows has them.
func Term[T rbm.Real](ctx context.Context, partition Partition[T], grad *Gradient[T], params *rbm.Params, mean []T) (Report, error) {
	row, report, err := partition.Rows(ctx, grad, params, mean)
	if err != nil {
		return report, err
	}
	n, p, links := params.Visible(), params.Hidden(), len(params.Links)
	coupling := make([]float64, p*links)
	parallel.For(p, edgeGrain(n), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			row(grad.Synapse[mu*n:(mu+1)*n], coupling[mu*links:][:links], mu)
		}
	})
	for k, v := range coupling {
		grad.Coupling[k%links] += v
	}
	return report, nil
}

// A Report says how well an engine did.
type Report struct {
	Engine     string
	LnZ        float64 // NaN where the engine gives none
	Iterations int     // of message passing or mean field; sweeps of chains; 0 if exact
	Residual   float64 // largest change of a message or magnetisation in the last iteration
	Converged  bool    // the residual is below the engine's tolerance; true where there is none
	// Rho is, of an annealed term with Gaussian units, the smallest 1 - J² sum (1 - lambda²) <(h - nu)²>
	// of one of them: near 0 the synapses of a unit align, and E_q Z is far from exp(E_q ln Z). 0 of others.
	Rho float64
}

// Annealed is the exact dual network: ln E_q Z >= E_q ln Z, so the bound built
// on it is a lower bound (THEORY: annealed form; with offsets each synapse
// averages to an edge with a constant, two fields and a coupling).
type Annealed[T rbm.Real] struct {
	Engine  Engine[T]
	net     *rbm.Network[T]
	moments *rbm.Moments[T]
	edges   edges[T]
}

// Serves implements Partition: binary synapses between units that are held as bits.
func (a *Annealed[T]) Serves(form Form) error {
	if !form.Synapses.LogOdds() {
		return fmt.Errorf("%w: the annealed term averages over binary synapses, and these are %s: learn with dual.Weighted", ErrNotServed, form.Synapses)
	}
	return servesBits("annealed", form)
}

// servesBits refuses units that are not held as bits.
func servesBits(term string, form Form) error {
	for _, word := range []string{form.Visible, form.Hidden} {
		if kind, err := units.ParseKind(word); err != nil || !kind.Bits() {
			return fmt.Errorf("%w: the %s term is one of spins, colours and groups, and units are %s and %s", ErrNotServed, term, form.Visible, form.Hidden)
		}
	}
	return nil
}

func servesSpins(term string, form Form) error {
	if form.Visible != units.Spin || form.Hidden != units.Spin {
		return fmt.Errorf("%w: the %s term is one of spins, and units are %s and %s", ErrNotServed, term, form.Visible, form.Hidden)
	}
	return nil
}

// GivesLnZ implements Summing, as the engine does.
func (a *Annealed[T]) GivesLnZ() bool { return GivesLnZ(a.Engine) }

// Undo implements Undoer, as the engine does.
func (a *Annealed[T]) Undo() { Undo(a.Engine) }

// AnnealedLnZ implements Annealable: ln E_q Z.
func (a *Annealed[T]) AnnealedLnZ(ctx context.Context, params *rbm.Params, mean []T, base []float64, with sample.Annealing) (sample.LnZEstimate, error) {
	return sample.AnnealedLnZ(ctx, sample.OnNetwork(NewNetwork(params, mean)).From(base), with)
}

// NewNetwork returns the annealed dual network of the parameters and posterior
// means (hidden x visible); its ln Z is ln E_q Z.
func NewNetwork[T rbm.Real](params *rbm.Params, mean []T) *rbm.Network[T] {
	net := rbm.NewNetwork[T](params.Visible(), params.Hidden())
	SetNetwork(net, params, mean)
	return net
}

// SetNetwork makes net the annealed dual network, as NewNetwork.
//
// For each synapse E_q exp(x xi) = cosh x + lambda sinh x with
// x = J (s-mu)(h-nu), one number f for each (s, h), and
// ln f = A + B s + C h + K s h.
func SetNetwork[T rbm.Real](net *rbm.Network[T], params *rbm.Params, mean []T) {
	var e edges[T]
	e.setNetwork(net, params, mean)
	e.setConstant(net, params, mean)
}

// edges are those of an annealed dual network, with work space.
type edges[T rbm.Real] struct {
	links []kernel.Edges[T] // of each link
	parts []T               // what each piece of setNetwork adds to the visible fields
}

// setNetwork is SetNetwork but for the constant, which is NaN then.
func (e *edges[T]) setNetwork(net *rbm.Network[T], params *rbm.Params, mean []T) {
	n, p := params.Visible(), params.Hidden()
	checkMean(mean, n, p)
	if len(e.links) != len(params.Links) {
		e.links = make([]kernel.Edges[T], len(params.Links))
	}
	for k, l := range params.Links {
		e.links[k].Set(l.Coupling, params.VisibleOffset[l.Visible.From:l.Visible.To])
	}
	net.VisibleKind, net.HiddenKind = params.VisibleKind, params.HiddenKind
	net.CouplingLimit = T(params.LargestCoupling()) // |d^2 ln f / ds dh| is at most J, as d ln f / dx is within ±1
	if !params.Complete() {
		clear(net.Coupling)
	}
	net.Constant = math.NaN()
	grain := edgeGrain(n)
	if withoutOffsets(params) { // no edge adds to a field
		parallel.For(p, grain, func(lo, hi int) {
			if params.Whole() {
				kernel.PlainEdges(net.Coupling[lo*n:hi*n], mean[lo*n:hi*n], params.Coupling())
				return
			}
			for mu := lo; mu < hi; mu++ {
				for _, l := range params.Links {
					if !l.Joins(mu) {
						continue
					}
					from, to := mu*n+l.Visible.From, mu*n+l.Visible.To
					kernel.PlainEdges(net.Coupling[from:to], mean[from:to], l.Coupling)
				}
			}
		})
		copyTo(net.HiddenField, params.HiddenField)
		copyTo(net.VisibleField, params.VisibleField)
		return
	}
	pieces := parallel.Pieces(p, grain)
	if len(e.parts) < pieces*n {
		e.parts = make([]T, pieces*n)
	}
	fields := e.parts[:pieces*n]
	parallel.For(p, grain, func(lo, hi int) {
		field := fields[lo/grain*n:][:n]
		clear(field)
		for mu := lo; mu < hi; mu++ {
			sum := params.HiddenField[mu]
			for k, l := range params.Links {
				if !l.Joins(mu) {
					continue
				}
				from, to := mu*n+l.Visible.From, mu*n+l.Visible.To
				sum += e.links[k].Couplings(net.Coupling[from:to], field[l.Visible.From:l.Visible.To], mean[from:to], params.HiddenOffset[mu])
			}
			net.HiddenField[mu] = T(sum)
		}
	})
	total := slices.Clone(params.VisibleField)
	for ; len(fields) > 0; fields = fields[n:] {
		for i, v := range fields[:n] {
			total[i] += float64(v)
		}
	}
	copyTo(net.VisibleField, total)
}

// setConstant sets the constant of the network, after setNetwork.
func (e *edges[T]) setConstant(net *rbm.Network[T], params *rbm.Params, mean []T) {
	n, p := params.Visible(), params.Hidden()
	sums := make([]float64, p)
	parallel.For(p, edgeGrain(n), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			for k, l := range params.Links {
				if !l.Joins(mu) {
					continue
				}
				sums[mu] += e.links[k].Constant(mean[mu*n+l.Visible.From:mu*n+l.Visible.To], params.HiddenOffset[mu])
			}
		}
	})
	net.Constant = 0
	for _, v := range sums {
		net.Constant += v
	}
}

// Rows implements Partition: ln E_q Z and its gradient. The error is the engine's.
func (a *Annealed[T]) Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error) {
	n, p := params.Visible(), params.Hidden()
	if a.net == nil || a.net.Visible() != n || a.net.Hidden() != p {
		a.net, a.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	a.edges.setNetwork(a.net, params, mean)
	if a.GivesLnZ() {
		a.edges.setConstant(a.net, params, mean)
	}
	report, err := engineOf(a.Engine, "annealed").Moments(ctx, a.moments, a.net)
	if err != nil {
		return nil, report, err
	}
	setFields(grad, a.moments)
	plain := withoutOffsets(params)
	return func(dst []T, byCoupling []float64, mu int) {
		if !params.Complete() {
			clear(dst)
		}
		for k, l := range params.Links {
			if !l.Joins(mu) {
				continue
			}
			from, to := l.Visible.From, l.Visible.To
			dst, lambda, sh := dst[from:to], mean[mu*n+from:mu*n+to], a.moments.Correlation[mu*n+from:mu*n+to]
			if plain {
				byCoupling[k] += kernel.PlainEdgeSlopes(dst, lambda, sh, l.Coupling)
			} else {
				byCoupling[k] += a.edges.links[k].Slopes(dst, lambda, a.moments.Visible[from:to], sh, params.HiddenOffset[mu], float64(a.moments.Hidden[mu]))
			}
		}
	}, report, nil
}

// Moments returns the moments of the dual network in the last call of Rows, which the
// next one overwrites.
func (a *Annealed[T]) Moments() *rbm.Moments[T] { return a.moments }

// setFields sets the derivatives by the fields to moments, and that by the coupling to 0.
func setFields[T rbm.Real](grad *Gradient[T], moments *rbm.Moments[T]) {
	for i, v := range moments.Visible {
		grad.VisibleField[i] = float64(v)
	}
	for mu, v := range moments.Hidden {
		grad.HiddenField[mu] = float64(v)
	}
	clear(grad.Coupling)
	clear(grad.VisibleOwn)
}

// engineOf returns the engine of a term. It panics if there is none.
func engineOf[T rbm.Real](engine Engine[T], term string) Engine[T] {
	if engine == nil {
		panic("dual: the " + term + " term has no Engine")
	}
	return engine
}

// withoutOffsets reports whether all offsets are 0.
func withoutOffsets(params *rbm.Params) bool {
	nonzero := func(x float64) bool { return x != 0 }
	return !slices.ContainsFunc(params.VisibleOffset, nonzero) && !slices.ContainsFunc(params.HiddenOffset, nonzero)
}

// edgeGrain is the number of hidden units whose edges are one piece of work.
func edgeGrain(visible int) int { return parallel.Grain(visible * 5) }

func narrow[T rbm.Real](x []float64) []T {
	y := make([]T, len(x))
	copyTo(y, x)
	return y
}

func copyTo[T rbm.Real](dst []T, x []float64) {
	for i, v := range x {
		dst[i] = T(v)
	}
}

func checkMean[T rbm.Real](mean []T, n, p int) {
	if len(mean) != n*p {
		panic(fmt.Sprintf("dual: %d posterior means for %d x %d synapses", len(mean), n, p))
	}
}
