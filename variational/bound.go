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

	mean, bias             []T // lambda, or the synapses where they are known; (1 - lambda^2) mu: hidden x visible
	offset                 []T // mu: visible
	field, variance        []T // hidden x batch
	tanhData, sech2Data    []T // products with the samples, hidden x visible
	meanAtMu, freeConstant []float64
	tanhSum, sech2Sum      []float64
	biased                 bool
	partition              *dual.Gradient[T]
}

// A Batch is a set of samples, packed along either side.
type Batch struct {
	Samples *spin.Matrix // visible x samples
	across  *spin.Matrix // its transpose
}

// NewBatch packs a matrix of samples (visible x samples), which must not
// change while the batch is in use.
func NewBatch(samples *spin.Matrix) *Batch {
	b := &Batch{samples, spin.New(samples.Cols(), samples.Rows())}
	samples.Transpose(b.across)
	return b
}

// unitsTogether is the number of hidden units that a piece of work takes
// through all of the data term: a multiple of the rows that products take
// together.
const unitsTogether = 8

// Gradient computes the gradient of the bound, in nats a sample, estimated
// from a batch of samples, and the report of the engine. Errors are those of
// the partition term.
func (o *Objective[T]) Gradient(grad *dual.Gradient[T], model *rbm.Model[T], batch *Batch) (dual.Report, error) {
	n, p, m := model.Visible(), model.Hidden(), batch.Samples.Cols()
	o.prepare(model, m)
	report, err := o.Partition.Term(o.partition, &model.Params, o.mean)
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
	coupling := make([]float64, p)
	spread := o.biased && o.Synapses != Real // whether sech^2 counts beside the offsets
	multiply := spin.Mul[T]
	if o.Coarse {
		multiply = spin.MulCoarse[T]
	}
	parallel.For(p, unitsTogether, func(lo, hi int) {
		o.fields(lo, hi, batch.Samples, multiply)
		local := newLocalFields[T](m)
		for mu := lo; mu < hi; mu++ {
			o.localFields(&local, &model.Params, mu)
			tanh, sech2 := o.field[mu*m:(mu+1)*m], o.variance[mu*m:(mu+1)*m]
			o.Average.Moments(tanh, sech2, local.mean, local.variance)
			o.tanhSum[mu], o.sech2Sum[mu], coupling[mu] = kernel.FieldSums(tanh, sech2, local.mean, local.variance,
				T(model.HiddenOffset[mu]), T(model.HiddenField[mu]))
		}
		multiply(o.tanhData[lo*n:hi*n], o.field[lo*m:hi*m], hi-lo, batch.across)
		if spread {
			multiply(o.sech2Data[lo*n:hi*n], o.variance[lo*m:hi*m], hi-lo, batch.across)
		}
		for mu := lo; mu < hi; mu++ {
			row := mu * n
			out := grad.Synapse[row : row+n]
			sech2Data := o.tanhData // multiplied by 0
			if spread {
				sech2Data = o.sech2Data // the sum of sech^2 (s - mu)^2 is that of sech^2 (1 + mu^2 - 2 mu s)
			}
			kernel.SynapseGradient(out, kernel.SynapseRow[T]{
				Mean: o.mean[row:], Offset: o.offset, TanhData: o.tanhData[row:], Sech2Data: sech2Data[row:],
				Partition: o.partition.Synapse[row:], Theta: q.Theta[row:],
			}, kernel.SynapseScales[T]{
				First: T(j * perSample), Second: T(second), Share: T(prior),
				Excess:   T(o.tanhSum[mu] - float64(m)*model.HiddenOffset[mu]), // the sum of tanh - nu
				Sech2Sum: T(o.sech2Sum[mu]),
			})
			if q.PriorTheta != nil && o.Synapses == Posterior {
				for i, v := range q.PriorTheta[row:][:len(out)] {
					out[i] += T(prior) * v
				}
			}
		}
	})
	grad.Coupling = -o.partition.Coupling
	for mu := range p {
		grad.Coupling += coupling[mu] * perSample / j
		grad.HiddenField[mu] = o.tanhSum[mu]*perSample - o.partition.HiddenField[mu]
	}
	sums := make([]int, n)
	batch.across.ColSums(sums)
	for i, s := range sums {
		grad.VisibleField[i] = float64(s)*perSample - o.partition.VisibleField[i]
	}
	return report, nil
}

