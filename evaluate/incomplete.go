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
		if err := samples.fits(machine); err != nil {
			return nil, err
		}
		if err := CheckObserved(&machine.Params, samples.Missing.Cols()); err != nil {
			return nil, err
		}
		net, couplingT := network()
		return enumerated(ctx, machine, net, couplingT, samples)
	}
}

// enumerated is ObservedOf of samples that fit, with the machine's network and its couplings transposed.
func enumerated(ctx context.Context, machine *rbm.Machine, net *rbm.Network[float64], couplingT []float64, samples Incomplete) (*Observed, error) {
	n, p, m, kind := net.Visible(), net.Hidden(), samples.Missing.Cols(), machine.VisibleKind
	ln := machine.HiddenKind.LnStates(p)
	of := kind.Features()
	x, mask, o := samples.seen(kind)
	o.LogWeights = make([]float64, m)
	for a := range o.LogWeights {
		o.LogWeights[a] = math.Inf(-1)
	}
	states, choices := int(math.Round(math.Exp(ln))), machine.HiddenKind.Choices()
	const together = 256 // states
	each := func(do func(h *spin.Matrix, fields, weights []float64)) error {
		for lo := 0; lo < states; lo += together {
			if err := ctx.Err(); err != nil {
				return err
			}
			count := min(together, states-lo)
			h, own := hiddenStates(net, lo, count, choices)
			fields, sums, weights := make([]float64, n*count), make([]float64, n/of*count), make([]float64, m*count)
			net.VisibleFields(fields, couplingT, h)
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
				kernel.MulReal(weights[from*count:to*count], x[from*n:to*n], fields, to-from, n, count, false, false)
				kernel.MulReal(part, mask[from*n/of:to*n/of], sums, to-from, n/of, count, false, false)
				for k, v := range part {
					weights[from*count+k] += v + own[k%count]
				}
			})
			do(h, fields, weights)
		}
		return nil
	}
	if err := each(func(h *spin.Matrix, _, weights []float64) {
		count := h.Cols()
		for a := range m {
			o.LogWeights[a] = rbm.LogSumExp(append(weights[a*count:(a+1)*count:(a+1)*count], o.LogWeights[a]))
		}
	}); err != nil {
		return nil, err
	}
	// Means of missing units: those given each hidden state, weighted with its probability.
	mean := make([]float64, n*m)
	o.Hidden = make([]float64, p*m)
	if err := each(func(h *spin.Matrix, fields, weights []float64) {
		count := h.Cols()
		for a := range m {
			for s := range count {
				weights[a*count+s] = math.Exp(weights[a*count+s] - o.LogWeights[a])
			}
		}
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
	for i := range n {
		for a := range m {
			if samples.Missing.At(i/of, a) > 0 {
				o.Mean[i*m+a] = mean[i*m+a]
			}
		}
	}
	base := samples.base(kind)
	for a := range o.LogWeights {
		o.LogWeights[a] += net.Constant + base[a]
	}
	return o, nil
}

// fits returns an error unless the samples are those of a machine.
func (s *Incomplete) fits(machine *rbm.Machine) error {
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
