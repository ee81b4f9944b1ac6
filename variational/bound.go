// Package variational learns a posterior over binary synapses by climbing a
// lower bound on the log-likelihood of the data,
//
//	ln p(D) >= E_q[data term] - M ln E_q Z - KL(q || p)
//
// (H. Huang, Phys. Rev. E 102, 030301, with the annealed partition term and
// offsets of package dual). All terms are in nats a sample: divided by the
// number M of samples learned from.
package variational

import (
	"context"
	"fmt"
	"math"
	"sync"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Terms are the three terms of the bound, in nats a sample.
type Terms struct {
	Data      float64 // E_q of the energy and entropy of the data
	Partition float64 // ln E_q Z, or its quenched form; NaN where the engine gives none
	KL        float64 // divergence of the posterior from the prior, over M
}

// Bound returns the lower bound, in nats a sample.
func (t Terms) Bound() float64 { return t.Data - t.Partition - t.KL }

// An Objective is a bound on the log-likelihood of M samples, with its gradient.
type Objective[T rbm.Real] struct {
	Partition dual.Partition[T]
	Average   Average[T]
	Samples   int        // M, over which the divergence from the prior is shared
	Synapses  Synapses   // what the thetas stand for
	Release   float64    // share of the divergence that the gradient leaves out: 0 climbs the bound, 1 is free of the prior
	Decay     float64    // of Real synapses: the gradient falls by Decay theta
	Draw      stream.Key // of Sampled synapses
	// Coarse has the gradient's products with the samples rounded (spin.MulCoarse):
	// for batches, whose choice makes far more noise. The bound itself is never.
	Coarse bool

	mean      []T               // lambda, or the synapses where they are known: hidden x visible
	offset    []T               // mu: visible
	biased    bool              // whether an offset is not 0
	work      sync.Pool         // of *unitRows
	partition *dual.Gradient[T] // but for the synapses
	finite    bool              // whether the last gradient by synapses is
	head      *head[T]          // nil where labels are not learned
}

// A Batch is a set of samples, packed along either side.
type Batch struct {
	Samples *spin.Matrix // visible x samples
	across  *spin.Matrix // its transpose
	class   []int        // of each sample, where a head learns them
}

// pack updates what is kept beside the samples.
func (b *Batch) pack() { b.Samples.Transpose(b.across) }

// NewBatch packs a matrix of samples (visible x samples), which must not
// change while the batch is in use.
func NewBatch(samples *spin.Matrix) *Batch {
	b := &Batch{Samples: samples, across: spin.New(samples.Cols(), samples.Rows())}
	b.pack()
	return b
}

// Gradient computes the gradient of the bound, in nats a sample, estimated
// from a batch of samples, and the report of the engine. Errors are those of
// the partition term.
func (o *Objective[T]) Gradient(grad *dual.Gradient[T], model *rbm.Model[T], batch *Batch) (dual.Report, error) {
	n, p, m := model.Visible(), model.Hidden(), batch.Samples.Cols()
	o.prepare(model)
	partition := o.partition
	partitionRow, report, err := o.Partition.Rows(partition, &model.Params, o.mean)
	if err != nil {
		return report, err
	}
	perSample, j := 1/float64(m), model.Coupling
	prior, second := o.share(), j*j*perSample
	if o.Synapses == Real {
		second = 0 // the data term is no longer that of a mean over ±1
	}
	// A few hidden units at a time, while their rows are in cache: averages over
	// the field of each unit and sample, and their products with the samples.
	q := model.Posterior
	coupling, partitionCoupling := make([]float64, p), make([]float64, p)
	tanhSum, synapseSum := make([]float64, p), make([]float64, p)
	spread := o.biased && o.Synapses != Real // whether sech^2 counts beside the offsets
	multiply := spin.Mul[T]
	if o.Coarse {
		multiply = spin.MulCoarse[T]
		spin.Prepare[T](batch.Samples)
		spin.Prepare[T](batch.across)
	}
	if o.head != nil {
		o.classify(model, batch, multiply)
	}
	parallel.For(p, unitsTogether(), func(lo, hi int) {
		w, units := o.unitRows(n, m), hi-lo
		defer o.work.Put(w)
		o.fields(w, lo, hi, batch.Samples, multiply)
		sech2Sum := w.sech2Sum
		for k := range units {
			mu := lo + k
			o.localFields(w, &model.Params, k, mu)
			tanh, sech2 := w.field[k*m:(k+1)*m], w.variance[k*m:(k+1)*m]
			variance := w.localVariance
			if o.alike() {
				variance = variance[:1]
			}
			o.Average.Moments(tanh, sech2, w.localMean, variance)
			tanhSum[mu], sech2Sum[k], coupling[mu] = kernel.FieldSums(tanh, sech2, w.localMean, w.localVariance,
				T(model.HiddenOffset[mu]), T(model.HiddenField[mu]))
			if o.head != nil {
				sum, slope := o.head.add(mu, tanh, sech2, w.localMean, model.HiddenField[mu])
				tanhSum[mu] += sum
				coupling[mu] += slope
			}
		}
		multiply(w.tanhData[:units*n], w.field[:units*m], units, batch.across)
		sech2Data := w.tanhData // multiplied by 0
		if spread {
			sech2Data = w.sech2Data // the sum of sech^2 (s - mu)^2 is that of sech^2 (1 + mu^2 - 2 mu s)
			multiply(sech2Data[:units*n], w.variance[:units*m], units, batch.across)
		}
		for k := range units {
			mu := lo + k
			row := mu * n
			out := grad.Synapse[row : row+n]
			partitionCoupling[mu] = partitionRow(w.partition, mu)
			synapseSum[mu] = kernel.SynapseGradient(out, kernel.SynapseRow[T]{
				Mean: o.mean[row:], Offset: o.offset, TanhData: w.tanhData[k*n:], Sech2Data: sech2Data[k*n:],
				Partition: w.partition, Theta: q.Theta[row:],
			}, kernel.SynapseScales[T]{
				First: T(j * perSample), Second: T(second), Share: T(prior),
				Excess:   T(tanhSum[mu] - float64(m)*model.HiddenOffset[mu]), // the sum of tanh - nu
				Sech2Sum: T(sech2Sum[k]),
			})
			if q.PriorTheta != nil && o.Synapses == Posterior {
				for i, v := range q.PriorTheta[row:][:len(out)] {
					out[i] += T(prior) * v
				}
				synapseSum[mu] = kernel.Sum(out)
			}
		}
	})
	o.finite = finite(synapseSum)
	for _, v := range partitionCoupling {
		partition.Coupling += v
	}
	grad.Coupling = -partition.Coupling
	for mu := range p {
		grad.Coupling += coupling[mu] * perSample / j
		grad.HiddenField[mu] = tanhSum[mu]*perSample - partition.HiddenField[mu]
	}
	sums := make([]int, n)
	batch.across.ColSums(sums)
	for i, s := range sums {
		grad.VisibleField[i] = float64(s)*perSample - partition.VisibleField[i]
	}
	return report, nil
}

// Terms computes the terms of the bound on a set of samples (visible x M).
func (o *Objective[T]) Terms(model *rbm.Model[T], samples *spin.Matrix) (Terms, dual.Report, error) {
	data := o.dataTerm(model, samples)
	_, report, err := o.Partition.Rows(o.partition, &model.Params, o.mean)
	return Terms{data, report.LnZ, o.kl(model.Posterior)}, report, err
}

// AnnealedTerms computes the terms of the annealed bound, ln E_q Z estimated by
// annealing on the dual network: for machines whose engine gives no ln Z. The
// estimate tends to be too small and the bound too high, by less the longer
// the annealing. The error is the context's or the annealing's.
func (o *Objective[T]) AnnealedTerms(ctx context.Context, model *rbm.Model[T], samples *spin.Matrix, a sample.Annealing) (Terms, error) {
	data := o.dataTerm(model, samples)
	net := rbm.NewNetwork[T](model.Visible(), model.Hidden())
	if o.Synapses == Real {
		net.SetWeights(&model.Params, o.mean)
	} else {
		dual.SetNetwork(net, &model.Params, o.mean)
	}
	z, err := sample.AnnealedLnZ(ctx, net, a)
	return Terms{data, z.LnZ, o.kl(model.Posterior)}, err
}

// EstimateTerms computes the terms of the bound on a set of samples by the
// engine of the objective's partition term where that gives ln Z, as Terms
// does, and elsewhere, with chains, as AnnealedTerms does, with the annealing
// given started at independent spins that have the samples' means. by names
// the way that was taken.
func (o *Objective[T]) EstimateTerms(ctx context.Context, model *rbm.Model[T], engine dual.Engine[T], samples *spin.Matrix, a sample.Annealing) (t Terms, by string, err error) {
	if _, ok := engine.(*dual.Chains[T]); !ok {
		t, report, err := o.Terms(model, samples)
		return t, report.Engine, err
	}
	a.BaseField = sample.MeanFields(samples)
	t, err = o.AnnealedTerms(ctx, model, samples, a)
	return t, "annealing", err
}

// dataTerm returns the data term in nats a sample, a block of samples at a time.
func (o *Objective[T]) dataTerm(model *rbm.Model[T], samples *spin.Matrix) float64 {
	const block = 1 << 12
	n, p := model.Visible(), model.Hidden()
	var total float64
	for lo := 0; lo < samples.Cols(); lo += block {
		cols := make([]int, min(block, samples.Cols()-lo))
		for k := range cols {
			cols[k] = lo + k
		}
		part := samples
		if len(cols) < samples.Cols() {
			part = spin.New(n, len(cols))
			samples.Gather(part, cols)
		}
		m := len(cols)
		o.prepare(model)
		sums := make([]float64, p)
		parallel.For(p, unitsTogether(), func(lo, hi int) {
			w := o.unitRows(n, m)
			defer o.work.Put(w)
			o.fields(w, lo, hi, part, spin.Mul[T])
			for mu := lo; mu < hi; mu++ {
				o.localFields(w, &model.Params, mu-lo, mu)
				sums[mu] = o.Average.Log2Cosh(w.localMean, w.localVariance)
				// - nu times the field without c
				sums[mu] -= model.HiddenOffset[mu] * (kernel.Sum(w.localMean) - float64(m)*model.HiddenField[mu])
			}
		})
		for _, s := range sums {
			total += s
		}
		rows := make([]int, n)
		part.RowSums(rows)
		for i, s := range rows {
			total += model.VisibleField[i] * float64(s)
		}
	}
	return total / float64(samples.Cols())
}

// prepare computes what depends on the posterior alone.
func (o *Objective[T]) prepare(model *rbm.Model[T]) {
	n, p := model.Visible(), model.Hidden()
	if len(o.mean) != n*p || o.partition == nil || len(o.partition.VisibleField) != n {
		o.mean, o.offset = make([]T, n*p), make([]T, n)
		o.partition = &dual.Gradient[T]{VisibleField: make([]float64, n), HiddenField: make([]float64, p)}
	}
	set(o.mean, o.Synapses, model.Posterior, o.Draw)
	o.biased = false
	for i, offset := range model.VisibleOffset {
		o.biased = o.biased || offset != 0
		o.offset[i] = T(offset)
	}
}

// check returns an error unless samples fit the model.
func check[T rbm.Real](model *rbm.Model[T], samples *spin.Matrix) error {
	switch {
	case samples.Rows() != model.Visible():
		return fmt.Errorf("samples of %d spins for a machine of %d visible units", samples.Rows(), model.Visible())
	case samples.Cols() == 0:
		return fmt.Errorf("no samples to learn from")
	}
	return model.Validate()
}

// finite reports whether no element of x is NaN or infinite.
func finite[T rbm.Real](x []T) bool {
	sum := kernel.Sum(x)
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
