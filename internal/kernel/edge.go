package kernel

import "math"

// Averaged over a synapse xi of mean lambda, the weight exp(x xi) of an edge,
// x = J (s - mu)(h - nu) with the offsets mu and nu of its spins, becomes
//
//	f = cosh x + lambda sinh x,   ln f = A + B s + C h + K s h.

// Edges are the edges of a network: its coupling J and the offsets mu of its
// visible units. Methods work on the edges of one hidden unit, of offset nu;
// lambda are the means of their synapses. Means and offsets are in [-1, 1].
type Edges[T Real] struct {
	j      float64
	offset []T

	sinh, cosh  float64 // of 2J
	plus, minus []T     // exp(-2 J mu h) - 1 for h = 1 and -1
}

// Set makes them those of a coupling and visible offsets.
func (e *Edges[T]) Set(coupling float64, offset []float64) {
	if n := len(offset); len(e.offset) != n {
		e.offset, e.plus, e.minus = make([]T, n), make([]T, n), make([]T, n)
	}
	e.j, e.sinh, e.cosh = coupling, math.Sinh(2*coupling), math.Cosh(2*coupling)
	for i, v := range offset {
		g := math.Expm1(2 * coupling * v)
		e.offset[i], e.plus[i], e.minus[i] = T(v), T(-g/(1+g)), T(g)
	}
}

// Couplings sets coupling[i] to K of each edge, adds B to field[i] and returns
// the sum of C. In float32 the error of each is below 7e-7 of the largest |x|;
// all tiers agree bit for bit.
func (e *Edges[T]) Couplings(coupling, field, lambda []T, nu float64) (sumC float64) {
	n := len(e.offset)
	coupling, field, lambda = coupling[:n], field[:n], lambda[:n]
	if e.short() {
		g := math.Exp(2 * e.j * nu)
		sinh, cosh := (g-1/g)/2, (g+1/g)/2 // of 2 J nu
		return use().edges(any(coupling).([]float32), any(field).([]float32), any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32), float32(2*e.j*nu),
			float32(e.sinh/e.cosh), float32(sinh/e.cosh/2), float32(cosh/e.cosh/2),
			float32(-sinh/cosh), float32(-e.sinh/cosh/2), float32(e.cosh/cosh/2),
			float32(-2*e.sinh*sinh), float32(2*e.cosh*cosh))
	}
	for i, lambda := range lambda {
		var l [4]float64
		for k, x := range e.states(i, nu) {
			l[k] = edgeLog(float64(lambda), e.j*x)
		}
		coupling[i] = T((l[0] - l[1] - l[2] + l[3]) / 4)
		field[i] += T((l[0] + l[1] - l[2] - l[3]) / 4)
		sumC += (l[0] - l[1] + l[2] - l[3]) / 4
	}
	return sumC
}

// Constant returns the sum of A. In float32 the error of each is below 2e-7.
func (e *Edges[T]) Constant(lambda []T, nu float64) (sumA float64) {
	lambda = lambda[:len(e.offset)]
	if e.short() {
		g := math.Exp(2 * e.j * nu)
		return use().edgeConstant(any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32), float32(2*e.j*nu),
			float32(e.sinh/2), float32((g-1/g)/8), float32(e.cosh/2), float32((g+1/g)/8))
	}
	for i, lambda := range lambda {
		for _, x := range e.states(i, nu) {
			sumA += edgeLog(float64(lambda), e.j*x) / 4
		}
	}
	return sumA
}

