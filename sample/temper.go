package sample

import (
	"fmt"
	"math"
	"math/rand/v2"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Tempering says how chains are tempered.
type Tempering struct {
	Chains int // independent ensembles, each of one state a temperature
	// Ladder are the temperatures t, rising from 0 or above to 1: the state at t
	// follows exp(-(1-t) base - t energy). Path.Ladder makes good ones.
	Ladder    []float64
	BaseField []float64 // visible fields of the base, independent spins; nil for none
	Key       stream.Key
}

// Tempered are Gibbs chains at a ladder of temperatures that exchange states
// (replica exchange, or parallel tempering; Swendsen and Wang 1986, Geyer 1991),
// so that chains at the network itself (Top) reach states that Gibbs sampling
// alone would take too long to find. Neighbours exchange visible states by
// their weights summed over the hidden units, even and odd pairs in turn (Syed,
// Bouchard-Cote, Deligiannidis and Doucet 2022). Every draw is a function of the
// key and the number of sweeps alone: threads do not matter.
type Tempered[T rbm.Real] struct {
	Exchanges Exchanges

	chains  int
	ladder  []T
	rungs   []*Chains[T]
	path    *path[T]
	offset  float64 // the constant of the network's weights
	key     stream.Key
	sweeps  uint64
	up      [][]float64 // [pair][chain]: what log-weights gain from a rung to the next, of its states
	down    [][]float64 // the same of the next one's states, to the rung
	visible [][]T       // scratch, [rung][chain]
	replica []int       // [rung*chains+chain]: which of the ensemble's replicas is there
	heading []int8      // [replica*chains+chain]: up, down or 0
	shown   bool        // the chains' hidden fields are those of their visible states
}

// Exchanges count what has happened since the last Reset.
type Exchanges struct {
	Tried    []int     // of each pair of neighbours, lowest first
	Accepted []float64 // expected exchanges: sums of acceptance probabilities
	// RoundTrips are the journeys of replicas from the bottom of the ladder to its top and back.
	RoundTrips int

	ratios []ratio // of each pair of neighbours
}

// A ratio gathers what the ratio of two neighbours' Z is made of: with f(x) =
// 1/(1 + exp(-x)) and any centre c, Z'/Z is exp(c) times the mean of f(up - c)
// over states of the lower temperature over that of f(down + c) over states of
// the upper one, which is best near c = ln Z'/Z (Bennett 1976).
type ratio struct {
	centre   float64
	centred  bool
	up, down []float64 // of each ensemble, sums
}

// ln returns ln Z'/Z from the named ensembles.
func (r *ratio) ln(ensembles []int) float64 {
	var up, down float64
	for _, l := range ensembles {
		up += r.up[l]
		down += r.down[l]
	}
	return r.centre + math.Log(up) - math.Log(down)
}

func (r *ratio) add(up, down []float64) {
	if !r.centred {
		r.centred = true
		for l := range up {
			r.centre += (up[l] - down[l]) / float64(2*len(up))
		}
	}
	for l := range up {
		r.up[l] += 1 / (1 + math.Exp(r.centre-up[l]))
		r.down[l] += 1 / (1 + math.Exp(-r.centre-down[l]))
	}
}

// Rates returns the acceptance rate of each pair of neighbours; 0 where none was tried.
func (e *Exchanges) Rates() []float64 {
	rates := make([]float64, len(e.Tried))
	for k, n := range e.Tried {
		if n > 0 {
			rates[k] = e.Accepted[k] / float64(n)
		}
	}
	return rates
}

// Reset starts counting afresh.
func (e *Exchanges) Reset() {
	for k := range e.ratios {
		r := &e.ratios[k]
		if e.Tried[k] > 0 {
			if ln := r.ln(every(len(r.up))); !math.IsInf(ln, 0) && !math.IsNaN(ln) {
				r.centre = ln
			}
		}
		clear(r.up)
		clear(r.down)
	}
	clear(e.Tried)
	clear(e.Accepted)
	e.RoundTrips = 0
}

// every returns 0 ... n-1.
func every(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}

// NewTempered returns tempered chains on a network that start at independent
// fair hidden spins.
func NewTempered[T rbm.Real](net *rbm.Network[T], t Tempering) *Tempered[T] {
	shared := shareNetwork(net)
	return newTempered(func() conditionals[T] { return shared.conditionals(t.Chains) }, net.VisibleField, net.Constant, t)
}

// NewMachineTempered returns tempered chains on a machine; those of binary
// synapses are several times faster than those on the machine's network.
func NewMachineTempered(machine *rbm.Machine, t Tempering) *Tempered[float32] {
	layers, fields, constant := machineConditionals(machine, t.Chains)
	return newTempered(layers, fields, constant, t)
}

func newTempered[T rbm.Real](layers func() conditionals[T], fields []T, constant float64, t Tempering) *Tempered[T] {
	checkLadder("NewTempered", t.Ladder)
	rungs, chains := len(t.Ladder), t.Chains
	e := &Tempered[T]{
		Exchanges: Exchanges{Tried: make([]int, rungs-1), Accepted: make([]float64, rungs-1)},
		chains:    chains, key: t.Key,
		path:    newPath(t.BaseField, fields),
		offset:  constant,
		replica: make([]int, rungs*chains), heading: make([]int8, rungs*chains),
	}
	for r, at := range t.Ladder {
		e.ladder = append(e.ladder, T(at))
		c := newChains(layers(), make([]T, len(fields)), chains, t.Key.Sub(rung).Sub(uint64(r)))
		c.at = T(at)
		e.path.fields(c.visible, c.at)
		e.rungs = append(e.rungs, c)
		e.visible = append(e.visible, make([]T, chains))
		for l := range chains {
			e.replica[r*chains+l] = r
		}
	}
	for range rungs - 1 {
		e.Exchanges.ratios = append(e.Exchanges.ratios, ratio{up: make([]float64, chains), down: make([]float64, chains)})
		e.up, e.down = append(e.up, make([]float64, chains)), append(e.down, make([]float64, chains))
	}
	return e
}

// checkLadder panics unless temperatures rise within [0, 1] to 1.
func checkLadder(who string, ladder []float64) {
	if len(ladder) < 2 || ladder[len(ladder)-1] != 1 || !(ladder[0] >= 0) {
		panic(fmt.Sprintf("sample: %s on a ladder of %d temperatures that must rise from 0 or above to 1", who, len(ladder)))
	}
	for k := 1; k < len(ladder); k++ {
		if !(ladder[k] > ladder[k-1]) {
			panic(fmt.Sprintf("sample: %s on a ladder whose temperature %d, %v, is not above %v", who, k, ladder[k], ladder[k-1]))
		}
	}
}

// Top returns the chains at the network itself, to be read: their Visible and
// Hidden states and fields. Sweeping is for Tempered.
func (e *Tempered[T]) Top() *Chains[T] { return e.rungs[len(e.rungs)-1] }

// Rung returns the chains at a temperature of the ladder, to be read.
func (e *Tempered[T]) Rung(k int) *Chains[T] { return e.rungs[k] }

// LogWeights writes the logarithm of the weight of each visible state at the
// top, summed over the hidden units, to dst, one a chain.
func (e *Tempered[T]) LogWeights(dst []float64) {
	top := e.Top()
	visible := make([]T, e.chains)
	spin.Mul(visible, e.path.network, 1, top.Visible)
	fields := top.HiddenFields()
	for l := range dst[:e.chains] {
		dst[l] = e.offset + float64(visible[l])
	}
	for k := 0; k < len(fields); k += e.chains {
		kernel.AddLog2Cosh(dst[:e.chains], fields[k:k+e.chains])
	}
}

// LnZ estimates ln Z of the network from the exchanges since the last Reset, by
// acceptance ratios between neighbours (Bennett 1976), with the named ensembles,
// repeated ones as often as they are named; nil for all. The ladder must start
// at 0 and each pair must have been tried. It is good where the chains are in
// equilibrium at each temperature.
func (e *Tempered[T]) LnZ(ensembles []int) float64 {
	if e.ladder[0] != 0 {
		panic("sample: LnZ of a ladder that does not start at 0")
	}
	if ensembles == nil {
		ensembles = every(e.chains)
	}
	_, p := e.Top().layers.size()
	sum := e.offset + e.path.lnBase(p)
	for k := range e.Exchanges.ratios {
		sum += e.Exchanges.ratios[k].ln(ensembles)
	}
	return sum
}

// Sweeps returns how many sweeps have been done.
func (e *Tempered[T]) Sweeps() uint64 { return e.sweeps }

// Start sets the visible states at every temperature to the columns of s
// (visible x chains) and draws the hidden ones given them.
func (e *Tempered[T]) Start(s *spin.Matrix) {
	for _, c := range e.rungs {
		c.Start(s)
	}
	e.shown = true
}

// Clamp holds the named visible units at their states in s (visible x chains)
// at every temperature, from now on.
func (e *Tempered[T]) Clamp(units []int, s *spin.Matrix) {
	for _, c := range e.rungs {
		c.Clamp(units, s)
	}
	e.shown = true
}

// SetNetwork changes the network, as that of Chains does, and draws the hidden
// states given the visible ones anew. The base stays.
func (e *Tempered[T]) SetNetwork(net *rbm.Network[T]) {
	fields := e.rungs[0].visible
	e.rungs[0].SetNetwork(net) // the others share it
	e.rungs[0].layers.(*realConditionals[T]).keep()
	e.rungs[0].visible = fields
	e.path.set(net.VisibleField)
	e.offset = net.Constant
	for r, c := range e.rungs {
		e.path.fields(c.visible, e.ladder[r])
		if e.shown {
			c.drawHidden()
		}
	}
}

// Sweep does k sweeps: exchanges between neighbours, then a sweep of the chains
// at every temperature.
func (e *Tempered[T]) Sweep(k int) {
	for range k {
		var moved []bool
		if e.shown {
			moved = e.exchange()
		}
		parallel.For(len(e.rungs), 1, func(lo, hi int) {
			for r := lo; r < hi; r++ {
				c := e.rungs[r]
				if moved != nil && moved[r] {
					c.layers.drawHidden(c.Hidden, c.Visible, c.at, c.key.Sub(redrawHidden).Sub(c.Sweeps))
				}
				c.Sweep(1)
			}
		})
		e.shown = true
		e.sweeps++
	}
}

// exchange exchanges visible states between neighbours and tells which rungs
// have changed; their hidden states are out of date.
func (e *Tempered[T]) exchange() []bool {
	first := int(e.sweeps % 2) // the lower rung of the first pair
	parallel.For(len(e.rungs), 1, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			if pair := r - (r-first)&1; pair >= 0 && pair+1 < len(e.rungs) {
				e.gains(r, pair)
			}
		}
	})
	moved := make([]bool, len(e.rungs))
	rng := e.key.Sub(drawExchange).Sub(e.sweeps).Rand()
	for k := first; k+1 < len(e.rungs); k += 2 {
		which := e.accepted(k, rng)
		if len(which) == 0 {
			continue
		}
		moved[k], moved[k+1] = true, true
		spin.SwapColumns(e.rungs[k].Visible, e.rungs[k+1].Visible, which)
		for _, l := range which {
			a, b := k*e.chains+l, (k+1)*e.chains+l
			e.replica[a], e.replica[b] = e.replica[b], e.replica[a]
		}
	}
	e.countTrips()
	return moved
}

