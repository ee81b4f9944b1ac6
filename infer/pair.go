package infer

import (
	"context"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
)

// kappa of Z ∝ cosh(kappa R), which two hidden units of coupling j have.
func kappa(j float64) float64 { return lnCosh(2*j) / 2 }

// overlapFactor is the factor Z^-M as sites see it: the distribution of the
// overlap R = sum_i x_i, x = xi_1 xi_2 being independent with the means q that
// sites have without it, reweighted by cosh(kappa R)^-M.
//
// If that factor moves R far, plain probabilities of the new R would
// underflow. So x are tilted by a common field phi first: the slope of the factor's logarithm
// at the R that it leads to. The remaining factor is then near its maximum.
type overlapFactor struct {
	samples, kappa float64
	tilt           float64
	share          []float64 // of x_i = +1, tilted
	p              []float64 // [k]: tilted probability of R = 2k - N
	lnTilt         float64   // sum_i ln E exp(phi x_i)
}

// newOverlapFactor returns the factor where sites have the means q without it. The error
// is the context's.
func newOverlapFactor(ctx context.Context, q []float64, samples int, j float64) (*overlapFactor, error) {
	f := &overlapFactor{samples: float64(samples), kappa: kappa(j), share: make([]float64, len(q)), p: make([]float64, len(q)+1)}
	// phi = -M kappa tanh(kappa R(phi)), where R rises with phi: bisection.
	limit := f.samples * f.kappa
	low, high := -limit, limit
	for range 60 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		phi := (low + high) / 2
		var r float64
		for _, v := range q {
			r += tilted(v, phi)
		}
		if phi < -limit*math.Tanh(f.kappa*r) {
			low = phi
		} else {
			high = phi
		}
	}
	f.tilt = (low + high) / 2
	f.p[0] = 1
	for i, v := range q {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.lnTilt += math.Log(math.Cosh(f.tilt) + v*math.Sinh(f.tilt))
		up := (1 + tilted(v, f.tilt)) / 2
		f.share[i] = up
		f.p[i+1] = f.p[i] * up
		for k := i; k > 0; k-- {
			f.p[k] = f.p[k]*(1-up) + f.p[k-1]*up
		}
		f.p[0] *= 1 - up
	}
	return f, nil
}

// tilted is the mean of a spin of mean q in a further field phi.
func tilted(q, phi float64) float64 {
	t := math.Tanh(phi)
	return (q + t) / (1 + q*t)
}

// lnWeight is the logarithm of the factor's weight of R, less the tilt.
func (f *overlapFactor) lnWeight(r int) float64 {
	return -f.samples*lnCosh(f.kappa*float64(r)) - f.tilt*float64(r)
}

// fields writes the message to each site, a field on x. Each is an exact sum
// over the other sites, whose distribution follows by taking the site out of
// that of all, from the side where errors shrink. The error is the context's.
func (f *overlapFactor) fields(ctx context.Context, dst []float64) error {
	n := len(f.share)
	weight := make([]float64, n+1)
	top := math.Inf(-1)
	for k := range weight {
		weight[k] = f.lnWeight(2*k - n)
		if f.p[k] > 0 {
			top = max(top, weight[k]+math.Log(f.p[k]))
		}
	}
	for k, v := range weight {
		weight[k] = math.Exp(min(v-top, 600))
	}
	rest := make([]float64, n) // [k]: probability that R of the other n-1 sites is 2k - (n-1)
	for i, up := range f.share {
		if err := ctx.Err(); err != nil {
			return err
		}
		down := 1 - up
		if up <= 0.5 {
			rest[0] = f.p[0] / down
			for k := 1; k < n; k++ {
				rest[k] = max(0, (f.p[k]-up*rest[k-1])/down)
			}
		} else {
			rest[n-1] = f.p[n] / up
			for k := n - 1; k > 0; k-- {
				rest[k-1] = max(0, (f.p[k]-down*rest[k])/up)
			}
		}
		var with, without float64 // x_i = +1, -1
		for k, v := range rest {
			with += v * weight[k+1]
			without += v * weight[k]
		}
		dst[i] = math.Log(with/without)/2 + f.tilt
	}
	return nil
}

// terms returns the logarithm of the mean of Z^-M, but for constants, and the
// mean of its logarithm in the reweighted distribution.
func (f *overlapFactor) terms() (lnZ, energy float64) {
	n := len(f.share)
	w := make([]float64, n+1)
	for k, v := range f.p {
		w[k] = math.Log(v) + f.lnWeight(2*k-n)
	}
	lnZ = rbm.LogSumExp(w)
	for k, v := range w {
		energy -= math.Exp(v-lnZ) * f.samples * lnCosh(f.kappa*float64(2*k-n))
	}
	return lnZ + f.lnTilt, energy
}

// pairMeans returns <xi_1 xi_2> of each site without the message from Z^-M.
func (p *Passing[T]) pairMeans(s *beliefs[T]) []float64 {
	q := make([]float64, p.visible)
	for i := range q {
		w := p.siteWeights(s, i)
		z := rbm.LogSumExp(w[:])
		var mean float64
		for k, v := range w {
			mean += math.Exp(v-z) * first[k] * second[k]
		}
		q[i] = tilted(mean, -s.pair[i])
	}
	return q
}

// pair updates the messages from Z^-M. The error is the context's.
func (p *Passing[T]) pair(ctx context.Context, s *beliefs[T], keep float64) error {
	factor, err := newOverlapFactor(ctx, p.pairMeans(s), p.samples, p.opt.Coupling)
	if err != nil {
		return err
	}
	next := make([]float64, p.visible)
	if err := factor.fields(ctx, next); err != nil {
		return err
	}
	for i, v := range next {
		s.pair[i] = v + keep*(s.pair[i]-v)
	}
	return nil
}

// lnCosh is ln cosh x without overflow.
func lnCosh(x float64) float64 { return kernel.Log2Cosh(x) - math.Ln2 }
