package infer

import (
	"math"

	"bethe/rbm"
)

// one is the arithmetic of one hidden unit. The message from sample a to site i
// is 1 + u xi with u = s_i tanh J <h^a>, where h^a feels the other sites: a
// spin in the field sum_j atanh(tanh J s_j m_j). The cavity means m and <h>
// follow from those of all messages by the addition theorem of tanh, so an
// iteration takes two divisions an edge and hardly any logarithms.
type one[T rbm.Real] struct{}

func (one[T]) components() int { return 1 }
func (one[T]) products() int   { return 2 }

func (one[T]) site(p *Passing[T], s *beliefs[T]) (lnZ float64) {
	n := p.visible
	for i, f := range s.field[:n] {
		theta := p.prior[0][i]
		m := math.Tanh(theta + f)
		s.mean[0][i], s.b[0][i] = m, T(m)
		lnZ += s.field[n+i] + rbm.LogSumExp([]float64{f + lnPrior(theta, 1), lnPrior(theta, -1) - f})
	}
	return lnZ
}

func (one[T]) sample(p *Passing[T], s *beliefs[T], a int, row, work [][]T, keep T) float64 {
	n := p.visible
	u, mean, spins, x := row[0], s.b[0][:n], p.spins[a*n:(a+1)*n], work[0][:n]
	var lnW [2]float64 // ln of the weights of h = +1, -1
	for lo := 0; lo < n; lo += p.chunk {
		up, down := T(1), T(1)
		for i := lo; i < min(n, lo+p.chunk); i++ {
			m := mean[i]
			y := T(spins[i]) * p.tanhJ * (m - u[i]) / (1 - m*u[i]) // m of the other samples
			x[i] = y
			up *= 1 + y
			down *= 1 - y
		}
		lnW[0] += math.Log(float64(up))
		lnW[1] += math.Log(float64(down))
	}
	h := T(math.Tanh((lnW[0] - lnW[1]) / 2))
	for i, y := range x {
		next := T(spins[i]) * p.tanhJ * (h - y) / (1 - h*y)
		u[i] = next + keep*(u[i]-next)
	}
	return rbm.LogSumExp(lnW[:])
}

func (one[T]) gather(product, row [][]T) {
	u := row[0]
	up, down := product[0][:len(u)], product[1][:len(u)]
	for i, v := range u {
		up[i] *= 1 + v
		down[i] *= 1 - v
	}
}

func (one[T]) logs(field []float64, product [][]T) {
	up, down := product[0], product[1]
	n := len(up)
	for i, v := range up {
		a, b := math.Log(float64(v)), math.Log(float64(down[i]))
		field[i] += (a - b) / 2
		field[n+i] += (a + b) / 2
		up[i], down[i] = 1, 1
	}
}

func (one[T]) edges(p *Passing[T], s *beliefs[T], a int, row, work [][]T) (lnZ, energy float64) {
	n := p.visible
	var field, free float64 // of xi.s given h = 1: its mean and variance, without J
	var other, otherFree float64
	up, down := 0.0, 0.0
	for i, v := range row[0] {
		m, sign := float64((s.b[0][i]-v)/(1-s.b[0][i]*v)), float64(p.spins[a*n+i])
		lnZ += math.Log1p(m * float64(v))
		y := float64(p.tanhJ) * sign * m
		up += math.Log1p(y)
		down += math.Log1p(-y)
		t := float64(p.tanhJ) * sign
		with, without := (m+t)/(1+m*t), (m-t)/(1-m*t)
		field += sign * with
		free += 1 - with*with
		other += sign * without
		otherFree += 1 - without*without
	}
	share := 1 / (1 + math.Exp(down-up)) // of h = 1
	j := p.opt.Coupling
	return lnZ, gaussLnCosh(
		[]float64{j * field, j * other}, []float64{j * j * free, j * j * otherFree}, []float64{share, 1 - share})
}
