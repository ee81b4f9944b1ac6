package evaluate

import (
	"context"

	"gonum.org/v1/gonum/mat"
)

// mostSpanned is up to how many samples are fitted in their span, and spannedRows how many are looked at
// between two looks at a context.
const (
	mostSpanned = 1024
	spannedRows = 16
)

// fitSpanned is FitClassifier of fewer samples than features, in as many coordinates as there are
// samples: the best weights lie in the span of the centred samples, X. With the Gram matrix
// X X^T = U^T U the columns of V = X^T U^-1 are orthonormal, so that weights V u have the same penalty as
// u, and a sample's inputs are its column of U. ok is false if rounding leaves no such U; errors are
// those of FitClassifier.
func fitSpanned(ctx context.Context, in Inputs, labels []int, f Fitting) (c *Classifier, ok bool, err error) {
	m, p := in.Size()
	x := make([]float64, m*p) // the samples themselves
	for lo := 0; lo < m; lo += spannedRows {
		rows := min(spannedRows, m-lo)
		one := make([]float32, rows*m)
		for k := range rows {
			one[k*m+lo+k] = 1
		}
		if err := in.Gradient(ctx, x[lo*p:(lo+rows)*p], one, rows); err != nil {
			return nil, false, err
		}
	}
	means := make([]float64, p)
	for a := range m {
		for i, v := range x[a*p : (a+1)*p] {
			means[i] += v / float64(m)
		}
	}
	for a := range m {
		for i, v := range means {
			x[a*p+i] -= v
		}
	}
	gram, err := gramOf(ctx, mat.NewDense(m, p, x))
	if err != nil {
		return nil, false, err
	}
	u, ok, err := cholesky(ctx, gram)
	if !ok || err != nil {
		return nil, ok, err
	}
	z := make([]float32, m*m)
	for k := range m {
		for a := k; a < m; a++ {
			z[a*m+k] = float32(u.At(k, a))
		}
	}
	if c, err = FitClassifier(ctx, RealInputs(z, m), labels, f); err != nil {
		return nil, false, err
	}
	weights := make([]float64, len(c.Labels)*p)
	for k := range c.Labels {
		y := mat.NewVecDense(m, nil)
		mustSolve(y.SolveVec(u, mat.NewVecDense(m, c.Weights[k*m:(k+1)*m])))
		to := weights[k*p : (k+1)*p]
		for a := range m {
			for i, v := range x[a*p : (a+1)*p] {
				to[i] += y.AtVec(a) * v
			}
		}
		for i, v := range means {
			c.Bias[k] -= to[i] * v
		}
	}
	c.Weights = weights
	return c, true, ctx.Err()
}

// gramOf returns the products of the rows of x, and a share of 1e-9 of the largest square more
// on the diagonal: the sum of centred rows is 0.
func gramOf(ctx context.Context, x *mat.Dense) (*mat.SymDense, error) {
	m, p := x.Dims()
	g := mat.NewSymDense(m, nil)
	most := 0.0
	for a := 0; a < m; a += spannedRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := min(spannedRows, m-a)
		var part mat.Dense
		part.Mul(x.Slice(a, a+rows, 0, p), x.Slice(a, m, 0, p).T())
		for k := range rows {
			for b := a + k; b < m; b++ {
				g.SetSym(a+k, b, part.At(k, b-a))
			}
			most = max(most, g.At(a+k, a+k))
		}
	}
	for a := range m {
		g.SetSym(a, a, g.At(a, a)+1e-9*most)
	}
	return g, nil
}
