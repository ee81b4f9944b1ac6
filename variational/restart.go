package variational

import (
	"context"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
)

// Restarts learns from several starts, concurrently, and returns the model of
// each and its bound, in the order of starts. The error is the context's, or
// that of the first start that failed.
func Restarts[T rbm.Real](ctx context.Context, starts int, learn func(start int) (*rbm.Model[T], float64, error)) (models []*rbm.Model[T], bounds []float64, err error) {
	models, bounds = make([]*rbm.Model[T], starts), make([]float64, starts)
	errs := make([]error, starts)
	parallel.For(starts, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			if errs[k] = ctx.Err(); errs[k] == nil {
				models[k], bounds[k], errs[k] = learn(k)
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	return models, bounds, nil
}

// Best returns the place of the greatest bound, the first of equals; NaN is less
// than any. The bound
// needs no teacher, and where a single start now and then falls into a wrong
// state, the best of several by the bound seldom does.
func Best(bounds []float64) int {
	best := 0
	for k, b := range bounds {
		if b > bounds[best] || math.IsNaN(bounds[best]) {
			best = k
		}
	}
	return best
}
