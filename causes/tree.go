package causes

import (
	"context"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Tree learns two levels: a cause z, a state k of each group given the cause, with
//
//	P(k | z) ∝ exp( J' eta_kz + c_k ), eta_kz = ±1 with mean tanh Theta
//
// and the units of a patch given the state of its group, as in Bits. It is a tree, so
// likelihood and posterior are exact sums: one sweep up, one down.
type Tree struct {
	Synapses *Bits
	Top
}

// Top is the upper level of a Tree.
type Top struct {
	LnWeight     []float64 // ln pi_z
	Coupling     []float64 // J' > 0, one number
	FeatureField []float64 // c, groups x states
	Theta        []float64 // groups x states x causes
	PriorTheta   []float64 // the same
}

// NewTree returns a tree of equal weights that knows nothing of its synapses.
func NewTree(synapses *Bits, causes int, coupling float64) *Tree {
	features := len(synapses.Patches) * synapses.States
	return &Tree{synapses, Top{evenly(causes), []float64{coupling}, make([]float64, features), make([]float64, features*causes), make([]float64, features*causes)}}
}

// Bound returns that of samples (visible x M), in float64. The error is the context's.
func (t *Tree) Bound(ctx context.Context, samples *spin.Matrix) (*Bound, error) {
	return boundOf(ctx, t.network64(), t.Synapses, samples, t.Synapses.cost()+t.divergence())
}

func (t *Tree) network64() *network[float64] {
	means := make([]float64, len(t.Theta))
	for k, v := range t.Theta {
		means[k] = math.Tanh(v)
	}
	return treeNetwork[float64](t.Synapses, &t.Top, means)
}

// divergence is that of the upper synapses.
func (t *Top) divergence() float64 { return divergence(t.Theta, t.PriorTheta) }

// treeNetwork is what inference in a tree runs on, with the means of the upper synapses.
func treeNetwork[T rbm.Real](k *Bits, t *Top, means []float64) *network[T] {
	fields, offsets := k.fields()
	return &network[T]{newEvidence[T](k.Patches, k.States, fields, offsets), branchesOf[T](t, len(k.Patches), k.States, means)}
}

// branchesOf is the prior of a tree with the means of the upper synapses: exact where they
// are ±1, else E_q ln P(state | cause) from below.
func branchesOf[T rbm.Real](t *Top, groups, states int, means []float64) *branches[T] {
	z := len(t.LnWeight)
	b := &branches[T]{groups: groups, states: states, lnWeight: narrow[T](t.LnWeight), p: make([]T, len(means))}
	c := column{states: states}
	for g := range groups {
		for at := range z {
			c.gather(t, g, at, means)
			norm := c.lnNorm()
			for k := range states {
				b.p[(g*states+k)*z+at] = T(math.Exp(c.coupling*c.mean[k] + c.field[k] - norm))
			}
		}
	}
	return b
}

// A column is the synapses between the states of a group and one cause.
type column struct {
	states                             int
	coupling, cosh, sinh               float64
	field, theta, mean, prior, counted []float64
	total                              float64 // of counted
	next                               []float64
}

// gather takes the means of a group and a cause.
func (c *column) gather(t *Top, g, at int, means []float64) {
	z := len(t.LnWeight)
	c.set(t.Coupling[0])
	c.field = t.FeatureField[g*c.states : (g+1)*c.states]
	c.mean = sized(c.mean, c.states)
	for k := range c.states {
		c.mean[k] = means[(g*c.states+k)*z+at]
	}
}

func (c *column) set(coupling float64) {
	c.coupling, c.cosh, c.sinh = coupling, math.Cosh(coupling), math.Sinh(coupling)
}

// lnNorm returns ln sum_k e^c_k (cosh J' + mean sinh J'), the average over the synapses of
// the sum that makes P(state | cause) a distribution.
func (c *column) lnNorm() float64 {
	sum := 0.0
	for k, l := range c.mean {
		sum += math.Exp(c.field[k]) * (c.cosh + l*c.sinh)
	}
	return math.Log(sum)
}

// gatherCounts takes thetas, their prior and the expected counts as well.
func (c *column) gatherCounts(t *Top, g, at int, pairs []float64) {
	z := len(t.LnWeight)
	c.theta, c.prior, c.counted = sized(c.theta, c.states), sized(c.prior, c.states), sized(c.counted, c.states)
	c.total = 0
	for k := range c.states {
		at := (g*c.states+k)*z + at
		c.theta[k], c.prior[k], c.counted[k] = t.Theta[at], t.PriorTheta[at], pairs[at]
		c.total += pairs[at]
	}
	c.set(t.Coupling[0])
	c.field = t.FeatureField[g*c.states : (g+1)*c.states]
	c.tanh()
}

func (c *column) tanh() {
	c.mean = sized(c.mean, c.states)
	for k, t := range c.theta {
		c.mean[k] = math.Tanh(t)
	}
}

// value is what the objective owes to the column, but for the divergence.
func (c *column) value() float64 {
	sum := -c.total * c.lnNorm()
	for k, n := range c.counted {
		sum += n * (c.coupling*c.mean[k] + c.field[k])
	}
	return sum
}

// climb moves the thetas towards where the gradient vanishes: theta0 + J' n_k less
// n w_k sinh J' / (cosh J' + mean sinh J'). The step is halved while it lowers the objective.
func (c *column) climb() {
	c.next = sized(c.next, c.states)
	before := c.value() - divergence(c.theta, c.prior)
	norm := math.Exp(c.lnNorm())
	for k := range c.mean {
		predicted := c.total * math.Exp(c.field[k]) * c.sinh / norm // n w_k sinh / (cosh + mean sinh)
		c.next[k] = clamp(c.prior[k]+c.coupling*c.counted[k]-predicted, -mostTopTheta, mostTopTheta) - c.theta[k]
	}
	was := append([]float64(nil), c.theta...)
	for step := topStep; step > 0.01; step /= 2 {
		for k, d := range c.next {
			c.theta[k] = was[k] + step*d
		}
		c.tanh()
		if c.value()-divergence(c.theta, c.prior) >= before {
			return
		}
	}
	copy(c.theta, was)
	c.tanh()
}

// Learning keeps the thetas and the coupling of the upper level within these, and limits its steps.
const (
	mostTopTheta    = 8
	topStep         = 0.4
	topSteps        = 5
	leastTopJ       = 0.1
	mostTopJ        = 5
	topCouplingStep = 0.1
)

// update moves the upper level by the expected counts. The objective does not fall.
func (t *Top) update(groups, states int, pairs []float64) {
	z := len(t.LnWeight)
	for range topSteps {
		parallel.For(groups, 1, func(lo, hi int) {
			c := column{states: states}
			for g := lo; g < hi; g++ {
				for at := range z {
					c.gatherCounts(t, g, at, pairs)
					c.climb()
					for k, v := range c.theta {
						t.Theta[(g*states+k)*z+at] = v
					}
				}
				t.updateFields(&c, g, pairs)
			}
		})
		t.updateCoupling(groups, states, pairs)
	}
}

// updateFields scales e^c of a group towards the counts of its states.
func (t *Top) updateFields(c *column, g int, pairs []float64) {
	k := c.states
	seen, predicted, before := make([]float64, k), make([]float64, k), 0.0
	for at := range t.LnWeight {
		c.gatherCounts(t, g, at, pairs)
		before += c.value()
		norm := math.Exp(c.lnNorm())
		for j, l := range c.mean {
			seen[j] += c.counted[j]
			predicted[j] += c.total * math.Exp(c.field[j]) * (c.cosh + l*c.sinh) / norm
		}
	}
	field := t.FeatureField[g*k : (g+1)*k]
	was := append([]float64(nil), field...)
	for j := range field {
		field[j] += 0.5 * math.Log((seen[j]+1)/(predicted[j]+1))
	}
	after := 0.0
	for at := range t.LnWeight {
		c.gatherCounts(t, g, at, pairs)
		after += c.value()
	}
	if after < before {
		copy(field, was)
	}
}

// updateCoupling takes a Newton step by J', unless it lowers the objective.
func (t *Top) updateCoupling(groups, states int, pairs []float64) {
	type sums struct{ before, slope, curvature, after float64 }
	each := make([]sums, groups)
	columns := func(visit func(s *sums, c *column)) {
		parallel.For(groups, 1, func(lo, hi int) {
			c := column{states: states}
			for g := lo; g < hi; g++ {
				for at := range t.LnWeight {
					c.gatherCounts(t, g, at, pairs)
					visit(&each[g], &c)
				}
			}
		})
	}
	columns(func(s *sums, c *column) {
		s.before += c.value()
		norm := math.Exp(c.lnNorm())
		mean, square := 0.0, 0.0
		for k, l := range c.mean {
			e := math.Exp(c.field[k])
			s.slope += l * c.counted[k]
			mean += e * (c.sinh + l*c.cosh) / norm
			square += e * (c.cosh + l*c.sinh) / norm
		}
		s.slope -= c.total * mean
		s.curvature += c.total * (square - mean*mean)
	})
	var all sums
	for _, s := range each {
		all.before += s.before
		all.slope += s.slope
		all.curvature += s.curvature
	}
	if !(all.curvature > 0) {
		return
	}
	was := t.Coupling[0]
	t.Coupling[0] = clamp(was+clamp(all.slope/all.curvature, -topCouplingStep, topCouplingStep), leastTopJ, mostTopJ)
	columns(func(s *sums, c *column) { s.after += c.value() })
	for _, s := range each {
		all.after += s.after
	}
	if all.after < all.before {
		t.Coupling[0] = was
	}
}

// A treeModel is a tree while it learns. In its first passes its groups learn their patches
// apart from each other. Causes then start at what some samples look like in them, and for
// some more passes P(state | cause) is free: bits that decide too early stay where they are.
type treeModel struct {
	*Tree
	key      stream.Key
	apart    []float64    // ln weights of the states of groups apart, groups x states
	free     []float64    // P(state | cause) while it is free, groups x states x causes
	passes   []float64    // done; one number
	examples *spin.Matrix // samples that causes start at, visible x causes
}

// Passes: first groups learn by themselves, then P(state | cause) is free.
const (
	passesApart = 5
	passesFree  = 10
)

// A stage says what a tree learns in a pass.
type stage int

const (
	groupsApart stage = iota
	freeTop
	bitsOnTop
)

func (t *treeModel) stage() stage {
	switch p := t.passes[0]; {
	case p < passesApart:
		return groupsApart
	case p < passesApart+passesFree:
		return freeTop
	}
	return bitsOnTop
}

func (t *treeModel) network() *network[float32] {
	groups, states := len(t.Synapses.Patches), t.Synapses.States
	if at := t.stage(); at != bitsOnTop {
		fields, offsets := t.Synapses.fields()
		ev := newEvidence[float32](t.Synapses.Patches, states, fields, offsets)
		if at == groupsApart {
			return &network[float32]{ev, apart[float32]{groups, states, narrow[float32](t.apart)}}
		}
		return &network[float32]{ev, &branches[float32]{groups: groups, states: states, lnWeight: narrow[float32](t.LnWeight), p: narrow[float32](t.free)}}
	}
	means := make([]float64, len(t.Theta))
	for k, v := range t.Theta {
		means[k] = math.Tanh(v)
	}
	return treeNetwork[float32](t.Synapses, &t.Top, means)
}

func (t *treeModel) objective(s *Statistics) (bound, objective float64) {
	bound = s.LnP - t.Synapses.cost()
	weights := t.LnWeight
	switch t.stage() {
	case groupsApart:
		weights = t.apart
	case freeTop:
		for _, p := range t.free {
			objective += math.Log(p) // the prior of one more sample
		}
	case bitsOnTop:
		bound -= t.divergence()
	}
	objective += bound
	for _, w := range weights {
		objective += w
	}
	return bound, objective
}

func (t *treeModel) update(s *Statistics) {
	groups, states := len(t.Synapses.Patches), t.Synapses.States
	switch t.stage() {
	case groupsApart:
		for g := range groups {
			smoothed(t.apart[g*states:(g+1)*states], s.States[g*states:(g+1)*states])
		}
	case freeTop:
		smoothed(t.LnWeight, s.Causes)
		t.updateFree(s.Pairs)
	case bitsOnTop:
		smoothed(t.LnWeight, s.Causes)
		t.Top.update(groups, states, s.Pairs)
	}
	t.Synapses.update(s)
	t.passes[0]++
	switch t.passes[0] {
	case passesApart:
		t.beginFree()
	case passesApart + passesFree:
		t.beginBits()
	}
}

// updateFree sets P(state | cause) to that of counts, and one more of each.
func (t *treeModel) updateFree(pairs []float64) {
	groups, states, z := len(t.Synapses.Patches), t.Synapses.States, len(t.LnWeight)
	for g := range groups {
		for at := range z {
			sum := float64(states)
			for k := range states {
				sum += pairs[(g*states+k)*z+at]
			}
			for k := range states {
				t.free[(g*states+k)*z+at] = (pairs[(g*states+k)*z+at] + 1) / sum
			}
		}
	}
}

// beginFree starts each cause at an example, mixed with what all samples show.
func (t *treeModel) beginFree() {
	copy(t.FeatureField, t.apart)
	groups, states, z := len(t.Synapses.Patches), t.Synapses.States, len(t.LnWeight)
	fields, offsets := t.Synapses.fields()
	net := &network[float32]{newEvidence[float32](t.Synapses.Patches, states, fields, offsets), apart[float32]{groups, states, narrow[float32](t.apart)}}
	f := net.frame(false)
	for lo := 0; lo < z; lo += blockLen {
		b := blockOf(t.examples, nil, t.Synapses.Patches, lo, min(z, lo+blockLen), false)
		net.infer(f, &b)
		for k := range groups * states {
			for a, p := range f.states[k*b.count : (k+1)*b.count] {
				t.free[k*z+lo+a] = 0.5*float64(p) + 0.5*math.Exp(t.apart[k])
			}
		}
	}
}

// beginBits starts the upper synapses at the signs of ln P(state | cause) less that of the
// state, certain as far as it is large.
func (t *treeModel) beginBits() {
	rng, z := t.key.Rand(), len(t.LnWeight)
	for k, p := range t.free {
		t.Theta[k] = clamp(math.Log(p)-t.FeatureField[k/z], -firstTopTheta, firstTopTheta) + firstNoise*rng.NormFloat64()
	}
}

// firstTopTheta is the largest theta that upper synapses start with.
const firstTopTheta = 1.5

func (t *treeModel) begin(pictures []int8, key stream.Key) { t.Synapses.begin(pictures, key) }

func (t *treeModel) parameters() []parameter {
	groups, states, z := len(t.Synapses.Patches), t.Synapses.States, len(t.LnWeight)
	return append(t.Synapses.parameters(), parameter{"ln_weight", []int{z}, t.LnWeight}, parameter{"top_coupling", []int{1}, t.Coupling},
		parameter{"feature_field", []int{groups, states}, t.FeatureField}, parameter{"top_theta", []int{groups * states, z}, t.Theta},
		parameter{"apart_ln_weight", []int{groups, states}, t.apart}, parameter{"free", []int{groups * states, z}, t.free}, parameter{"passes", []int{1}, t.passes})
}