// Slopes sets byLambda[i] to the average of d ln f / d lambda over the states
// of each edge and returns the sum of the averages of d ln f / d J. s and h are
// the averages of the spins and sh those of their products. Accuracy is that of
// Couplings.
func (e *Edges[T]) Slopes(byLambda, lambda, s, sh []T, nu, h float64) (byCoupling float64) {
	n := len(e.offset)
	byLambda, lambda, s, sh = byLambda[:n], lambda[:n], s[:n], sh[:n]
	if e.short() {
		// exp(2 J s (h - nu)) - 1 from those of one spin each
		j, field := math.Expm1(2*e.j), math.Expm1(2*e.j*nu)
		inverse := func(g float64) float64 { return -g / (1 + g) }
		times := func(g, l float64) float32 { return float32(g + l + g*l) }
		return use().edgeSlopes(any(byLambda).([]float32), any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32),
			any(s).([]float32), any(sh).([]float32), float32(2*e.j*nu),
			times(j, inverse(field)), times(inverse(j), inverse(field)), times(inverse(j), field), times(j, field),
			float32((1-nu)/4), float32(-(1+nu)/4), float32(nu), float32(h))
	}
	for i, lambda := range lambda {
		s, sh := float64(s[i]), float64(sh[i])
		probability := [4]float64{(1 + s + h + sh) / 4, (1 + s - h - sh) / 4, (1 - s + h - sh) / 4, (1 - s - h + sh) / 4}
		var slope float64
		for k, y := range e.states(i, nu) {
			l, x := edgeSlope(float64(lambda), e.j*y)
			slope += probability[k] * l
			byCoupling += probability[k] * x * y
		}
		byLambda[i] = T(slope)
	}
	return byCoupling
}

// states returns (s - mu)(h - nu) of edge i for the spins s, h = (1, 1), (1, -1), (-1, 1), (-1, -1).
func (e *Edges[T]) states(i int, nu float64) [4]float64 {
	up, down := 1-float64(e.offset[i]), -(1 + float64(e.offset[i]))
	return [4]float64{up * (1 - nu), -up * (1 + nu), down * (1 - nu), -down * (1 + nu)}
}

// PlainEdges is Couplings where all offsets are 0: B and C are too, and
//
//	K = atanh(lambda tanh J).
//
// It sets coupling[i] to K.
func PlainEdges[T Real](coupling, lambda []T, j float64) {
	coupling = coupling[:len(lambda)]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j/2) { // atanh is that of K, not of 2K
		use().plainEdges(any(coupling).([]float32), lambda, float32(math.Tanh(j)))
		return
	}
	for i, lambda := range lambda {
		coupling[i] = T((edgeLog(float64(lambda), j) - edgeLog(float64(lambda), -j)) / 2)
	}
}

// PlainEdgeSlopes is Slopes where all offsets are 0; only the averages of
// products of spins count then.
func PlainEdgeSlopes[T Real](byLambda, lambda, sh []T, j float64) (byCoupling float64) {
	n := len(lambda)
	byLambda, sh = byLambda[:n], sh[:n]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j/2) {
		return use().plainEdgeSlopes(any(byLambda).([]float32), lambda, any(sh).([]float32), float32(math.Tanh(j)))
	}
	for i, lambda := range lambda {
		equal := (1 + float64(sh[i])) / 2
		l, x := edgeSlope(float64(lambda), j)
		m, y := edgeSlope(float64(lambda), -j)
		byLambda[i] = T(equal*l + (1-equal)*m)
		byCoupling += equal*x - (1-equal)*y
	}
	return byCoupling
}

// edgeLog returns ln(cosh x + lambda sinh x) without overflow.
func edgeLog(lambda, x float64) float64 {
	if x < 0 {
		lambda, x = -lambda, -x
	}
	if lambda == -1 {
		return -x
	}
	return x + math.Log((1+lambda)/2+(1-lambda)/2*math.Exp(-2*x))
}

// edgeSlope returns the derivatives of edgeLog by lambda and by x.
func edgeSlope(lambda, x float64) (byLambda, byX float64) {
	sign := 1.0
	if x < 0 {
		lambda, x, sign = -lambda, -x, -1
	}
	e := math.Exp(-2 * x)
	f := (1+lambda)/2 + (1-lambda)/2*e // (cosh x + lambda sinh x) exp(-x)
	if f == 0 {                        // lambda = -1 and e underflows
		return sign * math.Inf(1), -sign
	}
	return sign * (1 - e) / 2 / f, sign * ((1+lambda)/2 - (1-lambda)/2*e) / f
}

