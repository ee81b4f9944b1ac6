package kernel

import "math"

// Tanh sets dst[j] = tanh(x[j]): the standard library's in float64, in float32
// to a relative error of 5e-7. dst may be x.
func Tanh[T Real](dst, x []T) {
	dst = dst[:len(x)]
	switch x := any(x).(type) {
	case []float64:
		dst := any(dst).([]float64)
		for j, v := range x {
			dst[j] = math.Tanh(v)
		}
	case []float32:
		use().tanh(any(dst).([]float32), x)
	}
}

// tanh is x P(x^2)/Q(x^2), a minimax fit of our own of the relative error, up to
// where tanh is 1 to its accuracy.
func tanh(dst, x []float32) {
	const limit = 7.9
	for j, x := range x {
		x = clamp(x, limit)
		y := float32(x * x)
		p := mulAdd(mulAdd(mulAdd(1.153185511e-05, y, 0.002960474953), y, 0.1293441916), y, 0.9999998693)
		q := mulAdd(mulAdd(mulAdd(mulAdd(2.492552747e-07, y, 0.0002400122747), y, 0.02385409), y, 0.4626764589), y, 1)
		dst[j] = float32(x*p) / q
	}
}

// Log2Cosh returns ln 2cosh x without overflow.
func Log2Cosh(x float64) float64 {
	x = math.Abs(x)
	return x + math.Log1p(math.Exp(-2*x))
}

// AddLog2Cosh adds ln 2cosh x[l] to sum[l]. In float32 a term has a relative
// error below 3e-7.
func AddLog2Cosh[T Real](sum []float64, x []T) {
	sum = sum[:len(x)]
	switch x := any(x).(type) {
	case []float64:
		for l, v := range x {
			sum[l] += Log2Cosh(v)
		}
	case []float32:
		use().addLog2Cosh(sum, x)
	}
}

func addLog2Cosh(sum []float64, x []float32) {
	for l, v := range x {
		v = abs32(v)
		sum[l] += float64(v + lnOnePlusExp(v))
	}
}

// AddLog2CoshStep adds ln 2cosh(t x[l]) - ln 2cosh(before x[l]) to sum[l]: the
// weight a unit in field x gains between two temperatures, neither negative.
func AddLog2CoshStep[T Real](sum []float64, x []T, before, t T) {
	sum = sum[:len(x)]
	switch x := any(x).(type) {
	case []float64:
		for l, v := range x {
			sum[l] += Log2Cosh(float64(t)*v) - Log2Cosh(float64(before)*v)
		}
	case []float32:
		use().addLog2CoshStep(sum, x, float32(before), float32(t))
	}
}

func addLog2CoshStep(sum []float64, x []float32, before, t float32) {
	step := t - before
	for l, v := range x {
		v = abs32(v)
		sum[l] += float64(mulAdd(step, v, lnOnePlusExp(float32(t*v))-lnOnePlusExp(float32(before*v))))
	}
}

// lnOnePlusExp is ln(1 + exp(-2x)) for x >= 0, to an absolute error of 1e-7.
func lnOnePlusExp(x float32) float32 {
	e := exp2(float32(x * (-2 * math.Log2E)))
	s := e / (2 + e) // ln(1+e) = 2 atanh(e/(2+e)), and the argument is at most 1/3
	q := float32(s * s)
	q2 := float32(q * q)
	low := mulAdd(mulAdd(2.0/7, q, 2.0/5), q2, mulAdd(2.0/3, q, 2))
	high := mulAdd(2.0/13, q2, mulAdd(2.0/11, q, 2.0/9))
	p := mulAdd(high, float32(q2*q2), low)
	return float32(s * p)
}
