// Package causes has directed machines of winner-take-all groups with one-bit synapses. In a
// mixture one of K causes is on, and gives the probability of each visible unit. In a tree the
// cause gives the probabilities of each group's states, and the state of a group gives those of
// the units of its patch.
//
// Given the causes, units are independent, so no partition function is needed: likelihood,
// posterior of the causes, completion and samples are exact, and what a winner teaches its
// synapses, J (s_i - m_i), is exact Bayes (see Bits.Threshold).
package causes

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A Machine is a directed machine whose synapses are known.
type Machine struct {
	Layer
	// Fields are those of each visible unit given each state of its group, states x visible:
	// the unit is +1 with probability 1/(1 + exp(-2 field)). They are b_i + J xi_ik where
	// synapses are bits.
	Fields []float64
	upper  upper

	once sync.Once
	made *evidence[float64]
}

// upper is what lies above the groups.
type upper interface {
	// network returns the prior over the states of groups.
	prior() prior[float64]
	// weights returns the probability of each cause.
	weights() []float64
	// means returns the mean of each visible unit of m given each cause, causes x visible.
	means(m *Machine) []float64
	levels() Levels
	// draw draws a cause and the states of the groups. evidence is the ln probability of the
	// units given each state, groups x states.
	draw(rng *rand.Rand, evidence []float64, states []int) (cause int)
}

// Causes returns the number of causes: of the one group of a mixture, or above a tree.
func (m *Machine) Causes() int { return len(m.upper.weights()) }

// Weights returns the probability of each cause before anything is seen.
func (m *Machine) Weights() []float64 { return m.upper.weights() }

// offsets returns minus ln 2cosh of the fields, states x visible.
func (m *Machine) offsets() []float64 {
	offsets := make([]float64, len(m.Fields))
	parallel.For(len(m.Fields), parallel.Grain(20), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			offsets[k] = -kernel.Log2Cosh(m.Fields[k])
		}
	})
	return offsets
}

// network is what inference runs on.
func (m *Machine) network() *network[float64] {
	return &network[float64]{m.evidence(), m.upper.prior()}
}

// evidence is made once for a machine: it must not change after its first use.
func (m *Machine) evidence() *evidence[float64] {
	m.once.Do(func() { m.made = newEvidence[float64](m.Patches, m.States, m.Fields, m.offsets()) })
	return m.made
}

// seeing returns the machine of some of the visible units alone: others drop out of the
// sums. Its units keep their numbers.
func (m *Machine) seeing(units []int) *Machine {
	seen := make([]bool, m.Visible())
	for _, i := range units {
		seen[i] = true
	}
	some := &Machine{Layer: m.Layer, Fields: m.Fields, upper: m.upper}
	some.Patches = make([][]int, len(m.Patches))
	for g, patch := range m.Patches {
		for _, i := range patch {
			if seen[i] {
				some.Patches[g] = append(some.Patches[g], i)
			}
		}
	}
	return some
}

// An Inference is what samples say of the causes.
type Inference struct {
	LnP    []float64 // exact ln P of the known values of each sample
	Causes []float64 // P(cause | sample), causes x samples
	States []float64 // P(state of a group | sample), groups x states x samples; of a mixture the same as Causes
}

