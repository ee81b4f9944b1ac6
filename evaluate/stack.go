package evaluate

import (
	"context"
	"fmt"
	"math"
	"sync"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
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
	if likelihood, bound, err = s.enumerate(ctx, samples); err != nil {
		return nil, nil, err
	}
	lnz, err := s[1].LnZ(ctx)
	if err != nil {
		return nil, nil, err
	}
	for a := range likelihood {
		likelihood[a] -= lnz
		bound[a] -= lnz
	}
	return likelihood, bound, nil
}

// enumerate returns what Exact does, without ln Z of the upper machine.
func (s Stack) enumerate(ctx context.Context, samples *spin.Matrix) (weights, bounds []float64, err error) {
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
	for a := range samples.Cols() {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		v := spin.New(samples.Rows(), 1<<p)
		samples.Gather(v, repeated(a, 1<<p))
		joint, r := lower.conditional(v, h), lower.recognition(h, v)
		var below float64
		for k := range joint {
			joint[k] += upper[k]
			below += math.Exp(r[k]) * (joint[k] - r[k])
		}
		weights, bounds = append(weights, rbm.LogSumExp(joint)), append(bounds, below)
	}
	return weights, bounds, nil
}

// Up returns a draw of the hidden units of machine l given the states of its visible units.
func (s Stack) Up(l int, states *spin.Matrix, key stream.Key) *spin.Matrix {
	net := rbm.NetworkOf[float32](s[l])
	h := spin.New(net.Hidden(), states.Cols())
	for lo := 0; lo < states.Cols(); lo += stackBlock {
		hi := min(states.Cols(), lo+stackBlock)
		fields := make([]float32, net.Hidden()*(hi-lo))
		net.HiddenFields(fields, columns(states, lo, hi))
		spin.DrawColumns(h, lo, hi, fields, key)
	}
	return h
}

// stackBlock is how many samples of a stack are worked on at a time.
const stackBlock = 1 << 11

