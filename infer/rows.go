package infer

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// MaxRows is the largest number of hidden units P of Rows, whose steps go through
// 2^P states of each site and of each sample.
const MaxRows = 8

// Rows are beliefs about the synapses of a machine without fields and offsets,
// joint for the P synapses of a site and independent between sites. Means of single
// synapses, as a factorised posterior has them, leave out that Z couples those of a
// site to each other, by a field on xi_{i mu} xi_{i nu} of about -alpha beta^2 times
// the overlap of the two units: of order 1 where units are correlated.
//
// A step is one of the cavity method for many synapses: the uncertainty of the
// synapses makes the fields of a sample Gaussian (approximate message
// passing; in one hidden unit the large N of H. Huang and T. Toyoizumi, Phys. Rev.
// E 94, 062310). With m the fields from the means of the synapses, P numbers, and V
// their P x P covariance, the hidden spins of a sample have the distribution
//
//	p(h) ∝ exp( h.(m - V g) + h.V h/2 ),   g = <h>,   H = <h h> - g g:
//
// V g takes out what the sample itself has told the synapses. The belief of a site
// is then
//
//	ln q_i(x) = x.(J sum_a s_i^a g^a - J^2 sum_a H^a lambda_i) + J^2 x.(sum_a H^a) x/2
//	            - M ln Z_i(x) + theta_i.x
//
// with lambda the means of q_i, theta the prior's, and Z_i(x) the exact average of
// the partition function over the beliefs of the other sites. It is not safe for
// concurrent use.
type Rows[T rbm.Real] struct {
	visible, hidden, samples int
	coupling                 float64

	data, across *spin.Matrix // visible x samples, and its transpose
	prior        []T          // hidden x visible, or nil
	share        float64      // weight of the data beside the prior: 1, or one over the strength of the prior
	log          []float64    // [i][x]: ln q_i(x), but for a constant; bit mu of x is 1 where xi_{i mu} = +1
	belief       []float64    // [i][x]: q_i(x)
	mean         []T          // lambda, hidden x visible
	covariance   []float64    // V, P x P
	field        []T          // J lambda_mu.s^a, hidden x samples
	spin         []T          // g, hidden x samples: kept from step to step
	product      []T          // of g with the samples, hidden x visible
}

// NewRows returns beliefs about the synapses between data (visible x samples) and
// so many hidden units of coupling J. At first synapses are independent, of the
// given thetas (means tanh theta), hidden x visible; prior is that of the prior, or
// nil for the uniform one. It panics if hidden is not from 1 to MaxRows, the
// coupling is not positive and finite or lengths do not fit.
func NewRows[T rbm.Real](data *spin.Matrix, theta, prior []T, hidden int, coupling float64) *Rows[T] {
	n, m := data.Rows(), data.Cols()
	if hidden < 1 || hidden > MaxRows || !(coupling > 0) || math.IsInf(coupling, 0) {
		panic(fmt.Sprintf("infer: NewRows of %d hidden units and coupling %v", hidden, coupling))
	}
	if len(theta) != n*hidden || prior != nil && len(prior) != n*hidden {
		panic(fmt.Sprintf("infer: NewRows with %d thetas and %d of the prior, for %d x %d synapses", len(theta), len(prior), n, hidden))
	}
	states := 1 << hidden
	r := &Rows[T]{
		visible: n, hidden: hidden, samples: m, coupling: coupling, data: data, across: spin.New(m, n), prior: prior, share: 1,
		log: make([]float64, n*states), belief: make([]float64, n*states), mean: make([]T, n*hidden), covariance: make([]float64, hidden*hidden),
		field: make([]T, hidden*m), spin: make([]T, hidden*m), product: make([]T, hidden*n),
	}
	data.Transpose(r.across)
	row := make([]float64, hidden)
	for i := range n {
		for mu := range row {
			row[mu] = float64(theta[mu*n+i])
		}
		linear(r.log[i*states:][:states], row)
	}
	r.believe()
	return r
}

// Weigh has the prior count so many times, which is positive, against the data: beliefs are those of prior^strength x likelihood, to
// the power of one over the strength.
func (r *Rows[T]) Weigh(strength float64) { r.share = 1 / strength }

// Mean writes the means of the synapses, hidden x visible, to dst.
func (r *Rows[T]) Mean(dst []T) { copy(dst, r.mean) }

