package evaluate

import (
	"context"
	"math"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"bethe/internal/contexttest"
	"bethe/stream"
)

// must returns a value that comes without an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// covariance returns a positive definite matrix.
func covariance(n int) *mat.SymDense {
	rng := stream.New(5).Rand()
	h := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i {
			h.SetSym(i, j, rng.NormFloat64())
		}
		h.SetSym(i, i, 3*float64(n))
	}
	return h
}

// TestCholesky: the factor is gonum's, whatever the size of the last block.
func TestCholesky(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 200} {
		h := covariance(n)
		var whole mat.Cholesky
		if !whole.Factorize(h) {
			t.Fatal("not positive definite")
		}
		var want mat.TriDense
		whole.UTo(&want)
		got, positive, err := cholesky(t.Context(), h)
		if err != nil || !positive {
			t.Fatal(positive, err)
		}
		for i := range n {
			for j := i; j < n; j++ {
				if math.Abs(got.At(i, j)-want.At(i, j)) > 1e-12*float64(n) {
					t.Fatalf("%d: element %d, %d is %v, not %v", n, i, j, got.At(i, j), want.At(i, j))
				}
			}
		}
		h.SetSym(n-1, n-1, -1)
		if _, positive, err := cholesky(t.Context(), h); positive || err != nil {
			t.Errorf("%d: a matrix with a negative direction is taken, %v", n, err)
		}
	}
	h := covariance(1500)
	contexttest.GivesUp(t, "a factor", 5*time.Millisecond, func(ctx context.Context) error {
		_, _, err := cholesky(ctx, h)
		return err
	})
}
