package variational

import (
	"context"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
)

// Best learns from several starts, concurrently, and returns the number and
// model of the one with the greatest bound; of equals the first. learn returns
// the model of a start and its bound. The bound needs no teacher, and on
// planted data choosing by it reaches the Bayes optimum where a single start
// now and then falls into a wrong state. The error is the context's, or the
// first start's that failed.
func Best[T rbm.Real](ctx context.Context, starts int, learn func(start int) (*rbm.Model[T], float64, error)) (best int, model *rbm.Model[T], bound float64, err error) {
	models, bounds, errs := make([]*rbm.Model[T], starts), make([]float64, starts), make([]error, starts)
	parallel.For(starts, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			if errs[k] = ctx.Err(); errs[k] == nil {
				models[k], bounds[k], errs[k] = learn(k)
			}
		}
	})
	bound = math.Inf(-1)
	for k := range starts {
		if errs[k] != nil {
			return k, nil, 0, errs[k]
		}
		if bounds[k] > bound || model == nil {
			best, model, bound = k, models[k], bounds[k]
		}
	}
	return best, model, bound, nil
}
