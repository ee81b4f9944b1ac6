package thermo

import (
	"math"

	"bethe/rbm"
)

// A Step is where the chains of a protocol stand after a change of the network. Works are
// sums over the steps so far.
type Step struct {
	MeanWork, WorkVariance float64
	LnZ                    float64 // of the network that the step leads to
	Jarzynski              float64 // ln <exp(-work)>: ln Z/Z_0 from an equilibrium start
	EffectiveShare         float64 // <exp(-work)>^2 / <exp(-2 work)>
	// KLAfterWork is the divergence of the chains from equilibrium before the sweep,
	// KLAfterSweep after it. The last step has no sweep: both are equal.
	KLAfterWork, KLAfterSweep float64
}

// Relaxation returns the entropy that the sweep produces, in nats: what the chains come
// nearer to equilibrium. It is never negative.
func (s *Step) Relaxation() float64 { return s.KLAfterWork - s.KLAfterSweep }

// A Protocol is a walk of chains along a list of networks, in exact averages.
type Protocol struct {
	Steps []Step
	// Dissipated is the mean work plus ln Z_K/Z_0. From an equilibrium start it is Relaxation
	// plus KLEnd, so that no chain is farther from equilibrium than it tells.
	Dissipated float64
	Relaxation float64 // sum over the sweeps
	KLEnd      float64 // divergence of the chains from equilibrium at the end
	LnZRatio   float64 // ln Z_K/Z_0
}

// Follow returns the exact averages of chains along the networks, of at least two: at each
// step the work is done at a fixed visible state, then a sweep follows at the new network, but for
// the last. start are the probabilities of the visible states at the start (see Enumeration), or nil for
// equilibrium at the first network.
func Follow(networks []*rbm.Network[float64], start []float64) *Protocol {
	last := Enumerate(networks[0])
	first := last.LnZ
	p := start
	if p == nil {
		p = last.Probabilities()
	}
	clone := func(x []float64) []float64 { return append([]float64(nil), x...) }
	// Averages over the chains in each state: of exp(-w), exp(-2w), w and w^2.
	once, twice, work, square := clone(p), clone(p), make([]float64, len(p)), make([]float64, len(p))
	p = clone(p)
	out := &Protocol{}
	for k, net := range networks[1:] {
		now := Enumerate(net)
		for s := range p {
			w := last.LogWeights[s] - now.LogWeights[s]
			square[s] += 2*w*work[s] + w*w*p[s]
			work[s] += w * p[s]
			once[s] *= math.Exp(-w)
			twice[s] *= math.Exp(-2 * w)
		}
		mean := sum(work)
		equilibrium := now.Probabilities()
		step := Step{MeanWork: mean, WorkVariance: sum(square) - mean*mean, LnZ: now.LnZ, Jarzynski: math.Log(sum(once)),
			EffectiveShare: sum(once) * sum(once) / sum(twice), KLAfterWork: Divergence(p, equilibrium)}
		step.KLAfterSweep = step.KLAfterWork
		if k+2 < len(networks) {
			for _, x := range []*[]float64{&p, &once, &twice, &work, &square} {
				*x = now.Sweep(*x)
			}
			step.KLAfterSweep = Divergence(p, equilibrium)
			out.Relaxation += step.Relaxation()
		}
		out.Steps = append(out.Steps, step)
		last = now
	}
	end := &out.Steps[len(out.Steps)-1]
	out.LnZRatio, out.KLEnd = last.LnZ-first, end.KLAfterWork
	out.Dissipated = end.MeanWork + out.LnZRatio
	return out
}

func sum(x []float64) (total float64) {
	for _, v := range x {
		total += v
	}
	return total
}

// A Path is one way of chains along a protocol, with its probability in both directions.
type Path struct {
	Work             float64 // done along it, forward
	Forward, Reverse float64 // probabilities of the path, and of the same path run backwards
}

// Paths returns every path of chains along the networks, from equilibrium at either end. There
// are 2^(visible units) to the power of the steps of them.
func Paths(networks []*rbm.Network[float64]) []Path {
	k := len(networks) - 1
	all := make([]*Enumeration, k+1)
	moves := make([][][]float64, k+1)
	for j, net := range networks {
		all[j] = Enumerate(net)
		moves[j] = all[j].moves()
	}
	states := len(all[0].LogWeights)
	count := 1
	for range k {
		count *= states
	}
	first, last := all[0].Probabilities(), all[k].Probabilities()
	paths := make([]Path, count)
	way := make([]int, k)
	for place := range paths {
		for j, rest := 0, place; j < k; j++ {
			way[j], rest = rest%states, rest/states
		}
		p := Path{Forward: first[way[0]], Reverse: last[way[k-1]]}
		for j, s := range way {
			p.Work += all[j].LogWeights[s] - all[j+1].LogWeights[s]
			if j > 0 {
				p.Forward *= moves[j][way[j-1]][s]
				p.Reverse *= moves[j][s][way[j-1]]
			}
		}
		paths[place] = p
	}
	return paths
}

// moves returns the probabilities of a sweep from each state to each.
func (e *Enumeration) moves() [][]float64 {
	rows := make([][]float64, len(e.LogWeights))
	for s := range rows {
		one := make([]float64, len(rows))
		one[s] = 1
		rows[s] = e.Sweep(one)
	}
	return rows
}
