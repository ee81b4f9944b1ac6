package variational

import (
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// recogniseStationary finds the recognition of the greatest bound of all samples in so many
// rounds, and with it the fields of the odd units, to all orders. w is kept for each pair
// and sample, so the work is pairs x samples a round.
func (u *upper[T]) recogniseStationary(averages units.Hidden[T], field []float64, rounds int) {
	const together = 32 // samples
	m, pairs := u.samples, 0
	for i := range u.links {
		pairs += u.links[i].pairs()
	}
	if len(u.weight) != pairs*m {
		u.weight = make([]T, pairs*m)
	}
	parallel.For(m, together, func(lo, hi int) {
		p := &stationary[T]{upper: u, averages: averages, lo: lo, hi: hi, field: make([]T, u.even*(hi-lo)), slope: make([]T, hi-lo)}
		p.start(field)
		for range rounds {
			p.round(field)
		}
	})
	for j, nu := range u.nuOdd {
		centred, square := u.centred[j*m:(j+1)*m], u.square[j*m:(j+1)*m]
		for a, t := range u.tanh[j*m : (j+1)*m] {
			d := t - nu
			centred[a], square[a] = d, d*d
		}
	}
	u.centreEven()
}

// A stationary is the work on the samples from lo to hi-1.
type stationary[T rbm.Real] struct {
	*upper[T]
	averages units.Hidden[T]
	lo, hi   int
	field    []T // g: even x samples
	slope    []T
}

// row returns row k of a matrix of states.
func (p *stationary[T]) row(x []T, k int) []T { return x[k*p.samples+p.lo : k*p.samples+p.hi] }

// g returns row k of the fields.
func (p *stationary[T]) g(k int) []T { return p.field[k*(p.hi-p.lo) : (k+1)*(p.hi-p.lo)] }

// start begins at fields that see nothing of the samples.
func (p *stationary[T]) start(field []float64) {
	for k, b := range field {
		fill(p.g(k), T(b))
	}
	for i := range p.links {
		for at := range p.links[i].pairs() {
			clear(p.row(p.weight, p.links[i].pair+at))
		}
	}
	p.fields()
}

// fields sets what follows from g and w.
func (p *stationary[T]) fields() {
	for k := range p.even {
		copy(p.row(p.evenMean, k), p.g(k))
		clear(p.row(p.evenVariance, k))
	}
	p.eachPair(func(l *join[T], j, k, at int) {
		mean, variance, lambda := p.row(p.evenMean, k), p.row(p.evenVariance, k), l.lambda[at]
		free := 1 - lambda*lambda
		for a, w := range p.row(p.weight, l.pair+at) {
			mean[a] += lambda * w
			variance[a] += free * w * w
		}
	})
	for k := range p.even {
		p.averages.Averages(p.row(p.rho, k), p.row(p.chi, k), p.row(p.evenMean, k), p.row(p.evenVariance, k), p.hi-p.lo)
	}
	for j := range p.odd {
		copy(p.row(p.mean, j), p.row(p.below, j))
		copy(p.row(p.variance, j), p.row(p.belowVariance, j))
	}
	p.eachPair(func(l *join[T], j, k, at int) {
		mean, variance, rho, chi := p.row(p.mean, j), p.row(p.variance, j), p.row(p.rho, k), p.row(p.chi, k)
		lambda, nu, j1 := l.lambda[at], p.nu[k], T(l.j)
		free := 1 - lambda*lambda
		for a, w := range p.row(p.weight, l.pair+at) {
			x := lambda*(rho[a]-nu) + free*w*chi[a]
			mean[a] += j1 * x
			variance[a] += j1 * j1 * (1 + nu*nu - 2*nu*rho[a] - x*x)
		}
	})
	for j := range p.odd {
		p.averages.Averages(p.row(p.tanh, j), p.row(p.sech2, j), p.row(p.mean, j), p.row(p.variance, j), p.hi-p.lo)
	}
}

// round moves g and w half of the way to where they would be stationary.
func (p *stationary[T]) round(field []float64) {
	for k, b := range field {
		for a, g := range p.g(k) {
			p.g(k)[a] = (g + T(b)) / 2
		}
	}
	p.eachPair(func(l *join[T], j, k, at int) {
		tanh, sech2, rho, chi, g, weight := p.row(p.tanh, j), p.row(p.sech2, j), p.row(p.rho, k), p.row(p.chi, k), p.g(k), p.row(p.weight, l.pair+at)
		lambda, nu, nuOdd, j1 := l.lambda[at], p.nu[k], p.nuOdd[j], T(l.j)
		free := 1 - lambda*lambda
		for a, w := range weight {
			x := lambda*(rho[a]-nu) + free*w*chi[a]
			weight[a] = (w + j1*(tanh[a]-nuOdd) - j1*j1*sech2[a]*x) / 2
			g[a] -= nu * j1 * j1 * sech2[a] / 2
		}
	})
	p.fields()
}

// eachPair calls f for each pair of joined units, with its place in the link.
func (p *stationary[T]) eachPair(f func(l *join[T], j, k, at int)) {
	for i := range p.links {
		l := &p.links[i]
		width := l.even.Len()
		for at := range l.pairs() {
			f(l, l.hidden.From+at/width, l.even.From+at%width, at)
		}
	}
}

// slopesStationary is slopes where the recognition is stationary, to all orders.
func (u *upper[T]) slopesStationary(grad []T, l *join[T]) (byCoupling float64) {
	m, width := u.samples, l.even.Len()
	parts := make([]float64, l.hidden.Len())
	parallel.For(l.hidden.Len(), parallel.Grain(8*width*m), func(lo, hi int) {
		for at := lo * width; at < hi*width; at++ {
			j, k := l.hidden.From+at/width, l.even.From+at%width
			centred, sech2, rho, chi := u.centred[j*m:(j+1)*m], u.sech2[j*m:(j+1)*m], u.rho[k*m:(k+1)*m], u.chi[k*m:(k+1)*m]
			lambda, nu, j1 := l.lambda[at], u.nu[k], T(l.j)
			free := 1 - lambda*lambda
			var slope, coupling float64
			for a, w := range u.weight[(l.pair+at)*m : (l.pair+at+1)*m] {
				e := rho[a] - nu
				x := lambda*e + free*w*chi[a]
				q := j1*centred[a] - j1*j1*sech2[a]*x
				slope += float64(q*e - lambda*chi[a]*q*q)
				coupling += float64(centred[a]*x + j1*sech2[a]*(1+nu*nu-2*nu*rho[a]-x*x))
			}
			grad[at] = T(slope)
			parts[at/width] += coupling
		}
	})
	for _, p := range parts {
		byCoupling += p
	}
	return byCoupling
}