// In float32, hyperbolic functions of x go into those of 2J, 2J mu, 2J nu and
// y = 2 J mu nu by their addition theorems, all but the last of a unit alone.
// With w = 1 - lambda^2,
//
//	Q = (1 + lambda^2) sinh y + 2 lambda cosh y
//	R = (1 + lambda^2) cosh y + 2 lambda sinh y
//	 tanh 2K = (sinh 2J  Q + w sinh 2Jmu sinh 2Jnu) / (cosh 2J  R + w cosh 2Jmu cosh 2Jnu)
//	-tanh 2B = (sinh 2Jnu Q + w sinh 2Jmu sinh 2J) / (cosh 2Jnu R + w cosh 2Jmu cosh 2J)
//	-tanh 2C = (sinh 2Jmu Q + w sinh 2J sinh 2Jnu) / (cosh 2Jmu R + w cosh 2J cosh 2Jnu)
//
// and 2A is the sum of atanh((g-1)/(g+1)) for the g = f f' of equal and of
// opposite spins, half of what is above and below the first line, added and
// subtracted. Polynomials are minimax, evaluated one term after the other, as
// many edges are under way at a time.

// edgeLimit is the largest J for which they are good; |2A|, |2B|, |2C| and |2K| are at most 2J.
const edgeLimit = 0.3

func edgesAreShort(j float64) bool { return math.Abs(j) <= edgeLimit }

// short reports whether the methods below serve.
func (e *Edges[T]) short() bool {
	_, ok := any(e.offset).([]float32)
	return ok && edgesAreShort(e.j)
}

// edgeParts returns Q, R, w sinh 2Jmu and w cosh 2Jmu, the last two doubled,
// for exponentials plus and minus of 2J mu and the given y.
func edgeParts(lambda, plus, minus, y float32) (q, r, w, sinh, cosh float32) {
	s, c := shortSinhCosh(y)
	w = float32((1 - lambda) * (1 + lambda))
	u, l := 2-w, lambda+lambda
	q = float32(u*s) + float32(l*c)
	r = float32(u*c) + float32(l*s)
	return q, r, w, minus - plus, (plus + minus) + 2
}

func edges(coupling, field, lambda, offset, plus, minus []float32, rate, kq, kv, kd, bq, bv, bd, cn, cd float32) (sumC float64) {
	var sum laneSums
	for i, l := range lambda {
		q, r, w, sinh, cosh := edgeParts(l, plus[i], minus[i], float32(offset[i]*rate))
		c, cUnder := float32(w*cn)-float32(sinh*q), float32(cosh*r)+float32(w*cd)
		sinh, cosh = float32(sinh*w), float32(cosh*w)
		k, kUnder := float32(q*kq)+float32(sinh*kv), float32(cosh*kd)+r
		b, bUnder := float32(q*bq)+float32(sinh*bv), float32(cosh*bd)+r
		coupling[i] = halfAtanh(k / kUnder)
		field[i] += halfAtanh(b / bUnder)
		sum[i%len(sum)] += float64(halfAtanh(c / cUnder))
	}
	return sum.total()
}

// edgeConstant takes sinh 2J and cosh 2J as half of them, those of 2Jnu as a quarter.
func edgeConstant(lambda, offset, plus, minus []float32, rate, sinhJ, sinhNu, coshJ, coshNu float32) (sumA float64) {
	var sum laneSums
	for i, l := range lambda {
		q, r, w, sinh, cosh := edgeParts(l, plus[i], minus[i], float32(offset[i]*rate))
		sinh, cosh = float32(sinh*w), float32(cosh*w)
		above := float32(q*sinhJ) + float32(sinh*sinhNu)
		under := float32(r*coshJ) + float32(cosh*coshNu)
		equal, opposite := under+above, under-above
		sum[i%len(sum)] += float64(halfAtanh((equal-1)/(equal+1)) + halfAtanh((opposite-1)/(opposite+1)))
	}
	return sum.total()
}

// shortSinhCosh returns sinh y and cosh y for |y| up to 2 edgeLimit, to 5e-7 of
// y and 6e-9.
func shortSinhCosh(y float32) (sinh, cosh float32) {
	z := float32(y * y)
	sinh = float32(y * mulAdd(mulAdd(0.008433362191, z, 0.1666555006), z, 1))
	cosh = mulAdd(mulAdd(mulAdd(0.001406135974, z, 0.04166306031), z, 0.5000002142), z, 1)
	return sinh, cosh
}