// Likelihood is MachineLikelihood of a stack. The log-weight of a sample is estimated from below by draws of the
// hidden units, a layer after another, each from p(h|v) of its machine: DataTerms, without
// annealing. ln Z is that of the topmost machine, at the states that the last draw has there. The met states are
// those of the topmost machine.
func (s Stack) Likelihood(ctx context.Context, met, samples *spin.Matrix, opt Options) (LogLikelihood, error) {
	if err := s.Check(); err != nil {
		return LogLikelihood{}, err
	}
	if n := s[0].Visible(); samples.Rows() != n {
		return LogLikelihood{}, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	if samples.Cols() == 0 {
		return LogLikelihood{}, fmt.Errorf("no samples to evaluate")
	}
	terms, states, err := s.estimate(ctx, samples, opt.Key.Sub(stream.EstimateData))
	if err != nil {
		return LogLikelihood{}, err
	}
	opt.weights = terms.each
	l, err := Likelihood(ctx, OnMachine(s[len(s)-1]).Remember(met), states, opt)
	l.DataTerms = terms
	if err == nil && !l.Exact {
		l.quoteLower()
	}
	return l, err
}

// LogWeights returns the estimate from below of the log-weight of each sample: DataTerms.Bound, drawn with key. ln P is by
// ln Z of the topmost machine smaller. The error is the context's, or tells of samples of other units.
func (s Stack) LogWeights(ctx context.Context, samples *spin.Matrix, key stream.Key) ([]float64, error) {
	if n := s[0].Visible(); samples.Rows() != n {
		return nil, fmt.Errorf("samples of %d units for a machine of %d visible units", samples.Rows(), n)
	}
	terms, _, err := s.estimate(ctx, samples, key.Sub(stream.EstimateData))
	if err != nil {
		return nil, err
	}
	return terms.each, nil
}

// estimate returns the data terms of samples, and states of the visible units of the topmost machine.
func (s Stack) estimate(ctx context.Context, samples *spin.Matrix, key stream.Key) (*DataTerms, *spin.Matrix, error) {
	terms := &DataTerms{Draws: termDraws}
	top := s[len(s)-1]
	upper, lower := rbm.NetworkOf[float64](top), make([]below, len(s)-1)
	for l := range lower {
		lower[l] = below{rbm.NetworkOf[float64](s[l])}
	}
	m := samples.Cols()
	states := spin.New(top.Visible(), m)
	var gains, boundErrors, gainErrors []float64
	for lo := 0; lo < m; lo += termBlock {
		part := columns(samples, lo, min(m, lo+termBlock))
		draws := make([][]float64, termDraws)
		for k := range draws {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			at := key.Sub(stream.DataDraws).Sub(uint64(k)).Sub(uint64(lo))
			weights, v := make([]float64, part.Cols()), part
			for l, machine := range lower {
				h := s.Up(l, v, at.Sub(uint64(l)))
				r := machine.recognition(h, v)
				for a, c := range machine.conditional(v, h) {
					weights[a] += c - r[a]
				}
				v = h
			}
			own := make([]float64, part.Cols())
			upper.LogWeights(own, v)
			for a, w := range own {
				weights[a] += w
			}
			draws[k] = weights
			if k == termDraws-1 {
				for i := range v.Rows() {
					for a := range v.Cols() {
						states.Set(i, lo+a, v.At(i, a))
					}
				}
			}
		}
		for a := range part.Cols() {
			var d []float64
			for _, w := range draws {
				d = append(d, w[a])
			}
			gain := lnMean(d)
			terms.each, gains = append(terms.each, mean(d)), append(gains, gain)
			boundErrors, gainErrors = append(boundErrors, varianceOf(d)/float64(len(d))), append(gainErrors, lnMeanVariance(d, gain))
		}
	}
	if len(s) == 2 && s[0].Hidden() <= fewHidden {
		weights, _, err := s.enumerate(ctx, samples)
		if err != nil {
			return nil, nil, err
		}
		exact := mean(weights)
		return &DataTerms{Exact: true, Bound: exact, Importance: exact, each: weights}, states, nil
	}
	terms.Bound, terms.Importance = mean(terms.each), mean(gains)
	terms.BoundError, terms.ImportanceError = meanError(boundErrors), meanError(gainErrors)
	return terms, states, nil
}

// meanError returns the standard error of a mean of values with the given variances.
func meanError(variances []float64) (sum float64) {
	for _, v := range variances {
		sum += v
	}
	return math.Sqrt(sum) / float64(len(variances))
}

// StackSamples are samples of a stack.
type StackSamples struct {
	Visible      *spin.Matrix // visible x count
	Means        []float32    // of the visible units given the layer above, visible x count
	Temperatures int          // of the ladder of the topmost machine; 0 where its chains were not tempered
}

// Sample draws samples of a stack: states of the topmost machine by chains, as Sample draws them,
// and from there down, a layer after another. No units can be held, and s.From are states of the topmost machine.
// The error is the context's.
func (s Stack) Sample(ctx context.Context, how Sampling) (*StackSamples, error) {
	drawn, err := Sample(ctx, s[len(s)-1], how)
	if err != nil {
		return nil, err
	}
	d := &StackSamples{Visible: drawn.Chains.Visible, Temperatures: drawn.Temperatures}
	for l := len(s) - 2; l >= 0; l-- {
		net := rbm.NetworkOf[float32](s[l])
		couplingT := make([]float32, len(net.Coupling))
		net.TransposeCoupling(couplingT)
		d.Means = make([]float32, net.Visible()*how.Count)
		net.VisibleFields(d.Means, couplingT, d.Visible)
		v := spin.New(net.Visible(), how.Count)
		spin.Draw(v, d.Means, how.Key.Sub(stream.ChainsBelow).Sub(uint64(l)))
		d.Visible = v
	}
	kernel.Tanh(d.Means, d.Means)
	return d, nil
}

// Layers returns what features are the means of each hidden layer of a stack: each layer given the
// means of the one below. The machines must not change from then on: their networks are kept.
func (s Stack) Layers() []Featuring[*spin.Matrix] {
	networks := make([]func() *rbm.Network[float32], len(s))
	layers := make([]Featuring[*spin.Matrix], len(s))
	for l, machine := range s {
		networks[l] = sync.OnceValue(func() *rbm.Network[float32] { return rbm.NetworkOf[float32](machine) })
		layers[l] = stackLayer{machine.Hidden(), networks[:l+1]}
	}
	return layers
}

// A stackLayer is the hidden layer on top of networks.
type stackLayer struct {
	hidden   int
	networks []func() *rbm.Network[float32]
}

// Hidden implements Featuring.
func (f stackLayer) Hidden() int { return f.hidden }

// HiddenMeans implements Featuring.
func (f stackLayer) HiddenMeans(dst []float32, samples *spin.Matrix, gain float64) {
	m := samples.Cols()
	var means []float32
	for l, network := range f.networks {
		net := network()
		fields := make([]float32, net.Hidden()*m)
		if l == 0 {
			net.HiddenFields(fields, samples)
		} else {
			kernel.MulReal(fields, net.Coupling, means, net.Hidden(), net.Visible(), m, false, false)
			for mu, b := range net.HiddenField {
				for a := mu * m; a < (mu+1)*m; a++ {
					fields[a] += b
				}
			}
		}
		kernel.Affine(fields, fields, float32(gain), 0)
		kernel.Tanh(fields, fields)
		means = fields
	}
	copy(dst, means)
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
