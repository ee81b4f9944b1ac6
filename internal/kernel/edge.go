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
	if f := e.short(); f != nil {
		g := math.Exp(2 * e.j * nu)
		sinh, cosh := (g-1/g)/2, (g+1/g)/2 // of 2 J nu
		return f.couplings(any(coupling).([]float32), any(field).([]float32), any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32), float32(2*e.j*nu),
			float32(e.sinh/e.cosh), float32(sinh/e.cosh/2), float32(cosh/e.cosh/2),
			float32(-sinh/cosh), float32(-e.sinh/cosh/2), float32(e.cosh/cosh/2),
			float32(-2*e.sinh*sinh), float32(2*e.cosh*cosh))
	}
	for i, lambda := range lambda {
		var l [4]float64
		for k, x := range e.states(i, nu) {
			l[k] = EdgeLog(float64(lambda), e.j*x)
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
	if f := e.short(); f != nil {
		g := math.Exp(2 * e.j * nu)
		return f.constant(any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32), float32(2*e.j*nu),
			float32(e.sinh/2), float32((g-1/g)/8), float32(e.cosh/2), float32((g+1/g)/8))
	}
	for i, lambda := range lambda {
		for _, x := range e.states(i, nu) {
			sumA += EdgeLog(float64(lambda), e.j*x) / 4
		}
	}
	return sumA
}

