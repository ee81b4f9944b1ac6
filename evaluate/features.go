package evaluate

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/units"
)

// Features returns what the hidden units make of samples (visible x M): their means
// in gain times their fields (of spins the tanh), samples x hidden, row-major. At
// gain 1 they are the means given the sample; at less they are less saturated.
func Features[V units.States[V]](machine Featuring[V], samples V, gain float64) []float32 {
	p, m := machine.Hidden(), samples.Len()
	out := make([]float32, m*p)
	const block = 1 << 10 // samples at a time, so that fields take little memory
	means := make([]float32, min(m, block)*p)
	for lo := 0; lo < m; lo += block {
		part := columns(samples, lo, min(m, lo+block))
		n := part.Len()
		x := means[:n*p]
		machine.HiddenMeans(x, part, gain)
		const grain = 64
		parallel.For(n, grain, func(from, to int) {
			kernel.Transpose(out[(lo+from)*p:], p, x[from:], n, p, to-from)
		})
	}
	return out
}

// columns returns the columns from lo up to hi.
func columns[S units.States[S]](s S, lo, hi int) S {
	which := first(hi)[lo:]
	out := s.Blank(len(which))
	s.Gather(out, which)
	return out
}
