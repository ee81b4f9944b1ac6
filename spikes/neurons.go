// Package spikes runs machines as networks of spiking neurons with a refractory window.
//
// A neuron that spikes is on for tau steps, and may spike again when they end. With log-odds
// u of being on it then spikes with probability 1/(1 + exp(ln tau - u)). A layer at a time,
// given the others, this chain has the machine's distribution exactly, with the steps that
// are left of each window uniform from 1 to tau (Buesing, Bill, Nessler and Maass 2011): so
// the mean of a unit is tau times its rate of spikes. A winner-take-all group draws its
// winner anew when the window of the last one ends.
package spikes

import (
	"bethe/internal/parallel"
	"bethe/spin"
	"bethe/stream"
)

// neurons are a layer of them in several networks.
type neurons struct {
	on         *spin.Matrix   // which are on, neurons x networks
	ring       []*spin.Matrix // which spiked in each of the last tau steps
	at         int            // place of the oldest in the ring
	candidates *spin.Matrix   // which would spike if they may
	tally      *spin.Tally    // of spikes
	clamped    []int          // neurons that are held and do not spike
}

// newNeurons returns neurons in the given states. For neurons that are on, the steps left in
// the window are drawn uniformly.
func newNeurons(states *spin.Matrix, tau int, key stream.Key) *neurons {
	rows, cols := states.Rows(), states.Cols()
	n := &neurons{on: states.Clone(), candidates: spin.New(rows, cols), tally: spin.NewTally(rows, cols)}
	for range tau {
		n.ring = append(n.ring, spin.New(rows, cols))
	}
	rng := key.Rand()
	for i := range rows {
		for a := range cols {
			if states.At(i, a) > 0 {
				n.ring[rng.IntN(tau)].Set(i, a, 1)
			}
		}
	}
	return n
}

// clamp holds neurons at their states.
func (n *neurons) clamp(units []int) {
	n.clamped = units
	still := n.on.Blank(n.on.Cols())
	for _, r := range n.ring {
		r.CopyUnits(still, units) // their windows do not end
	}
}

// step lets the candidates spike that may.
func (n *neurons) step() {
	if len(n.clamped) > 0 {
		n.candidates.CopyUnits(n.on.Blank(n.on.Cols()), n.clamped)
	}
	spin.Refract(n.on, n.ring[n.at], n.candidates)
	n.tally.Add(n.ring[n.at])
	n.at = (n.at + 1) % len(n.ring)
}

// spikes calls visit for each neuron of a network that spiked in the last step.
func (n *neurons) spikes(network int, visit func(neuron int)) {
	last := n.ring[(n.at+len(n.ring)-1)%len(n.ring)]
	for i := range last.Rows() {
		if last.At(i, network) > 0 {
			visit(i)
		}
	}
}

// forget starts the count of spikes again.
func (n *neurons) forget() { n.tally = spin.NewTally(n.on.Rows(), n.on.Cols()) }

// groups are winner-take-all groups of equally many neurons, in several networks.
type groups struct {
	states, count, networks int
	tau, steps              int
	winner                  []int   // groups x networks
	tally                   []int32 // spikes, groups x states x networks
}

func newGroups(winner []int, count, states, networks, tau int) *groups {
	return &groups{states: states, count: count, networks: networks, tau: tau, winner: append([]int(nil), winner...), tally: make([]int32, count*states*networks)}
}

// due reports whether the window of a group ends in this step. Windows of groups end in turn.
func (g *groups) due(group int) bool { return (g.steps+group)%g.tau == 0 }

// anyDue reports whether the window of any group ends in this step.
func (g *groups) anyDue() bool {
	for group := range min(g.count, g.tau) {
		if g.due(group) {
			return true
		}
	}
	return false
}

// step draws the winners of the groups that are due: logs writes the logarithms of the
// probabilities of the states of a group in a network, up to a constant.
func (g *groups) step(key stream.Key, logs func(group, network int, to []float64)) {
	parallel.For(g.networks, 1, func(lo, hi int) {
		to, scratch := make([]float64, g.states), make([]float64, g.states)
		for a := lo; a < hi; a++ {
			rng := key.Sub(uint64(a)).Rand()
			for group := range g.count {
				if !g.due(group) {
					continue
				}
				logs(group, a, to)
				k := choose(rng.Float64(), to, scratch)
				g.winner[group*g.networks+a] = k
				g.tally[(group*g.states+k)*g.networks+a]++
			}
		}
	})
	g.steps++
}

// spikes calls visit for each neuron (group x state) of a network that spiked in the last step.
func (g *groups) spikes(network int, visit func(neuron int)) {
	for group := range g.count {
		if (g.steps-1+group)%g.tau == 0 {
			visit(group*g.states + g.winner[group*g.networks+network])
		}
	}
}
