package baseline

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"
)

// seenWork limits the work of a covariance where values are missing: multiplications of a round.
const seenWork = 1 << 33

// A normal is a multivariate Gaussian.
type normal struct {
	mean      []float64
	precision mat.SymDense
	lnDet     float64 // of the covariance
}

// newNormal returns that of a covariance, and whether it is positive definite.
func newNormal(mean []float64, covariance *mat.SymDense) (*normal, bool) {
	var factor mat.Cholesky
	if !factor.Factorize(covariance) {
		return nil, false
	}
	g := &normal{mean: mean, lnDet: factor.LogDet()}
	return g, factor.InverseTo(&g.precision) == nil
}

// given puts the missing places of x at their means given the others. It returns ln of the density of the others, and the
// covariance of the missing places given them; ok is false if that is not positive definite. With the precision L, the
// missing places M have the covariance 1/L_MM and the mean m_M - 1/L_MM L_MO (x_O - m_O).
func (g *normal) given(x []float64, missing []int) (lnDensity float64, spread *mat.SymDense, ok bool) {
	n := len(x)
	lnDensity = -(g.lnDet + float64(n)*math.Log(2*math.Pi)) / 2
	if len(missing) > 0 {
		for _, i := range missing {
			x[i] = g.mean[i]
		}
		own, drive := mat.NewSymDense(len(missing), nil), mat.NewVecDense(len(missing), nil)
		for k, i := range missing {
			for l := k; l < len(missing); l++ {
				own.SetSym(k, l, g.precision.At(i, missing[l]))
			}
			for j, v := range x {
				drive.SetVec(k, drive.AtVec(k)-g.precision.At(i, j)*(v-g.mean[j]))
			}
		}
		var factor mat.Cholesky
		if !factor.Factorize(own) {
			return 0, nil, false
		}
		var by mat.VecDense
		spread = new(mat.SymDense)
		if factor.SolveVecTo(&by, drive) != nil || factor.InverseTo(spread) != nil {
			return 0, nil, false
		}
		for k, i := range missing {
			x[i] += by.AtVec(k)
		}
		lnDensity += (float64(len(missing))*math.Log(2*math.Pi) - factor.LogDet()) / 2
	}
	for i, v := range x {
		for j, w := range x {
			lnDensity -= (v - g.mean[i]) * g.precision.At(i, j) * (w - g.mean[j]) / 2
		}
	}
	return lnDensity, spread, true
}

// rows returns the samples, and the missing places of each.
func (t table) rows() (x [][]float64, missing [][]int) {
	x, missing = make([][]float64, t.Len()), make([][]int, t.Len())
	for a := range x {
		x[a] = make([]float64, t.Units())
		for i := range x[a] {
			x[a][i] = float64(t.Row(i)[a])
		}
	}
	for i, samples := range t.holes {
		for _, a := range samples {
			missing[a] = append(missing[a], i)
		}
	}
	return x, missing
}

// covarianceSeen is covariance for known values: the most likely mean and covariance, by expectation and maximisation until a round gains less than
// 1e-4 nats per sample. Of too much work it is not ok. The error is the context's.
func covarianceSeen(ctx context.Context, train, test table) (mean float64, ok bool, err error) {
	n, m := train.Units(), train.Len()
	x, missing := train.rows()
	work := 0
	for _, of := range missing {
		work += n*n + len(of)*len(of)*len(of)
	}
	if work > seenWork {
		return 0, false, nil
	}
	var extra *mat.SymDense // sum of the covariances of missing values
	var g *normal
	last := math.Inf(-1)
	for range mixtureRounds {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if g, ok = maximised(x, extra, n); !ok {
			return 0, false, nil
		}
		extra = mat.NewSymDense(n, nil)
		now := 0.0
		for a, of := range missing {
			ln, spread, ok := g.given(x[a], of)
			if !ok {
				return 0, false, nil
			}
			now += ln / float64(m)
			for k, i := range of {
				for l := k; l < len(of); l++ {
					extra.SetSym(i, of[l], extra.At(i, of[l])+spread.At(k, l))
				}
			}
		}
		if now-last < 1e-4 {
			break
		}
		last = now
	}
	y, missing := test.rows()
	for a, of := range missing {
		ln, _, ok := g.given(y[a], of)
		if !ok {
			return 0, false, nil
		}
		mean += ln / float64(len(y))
	}
	return mean, true, nil
}

// maximised returns the Gaussian of the mean and covariance of completed samples, with a sum of covariances of their missing values.
func maximised(x [][]float64, extra *mat.SymDense, n int) (*normal, bool) {
	mean, m := make([]float64, n), float64(len(x))
	for _, row := range x {
		for i, v := range row {
			mean[i] += v / m
		}
	}
	c := mat.NewSymDense(n, nil)
	centred := make([]float64, n)
	for _, row := range x {
		for i, v := range row {
			centred[i] = v - mean[i]
		}
		c.SymRankOne(c, 1/m, mat.NewVecDense(n, centred))
	}
	for i := range n {
		for j := i; j < n && extra != nil; j++ {
			c.SetSym(i, j, c.At(i, j)+extra.At(i, j)/m)
		}
		c.SetSym(i, i, c.At(i, i)+ridge)
	}
	return newNormal(mean, c)
}