// Slopes sets byLambda[i] to the average of d ln f / d lambda over the states
// of each edge and returns the sum of the averages of d ln f / d J. s and h are
// the averages of the spins and sh those of their products. In float32 the error
// of an average is below 2e-6 of the largest |x| or of itself, whichever is larger,
// and 5e-6 for J above 0.1.
func (e *Edges[T]) Slopes(byLambda, lambda, s, sh []T, nu, h float64) (byCoupling float64) {
	n := len(e.offset)
	byLambda, lambda, s, sh = byLambda[:n], lambda[:n], s[:n], sh[:n]
	if f := e.short(); f != nil {
		// exp(2 J s (h - nu)) - 1 from those of one spin each
		j, field := math.Expm1(2*e.j), math.Expm1(2*e.j*nu)
		inverse := func(g float64) float64 { return -g / (1 + g) }
		times := func(g, l float64) float32 { return float32(g + l + g*l) }
		return f.slopes(any(byLambda).([]float32), any(lambda).([]float32),
			any(e.offset).([]float32), any(e.plus).([]float32), any(e.minus).([]float32),
			any(s).([]float32), any(sh).([]float32), float32(2*e.j*nu),
			times(j, inverse(field)), times(inverse(j), inverse(field)), times(inverse(j), field), times(j, field),
			float32((1-nu)/4), float32(-(1+nu)/4), float32(nu), float32(h), float32(1+h), float32(1-h))
	}
	for i, lambda := range lambda {
		s, sh := float64(s[i]), float64(sh[i])
		probability := [4]float64{(1 + s + h + sh) / 4, (1 + s - h - sh) / 4, (1 - s + h - sh) / 4, (1 - s - h + sh) / 4}
		var slope float64
		for k, y := range e.states(i, nu) {
			l, x := EdgeSlope(float64(lambda), e.j*y)
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
	if lambda, ok := any(lambda).([]float32); ok {
		if f := shortEdges(j / 2); f != nil { // whose atanh is that of K, not of 2K
			f.plain(any(coupling).([]float32), lambda, float32(math.Tanh(j)))
			return
		}
	}
	for i, lambda := range lambda {
		coupling[i] = T((EdgeLog(float64(lambda), j) - EdgeLog(float64(lambda), -j)) / 2)
	}
}

// PlainEdgeSlopes is Slopes where all offsets are 0; only the averages of
// products of spins count then.
func PlainEdgeSlopes[T Real](byLambda, lambda, sh []T, j float64) (byCoupling float64) {
	n := len(lambda)
	byLambda, sh = byLambda[:n], sh[:n]
	if lambda, ok := any(lambda).([]float32); ok && shortEdges(j/2) != nil {
		return use().plainEdgeSlopes(any(byLambda).([]float32), lambda, any(sh).([]float32), float32(math.Tanh(j)))
	}
	for i, lambda := range lambda {
		equal := (1 + float64(sh[i])) / 2
		l, x := EdgeSlope(float64(lambda), j)
		m, y := EdgeSlope(float64(lambda), -j)
		byLambda[i] = T(equal*l + (1-equal)*m)
		byCoupling += equal*x - (1-equal)*y
	}
	return byCoupling
}

// EdgeLog returns ln(cosh x + lambda sinh x) without overflow.
func EdgeLog(lambda, x float64) float64 {
	if x < 0 {
		lambda, x = -lambda, -x
	}
	if lambda == -1 {
		return -x
	}
	return x + math.Log((1+lambda)/2+(1-lambda)/2*math.Exp(-2*x))
}

// EdgeSlope returns the derivatives of EdgeLog by lambda and by x.
func EdgeSlope(lambda, x float64) (byLambda, byX float64) {
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
// opposite spins, half of the terms above and below the first line, added and
// subtracted. Polynomials are minimax, evaluated one term after the other, as
// many edges are under way at a time.

// An edgeRange are the polynomials of couplings up to a limit.
type edgeRange struct {
	limit       float64   // of J; |2A|, |2B|, |2C| and |2K| are at most 2J
	atanh       []float32 // of s^2: (atanh s)/(2 s) up to tanh 2J
	sinh, cosh  []float32 // of y^2: (sinh y)/y and cosh y up to 2J
	exponential []float32 // of y: (exp(y) - 1)/y up to 2J
}

// edgeRanges are of digits, whose couplings are small, and of all that is short.
// Coefficients go from the highest power to the lowest. Relative errors in float32
// are below 5e-7.
var edgeRanges = [2]edgeRange{{
	limit:       0.1,
	atanh:       []float32{0.1043275577, 0.1666026689, 0.5000001394},
	sinh:        []float32{0.008344390535, 0.1666665298, 1},
	cosh:        []float32{0.04174408131, 0.4999990416, 1},
	exponential: []float32{0.008346128528, 0.0417360211, 0.1666664709, 0.4999993096, 1},
}, {
	limit:       0.5,
	atanh:       []float32{0.6708923727, -1.044833446, 0.8303064101, -0.2672417473, 0.1251786643, 0.06292658394, 0.100512289, 0.1666548989, 0.5000000442},
	sinh:        []float32{0.0002037740442, 0.008330211424, 0.1666671825, 1},
	cosh:        []float32{0.001437277978, 0.04163846158, 0.5000046628, 1},
	exponential: []float32{2.54826866e-05, 0.0002037728783, 0.001388329083, 0.008330213007, 0.04166683596, 0.166667182, 0.4999999871, 1},
}}

// edgeFunctions are those of an edgeRange.
type edgeFunctions struct {
	couplings func(coupling, field, lambda, offset, plus, minus []float32, rate, kq, kv, kd, bq, bv, bd, cn, cd float32) float64
	constant  func(lambda, offset, plus, minus []float32, rate, sinhJ, sinhNu, coshJ, coshNu float32) float64
	slopes    func(byLambda, lambda, offset, plus, minus, s, sh []float32, rate, pp, pm, mp, mm, up, down, nu, h, hUp, hDown float32) float64
	plain     func(coupling, lambda []float32, t float32)
}

// shortEdges returns the functions that serve a coupling, nil where none do.
func shortEdges(j float64) *edgeFunctions {
	for k := range edgeRanges {
		if math.Abs(j) <= edgeRanges[k].limit {
			return &use().edges[k]
		}
	}
	return nil
}

// short returns the functions that serve, nil where none do.
func (e *Edges[T]) short() *edgeFunctions {
	if _, ok := any(e.offset).([]float32); ok {
		return shortEdges(e.j)
	}
	return nil
}

// portableEdges are the portable functions of a range.
func portableEdges(r *edgeRange) edgeFunctions {
	return edgeFunctions{r.couplings, r.constant, r.slopes, r.plain}
}

// parts returns Q, R, w, sinh 2Jmu and cosh 2Jmu, the last two doubled,
// for exponentials plus and minus of 2J mu and the given y.
func (r *edgeRange) parts(lambda, plus, minus, y float32) (q, v, w, sinh, cosh float32) {
	z := float32(y * y)
	s, c := float32(y*horner(r.sinh, z)), horner(r.cosh, z)
	w = float32((1 - lambda) * (1 + lambda))
	u, l := 2-w, lambda+lambda
	q = float32(u*s) + float32(l*c)
	v = float32(u*c) + float32(l*s)
	return q, v, w, minus - plus, (plus + minus) + 2
}

func (r *edgeRange) couplings(coupling, field, lambda, offset, plus, minus []float32, rate, kq, kv, kd, bq, bv, bd, cn, cd float32) (sumC float64) {
	var sum laneSums
	for i, l := range lambda {
		q, v, w, sinh, cosh := r.parts(l, plus[i], minus[i], float32(offset[i]*rate))
		c, cUnder := float32(w*cn)-float32(sinh*q), float32(cosh*v)+float32(w*cd)
		sinh, cosh = float32(sinh*w), float32(cosh*w)
		k, kUnder := float32(q*kq)+float32(sinh*kv), float32(cosh*kd)+v
		b, bUnder := float32(q*bq)+float32(sinh*bv), float32(cosh*bd)+v
		coupling[i] = r.halfAtanh(k / kUnder)
		field[i] += r.halfAtanh(b / bUnder)
		sum[i%len(sum)] += float64(r.halfAtanh(c / cUnder))
	}
	return sum.total()
}

// constant takes sinh 2J and cosh 2J as half of them, those of 2Jnu as a quarter.
func (r *edgeRange) constant(lambda, offset, plus, minus []float32, rate, sinhJ, sinhNu, coshJ, coshNu float32) (sumA float64) {
	var sum laneSums
	for i, l := range lambda {
		q, v, w, sinh, cosh := r.parts(l, plus[i], minus[i], float32(offset[i]*rate))
		sinh, cosh = float32(sinh*w), float32(cosh*w)
		above := float32(q*sinhJ) + float32(sinh*sinhNu)
		under := float32(v*coshJ) + float32(cosh*coshNu)
		equal, opposite := under+above, under-above
		sum[i%len(sum)] += float64(r.halfAtanh((equal-1)/(equal+1)) + r.halfAtanh((opposite-1)/(opposite+1)))
	}
	return sum.total()
}

// halfAtanh is (atanh s)/2.
func (r *edgeRange) halfAtanh(s float32) float32 {
	return float32(s * horner(r.atanh, float32(s*s)))
}

// horner evaluates a polynomial.
func horner(c []float32, x float32) float32 {
	p := c[0]
	for _, c := range c[1:] {
		p = mulAdd(p, x, c)
	}
	return p
}

// plain is PlainEdges for |J| up to twice the limit.
func (r *edgeRange) plain(coupling, lambda []float32, t float32) {
	for i, lambda := range lambda {
		k := r.halfAtanh(float32(lambda * t))
		coupling[i] = k + k
	}
}

// plainEdgeSlopes is PlainEdgeSlopes for short edges. With q = lambda t,
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

// slopes is Slopes for short edges. With G = exp 2x,
//
//	d ln f / d lambda = sinh x / f = (G - 1) / (2 + (1 + lambda)(G - 1))
//	d ln f / d x = lambda + (1 - lambda^2) d ln f / d lambda,
//
// and G - 1 comes from the same of s (h - nu), which are the arguments pp, pm,
// mp and mm for s, h = (1, 1), (1, -1), (-1, 1), (-1, -1), of -mu h and of mu nu.
// up and down are (h - nu)/4, and hUp and hDown 1 + h and 1 - h for the average h.
func (r *edgeRange) slopes(byLambda, lambda, offset, plus, minus, s, sh []float32, rate, pp, pm, mp, mm, up, down, nu, h, hUp, hDown float32) float64 {
	var sum laneSums
	for i, l := range lambda {
		o := offset[i]
		y := float32(o * rate)
		y = float32(y * horner(r.exponential, y)) // exp(y) - 1
		gPlus, gMinus := float32((y+1)*plus[i])+y, float32((y+1)*minus[i])+y
		// G - 1, four times the probability times it, 2 + (1 + lambda)(G - 1), and of the
		// last two the quotient
		equal, opposite, gain := s[i]+sh[i], s[i]-sh[i], l+1
		gpp, gmp := float32((gPlus+1)*pp)+gPlus, float32((gPlus+1)*mp)+gPlus
		gpm, gmm := float32((gMinus+1)*pm)+gMinus, float32((gMinus+1)*mm)+gMinus
		spp := float32((hUp+equal)*gpp) / (float32(gain*gpp) + 2)
		spm := float32((hDown+opposite)*gpm) / (float32(gain*gpm) + 2)
		smp := float32((hUp-equal)*gmp) / (float32(gain*gmp) + 2)
		smm := float32((hDown-opposite)*gmm) / (float32(gain*gmm) + 2)
		plusSum, plusSpin := spp+smp, spp-smp // the sum over s, and that with s
		minusSum, minusSpin := spm+smm, spm-smm
		byLambda[i] = float32((plusSum + minusSum) * 0.25)
		away := s[i] - o // the average of (s - mu)(h - nu) is sh - mu h - nu (s - mu)
		direct := (sh[i] - float32(o*h)) - float32(away*nu)
		indirect := float32((plusSpin-float32(o*plusSum))*up) + float32((minusSpin-float32(o*minusSum))*down)
		free := float32((1 - l) * (1 + l))
		sum[i%len(sum)] += float64(float32(l*direct) + float32(free*indirect))
	}
	return sum.total()
}
