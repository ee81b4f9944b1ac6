package unitstest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"bethe/stream"
	"bethe/units"
)

// Accuracy is how far E phi, E phi' and E phi” may be from the exact averages, as a share
// of them where they are above 1. This suite itself is good to 1e-8.
type Accuracy struct{ Value, First, Second float64 }

// Hidden compares a kind of hidden unit with phi(f) = ln sum_y exp(f y), a function of
// the fields of the features of one unit. It compares E phi, E phi' and E phi” with quadrature,
// and the latter two also with differences of Value. Each call of hidden returns a new instance.
func Hidden[T units.Real](t *testing.T, hidden func() units.Hidden[T], phi func(f []float64) float64, accuracy Accuracy) {
	t.Helper()
	HiddenValue(t, hidden, phi, accuracy)
	h := hidden()
	together := h.Together()
	for _, c := range fieldCases(together) {
		first, second := make([]T, together), make([]T, together)
		h.Averages(first, second, narrow[T](c.mean), narrow[T](c.variance), 1)
		for k := range together {
			slope, curvature := derivatives(phi, c, k)
			near(t, fmt.Sprintf("E phi' of feature %d in fields %+v", k, c), float64(first[k]), slope, accuracy.First)
			near(t, fmt.Sprintf("E phi'' of feature %d in fields %+v", k, c), float64(second[k]), curvature, accuracy.Second)
		}
		if is32[T]() {
			continue // no differences in single precision
		}
		value := func() float64 { return h.Value(narrow[T](c.mean), narrow[T](c.variance), 1) }
		for k := range together {
			near(t, fmt.Sprintf("E phi' of feature %d in fields %+v, against differences of Value,", k, c), float64(first[k]), difference(value, &c.mean[k], 1e-2), accuracy.First+accuracy.Value)
			if c.variance[k] > 0.05 {
				near(t, fmt.Sprintf("E phi'' of feature %d in fields %+v, against differences of Value,", k, c), float64(second[k]), 2*difference(value, &c.variance[k], 1e-2), accuracy.Second+accuracy.Value)
			}
		}
	}
}

// HiddenValue is Hidden but for E phi' and E phi”, for a kind that puts something else in
// their place: it holds E phi against quadrature, and Averages to the layout that it is asked for.
func HiddenValue[T units.Real](t *testing.T, hidden func() units.Hidden[T], phi func(f []float64) float64, accuracy Accuracy) {
	t.Helper()
	h := hidden()
	together := h.Together()
	if h.Kind() == "" || together < 1 || !(h.OffsetLimit() >= 0) {
		t.Fatalf("kind %q of %d features with offsets within ±%v", h.Kind(), together, h.OffsetLimit())
	}
	for _, c := range fieldCases(together) {
		near(t, fmt.Sprintf("E phi in fields %+v", c), h.Value(narrow[T](c.mean), narrow[T](c.variance), 1), average(phi, c), accuracy.Value)
	}
	for _, m := range []int{1, 3, 70} {
		layout(t, h, m)
	}
}

// layout holds averages of m samples at once to those of one at a time.
func layout[T units.Real](t *testing.T, h units.Hidden[T], m int) {
	t.Helper()
	together := h.Together()
	rng := rand.New(rand.NewPCG(uint64(m), 3))
	mean, variance := make([]T, together*m), make([]T, together*m)
	for k := range mean {
		mean[k], variance[k] = T(2*rng.NormFloat64()), T(2*rng.Float64())
	}
	averages := func(mean, variance []T, m int) (first, second []T) {
		first, second = make([]T, together*m), make([]T, together*m)
		h.Averages(first, second, mean, variance, m)
		return first, second
	}
	first, second := averages(mean, variance, m)
	value := h.Value(mean, variance, m)
	sum := 0.0
	for a := range m {
		oneMean, oneVariance := column(mean, together, m, a), column(variance, together, m, a)
		oneFirst, oneSecond := averages(oneMean, oneVariance, 1)
		same(t, "E phi' of one sample of many", column(first, together, m, a), oneFirst)
		same(t, "E phi'' of one sample of many", column(second, together, m, a), oneSecond)
		sum += h.Value(oneMean, oneVariance, 1)
	}
	near(t, fmt.Sprintf("the value of %d samples", m), value, sum, 1e-6)

	alike, whole := make([]T, together), make([]T, together*m) // one variance a row
	for k := range alike {
		alike[k] = T(rng.Float64())
		for a := range m {
			whole[k*m+a] = alike[k]
		}
	}
	wantFirst, wantSecond := averages(mean, whole, m)
	gotFirst, gotSecond := averages(mean, alike, m)
	same(t, "E phi' of one variance for all samples", gotFirst, wantFirst)
	same(t, "E phi'' of one variance for all samples", gotSecond, wantSecond)

	overFirst, overSecond := append([]T(nil), mean...), append([]T(nil), variance...)
	h.Averages(overFirst, overSecond, overFirst, overSecond, m)
	same(t, "E phi' written over the means", overFirst, first)
	same(t, "E phi'' written over the variances", overSecond, second)
}

