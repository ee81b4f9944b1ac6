package gausstest

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// Partition is the partition term ln E_q Z of Gaussian visible units and hidden spins,
// by enumeration of the hidden states: each synapse averages to
// f = cosh a + lambda sinh a with a = J (u - mu)(h - nu), and for every hidden state the
// integral over u is a product of integrals of one dimension. Its statistics are no
// moments of an Ising network. It keeps nothing between calls.
type Partition[T rbm.Real] struct{}

// MaxHidden is the largest number of hidden units.
const MaxHidden = 16

// Serves implements dual.Partition.
func (Partition[T]) Serves(form dual.Form) error {
	if !form.Synapses.LogOdds() || form.Visible != units.Gauss || form.Hidden != units.Spin {
		return fmt.Errorf("%w: this one is of binary synapses between Gaussian units and spins", dual.ErrNotServed)
	}
	return nil
}

// GivesLnZ implements dual.Summing.
func (Partition[T]) GivesLnZ() bool { return true }

// nodes of the integrals over u: the trapezoid rule, whose error falls exponentially.
func nodes(params *rbm.Params) []float64 {
	const step = 0.4
	far := 9.0
	for _, b := range params.VisibleField {
		far = max(far, 9+math.Abs(b))
	}
	reach := 0.0
	for _, nu := range params.HiddenOffset {
		reach += 1 + math.Abs(nu)
	}
	far += params.LargestCoupling() * reach
	var u []float64
	for k := -math.Ceil(far / step); k <= math.Ceil(far/step); k++ {
		u = append(u, k*step)
	}
	return u
}

// state are the sums for one state of the hidden units.
type state struct {
	lnWeight float64
	u        []float64 // <u>
	synapse  []float64 // derivatives by lambda, hidden x visible
	coupling []float64 // by the couplings, hidden x links
}

// Rows implements dual.Partition. Errors are rbm.ErrTooLarge and the context's.
func (Partition[T]) Rows(ctx context.Context, grad *dual.Gradient[T], params *rbm.Params, mean []T) (dual.Row[T], dual.Report, error) {
	n, p, links := params.Visible(), params.Hidden(), len(params.Links)
	if p > MaxHidden {
		return nil, dual.Report{}, fmt.Errorf("%w: %d hidden units, and the limit is %d", rbm.ErrTooLarge, p, MaxHidden)
	}
	lambda := make([]float64, len(mean))
	for k, v := range mean {
		lambda[k] = float64(v)
	}
	states, nodes := make([]state, 1<<p), nodes(params)
	const together = 64
	if err := parallel.ForContext(ctx, len(states), together, func(lo, hi int) {
		for k := lo; k < hi && ctx.Err() == nil; k++ {
			states[k] = newState(params, lambda, nodes, k)
		}
	}); err != nil {
		return nil, dual.Report{}, err
	}
	lnWeights := make([]float64, len(states))
	for k, s := range states {
		lnWeights[k] = s.lnWeight
	}
	lnZ := rbm.LogSumExp(lnWeights)
	clear(grad.VisibleField)
	clear(grad.HiddenField)
	clear(grad.Coupling)
	clear(grad.VisibleOwn) // Z is an integral over u
	synapse, coupling := make([]float64, n*p), make([]float64, p*links)
	for k, s := range states {
		weight := math.Exp(s.lnWeight - lnZ)
		add(grad.VisibleField, s.u, weight)
		add(synapse, s.synapse, weight)
		add(coupling, s.coupling, weight)
		for mu := range grad.HiddenField {
			grad.HiddenField[mu] += weight * spinOf(k, mu)
		}
	}
	row := func(dst []T, byCoupling []float64, mu int) {
		for i, v := range synapse[mu*n : (mu+1)*n] {
			dst[i] = T(v)
		}
		add(byCoupling, coupling[mu*links:(mu+1)*links], 1)
	}
	return row, dual.Report{Engine: "gauss", LnZ: lnZ, Converged: true}, nil
}

// newState does the integrals over the visible units for hidden state k.
func newState(params *rbm.Params, lambda, nodes []float64, k int) state {
	n, p, links := params.Visible(), params.Hidden(), len(params.Links)
	s := state{u: make([]float64, n), synapse: make([]float64, n*p), coupling: make([]float64, p*links)}
	for mu, c := range params.HiddenField {
		s.lnWeight += c * spinOf(k, mu)
	}
	lnWeight := make([]float64, len(nodes))
	for i := range n {
		// each edge of the unit calls visit at each node
		edges := func(visit func(node, mu, link int, y, a float64)) {
			for mu := range p {
				y := spinOf(k, mu) - params.HiddenOffset[mu]
				for link, l := range params.Links {
					if !l.Joins(mu) {
						continue
					}
					if i < l.Visible.From || i >= l.Visible.To {
						continue
					}
					for node, u := range nodes {
						x := (u - params.VisibleOffset[i]) * y
						visit(node, mu, link, x, l.Coupling*x)
					}
				}
			}
		}
		for node, u := range nodes {
			lnWeight[node] = (params.VisibleField[i] - u/2) * u
		}
		edges(func(node, mu, _ int, _, a float64) { lnWeight[node] += lnEdge(lambda[mu*n+i], a) })
		lnSum := rbm.LogSumExp(lnWeight)
		s.lnWeight += lnSum + math.Log(nodes[1]-nodes[0])
		for node, u := range nodes {
			s.u[i] += math.Exp(lnWeight[node]-lnSum) * u
		}
		edges(func(node, mu, link int, x, a float64) {
			byLambda, byA := slopes(lambda[mu*n+i], a)
			weight := math.Exp(lnWeight[node] - lnSum)
			s.synapse[mu*n+i] += weight * byLambda
			s.coupling[mu*links+link] += weight * byA * x
		})
	}
	return s
}

// lnEdge is ln(cosh a + lambda sinh a).
func lnEdge(lambda, a float64) float64 {
	with, against, e := sides(lambda, a)
	return math.Abs(a) + math.Log((with+against*e)/2)
}

// slopes are the derivatives of lnEdge.
func slopes(lambda, a float64) (byLambda, byA float64) {
	with, against, e := sides(lambda, a)
	f := with + against*e
	s := math.Copysign(1, a)
	return s * (1 - e) / f, s * (with - against*e) / f
}

// sides are 1 ± lambda, with and against the sign of a, and exp(-2|a|).
func sides(lambda, a float64) (with, against, e float64) {
	s := math.Copysign(1, a)
	return 1 + lambda*s, 1 - lambda*s, math.Exp(-2 * math.Abs(a))
}

// spinOf is spin mu in the bits of state k.
func spinOf(k, mu int) float64 { return float64(2*(k>>mu&1) - 1) }

// add adds factor x to dst.
func add(dst, x []float64, factor float64) {
	for k, v := range x {
		dst[k] += factor * v
	}
}
