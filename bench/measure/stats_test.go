package main

import (
	"math"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 8, 2}, 3}} {
		if got := median(c.x); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.x, got, c.want)
		}
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing is %v", got)
	}
	x := []float64{9, 1, 2}
	if median(x); x[0] != 9 {
		t.Error("median sorted its argument")
	}
}

// The ratio is formed in each round before the median is taken: a slow round
// slows both.
func TestMedianRatio(t *testing.T) {
	if got := medianRatio([]float64{2, 20, 6}, []float64{1, 10, 1}); got != 2 {
		t.Errorf("got %v, want 2", got)
	}
	if got := medianRatio([]float64{2, 4, 6}, []float64{1}); got != 2 {
		t.Errorf("rounds that one lacks are not left out: %v", got)
	}
}

func TestExponent(t *testing.T) {
	x := []float64{1, 2, 4, 8, 16}
	for _, want := range []float64{-1, 0, 1, 1.5} {
		y := make([]float64, len(x))
		for k := range x {
			y[k] = 3 * math.Pow(x[k], want)
		}
		if got := exponent(x, y); math.Abs(got-want) > 1e-12 {
			t.Errorf("exponent %v, want %v", got, want)
		}
	}
}
