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
// A Gaussian average of an error function is an error function, so the mixture
// turns into one with scales sqrt(tau^2 + variance) and its error, below 1e-5
// for tanh and 1e-4 for sech^2, holds uniformly in mean and variance. sech2 is
// the exact derivative of tanh in the mean. Results may overwrite arguments.
func GaussMoments[T Real](tanh, sech2, mean, variance []T) {
	n := len(mean)
	tanh, sech2, variance = tanh[:n], sech2[:n], variance[:n]
	switch mean := any(mean).(type) {
	case []float32:
		gaussMoments32(any(tanh).([]float32), any(sech2).([]float32), mean, any(variance).([]float32))
	case []float64:
		tanh, sech2, variance := any(tanh).([]float64), any(sech2).([]float64), any(variance).([]float64)
		for j, m := range mean {
			var t, r float64
			v := variance[j]
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
// the integral over the mean of what GaussMoments calls tanh, with an error
// below 2e-5 a term.
func GaussLog2Cosh[T Real](mean, variance []T) float64 {
	var sum float64
	variance = variance[:len(mean)]
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

func gaussMoments32(tanh, sech2, mean, variance []float32) {
	for j, m := range mean {
		var t, r float32
		v := variance[j]
		for _, c := range &mixture32 {
			s := 1 / float32(math.Sqrt(float64(c.scale2+v)))
			y := abs32(m) * s * (1 / math.Sqrt2)
			e := exp32(-y * y)
			t += c.weight * (1 - erfcScaled32(y)*e)
			r += c.slope * s * e
		}
		if m < 0 {
			t = -t
		}
		tanh[j], sech2[j] = t, r
	}
}

// erfcScaled32 is erfc(y) exp(y^2) for y >= 0, such that erf is good to 2e-7
// absolute (Abramowitz and Stegun 7.1.26).
func erfcScaled32(y float32) float32 {
	t := 1 / (1 + 0.3275911*y)
	return t * (0.254829592 + t*(-0.284496736+t*(1.421413741+t*(-1.453152027+t*1.061405429))))
}

func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

var mixture32 = func() (m [4]struct{ weight, scale2, slope float32 }) {
	for k, c := range mixture {
		m[k].weight, m[k].scale2, m[k].slope = float32(c.weight), float32(c.scale*c.scale), float32(c.weight*rootTwoOverPi)
	}
	return m
}()

// Tanh sets dst[j] = tanh(x[j]): the standard library's in float64, in float32
// to an absolute error of 3e-7. dst may be x.
func Tanh[T Real](dst, x []T) {
	dst = dst[:len(x)]
	switch x := any(x).(type) {
	case []float64:
		dst := any(dst).([]float64)
		for j, v := range x {
			dst[j] = math.Tanh(v)
		}
	case []float32:
		dst := any(dst).([]float32)
		for j, v := range x {
			dst[j] = tanh32(v)
		}
	}
}

// tanh32 uses the [13/6] rational approximation of the Eigen library, which is
// exact to float32 up to where tanh rounds to 1.
func tanh32(x float32) float32 {
	const limit = 7.90531110763549805
	x = max(-limit, min(limit, x))
	y := x * x
	p := float32(-2.76076847742355e-16)
	p = p*y + 2.00018790482477e-13
	p = p*y + -8.60467152213735e-11
	p = p*y + 5.12229709037114e-08
	p = p*y + 1.48572235717979e-05
	p = p*y + 6.37261928875436e-04
	p = p*y + 4.89352455891786e-03
	q := float32(1.19825839466702e-06)
	q = q*y + 1.18534705686654e-04
	q = q*y + 2.26843463243900e-03
	q = q*y + 4.89352518554385e-03
	return x * p / q
}

// Log2Cosh returns ln 2cosh x without overflow.
func Log2Cosh(x float64) float64 {
	x = math.Abs(x)
	return x + math.Log1p(math.Exp(-2*x))
}

// AddLog2CoshStep adds ln 2cosh(t x[l]) - ln 2cosh(before x[l]) to sum[l]: the
// weight a unit in field x gains between two temperatures.
func AddLog2CoshStep[T Real](sum []float64, x []T, before, t T) {
	sum = sum[:len(x)]
	switch x := any(x).(type) {
	case []float64:
		for l, v := range x {
			sum[l] += Log2Cosh(float64(t)*v) - Log2Cosh(float64(before)*v)
		}
	case []float32:
		for l, v := range x {
			sum[l] += float64(log2Cosh32(float32(t)*v) - log2Cosh32(float32(before)*v))
		}
	}
}

// log2Cosh32 is ln 2cosh in float32, to a relative error of 2e-7.
func log2Cosh32(x float32) float32 {
	x = abs32(x)
	e := exp32(-2 * x)
	s := e / (2 + e) // ln(1+e) = 2 atanh(e/(2+e)), and the argument is at most 1/3
	q := s * s
	p := float32(2.0 / 13)
	p = p*q + 2.0/11
	p = p*q + 2.0/9
	p = p*q + 2.0/7
	p = p*q + 2.0/5
	p = p*q + 2.0/3
	return x + s*(p*q+2)
}
