package causes

import (
	"context"
	"math"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// OnlineStep is the number of samples of a step of rule STDP; of fewer samples a step has all.
const OnlineStep = 1000

// firstSamples is how many samples set the fields of the visible units.
const firstSamples = 2000

// onlineNoise is the deviation of the thetas that synapses start from.
const onlineNoise = 0.1

// online learns a mixture sample by sample, as a circuit of winner-take-all neurons with
// counters does. One cause, drawn by its probability given the sample and its excitability,
// spikes; each of its synapses counts the spike with its unit on or with it off, and
// theta = theta0 + J [(1 - m) on - (1 + m) off]. A counter that is full halves both of its
// synapse. A spike lowers the excitability of its cause, and all others gain what it lost.
type online struct {
	samples  *spin.Matrix
	bits     *Bits
	o        Options
	most     float64   // that a counter holds
	on, off  []float64 // counters, states x visible: whole numbers
	excited  []float64 // excitability of each cause
	wins     []float64 // spikes of each cause
	step     int       // samples of a step
	did, all int

	weights []float64 // fields turned: visible x states
	still   []float64 // field of each cause if every unit is off
	order   []int     // of the samples in the pass of orderOf
	orderOf int
}

func newOnline(samples *spin.Matrix, o Options) *online {
	n := samples.Rows()
	bits := NewBits(Layer{wholeOf(n), o.Causes}, o.Coupling)
	l := &online{samples: samples, bits: bits, o: o, most: math.Exp2(float64(o.CounterBits)) - 1, orderOf: -1,
		on: make([]float64, n*o.Causes), off: make([]float64, n*o.Causes), excited: make([]float64, o.Causes), wins: make([]float64, o.Causes),
		weights: make([]float64, n*o.Causes), still: make([]float64, o.Causes)}
	l.step = min(OnlineStep, samples.Cols())
	l.all = (samples.Cols()*o.Passes + l.step - 1) / l.step
	first := spin.New(n, min(firstSamples, samples.Cols()))
	samples.Gather(first, l.pass(0)[:first.Cols()])
	sums := make([]int, n)
	first.RowSums(sums)
	bits.fieldsOfData(sums, first.Cols())
	rng := o.Key.Sub(stream.CausesThetas).Rand()
	for k := range bits.PriorTheta {
		bits.PriorTheta[k] = onlineNoise * rng.NormFloat64()
	}
	l.refresh()
	return l
}

// pass returns the order of the samples in a pass.
func (l *online) pass(k int) []int {
	if l.orderOf != k {
		l.orderOf, l.order = k, l.o.Key.Sub(stream.CausesOrder).Sub(uint64(k)).Rand().Perm(l.samples.Cols())
	}
	return l.order
}

// refresh sets all that follows from the counters.
func (l *online) refresh() {
	m := l.bits.Threshold()
	for k := range l.o.Causes {
		l.follow(k, m)
	}
}

// follow sets what follows from the counters of a cause.
func (l *online) follow(k int, threshold []float64) {
	b, n, j := l.bits, l.samples.Rows(), l.bits.Coupling[0]
	l.still[k] = 0
	for i, m := range threshold {
		at := k*n + i
		theta := b.PriorTheta[at] + j*((1-m)*l.on[at]-(1+m)*l.off[at])
		b.Theta[at] = clamp(theta, -mostTheta, mostTheta)
		// ln P(s | k) is field s less m J lambda, but for what all causes share.
		slope := j * math.Tanh(b.Theta[at])
		l.weights[i*l.o.Causes+k] = slope
		l.still[k] -= slope * (1 + m)
	}
}

func (l *online) Step(ctx context.Context) (Progress, error) {
	if err := ctx.Err(); err != nil {
		return Progress{}, err
	}
	count, causes := l.samples.Cols(), l.o.Causes
	m := l.bits.Threshold()
	fields, scratch := make([]float64, causes), make([]float64, causes)
	for at := l.did * l.step; at < min((l.did+1)*l.step, count*l.o.Passes); at++ {
		a := l.pass(at / count)[at%count]
		for k := range fields {
			fields[k] = l.still[k] + l.excited[k]
		}
		for i := range l.samples.Rows() {
			if l.samples.At(i, a) > 0 {
				for k, w := range l.weights[i*causes : (i+1)*causes] {
					fields[k] += 2 * w
				}
			}
		}
		winner := choose(l.o.Key.Sub(stream.CausesWinners).Sub(uint64(at)).Rand(), fields, scratch)
		l.learn(winner, a)
		l.follow(winner, m)
	}
	l.did++
	return Progress{Step: l.did, Steps: l.all, Passes: float64(min(l.did*l.step, count*l.o.Passes)) / float64(count), Coupling: l.bits.Coupling[0], Polarised: math.NaN(), KL: math.NaN()}, nil
}

// learn counts a spike of a cause at a sample.
func (l *online) learn(winner, a int) {
	n := l.samples.Rows()
	l.wins[winner]++
	for k := range l.excited {
		l.excited[k] += l.o.Homeostasis / float64(l.o.Causes)
	}
	l.excited[winner] -= l.o.Homeostasis
	on, off := l.on[winner*n:(winner+1)*n], l.off[winner*n:(winner+1)*n]
	for i := range n {
		counter := &off[i]
		if l.samples.At(i, a) > 0 {
			counter = &on[i]
		}
		if *counter == l.most {
			on[i], off[i] = math.Floor(on[i]/2), math.Floor(off[i]/2)
		}
		*counter++
	}
}

// lnWeight returns the logarithms of the weights of the causes: how often they spiked.
func (l *online) lnWeight() []float64 {
	lnWeight := make([]float64, len(l.wins))
	smoothed(lnWeight, l.wins)
	return lnWeight
}

func (l *online) Measure(ctx context.Context) (Progress, error) {
	m := &mixtureModel{l.bits.Layer, l.bits, l.lnWeight()}
	return measure(ctx, m, divide(l.samples, l.bits.Patches, true), l.samples.Cols())
}

func (l *online) Done() int  { return l.did }
func (l *online) Steps() int { return l.all }

func (l *online) parameters() []parameter {
	n := l.samples.Rows()
	return []parameter{{"on", []int{l.o.Causes, n}, l.on}, {"off", []int{l.o.Causes, n}, l.off}, {"excitability", []int{l.o.Causes}, l.excited}, {"wins", []int{l.o.Causes}, l.wins}}
}

func (l *online) State() []npy.Array { return state(l.parameters(), l.did) }

func (l *online) Restore(a *npy.Archive) error {
	did, err := restored(a, l.parameters())
	if err != nil {
		return err
	}
	l.did = did
	l.refresh()
	return nil
}

func (l *online) File(info rbm.Info) *File {
	return (&mixtureModel{l.bits.Layer, l.bits, l.lnWeight()}).file(info)
}
