package evaluate

import (
	"context"
	"fmt"
	"math"
	"sync"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
)

// Incomplete are samples of the visible units of a machine, in its kind of units. Some units are missing.
type Incomplete struct {
	Bits    *spin.Matrix          // features, of all kinds but Gaussian ones
	Numbers *units.Reals[float32] // features u of Gaussian units instead
	Missing *spin.Matrix          // units x samples: +1 where a unit is missing
}

// MostObserved is how many hidden states times visible features times samples ObservedOf goes through.
const MostObserved = 1 << 36

// mostHidden is the largest number of hidden states.
const mostHidden = 1 << 16

// An Observed has likelihoods and means given the known values of samples. As held: features as the machine holds them.
type Observed struct {
	LogWeights []float64 // ln weight of each sample, summed over its missing values and the hidden units
	Hidden     []float64 // means of hidden features as held, hidden x samples
	Mean       []float64 // means of visible features as held, features x samples; of known ones the values themselves
}

// CheckObserved returns the error of ObservedOf, rbm.ErrTooLarge, if it cannot sum so many samples.
func CheckObserved(params *rbm.Params, samples int) error {
	kind, p := params.HiddenKind, params.Hidden()
	if !kind.Bits() {
		return fmt.Errorf("%w: missing values are summed over by enumeration of hidden units, and %s ones have no states to enumerate", rbm.ErrTooLarge, kind)
	}
	ln := kind.LnStates(p)
	if ln > math.Log(mostHidden)+1e-9 || ln+math.Log(float64(params.Visible()))+math.Log(float64(samples)) > math.Log(MostObserved) {
		return fmt.Errorf("%w: missing values are summed over by enumeration of hidden states, at most %d, and %d hidden features in %d samples are too many", rbm.ErrTooLarge, mostHidden, p, samples)
	}
	return nil
}

// ObservedOf sums exactly over the missing units. Visible units are independent given the hidden ones,
// so it goes through all states of hidden bits. The error is the context's, or rbm.ErrTooLarge.
func ObservedOf(ctx context.Context, machine *rbm.Machine, samples Incomplete) (*Observed, error) {
	return observing(machine)(ctx, samples)
}

// observing returns ObservedOf of a machine, which must not change from then on: it keeps its network.
func observing(machine *rbm.Machine) func(ctx context.Context, samples Incomplete) (*Observed, error) {
	network := sync.OnceValues(func() (net *rbm.Network[float64], couplingT []float64) {
		net = rbm.NetworkOf[float64](machine)
		couplingT = make([]float64, len(net.Coupling))
		net.TransposeCoupling(couplingT)
		return net, couplingT
	})
	return func(ctx context.Context, samples Incomplete) (*Observed, error) {
		if err := samples.fits(&machine.Params); err != nil {
			return nil, err
		}
		if err := CheckObserved(&machine.Params, samples.Missing.Cols()); err != nil {
			return nil, err
		}
		net, couplingT := network()
		return enumerated(ctx, net, couplingT, samples)
	}
}

// An enumeration goes through all states of the hidden bits of a network, for samples with missing values.
type enumeration struct {
	net       *rbm.Network[float64]
	couplingT []float64
	samples   *Incomplete
	x, mask   []float64 // Incomplete.seen
	observed  *Observed
}

// enumerating returns the enumeration of samples that fit.
func enumerating(net *rbm.Network[float64], couplingT []float64, samples *Incomplete) *enumeration {
	e := &enumeration{net: net, couplingT: couplingT, samples: samples}
	e.x, e.mask, e.observed = samples.seen(net.VisibleKind)
	return e
}

