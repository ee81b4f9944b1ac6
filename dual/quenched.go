package dual

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
)

// Quenched is the paper's partition term: E_q ln Z is replaced by the mean
// over Draws Gaussian vectors z of the ln Z of a network with couplings
// J lambda and hidden fields c + sqrt(V) z, V_mu = J^2 sum_i (1 - lambda^2).
// It is not a bound: it overstates the evidence. Draws come in pairs z, -z.
// It has no offsets.
type Quenched[T rbm.Real] struct {
	Engine Engine[T]
	Draws  int // even
	Key    stream.Key

	step    uint64
	undo    func() // puts the step and the engine where they were before the last call
	net     *rbm.Network[T]
	moments *rbm.Moments[T]
	grad    *Gradient[T]
}

// ErrOffsets is returned for a centred machine by what has no form with offsets.
var ErrOffsets = errors.New("the quenched partition term has no form with offsets: learn without centring, or with the annealed term")

// State implements Stateful: the number of calls.
func (q *Quenched[T]) State() State { return State{Count: q.step} }

// Restore implements Stateful.
func (q *Quenched[T]) Restore(_, _ int, s State) error {
	q.step = s.Count
	return nil
}

// Serves implements Partition: binary synapses between spins.
func (q *Quenched[T]) Serves(form Form) error {
	if !form.Synapses.LogOdds() {
		return fmt.Errorf("%w: the quenched term averages over binary synapses, and these are %s: learn with dual.Weighted", ErrNotServed, form.Synapses)
	}
	return servesSpins("quenched", form)
}

// GivesLnZ implements Summing, as the engine does.
func (q *Quenched[T]) GivesLnZ() bool { return GivesLnZ(q.Engine) }

// AnnealedLnZ implements Annealable with ln E_q Z: the annealed term, that of a true
// bound, in the place of the quenched one.
func (q *Quenched[T]) AnnealedLnZ(ctx context.Context, params *rbm.Params, mean []T, base []float64, with sample.Annealing) (sample.LnZEstimate, error) {
	return sample.AnnealedLnZ(ctx, sample.OnNetwork(NewNetwork(params, mean)).From(base), with)
}

// Rows implements Partition: the mean of ln Z over fresh draws, and its gradient at
// these draws. Errors are ErrOffsets, a number of draws that is not even and
// positive, and the engine's.
func (q *Quenched[T]) Rows(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Row[T], Report, error) {
	n := params.Visible()
	if !q.grad.fits(params) {
		q.grad = NewGradient[T](params)
	}
	report, err := q.gradient(ctx, q.grad, params, mean)
	if err != nil {
		return nil, report, err
	}
	copy(grad.VisibleField, q.grad.VisibleField)
	copy(grad.HiddenField, q.grad.HiddenField)
	copy(grad.Coupling, q.grad.Coupling)
	return func(dst []T, _ []float64, mu int) { copy(dst, q.grad.Synapse[mu*n:(mu+1)*n]) }, report, nil
}

// remember notes where the step and the engine are: a call has the engine compute
// many moments.
func (q *Quenched[T]) remember() {
	step := q.step
	engine, ok := q.Engine.(Stateful)
	if !ok {
		q.undo = func() { q.step = step }
		return
	}
	state := engine.State()
	n, p := q.net.Visible(), q.net.Hidden()
	q.undo = func() {
		q.step = step
		if err := engine.Restore(n, p, state); err != nil {
			panic(fmt.Sprintf("dual: an engine does not take its own state back: %v", err))
		}
	}
}

// Undo implements Undoer.
func (q *Quenched[T]) Undo() {
	if q.undo != nil { // there was a call
		q.undo()
	}
}

// gradient is Rows with the whole gradient.
func (q *Quenched[T]) gradient(ctx context.Context, grad *Gradient[T], params *rbm.Params, mean []T) (Report, error) {
	if params.Centred() {
		return Report{}, ErrOffsets
	}
	if q.Draws < 2 || q.Draws%2 != 0 {
		return Report{}, errors.New("the quenched partition term needs an even, positive number of draws")
	}
	if !params.Whole() {
		return Report{}, fmt.Errorf("%w: the quenched term is one of a single link, and the machine has %d", ErrNotServed, len(params.Links))
	}
	n, p, j := params.Visible(), params.Hidden(), params.Coupling()
	checkMean(mean, n, p)
	if q.net == nil || q.net.Visible() != n || q.net.Hidden() != p {
		q.net, q.moments = rbm.NewNetwork[T](n, p), rbm.NewMoments[T](n, p)
	}
	coupling := T(j)
	for k, v := range mean {
		q.net.Coupling[k] = coupling * v
	}
	for i, b := range params.VisibleField {
		q.net.VisibleField[i] = T(b)
	}
	deviation, free := make([]float64, p), make([]float64, p) // sqrt(V), sum_i (1 - lambda^2)
	for mu := range p {
		for _, v := range mean[mu*n : (mu+1)*n] {
			free[mu] += 1 - float64(v)*float64(v)
		}
		deviation[mu] = j * math.Sqrt(free[mu])
	}

	clear(grad.Synapse)
	clear(grad.VisibleField)
	clear(grad.HiddenField)
	clear(grad.Coupling)
	clear(grad.VisibleOwn)
	q.remember()
	rng := q.Key.Sub(q.step).Rand()
	q.step++
	weight := 1 / float64(q.Draws)
	total := Report{Converged: true}
	zh := make([]float64, p) // mean of z <h>
	z := make([]float64, p)
	for d := range q.Draws {
		for mu := range z {
			if d%2 == 0 {
				z[mu] = rng.NormFloat64()
			} else {
				z[mu] = -z[mu]
			}
			q.net.HiddenField[mu] = T(params.HiddenField[mu] + deviation[mu]*z[mu])
		}
		report, err := engineOf(q.Engine, "quenched").Moments(ctx, q.moments, q.net)
		if err != nil {
			q.Undo()
			return report, err
		}
		total.Engine = report.Engine
		total.LnZ += weight * report.LnZ
		total.Iterations += report.Iterations
		total.Residual = max(total.Residual, report.Residual)
		total.Converged = total.Converged && report.Converged
		for i, v := range q.moments.Visible {
			grad.VisibleField[i] += weight * float64(v)
		}
		for mu, v := range q.moments.Hidden {
			grad.HiddenField[mu] += weight * float64(v)
			zh[mu] += weight * float64(v) * z[mu]
			row := grad.Synapse[mu*n : (mu+1)*n]
			for i, c := range q.moments.Correlation[mu*n : (mu+1)*n] {
				row[i] += T(weight * j * float64(c))
				grad.Coupling[0] += weight * float64(mean[mu*n+i]) * float64(c)
			}
		}
	}
	for mu, v := range zh {
		if free[mu] == 0 {
			continue // the synapses are known and z does not enter
		}
		root := math.Sqrt(free[mu])
		grad.Coupling[0] += root * v
		byLambda := j * v / root
		row := grad.Synapse[mu*n : (mu+1)*n]
		for i, l := range mean[mu*n : (mu+1)*n] {
			row[i] -= T(byLambda * float64(l))
		}
	}
	return total, nil
}
