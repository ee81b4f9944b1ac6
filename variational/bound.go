// Package variational learns a posterior over binary synapses by climbing a
// lower bound on the log-likelihood of the data,
//
//	ln p(D) >= E_q[data term] - M ln E_q Z - KL(q || p)
//
// (H. Huang, Phys. Rev. E 102, 030301, with the annealed partition term and
// offsets of package dual). All terms are in nats per sample: divided by the
// number M of samples learned from.
package variational

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
	"bethe/units"
)

// Terms are the three terms of the bound, in nats per sample.
type Terms struct {
	Data      float64 // E_q of the energy and entropy of the data
	Partition float64 // ln E_q Z, or its quenched form; NaN where the engine gives none
	KL        float64 // divergence of the posterior from the prior, over M
	// Chains are the partition terms by each annealed chain alone, if the term was estimated
	// by annealing; their mean weight is the term's.
	Chains []float64
}

// Bound returns the lower bound, in nats per sample.
func (t Terms) Bound() float64 { return t.Data - t.Partition - t.KL }

// An Objective is a bound on the log-likelihood of M samples, with its gradient, for
// machines of one link between all units and for deep ones (rbm.Params.Deep).
type Objective[T rbm.Real] struct {
	Partition dual.Partition[T]
	Hidden    units.Hidden[T] // the kind of hidden units, with its averages over Gaussian fields
	Samples   int             // M, over which the divergence from the prior is shared
	Synapses  rbm.Kind        // what the thetas stand for; the zero value is rbm.BinaryKind
	Release   float64         // share of the divergence that the gradient leaves out: 0 climbs the bound, 1 is free of the prior, below 0 it counts more than once
	Form      PriorForm       // how the gradient is held to a prior that is not uniform
	Decay     float64         // of rbm.RealKind: the gradient falls by Decay theta
	Draw      stream.Key      // of rbm.SampledKind
	// Coarse has the gradient's products with the samples rounded (spin.MulCoarse):
	// for batches, whose choice makes far more noise. The bound itself is never.
	Coarse bool
	// Estimate has the gradient's averages over fields estimated where hidden units can (units.Estimating), by Noise.
	Estimate bool
	Noise    stream.Key
	Deep     Deep // of deep machines
	// Fill is how often the fill of missing values moves towards the one with the highest bound
	// (units.Filling). If 0, it stays where the fields alone put it.
	Fill int

	mean      []T               // lambda, or the synapses if they are known: hidden x visible
	offset    []T               // mu: visible
	biased    bool              // whether an offset is not 0
	work      sync.Pool         // of *units.Block
	partition *dual.Gradient[T] // but for the synapses
	finite    bool              // whether the last gradient by synapses is
	head      *head[T]          // nil unless labels are learned
	upper     upper[T]          // of deep machines
	rough     rough[T]          // the same from batches
	seen      seen              // of the layers of deep machines
}

// rows is the number of hidden features that a piece of work takes through all of the
// data term: about as many as products take rows together, in whole units and a multiple of ownTogether. No result
// depends on it.
func (o *Objective[T]) rows(samples units.Samples[T]) int {
	rows, own := kernel.RowsTogether(), o.ownTogether()
	if b, ok := samples.(units.Blocked); ok {
		rows = b.RowsTogether()
	}
	return own * max(1, rows/own)
}

// wholeUnits returns the most features, at most rows of them, that are whole units, but
// at least one unit.
func (o *Objective[T]) wholeUnits(rows int) int {
	together := o.Hidden.Together()
	return together * max(1, rows/together)
}

// ownTogether is the number of hidden features, in whole units, whose sums for the
// layer's own parameters are added up before they join the others: the rows of any
// piece of work are a multiple.
func (o *Objective[T]) ownTogether() int {
	const least = 8 // rows that products take together on any processor
	return o.wholeUnits(least)
}

// link returns what blocks are told of the synapses.
func (o *Objective[T]) link(model *rbm.Model[T], coarse bool) *units.Link[T] {
	kind := rbm.KindOr(o.Synapses)
	return &units.Link[T]{Mean: o.mean, Theta: model.Posterior.Theta, Coupling: model.Links[0].Coupling, Offset: o.offset, Biased: o.biased,
		Known: kind.Known(), Second: kind.LogOdds(), Coarse: coarse, Share: T(o.share())}
}

