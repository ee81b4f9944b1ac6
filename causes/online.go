package causes

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// OnlineStep is the number of samples of a step of rule STDP; if there are fewer, a step takes all.
const OnlineStep = 1000

// firstSamples is how many samples set the fields of the visible units.
const firstSamples = 2000

// onlineNoise is the size of the thetas that synapses start from.
const onlineNoise = 0.1

// online learns a mixture sample by sample with a Circuit. Fields and coupling stay as the first
// samples set them.
type online struct {
	samples  *spin.Matrix
	bits     *Bits
	o        Options
	circuit  *Circuit
	step     int // samples of a step
	did, all int

	order   []int // of the samples in the pass of orderOf
	orderOf int
}

func newOnline(samples *spin.Matrix, o Options) (*online, error) {
	if o.Coupling > MaxOnlineCoupling {
		return nil, fmt.Errorf("coupling %.3g: rule %s has integers for couplings of up to %d", o.Coupling, STDP, MaxOnlineCoupling)
	}
	n := samples.Rows()
	bits := NewBits(Layer{wholeOf(n), o.Causes}, o.Coupling)
	l := &online{samples: samples, bits: bits, o: o, orderOf: -1, step: min(OnlineStep, samples.Cols())}
	l.all = (samples.Cols()*o.Passes + l.step - 1) / l.step
	first := spin.New(n, min(firstSamples, samples.Cols()))
	samples.Gather(first, l.pass(0)[:first.Cols()])
	bits.fieldsOfData(first, nil)
	l.circuit = NewOnlineRule(bits, o.CounterBits, o.Homeostasis).Start(uint64(o.Key.Sub(stream.CausesWinners)))
	return l, nil
}

// pass returns the order of the samples in a pass.
func (l *online) pass(k int) []int {
	if l.orderOf != k {
		l.orderOf, l.order = k, l.o.Key.Sub(stream.CausesOrder).Sub(uint64(k)).Rand().Perm(l.samples.Cols())
	}
	return l.order
}

func (l *online) Step(ctx context.Context) (Progress, error) {
	if err := ctx.Err(); err != nil {
		return Progress{}, err
	}
	count := l.samples.Cols()
	sample := make([]uint32, (l.samples.Rows()+31)/32)
	for at := l.did * l.step; at < min((l.did+1)*l.step, count*l.o.Passes); at++ {
		a := l.pass(at / count)[at%count]
		clear(sample)
		for i := range l.samples.Rows() {
			if l.samples.At(i, a) > 0 {
				sample[i/32] |= 1 << (i % 32)
			}
		}
		l.circuit.Learn(sample)
	}
	l.did++
	return Progress{Step: l.did, Steps: l.all, Passes: float64(min(l.did*l.step, count*l.o.Passes)) / float64(count), Coupling: l.bits.Coupling[0], Polarised: math.NaN(), KL: math.NaN()}, nil
}

// model returns the mixture that the counters stand for: what each synapse is believed to be,
// and how often the causes spiked.
func (l *online) model() *mixtureModel {
	c, n := l.circuit, l.samples.Rows()
	for k := range l.o.Causes {
		for i := range n {
			at := k*n + i
			l.bits.Theta[at] = math.Ldexp(float64(c.theta(k, i)), -weightPlaces)
			l.bits.PriorTheta[at] = -onlineNoise
			if c.raised[at] {
				l.bits.PriorTheta[at] = onlineNoise
			}
		}
	}
	m := &mixtureModel{l.bits.Layer, l.bits, make([]float64, l.o.Causes)}
	smoothed(m.lnWeight, floats(c.Spikes))
	return m
}

func floats(x []uint32) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}

func (l *online) Measure(ctx context.Context) (Progress, error) {
	return measure(ctx, l.model(), divide(l.samples, nil, l.bits.Patches, true), l.samples.Cols())
}

func (l *online) Done() int  { return l.did }
func (l *online) Steps() int { return l.all }

// parts are the arrays of a checkpoint, by name.
func (l *online) parts() map[string][]uint32 {
	c := l.circuit
	return map[string][]uint32{"on": c.On, "off": c.Off, "spikes": c.Spikes, "random": c.Random[:]}
}

func (l *online) State() []npy.Array {
	arrays := state(nil, l.did)
	parts := l.parts()
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		x := make([]int64, len(parts[name]))
		for k, v := range parts[name] {
			x[k] = int64(v)
		}
		arrays = append(arrays, npy.Array{Name: name, Shape: []int{len(x)}, Data: x})
	}
	return arrays
}

func (l *online) Restore(a *npy.Archive) error {
	did, err := restored(a, nil)
	if err != nil {
		return err
	}
	parts, read := l.parts(), map[string][]int64{}
	for name, to := range parts {
		if read[name], err = npy.Get[int64](a, name, len(to)); err != nil {
			return err
		}
		most := int64(math.MaxUint32)
		if name == "on" || name == "off" {
			most = int64(l.circuit.Rule.Most)
		}
		for k, v := range read[name] {
			if v < 0 || v > most {
				return fmt.Errorf("array %q: element %d is %d: it must be from 0 to %d", name, k, v, most)
			}
		}
	}
	for name, to := range parts {
		for k, v := range read[name] {
			to[k] = uint32(v)
		}
	}
	l.did = did
	l.circuit.refresh()
	return nil
}

func (l *online) File(info rbm.Info) *File {
	f := l.model().file(info)
	f.CounterBits, f.Homeostasis = l.o.CounterBits, l.o.Homeostasis
	return f
}
