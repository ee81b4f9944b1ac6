package sampler

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// EngineName is what reports of Engine call it.
const EngineName = "sampler"

// An Engine estimates moments of a network from the samples of an outside sampler: a dual.Engine whose
// chains are someone else's. The sampler answers with states of exp(-beta energy) at a beta that the engine
// follows: it sends the network's energies divided by the beta that it assumes, so that samples are those of the
// network. Hidden spins are averaged given the visible ones of the samples. It gives no ln Z.
type Engine[T rbm.Real] struct {
	Sampler Sampler
	Name    string     // of the sampler, in errors
	Reads   int        // samples a call
	Key     stream.Key // of seeds and gauges
	Range   Range
	// Gauges is how many parts reads are asked in, each turned by a random gauge
	// (spin-reversal transformation), which averages fixed errors of fields and couplings. 0: none.
	Gauges int
	Follow Follower

	state, before engineState
	last          *Reading
}

// engineState is what an engine keeps between calls.
type engineState struct {
	calls           uint64
	beta            float64 // that the sampler is assumed to have; 0 before the first call
	visible, hidden int     // of the networks
	lost            int     // calls in a row whose samples tell no temperature to follow; not kept in checkpoints
}

// A Reading is what the last call of an engine read.
type Reading struct {
	Beta  float64 // inverse temperature that the sampler was assumed to have
	Scale float64 // what energies were multiplied by: 1/Beta, or what the range allows
	// Local is the inverse temperature of the samples relative to the network, by their
	// pseudolikelihood: 1 is wanted. It is NaN if no finite one is the best.
	Local   thermo.Temperature
	Limited bool // the range did not allow 1/Beta
	Samples Samples
	Net     *rbm.Network[float64]
}

// Estimate returns the inverse temperature that the sampler has by the reading.
func (r *Reading) Estimate() float64 { return r.Local.Beta / r.Scale }

// A Follower says which inverse temperature a sampler is assumed to have.
type Follower interface {
	// First returns that of the first call.
	First() float64
	// Next returns that of the next call after a reading; first tells that it is of the first call.
	Next(r *Reading, first bool) float64
	// Lost says why a reading is none to follow, or nothing if it can be followed.
	Lost(r *Reading) string
}

// Auto follows the temperature read from the samples by pseudolikelihood. After the first call it takes
// the inverse temperature that was read; later, the geometric mean of the one assumed and the one read.
type Auto struct{}

// First implements Follower.
func (Auto) First() float64 { return 1 }

// mostStep is the largest factor that Auto moves by at once.
const mostStep = 4

// Bounds of the inverse temperature that Auto assumes.
const (
	LeastBeta = 1e-3
	MostBeta  = 1e3
)

// Next implements Follower.
func (Auto) Next(r *Reading, first bool) float64 {
	factor := r.Estimate() / r.Beta
	switch {
	case flat(r.Net): // no samples can tell
		return r.Beta
	case math.IsNaN(factor): // colder than can be told
		factor = mostStep
	case !first:
		factor = math.Sqrt(max(0, factor))
	}
	return min(MostBeta, max(LeastBeta, r.Beta*min(mostStep, max(1/float64(mostStep), factor))))
}

// Lost implements Follower.
func (Auto) Lost(r *Reading) string {
	switch {
	case flat(r.Net):
		return ""
	case math.IsNaN(r.Local.Beta):
		return "its samples follow the problem without an exception, however small its coefficients are: does it minimise and not sample?"
	case r.Beta <= hotBeta && !(r.Local.Beta > manyErrors*r.Local.Error):
		return fmt.Sprintf("its samples are independent of the problem (inverse temperature %.3g ± %.3g where 1 is wanted, with energies times %.3g): does it read the problem?", r.Local.Beta, r.Local.Error, r.Scale)
	case r.Beta <= LeastBeta || r.Beta >= MostBeta:
		return fmt.Sprintf("its inverse temperature is out of the bounds, %v to %v, within which it is followed: are its coefficients in other units? Multiply them in the sampler", LeastBeta, MostBeta)
	}
	return ""
}

// Fixed is an inverse temperature that is known.
type Fixed float64

// First implements Follower.
func (f Fixed) First() float64 { return float64(f) }

// Next implements Follower.
func (f Fixed) Next(*Reading, bool) float64 { return float64(f) }