// each calls do with some hidden states at a time, the fields of the visible features and ln of the sum over a visible unit's states
// (both features or units x states), and the logarithms of the weights of samples x states. The error is the context's.
func (e *enumeration) each(ctx context.Context, do func(h *spin.Matrix, fields, sums, weights []float64)) error {
	net, kind := e.net, e.net.VisibleKind
	n, m, of := net.Visible(), e.samples.Missing.Cols(), kind.Features()
	states, choices := int(math.Round(math.Exp(net.HiddenKind.LnStates(net.Hidden())))), net.HiddenKind.Choices()
	const together = 256 // states
	for lo := 0; lo < states; lo += together {
		if err := ctx.Err(); err != nil {
			return err
		}
		count := min(together, states-lo)
		h, own := hiddenStates(net, lo, count, choices)
		fields, sums, weights := make([]float64, n*count), make([]float64, n/of*count), make([]float64, m*count)
		net.VisibleFields(fields, e.couplingT, h)
		parallel.For(n/of, parallel.Grain(20*of*count), func(from, to int) {
			f := make([]float64, of)
			for unit := from; unit < to; unit++ {
				for s := range count {
					for k := range f {
						f[k] = fields[(unit*of+k)*count+s]
					}
					sums[unit*count+s] = kind.LogSum(f)
				}
			}
		})
		parallel.For(m, parallel.Grain(2*n*count), func(from, to int) {
			part := make([]float64, (to-from)*count)
			kernel.MulReal(weights[from*count:to*count], e.x[from*n:to*n], fields, to-from, n, count, false, false)
			kernel.MulReal(part, e.mask[from*n/of:to*n/of], sums, to-from, n/of, count, false, false)
			for k, v := range part {
				weights[from*count+k] += v + own[k%count]
			}
		})
		do(h, fields, sums, weights)
	}
	return nil
}

// weigh returns ln of the sum of the weights of each sample, but for what no hidden state changes.
func (e *enumeration) weigh(ctx context.Context) ([]float64, error) {
	m := e.samples.Missing.Cols()
	total := make([]float64, m)
	for a := range total {
		total[a] = math.Inf(-1)
	}
	return total, e.each(ctx, func(h *spin.Matrix, _, _, weights []float64) {
		count := h.Cols()
		for a := range m {
			total[a] = rbm.LogSumExp(append(weights[a*count:(a+1)*count:(a+1)*count], total[a]))
		}
	})
}

// given turns the logarithms of weights into the probabilities of states given the known values of each sample.
func given(weights, total []float64) {
	count := len(weights) / len(total)
	for a, t := range total {
		for s, w := range weights[a*count : (a+1)*count] {
			weights[a*count+s] = math.Exp(w - t)
		}
	}
}

// constant adds to logarithms of weights what no hidden state changes.
func (e *enumeration) constant(weights []float64) {
	base := e.samples.base(e.net.VisibleKind)
	for a := range weights {
		weights[a] += e.net.Constant + base[a]
	}
}

// ObservedLogWeights is ObservedOf's LogWeights of samples of spins under a network of spins. The error is the context's,
// rbm.ErrTooLarge, or of samples that do not fit.
func ObservedLogWeights(ctx context.Context, net *rbm.Network[float32], samples Incomplete) ([]float64, error) {
	wide := rbm.NewNetwork[float64](net.Visible(), net.Hidden())
	wide.Constant, wide.VisibleKind, wide.HiddenKind = net.Constant, net.VisibleKind, net.HiddenKind
	for _, x := range []struct {
		to   []float64
		from []float32
	}{{wide.Coupling, net.Coupling}, {wide.VisibleField, net.VisibleField}, {wide.HiddenField, net.HiddenField}} {
		for k, v := range x.from {
			x.to[k] = float64(v)
		}
	}
	params := rbm.NewParams(net.Visible(), net.Hidden(), 1)
	params.VisibleKind, params.HiddenKind = net.VisibleKind, net.HiddenKind
	if err := samples.fits(&params); err != nil {
		return nil, err
	}
	if err := CheckObserved(&params, samples.Missing.Cols()); err != nil {
		return nil, err
	}
	couplingT := make([]float64, len(wide.Coupling))
	wide.TransposeCoupling(couplingT)
	e := enumerating(wide, couplingT, &samples)
	weights, err := e.weigh(ctx)
	if err != nil {
		return nil, err
	}
	e.constant(weights)
	return weights, nil
}

