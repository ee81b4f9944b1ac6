package evaluate

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
)

// A Stack is machines upon each other: the visible units of each are the hidden ones of
// the one below. Samples come down from the topmost,
//
//	p(v) = sum p_1(v | h^1) p_2(h^1 | h^2) ... p_L(h^{L-1}),
//
// with the conditionals of each machine and the marginal of the topmost (a deep belief
// network: Hinton, Osindero and Teh 2006, with binary synapses).
type Stack []*rbm.Machine

// Check returns an error unless the sizes fit each other.
func (s Stack) Check() error {
	if len(s) == 0 {
		return fmt.Errorf("a stack of no machine")
	}
	for l := range s[1:] {
		if s[l].Hidden() != s[l+1].Visible() {
			return fmt.Errorf("machine %d of a stack has %d visible units, and the one below it %d hidden ones", l+2, s[l+1].Visible(), s[l].Hidden())
		}
	}
	return nil
}

// below is one machine of a stack that has another one above it.
type below struct{ net *rbm.Network[float64] }

// conditional returns ln p(v | h) of each pair of columns.
func (m below) conditional(v, h *spin.Matrix) []float64 {
	n, count := m.net.Visible(), v.Cols()
	couplingT := make([]float64, len(m.net.Coupling))
	m.net.TransposeCoupling(couplingT)
	fields := make([]float64, n*count)
	m.net.VisibleFields(fields, couplingT, h)
	return logProbabilities(fields, v)
}

// recognition returns ln r(h | v) = ln p(h | v) of each pair of columns.
func (m below) recognition(h, v *spin.Matrix) []float64 {
	fields := make([]float64, m.net.Hidden()*v.Cols())
	m.net.HiddenFields(fields, v)
	return logProbabilities(fields, h)
}

// logProbabilities returns the ln of the probability of each column of s where units are
// independent in fields, units x columns.
func logProbabilities(fields []float64, s *spin.Matrix) []float64 {
	count := s.Cols()
	sum := make([]float64, count)
	for i := range s.Rows() {
		for a, f := range fields[i*count : (i+1)*count] {
			sum[a] += f*float64(s.At(i, a)) - kernel.Log2Cosh(f)
		}
	}
	return sum
}

// Exact returns ln p(v) of each sample (visible x M) under a stack of two machines, and
// the bound with r = p_1(h|v), by enumerating the layer between them. The error is
// rbm.ErrTooLarge or the context's.
func (s Stack) Exact(ctx context.Context, samples *spin.Matrix) (likelihood, bound []float64, err error) {
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	p := s[0].Hidden()
	if len(s) != 2 || p > maxBetween {
		return nil, nil, fmt.Errorf("%w: a stack of %d machines with %d units between the first two", rbm.ErrTooLarge, len(s), p)
	}
	lower := below{rbm.NetworkOf[float64](s[0])}
	h := spin.New(p, 1<<p)
	for k := range 1 << p {
		for mu := range p {
			h.Set(mu, k, int8(2*(k>>mu&1)-1))
		}
	}
	upper := make([]float64, 1<<p)
	rbm.NetworkOf[float64](s[1]).LogWeights(upper, h)
	lnz, err := s[1].LnZ(ctx)
	if err != nil {
		return nil, nil, err
	}
	for a := range samples.Cols() {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		v := spin.New(samples.Rows(), 1<<p)
		samples.Gather(v, repeated(a, 1<<p))
		joint, r := lower.conditional(v, h), lower.recognition(h, v)
		var below float64
		for k := range joint {
			joint[k] += upper[k] - lnz
			below += math.Exp(r[k]) * (joint[k] - r[k])
		}
		likelihood, bound = append(likelihood, rbm.LogSumExp(joint)), append(bound, below)
	}
	return likelihood, bound, nil
}

// maxBetween is the largest layer between two machines that Exact enumerates.
const maxBetween = 16

// repeated returns n times k.
func repeated(k, n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = k
	}
	return x
}