// Terms computes the terms of the bound on a set of samples (visible x M).
func (o *Objective[T]) Terms(model *rbm.Model[T], samples *spin.Matrix) (Terms, dual.Report, error) {
	data := o.dataTerm(model, samples)
	report, err := o.Partition.Term(o.partition, &model.Params, o.mean)
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
		o.prepare(model, m)
		o.fields(0, p, part, spin.Mul[T])
		sums := make([]float64, p)
		parallel.For(p, parallel.Grain(m*100), func(lo, hi int) {
			local := newLocalFields[T](m)
			for mu := lo; mu < hi; mu++ {
				o.localFields(&local, &model.Params, mu)
				sums[mu] = o.Average.Log2Cosh(local.mean, local.variance)
				// - nu times the field without c
				sums[mu] -= model.HiddenOffset[mu] * (kernel.Sum(local.mean) - float64(m)*model.HiddenField[mu])
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

// prepare sizes the work space for batches of m samples and computes what
// depends on the posterior alone.
func (o *Objective[T]) prepare(model *rbm.Model[T], m int) {
	n, p := model.Visible(), model.Hidden()
	if len(o.mean) != n*p || o.partition == nil || len(o.partition.VisibleField) != n {
		o.mean, o.bias = make([]T, n*p), make([]T, n*p)
		o.offset = make([]T, n)
		o.tanhData, o.sech2Data = make([]T, n*p), make([]T, n*p)
		o.meanAtMu, o.freeConstant = make([]float64, p), make([]float64, p)
		o.tanhSum, o.sech2Sum = make([]float64, p), make([]float64, p)
		o.partition = dual.NewGradient[T](n, p)
	}
	if len(o.field) != p*m {
		o.field, o.variance = make([]T, p*m), make([]T, p*m)
	}
	set(o.mean, o.Synapses, model.Posterior, o.Draw)
	o.biased = false
	for i, offset := range model.VisibleOffset {
		o.biased = o.biased || offset != 0
		o.offset[i] = T(offset)
	}
	o.setBiases(n, p)
}

// fields computes, for hidden units lo to hi-1 and each sample, what
// localFields takes from the samples: lambda.s in field and
// sum (1 - lambda^2) mu s in variance.
func (o *Objective[T]) fields(lo, hi int, samples *spin.Matrix, multiply func(dst, a []T, p int, m *spin.Matrix)) {
	n, m := samples.Rows(), samples.Cols()
	multiply(o.field[lo*m:hi*m], o.mean[lo*n:hi*n], hi-lo, samples)
	if o.biased && !o.known() {
		multiply(o.variance[lo*m:hi*m], o.bias[lo*n:hi*n], hi-lo, samples)
	} else {
		clear(o.variance[lo*m : hi*m])
	}
}

// localFields are the local fields of a hidden unit under the posterior, for
// each sample.
type localFields[T rbm.Real] struct{ mean, variance []T }

func newLocalFields[T rbm.Real](m int) localFields[T] {
	return localFields[T]{make([]T, m), make([]T, m)}
}

// localFields computes those of hidden unit mu after fields: the means
// J lambda.(s - mu) + c and the variances J^2 sum (1 - lambda^2)(s - mu)^2,
// where (s - mu)^2 = 1 + mu^2 - 2 mu s.
func (o *Objective[T]) localFields(dst *localFields[T], params *rbm.Params, mu int) {
	m, j := len(dst.mean), params.Coupling
	kernel.Affine(dst.mean, o.field[mu*m:(mu+1)*m], T(j), T(params.HiddenField[mu]-j*o.meanAtMu[mu]))
	kernel.AffineFloor(dst.variance, o.variance[mu*m:(mu+1)*m], T(-2*j*j), T(j*j*o.freeConstant[mu]))
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
	const grain = 1 << 14
	parts := make([]float64, parallel.Pieces(len(x), grain))
	parallel.For(len(x), grain, func(lo, hi int) { parts[lo/grain] = kernel.Sum(x[lo:hi]) })
	var sum float64
	for _, p := range parts {
		sum += p
	}
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