// enumerated is ObservedOf of samples that fit, with the machine's network and its couplings transposed.
func enumerated(ctx context.Context, net *rbm.Network[float64], couplingT []float64, samples Incomplete) (*Observed, error) {
	e := enumerating(net, couplingT, &samples)
	n, p, m, kind, o := net.Visible(), net.Hidden(), samples.Missing.Cols(), net.VisibleKind, e.observed
	var err error
	if o.LogWeights, err = e.weigh(ctx); err != nil {
		return nil, err
	}
	// Means of missing units: those given each hidden state, weighted with its probability.
	mean := make([]float64, n*m)
	o.Hidden = make([]float64, p*m)
	if err := e.each(ctx, func(h *spin.Matrix, fields, _, weights []float64) {
		count := h.Cols()
		given(weights, o.LogWeights)
		values, part := make([]float64, p*count), make([]float64, p*m)
		spin.Values(values, h)
		kernel.MulReal(part, values, weights, p, count, m, false, true)
		for k, v := range part {
			o.Hidden[k] += v
		}
		rbm.SetMeans(fields, fields, kind, count)
		parallel.For(n, parallel.Grain(2*m*count), func(from, to int) {
			part := make([]float64, (to-from)*m)
			kernel.MulReal(part, fields[from*count:to*count], weights, to-from, count, m, false, true)
			for k, v := range part {
				mean[from*m+k] += v
			}
		})
	}); err != nil {
		return nil, err
	}
	of := kind.Features()
	for i := range n {
		for a := range m {
			if samples.Missing.At(i/of, a) > 0 {
				o.Mean[i*m+a] = mean[i*m+a]
			}
		}
	}
	e.constant(o.LogWeights)
	return o, nil
}

// fits returns an error unless the samples are those of a machine.
func (s *Incomplete) fits(machine *rbm.Params) error {
	units, count := s.Missing.Rows(), s.Missing.Cols()
	rows, columns := 0, 0
	if s.Numbers != nil {
		rows, columns = s.Numbers.Units(), s.Numbers.Len()
	} else if s.Bits != nil {
		rows, columns = s.Bits.Rows(), s.Bits.Cols()
	}
	switch {
	case rows != machine.Visible() || (s.Numbers == nil) != machine.VisibleKind.Bits():
		return fmt.Errorf("samples of %d features for a machine of %d visible %s features", rows, machine.Visible(), machine.VisibleKind)
	case units*machine.VisibleKind.Features() != rows || count != columns || count == 0:
		return fmt.Errorf("%d samples of %d features, of which %d units in %d samples may be missing", columns, rows, units, count)
	}
	return nil
}

// seen returns the features of samples as rows, 0 where they are missing; a mask in rows, of the missing units; and
// an Observed that holds the observed values.
func (s *Incomplete) seen(kind units.Kind) (x, mask []float64, o *Observed) {
	of, count, m := kind.Features(), s.Missing.Rows(), s.Missing.Cols()
	n := of * count
	x, mask, o = make([]float64, m*n), make([]float64, m*count), &Observed{Mean: make([]float64, n*m)}
	for i := range n {
		for a := range m {
			if s.Missing.At(i/of, a) > 0 {
				mask[a*count+i/of] = 1
				continue
			}
			v := 0.0
			if s.Numbers != nil {
				v = float64(s.Numbers.Row(i)[a])
			} else {
				v = float64(s.Bits.At(i, a))
			}
			x[a*n+i], o.Mean[i*m+a] = v, v
		}
	}
	return x, mask, o
}

// base returns for each sample the sum of -u²/2 over its known numbers; of bits 0.
func (s *Incomplete) base(kind units.Kind) []float64 {
	base := make([]float64, s.Missing.Cols())
	if kind.Bits() {
		return base
	}
	for i := range s.Missing.Rows() {
		for a, v := range s.Numbers.Row(i) {
			if s.Missing.At(i, a) < 0 {
				base[a] -= float64(v) * float64(v) / 2
			}
		}
	}
	return base
}

// hiddenStates returns count of all states of hidden units of bits, from number first on, and c.h of
// each.
func hiddenStates(net *rbm.Network[float64], first, count, choices int) (h *spin.Matrix, own []float64) {
	p, of := net.Hidden(), net.HiddenKind.Features()
	h, own = spin.New(p, count), make([]float64, count)
	for s := range count {
		for left, unit := first+s, 0; unit < p/of; unit++ {
			on := left % choices
			left /= choices
			switch {
			case of == 1 && !net.HiddenKind.OneHot():
				h.Set(unit, s, int8(2*on-1))
			case on < of:
				h.Set(unit*of+on, s, 1)
			}
		}
		for mu, c := range net.HiddenField {
			own[s] += c * float64(h.At(mu, s))
		}
	}
	return h, own
}
