package causes

import (
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Layer says for each group which visible units depend on its state, its patch. Each unit is
// in one patch.
type Layer struct {
	Patches [][]int // visible units of each group, counted from 0
	States  int     // of each group
}

// Visible returns the number of visible units.
func (l *Layer) Visible() int {
	n := 0
	for _, units := range l.Patches {
		n += len(units)
	}
	return n
}

// groupOf returns the group of each visible unit.
func (l *Layer) groupOf() []int {
	of := make([]int, l.Visible())
	for g, units := range l.Patches {
		for _, i := range units {
			of[i] = g
		}
	}
	return of
}

// Statistics are expected counts over samples: all that a step of learning needs.
type Statistics struct {
	States  []float64 // groups x states: how often each state is on
	Spins   []float64 // states x visible: sums of each visible unit that is seen while the state of its group is on
	Missing []float64 // states x visible: how often the state is on while the unit is missing; nil where no value is
	Pairs   []float64 // groups x states x causes: how often both are on
	Causes  []float64 // how often each cause is on
	LnP     float64   // sum of ln P(known values of a sample)
}

// seen returns how often a state of a group is on while the unit is seen whose synapse with the state is the given one.
func (s *Statistics) seen(state, synapse int) float64 {
	if s.Missing == nil {
		return s.States[state]
	}
	return max(0, s.States[state]-s.Missing[synapse])
}

// leaveOut takes the missing values of a block out of the counts. States are groups x states x count.
func leaveOut[T rbm.Real](s *Statistics, states []T, b *block, layer *Layer) {
	n := layer.Visible()
	for g, units := range layer.Patches {
		holes := b.holes[g]
		if len(holes) == 0 {
			continue
		}
		if s.Missing == nil {
			s.Missing = make([]float64, layer.States*n)
		}
		parallel.For(layer.States, parallel.Grain(4*len(holes)), func(lo, hi int) {
			for k := lo; k < hi; k++ {
				row := states[(g*layer.States+k)*b.count:]
				for _, h := range holes {
					p, i := float64(row[h.sample]), units[h.unit]
					s.Missing[k*n+i] += p
					s.Spins[k*n+i] -= p * float64(b.parts[g].At(h.unit, h.sample))
				}
			}
		})
	}
}

// A kind says what the synapses of visible units are while they are learned.
type kind interface {
	// fields returns those of each visible unit given each state, and what each unit adds to
	// ln P besides its field: both states x visible.
	fields() (fields, offsets []float64)
	// update is the maximisation step. The objective does not fall.
	update(s *Statistics)
	// cost is what the objective is less than sum ln P: the divergence from the prior.
	cost() float64
	// begin starts at pictures (states x visible, ±1), one per state.
	begin(pictures []int8, key stream.Key)
	// parameters returns all that moves, by name: what a checkpoint keeps.
	parameters() []parameter
	// slope returns the coupling that a synapse has, and thetas those of synapses that are bits.
	slope() float64
	thetas() [][]float64
	// ship sets the synapses of a model file.
	ship(f *File)
}

// A parameter is numbers with a name and a shape.
type parameter struct {
	name  string
	shape []int
	x     []float64
}

// Bits are synapses of one bit each, with a posterior over them:
//
//	P(s_i | k) ∝ exp( s_i (b_i + J xi_ik) ), xi_ik = ±1 with mean tanh theta_ik
//
// where k is the state of the group of i. As a synapse has two values, ln P is linear in it,
// and its average over the posterior is exact.
type Bits struct {
	Layer
	Coupling   []float64 // J > 0, one number
	Field      []float64 // b, of length visible
	Theta      []float64 // states x visible
	PriorTheta []float64 // the same

	FixedCoupling bool // J is not learned
}

// NewBits returns synapses that nothing is known of.
func NewBits(layer Layer, coupling float64) *Bits {
	n := layer.Visible()
	return &Bits{Layer: layer, Coupling: []float64{coupling}, Field: make([]float64, n), Theta: make([]float64, layer.States*n), PriorTheta: make([]float64, layer.States*n)}
}

// Learning keeps fields, thetas and couplings within these, and limits its steps. A field beyond
// mostField would say that a unit never changes, a theta beyond mostTheta that a synapse is known.
const (
	mostField    = 6
	mostTheta    = 30
	leastJ       = 0.02
	mostJ        = 4
	newtonSteps  = 5
	fieldStep    = 0.5 // of a Newton step, at most
	couplingStep = 0.2
)

// means returns the posterior means of the synapses.
func (b *Bits) means() []float64 {
	lambda := make([]float64, len(b.Theta))
	kernel.Tanh(lambda, b.Theta)
	return lambda
}

// Threshold returns m_i = [ln cosh(b_i + J) - ln cosh(b_i - J)] / 2J: a state that is on
// adds J (s_i - m_i) to the theta of each of its synapses.
func (b *Bits) Threshold() []float64 {
	m := make([]float64, len(b.Field))
	for i, f := range b.Field {
		plus, minus := b.logs(f)
		m[i] = (plus - minus) / (2 * b.Coupling[0])
	}
	return m
}

// logs returns ln 2cosh(f + J) and ln 2cosh(f - J).
func (b *Bits) logs(f float64) (plus, minus float64) {
	return kernel.Log2Cosh(f + b.Coupling[0]), kernel.Log2Cosh(f - b.Coupling[0])
}

func (b *Bits) fields() (fields, offsets []float64) { return b.fieldsOf(b.means()) }

// fieldsOf are the fields of synapses of given means.
func (b *Bits) fieldsOf(lambda []float64) (fields, offsets []float64) {
	n := b.Visible()
	fields, offsets = make([]float64, b.States*n), make([]float64, b.States*n)
	mean, half := make([]float64, n), make([]float64, n)
	for i, f := range b.Field {
		plus, minus := b.logs(f)
		mean[i], half[i] = (plus+minus)/2, (plus-minus)/2
	}
	parallel.For(b.States, parallel.Grain(4*n), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			for i, f := range b.Field {
				l := lambda[k*n+i]
				fields[k*n+i] = f + b.Coupling[0]*l
				offsets[k*n+i] = -(mean[i] + half[i]*l)
			}
		}
	})
	return fields, offsets
}

