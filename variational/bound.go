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
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
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
	Samples   int // M, over which the divergence from the prior is shared

	mean, bias             []T // lambda; (1 - lambda^2) mu: hidden x visible
	offset, square         []T // mu; 1 + mu^2: visible
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
	o.fields(&model.Params, batch.Samples)

	// Averages over the field of each hidden unit and sample; what the
	// coupling's gradient needs is summed on the way.
	coupling := make([]float64, p)
	grain := parallel.Grain(m * 20)
	parallel.For(p, grain, func(lo, hi int) {
		copyField := make([]T, m)
		for mu := lo; mu < hi; mu++ {
			field, variance := o.field[mu*m:(mu+1)*m], o.variance[mu*m:(mu+1)*m]
			copy(copyField, field)
			varianceSum := o.averages(field, variance)
			nu, c := T(model.HiddenOffset[mu]), T(model.HiddenField[mu])
			var tanhSum, sech2Sum, slope float64
			for a, t := range field {
				tanhSum += float64(t)
				sech2Sum += float64(variance[a])
				field[a] = t - nu
				slope += float64((t - nu) * (copyField[a] - c))
			}
			o.tanhSum[mu], o.sech2Sum[mu] = tanhSum, sech2Sum
			coupling[mu] = slope + varianceSum
		}
	})
	spin.Mul(o.tanhData, o.field, p, batch.across)
	if o.biased {
		spin.Mul(o.sech2Data, o.variance, p, batch.across)
	}

	perSample, j := 1/float64(m), model.Coupling
	prior := 1 / float64(o.Samples)
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
	q := model.Posterior
	parallel.For(p, parallel.Grain(n*5), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			row := mu * n
			excess := T(o.tanhSum[mu] - float64(m)*model.HiddenOffset[mu]) // sum of tanh - nu
			first, second, sech2Sum := T(j*perSample), T(j*j*perSample), T(o.sech2Sum[mu])
			out := grad.Synapse[row : row+n]
			mean, partition, tanhData := o.mean[row:][:len(out)], o.partition.Synapse[row:][:len(out)], o.tanhData[row:][:len(out)]
			offset, square := o.offset[:len(out)], o.square[:len(out)]
			if o.biased { // the sum of sech^2 (s - mu)^2 is that of sech^2 (1 + mu^2 - 2 mu s)
				sech2Data := o.sech2Data[row:][:len(out)]
				for i, l := range mean {
					out[i] = first*(tanhData[i]-offset[i]*excess) - second*l*(square[i]*sech2Sum-2*offset[i]*sech2Data[i]) - partition[i]
				}
			} else {
				for i, l := range mean {
					out[i] = first*tanhData[i] - second*l*sech2Sum - partition[i]
				}
			}
			theta, share := q.Theta[row:][:len(out)], T(prior)
			for i, v := range theta {
				out[i] -= share * v
			}
			if q.PriorTheta != nil {
				for i, v := range q.PriorTheta[row:][:len(out)] {
					out[i] += share * v
				}
			}
		}
	})
	return report, nil
}

// averages replaces a row of fields and variances by the averages of tanh and
// sech^2, and returns the sum of sech^2 times variance.
func (o *Objective[T]) averages(field, variance []T) (sum float64) {
	before := append([]T(nil), variance...)
	o.Average.Moments(field, variance, field, variance)
	for a, r := range variance {
		sum += float64(r * before[a])
	}
	return sum
}

// Terms computes the terms of the bound on a set of samples (visible x M).
func (o *Objective[T]) Terms(model *rbm.Model[T], samples *spin.Matrix) (Terms, dual.Report, error) {
	data := o.dataTerm(model, samples)
	report, err := o.Partition.Term(o.partition, &model.Params, o.mean)
	return Terms{data, report.LnZ, model.Posterior.KL() / float64(o.Samples)}, report, err
}