// share is the factor of theta in the gradient: that of the divergence from the
// prior, or the decay.
func (o *Objective[T]) share() float64 {
	return rbm.KindOr(o.Synapses).Pull((1-o.Release)/float64(o.Samples), o.Decay)
}

// kl returns the divergence from the prior in nats per sample.
func (o *Objective[T]) kl(q *rbm.Posterior[T]) float64 {
	if rbm.KindOr(o.Synapses).Known() {
		return 0
	}
	return q.KL() / float64(o.Samples)
}

// block returns work space for samples, to be put back into work.
func (o *Objective[T]) block(samples units.Samples[T]) *units.Block[T] {
	n, m, rows, together := samples.Features(), samples.Len(), o.rows(samples), o.Hidden.Together()
	w, ok := o.work.Get().(*units.Block[T])
	if extra := samples.Extra(rows); !ok || len(w.First) != rows*m || len(w.Mean) != together*m || len(w.Partition) != n || len(w.Extra) != extra {
		w = &units.Block[T]{First: make([]T, rows*m), Second: make([]T, rows*m), Mean: make([]T, together*m), Variance: make([]T, together*m),
			Partition: make([]T, n), Extra: make([]T, extra), Sums: make([]float64, 2*rows), SecondSum: make([]float64, rows)}
	}
	return w
}

// field sets the means and variances of the fields of a hidden unit, whose first
// row is row k of the block, and returns the variances as units.Hidden.Averages
// takes them.
func (o *Objective[T]) field(w *units.Block[T], l *units.Link[T], samples units.Samples[T], k int, params *rbm.Params) (variance []T) {
	m, together := samples.Len(), o.Hidden.Together()
	alike := true
	for at := range together {
		shift := params.HiddenField[w.Lo+k+at]
		alike = samples.Field(w, l, k+at, w.Mean[at*m:(at+1)*m], w.Variance[at*m:(at+1)*m], shift) && alike
	}
	if !alike {
		return w.Variance
	}
	if together == 1 {
		return w.Variance[:1]
	}
	each := make([]T, together)
	for at := range each {
		each[at] = w.Variance[at*m]
	}
	return each
}

