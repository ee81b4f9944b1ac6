// Package infer passes messages on the posterior over binary synapses itself:
// belief propagation for machines of one hidden unit (H. Huang and T.
// Toyoizumi, Phys. Rev. E 94, 062310) or two (T. Hou, K. Y. M. Wong and H.
// Huang, arXiv 1904.13052), of known coupling and without fields. It finds the
// mean of each synapse, how many synapses remain candidates, and, by its
// convergence, where learning is easy and where it is hard.
//
// With a sum over the hidden spins h of each sample, the posterior given M
// samples s is
//
//	P(xi | D) ∝ P0(xi) prod_a sum_{h^a} exp( J sum_mu h_mu^a xi_mu.s^a ) / Z(xi)^M,
//
// so given h^a a sample is a product over sites, and messages from it to a site
// need no Gaussian approximation: they are exact sums over the 2^P states of h^a.
// Z is the same for all synapses of one hidden unit. With two it depends on the
// overlap R = xi_1.xi_2 alone,
//
//	Z ∝ cosh(kappa R),   kappa = ln(cosh 2J)/2,
//
// and Z^-M is one more factor, whose messages are exact sums over R.
//
// Rows are another way, for up to MaxRows hidden units: the cavity method in its
// limit of many synapses, which costs no more than a step of learning and serves to
// polish what learning has found.
package infer

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// MaxHidden is the largest number of hidden units of a Passing.
const MaxHidden = 2

// maxCoupling keeps messages of a single sample inside (-1, 1) in float32.
const maxCoupling = 4

// Options say what to infer and how.
type Options struct {
	Hidden     int       // 1 or 2
	Coupling   float64   // J, at most 4
	PriorTheta []float64 // of the prior of synapses, hidden x visible, ±Inf for one that is known; nil for the uniform prior
	// Pin fixes the synapses of site 0 to +1. The posterior does not change where
	// all synapses of a hidden unit change sign, so all means of the exact one are 0
	// unless a synapse is known. Messages need no pin: from a random start they
	// settle in one of the states that the symmetry relates, once there is data
	// enough for them. With a pin they still settle in one of them, and where it is
	// the one that site 0 speaks against, the pinned site stays wrong.
	Pin           bool
	Deviation     float64 // of the random thetas where messages start
	Damping       float64 // share of the old message kept, in [0, 1)
	Tolerance     float64 // messages have settled when no posterior mean changes more
	MaxIterations int
	Key           stream.Key // of the start
}

// DefaultOptions are for hidden units of coupling J: nothing pinned, and damping
// enough for planted data away from the transition.
func DefaultOptions(hidden int, coupling float64, key stream.Key) Options {
	return Options{Hidden: hidden, Coupling: coupling, Deviation: 0.5, Damping: 0.2, Tolerance: 1e-5, MaxIterations: 1000, Key: key}
}

// A Result is where messages ended. Entropies and logarithms are in nats.
type Result struct {
	Iterations int
	Residual   float64 // largest change of a posterior mean in the last iteration
	Converged  bool
	Mean       []float64 // <xi_{i mu}>, hidden x visible
	Pair       []float64 // <xi_{i 1} xi_{i 2}>, of each site; nil with one hidden unit
	// Evidence is ln P(D) in the Bethe approximation, and Entropy that of the
	// posterior over synapses, whose exponential counts the candidates; its energy
	// is averaged over Gaussian fields, the only approximation beyond Bethe's. Where
	// messages settled in one of several states that symmetries relate, both are
	// that state's: add the logarithm of their number (2 for one hidden unit, 8 for
	// two) for the whole posterior. With a pin, Evidence is that given the pin, which
	// equals that of all if the prior is uniform.
	Evidence, Entropy float64
	// Growth of a small random change of the messages in an iteration without
	// damping: below 1 the fixed point is stable.
	Growth float64
}

// A Passing holds the messages between sites and samples. Memory is N M numbers
// of T with one hidden unit and 3 N M with two. It is not safe for concurrent use.
type Passing[T rbm.Real] struct {
	opt              Options
	visible, samples int
	tanhJ            T
	spins            []int8      // s_i^a, samples x visible
	prior            [][]float64 // of each hidden unit: theta of each site
	rule             rule[T]     // for the number of hidden units
	message          [][]T       // components of the messages from samples, each samples x visible
	state            *beliefs[T] // of the sites
	lnW              []float64   // ln of the partition function of each sample's factor, but for constants
	work             [][][]T     // work space of each block of samples
	sums             [][]float64 // what each block adds to the fields
	chunk            int         // factors between two logarithms
}

