package causes

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// Names of families and rules.
const (
	MixtureModel = "mixture"
	TreeModel    = "tree"

	EM   = "em"   // passes over all samples: the objective never falls
	STDP = "stdp" // one sample after the other, integer counters: what a chip would run
)

// Options of learning.
type Options struct {
	Model         string  // MixtureModel or TreeModel
	Rule          string  // EM or STDP
	Causes        int     // of the mixture, or of the top of the tree
	Patches       [][]int // of a tree: visible units of each group
	States        int     // of each group of a tree
	Passes        int     // through all samples
	Real          bool    // real means in the place of bits, for comparison
	Coupling      float64 // J that learning starts from
	FixedCoupling bool
	CounterBits   int     // of STDP
	Homeostasis   float64 // of STDP: what a spike costs a cause in ln weight
	Key           stream.Key
	// Missing, if not nil, is +1 where a value of the samples (visible x M) is missing: it is left out of all sums. Rule EM.
	Missing *spin.Matrix
}

// Couplings if none is asked for: rule EM starts at the first, rule STDP keeps the second.
const (
	DefaultCoupling = 0.8
	OnlineCoupling  = 0.6
)

// firstTopCoupling is where J' starts.
const firstTopCoupling = 1

// A Progress tells where learning is.
type Progress struct {
	Step, Steps int
	Passes      float64 // through the samples
	Measured    bool    // the numbers below are there
	Bound       float64 // nats per sample; of the parameters before the step
	LnP         float64 // the same without the divergence
	Objective   float64 // what learning climbs, nats per sample
	Coupling    float64
	Polarised   float64 // share of synapses with |mean| > 0.9; NaN where they are real
	KL          float64 // of the posterior from the prior, nats per synapse
}

// A Learner learns step by step. Its state is all in parameters, so that it can be kept.
type Learner interface {
	// Step does a step. If the context ends, nothing was done.
	Step(ctx context.Context) (Progress, error)
	// Measure measures the parameters as they are, on all samples.
	Measure(ctx context.Context) (Progress, error)
	// Done and Steps return the steps that were done and those there are in all.
	Done() int
	Steps() int
	// State returns what Restore needs to go on to the same bytes.
	State() []npy.Array
	Restore(a *npy.Archive) error
	// File returns the model as it is.
	File(info rbm.Info) *File
}

// NewLearner returns what learns samples (visible x M).
func NewLearner(samples *spin.Matrix, o Options) (Learner, error) {
	if o.Missing != nil && o.Rule == STDP {
		return nil, fmt.Errorf("rule %s takes whole samples, and values are missing: use rule %s", STDP, EM)
	}
	m, err := newModel(samples, &o)
	if err != nil {
		return nil, err
	}
	if o.Rule == STDP {
		return newOnline(samples, o)
	}
	e := &em{model: m, samples: samples.Cols(), passes: o.Passes}
	pictures := make([]int8, m.layer().States*samples.Rows())
	chosen := samples.Choose(m.layer().States, o.Key.Sub(stream.CausesPictures).Rand())
	turned := spin.New(chosen.Cols(), chosen.Rows())
	chosen.Transpose(turned)
	spin.Values(pictures, turned)
	m.begin(pictures, o.Key.Sub(stream.CausesThetas))
	e.blocks = divide(samples, o.Missing, m.layer().Patches, true)
	return e, nil
}

// model is a machine while it learns by passes.
type model interface {
	layer() Layer
	network() *network[float32]
	objective(s *Statistics) (bound, objective float64)
	update(s *Statistics)
	begin(pictures []int8, key stream.Key)
	parameters() []parameter
	coupling() float64
	thetas() [][]float64 // of synapses that are bits
	file(info rbm.Info) *File
}

// newModel returns a model before its first pass.
func newModel(samples *spin.Matrix, o *Options) (model, error) {
	n := samples.Rows()
	layer := Layer{wholeOf(n), o.Causes}
	if o.Model == TreeModel {
		layer = Layer{o.Patches, o.States}
		if layer.Visible() != n {
			return nil, fmt.Errorf("patches of %d units for samples of %d", layer.Visible(), n)
		}
	}
	if o.Real {
		return &mixtureModel{layer, NewReals(layer), evenly(o.Causes)}, nil
	}
	bits := NewBits(layer, o.Coupling)
	bits.FixedCoupling = o.FixedCoupling
	bits.fieldsOfData(samples, o.Missing)
	if o.Model == MixtureModel {
		return &mixtureModel{layer, bits, evenly(o.Causes)}, nil
	}
	t := &treeModel{Tree: NewTree(bits, o.Causes, firstTopCoupling), key: o.Key.Sub(stream.CausesTop), passes: []float64{0},
		examples: samples.Choose(o.Causes, o.Key.Sub(stream.CausesExamples).Rand())}
	t.free = make([]float64, len(t.Theta))
	for range layer.Patches {
		t.apart = append(t.apart, evenly(layer.States)...)
	}
	return t, nil
}

