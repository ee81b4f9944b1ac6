package infer

import "math"

// A solver finds the hidden spins of one sample.
type solver struct {
	pairs, covariance []float64 // h.V h/2 of all states, but for a constant; V
	field, g          []float64 // m; g, from where it starts
	spread            []float64 // H

	residual, step           []float64
	cavity, weight, jacobian []float64 // work space
}

func newSolver(p int, pairs, covariance []float64) *solver {
	return &solver{
		pairs: pairs, covariance: covariance, field: make([]float64, p), g: make([]float64, p), spread: make([]float64, p*p),
		residual: make([]float64, p), step: make([]float64, p),
		cavity: make([]float64, p), weight: make([]float64, 1<<p), jacobian: make([]float64, p*p),
	}
}

// solve solves g = <h> at the fields m - V g, which has one solution, and sets the
// spread: Newton's steps, halved while they lead further away. The last one, from
// an error below 1e-4, leaves one of about its square; some two are needed.
func (s *solver) solve() {
	const enough, most = 1e-4, 100
	p := len(s.g)
	off := s.look()
	for range most {
		for mu := range p { // 1 + H V
			for nu := range p {
				var sum float64
				for k := range p {
					sum += s.spread[mu*p+k] * s.covariance[k*p+nu]
				}
				s.jacobian[mu*p+nu] = sum
			}
			s.jacobian[mu*p+mu]++
		}
		copy(s.step, s.residual)
		eliminate(s.jacobian, s.step)
		s.move(1)
		if off < enough {
			break
		}
		length := 1.0
		next := s.look()
		for ; next > off && length > 1e-3; next = s.look() {
			length /= 2
			s.move(-length)
		}
		off = next
	}
}

// look sets the spread and the residual <h> - g at g, and returns its length.
func (s *solver) look() float64 {
	p := len(s.g)
	copy(s.cavity, s.field)
	for mu := range p {
		for nu, g := range s.g {
			s.cavity[mu] -= s.covariance[mu*p+nu] * g
		}
	}
	linear(s.weight, s.cavity)
	for x, e := range s.pairs {
		s.weight[x] += e
	}
	normalise(s.weight, s.weight)
	moments(s.residual, s.spread, s.weight)
	var square float64
	for mu, g := range s.g {
		s.residual[mu] -= g
		square += s.residual[mu] * s.residual[mu]
	}
	return math.Sqrt(square)
}

// move adds a share of the step to g.
func (s *solver) move(share float64) {
	for mu, d := range s.step {
		s.g[mu] += share * d
	}
}

// eliminate solves A x = b for x in the place of b; it overwrites A, whose
// eigenvalues are at least 1: it is the identity and a product of two covariances.
func eliminate(a, b []float64) {
	p := len(b)
	for k := range p {
		best := k
		for mu := k + 1; mu < p; mu++ {
			if math.Abs(a[mu*p+k]) > math.Abs(a[best*p+k]) {
				best = mu
			}
		}
		if best != k {
			for nu := range p {
				a[k*p+nu], a[best*p+nu] = a[best*p+nu], a[k*p+nu]
			}
			b[k], b[best] = b[best], b[k]
		}
		for mu := k + 1; mu < p; mu++ {
			f := a[mu*p+k] / a[k*p+k]
			for nu := k; nu < p; nu++ {
				a[mu*p+nu] -= f * a[k*p+nu]
			}
			b[mu] -= f * b[k]
		}
	}
	for k := p - 1; k >= 0; k-- {
		for nu := k + 1; nu < p; nu++ {
			b[k] -= a[k*p+nu] * b[nu]
		}
		b[k] /= a[k*p+k]
	}
}

// sign is spin mu of a state: bit mu of its number is 1 where it is +1.
func sign(state, mu int) float64 { return float64(state>>mu&1)*2 - 1 }

// quadratic returns x.A x/2 for all states x, but for the constant of the diagonal.
func quadratic(a []float64, p int) []float64 {
	dst := make([]float64, 1<<p)
	for x := range dst {
		for mu := range p {
			for nu := range mu {
				dst[x] += a[mu*p+nu] * sign(x, mu) * sign(x, nu)
			}
		}
	}
	return dst
}

// linear sets dst to f.x for all states x.
func linear(dst, f []float64) {
	dst[0] = 0
	for mu, v := range f {
		low, high := dst[:1<<mu], dst[1<<mu:2<<mu]
		for x, e := range low {
			low[x], high[x] = e-v, e+v
		}
	}
}

// normalise replaces logarithms of weights by probabilities.
func normalise(dst, log []float64) {
	top := log[0]
	for _, v := range log {
		top = max(top, v)
	}
	var sum float64
	for x, v := range log {
		dst[x] = math.Exp(v - top)
		sum += dst[x]
	}
	for x := range dst {
		dst[x] /= sum
	}
}

// moments sets the means of the spins and their covariances in a distribution over
// states, which it overwrites by its Walsh transform: element k of that is the mean
// of the product of -x_mu over the bits mu of k.
func moments(mean, covariance, q []float64) {
	p := len(mean)
	for half := 1; half < len(q); half *= 2 {
		for lo := 0; lo < len(q); lo += 2 * half {
			a, b := q[lo:lo+half], q[lo+half:lo+2*half]
			for k, v := range a {
				a[k], b[k] = v+b[k], v-b[k]
			}
		}
	}
	for mu := range p {
		mean[mu] = -q[1<<mu]
		covariance[mu*p+mu] = 1 - mean[mu]*mean[mu]
		for nu := range mu {
			c := q[1<<mu|1<<nu] - mean[mu]*mean[nu]
			covariance[mu*p+nu], covariance[nu*p+mu] = c, c
		}
	}
}
