package thermo

import (
	"fmt"
	"math"
)

// BAR returns ln Z1/Z0 by Bennett's acceptance ratio (J. Comput. Phys. 22, 245, 1976) from
// the gains of log-weights (minus works, in units of kT) of paths in both directions.
// forward are of paths that start in equilibrium at 0 and lead to 1. reverse are of paths
// that start in equilibrium at 1 and lead to 0, seen forward: minus what such a path gains.
// The standard error is Bennett's, for independent paths. There must be one path in each
// direction at least.
//
// The estimate is the root z of sum f(M - x + z) over forward = sum f(-(M - x + z)) over
// reverse, with f(y) = 1/(1 + exp y) and M = ln n_forward/n_reverse. It is consistent;
// of few paths it is not unbiased.
func BAR(forward, reverse []float64) (lnRatio, standardError float64) {
	if len(forward) == 0 || len(reverse) == 0 {
		panic(fmt.Sprintf("thermo: BAR of %d forward and %d reverse paths", len(forward), len(reverse)))
	}
	m := math.Log(float64(len(forward)) / float64(len(reverse)))
	low, high := math.Inf(1), math.Inf(-1)
	for _, list := range [][]float64{forward, reverse} {
		for _, x := range list {
			low, high = min(low, x), max(high, x)
		}
	}
	if math.IsNaN(low+high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return math.NaN(), math.NaN()
	}
	low, high = low-math.Abs(m)-1, high+math.Abs(m)+1
	excess := func(z float64) (value, slope float64) { // falls with z
		for _, x := range forward {
			f := fermi(m - x + z)
			value += f
			slope -= f * (1 - f)
		}
		for _, x := range reverse {
			f := fermi(x - z - m)
			value -= f
			slope -= f * (1 - f)
		}
		return value, slope
	}
	for { // the root may lie outside where one direction has far more paths
		if v, _ := excess(low); v >= 0 {
			break
		}
		low -= high - low
	}
	for {
		if v, _ := excess(high); v <= 0 {
			break
		}
		high += high - low
	}
	z := low + (high-low)/2
	for range 200 { // Newton's steps, halved where they leave the bracket
		value, slope := excess(z)
		if value == 0 {
			break
		}
		if value > 0 {
			low = z
		} else {
			high = z
		}
		next := z - value/slope
		if math.Abs(next-z) <= 1e-15*max(1, math.Abs(z)) { // first: at the root rounding may step out of the bracket
			z = next
			break
		}
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		z = next
	}
	return z, math.Sqrt(relativeVariance(forward, func(x float64) float64 { return fermi(m - x + z) }) +
		relativeVariance(reverse, func(x float64) float64 { return fermi(x - z - m) }))
}

// relativeVariance returns (<f^2>/<f>^2 - 1)/n.
func relativeVariance(list []float64, f func(x float64) float64) float64 {
	var once, twice float64
	for _, x := range list {
		v := f(x)
		once += v
		twice += v * v
	}
	n := float64(len(list))
	if once == 0 {
		return math.Inf(1) // the directions do not overlap at all
	}
	return max(0, twice*n/(once*once)-1) / n
}

// fermi is 1/(1 + exp x).
func fermi(x float64) float64 {
	if x > 0 {
		e := math.Exp(-x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(x))
}

// CrooksSlope returns the slope of ln P_F(W)/P_R(W) against the work W, its standard error, and
// by how many standard deviations it differs from 1. The arguments are those of BAR. The slope is 1 if both
// directions start in equilibrium and weigh the same steps (Crooks, Phys. Rev. E 60, 2721,
// 1999). A logistic regression that tells directions apart by their gains finds it (Shirts, Bair, Hooker and
// Pande 2003); BAR is the same regression with slope 1. The deviations are the signed root of the deviance of slope 1:
// a standard normal number if the slope is 1. All are NaN if there is
// no best slope: if the directions do not overlap, or if all gains are equal.
func CrooksSlope(forward, reverse []float64) (slope, standardError, deviations float64) {
	nan := math.NaN()
	if len(forward) < 2 || len(reverse) < 2 {
		return nan, nan, nan
	}
	all := append(append([]float64(nil), forward...), reverse...)
	mean, spread := 0.0, 0.0
	for _, x := range all {
		mean += x / float64(len(all))
	}
	for _, x := range all {
		spread += (x - mean) * (x - mean) / float64(len(all))
	}
	if spread = math.Sqrt(spread); !(spread > 1e-9*max(1, math.Abs(mean))) || math.IsInf(spread, 0) {
		return nan, nan, nan
	}
	a, b := 0.0, -spread // logit P(forward | x) = a + b (x - mean)/spread
	for range 100 {
		var ga, gb, haa, hab, hbb float64
		for k, x := range all {
			u := (x - mean) / spread
			p := fermi(-(a + b*u))
			y := 0.0
			if k < len(forward) {
				y = 1
			}
			w := p * (1 - p)
			ga, gb = ga+y-p, gb+(y-p)*u
			haa, hab, hbb = haa+w, hab+w*u, hbb+w*u*u
		}
		det := haa*hbb - hab*hab
		if !(det > 1e-12*haa*hbb) || haa < 1e-6 {
			return nan, nan, nan
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		if step := max(math.Abs(da), math.Abs(db)); step > 4 {
			da, db = da*4/step, db*4/step
		} else if step < 1e-12*max(1, math.Abs(a), math.Abs(b)) {
			slope = -b / spread
			z, _ := BAR(forward, reverse)
			m := math.Log(float64(len(forward)) / float64(len(reverse)))
			gain := 0.0 // of ln likelihood over slope 1
			for k, x := range all {
				fit, one := a+b*(x-mean)/spread, m-x+z
				if k >= len(forward) {
					fit, one = -fit, -one
				}
				gain += softplus(-one) - softplus(-fit)
			}
			return slope, math.Sqrt(haa/det) / spread, math.Copysign(math.Sqrt(max(0, 2*gain)), slope-1)
		}
		a, b = a+da, b+db
		if math.Abs(b) > 1e4 {
			return nan, nan, nan
		}
	}
	return nan, nan, nan
}

// softplus is ln(1 + exp x).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
