package unitstest

import (
	"context"
	"fmt"

	"bethe/dual"
	"bethe/rbm"
	"bethe/units"
)

// polynomial is a kind of hidden unit whose averages are polynomials of the mean and
// the variance: phi = sum_k (f_k^4/96 + f_k^2/4) + sum_{k<l} f_k f_l/4.
type polynomial[T units.Real] struct{ together int }

// Kind implements units.Hidden.
func (polynomial[T]) Kind() string { return "polynomial" }

// Together implements units.Hidden.
func (h polynomial[T]) Together() int { return h.together }

// OffsetLimit implements units.Hidden.
func (polynomial[T]) OffsetLimit() float64 { return 10 }

// whole panics unless arguments are whole units.
func (h polynomial[T]) whole(m int, rows ...[]T) {
	for _, x := range rows {
		if len(x) != h.together*m {
			panic(fmt.Sprintf("unitstest: %d numbers for units of %d features in %d samples: a block parts them", len(x), h.together, m))
		}
	}
}

// Averages implements units.Hidden.
func (h polynomial[T]) Averages(first, second, mean, variance []T, m int) {
	h.whole(m, first, second, mean)
	v := func(k, a int) T { return variance[k*m+a] }
	if len(variance) == h.together {
		v = func(k, _ int) T { return variance[k] }
	} else {
		h.whole(m, variance)
	}
	for a := range m {
		var total T
		for k := range h.together {
			total += mean[k*m+a]
		}
		f, r := make([]T, h.together), make([]T, h.together)
		for k := range f {
			x, variance := mean[k*m+a], v(k, a)
			f[k] = (x*x*x+3*x*variance)/24 + x/2 + (total-x)/4
			r[k] = (x*x+variance)/8 + T(0.5)
		}
		for k := range f {
			first[k*m+a], second[k*m+a] = f[k], r[k]
		}
	}
}

// Value implements units.Hidden.
func (h polynomial[T]) Value(mean, variance []T, m int) float64 {
	h.whole(m, mean, variance)
	sum := 0.0
	for a := range m {
		sum += h.value(fields{widen(column(mean, h.together, m, a)), widen(column(variance, h.together, m, a))})
	}
	return sum
}

// value is E phi.
func (h polynomial[T]) value(c fields) (sum float64) {
	for k, m := range c.mean {
		v := c.variance[k]
		sum += (m*m*m*m+6*m*m*v+3*v*v)/96 + (m*m+v)/4
		for _, o := range c.mean[:k] {
			sum += m * o / 4
		}
	}
	return sum
}

// linear is a partition term with constant derivatives: linearSlope by everything, and by
// synapse k of all, hidden x visible, k times that.
type linear[T rbm.Real] struct{}

const linearSlope = 0.125

// Serves implements dual.Partition.
func (linear[T]) Serves(dual.Form) error { return nil }

// Rows implements dual.Partition.
func (linear[T]) Rows(_ context.Context, grad *dual.Gradient[T], params *rbm.Params, _ []T) (dual.Row[T], dual.Report, error) {
	for _, x := range [][]float64{grad.VisibleField, grad.HiddenField, grad.Coupling, grad.VisibleOwn} {
		for k := range x {
			x[k] = linearSlope
		}
	}
	n := params.Visible()
	return func(dst []T, byCoupling []float64, mu int) {
		for i := range dst {
			dst[i] = T(linearSlope * float64(mu*n+i))
		}
		for k := range byCoupling {
			byCoupling[k] += linearSlope
		}
	}, dual.Report{Engine: "linear"}, nil
}