// accepted draws which chains exchange their states at rung k and the next.
func (e *Tempered[T]) accepted(k int, rng *rand.Rand) (which []int) {
	for l := range e.chains {
		accept := math.Exp(min(0, e.up[k][l]+e.down[k][l]))
		e.Exchanges.Accepted[k] += accept
		if rng.Float64() < accept {
			which = append(which, l)
		}
	}
	e.Exchanges.Tried[k] += e.chains
	e.Exchanges.ratios[k].add(e.up[k], e.down[k])
	return which
}

// countTrips notes which replicas are at the ends of the ladder.
func (e *Tempered[T]) countTrips() {
	top := (len(e.rungs) - 1) * e.chains
	for l := range e.chains {
		if h := &e.heading[e.replica[l]*e.chains+l]; *h != up {
			if *h == down {
				e.Exchanges.RoundTrips++
			}
			*h = up
		}
		if h := &e.heading[e.replica[top+l]*e.chains+l]; *h == up {
			*h = down
		}
	}
}

// Where a replica is heading: up since it was at the bottom, down since it was
// at the top after that, 0 before.
const up, down = 1, -1

// gains computes what the log-weights of the states at rung r would gain at the
// other rung of the pair that starts at pair.
func (e *Tempered[T]) gains(r, pair int) {
	c, sum, other := e.rungs[r], e.up[pair], pair+1
	if r > pair {
		sum, other = e.down[pair], pair
	}
	clear(sum)
	e.path.addSteps(sum, e.visible[r], c.Visible, c.HiddenFields(), e.ladder[r], e.ladder[other])
}
