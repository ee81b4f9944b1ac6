package infer

import "math"

// Sequel says what two sets are, one after the other, of machines of one hidden unit with infinitely many visible units. The posterior of the
// first, its means multiplied by Scale, is the prior of the second, and counts Strength times against the data (Rows.Weigh).
type Sequel struct {
	First, Second float64 // densities of the data
	Beta          float64 // coupling J = Beta/sqrt N
	Correlation   float64 // of the synapses of the teachers; its sign changes nothing, as a hidden unit may be turned
	Scale         float64 // from 0 to 1
	Strength      float64 // positive
}

// A SequelLimit holds overlaps of the signs of the means.
type SequelLimit struct {
	Before float64 // with the first teacher, after the first set
	Old    float64 // with the first teacher, after both
	New    float64 // with the second
}

// Limit follows the messages of the second set (state evolution). After the first, theta of a synapse is Gaussian with mean xi h and variance h, where
// h = alpha beta^2 r is the field of LargeLimit. The prior theta0 follows from it, and to it the second set adds a
// Gaussian field of mean xi alpha beta^2 r and variance alpha beta^2 t, divided by the strength. As the prior is not the law of the
// second teacher, overlaps m and mean squares q of the magnetisations differ, and so do r and t:
//
//	r = E tanh(beta^2 m + beta sqrt(q) z),   t = E tanh^2(beta^2 m + beta sqrt(q) z).
func (s Sequel) Limit() SequelLimit {
	const settled, limit = 1e-9, 10000
	first := LargeLimit(s.First, s.Beta)
	h := s.First * s.Beta * s.Beta * gaussTanh(s.Beta*s.Beta*first.MeanSquare)
	out := SequelLimit{Before: first.Overlap}
	c := math.Abs(s.Correlation)
	fine, fineWeights := gaussSteps(1. / 32)
	nodes, weights := gaussSteps(1. / 4)
	prior := make([]float64, len(fine)) // where the first synapse is +1, at each node
	for k, z := range fine {
		prior[k] = math.Atanh(math.Max(-1+1e-15, math.Min(1-1e-15, s.Scale*math.Tanh(h+math.Sqrt(h)*z))))
	}
	mean, spread := 0., 0. // of the field of the second set at a synapse of +1
	for range limit {
		var m, q, old, fresh float64
		for _, sign := range []float64{1, -1} { // of the first synapse, where the second is +1
			for k, theta0 := range prior {
				w := (1 + sign*c) / 2 * fineWeights[k]
				up := sgn(sign * theta0)
				if spread > 0 {
					up = math.Erf((s.Strength*sign*theta0 + mean) / (spread * math.Sqrt2))
				}
				fresh += w * up
				old += w * sign * up
				for l, z := range nodes {
					lambda := math.Tanh(sign*theta0 + (mean+spread*z)/s.Strength)
					m += w * weights[l] * lambda
					q += w * weights[l] * lambda * lambda
				}
			}
		}
		if s.Scale == 0 || c == 0 || h == 0 { // nothing but chance breaks the symmetry
			m, q = math.Max(m, 1e-4), math.Max(q, 1e-4)
		}
		out.Old, out.New = old, fresh
		var r, t float64
		for k, z := range nodes {
			g := math.Tanh(s.Beta*s.Beta*m + s.Beta*math.Sqrt(q)*z)
			r += weights[k] * g
			t += weights[k] * g * g
		}
		to, wide := s.Second*s.Beta*s.Beta*r, s.Beta*math.Sqrt(s.Second*t)
		done := math.Abs(to-mean)+math.Abs(wide-spread) < settled*(1+to)
		if mean, spread = to, wide; done {
			break
		}
	}
	return out
}

// gaussSteps are equal steps of a standard Gaussian number and their weights: exact to rounding for smooth functions that vary over more
// than a step.
func gaussSteps(step float64) (z, w []float64) {
	const end = 7.5
	for x := -end; x <= end; x += step {
		z, w = append(z, x), append(w, step*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
	}
	return z, w
}

// sgn returns the sign, 0 of 0.
func sgn(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
