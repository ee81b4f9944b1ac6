package outside

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/rbm"
	"bethe/units"
)

// Gaussian is the kind of real hidden units y of base -y²/2: phi(f) = f²/2 + ln(2 pi)/2.
// With spins it is a Hopfield machine.
type Gaussian struct{}

// Kind implements units.Hidden.
func (Gaussian) Kind() string { return units.Gauss }

// Together implements units.Hidden.
func (Gaussian) Together() int { return 1 }

// OffsetLimit implements units.Hidden.
func (Gaussian) OffsetLimit() float64 { return math.MaxFloat64 }

// Averages implements units.Hidden: E phi' is the mean, E phi” is 1.
func (Gaussian) Averages(first, second, mean, _ []float64, _ int) {
	copy(first, mean)
	for k := range second {
		second[k] = 1
	}
}

// Value implements units.Hidden.
func (Gaussian) Value(mean, variance []float64, m int) float64 {
	sum := float64(m) * math.Log(2*math.Pi) / 2
	for k, f := range mean {
		sum += (f*f + variance[k]) / 2
	}
	return sum
}

// Hopfield is the partition term ln E_q Z of spins and Gaussian hidden units, by
// enumeration of the spins. Given them the integral over each hidden unit is one of one dimension.
type Hopfield struct{}

// MaxSpins is the largest number of visible units.
const MaxSpins = 16

// Serves implements dual.Partition.
func (Hopfield) Serves(form dual.Form) error {
	if !form.Synapses.LogOdds() || form.Visible != units.Spin || form.Hidden != units.Gauss {
		return fmt.Errorf("%w: this one is of binary synapses between spins and Gaussian hidden units", dual.ErrNotServed)
	}
	return nil
}

// GivesLnZ implements dual.Summing.
func (Hopfield) GivesLnZ() bool { return true }

// nodes of the trapezoid rule over y.
func nodes(params *rbm.Params) (y []float64, step float64) {
	step = 0.4
	far := 0.0
	for _, c := range params.HiddenField {
		far = max(far, math.Abs(c))
	}
	for _, mu := range params.VisibleOffset {
		far += params.LargestCoupling() * (1 + math.Abs(mu))
	}
	for k := -math.Ceil((9 + far) / step); k <= math.Ceil((9+far)/step); k++ {
		y = append(y, k*step)
	}
	return y, step
}

// Rows implements dual.Partition. Errors are rbm.ErrTooLarge and the context's.
func (Hopfield) Rows(ctx context.Context, grad *dual.Gradient[float64], params *rbm.Params, mean []float64) (dual.Row[float64], dual.Report, error) {
	n, p, links := params.Visible(), params.Hidden(), len(params.Links)
	if n > MaxSpins {
		return nil, dual.Report{}, fmt.Errorf("%w: %d spins, and the limit is %d", rbm.ErrTooLarge, n, MaxSpins)
	}
	type sums struct{ y, synapse, coupling []float64 }
	lnWeights, states := make([]float64, 1<<n), make([]sums, 1<<n)
	y, step := nodes(params)
	for k := range states {
		s := sums{make([]float64, p), make([]float64, n*p), make([]float64, links*p)}
		for i, b := range params.VisibleField {
			lnWeights[k] += b * spinOf(k, i)
		}
		lnWeight := make([]float64, len(y))
		for mu := range p {
			if err := ctx.Err(); err != nil {
				return nil, dual.Report{}, err
			}
			edges := func(visit func(node, i, link int, x, a float64)) {
				for link, l := range params.Links {
					if !l.Joins(mu) {
						continue
					}
					for i := l.Visible.From; i < l.Visible.To; i++ {
						for node, v := range y {
							x := (spinOf(k, i) - params.VisibleOffset[i]) * (v - params.HiddenOffset[mu])
							visit(node, i, link, x, l.Coupling*x)
						}
					}
				}
			}
			for node, v := range y {
				lnWeight[node] = (params.HiddenField[mu] - v/2) * v
			}
			edges(func(node, i, _ int, _, a float64) {
				lnWeight[node] += math.Log(math.Cosh(a) + mean[mu*n+i]*math.Sinh(a))
			})
			lnSum := rbm.LogSumExp(lnWeight)
			lnWeights[k] += lnSum + math.Log(step)
			for node, v := range y {
				s.y[mu] += math.Exp(lnWeight[node]-lnSum) * v
			}
			edges(func(node, i, link int, x, a float64) {
				lambda, t := mean[mu*n+i], math.Tanh(a)
				w := math.Exp(lnWeight[node]-lnSum) / (1 + lambda*t)
				s.synapse[mu*n+i] += w * t
				s.coupling[mu*links+link] += w * (t + lambda) * x
			})
		}
		states[k] = s
	}
	lnZ := rbm.LogSumExp(lnWeights)
	total := sums{make([]float64, p), make([]float64, n*p), make([]float64, links*p)}
	clear(grad.VisibleField)
	clear(grad.Coupling)
	for k, s := range states {
		w := math.Exp(lnWeights[k] - lnZ)
		for i := range n {
			grad.VisibleField[i] += w * spinOf(k, i)
		}
		for _, x := range [][2][]float64{{total.y, s.y}, {total.synapse, s.synapse}, {total.coupling, s.coupling}} {
			for e, v := range x[1] {
				x[0][e] += w * v
			}
		}
	}
	copy(grad.HiddenField, total.y)
	row := func(dst, byCoupling []float64, mu int) {
		copy(dst, total.synapse[mu*n:(mu+1)*n])
		for k := range byCoupling {
			byCoupling[k] += total.coupling[mu*links+k]
		}
	}
	return row, dual.Report{Engine: "hopfield", LnZ: lnZ, Converged: true}, nil
}