// AnnealedTerms computes the terms of the annealed bound, ln E_q Z estimated by
// annealing on the dual network: for machines whose engine gives no ln Z. The
// estimate tends to be too small and the bound too high, by less the longer
// the annealing. The error is the context's or the annealing's.
func (o *Objective[T]) AnnealedTerms(ctx context.Context, model *rbm.Model[T], samples *spin.Matrix, a sample.Annealing) (Terms, error) {
	data := o.dataTerm(model, samples)
	z, err := sample.AnnealedLnZ(ctx, dual.NewNetwork(&model.Params, o.mean), a)
	return Terms{data, z.LnZ, model.Posterior.KL() / float64(o.Samples)}, err
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
		o.fields(&model.Params, part)
		sums := make([]float64, p)
		parallel.For(p, parallel.Grain(m*100), func(lo, hi int) {
			for mu := lo; mu < hi; mu++ {
				field := o.field[mu*m : (mu+1)*m]
				sums[mu] = o.Average.Log2Cosh(field, o.variance[mu*m:(mu+1)*m])
				for _, f := range field { // - nu times the field without c
					sums[mu] -= model.HiddenOffset[mu] * (float64(f) - model.HiddenField[mu])
				}
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
		o.offset, o.square = make([]T, n), make([]T, n)
		o.tanhData, o.sech2Data = make([]T, n*p), make([]T, n*p)
		o.meanAtMu, o.freeConstant = make([]float64, p), make([]float64, p)
		o.tanhSum, o.sech2Sum = make([]float64, p), make([]float64, p)
		o.partition = dual.NewGradient[T](n, p)
	}
	if len(o.field) != p*m {
		o.field, o.variance = make([]T, p*m), make([]T, p*m)
	}
	model.Posterior.Mean(o.mean)
	o.biased = false
	for i, offset := range model.VisibleOffset {
		o.biased = o.biased || offset != 0
		o.offset[i], o.square[i] = T(offset), T(1+offset*offset)
	}
	parallel.For(p, parallel.Grain(n*3), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			o.meanAtMu[mu], o.freeConstant[mu] = biases(o.bias[mu*n:(mu+1)*n], o.mean[mu*n:(mu+1)*n], o.offset, o.square)
		}
	})
}

// biases sets bias to (1 - lambda^2) mu and returns the sums of lambda mu and
// of (1 - lambda^2)(1 + mu^2), each in four interleaved parts.
func biases[T rbm.Real](bias, mean, offset, square []T) (meanAtMu, freeConstant float64) {
	n := len(mean)
	bias, offset, square = bias[:n], offset[:n], square[:n]
	var a, f [4]float64
	for i, l := range mean {
		free := (1 - l) * (1 + l)
		bias[i] = free * offset[i]
		a[i&3] += float64(l * offset[i])
		f[i&3] += float64(free * square[i])
	}
	return a[0] + a[1] + (a[2] + a[3]), f[0] + f[1] + (f[2] + f[3])
}

// fields computes, for each hidden unit and sample, the mean J lambda.(s - mu)
// + c and the variance J^2 sum (1 - lambda^2)(s - mu)^2 of the local field
// under the posterior; (s - mu)^2 = 1 + mu^2 - 2 mu s.
func (o *Objective[T]) fields(params *rbm.Params, samples *spin.Matrix) {
	p, m, j := params.Hidden(), samples.Cols(), params.Coupling
	spin.Mul(o.field, o.mean, p, samples)
	if o.biased {
		spin.Mul(o.variance, o.bias, p, samples)
	} else {
		clear(o.variance)
	}
	parallel.For(p, parallel.Grain(m*3), func(lo, hi int) {
		for mu := lo; mu < hi; mu++ {
			field, variance := o.field[mu*m:(mu+1)*m], o.variance[mu*m:(mu+1)*m]
			slope, shift := T(j), T(params.HiddenField[mu]-j*o.meanAtMu[mu])
			scale, constant := T(-2*j*j), T(j*j*o.freeConstant[mu])
			for a := range field {
				field[a] = slope*field[a] + shift
				variance[a] = max(0, scale*variance[a]+constant)
			}
		}
	})
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
	for _, v := range x {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