// column is sample a of rows x m numbers.
func column[T units.Real](x []T, rows, m, a int) []T {
	c := make([]T, rows)
	for k := range c {
		c[k] = x[k*m+a]
	}
	return c
}

// fields are those of one unit.
type fields struct{ mean, variance []float64 }

// fieldCases are fields of units of so many features.
func fieldCases(together int) (cases []fields) {
	rng := rand.New(rand.NewPCG(uint64(together), 4))
	for _, mean := range []float64{0, 0.7, -2.5} {
		for _, variance := range []float64{0, 0.1, 1, 3} {
			c := fields{make([]float64, together), make([]float64, together)}
			for k := range together {
				c.mean[k], c.variance[k] = mean, variance
				if k > 0 {
					c.mean[k], c.variance[k] = mean+rng.NormFloat64(), variance*rng.Float64()
				}
			}
			cases = append(cases, c)
		}
	}
	return cases
}

// average is E f of independent Gaussian fields, by the trapezoid rule in every one of
// them, whose error falls exponentially.
func average(f func(x []float64) float64, c fields) float64 {
	step := 0.1
	if len(c.mean) > 1 {
		step = 0.5
	}
	x := make([]float64, len(c.mean))
	var over func(k int) float64
	over = func(k int) float64 {
		if k == len(x) {
			return f(x)
		}
		deviation := math.Sqrt(c.variance[k])
		if deviation == 0 {
			x[k] = c.mean[k]
			return over(k + 1)
		}
		var sum, weights float64
		for at := -9.0; at <= 9; at += step {
			w := math.Exp(-at * at / 2)
			x[k] = c.mean[k] + deviation*at
			sum += w * over(k+1)
			weights += w
		}
		return sum / weights
	}
	return over(0)
}

// derivatives are E of the first and second derivatives of phi by feature k.
func derivatives(phi func(f []float64) float64, c fields, k int) (first, second float64) {
	const e = 1e-2
	at := func(f []float64, by float64) float64 {
		x := f[k]
		defer func() { f[k] = x }()
		f[k] += by * e
		return phi(f)
	}
	first = average(func(f []float64) float64 {
		return (8*(at(f, 1)-at(f, -1)) - (at(f, 2) - at(f, -2))) / (12 * e)
	}, c)
	second = average(func(f []float64) float64 {
		return (16*(at(f, 1)+at(f, -1)) - (at(f, 2) + at(f, -2)) - 30*phi(f)) / (12 * e * e)
	}, c)
	return first, second
}

// Estimates holds the estimates of hidden units (units.Estimating) to what Averages of exact gives: their means
// over so many draws of each of twelve fields lie within six standard errors and 1e-5, a false alarm once in 10^7
// runs for a few features. Equal keys give equal estimates, other keys others.
func Estimates[T units.Real](t *testing.T, hidden, exact units.Hidden[T], draws int) {
	t.Helper()
	h, ok := hidden.(units.Estimating[T])
	if !ok {
		t.Fatalf("units of kind %s do not estimate averages", hidden.Kind())
	}
	together := hidden.Together()
	numbers := func(n int) []T { return make([]T, n) }
	for c, f := range fieldCases(together) {
		mean, variance, first, second := numbers(together*draws), numbers(together*draws), numbers(together*draws), numbers(together*draws)
		wantFirst, wantSecond := numbers(together), numbers(together)
		exact.Averages(wantFirst, wantSecond, narrow[T](f.mean), narrow[T](f.variance), 1)
		for k := range together {
			for a := range draws {
				mean[k*draws+a], variance[k*draws+a] = T(f.mean[k]), T(f.variance[k])
			}
		}
		h.Estimate(first, second, mean, variance, draws, stream.New(uint64(c)))
		for k := range together {
			unbiased(t, fmt.Sprintf("E phi' of feature %d in fields %+v", k, f), first[k*draws:(k+1)*draws], wantFirst[k])
			unbiased(t, fmt.Sprintf("E phi'' of feature %d in fields %+v", k, f), second[k*draws:(k+1)*draws], wantSecond[k])
		}
		again, other, rest := numbers(together*draws), numbers(together*draws), numbers(together*draws)
		h.Estimate(again, rest, mean, variance, draws, stream.New(uint64(c)))
		same(t, "estimates of the same key", again, first)
		h.Estimate(other, rest, mean, variance, draws, stream.New(uint64(c+1000)))
		if slices.Max(f.variance) > 0 && slices.Equal(other, first) {
			t.Errorf("fields %+v: another key gives the same estimates", f)
		}
	}
}

// unbiased fails unless the mean of draws may be want.
func unbiased[T units.Real](t *testing.T, what string, draws []T, want T) {
	t.Helper()
	var sum, squares float64
	for _, v := range draws {
		d := float64(v - want)
		sum += d
		squares += d * d
	}
	n := float64(len(draws))
	if off := sum / n; math.Abs(off) > 6*math.Sqrt(squares)/n+1e-5 {
		t.Errorf("%s: estimates around %v are off by %v, with a standard error of %v", what, want, off, math.Sqrt(squares)/n)
	}
}
