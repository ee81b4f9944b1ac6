package causes

import (
	"context"
	"math"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Mixture learns one group of causes: cause k is on with probability Weight_k and says
// with its synapses how likely each visible unit is. Everything is exact: likelihood,
// posterior of the causes, and the maximum by the synapses in closed form.
type Mixture struct {
	Synapses *Bits
	LnWeight []float64 // ln pi_k
}

// NewMixture returns a mixture of equal weights.
func NewMixture(synapses *Bits) *Mixture {
	return &Mixture{synapses, evenly(synapses.States)}
}

// evenly returns the logarithms of equal weights.
func evenly(n int) []float64 {
	w := make([]float64, n)
	for k := range w {
		w[k] = -math.Log(float64(n))
	}
	return w
}

// A Bound is the evidence lower bound of a posterior, which is exact but for the posterior:
// ln P is averaged over the synapses with no approximation in a Mixture, and bounded from
// below in a Tree.
type Bound struct {
	Value      float64 // sum ln P less the divergence, nats over all samples
	Divergence float64
	Statistics *Statistics
	Posterior  []float64 // of the causes given each sample, causes x samples
}

// Bound returns that of samples (visible x M), in float64. The error is the context's.
func (m *Mixture) Bound(ctx context.Context, samples *spin.Matrix) (*Bound, error) {
	return boundOf(ctx, mixtureNetwork[float64](m.Synapses, m.LnWeight), m.Synapses, samples, m.Synapses.cost())
}

// Update is the maximisation step by all synapses, fields and the coupling.
func (m *Mixture) Update(s *Statistics) { m.Synapses.update(s) }

// mixtureNetwork is what inference in a mixture runs on.
func mixtureNetwork[T rbm.Real](k kind, lnWeight []float64) *network[T] {
	fields, offsets := k.fields()
	states := len(lnWeight)
	return &network[T]{newEvidence[T](wholeOf(len(fields)/states), states, fields, offsets), flat[T]{narrow[T](lnWeight)}}
}

// wholeOf returns the one patch of n visible units.
func wholeOf(n int) [][]int {
	units := make([]int, n)
	for i := range units {
		units[i] = i
	}
	return [][]int{units}
}

// narrow returns x in another precision.
func narrow[T rbm.Real](x []float64) []T {
	y := make([]T, len(x))
	for k, v := range x {
		y[k] = T(v)
	}
	return y
}

// boundOf infers all samples and sums up.
func boundOf(ctx context.Context, net *network[float64], synapses *Bits, samples *spin.Matrix, cost float64) (*Bound, error) {
	m, top := samples.Cols(), net.prior.causes()
	b := &Bound{Divergence: cost, Posterior: make([]float64, top*m)}
	s, err := count(ctx, net, divide(samples, nil, synapses.Patches, true), synapses.Layer, func(at *block, f *frame[float64]) {
		for z := range top {
			copy(b.Posterior[z*m+at.first:], f.top[z*f.count:(z+1)*f.count])
		}
	})
	if err != nil {
		return nil, err
	}
	b.Statistics, b.Value = s, s.LnP-cost
	return b, nil
}

// count infers all blocks and returns the expected counts.
func count[T rbm.Real](ctx context.Context, net *network[T], blocks []block, layer Layer, visit func(*block, *frame[T])) (*Statistics, error) {
	n, groups, k, top := layer.Visible(), len(layer.Patches), layer.States, net.prior.causes()
	s := &Statistics{States: make([]float64, groups*k), Spins: make([]float64, k*n), Pairs: make([]float64, groups*k*top), Causes: make([]float64, top)}
	f := net.frame(groups > 1)
	part := make([]T, k*n)
	for at := range blocks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := &blocks[at]
		net.infer(f, b)
		for _, v := range f.lnP {
			s.LnP += v
		}
		sumRows(s.States, f.states, b.count)
		sumRows(s.Causes, f.top, b.count)
		for g, units := range layer.Patches {
			product := part[:k*len(units)]
			spin.Mul(product, f.states[g*k*b.count:(g+1)*k*b.count], k, b.partsT[g])
			for state := range k {
				to := s.Spins[state*n : (state+1)*n]
				for j, i := range units {
					to[i] += float64(product[state*len(units)+j])
				}
			}
		}
		leaveOut(s, f.states, b, &layer)
		visit(b, f)
	}
	copy(s.Pairs, f.pairs)
	return s, nil
}

// sumRows adds the sum of each row of x to sum.
func sumRows[T rbm.Real](sum []float64, x []T, count int) {
	for k := range sum {
		for _, v := range x[k*count : (k+1)*count] {
			sum[k] += float64(v)
		}
	}
}

// A mixtureModel is a mixture of any kind of synapses while it learns.
type mixtureModel struct {
	visible  Layer
	synapses kind
	lnWeight []float64
}

func (m *mixtureModel) network() *network[float32] {
	return mixtureNetwork[float32](m.synapses, m.lnWeight)
}

// objective is what learning climbs: the bound, and ln of the weights' prior, of one more
// sample for each cause.
func (m *mixtureModel) objective(s *Statistics) (bound, objective float64) {
	bound = s.LnP - m.synapses.cost()
	objective = bound
	for _, w := range m.lnWeight {
		objective += w
	}
	return bound, objective
}

func (m *mixtureModel) update(s *Statistics) {
	smoothed(m.lnWeight, s.Causes)
	m.synapses.update(s)
}

// smoothed sets ln weights to those of counts, and one more of each.
func smoothed(lnWeight, counts []float64) {
	total := float64(len(counts))
	for _, c := range counts {
		total += c
	}
	for k, c := range counts {
		lnWeight[k] = math.Log((c + 1) / total)
	}
}

func (m *mixtureModel) begin(pictures []int8, key stream.Key) { m.synapses.begin(pictures, key) }

func (m *mixtureModel) parameters() []parameter {
	return append(m.synapses.parameters(), parameter{"ln_weight", []int{len(m.lnWeight)}, m.lnWeight})
}
