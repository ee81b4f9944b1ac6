package sample

import (
	"fmt"
	"math"
	"math/rand/v2"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// Tempering says how chains are tempered.
type Tempering struct {
	Chains int // independent ensembles, each of one state a temperature
	// Ladder are the temperatures t, rising from 0 or above to 1: the state at t
	// follows exp(-(1-t) base - t energy). Profile.ExchangeLadder makes good ones.
	Ladder []float64
	Key    stream.Key
}

// Tempered are Gibbs chains at a ladder of temperatures that exchange states
// (replica exchange, or parallel tempering; Swendsen and Wang 1986, Geyer 1991),
// so that chains at the machine itself (Top) reach states that Gibbs sampling
// alone would take too long to find. Neighbours exchange visible states by
// their weights summed over the hidden units, even and odd pairs in turn (Syed,
// Bouchard-Cote, Deligiannidis and Doucet 2022). Every draw is a function of the
// key and the number of sweeps alone: threads do not matter.
type Tempered[T rbm.Real, V units.States[V], H units.States[H]] struct {
	Exchanges Exchanges

	chains  int
	ladder  []T
	rungs   []*Chains[T, V, H]
	source  Source[T, V, H]
	joint   fielding[V, H]
	key     stream.Key
	sweeps  uint64
	up      [][]float64 // [pair][chain]: what log-weights gain from a rung to the next, of its states
	down    [][]float64 // the same of the next one's states, to the rung
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

	ratios []Ratio // of each pair of neighbours
}

// Ratios returns what the ratios of the Z of neighbours are made of, lowest first,
// to be read until the next sweep.
func (e *Exchanges) Ratios() []Ratio { return e.ratios }

// A Ratio gathers what the ratio of two neighbours' Z is made of: with f(x) =
// 1/(1 + exp(-x)) and any centre c, Z'/Z is exp(c) times the mean of f(up - c)
// over states of the lower temperature over that of f(down + c) over states of
// the upper one, which is best near c = ln Z'/Z (Bennett 1976).
type Ratio struct {
	Centre   float64
	Up, Down []float64 // of each ensemble, sums of f

	centred bool
}

// Ln returns ln Z'/Z from the named ensembles, repeated ones as often as they are named. It is
// finite.
func (r *Ratio) Ln(ensembles []int) float64 {
	var up, down float64
	for _, l := range ensembles {
		up += r.Up[l]
		down += r.Down[l]
	}
	return r.Centre + math.Log(max(up, leastSum)) - math.Log(max(down, leastSum))
}

// leastSum takes the place of sums that are 0 in float64, so that ratios are finite.
const leastSum = 1e-300

func (r *Ratio) add(up, down []float64) {
	if !r.centred {
		r.centred = true
		for l := range up {
			r.Centre += (up[l] - down[l]) / float64(2*len(up))
		}
	}
	for l := range up {
		r.Up[l] += 1 / (1 + math.Exp(r.Centre-up[l]))
		r.Down[l] += 1 / (1 + math.Exp(-r.Centre-down[l]))
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
			if ln := r.Ln(every(len(r.Up))); !math.IsInf(ln, 0) && !math.IsNaN(ln) {
				r.Centre = ln
			}
		}
		clear(r.Up)
		clear(r.Down)
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

// NewTempered returns tempered chains on a machine that start at random hidden states.
func NewTempered[T rbm.Real, V units.States[V], H units.States[H]](source Source[T, V, H], t Tempering) *Tempered[T, V, H] {
	checkLadder("NewTempered", t.Ladder)
	rungs, chains := len(t.Ladder), t.Chains
	e := &Tempered[T, V, H]{
		Exchanges: Exchanges{Tried: make([]int, rungs-1), Accepted: make([]float64, rungs-1)},
		chains:    chains, key: t.Key, source: source,
		replica: make([]int, rungs*chains), heading: make([]int8, rungs*chains),
	}
	for r, at := range t.Ladder {
		e.ladder = append(e.ladder, T(at))
		e.rungs = append(e.rungs, newChains(source, chains, T(at), t.Key.Sub(stream.ChainsRung).Sub(uint64(r))))
		for l := range chains {
			e.replica[r*chains+l] = r
		}
	}
	e.joint = apart[V, H]{}
	if s, ok := source.(joining[T, V, H]); ok {
		var layers []Conditionals[T, V, H]
		for _, c := range e.rungs {
			layers = append(layers, c.layers)
		}
		e.joint = s.join(layers)
	}
	for range rungs - 1 {
		e.Exchanges.ratios = append(e.Exchanges.ratios, Ratio{Up: make([]float64, chains), Down: make([]float64, chains)})
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

// Top returns the chains at the machine itself, to be read: their Visible and
// Hidden states and fields. Sweeping is for Tempered.
func (e *Tempered[T, V, H]) Top() *Chains[T, V, H] { return e.rungs[len(e.rungs)-1] }

// Rung returns the chains at a temperature of the ladder, to be read.
func (e *Tempered[T, V, H]) Rung(k int) *Chains[T, V, H] { return e.rungs[k] }

// LogWeights writes the logarithm of the weight of each visible state at the
// top, summed over the hidden units, to dst, one per chain.
func (e *Tempered[T, V, H]) LogWeights(dst []float64) {
	e.Top().LogWeights(dst)
}

// LnZ estimates ln Z of the machine from the exchanges since the last Reset, by
// acceptance ratios between neighbours (Bennett 1976), with the named ensembles,
// repeated ones as often as they are named; nil for all. The ladder must start
// at 0 and each pair must have been tried. It is good where the chains are in
// equilibrium at each temperature.
func (e *Tempered[T, V, H]) LnZ(ensembles []int) float64 {
	if e.ladder[0] != 0 {
		panic("sample: LnZ of a ladder that does not start at 0")
	}
	if ensembles == nil {
		ensembles = every(e.chains)
	}
	sum := e.source.LnZBase()
	for k := range e.Exchanges.ratios {
		sum += e.Exchanges.ratios[k].Ln(ensembles)
	}
	return sum
}

// Sweeps returns how many sweeps have been done.
func (e *Tempered[T, V, H]) Sweeps() uint64 { return e.sweeps }

// SetSweeps has the chains go on as after so many sweeps: it is for chains made anew whose states are put back.
func (e *Tempered[T, V, H]) SetSweeps(sweeps uint64) {
	e.sweeps = sweeps
	for _, c := range e.rungs {
		c.Sweeps = sweeps
	}
}

// StartAt sets the visible states at every temperature to the columns of s
// (visible x chains) and draws the hidden ones given them.
func (e *Tempered[T, V, H]) StartAt(s V) {
	for _, c := range e.rungs {
		c.StartAt(s)
	}
	e.shown = true
}

// Clamp holds the named visible units at their states in s (visible x chains)
// at every temperature, from now on.
func (e *Tempered[T, V, H]) Clamp(units []int, s V) {
	for _, c := range e.rungs {
		c.Clamp(units, s)
	}
	e.shown = true
}

// Redraw draws the hidden states given the visible ones anew. It is for after a
// change of the source, such as NetworkSource.Set.
func (e *Tempered[T, V, H]) Redraw() {
	if !e.shown {
		return
	}
	if e.joint.atOnce() {
		visible, every := make([]V, len(e.rungs)), make([]bool, len(e.rungs))
		for r, c := range e.rungs {
			visible[r], every[r] = c.Visible, true
		}
		e.joint.hidden(visible, every)
	}
	for _, c := range e.rungs {
		c.drawHidden(stream.ChainsHidden)
	}
}

// Sweep does k sweeps: exchanges between neighbours, then a sweep of the chains
// at every temperature.
func (e *Tempered[T, V, H]) Sweep(k int) {
	for range k {
		var moved []bool
		if e.shown {
			moved = e.exchange()
		}
		if e.joint.atOnce() {
			e.sweepTogether(moved)
		} else {
			parallel.For(len(e.rungs), 1, func(lo, hi int) {
				for r := lo; r < hi; r++ {
					c := e.rungs[r]
					if moved != nil && moved[r] {
						c.drawHidden(stream.ChainsRedraw)
					}
					c.Sweep(1)
				}
			})
		}
		e.shown = true
		e.sweeps++
	}
}

// exchange exchanges visible states between neighbours and tells which rungs
// have changed; their hidden states are out of date.
func (e *Tempered[T, V, H]) exchange() []bool {
	first := int(e.sweeps % 2) // the lower rung of the first pair
	parallel.For(len(e.rungs), 1, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			if pair := r - (r-first)&1; pair >= 0 && pair+1 < len(e.rungs) {
				e.gains(r, pair)
			}
		}
	})
	moved := make([]bool, len(e.rungs))
	rng := e.key.Sub(stream.ChainsExchange).Sub(e.sweeps).Rand()
	for k := first; k+1 < len(e.rungs); k += 2 {
		which := e.accepted(k, rng)
		if len(which) == 0 {
			continue
		}
		moved[k], moved[k+1] = true, true
		e.rungs[k].Visible.Swap(e.rungs[k+1].Visible, which)
		for _, l := range which {
			a, b := k*e.chains+l, (k+1)*e.chains+l
			e.replica[a], e.replica[b] = e.replica[b], e.replica[a]
		}
	}
	e.countTrips()
	return moved
}

// accepted draws which chains exchange their states at rung k and the next.
func (e *Tempered[T, V, H]) accepted(k int, rng *rand.Rand) (which []int) {
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
func (e *Tempered[T, V, H]) countTrips() {
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
func (e *Tempered[T, V, H]) gains(r, pair int) {
	c, sum, other := e.rungs[r], e.up[pair], pair+1
	if r > pair {
		sum, other = e.down[pair], pair
	}
	clear(sum)
	c.layers.AddGains(sum, c.Visible, e.ladder[r], e.ladder[other])
}