// Gradient computes the gradient of the bound, in nats per sample, estimated
// from a batch of samples, and the report of the engine. Errors are the context's
// and those of the partition term; then the term is as it was before the call.
func (o *Objective[T]) Gradient(ctx context.Context, grad *dual.Gradient[T], model *rbm.Model[T], batch units.Samples[T]) (dual.Report, error) {
	if model.Deep() {
		return o.deepGradient(ctx, grad, model, batch)
	}
	n, p, m := model.Visible(), model.Hidden(), batch.Len()
	o.prepare(model, batch, o.Coarse)
	if err := o.fill(ctx, model, batch, o.Coarse); err != nil {
		return dual.Report{}, err
	}
	partition := o.partition
	partitionRow, report, err := o.Partition.Rows(ctx, partition, &model.Params, o.mean)
	if err != nil {
		return report, err
	}
	perSample, j := 1/float64(m), model.Coupling()
	link := o.link(model, o.Coarse)
	// A few hidden units at a time, while their rows are in cache: averages over
	// the field of each unit and sample, and their products with the samples.
	q := model.Posterior
	withPrior := q.PriorTheta != nil && !link.Known
	coupling, partitionCoupling := make([]float64, p), make([]float64, p)
	firstSum, synapseSum := make([]float64, p), make([]float64, p)
	if o.head != nil {
		o.classify(model, batch, link)
	}
	estimating, draws := o.Hidden.(units.Estimating[T])
	draws = draws && o.Estimate
	together, rows, ownRows, ownSize := o.Hidden.Together(), o.rows(batch), o.ownTogether(), batch.OwnSize()
	var own [][]float64 // added in order
	if ownSize > 0 {
		own = make([][]float64, parallel.Pieces(p, ownRows))
	}
	err = parallel.ForContext(ctx, p, rows, func(lo, hi int) {
		w := o.block(batch)
		defer o.work.Put(w)
		w.Lo, w.Rows = lo, hi-lo
		batch.Fields(w, link)
		secondSum := w.SecondSum
		for k := 0; k < w.Rows; k += together {
			if ctx.Err() != nil {
				return
			}
			variance := o.field(w, link, batch, k, &model.Params)
			first, second := w.First[k*m:(k+together)*m], w.Second[k*m:(k+together)*m]
			if draws {
				estimating.Estimate(first, second, w.Mean, w.Variance, m, o.Noise.Sub(uint64(lo+k)))
			} else {
				o.Hidden.Averages(first, second, w.Mean, variance, m)
			}
			for at := range together {
				mu := lo + k + at
				first, second, mean := w.First[(k+at)*m:(k+at+1)*m], w.Second[(k+at)*m:(k+at+1)*m], w.Mean[at*m:(at+1)*m]
				firstSum[mu], secondSum[k+at], coupling[mu] = kernel.FieldSums(first, second, mean, w.Variance[at*m:(at+1)*m],
					T(model.HiddenOffset[mu]), T(model.HiddenField[mu]))
				if o.head != nil {
					sum, slope := o.head.add(mu, first, second, mean, model.HiddenField[mu])
					firstSum[mu] += sum
					coupling[mu] += slope
				}
			}
		}
		if ctx.Err() != nil {
			return
		}
		batch.Correlate(w, link)
		for k := range w.Rows {
			mu := lo + k
			out := grad.Synapse[mu*n : (mu+1)*n]
			partitionRow(w.Partition, partitionCoupling[mu:mu+1], mu)
			excess := firstSum[mu] - float64(m)*model.HiddenOffset[mu] // the sum of E phi' - nu
			synapseSum[mu] = batch.Slopes(out, w, link, k, excess, secondSum[k])
			if withPrior {
				hold(o.Form, out, q.PriorTheta[mu*n:(mu+1)*n], q.Theta[mu*n:(mu+1)*n], o.mean[mu*n:(mu+1)*n], link.Share)
				synapseSum[mu] = kernel.Sum(out)
			}
			if ownSize > 0 {
				if mu%ownRows == 0 {
					own[mu/ownRows] = make([]float64, ownSize)
				}
				batch.Own(own[mu/ownRows], w, link, k, excess, secondSum[k])
			}
		}
	})
	if err != nil {
		dual.Undo(o.Partition)
		return report, err
	}
	o.finite = finite(synapseSum)
	for _, v := range partitionCoupling {
		partition.Coupling[0] += v
	}
	grad.Coupling[0] = -partition.Coupling[0]
	for mu := range p {
		grad.Coupling[0] += coupling[mu] * perSample / j
		grad.HiddenField[mu] = firstSum[mu]*perSample - partition.HiddenField[mu]
	}
	clear(grad.VisibleField)
	batch.Sums(grad.VisibleField)
	for i, sum := range grad.VisibleField {
		grad.VisibleField[i] = sum*perSample - partition.VisibleField[i]
	}
	if len(grad.VisibleOwn) > 0 {
		o.ownGradient(grad, model, batch, own)
	}
	return report, nil
}

// ownGradient sets the gradient by the parameters that only some kinds of visible
// units have, from the sums of the pieces of hidden units.
func (o *Objective[T]) ownGradient(grad *dual.Gradient[T], model *rbm.Model[T], batch units.Samples[T], pieces [][]float64) {
	clear(grad.VisibleOwn)
	batch.Base(0, model.VisibleField, grad.VisibleOwn)
	for _, piece := range pieces {
		for i, v := range piece {
			grad.VisibleOwn[i] += v
		}
	}
	for i, v := range grad.VisibleOwn {
		grad.VisibleOwn[i] = v/float64(batch.Len()) - o.partition.VisibleOwn[i]
	}
}

