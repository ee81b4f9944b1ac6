package main

import (
	"math"
	"slices"
)

// median returns the median, NaN of nothing.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// medianRatio returns the median of x[k]/y[k], the ratio within each round, so
// that what slows a whole round down does not count.
func medianRatio(x, y []float64) float64 {
	r := make([]float64, min(len(x), len(y)))
	for k := range r {
		r[k] = x[k] / y[k]
	}
	return median(r)
}

// exponent returns the slope of ln y against ln x by least squares.
func exponent(x, y []float64) float64 {
	var mx, my, xy, xx float64
	for k := range x {
		mx += math.Log(x[k]) / float64(len(x))
		my += math.Log(y[k]) / float64(len(x))
	}
	for k := range x {
		d := math.Log(x[k]) - mx
		xy += d * (math.Log(y[k]) - my)
		xx += d * d
	}
	return xy / xx
}
