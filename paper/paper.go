// Package paper reproduces the figures of the paper (H. Huang, Phys. Rev. E 102,
// 030301; arXiv 1911.07662) beside its published numbers: learning with the annealed
// bound, learning with the paper's rule, and the Bayes optimum. Points are computed
// one after another, and charts and tables are made of them.
package paper

import (
	"context"
	"fmt"
	"iter"

	"bethe/dual"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/trial"
	"bethe/variational"
)

// A Case is a setup of the paper with its published values: what the plots in the
// notebook of the lab's own code show (N = 100, beta = 1, Adam on the means with
// clipping), read off by eye, ±0.02: one script's plots, not tables of the paper.
type Case struct {
	Name   string
	Setup  trial.Setup // but for Alpha
	Alpha  []float64   // mean overlap of the signs at alpha = 1, ..., 5; ten runs
	Runs   []float64   // overlaps of the means in single runs at alpha = 5
	KL     float64     // where the divergence ends, nats; 0: not known
	Bound  float64     // where the bound ends, nats; 0: not known
	Remark string
}

// Cases are the published ones.
var Cases = []Case{
	{"P = 2, q = 0", trial.Setup{Visible: 100, Hidden: 2, Beta: 1}, []float64{0.30, 0.47, 0.62, 0.67, 0.74}, []float64{0.88, 0.82, 0.70, 0.62}, 138, -34590, ""},
	{"P = 2, q = 0.3", trial.Setup{Visible: 100, Hidden: 2, Beta: 1, Correlation: 0.3}, []float64{0.44, 0.58, 0.67, 0.73, 0.71}, nil, 138, -34570, ""},
	{"P = 3, q = 0", trial.Setup{Visible: 100, Hidden: 3, Beta: 1}, []float64{0.32, 0.52, 0.63, 0.74, 0.71}, []float64{0.90, 0.78, 0.36}, 0, 0, "The lab's script resets P to 2 after the first alpha."},
}

// Published values of 2,000 digits and 4 hidden units; the lab's digits have grey
// levels, ours are cut at one, so that only the divergence compares.
const (
	DigitsBound = -1.0695e6 // nats
	DigitsKL    = 910       // nats
)

// readOff says in a figure what the published values are.
const readOff = "Published: plots of the lab's notebook, read off by eye, ±0.02."

// Learner is the rule of the lab's code: one start, Adam on the means with clipping,
// the quenched partition term. Where there are too many hidden units to enumerate it
// takes moments and ln Z of mean field (TAP) in two draws.
func Learner(s trial.Setup, steps int) *trial.Learner {
	l := trial.DefaultLearner(s, 1)
	l.Steps, l.Rate, l.Rule, l.Draws = steps, 0.1, variational.ClippedAdam, 64
	if min(s.Visible, s.Hidden) > 16 {
		l.Draws = 2
		l.Engine = func(*spin.Matrix, stream.Key) dual.Engine[float32] { return dual.NewTAP[float32](nil) }
	}
	return l
}

// Options say how long the experiments are.
type Options struct {
	Instances int // teachers
	Restarts  int // random starts of ours
	Steps     int // of learning
	Samples   int // digits
	Hidden    []int
	Alphas    []int // densities of data, from 1 to 5
	Copies    []int // synapses per pair of units, of machines that approximate Target
	Target    string
	Seed      uint64
	Progress  trial.Progress
}

// Validate returns the *setting.Error of the first option out of range.
func (o *Options) Validate() error {
	if err := setting.AtLeastOne("each must be at least 1", setting.Count{Name: "instances", Value: o.Instances}, setting.Count{Name: "restarts", Value: o.Restarts},
		setting.Count{Name: "steps", Value: o.Steps}, setting.Count{Name: "samples", Value: o.Samples}); err != nil {
		return err
	}
	for _, a := range o.Alphas {
		if a < 1 || a > 5 {
			return setting.Errorf("alpha", a, "the paper's are 1 to 5")
		}
	}
	for _, h := range o.Hidden {
		if h < 1 {
			return setting.Errorf("hidden", h, "it must be at least 1")
		}
	}
	return o.checkApproximation()
}

func (o *Options) learner(s trial.Setup, restarts int) *trial.Learner {
	l := trial.DefaultLearner(s, restarts)
	l.Steps = o.Steps
	return l
}

// An AlphaPoint is a case at a density of data.
type AlphaPoint struct {
	Case        *Case
	Alpha       float64
	Ours, Paper trial.Summary // of the annealed bound and of the paper's rule, on the same data
	Published   float64
}

// Alpha computes the mean overlap of each case at each density.
func (o *Options) Alpha(ctx context.Context) iter.Seq2[*AlphaPoint, error] {
	return func(yield func(*AlphaPoint, error) bool) {
		for k := range Cases {
			for _, density := range o.Alphas {
				p, err := o.alphaPoint(ctx, k, density)
				if !yield(p, err) || err != nil {
					return
				}
			}
		}
	}
}