// update takes the exact maximum by all thetas, then Newton steps by each field and by the
// coupling. A step that would lower the objective is not taken.
func (b *Bits) update(s *Statistics) {
	n, groupOf, m := b.Visible(), b.groupOf(), b.Threshold()
	j := b.Coupling[0]
	parallel.For(b.States, parallel.Grain(4*n), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			for i := range n {
				count := s.seen(groupOf[i]*b.States+k, k*n+i)
				theta := b.PriorTheta[k*n+i] + j*(s.Spins[k*n+i]-m[i]*count)
				b.Theta[k*n+i] = min(max(theta, -mostTheta), mostTheta)
			}
		}
	})
	b.updateFields(s, groupOf)
}

// updateFields moves fields and coupling.
func (b *Bits) updateFields(s *Statistics, groupOf []int) {
	n, lambda := b.Visible(), b.means()
	spins, signed := make([]float64, n), make([]float64, n) // sums of s, and of lambda s
	plus, minus := make([]float64, n), make([]float64, n)   // how often the synapse of the state that is on is +1, -1
	for k := range b.States {
		for i := range n {
			l, count := lambda[k*n+i], s.seen(groupOf[i]*b.States+k, k*n+i)
			spins[i] += s.Spins[k*n+i]
			signed[i] += l * s.Spins[k*n+i]
			plus[i] += count * (1 + l) / 2
			minus[i] += count * (1 - l) / 2
		}
	}
	value := func(i int, f, j float64) float64 {
		return f*spins[i] + j*signed[i] - plus[i]*kernel.Log2Cosh(f+j) - minus[i]*kernel.Log2Cosh(f-j)
	}
	for range newtonSteps {
		j := b.Coupling[0]
		var slope, curvature, before float64
		for i, f := range b.Field {
			tp, tm := math.Tanh(f+j), math.Tanh(f-j)
			bend := plus[i]*(1-tp*tp) + minus[i]*(1-tm*tm)
			step := (spins[i] - plus[i]*tp - minus[i]*tm) / (bend + 2)
			next := clamp(f+clamp(step, -fieldStep, fieldStep), -mostField, mostField)
			old := value(i, f, j)
			if v := value(i, next, j); v >= old {
				b.Field[i], f, old = next, next, v
				tp, tm = math.Tanh(f+j), math.Tanh(f-j)
				bend = plus[i]*(1-tp*tp) + minus[i]*(1-tm*tm)
			}
			before += old
			slope += signed[i] - plus[i]*tp + minus[i]*tm
			curvature += bend
		}
		if b.FixedCoupling || !(curvature > 0) {
			continue
		}
		next := clamp(j+clamp(slope/curvature, -couplingStep, couplingStep), leastJ, mostJ)
		after := 0.0
		for i, f := range b.Field {
			after += value(i, f, next)
		}
		if after >= before {
			b.Coupling[0] = next
		}
	}
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }

// cost is the divergence of the posterior from the prior.
func (b *Bits) cost() float64 { return divergence(b.Theta, b.PriorTheta) }

// divergence returns KL(q || prior) of independent synapses.
func divergence(theta, prior []float64) float64 {
	parts := make([]float64, parallel.Pieces(len(theta), 1<<12))
	parallel.For(len(theta), 1<<12, func(lo, hi int) {
		sum := 0.0
		for k := lo; k < hi; k++ {
			t, t0 := theta[k], prior[k]
			sum += math.Tanh(t)*(t-t0) - kernel.Log2Cosh(t) + kernel.Log2Cosh(t0)
		}
		parts[lo>>12] = sum
	})
	sum := 0.0
	for _, v := range parts {
		sum += v
	}
	return sum
}

func (b *Bits) begin(pictures []int8, key stream.Key) {
	n, m, rng := b.Visible(), b.Threshold(), key.Rand()
	for k, s := range pictures {
		b.Theta[k] = firstTheta*(float64(s)-m[k%n]) + firstNoise*rng.NormFloat64()
	}
}

// Where synapses start: towards a sample, which a state is then on for.
const (
	firstTheta = 0.5
	firstNoise = 0.05
)

// fieldsOfData sets the fields to those of independent units with the means of the known values of samples.
func (b *Bits) fieldsOfData(samples, missing *spin.Matrix) {
	sums := make([]int, samples.Rows())
	samples.RowSums(sums)
	for i, s := range sums {
		count := samples.Cols()
		for a := 0; missing != nil && a < samples.Cols(); a++ {
			if missing.At(i, a) > 0 {
				count--
				s -= int(samples.At(i, a))
			}
		}
		mean := float64(s) / float64(count+2) // two more samples, one of each sign
		b.Field[i] = clamp(math.Atanh(mean), -mostField, mostField)
	}
}

func (b *Bits) parameters() []parameter {
	n := b.Visible()
	return []parameter{{"theta", []int{b.States, n}, b.Theta}, {"visible_field", []int{n}, b.Field}, {"coupling", []int{1}, b.Coupling}}
}

func (b *Bits) slope() float64      { return b.Coupling[0] }
func (b *Bits) thetas() [][]float64 { return [][]float64{b.Theta} }

// signs returns the synapses of the machine that is shipped, states x visible: the more
// probable ones, +1 where both are equal.
func signs(theta []float64) []float64 {
	x := make([]float64, len(theta))
	for k, t := range theta {
		x[k] = 1
		if t < 0 {
			x[k] = -1
		}
	}
	return x
}

// Reals are means of each unit in each state that are real numbers: the baseline beside Bits.
type Reals struct {
	Layer
	Mean []float64 // P(s_i = +1 | k), states x visible
}

// NewReals returns means of one half.
func NewReals(layer Layer) *Reals {
	r := &Reals{layer, make([]float64, layer.States*layer.Visible())}
	for k := range r.Mean {
		r.Mean[k] = 0.5
	}
	return r
}

// smoothing is the weight of the prior of real means, in samples of each sign.
const smoothing = 0.1

func (r *Reals) fields() (fields, offsets []float64) {
	fields, offsets = make([]float64, len(r.Mean)), make([]float64, len(r.Mean))
	for k, mean := range r.Mean {
		up, down := math.Log(mean), math.Log1p(-mean)
		fields[k], offsets[k] = (up-down)/2, (up+down)/2
	}
	return fields, offsets
}

func (r *Reals) update(s *Statistics) {
	n, groupOf := r.Visible(), r.groupOf()
	for k := range r.States {
		for i := range n {
			count := s.seen(groupOf[i]*r.States+k, k*n+i)
			r.Mean[k*n+i] = ((s.Spins[k*n+i]+count)/2 + smoothing) / (count + 2*smoothing)
		}
	}
}

// cost is minus the logarithm of the prior of the means, up to a constant.
func (r *Reals) cost() float64 {
	sum := 0.0
	for _, p := range r.Mean {
		sum -= smoothing * (math.Log(p) + math.Log1p(-p))
	}
	return sum
}

func (r *Reals) begin(pictures []int8, key stream.Key) {
	rng := key.Rand()
	for k, s := range pictures {
		r.Mean[k] = 0.5 + 0.25*float64(s) + 0.05*(rng.Float64()-0.5)
	}
}

func (r *Reals) slope() float64    { return 1 }
func (*Reals) thetas() [][]float64 { return nil }

func (r *Reals) parameters() []parameter {
	return []parameter{{"mean", []int{r.States, r.Visible()}, r.Mean}}
}