// Lost implements Follower.
func (Fixed) Lost(*Reading) string { return "" }

// XuOates moves by the rule of Xu and Oates (2021): see thermo.XuOates. Where learning is stationary it
// does not move, whatever the temperature is.
type XuOates struct {
	Rate float64
	Data *spin.Matrix // visible x samples
}

// First implements Follower.
func (XuOates) First() float64 { return 1 }

// Next implements Follower.
func (x XuOates) Next(r *Reading, _ bool) float64 {
	step := thermo.XuOates(thermo.DataEnergy(r.Net, x.Data), thermo.DataEnergy(r.Net, r.Samples.Visible), r.Beta)
	return min(20, max(0.05, r.Beta+x.Rate*step))
}

// Lost implements Follower.
func (XuOates) Lost(*Reading) string { return "" }

// Last returns the reading of the last call, or nil before it.
func (e *Engine[T]) Last() *Reading { return e.last }

// Undo implements dual.Undoer.
func (e *Engine[T]) Undo() { e.state = e.before }

// State implements dual.Stateful.
func (e *Engine[T]) State() dual.State {
	if e.state.calls == 0 {
		return dual.State{}
	}
	return dual.State{Count: e.state.calls, Numbers: [][]float64{{e.state.beta, float64(e.state.visible), float64(e.state.hidden)}}}
}

// Restore implements dual.Stateful.
func (e *Engine[T]) Restore(visible, hidden int, s dual.State) error {
	switch {
	case s.Count == 0 && len(s.Numbers) == 0:
		e.state = engineState{}
	case len(s.States) != 0 || len(s.Numbers) != 1 || len(s.Numbers[0]) != 3 || !(s.Numbers[0][0] > 0):
		return fmt.Errorf("a state of %d lists of numbers and %d of states: that of a sampler is a temperature above 0 and two sizes", len(s.Numbers), len(s.States))
	case s.Numbers[0][1] != float64(visible) || s.Numbers[0][2] != float64(hidden):
		return fmt.Errorf("the state of a sampler of %v x %v units for a network of %d x %d", s.Numbers[0][1], s.Numbers[0][2], visible, hidden)
	default:
		e.state = engineState{s.Count, s.Numbers[0][0], visible, hidden, 0}
	}
	e.before = e.state
	return nil
}

// Moments implements dual.Engine. Errors are the context's, those of the sampler (*Error), and of settings.
func (e *Engine[T]) Moments(ctx context.Context, dst *rbm.Moments[T], net *rbm.Network[T]) (dual.Report, error) {
	if e.Reads < 1 || e.Gauges < 0 || e.Gauges > e.Reads {
		return dual.Report{}, fmt.Errorf("%d reads in %d gauges: there must be at least 1 read, and one a gauge", e.Reads, e.Gauges)
	}
	if err := ctx.Err(); err != nil {
		return dual.Report{}, err
	}
	first, beta := e.state.calls == 0, e.state.beta
	if first {
		beta = e.Follow.First()
	}
	wide := widened(net)
	reading := &Reading{Beta: beta, Scale: 1 / beta, Net: wide}
	if most := e.Range.Scale(wide); most < reading.Scale {
		reading.Scale, reading.Limited = most, true
	}
	problem := NewProblem(wide, reading.Scale)
	err := problem.finite()
	if err != nil {
		return dual.Report{}, &Error{e.Name, err}
	}
	if reading.Samples, err = e.sample(ctx, problem); err != nil {
		return dual.Report{}, err
	}
	if reading.Local, err = thermo.Pseudolikelihood(wide, reading.Samples.Visible, reading.Samples.Hidden); err != nil {
		reading.Local = thermo.Temperature{Beta: math.NaN(), Error: math.NaN()}
	}
	lost, why := 0, e.lost(reading)
	if why != "" {
		if lost = e.state.lost + 1; lost >= mostLost {
			return dual.Report{}, &Error{e.Name, fmt.Errorf("%d calls in a row %s", lost, why)}
		}
	}
	average(dst, net, reading.Samples.Visible)
	e.before, e.last = e.state, reading
	e.state = engineState{e.state.calls + 1, e.Follow.Next(reading, first), net.Visible(), net.Hidden(), lost}
	return dual.Report{Engine: EngineName, LnZ: math.NaN(), Iterations: e.Reads, Converged: true}, nil
}