func (o *Options) alphaPoint(ctx context.Context, k, density int) (*AlphaPoint, error) {
	p := &AlphaPoint{Case: &Cases[k], Alpha: float64(density), Published: Cases[k].Alpha[density-1]}
	setup := p.Case.Setup
	setup.Alpha = p.Alpha
	ours, paper := make([]*trial.Trial, o.Instances), make([]*trial.Trial, o.Instances)
	l := o.learner(setup, o.Restarts)
	_, err := trial.Each(fmt.Sprintf("%s, alpha %g", p.Case.Name, setup.Alpha), o.Instances, o.Progress, func(i int) (err error) {
		if ours[i], err = trial.Plant(ctx, setup, stream.New(o.Seed).Sub(uint64(k)).Sub(uint64(density-1)).Sub(uint64(i))); err != nil {
			return err
		}
		other := *ours[i]
		paper[i] = &other
		if err = ours[i].Learn(ctx, l); err != nil {
			return err
		}
		if err = ours[i].BayesOptimum(ctx); err != nil {
			return err
		}
		return paper[i].Learn(ctx, Learner(setup, o.Steps))
	})
	if err != nil {
		return nil, err
	}
	p.Ours, p.Paper = trial.Summarise(ours), trial.Summarise(paper)
	return p, nil
}

// Traces are measurements of our rule and of the paper's while they learn from the
// same data.
type Traces struct {
	Name        string
	Ours, Paper *trial.Trace
	Samples     int
}

func (o *Options) traces(ctx context.Context, name string, x *trial.Trial, ours *trial.Learner) (*Traces, error) {
	t := &Traces{Name: name, Samples: x.Data.Cols()}
	var err error
	if t.Ours, err = x.Watch(ctx, name+", ours", ours, o.Progress); err != nil {
		return nil, err
	}
	t.Paper, err = x.Watch(ctx, name+", paper's rule", Learner(x.Setup, o.Steps), o.Progress)
	return t, err
}

// End returns the last point of a trace.
func End(t *trial.Trace) *trial.TracePoint { return &t.Points[len(t.Points)-1] }

// An OverlapPoint is a case at alpha = 5, followed while it learns.
type OverlapPoint struct {
	*Traces
	Case   *Case
	Pooled float64 // overlap of the pool of our starts
	Bayes  float64 // the Bayes optimum
}

// Overlap follows each case while it learns.
func (o *Options) Overlap(ctx context.Context) iter.Seq2[*OverlapPoint, error] {
	return func(yield func(*OverlapPoint, error) bool) {
		for k := range Cases {
			p, err := o.overlapPoint(ctx, k)
			if !yield(p, err) || err != nil {
				return
			}
		}
	}
}

func (o *Options) overlapPoint(ctx context.Context, k int) (*OverlapPoint, error) {
	const alpha = 5
	p := &OverlapPoint{Case: &Cases[k]}
	setup := p.Case.Setup
	setup.Alpha = alpha
	x, err := trial.Plant(ctx, setup, stream.New(o.Seed).Sub(uint64(k)))
	if err != nil {
		return nil, err
	}
	l := o.learner(setup, o.Restarts)
	if err := x.Learn(ctx, l); err != nil {
		return nil, err
	}
	if err := x.BayesOptimum(ctx); err != nil {
		return nil, err
	}
	p.Pooled, p.Bayes = x.Overlap, x.Bayes
	p.Traces, err = o.traces(ctx, p.Case.Name, x, l)
	return p, err
}

// A DigitsPoint is a number of hidden units that learn digits.
type DigitsPoint struct {
	*Traces
	Hidden int
}

// Digits follows machines while they learn the first of some digits (visible x
// samples), without fields, beta = 1. The error may be a *setting.Error of the
// number of samples.
func (o *Options) Digits(ctx context.Context, digits *spin.Matrix) iter.Seq2[*DigitsPoint, error] {
	return func(yield func(*DigitsPoint, error) bool) {
		if o.Samples > digits.Cols() {
			yield(nil, setting.Errorf("samples", o.Samples, "there are %d digits", digits.Cols()))
			return
		}
		first := make([]int, o.Samples)
		for k := range first {
			first[k] = k
		}
		data := spin.New(digits.Rows(), o.Samples)
		digits.Gather(data, first)
		for _, hidden := range o.Hidden {
			setup := trial.Setup{Visible: data.Rows(), Hidden: hidden, Alpha: float64(o.Samples) / float64(data.Rows()), Beta: 1}
			x := trial.OfData(setup, data, stream.New(o.Seed).Sub(uint64(hidden)))
			t, err := o.traces(ctx, fmt.Sprintf("%d hidden units", hidden), x, o.learner(setup, 1))
			if !yield(&DigitsPoint{t, hidden}, err) || err != nil {
				return
			}
		}
	}
}
