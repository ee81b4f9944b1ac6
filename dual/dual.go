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
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
)

// A Gradient holds the derivatives of some function of a model.
type Gradient[T rbm.Real] struct {
	Synapse                   []T // by the posterior means lambda, hidden x visible
	VisibleField, HiddenField []float64
	Coupling                  float64
}

// NewGradient returns a gradient of zero.
func NewGradient[T rbm.Real](visible, hidden int) *Gradient[T] {
	return &Gradient[T]{make([]T, visible*hidden), make([]float64, visible), make([]float64, hidden), 0}
}

// A Partition computes the term of the bound that stands for E_q ln Z.
type Partition[T rbm.Real] interface {
	// Rows sets grad, all but grad.Synapse, to the derivatives of the term at the
	// given parameters and posterior means (hidden x visible), and returns those by
	// the synapses a hidden unit at a time: who uses a row at once, while it is in
	// the cache, needs no matrix of them. grad.Coupling is what rows do not return of
	// it. The report's LnZ is the term itself, or NaN where the engine gives none.
	// Errors are those of a machine or a size that the form or its engine cannot serve.
	Rows(grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error)
}

// A Row sets dst to the derivatives of a partition term by the synapses of hidden
// unit mu and returns what the unit adds to that by the coupling. It serves several
// goroutines at a time, until the term is computed again or its arguments change.
type Row[T rbm.Real] func(dst []T, mu int) (byCoupling float64)

// Term sets grad to all derivatives of a partition term, as Partition.Rows has them.
func Term[T rbm.Real](partition Partition[T], grad *Gradient[T], params *rbm.Params, mean []T) (Report, error) {
	row, report, err := partition.Rows(grad, params, mean)
	if err != nil {
		return report, err
	}
	n, p := params.Visible(), params.Hidden()
	coupling := make([]float64, p)
	parallel.For(p, edgeGrain(n), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			coupling[mu] = row(grad.Synapse[mu*n:(mu+1)*n], mu)
		}
	})
	for _, v := range coupling {
		grad.Coupling += v
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
	kernel.Edges[T]
	parts []T // what each piece of setNetwork adds to the visible fields
}

// setNetwork is SetNetwork but for the constant, which is NaN then.
func (e *edges[T]) setNetwork(net *rbm.Network[T], params *rbm.Params, mean []T) {
	n, p := params.Visible(), params.Hidden()
	checkMean(mean, n, p)
	e.Set(params.Coupling, params.VisibleOffset)
	net.Bound = T(math.Abs(params.Coupling)) // |d^2 ln f / ds dh| is at most |J|, as d ln f / dx is within ±1
	net.Constant = math.NaN()
	grain := edgeGrain(n)
	if withoutOffsets(params) { // no edge adds to a field
		parallel.For(p, grain, func(lo, hi int) {
			kernel.PlainEdges(net.Coupling[lo*n:hi*n], mean[lo*n:hi*n], params.Coupling)
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
			row := mu * n
			sumC := e.Couplings(net.Coupling[row:row+n], field, mean[row:row+n], params.HiddenOffset[mu])
			net.HiddenField[mu] = T(params.HiddenField[mu] + sumC)
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
			sums[mu] = e.Constant(mean[mu*n:(mu+1)*n], params.HiddenOffset[mu])
		}
	})
	net.Constant = 0
	for _, v := range sums {
		net.Constant += v
	}
}

// Rows implements Partition: ln E_q Z and its gradient. The error is the engine's.
func (a *Annealed[T]) Rows(grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error) {
	n, p := params.Visible(), params.Hidden()
	if a.net == nil || a.net.Visible() != n || a.net.Hidden() != p {
		a.net, a.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	a.edges.setNetwork(a.net, params, mean)
	if _, ok := a.Engine.(*Chains[T]); !ok { // which give no ln Z
		a.edges.setConstant(a.net, params, mean)
	}
	report, err := a.Engine.Moments(a.moments, a.net)
	if err != nil {
		return nil, report, err
	}
	setFields(grad, a.moments)
	plain := withoutOffsets(params)
	return func(dst []T, mu int) float64 {
		lambda, sh := mean[mu*n:(mu+1)*n], a.moments.Correlation[mu*n:(mu+1)*n]
		if plain {
			return kernel.PlainEdgeSlopes(dst, lambda, sh, params.Coupling)
		}
		return a.edges.Slopes(dst, lambda, a.moments.Visible, sh, params.HiddenOffset[mu], float64(a.moments.Hidden[mu]))
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
	grad.Coupling = 0
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
