package kernel

import "math"

// Averaged over a synapse xi of mean lambda, the weight exp(x xi) of an edge,
// x = J (s - offset)(h - hiddenOffset), becomes
//
//	f = cosh x + lambda sinh x,   ln f = A + B s + C h + K s h.
//
// The functions below work on the edges of one hidden unit.

// Edges sets coupling[i] to K of each edge, adds B to field[i] and returns the
// sums of A and C. lambda are the posterior means and offset the visible
// offsets, all in [-1, 1]. In float32 the error of each is below 5e-7 of the
// largest |x|; all tiers agree bit for bit.
func Edges[T Real](coupling []T, field []float64, lambda, offset []T, j, hiddenOffset float64) (sumA, sumC float64) {
	n := len(lambda)
	coupling, field, offset = coupling[:n], field[:n], offset[:n]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j, hiddenOffset) {
		up, down := edgeArms(j, hiddenOffset)
		return use().edges(any(coupling).([]float32), field, lambda, any(offset).([]float32), up, down)
	}
	hUp, hDown := j*(1-hiddenOffset), -j*(1+hiddenOffset)
	for i, lambda := range lambda {
		lambda, up, down := float64(lambda), 1-float64(offset[i]), -(1 + float64(offset[i]))
		pp, pm, mp, mm := edgeLog(lambda, up*hUp), edgeLog(lambda, up*hDown), edgeLog(lambda, down*hUp), edgeLog(lambda, down*hDown)
		sumA += (pp + pm + mp + mm) / 4
		field[i] += (pp + pm - mp - mm) / 4
		sumC += (pp - pm + mp - mm) / 4
		coupling[i] = T((pp - pm - mp + mm) / 4)
	}
	return sumA, sumC
}

// EdgeSlopes sets byLambda[i] to the average of d ln f / d lambda over the
// states of each edge and returns the sum of the averages of d ln f / d J. s
// and h are the averages of the spins and sh those of their products. Accuracy
// is that of Edges.
func EdgeSlopes[T Real](byLambda, lambda, offset, s, sh []T, j, hiddenOffset, h float64) (byCoupling float64) {
	n := len(lambda)
	byLambda, offset, s, sh = byLambda[:n], offset[:n], s[:n], sh[:n]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j, hiddenOffset) {
		up, down := edgeArms(j, hiddenOffset)
		sum := use().edgeSlopes(any(byLambda).([]float32), lambda, any(offset).([]float32), any(s).([]float32), any(sh).([]float32), up, down, float32(h))
		return sum * 0.5 / j
	}
	hUp, hDown := 1-hiddenOffset, -(1 + hiddenOffset)
	for i, lambda := range lambda {
		up, down := 1-float64(offset[i]), -(1 + float64(offset[i]))
		s, sh := float64(s[i]), float64(sh[i])
		var slope float64
		add := func(probability, y float64) { // y = (s - offset)(h - hiddenOffset)
			l, x := edgeSlope(float64(lambda), j*y)
			slope += probability * l
			byCoupling += probability * x * y
		}
		add((1+s+h+sh)/4, up*hUp)
		add((1+s-h-sh)/4, up*hDown)
		add((1-s+h-sh)/4, down*hUp)
		add((1-s-h+sh)/4, down*hDown)
		byLambda[i] = T(slope)
	}
	return byCoupling
}

// PlainEdges is Edges where all offsets are 0: B and C are too, and with
// t = tanh J
//
//	K = atanh(lambda t),   A = ln cosh J + ln(1 - (lambda t)^2)/2.
//
// It sets coupling[i] to K and returns the sum of A.
func PlainEdges[T Real](coupling, lambda []T, j float64) (sumA float64) {
	coupling = coupling[:len(lambda)]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j, 0) {
		sum := use().plainEdges(any(coupling).([]float32), lambda, float32(math.Tanh(j)))
		return float64(len(lambda))*math.Log(math.Cosh(j)) + 0.5*sum
	}
	for i, lambda := range lambda {
		plus, minus := edgeLog(float64(lambda), j), edgeLog(float64(lambda), -j)
		coupling[i] = T((plus - minus) / 2)
		sumA += (plus + minus) / 2
	}
	return sumA
}