// halfAtanh is (atanh s)/2 for |s| up to tanh(2 edgeLimit), to a relative error of 9e-7.
func halfAtanh(s float32) float32 {
	z := float32(s * s)
	return float32(s * mulAdd(mulAdd(mulAdd(mulAdd(0.1086859567, z, 0.05583428147), z, 0.1017461321), z, 0.1665998033), z, 0.5000004071))
}

// plainEdges is PlainEdges for |J| up to 2 edgeLimit.
func plainEdges(coupling, lambda []float32, t float32) {
	for i, lambda := range lambda {
		k := halfAtanh(float32(lambda * t))
		coupling[i] = k + k
	}
}

// plainEdgeSlopes is PlainEdgeSlopes for the same. With q = lambda t,
//
//	d(A + K sh)/d lambda = t (sh - q) / (1 - q^2)
//	d(A + K sh)/d J = ((1 - t^2) lambda sh + (1 - lambda^2) t) / (1 - q^2).
func plainEdgeSlopes(byLambda, lambda, sh []float32, t float32) float64 {
	var sum laneSums
	free := float32((1 - t) * (1 + t))
	for i, lambda := range lambda {
		q := float32(lambda * t)
		d := float32((1 - q) * (1 + q))
		byLambda[i] = float32(float32(sh[i]-q)*t) / d
		up := float32(float32(lambda*sh[i])*free) + float32(float32(float32(1-lambda)*float32(1+lambda))*t)
		sum[i%len(sum)] += float64(up / d)
	}
	return sum.total()
}

// edgeSlopes is Slopes for short edges. With G = exp 2x,
//
//	d ln f / d lambda = sinh x / f = (G - 1) / (2 + (1 + lambda)(G - 1))
//	d ln f / d x = lambda + (1 - lambda^2) d ln f / d lambda,
//
// and G - 1 comes from the same of s (h - nu), which are the arguments pp, pm,
// mp and mm for s, h = (1, 1), (1, -1), (-1, 1), (-1, -1), of -mu h and of mu nu.
// up and down are (h - nu)/4.
func edgeSlopes(byLambda, lambda, offset, plus, minus, s, sh []float32, rate, pp, pm, mp, mm, up, down, nu, h float32) float64 {
	var sum laneSums
	hPlus, hMinus := 1+h, 1-h
	for i, l := range lambda {
		o := offset[i]
		y := shortExpm1(float32(o * rate))
		gPlus := (plus[i] + y) + float32(plus[i]*y)
		gMinus := (minus[i] + y) + float32(minus[i]*y)
		equal, opposite := s[i]+sh[i], s[i]-sh[i]
		weights := [4]float32{hPlus + equal, hMinus + opposite, hPlus - equal, hMinus - opposite} // four times the probabilities
		var above, under [4]float32
		for k, v := range [4]float32{pp, pm, mp, mm} {
			e := gPlus
			if k%2 == 1 {
				e = gMinus
			}
			g := float32((e+1)*v) + e
			under[k] = float32((l+1)*g) + 2
			above[k] = float32(weights[k] * g)
		}
		var slope [4]float32 // four times the probability times d ln f / d lambda
		for k, v := range above {
			slope[k] = v / under[k]
		}
		plusSum, plusSpin := slope[0]+slope[2], slope[0]-slope[2] // the sum over s, and that with s
		minusSum, minusSpin := slope[1]+slope[3], slope[1]-slope[3]
		byLambda[i] = float32((plusSum + minusSum) * 0.25)
		away := s[i] - o // the average of (s - mu)(h - nu) is sh - mu h - nu (s - mu)
		direct := (sh[i] - float32(o*h)) - float32(away*nu)
		indirect := float32((plusSpin-float32(o*plusSum))*up) + float32((minusSpin-float32(o*minusSum))*down)
		free := float32((1 - l) * (1 + l))
		sum[i%len(sum)] += float64(float32(l*direct) + float32(free*indirect))
	}
	return sum.total()
}

// shortExpm1 is exp(y) - 1 for |y| up to 2 edgeLimit, to a relative error of 4e-7.
func shortExpm1(y float32) float32 {
	return float32(y * mulAdd(mulAdd(mulAdd(mulAdd(mulAdd(0.001406202531, y, 0.008433347313), y, 0.04166319521), y, 0.166655505), y, 0.5000001676), y, 1))
}
