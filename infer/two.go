package infer

import (
	"math"

	"bethe/rbm"
)

// two is the arithmetic of two hidden units. States x = (xi_1, xi_2) of a site
// and h of a sample are numbered 0 to 3: (+,+), (-,+), (+,-), (-,-). With
// t = tanh J a site whose other messages give means m1, m2 and q = <xi_1 xi_2>
// weighs state h of a sample by
//
//	w(h) = 1 + t s (h_1 m1 + h_2 m2) + t^2 h_1 h_2 q,
//
// and the message back is
//
//	1 + t s <h_1> xi_1 + t s <h_2> xi_2 + t^2 <h_1 h_2> xi_1 xi_2,
//
// averages being over the weights of the other sites. Its three components are kept.
type two[T rbm.Real] struct{}

func (two[T]) components() int { return 3 }
func (two[T]) products() int   { return 4 }

// spins of the states.
var first, second = [4]float64{1, -1, 1, -1}, [4]float64{1, 1, -1, -1}

func (two[T]) site(p *Passing[T], s *beliefs[T]) (lnZ float64) {
	n := p.visible
	for i := range n {
		w := p.siteWeights(s, i)
		z := rbm.LogSumExp(w[:])
		lnZ += z + s.field[3*n+i] - lnCosh(s.pair[i])
		s.mean[0][i], s.mean[1][i], s.mean[2][i] = 0, 0, 0
		for k, v := range w {
			v = math.Exp(v - z)
			s.b[k][i] = T(v)
			s.mean[0][i] += v * first[k]
			s.mean[1][i] += v * second[k]
			s.mean[2][i] += v * first[k] * second[k]
		}
	}
	return lnZ
}

// siteWeights returns the logarithms of prior, messages from samples and pair
// for the states of site i, but for their constants.
func (p *Passing[T]) siteWeights(s *beliefs[T], i int) (w [4]float64) {
	n := p.visible
	for k := range w {
		w[k] = s.field[i]*first[k] + s.field[n+i]*second[k] + (s.field[2*n+i]+s.pair[i])*first[k]*second[k]
		w[k] += lnPrior(p.prior[0][i], first[k]) + lnPrior(p.prior[1][i], second[k])
	}
	return w
}

// cavity returns the means of a site, of beliefs b0 to b3, without the message of
// components u1, u2, u12.
func cavity[T rbm.Real](b0, b1, b2, b3, u1, u2, u12 T) (m1, m2, q T) {
	// b/v is b times the other three v, but for a factor.
	v0, v1 := 1+u1+u2+u12, 1-u1+u2-u12
	v2, v3 := 1+u1-u2-u12, 1-u1-u2+u12
	v01, v23 := v0*v1, v2*v3
	n0, n1 := b0*v1*v23, b1*v0*v23
	n2, n3 := b2*v3*v01, b3*v2*v01
	inverse := 1 / (n0 + n1 + n2 + n3)
	return (n0 - n1 + n2 - n3) * inverse, (n0 + n1 - n2 - n3) * inverse, (n0 - n1 - n2 + n3) * inverse
}