// Terms computes the terms of the bound on a set of samples. The error is the
// context's or that of the partition term.
func (o *Objective[T]) Terms(ctx context.Context, model *rbm.Model[T], samples units.Data[T]) (Terms, dual.Report, error) {
	data, err := o.dataTerm(ctx, model, samples)
	if err != nil {
		return Terms{}, dual.Report{}, err
	}
	_, report, err := o.Partition.Rows(ctx, o.partition, &model.Params, o.mean)
	return Terms{Data: data, Partition: report.LnZ, KL: o.kl(model.Posterior)}, report, err
}

// AnnealedTerms computes the terms of the bound with a partition term that is
// estimated by annealing (dual.Annealable): for machines whose engine gives no ln Z. The
// estimate tends to be too small and the bound too high, by less the longer
// the annealing. The error is the context's or the annealing's, or tells that the
// term cannot be annealed.
func (o *Objective[T]) AnnealedTerms(ctx context.Context, model *rbm.Model[T], samples units.Data[T], a sample.Annealing) (Terms, error) {
	return o.annealedTerms(ctx, model, samples, make([]float64, model.Visible()), a)
}

// annealedTerms is AnnealedTerms from independent visible units in the given fields.
func (o *Objective[T]) annealedTerms(ctx context.Context, model *rbm.Model[T], samples units.Data[T], base []float64, a sample.Annealing) (Terms, error) {
	term, ok := o.Partition.(dual.Annealable[T])
	if !ok {
		return Terms{}, fmt.Errorf("%w: its value cannot be estimated by annealing, and its engine gives none", dual.ErrNotServed)
	}
	data, err := o.dataTerm(ctx, model, samples)
	if err != nil {
		return Terms{}, err
	}
	z, err := term.AnnealedLnZ(ctx, &model.Params, o.mean, base, a)
	return Terms{Data: data, Partition: z.LnZ, KL: o.kl(model.Posterior), Chains: z.LogWeights}, err
}

// ErrNoLnZ is returned where a partition term says that it gives ln Z (dual.Summing),
// and then it gives NaN.
var ErrNoLnZ = errors.New("the partition term says that it gives ln Z, and it gave NaN")

// EstimateTerms computes the terms of the bound on a set of samples by the
// objective's partition term if that gives ln Z, as Terms does, else by the
// annealing given, started at independent units that have the samples' means, as
// AnnealedTerms does. by names the way that was taken. Errors are theirs and ErrNoLnZ.
func (o *Objective[T]) EstimateTerms(ctx context.Context, model *rbm.Model[T], samples units.Data[T], a sample.Annealing) (t Terms, by string, err error) {
	if dual.GivesLnZ(o.Partition) {
		t, report, err := o.Terms(ctx, model, samples)
		if err == nil && math.IsNaN(t.Partition) {
			err = fmt.Errorf("%w: engine %q", ErrNoLnZ, report.Engine)
		}
		return t, report.Engine, err
	}
	base := make([]float64, model.Visible())
	copy(base, samples.MeanFields())
	t, err = o.annealedTerms(ctx, model, samples, base, a)
	return t, "annealing", err
}

// dataTerm returns the data term in nats per sample, a block of samples at a time. The
// error is the context's.
func (o *Objective[T]) dataTerm(ctx context.Context, model *rbm.Model[T], samples units.Data[T]) (float64, error) {
	const block = 1 << 12
	p := model.Hidden()
	var total float64
	var part units.Samples[T] = samples
	for lo := 0; lo < samples.Len(); lo += block {
		if samples.Len() > block {
			places := make([]int, min(block, samples.Len()-lo))
			for k := range places {
				places[k] = lo + k
			}
			if lo == 0 {
				part = nil
			}
			part = samples.Batch(part, places)
		}
		if model.Deep() {
			value, err := o.deepValue(ctx, model, part)
			if err != nil {
				return 0, err
			}
			total += value
			continue
		}
		m := part.Len()
		o.prepare(model, part, false)
		if err := o.fill(ctx, model, part, false); err != nil {
			return 0, err
		}
		link := o.link(model, false)
		sums := make([]float64, p)
		together := o.Hidden.Together()
		err := parallel.ForContext(ctx, p, o.rows(part), func(lo, hi int) {
			w := o.block(part)
			defer o.work.Put(w)
			w.Lo, w.Rows = lo, hi-lo
			part.Fields(w, link)
			for k := 0; k < w.Rows && ctx.Err() == nil; k += together {
				o.field(w, link, part, k, &model.Params)
				sums[lo+k] = o.Hidden.Value(w.Mean, w.Variance, m)
				for at := range together {
					// - nu times the field without c
					mu := lo + k + at
					sums[mu] -= model.HiddenOffset[mu] * (kernel.Sum(w.Mean[at*m:(at+1)*m]) - float64(m)*model.HiddenField[mu])
				}
			}
		})
		if err != nil {
			return 0, err
		}
		for _, s := range sums {
			total += s
		}
		total = part.Base(total, model.VisibleField, make([]float64, part.OwnSize()))
	}
	return total / float64(samples.Len()), nil
}