// fits returns an error if samples, or the mask of their missing values, are of other units.
func (m *Machine) fits(samples, missing *spin.Matrix) error {
	n := m.Visible()
	if samples.Rows() != n {
		return fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	if missing != nil && (missing.Rows() != n || missing.Cols() != samples.Cols()) {
		return fmt.Errorf("%d samples of %d units, of which %d units in %d samples may be missing", samples.Cols(), n, missing.Rows(), missing.Cols())
	}
	return nil
}

// Infer returns what samples (visible x M) say, exactly. Missing is nil, or +1 where a value is missing, and the
// unit drops out of the sums. The error is the context's, or tells that samples are of other units.
func (m *Machine) Infer(ctx context.Context, samples, missing *spin.Matrix) (*Inference, error) {
	if err := m.fits(samples, missing); err != nil {
		return nil, err
	}
	return m.infer(ctx, samples, missing)
}

func (m *Machine) infer(ctx context.Context, samples, missing *spin.Matrix) (*Inference, error) {
	count, top, states := samples.Cols(), m.Causes(), len(m.Patches)*m.States
	r := &Inference{LnP: make([]float64, count), Causes: make([]float64, top*count), States: make([]float64, states*count)}
	err := m.network().over(ctx, samples, missing, m.Patches, func(b *block, f *frame[float64]) {
		copy(r.LnP[b.first:], f.lnP)
		for k := range top {
			copy(r.Causes[k*count+b.first:], f.top[k*f.count:(k+1)*f.count])
		}
		for k := range states {
			copy(r.States[k*count+b.first:], f.states[k*f.count:(k+1)*f.count])
		}
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Features returns the number of features that Posteriors gives: causes, and of a tree the states of
// all groups as well.
func (m *Machine) Features() int {
	if !m.Levels().Two {
		return m.Causes()
	}
	return m.Causes() + len(m.Patches)*m.States
}

// Posteriors returns the posterior of each cause given samples (visible x M), and of a tree
// after them that of each state of each group: samples x features. Missing values and errors are as in Infer.
func (m *Machine) Posteriors(ctx context.Context, samples, missing *spin.Matrix) ([]float32, error) {
	count, top, all := m.Features(), m.Causes(), samples.Cols()
	x := make([]float32, count*all)
	const some = 1 << 12 // samples at a time
	for lo := 0; lo < all; lo += some {
		columns := make([]int, min(all, lo+some)-lo)
		for k := range columns {
			columns[k] = lo + k
		}
		part := samples.Blank(len(columns))
		samples.Gather(part, columns)
		var holes *spin.Matrix
		if missing != nil {
			holes = missing.Blank(len(columns))
			missing.Gather(holes, columns)
		}
		r, err := m.Infer(ctx, part, holes)
		if err != nil {
			return nil, err
		}
		for a := range columns {
			row := x[(lo+a)*count : (lo+a+1)*count]
			for k := range row {
				if k < top {
					row[k] = float32(r.Causes[k*len(columns)+a])
				} else {
					row[k] = float32(r.States[(k-top)*len(columns)+a])
				}
			}
		}
	}
	return x, nil
}

// LogLikelihood returns the mean ln P of the known values of samples and its standard error from their number.
// Missing values and errors are as in Infer.
func (m *Machine) LogLikelihood(ctx context.Context, samples, missing *spin.Matrix) (mean, standardError float64, err error) {
	if err := m.fits(samples, missing); err != nil {
		return 0, 0, err
	}
	var all []float64
	if err = m.network().over(ctx, samples, missing, m.Patches, func(_ *block, f *frame[float64]) { all = append(all, f.lnP...) }); err != nil {
		return 0, 0, err
	}
	for _, v := range all {
		mean += v / float64(len(all))
	}
	for _, v := range all {
		standardError += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(standardError / max(1, float64(len(all)-1)) / float64(len(all))), nil
}

// A Draw is some states of a machine.
type Draw struct {
	Causes  []int        // of each draw
	States  []int        // groups x draws
	Visible *spin.Matrix // visible x draws
	Means   []float32    // of the visible units given the states, visible x draws
}

// Sample draws independent samples, from the causes down.
func (m *Machine) Sample(count int, key stream.Key) *Draw {
	return m.draw(spin.New(m.Visible(), 1), nil, count, key)
}

// Complete infers visible units from others: the means of all units given the named ones of
// each sample (visible x samples; named units have their own values), exactly, and so many
// independent draws for each sample, one after another. Errors are those of Infer.
func (m *Machine) Complete(ctx context.Context, samples *spin.Matrix, given []int, draws int, key stream.Key) (means []float32, drawn *Draw, err error) {
	if n := m.Visible(); samples.Rows() != n {
		return nil, nil, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	seen := m.seeing(given)
	r, err := seen.infer(ctx, samples, nil)
	if err != nil {
		return nil, nil, err
	}
	count := samples.Cols()
	means = unitMeans[float32](m, r.States, count)
	drawn = m.draw(samples, given, draws, key)
	for _, i := range given {
		for a := range count {
			means[i*count+a] = float32(samples.At(i, a))
		}
	}
	return means, drawn, nil
}

// unitMeans returns the means of the visible units given P(state | sample) of each group, visible x count.
func unitMeans[T rbm.Real](m *Machine, states []float64, count int) []T {
	n := m.Visible()
	means := make([]T, n*count)
	for g, units := range m.Patches {
		for _, i := range units {
			for k := range m.States {
				t := math.Tanh(m.Fields[k*n+i])
				for a, p := range states[(g*m.States+k)*count : (g*m.States+k+1)*count] {
					means[i*count+a] += T(t * p)
				}
			}
		}
	}
	return means
}

// Fill infers missing values: the means of all units given the known values of each sample, visible x M, exactly; of
// a unit that is seen its value. Missing values and errors are as in Infer.
func (m *Machine) Fill(ctx context.Context, samples, missing *spin.Matrix) ([]float64, error) {
	r, err := m.Infer(ctx, samples, missing)
	if err != nil {
		return nil, err
	}
	count := samples.Cols()
	means := unitMeans[float64](m, r.States, count)
	for k := range means {
		if missing == nil || missing.At(k/count, k%count) < 0 {
			means[k] = float64(samples.At(k/count, k%count))
		}
	}
	return means, nil
}

// An Expectation is the means of a directed machine.
type Expectation struct {
	Visible []float64 // of the visible units, from -1 to 1
	States  []float64 // P(state) of each group, groups x states
	Causes  []float64 // P(cause)
}

// Expect returns the means given the named units of a sample (visible x 1), none for those of
// the machine alone, exactly. Errors are those of Infer.
func (m *Machine) Expect(ctx context.Context, sample *spin.Matrix, given []int) (*Expectation, error) {
	if n := m.Visible(); sample.Rows() != n || sample.Cols() != 1 {
		return nil, fmt.Errorf("%d samples of %d units for a machine of %d visible units, where one is needed", sample.Cols(), sample.Rows(), n)
	}
	r, err := m.seeing(given).infer(ctx, sample, nil)
	if err != nil {
		return nil, err
	}
	e := &Expectation{Visible: make([]float64, m.Visible()), States: r.States, Causes: r.Causes}
	for g, units := range m.Patches {
		for k, p := range r.States[g*m.States : (g+1)*m.States] {
			for _, i := range units {
				e.Visible[i] += p * math.Tanh(m.Fields[k*len(e.Visible)+i])
			}
		}
	}
	for _, i := range given {
		e.Visible[i] = float64(sample.At(i, 0))
	}
	return e, nil
}

// draw draws so many states for each sample, given the named units of it.
func (m *Machine) draw(samples *spin.Matrix, given []int, each int, key stream.Key) *Draw {
	n, groups, count := m.Visible(), len(m.Patches), samples.Cols()*each
	seen := m.seeing(given)
	net := seen.network()
	d := &Draw{Causes: make([]int, count), States: make([]int, groups*count), Visible: spin.New(n, count), Means: make([]float32, n*count)}
	fields := make([]float64, n*count)
	f := net.frame(false)
	at := key.Sub(stream.CausesStates)
	for lo := 0; lo < samples.Cols(); lo += blockLen {
		b := blockOf(samples, nil, seen.Patches, lo, min(samples.Cols(), lo+blockLen), false)
		f.states = sized(f.states, groups*m.States*b.count)
		for g := range groups {
			net.of(f.states[g*m.States*b.count:(g+1)*m.States*b.count], g, &b)
		}
		parallel.For(b.count, 1, func(first, last int) {
			evidence, states := make([]float64, groups*m.States), make([]int, groups)
			for a := first; a < last; a++ {
				for k := range evidence {
					evidence[k] = f.states[k*b.count+a]
				}
				for r := range each {
					column := (lo+a)*each + r
					d.Causes[column] = m.upper.draw(at.Sub(uint64(column)).Rand(), evidence, states)
					for g, k := range states {
						d.States[g*count+column] = k
						for _, i := range m.Patches[g] {
							fields[i*count+column] = m.Fields[k*n+i]
						}
					}
				}
			}
		})
	}
	for k, v := range fields {
		d.Means[k] = float32(math.Tanh(v))
	}
	spin.Draw(d.Visible, fields, key.Sub(stream.CausesVisible))
	for _, i := range given {
		for column := range count {
			s := samples.At(i, column/each)
			d.Visible.Set(i, column, s)
			d.Means[i*count+column] = float32(s)
		}
	}
	return d
}

// choose draws a place with probability ∝ exp of its logarithm; scratch is as long.
func choose(rng *rand.Rand, logs, scratch []float64) int {
	top := math.Inf(-1)
	for _, v := range logs {
		top = max(top, v)
	}
	sum := 0.0
	for k, v := range logs {
		sum += math.Exp(v - top)
		scratch[k] = sum
	}
	u := rng.Float64() * sum
	for k, v := range scratch {
		if u < v {
			return k
		}
	}
	return len(logs) - 1
}

// mixtureUpper is what lies above the group of a mixture: nothing.
type mixtureUpper struct{ lnWeight []float64 }

func (u mixtureUpper) prior() prior[float64] { return flat[float64](u) }

func (u mixtureUpper) weights() []float64 { return exponentials(u.lnWeight) }

func (u mixtureUpper) draw(rng *rand.Rand, evidence []float64, states []int) int {
	logs := make([]float64, len(evidence))
	for k, v := range evidence {
		logs[k] = v + u.lnWeight[k]
	}
	states[0] = choose(rng, logs, make([]float64, len(logs)))
	return states[0]
}

// treeUpper is the upper level of a tree with known synapses.
type treeUpper struct {
	*branches[float64]
}

func (u treeUpper) prior() prior[float64] { return u.branches }

func (u treeUpper) weights() []float64 { return exponentials(u.lnWeight) }

func (u treeUpper) draw(rng *rand.Rand, evidence []float64, states []int) int {
	causes := len(u.lnWeight)
	logs := append([]float64(nil), u.lnWeight...)
	scratch := make([]float64, max(causes, u.states))
	for g := range u.groups {
		top := math.Inf(-1)
		for _, v := range evidence[g*u.states : (g+1)*u.states] {
			top = max(top, v)
		}
		sum := make([]float64, causes)
		for k := range u.states {
			e := math.Exp(evidence[g*u.states+k] - top)
			for z, p := range u.p[(g*u.states+k)*causes : (g*u.states+k+1)*causes] {
				sum[z] += e * p
			}
		}
		for z := range logs {
			logs[z] += math.Log(sum[z])
		}
	}
	z := choose(rng, logs, scratch[:causes])
	state := make([]float64, u.states)
	for g := range u.groups {
		for k := range u.states {
			state[k] = evidence[g*u.states+k] + math.Log(u.p[(g*u.states+k)*causes+z])
		}
		states[g] = choose(rng, state, scratch[:u.states])
	}
	return z
}

func exponentials(x []float64) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = math.Exp(v)
	}
	return y
}

// MixtureOf returns the mixture whose synapses have the given values (±1, states x visible).
func MixtureOf(b *Bits, values []int8, lnWeight []float64) *Machine {
	m := machineOf(b, values)
	m.upper = mixtureUpper{lnWeight}
	return m
}

// machineOf returns the machine of synapses with the given values.
func machineOf[K int8 | float64](b *Bits, values []K) *Machine {
	known := make([]float64, len(values))
	for k, v := range values {
		known[k] = float64(v)
	}
	fields, _ := b.fieldsOf(known)
	return &Machine{Layer: b.Layer, Fields: fields}
}

// StateMeans returns the mean of each visible unit given each state of its group, states x
// visible: row k shows state k of all groups, the dictionary of a tree.
func (m *Machine) StateMeans() []float64 {
	means := make([]float64, len(m.Fields))
	kernel.Tanh(means, m.Fields)
	return means
}

func (u mixtureUpper) means(m *Machine) []float64 { return m.StateMeans() }

func (u treeUpper) means(m *Machine) []float64 {
	n, z, states := len(m.Fields)/m.States, len(u.lnWeight), m.StateMeans()
	means := make([]float64, z*n)
	for g, units := range m.Patches {
		for k := range m.States {
			for at, p := range u.p[(g*m.States+k)*z : (g*m.States+k+1)*z] {
				for _, i := range units {
					means[at*n+i] += p * states[k*n+i]
				}
			}
		}
	}
	return means
}