// beliefs are what the sites know.
type beliefs[T rbm.Real] struct {
	field []float64   // ln of messages from all samples, summed: components x visible, and the constant of each site
	pair  []float64   // message from Z^-M, a field on xi_1 xi_2: visible; nil with one hidden unit
	b     [][]T       // what a rule needs of the sites' beliefs, each of length visible
	mean  [][]float64 // <xi_mu>, and with two hidden units <xi_1 xi_2>: each of length visible
}

// A rule is the arithmetic for one number of hidden units.
type rule[T rbm.Real] interface {
	components() int // of a message
	// site sets b and mean of the sites from field, pair and prior, and returns
	// the sum over sites of ln of the normalising sum of a site's belief.
	site(p *Passing[T], s *beliefs[T]) (lnZ float64)
	// sample updates the messages from sample a in place, given the beliefs of
	// sites, and returns ln W. row are components slices of length visible.
	sample(p *Passing[T], s *beliefs[T], a int, row, work [][]T, keep T) (lnW float64)
	// gather multiplies the sites' products, one slice a component, by those of
	// the messages in row.
	gather(product, row [][]T)
	// logs adds to the fields the logarithms of products and sets these to 1.
	logs(field []float64, product [][]T)
	products() int // slices that gather takes
	// edges returns the sum over sites of ln Z of the edges from a sample, and
	// energy the mean of its ln cosh terms, both given settled messages.
	edges(p *Passing[T], s *beliefs[T], a int, row, work [][]T) (lnZ, energy float64)
}

// scratch is the number of slices that sample has for its own use.
const scratch = 3

// samplesTogether is the number of samples in a block of work.
const samplesTogether = 32

// New returns messages for samples (visible x M) at their start. Errors name an
// option out of range. It panics if there are no samples, no visible units, or
// if the prior has another shape.
func New[T rbm.Real](data *spin.Matrix, opt Options) (*Passing[T], error) {
	n, m := data.Rows(), data.Cols()
	if n == 0 || m == 0 {
		panic(fmt.Sprintf("infer: New with %d x %d samples", n, m))
	}
	switch {
	case opt.Hidden < 1 || opt.Hidden > MaxHidden:
		return nil, fmt.Errorf("%d hidden units: messages on the posterior are for 1 to %d", opt.Hidden, MaxHidden)
	case !(opt.Coupling > 0 && opt.Coupling <= maxCoupling):
		return nil, fmt.Errorf("coupling %v: it must be positive and at most %d", opt.Coupling, maxCoupling)
	case !(opt.Damping >= 0 && opt.Damping < 1):
		return nil, fmt.Errorf("damping %v: it must be at least 0 and below 1", opt.Damping)
	case !(opt.Tolerance > 0) || opt.MaxIterations < 1 || !(opt.Deviation >= 0) || math.IsInf(opt.Deviation, 0):
		return nil, fmt.Errorf("tolerance %v, %d iterations, deviation %v: they must be positive and finite", opt.Tolerance, opt.MaxIterations, opt.Deviation)
	case opt.PriorTheta != nil && len(opt.PriorTheta) != n*opt.Hidden:
		panic(fmt.Sprintf("infer: %d thetas of the prior for %d x %d synapses", len(opt.PriorTheta), n, opt.Hidden))
	}
	p := &Passing[T]{opt: opt, visible: n, samples: m, tanhJ: T(math.Tanh(opt.Coupling)), spins: make([]int8, n*m), lnW: make([]float64, m)}
	across := spin.New(m, n)
	data.Transpose(across)
	spin.Values(p.spins, across)
	for mu := range opt.Hidden {
		theta := make([]float64, n)
		if opt.PriorTheta != nil {
			copy(theta, opt.PriorTheta[mu*n:])
		}
		for i, v := range theta {
			if math.IsNaN(v) {
				return nil, fmt.Errorf("prior of synapse [%d, %d] is not a number", i, mu)
			}
		}
		if opt.Pin {
			theta[0] = math.Inf(1)
		}
		p.prior = append(p.prior, theta)
	}
	// Products of up to (1 - tanh J)^-2 or its inverse stay far from float32's limits.
	p.chunk = max(1, min(16, int(30/(-2*math.Log10(1-math.Tanh(opt.Coupling))))))
	p.rule = one[T]{}
	if opt.Hidden == 2 {
		p.rule = two[T]{}
	}
	for range p.rule.components() {
		p.message = append(p.message, make([]T, n*m))
	}
	p.work = make([][][]T, parallel.Pieces(m, samplesTogether))
	p.sums = make([][]float64, len(p.work))
	for k := range p.work {
		p.work[k] = slicesOf[T](scratch+p.rule.products(), n)
		p.sums[k] = make([]float64, (p.rule.components()+1)*n)
	}
	p.state = p.newBeliefs()
	p.start()
	return p, nil
}