// em learns by passes.
type em struct {
	model
	blocks               []block
	samples, passes, did int
}

func (e *em) Step(ctx context.Context) (Progress, error) {
	s, err := e.count(ctx)
	if err != nil {
		return Progress{}, err
	}
	p := progressOf(e.model, s, e.samples)
	e.update(s)
	e.did++
	p.Step, p.Steps, p.Passes = e.did, e.passes, float64(e.did)
	return p, nil
}

func (e *em) count(ctx context.Context) (*Statistics, error) {
	return count(ctx, e.network(), e.blocks, e.layer(), func(*block, *frame[float32]) {})
}

func (e *em) Measure(ctx context.Context) (Progress, error) {
	return measure(ctx, e.model, e.blocks, e.samples)
}

// measure measures a model on samples.
func measure(ctx context.Context, m model, blocks []block, samples int) (Progress, error) {
	s, err := count(ctx, m.network(), blocks, m.layer(), func(*block, *frame[float32]) {})
	if err != nil {
		return Progress{}, err
	}
	return progressOf(m, s, samples), nil
}

// progressOf returns what counts say of the parameters that they were taken with.
func progressOf(of model, s *Statistics, samples int) Progress {
	m := float64(samples)
	bound, objective := of.objective(s)
	p := Progress{Measured: true, Bound: bound / m, LnP: s.LnP / m, Objective: objective / m, Coupling: of.coupling(), Polarised: math.NaN(), KL: math.NaN()}
	if synapses, polarised := tally(of.thetas()); synapses > 0 {
		p.Polarised, p.KL = float64(polarised)/float64(synapses), (s.LnP-bound)/float64(synapses)
	}
	return p
}

// decided is the |theta| of |tanh theta| = 0.9.
var decided = math.Atanh(0.9)

// tally counts synapses, and those that are decided.
func tally(thetas [][]float64) (synapses, polarised int) {
	for _, x := range thetas {
		synapses += len(x)
		for _, t := range x {
			if math.Abs(t) > decided {
				polarised++
			}
		}
	}
	return synapses, polarised
}

func (e *em) Done() int                { return e.did }
func (e *em) Steps() int               { return e.passes }
func (e *em) File(info rbm.Info) *File { return e.file(info) }

func (e *em) State() []npy.Array {
	return state(e.parameters(), e.did)
}

func (e *em) Restore(a *npy.Archive) error {
	did, err := restored(a, e.parameters())
	e.did = did
	return err
}

// state returns parameters and the steps done as arrays.
func state(list []parameter, did int) []npy.Array {
	arrays := []npy.Array{{Name: "done", Shape: []int{1}, Data: []int64{int64(did)}}}
	for _, p := range list {
		arrays = append(arrays, npy.Array{Name: p.name, Shape: p.shape, Data: p.x})
	}
	return arrays
}

// restored sets parameters, all or none, and returns the steps that were done.
func restored(a *npy.Archive, list []parameter) (did int, err error) {
	read := make([][]float64, len(list))
	for k, p := range list {
		if read[k], err = npy.Get[float64](a, p.name, p.shape...); err != nil {
			return 0, err
		}
	}
	done, err := npy.Get[int64](a, "done", 1)
	if err != nil {
		return 0, err
	}
	if done[0] < 0 || done[0] > math.MaxInt32 {
		return 0, fmt.Errorf("%d steps done", done[0])
	}
	for k, p := range list {
		for at, v := range read[k] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return 0, fmt.Errorf("array %q: element %d is %v", p.name, at, v)
			}
		}
	}
	for k, p := range list {
		copy(p.x, read[k])
	}
	return int(done[0]), nil
}

func (m *mixtureModel) layer() Layer      { return m.visible }
func (m *mixtureModel) coupling() float64 { return m.synapses.slope() }
func (m *mixtureModel) thetas() [][]float64 {
	return m.synapses.thetas()
}

func (t *treeModel) layer() Layer        { return t.Synapses.Layer }
func (t *treeModel) coupling() float64   { return t.Synapses.slope() }
func (t *treeModel) thetas() [][]float64 { return append(t.Synapses.thetas(), t.Top.Theta) }
