package main

/*
#include "bethe.h"
*/
import "C"

import (
	"context"
	"errors"
	"slices"

	"bethe/causes"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/internal/kernel"
	"bethe/internal/memory"
	"bethe/internal/npy"
	"bethe/learn"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A model is what a machine of some family can do with samples that fit. What it cannot do is an
// invalid error that names the family.
type model interface {
	about() about
	// exact reports whether ln Z can be summed.
	exact() bool
	// first returns the machine as one that learning starts from.
	first() (*rbm.File, error)
	// zeroOne returns it as a machine of spins with one hidden layer.
	zeroOne() (*rbm.Machine, error)
	// spins returns it as a machine of spins with one hidden layer, and whether it is one.
	spins() (layered, bool)
	features(ctx context.Context, s *dataset.Set, gain float64) ([]float32, error)
	logWeights(ctx context.Context, s *dataset.Set, key stream.Key) ([]float64, error)
	check(e *evaluation) error
	likelihood(ctx context.Context, s *dataset.Set, e *evaluation) (evaluate.Report, error)
	// sample draws states of chains, which start at from unless that is nil.
	sample(ctx context.Context, from *dataset.Set, s evaluate.Sampling) (result, error)
	complete(ctx context.Context, s *dataset.Set, known []int, r evaluate.Restoring) (result, error)
	denoise(ctx context.Context, s *dataset.Set, flip float64, r evaluate.Restoring) (result, error)
	// chains returns the *setting.Error of more chains than memory holds.
	chains(count int, of string, number int) error
}

// An about tells what a machine is of.
type about struct {
	Model       string `json:"model"`
	Units       string `json:"units"`
	HiddenUnits string `json:"hidden_units"`
	Visible     int    `json:"visible"`
	Layers      []int  `json:"layers"`
	Features    int    `json:"features"`
	Exact       bool   `json:"exact"` // ln Z is summed, or not needed; set by bethe_machine_about
}

// notFor is the error of a family that lacks a verb.
func notFor(verb string, m model) error {
	of := m.about()
	name := "deep machine"
	switch {
	case of.Model != learn.LayeredModel:
		name = of.Model
	case len(of.Layers) == 1:
		name = "machine of " + of.Units + " and " + of.HiddenUnits + " units"
	}
	return invalidf("%s is not for a %s", verb, name)
}

// decode returns the model of arrays of a model file of any family.
func decode(arrays []npy.Array, family string) (model, error) {
	const name = "the machine"
	switch family {
	case rbm.StackModel:
		f, err := rbm.DecodeStack(name, arrays)
		if err != nil {
			return nil, err
		}
		machines := evaluate.Stack(f.Machines())
		return stacked{f, machines, machines.Layers()}, nil
	case causes.MixtureModel, causes.TreeModel:
		f, err := causes.Decode(name, arrays)
		if err != nil {
			return nil, err
		}
		return directed{f, f.Machine()}, nil
	}
	f, err := rbm.Decode(name, arrays)
	if err != nil {
		return nil, err
	}
	l := layered{file: f, featuring: evaluate.FeaturesOf(f)}
	if f.Spins() {
		l.on = evaluate.OnMachine(f.Machine())
		return l, nil
	}
	return mixed{l, evaluate.FillingOf(f.Machine())}, nil
}

// open reads a model file of any family.
func open(path string) (learn.Model, error) {
	switch rbm.FamilyOf(path) {
	case rbm.StackModel:
		return rbm.LoadStack(path)
	case causes.MixtureModel, causes.TreeModel:
		return causes.Load(path)
	}
	return rbm.LoadKinds(path)
}

// layered are machines of spins, also deep ones.
type layered struct {
	file      *rbm.File
	featuring func(samples evaluate.FileSamples, gain float64) ([]float32, int, error)
	on        evaluate.SpinMachine
}

func (l layered) about() about {
	f := l.file
	layers := f.Layers()
	a := about{learn.LayeredModel, f.VisibleKind.String(), f.HiddenKind.String(), layers.Data() / f.VisibleKind.Features(), layers[1:], 0, false}
	if !f.VisibleKind.Bits() {
		a.Visible = len(f.Scale.Mean)
	}
	for _, n := range a.Layers {
		a.Features += n
	}
	return a
}

func (l layered) exact() bool { return summed(l.file.Machine()) }

// summed reports whether ln Z of a machine can be summed.
func summed(machine *rbm.Machine) bool {
	ended, end := context.WithCancel(context.Background())
	end()
	_, err := machine.LnZ(ended) // too many units are told at once
	return !errors.Is(err, rbm.ErrTooLarge)
}

// plain reports whether the machine has one hidden layer.
func (l layered) plain() bool { return l.file.Layers().Depth() == 1 }

func (l layered) spins() (layered, bool) { return l, l.plain() }

func (l layered) first() (*rbm.File, error) { return l.file, nil }

func (l layered) zeroOne() (*rbm.Machine, error) {
	if !l.plain() {
		return nil, notFor("the form of units 0 and 1", l)
	}
	return l.file.Machine(), nil
}

func samplesOf(s *dataset.Set) evaluate.FileSamples {
	return evaluate.FileSamples{Bits: s.Samples, Numbers: s.Reals}
}

func (l layered) features(_ context.Context, s *dataset.Set, gain float64) ([]float32, error) {
	x, _, err := l.featuring(samplesOf(s), gain)
	return x, err
}

func (l layered) logWeights(ctx context.Context, s *dataset.Set, key stream.Key) ([]float64, error) {
	return evaluate.FileLogWeights(ctx, l.file, samplesOf(s), key)
}

func (l layered) chains(count int, of string, number int) error {
	if err := memory.CheckChains(l.file.Visible(), l.file.Hidden(), float64(count), true, of, number); err != nil {
		return invalid{err}
	}
	return nil
}

func (l layered) check(e *evaluation) error {
	if e.Draws != 0 {
		if err := evaluate.CheckDraws(l.file, e.Draws); err != nil {
			return invalid{err}
		}
	}
	options := e.options()
	if err := options.Check(l.file.Visible(), l.file.Hidden()); err != nil {
		return invalid{err}
	}
	return nil
}

func (l layered) likelihood(ctx context.Context, s *dataset.Set, e *evaluation) (r evaluate.Report, err error) {
	r.Samples = s.Len()
	options := e.options()
	options.Key = evaluate.LikelihoodKey(stream.New(e.Seed))
	if r.LogLikelihood, err = evaluate.FileLikelihood(ctx, l.file, samplesOf(s), e.remembered, options); err != nil {
		return r, err
	}
	if e.Draws > 0 {
		options.Key = stream.New(e.Seed)
		r.Uncertainty, err = evaluate.Uncertain(ctx, l.file, e.Draws, evaluate.FileSamples{Bits: s.Samples, Numbers: s.Reals, Missing: s.Missing}, options, func(k, of int) { e.tell("drawing", float64(k-1)/float64(of)) })
	}
	return r, err
}

func (l layered) sample(ctx context.Context, from *dataset.Set, s evaluate.Sampling) (r result, err error) {
	if from != nil {
		s.From = from.Samples
	}
	drawn, err := evaluate.Sample(ctx, l.file.Machine(), s)
	if err != nil {
		return r, err
	}
	n, count := drawn.Data, drawn.Chains.Visible.Cols()
	states := drawn.Chains.Visible
	means := make([]float32, states.Rows()*count)
	drawn.Chains.VisibleMeans(means)
	r.report = map[string]int{"temperatures": drawn.Temperatures}
	r.arrays = []npy.Array{bytesOf("samples", units.Rows(states, 0, n), count, n), probabilities("visible_mean", means[:n*count], n, count)}
	if hidden := drawn.Chains.Hidden; l.plain() {
		r.arrays = append(r.arrays, bytesOf("hidden", hidden, count, hidden.Rows()))
	}
	return r, nil
}

func (l layered) complete(ctx context.Context, s *dataset.Set, known []int, r evaluate.Restoring) (result, error) {
	return completed(l.on.CompleteKnown(ctx, s.Samples, known, r))
}

// completed returns a completion of spins.
func completed(c *evaluate.Completion, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	n := len(c.Given)
	samples := len(c.Mean) / n
	out := restored(c.SpinRestoration, samples)
	out.arrays = append(out.arrays, bytesOf("completions", c.States, samples, c.States.Cols()/samples, n))
	return out, nil
}

func (l layered) denoise(ctx context.Context, s *dataset.Set, flip float64, r evaluate.Restoring) (result, error) {
	return mended(l.on.Mend(ctx, s.Samples, flip, true, r.Key, r))
}

// mended returns what noisy samples of spins were.
func mended(m *evaluate.Mended, err error) (result, error) {
	if err != nil {
		return result{}, err
	}
	return restored(m.SpinRestoration, m.Seen.Cols()), nil
}

// mixed are machines of other kinds of units than spins.
type mixed struct {
	layered
	filling func(ctx context.Context, samples evaluate.Incomplete, r evaluate.Restoring) (*evaluate.Filling, error)
}

func (m mixed) spins() (layered, bool) { return m.layered, false }

func (m mixed) zeroOne() (*rbm.Machine, error) { return nil, notFor("the form of units 0 and 1", m) }

func (m mixed) check(e *evaluation) error {
	if e.Draws != 0 {
		return notFor("draws", m)
	}
	return m.layered.check(e)
}

func (m mixed) sample(ctx context.Context, from *dataset.Set, s evaluate.Sampling) (r result, err error) {
	if s.Tempered {
		return r, notFor("tempered", m)
	}
	var states evaluate.FileSamples
	if from != nil {
		states = samplesOf(from)
	}
	drawn, err := evaluate.DrawFile(ctx, m.file, states, s)
	if err != nil {
		return r, err
	}
	r.report = map[string]int{"temperatures": 0}
	n, count, kind := m.about().Visible, s.Count, m.file.VisibleKind
	switch v := drawn.States; {
	case v.Numbers != nil:
		r.arrays = []npy.Array{rows("samples", v.Numbers.Values(), n, count), rows("visible_mean", drawn.Means.Values(), n, count)}
	case kind.OneHot():
		of := kind.Features()
		means := probabilities("visible_mean", drawn.Means.Values(), n*of, count)
		means.Shape = []int{count, n, of}
		r.arrays = []npy.Array{{Name: "samples", Shape: []int{count, n}, Data: dataset.Colours(v.Bits, kind)}, means}
	default:
		r.arrays = []npy.Array{bytesOf("samples", v.Bits, count, n), probabilities("visible_mean", drawn.Means.Values(), n, count)}
	}
	return r, nil
}

// complete is exact where hidden states can be enumerated.
func (m mixed) complete(ctx context.Context, s *dataset.Set, known []int, r evaluate.Restoring) (out result, err error) {
	n, count, kind := s.Units(), s.Len(), m.file.VisibleKind
	samples := samplesOf(s)
	samples.Missing = spin.New(n, count)
	for i := range n {
		for a := 0; a < count && !slices.Contains(known, i); a++ {
			samples.Missing.Set(i, a, 1)
		}
	}
	in, err := samples.Incomplete(m.file)
	if err != nil {
		return out, err
	}
	f, err := m.filling(ctx, in, r)
	if err != nil {
		return out, err
	}
	mean := make([]float32, len(f.Mean))
	for k, v := range f.Mean {
		mean[k] = float32(v)
	}
	switch {
	case !kind.Bits():
		numbers := m.file.Numbers(units.RealsOf(m.file.Visible(), count, mean))
		out.arrays = []npy.Array{rows("mean", numbers.Values(), n, count)}
	case kind.OneHot():
		a := probabilities("mean", mean, n*kind.Features(), count)
		a.Shape = []int{count, n, kind.Features()}
		out.arrays = []npy.Array{a}
	default:
		out.arrays = []npy.Array{probabilities("mean", mean, n, count)}
	}
	out.report = settling((&evaluate.SpinRestoration{RHat: f.RHat}).Unsettled, len(f.RHat))
	return out, nil
}

func (m mixed) denoise(context.Context, *dataset.Set, float64, evaluate.Restoring) (result, error) {
	return result{}, notFor("denoise", m)
}

// stacked are machines upon each other.
type stacked struct {
	*rbm.Stack
	machines evaluate.Stack
	layers   []evaluate.Featuring[*spin.Matrix]
}

func (k stacked) about() about {
	sizes := k.Sizes()
	a := about{Model: rbm.StackModel, Units: units.Spin, HiddenUnits: units.Spin, Visible: sizes[0], Layers: sizes[1:]}
	for _, n := range a.Layers {
		a.Features += n
	}
	return a
}

func (k stacked) exact() bool               { return summed(k.machines[len(k.machines)-1]) }
func (k stacked) first() (*rbm.File, error) { return nil, notFor("a first machine", k) }
func (stacked) spins() (layered, bool)      { return layered{}, false }

func (k stacked) zeroOne() (*rbm.Machine, error) { return nil, notFor("the form of units 0 and 1", k) }

func (k stacked) chains(count int, of string, number int) error {
	for _, f := range k.Files {
		if err := (layered{file: f}).chains(count, of, number); err != nil {
			return err
		}
	}
	return nil
}

func (k stacked) features(_ context.Context, s *dataset.Set, gain float64) ([]float32, error) {
	return evaluate.Beside(k.layers, s.Samples, gain), nil
}

func (k stacked) logWeights(ctx context.Context, s *dataset.Set, key stream.Key) ([]float64, error) {
	return k.machines.LogWeights(ctx, s.Samples, key)
}

func (k stacked) check(e *evaluation) error {
	if e.Draws != 0 {
		return notFor("draws", k)
	}
	return layered{file: k.Files[len(k.Files)-1]}.check(e)
}

func (k stacked) likelihood(ctx context.Context, s *dataset.Set, e *evaluation) (r evaluate.Report, err error) {
	options := e.options()
	options.Key = evaluate.LikelihoodKey(stream.New(e.Seed))
	r.Samples = s.Len()
	r.LogLikelihood, err = k.machines.Likelihood(ctx, nil, s.Samples, options)
	return r, err
}

func (k stacked) sample(ctx context.Context, from *dataset.Set, s evaluate.Sampling) (r result, err error) {
	if from != nil {
		return r, notFor("gibbs", k)
	}
	drawn, err := k.machines.Sample(ctx, s)
	if err != nil {
		return r, err
	}
	n := drawn.Visible.Rows()
	r.report = map[string]int{"temperatures": drawn.Temperatures}
	r.arrays = []npy.Array{bytesOf("samples", drawn.Visible, s.Count, n), probabilities("visible_mean", drawn.Means, n, s.Count)}
	return r, nil
}

func (k stacked) complete(ctx context.Context, s *dataset.Set, known []int, r evaluate.Restoring) (result, error) {
	return completed(k.machines.CompleteKnown(ctx, s.Samples, known, r))
}

func (k stacked) denoise(ctx context.Context, s *dataset.Set, flip float64, r evaluate.Restoring) (result, error) {
	return mended(k.machines.Mend(ctx, s.Samples, flip, true, r.Key, r))
}

// directed are machines of package causes.
type directed struct {
	*causes.File
	machine *causes.Machine
}

func (d directed) about() about {
	return about{d.Model, units.Spin, units.Spin, d.Layer.Visible(), []int{d.machine.Causes()}, d.machine.Features(), false}
}

func (d directed) exact() bool               { return true }
func (d directed) first() (*rbm.File, error) { return nil, notFor("a first machine", d) }
func (directed) spins() (layered, bool)      { return layered{}, false }

func (d directed) zeroOne() (*rbm.Machine, error) { return nil, notFor("the form of units 0 and 1", d) }
func (d directed) chains(int, string, int) error  { return nil }

func (d directed) features(ctx context.Context, s *dataset.Set, gain float64) ([]float32, error) {
	if gain != 1 {
		return nil, setting.Errorf("gain", gain, "it is for machines with hidden units, not for a %s", d.Model)
	}
	return d.machine.Posteriors(ctx, s.Samples, nil)
}

// logWeights are ln P themselves: ln Z is 0.
func (d directed) logWeights(ctx context.Context, s *dataset.Set, _ stream.Key) ([]float64, error) {
	r, err := d.machine.Infer(ctx, s.Samples, nil)
	if err != nil {
		return nil, err
	}
	return r.LnP, nil
}

func (d directed) check(e *evaluation) error {
	if e.Draws != 0 {
		return notFor("draws", d)
	}
	return nil
}

func (d directed) likelihood(ctx context.Context, s *dataset.Set, _ *evaluation) (r evaluate.Report, err error) {
	l, err := learn.DirectedLikelihood(ctx, d.machine, s.Samples, nil)
	if err != nil {
		return r, err
	}
	r.Samples, r.LogLikelihood = s.Len(), *l
	return r, nil
}

// sample draws from the causes down: draws are independent, so there is nothing to sweep.
func (d directed) sample(_ context.Context, from *dataset.Set, s evaluate.Sampling) (r result, err error) {
	if s.Tempered || from != nil {
		return r, notFor("tempered or gibbs", d)
	}
	drawn, n := d.machine.Sample(s.Count, s.Key), d.Layer.Visible()
	causes := make([]int64, s.Count)
	for a, k := range drawn.Causes {
		causes[a] = int64(k)
	}
	r.report = map[string]int{"temperatures": 0}
	r.arrays = []npy.Array{bytesOf("samples", drawn.Visible, s.Count, n), probabilities("visible_mean", drawn.Means, n, s.Count), {Name: "causes", Shape: []int{s.Count}, Data: causes}}
	return r, nil
}

// complete is exact: units that are not known drop out of the sums. Chains are independent draws.
func (d directed) complete(ctx context.Context, s *dataset.Set, known []int, r evaluate.Restoring) (result, error) {
	means, drawn, err := d.machine.Complete(ctx, s.Samples, known, r.Chains, r.Key)
	if err != nil {
		return result{}, err
	}
	return result{report: map[string]any{"unsettled": 0, "looked_at": 0}, arrays: []npy.Array{probabilities("mean", means, s.Visible(), s.Len()),
		bytesOf("completions", drawn.Visible, s.Len(), r.Chains, s.Visible())}}, nil
}

func (d directed) denoise(context.Context, *dataset.Set, float64, evaluate.Restoring) (result, error) {
	return result{}, notFor("denoise", d)
}

// rows returns numbers, units x count, as an array with a sample a row.
func rows(name string, x []float32, visible, count int) npy.Array {
	out := make([]float32, len(x))
	kernel.Transpose(out, visible, x, count, visible, count)
	return npy.Array{Name: name, Shape: []int{count, visible}, Data: out}
}

// probabilities returns means of spins, visible x count, as probabilities of 1, count x visible.
func probabilities(name string, means []float32, visible, count int) npy.Array {
	a := rows(name, means, visible, count)
	p := a.Data.([]float32)
	kernel.Affine(p, p, 0.5, 0.5)
	return a
}

// restored returns the means of a restoration and whether its chains have settled.
func restored(r *evaluate.SpinRestoration, count int) result {
	n := r.States.Rows()
	return result{report: settling(r.Unsettled, len(r.RHat)), arrays: []npy.Array{probabilities("mean", r.Mean, n, count), {Name: "r_hat", Shape: []int{len(r.RHat)}, Data: r.RHat}}}
}

// settling tells whether chains have settled, of so many samples that were looked at.
func settling(of func() (unsettled int, worst float64), looked int) map[string]any {
	unsettled, worst := of()
	report := map[string]any{"unsettled": unsettled, "looked_at": looked}
	if worst < 1e300 { // JSON has no infinity
		report["worst_r_hat"] = worst
	}
	return report
}

// An evaluation is a request for likelihoods.
type evaluation struct {
	Temperatures  int    `json:"temperatures"`
	Chains        int    `json:"chains"`
	Equilibration int    `json:"equilibration"`
	Seed          uint64 `json:"seed"`
	Draws         int    `json:"draws"`
	Anneal        bool   `json:"anneal"`

	remembered *spin.Matrix
	tell       func(stage string, fraction float64)
}

func (e *evaluation) options() evaluate.Options {
	return evaluate.Options{Temperatures: e.Temperatures, Chains: e.Chains, Equilibration: e.Equilibration, Anneal: e.Anneal,
		Progress: func(fraction float64) { e.tell("annealing", fraction) }}
}