const (
	mostLost   = 10   // calls in a row whose samples tell no temperature to follow
	manyErrors = 3    // standard errors that tell a sign
	hotBeta    = 0.05 // below it a sampler must be seen to follow the problem
)

// lost says why a reading is none to follow, whatever follows it; nothing if it can be followed.
func (e *Engine[T]) lost(r *Reading) string {
	if r.Local.Beta < -manyErrors*r.Local.Error {
		return fmt.Sprintf("its samples are against the problem (inverse temperature %.3g ± %.3g): is the sign right? Coefficients are of an energy that is to be low, those of the network's fields and couplings negated", r.Local.Beta, r.Local.Error)
	}
	return e.Follow.Lost(r)
}

// flat reports whether a network has neither fields nor couplings.
func flat(net *rbm.Network[float64]) bool {
	return largest(net.Coupling) == 0 && largest(net.VisibleField) == 0 && largest(net.HiddenField) == 0
}

// sample asks for all reads of a problem.
func (e *Engine[T]) sample(ctx context.Context, whole *Problem) (Samples, error) {
	key := e.Key.Sub(uint64(e.state.calls))
	e.Range.Round(whole)
	if e.Gauges == 0 {
		return e.Sampler.Sample(ctx, whole, e.Reads, seedOf(key))
	}
	all := Samples{spin.New(whole.Visible, e.Reads), spin.New(whole.Hidden, e.Reads)}
	for k, done := 0, 0; k < e.Gauges; k++ {
		reads := (e.Reads - done) / (e.Gauges - k)
		own := key.Sub(uint64(k))
		gauge := gaugeOf(own, len(whole.Linear))
		turned := whole.clone()
		turned.Turn(gauge)
		part, err := e.Sampler.Sample(ctx, turned, reads, seedOf(own))
		if err != nil {
			return Samples{}, err
		}
		places := make([]int, reads)
		for r := range places {
			places[r] = done + r
		}
		turnBack(part.Visible, gauge[:whole.Visible])
		turnBack(part.Hidden, gauge[whole.Visible:])
		all.Visible.Put(part.Visible, places)
		all.Hidden.Put(part.Hidden, places)
		done += reads
	}
	return all, nil
}

// seedOf returns a seed that any program can read.
func seedOf(key stream.Key) uint32 { return uint32(key.Rand().Uint64() >> 33) }

// gaugeOf draws a gauge.
func gaugeOf(key stream.Key, units int) []int8 {
	rng := key.Sub(stream.SamplerGauge).Rand()
	gauge := make([]int8, units)
	for u := range gauge {
		gauge[u] = int8(2*rng.IntN(2) - 1)
	}
	return gauge
}

// turnBack turns the spins of samples by a gauge.
func turnBack(m *spin.Matrix, gauge []int8) {
	for i, g := range gauge {
		if g < 0 {
			for a := range m.Cols() {
				m.Set(i, a, -m.At(i, a))
			}
		}
	}
}

// average sets moments to those of visible samples, with the hidden spins averaged given them.
func average[T rbm.Real](dst *rbm.Moments[T], net *rbm.Network[T], visible *spin.Matrix) {
	n, p, m := net.Visible(), net.Hidden(), visible.Cols()
	means := make([]T, p*m)
	net.HiddenFields(means, visible)
	kernel.Tanh(means, means)
	scale := 1 / T(m)
	across := spin.New(m, n)
	visible.Transpose(across)
	parallel.For(p, max(1, parallel.Grain(n*m)), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			dst.Hidden[mu] = T(kernel.Sum(means[mu*m:(mu+1)*m])) * scale
		}
	})
	spin.MulAffine(dst.Correlation, means, p, across, scale, make([]T, p))
	sums := make([]int, n)
	across.ColSums(sums)
	for i, s := range sums {
		dst.Visible[i] = T(s) * scale
	}
}

// widened returns a network in float64, without its constant, which has no say in samples and may be NaN.
func widened[T rbm.Real](net *rbm.Network[T]) *rbm.Network[float64] {
	wide := rbm.NewNetwork[float64](net.Visible(), net.Hidden())
	for k, v := range net.Coupling {
		wide.Coupling[k] = float64(v)
	}
	for i, v := range net.VisibleField {
		wide.VisibleField[i] = float64(v)
	}
	for mu, v := range net.HiddenField {
		wide.HiddenField[mu] = float64(v)
	}
	return wide
}