// Step moves the logarithms of all beliefs by a share rate, from 0 to 1, towards
// what the others say. Where data are many, steps settle in some tens at a rate of
// 0.3. Where few data leave many states they end in one of these, surer than the
// posterior is, and means are nearest to the exact ones after about 30. Equal
// arguments give equal bytes for any number of threads. The error is the context's;
// beliefs are then those before the step.
func (r *Rows[T]) Step(ctx context.Context, rate float64) error {
	j := r.coupling
	spin.MulAffine(r.field, r.mean, r.hidden, r.data, T(j), make([]T, r.hidden))
	spins, spread, err := r.hiddenSpins(ctx)
	if err != nil {
		return err
	}
	spin.Mul(r.product, spins, r.hidden, r.across)
	lnZ, err := r.partition(ctx)
	if err != nil {
		return err
	}
	r.spin = spins
	n, p, states := r.visible, r.hidden, 1<<r.hidden
	pairs := quadratic(spread, p)
	b, to := make([]float64, p), make([]float64, states)
	for i := range n {
		for mu := range b {
			var reaction float64
			for nu := range p {
				reaction += spread[mu*p+nu] * float64(r.mean[nu*n+i])
			}
			b[mu] = r.share * (j*float64(r.product[mu*n+i]) - j*j*reaction)
			if r.prior != nil {
				b[mu] += float64(r.prior[mu*n+i])
			}
		}
		linear(to, b)
		row := r.log[i*states:][:states]
		for x, v := range to {
			v += r.share * (j*j*pairs[x] - float64(r.samples)*lnZ[i*states+x])
			row[x] += rate * (v - row[x])
		}
	}
	r.believe()
	return nil
}

// believe sets beliefs, their means and the covariance of fields from the logarithms.
func (r *Rows[T]) believe() {
	n, p, states := r.visible, r.hidden, 1<<r.hidden
	clear(r.covariance)
	work, mean, covariance := make([]float64, states), make([]float64, p), make([]float64, p*p)
	for i := range n {
		q := r.belief[i*states:][:states]
		normalise(q, r.log[i*states:][:states])
		copy(work, q)
		moments(mean, covariance, work)
		for mu, v := range mean {
			r.mean[mu*n+i] = T(v)
		}
		for k, v := range covariance {
			r.covariance[k] += r.coupling * r.coupling * v
		}
	}
}

// samplesOfPiece is the number of samples that hiddenSpins takes together.
const samplesOfPiece = 256

// hiddenSpins returns the means g of the hidden spins of all samples, hidden x
// samples, and the sum of their covariances H, P x P. The error is the context's.
func (r *Rows[T]) hiddenSpins(ctx context.Context) (spins []T, spread []float64, err error) {
	p, m := r.hidden, r.samples
	spins = make([]T, len(r.spin))
	pairs := quadratic(r.covariance, p)
	parts := make([][]float64, parallel.Pieces(m, samplesOfPiece))
	if err := parallel.ForContext(ctx, m, samplesOfPiece, func(lo, hi int) {
		sum := make([]float64, p*p)
		s := newSolver(p, pairs, r.covariance)
		for a := lo; a < hi && ctx.Err() == nil; a++ {
			for mu := range p {
				s.field[mu], s.g[mu] = float64(r.field[mu*m+a]), float64(r.spin[mu*m+a])
			}
			s.solve()
			for mu, v := range s.g {
				spins[mu*m+a] = T(v)
			}
			for k, v := range s.spread {
				sum[k] += v
			}
		}
		parts[lo/samplesOfPiece] = sum
	}); err != nil {
		return nil, nil, err
	}
	total := make([]float64, p*p)
	for _, part := range parts {
		for k, v := range part {
			total[k] += v
		}
	}
	return spins, total, nil
}

// partition returns ln Z_i(x) for each site and state of its row, but for a constant
// of the site: the logarithm of the partition function, averaged over the beliefs
// of all other sites. The error is the context's.
func (r *Rows[T]) partition(ctx context.Context) ([]float64, error) {
	n, states := r.visible, 1<<r.hidden
	dst := make([]float64, n*states)
	total, own := make([]float64, states), make([]float64, n*states)
	w := make([]float64, states)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		copy(w, r.belief[i*states:][:states])
		r.transform(w)
		for h := range w { // the average of 2cosh(J x.h)
			own[i*states+h] = math.Log(w[h] + w[states-1-h])
			total[h] += own[i*states+h]
		}
	}
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for h, e := range total {
			w[h] = e - own[i*states+h]
		}
		normalise(w, w)
		r.transform(w) // the weight is the same at h and -h, so 2cosh may be exp
		for x, z := range w {
			dst[i*states+x] = math.Log(z)
		}
	}
	return dst, nil
}

// transform replaces w by the sums over x of w(x) exp(J x.h), for all h. The
// exponential factorises over hidden units.
func (r *Rows[T]) transform(w []float64) {
	unlike, like := math.Exp(-r.coupling), math.Exp(r.coupling)
	for half := 1; half < len(w); half *= 2 {
		for lo := 0; lo < len(w); lo += 2 * half {
			a, b := w[lo:lo+half], w[lo+half:lo+2*half]
			for k, v := range a {
				a[k], b[k] = like*v+unlike*b[k], unlike*v+like*b[k]
			}
		}
	}
}