// PlainEdgeSlopes is EdgeSlopes where all offsets are 0; only the averages of
// products of spins count then.
func PlainEdgeSlopes[T Real](byLambda, lambda, sh []T, j float64) (byCoupling float64) {
	n := len(lambda)
	byLambda, sh = byLambda[:n], sh[:n]
	if lambda, ok := any(lambda).([]float32); ok && edgesAreShort(j, 0) {
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

// In float32, with T = tanh(x/2),
//
//	tanh(ln f / 2) = T (T + lambda) / (1 + lambda T),
//	d ln f / d lambda = sinh x / f = 2 T / (1 + T^2 + 2 lambda T),
//	d ln f / d x = lambda + (1 - lambda^2) d ln f / d lambda,
//
// and no logarithm or exponential is needed: polynomials give tanh and the
// inverse of tanh for |x| up to edgeLimit; |ln f| <= |x|.

const edgeLimit = 1.25

// edgesAreShort reports whether |x| is at most edgeLimit for all edges of a
// hidden unit, given that visible offsets are in [-1, 1].
func edgesAreShort(j, hiddenOffset float64) bool {
	return 2*math.Abs(j)*(1+math.Abs(hiddenOffset)) <= edgeLimit
}

// edgeArms returns x/2 of an edge with s = 1 and offset 0, for h = 1 and -1.
func edgeArms(j, hiddenOffset float64) (up, down float32) {
	return float32(j * (1 - hiddenOffset) / 2), float32(-j * (1 + hiddenOffset) / 2)
}

func edges(coupling []float32, field []float64, lambda, offset []float32, up, down float32) (sumA, sumC float64) {
	var a, c laneSums
	for i, lambda := range lambda {
		plus, minus := 1-offset[i], -1-offset[i]
		pp, pm := shortEdgeLog(lambda, float32(plus*up)), shortEdgeLog(lambda, float32(plus*down))
		mp, mm := shortEdgeLog(lambda, float32(minus*up)), shortEdgeLog(lambda, float32(minus*down))
		plusSum, plusDifference := pp+pm, pp-pm
		minusSum, minusDifference := mp+mm, mp-mm
		coupling[i] = float32((plusDifference - minusDifference) * 0.25)
		field[i] += float64(float32((plusSum - minusSum) * 0.25))
		a[i%len(a)] += float64(plusSum + minusSum)
		c[i%len(c)] += float64(plusDifference + minusDifference)
	}
	return a.total() * 0.25, c.total() * 0.25
}

// shortEdgeLog returns ln f at x = 2z.
func shortEdgeLog(lambda, z float32) float32 {
	t := shortTanh(z)
	s := float32(t*(t+lambda)) / (float32(lambda*t) + 1)
	return twiceAtanh(s)
}

// twiceAtanh is 2 atanh s for |s| up to tanh(edgeLimit/2), minimax to 1e-7.
func twiceAtanh(s float32) float32 {
	w := float32(s * s)
	return float32(s * mulAdd(mulAdd(mulAdd(mulAdd(mulAdd(0.4367865106, w, 0.1197706241), w, 0.3028684717), w, 0.3987872722), w, 0.6666940648), w, 2))
}

// plainEdges is PlainEdges for short edges; it returns the sum of ln(1 - (lambda t)^2).
func plainEdges(coupling, lambda []float32, t float32) float64 {
	var sum laneSums
	for i, lambda := range lambda {
		q := float32(lambda * t)
		coupling[i] = float32(twiceAtanh(q) * 0.5)
		w := float32(q * q) // a minimax polynomial gives ln(1-w)/w to 2e-8
		p := mulAdd(mulAdd(mulAdd(mulAdd(mulAdd(mulAdd(-0.4208671124, w, -0.02209479116), w, -0.2337912692), w, -0.2460929482), w, -0.3335447852), w, -0.499995743), w, -1)
		sum[i%len(sum)] += float64(float32(w * p))
	}
	return sum.total()
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
		d := float32(1-q) * float32(1+q)
		byLambda[i] = float32(float32(sh[i]-q)*t) / d
		up := float32(float32(lambda*sh[i])*free) + float32(float32(float32(1-lambda)*float32(1+lambda))*t)
		sum[i%len(sum)] += float64(up / d)
	}
	return sum.total()
}

// shortTanh is tanh z for |z| up to edgeLimit/2: a minimax polynomial, to a
// relative error of 1.2e-7. Polynomials of edges are evaluated one term after
// the other, as many edges are under way at a time.
func shortTanh(z float32) float32 {
	y := float32(z * z)
	return float32(z * mulAdd(mulAdd(mulAdd(mulAdd(0.01519432769, y, -0.05194721591), y, 0.1330816164), y, -0.3333234052), y, 1))
}

// edgeSlopes is EdgeSlopes for short edges; it returns twice J times the sum.
func edgeSlopes(byLambda, lambda, offset, s, sh []float32, up, down, h float32) float64 {
	var sum laneSums
	hPlus, hMinus := 1+h, 1-h
	for i, lambda := range lambda {
		plus, minus := 1-offset[i], -1-offset[i]
		equal, opposite := s[i]+sh[i], s[i]-sh[i]
		var slope, direct, indirect float32
		for k := range 4 {
			var weight, z float32 // four times the probability, and x/2
			switch k {
			case 0:
				weight, z = hPlus+equal, float32(plus*up)
			case 1:
				weight, z = hMinus+opposite, float32(plus*down)
			case 2:
				weight, z = hPlus-equal, float32(minus*up)
			case 3:
				weight, z = hMinus-opposite, float32(minus*down)
			}
			t := shortTanh(z)
			m := t + t
			d := m / (float32(t*t) + 1 + float32(lambda*m))
			slope += float32(weight * d)
			weight = float32(weight * z)
			direct += weight
			indirect += float32(weight * d)
		}
		byLambda[i] = float32(slope * 0.25)
		free := float32((1 - lambda) * (1 + lambda))
		sum[i%len(sum)] += float64(float32(lambda*direct) + float32(free*indirect))
	}
	return sum.total()
}