func (p *Passing[T]) newBeliefs() *beliefs[T] {
	s := &beliefs[T]{field: make([]float64, (p.rule.components()+1)*p.visible), b: slicesOf[T](1<<p.opt.Hidden, p.visible), mean: slicesOf[float64](p.rule.components(), p.visible)}
	if p.opt.Hidden == 2 {
		s.pair = make([]float64, p.visible)
	}
	return s
}

func slicesOf[F rbm.Real](count, n int) [][]F {
	x := make([][]F, count)
	for k := range x {
		x[k] = make([]F, n)
	}
	return x
}

// start puts random fields on the synapses; messages are still 0.
func (p *Passing[T]) start() {
	rng := p.opt.Key.Rand()
	for mu := range p.opt.Hidden {
		for i := range p.visible {
			p.state.field[mu*p.visible+i] = p.opt.Deviation * rng.NormFloat64()
		}
	}
	p.rule.site(p, p.state)
}

// Run passes messages until they settle or MaxIterations are done, and says
// where they ended. progress may be nil. The error is the context's; messages are then
// between two iterations.
func (p *Passing[T]) Run(ctx context.Context, progress func(iteration int, residual float64)) (*Result, error) {
	r := &Result{}
	for r.Iterations < p.opt.MaxIterations && !r.Converged {
		var err error
		if r.Residual, err = p.iterate(ctx, p.message, p.state, T(p.opt.Damping)); err != nil {
			return nil, err
		}
		r.Iterations++
		r.Converged = r.Residual <= p.opt.Tolerance
		if progress != nil {
			progress(r.Iterations, r.Residual)
		}
	}
	for mu := range p.opt.Hidden {
		r.Mean = append(r.Mean, p.state.mean[mu]...)
	}
	if p.opt.Hidden == 2 {
		r.Pair = append(r.Pair, p.state.mean[2]...)
	}
	var err error
	if r.Evidence, r.Entropy, err = p.entropy(ctx); err != nil {
		return nil, err
	}
	r.Growth, err = p.growth(ctx)
	return r, err
}

// iterate updates all messages once, from sites to samples and back, and
// returns the largest change of a mean. The error is the context's.
func (p *Passing[T]) iterate(ctx context.Context, message [][]T, s *beliefs[T], keep T) (residual float64, err error) {
	before := slicesOf[float64](len(s.mean), p.visible)
	for c, x := range s.mean {
		copy(before[c], x)
	}
	if err := p.believe(ctx, message, s, keep, func(a int, row, work [][]T) { p.lnW[a] = p.rule.sample(p, s, a, row, work, keep) }); err != nil {
		return 0, err
	}
	for c, x := range s.mean {
		for i, v := range x {
			residual = max(residual, math.Abs(v-before[c][i]))
		}
	}
	return residual, nil
}

// believe makes s what the sites know from messages, each sample's after it was
// updated, if update is not nil, in the beliefs that s held before. The error is the context's.
func (p *Passing[T]) believe(ctx context.Context, message [][]T, s *beliefs[T], keep T, update func(a int, row, work [][]T)) error {
	n := p.visible
	if err := parallel.ForContext(ctx, p.samples, samplesTogether, func(lo, hi int) {
		block := lo / samplesTogether
		work, sums := p.work[block], p.sums[block]
		product := work[scratch:]
		clear(sums)
		fill(product, 1)
		row := make([][]T, len(message))
		for a := lo; a < hi && ctx.Err() == nil; a++ {
			for c := range row {
				row[c] = message[c][a*n : (a+1)*n]
			}
			if update != nil {
				update(a, row, work)
			}
			p.rule.gather(product, row)
			if (a-lo)%p.chunk == p.chunk-1 {
				p.rule.logs(sums, product)
			}
		}
		p.rule.logs(sums, product)
	}); err != nil {
		return err
	}
	clear(s.field)
	for _, sums := range p.sums {
		for k, v := range sums {
			s.field[k] += v
		}
	}
	if s.pair != nil {
		if err := p.pair(ctx, s, float64(keep)); err != nil {
			return err
		}
	}
	p.rule.site(p, s)
	return nil
}

func fill[T rbm.Real](x [][]T, v T) {
	for _, row := range x {
		for i := range row {
			row[i] = v
		}
	}
}

// lnPrior returns theta xi. If the prior knows the synapse, it is 0 for its value and -Inf for the other.
func lnPrior(theta, xi float64) float64 {
	if math.IsInf(theta, 0) {
		if theta*xi > 0 {
			return 0
		}
		return math.Inf(-1)
	}
	return theta * xi
}
