package kernel

import "math"

// tanh(x) is to 9.5e-6 a mixture of error functions, sum of w erf(x/(sqrt2 tau))
// (the logistic function as a scale mixture of normals: Monahan and Stefanski,
// in Handbook of the Logistic Distribution, 1992). Weights and scales are a
// minimax fit of our own, by iteratively reweighted least squares on [0, 12].
var mixture = [4]struct{ weight, scale float64 }{
	{0.10649961621292248, 0.4886941876086139},
	{0.4583611018421914, 0.7155390107463702},
	{0.3741883837381062, 1.0523490994401727},
	{0.06095089820677979, 1.5573179058196276},
}

// GaussMoments computes, for each j and a standard normal z,
//
//	tanh[j]  = E tanh(mean[j] + sqrt(variance[j]) z)
//	sech2[j] = E sech^2(mean[j] + sqrt(variance[j]) z).
//
// In float32 the error of both is below 4e-6, 0 <= sech2 and |tanh| <= 1. In float64
// a Gaussian average of an error function is an error function, so the mixture
// turns into one with scales sqrt(tau^2 + variance) and its error, below 1e-5
// for tanh and 1e-4 for sech^2, holds uniformly in mean and variance. sech2 is
// the exact derivative of tanh in the mean. Results may overwrite arguments. A
// single variance is that of all, which is faster and gives the same numbers.
func GaussMoments[T Real](tanh, sech2, mean, variance []T) {
	n := len(mean)
	tanh, sech2 = tanh[:n], sech2[:n]
	alike := len(variance) == 1
	if !alike {
		variance = variance[:n]
	}
	switch mean := any(mean).(type) {
	case []float32:
		tanh, sech2, variance := any(tanh).([]float32), any(sech2).([]float32), any(variance).([]float32)
		if alike {
			use().gaussMomentsAlike(tanh, sech2, mean, variance[0])
		} else {
			use().gaussMoments(tanh, sech2, mean, variance)
		}
	case []float64:
		tanh, sech2, variance := any(tanh).([]float64), any(sech2).([]float64), any(variance).([]float64)
		var v float64
		if alike {
			v = variance[0]
		}
		for j, m := range mean {
			var t, r float64
			if !alike {
				v = variance[j]
			}
			for _, c := range &mixture {
				s := 1 / math.Sqrt(c.scale*c.scale+v)
				y := m * s * (1 / math.Sqrt2)
				t += c.weight * math.Erf(y)
				r += c.weight * s * math.Exp(-y*y)
			}
			tanh[j], sech2[j] = t, r*rootTwoOverPi
		}
	}
}

// GaussLog2Cosh returns the sum over j of E ln 2cosh(mean[j] + sqrt(variance[j]) z):
// the integral over the mean of the average that GaussMoments calls tanh, with an error
// below 2e-5 in each term. Terms in float32 are added up in float64.
func GaussLog2Cosh[T Real](mean, variance []T) float64 {
	variance = variance[:len(mean)]
	if mean, ok := any(mean).([]float32); ok {
		return use().gaussLog2Cosh(mean, any(variance).([]float32))
	}
	var sum float64
	for j, m := range mean {
		m, v := float64(m), float64(variance[j])
		for _, c := range &mixture {
			scale := math.Sqrt(c.scale*c.scale + v)
			y := m / scale * (1 / math.Sqrt2)
			sum += c.weight * (m*math.Erf(y) + scale*rootTwoOverPi*math.Exp(-y*y))
		}
	}
	return sum
}

const rootTwoOverPi = 0.797884560802865355879892119868763736951717

func gaussLog2Cosh(mean, variance []float32) float64 {
	var sum laneSums
	for j, m := range mean {
		var t, r float32
		abs, v := abs32(m), variance[j]
		for k := range mixture32 {
			c := &mixture32[k]
			scale, erf, exp := c.error(abs, v)
			t += float32(c.weight * erf)
			r += float32(float32(c.slope*scale) * exp)
		}
		sum[j%len(sum)] += float64(mulAdd(abs, t, r))
	}
	return sum.total()
}

// laneSums are partial sums, element j of a slice going to j%8, which all
// versions of a sum keep and add up in the same order.
type laneSums [8]float64

func (s *laneSums) total() float64 {
	for n := len(s) / 2; n > 0; n /= 2 {
		for l := range n {
			s[l] += s[l+n]
		}
	}
	return s[0]
}

// A component is one error function of the mixture, in float32.
type component struct{ weight, scale2, slope float32 }

// error returns, for the component widened by variance v, its scale, erf(y) and
// exp(-y^2) at y = x/(sqrt2 scale), x >= 0. The error function is good to 2e-7
// (Abramowitz and Stegun 7.1.26: a polynomial of 1/(1+cy) times exp(-y^2)).
func (c *component) error(x, v float32) (scale, erf, exp float32) {
	scale = float32(math.Sqrt(float64(c.scale2 + v)))
	u := scale + float32(x*(0.3275911/math.Sqrt2))
	r := 1 / float32(scale*u)
	t := float32(float32(scale*r) * scale) // scale/u
	y := float32(x * float32(r*u))
	exp = exp2(float32(float32(y*y) * (-0.5 * math.Log2E)))
	t2 := float32(t * t)
	p := mulAdd(1.061405429, t2, mulAdd(-1.453152027, t, 1.421413741))
	p = mulAdd(p, t2, mulAdd(-0.284496736, t, 0.254829592))
	erf = 1 - float32(float32(p*t)*exp)
	return scale, erf, exp
}

var mixture32 = func() (m [4]component) {
	for k, c := range mixture {
		m[k] = component{float32(c.weight), float32(c.scale * c.scale), float32(c.weight * rootTwoOverPi)}
	}
	return m
}()