func (two[T]) sample(p *Passing[T], s *beliefs[T], a int, row, work [][]T, keep T) float64 {
	n, t2 := p.visible, p.tanhJ*p.tanhJ
	u1, u2, u12 := row[0][:n], row[1][:n], row[2][:n]
	b0, b1, b2, b3 := s.b[0][:n], s.b[1][:n], s.b[2][:n], s.b[3][:n]
	x, y, z, spins := work[0][:n], work[1][:n], work[2][:n], p.spins[a*n:(a+1)*n]
	var lnW [4]float64
	for lo := 0; lo < n; lo += p.chunk {
		w0, w1, w2, w3 := T(1), T(1), T(1), T(1)
		for i := lo; i < min(n, lo+p.chunk); i++ {
			m1, m2, q := cavity(b0[i], b1[i], b2[i], b3[i], u1[i], u2[i], u12[i])
			ts := T(spins[i]) * p.tanhJ
			m1, m2, q = ts*m1, ts*m2, t2*q
			x[i], y[i], z[i] = m1, m2, q
			w0 *= 1 + m1 + m2 + q
			w1 *= 1 - m1 + m2 - q
			w2 *= 1 + m1 - m2 - q
			w3 *= 1 - m1 - m2 + q
		}
		for k, w := range [4]T{w0, w1, w2, w3} {
			lnW[k] += math.Log(float64(w))
		}
	}
	total := rbm.LogSumExp(lnW[:])
	var w [4]T
	for k, v := range lnW {
		w[k] = T(math.Exp(v - total))
	}
	for i := range x {
		// The sample is to its hidden states what a site is to its synapses.
		h1, h2, h12 := cavity(w[0], w[1], w[2], w[3], x[i], y[i], z[i])
		ts := T(spins[i]) * p.tanhJ
		h1, h2, h12 = ts*h1, ts*h2, t2*h12
		u1[i] = h1 + keep*(u1[i]-h1)
		u2[i] = h2 + keep*(u2[i]-h2)
		u12[i] = h12 + keep*(u12[i]-h12)
	}
	return total
}

func (two[T]) gather(product, row [][]T) {
	u1 := row[0]
	n := len(u1)
	u2, u12 := row[1][:n], row[2][:n]
	v0, v1, v2, v3 := product[0][:n], product[1][:n], product[2][:n], product[3][:n]
	for i, a := range u1 {
		b, c := u2[i], u12[i]
		v0[i] *= 1 + a + b + c
		v1[i] *= 1 - a + b - c
		v2[i] *= 1 + a - b - c
		v3[i] *= 1 - a - b + c
	}
}

func (two[T]) logs(field []float64, product [][]T) {
	n := len(product[0])
	for i := range n {
		var l [4]float64
		for k := range l {
			l[k] = math.Log(float64(product[k][i]))
			product[k][i] = 1
		}
		field[i] += (l[0] - l[1] + l[2] - l[3]) / 4
		field[n+i] += (l[0] + l[1] - l[2] - l[3]) / 4
		field[2*n+i] += (l[0] - l[1] - l[2] + l[3]) / 4
		field[3*n+i] += (l[0] + l[1] + l[2] + l[3]) / 4
	}
}

func (two[T]) edges(p *Passing[T], s *beliefs[T], a int, row, work [][]T) (lnZ, energy float64) {
	n, t := p.visible, float64(p.tanhJ)
	var lnW [4]float64
	var field, free [2][4]float64 // of xi_mu.s given h: mean and variance, without J
	for i := range n {
		u1, u2, u12 := float64(row[0][i]), float64(row[1][i]), float64(row[2][i])
		m1, m2, q := cavity(float64(s.b[0][i]), float64(s.b[1][i]), float64(s.b[2][i]), float64(s.b[3][i]), u1, u2, u12)
		lnZ += math.Log1p(m1*u1 + m2*u2 + q*u12)
		sign := float64(p.spins[a*n+i])
		for h := range lnW {
			t1, t2 := t*sign*first[h], t*sign*second[h]
			w := 1 + t1*m1 + t2*m2 + t1*t2*q
			lnW[h] += math.Log(w)
			// means of the site's synapses in the sample's state h
			for mu, mean := range [2]float64{(m1 + t1 + t2*q + t1*t2*m2) / w, (m2 + t2 + t1*q + t1*t2*m1) / w} {
				field[mu][h] += sign * mean
				free[mu][h] += 1 - mean*mean
			}
		}
	}
	total := rbm.LogSumExp(lnW[:])
	j := p.opt.Coupling
	share := make([]float64, 4)
	for h, v := range lnW {
		share[h] = math.Exp(v - total)
	}
	for mu := range field {
		for h := range field[mu] {
			field[mu][h] *= j
			free[mu][h] *= j * j
		}
		energy += gaussLnCosh(field[mu][:], free[mu][:], share)
	}
	return lnZ, energy
}
