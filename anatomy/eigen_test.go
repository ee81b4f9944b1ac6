package anatomy

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"bethe/internal/contexttest"
	"bethe/stream"
)

// TestEigenvalues: they are gonum's, also of matrices of low rank and of diagonal ones.
func TestEigenvalues(t *testing.T) {
	rng := stream.New(3).Rand()
	for _, n := range []int{1, 2, 3, 17, 60} {
		for _, rank := range []int{0, 1, n} {
			a := mat.NewSymDense(n, nil)
			for range rank {
				v := mat.NewVecDense(n, nil)
				for i := range n {
					v.SetVec(i, rng.NormFloat64())
				}
				a.SymRankOne(a, rng.NormFloat64(), v)
			}
			if rank == 0 {
				for i := range n {
					a.SetSym(i, i, float64(i%3)-1)
				}
			}
			var eigen mat.EigenSym
			if !eigen.Factorize(a, false) {
				t.Fatal("no eigenvalues")
			}
			want := eigen.Values(nil)
			got, settled, err := eigenvalues(t.Context(), slices.Clone(a.RawSymmetric().Data), n)
			if err != nil || !settled {
				t.Fatal(settled, err)
			}
			for k := range got {
				if math.Abs(got[k]-want[k]) > 1e-12*(1+math.Abs(want[0])+math.Abs(want[n-1])) {
					t.Errorf("%d of rank %d: value %d is %v, not %v", n, rank, k, got[k], want[k])
				}
			}
		}
	}
	for looks := range 4 {
		if _, _, err := eigenvalues(contexttest.EndAt(looks), make([]float64, 25), 5); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}
