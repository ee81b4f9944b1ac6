package infer

import "math"

// Large is what messages do in a machine of one hidden unit with infinitely
// many visible units, or of two whose planted synapses are not correlated.
type Large struct {
	Overlap    float64 // of the signs of the means with the planted synapses
	MeanSquare float64 // of the means, which is also their overlap with the planted synapses
	Iterations int     // from MeanSquare 1e-4 until its root changes by less than 1e-7
}

// LargeLimit follows the messages of planted data of density alpha and coupling
// J = beta/sqrt N, iteration by iteration (state evolution). A hidden spin of a
// sample feels a Gaussian field of mean and variance beta^2 q, a synapse one of
// alpha beta^2 r, where q and r are the mean squares of the magnetisations of
// synapses and hidden spins,
//
//	r = E tanh(beta^2 q + beta sqrt(q) z),   q = E tanh(alpha beta^2 r + beta sqrt(alpha r) z),
//
// so q is multiplied by alpha beta^4 while it is small: overlap with the planted
// synapses arises above alpha = beta^-4, and near it learning takes longest.
func LargeLimit(alpha, beta float64) Large {
	const start, settled, limit = 1e-4, 1e-7, 100000
	l := Large{MeanSquare: start}
	for l.Iterations < limit {
		field := alpha * beta * beta * gaussTanh(beta*beta*l.MeanSquare)
		next := gaussTanh(field)
		change := math.Abs(math.Sqrt(next) - math.Sqrt(l.MeanSquare))
		l.Iterations++
		l.MeanSquare, l.Overlap = next, math.Erf(math.Sqrt(field/2))
		if change < settled {
			break
		}
	}
	return l
}

// gaussTanh returns E tanh(v + sqrt(v) z): equal steps of z, which for a smooth
// function that vanishes at both ends are exact to rounding.
func gaussTanh(v float64) float64 {
	const step, end = 1.0 / 16, 9.0
	root := math.Sqrt(v)
	var sum float64
	for z := -end; z <= end; z += step {
		sum += math.Exp(-z*z/2) * math.Tanh(v+root*z)
	}
	return sum * step / math.Sqrt(2*math.Pi)
}