// prepare computes what depends on the parameters alone.
func (o *Objective[T]) prepare(model *rbm.Model[T], samples units.Samples[T], coarse bool) {
	n, p := model.Visible(), model.Hidden()
	if len(o.mean) != n*p || o.partition == nil || len(o.partition.VisibleField) != n {
		o.mean, o.offset = make([]T, n*p), make([]T, n)
		o.partition = dual.NewGradient[T](&model.Params)
		o.partition.Synapse = nil // rows are enough
	}
	rbm.KindOr(o.Synapses).Write(model.Posterior.WriterTo(o.mean), o.Draw)
	o.biased = false
	for i, offset := range model.VisibleOffset {
		o.biased = o.biased || offset != 0
		o.offset[i] = T(offset)
	}
	samples.Prepare(model.VisibleOwn, coarse)
}

// check returns an error unless the objective can learn the model from samples.
func (o *Objective[T]) check(model *rbm.Model[T], samples units.Samples[T]) error {
	layers, ok := model.Folding()
	if !ok {
		return fmt.Errorf("a machine of %d links that are not those of layers: the objective learns no others", len(model.Links))
	}
	if samples.Features() != layers.Data() {
		return fmt.Errorf("samples of %d spins for a machine of %d visible units", samples.Features(), layers.Data())
	}
	if samples.Len() == 0 {
		return fmt.Errorf("no samples to learn from")
	}
	if samples.OwnSize() != len(model.VisibleOwn) {
		return fmt.Errorf("%s units have %d parameters of their own, and the machine has %d", samples.Kind(), samples.OwnSize(), len(model.VisibleOwn))
	}
	if err := model.ValidateWithin(samples.OffsetLimit(), o.Hidden.OffsetLimit()); err != nil {
		return err
	}
	if model.Deep() {
		switch {
		case o.Hidden.Kind() != units.Spin:
			return fmt.Errorf("hidden units are %s: those of deep machines are spins", o.Hidden.Kind())
		case o.Deep.Rounds < 0 || o.Deep.Recognition < Aware || o.Deep.Recognition > Drawn:
			return fmt.Errorf("recognition %d in %d rounds: there is none of that number", o.Deep.Recognition, o.Deep.Rounds)
		case samples.Kind() != units.Spin:
			return fmt.Errorf("data of %s units: those of deep machines are spins", samples.Kind())
		}
	}
	if synapses, q := model.Visible()*model.Hidden(), model.Posterior; q == nil {
		return errors.New("a model without a posterior: it has no synapses to learn")
	} else if len(q.Theta) != synapses || q.PriorTheta != nil && len(q.PriorTheta) != synapses {
		return fmt.Errorf("a posterior of %d thetas and a prior of %d for %d x %d synapses", len(q.Theta), len(q.PriorTheta), model.Visible(), model.Hidden())
	}
	if together := o.Hidden.Together(); together < 1 {
		return fmt.Errorf("a kind of hidden units of %d features each: there must be at least 1", together)
	} else if model.Hidden()%together != 0 {
		return fmt.Errorf("%d hidden features are no multiple of the %d of a unit", model.Hidden(), together)
	}
	return o.Partition.Serves(dual.Form{Synapses: rbm.KindOr(o.Synapses), Visible: samples.Kind(), Hidden: o.Hidden.Kind()})
}

// finite reports whether no element of x is NaN or infinite.
func finite[T rbm.Real](x []T) bool {
	sum := kernel.Sum(x)
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
