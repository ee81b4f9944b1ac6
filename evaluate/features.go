package evaluate

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// Features returns what the hidden units make of samples (visible x M): tanh of
// gain times their fields, samples x hidden, row-major. At gain 1 they are the
// means E[h_mu | s]; at less they are less saturated.
func Features(machine *rbm.Machine, samples *spin.Matrix, gain float64) []float32 {
	net := rbm.NetworkOf[float32](machine)
	p, m := machine.Hidden(), samples.Cols()
	out := make([]float32, m*p)
	const block = 1 << 10 // samples at a time, so that fields take little memory
	fields := make([]float32, min(m, block)*p)
	for lo := 0; lo < m; lo += block {
		n := min(block, m-lo)
		part := columns(samples, lo, lo+n)
		x := fields[:n*p]
		net.HiddenFields(x, part)
		if gain != 1 {
			kernel.Affine(x, x, float32(gain), 0)
		}
		kernel.Tanh(x, x)
		const grain = 64
		parallel.For(n, grain, func(from, to int) {
			kernel.Transpose(out[(lo+from)*p:], p, x[from:], n, p, to-from)
		})
	}
	return out
}

// columns returns the columns from lo up to hi of a matrix.
func columns(s *spin.Matrix, lo, hi int) *spin.Matrix {
	which := make([]int, hi-lo)
	for k := range which {
		which[k] = lo + k
	}
	out := spin.New(s.Rows(), len(which))
	s.Gather(out, which)
	return out
}
