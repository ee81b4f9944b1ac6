package sample

import (
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A GaussSource is the path to a machine of Gaussian visible units and hidden units of bits,
//
//	ln w_t = sum_i [ -((1-t) a_i + t) u_i² / 2 + ((1-t) a_i m_i + t b_i) u_i ] + t [ sum u K h + c.h ],
//
// from independent u of means m and variances 1/a. States are u = (v - mean)/sigma.
type GaussSource struct {
	net       *rbm.Network[float32]
	couplingT []float32 // visible x hidden
	precision []float32 // a
	linear    []float32 // a m
	deviation []float32 // sigma of v, to scale the precision of observations
}

// OnGauss returns the path from independent u of the given means and variances to a network of
// Gaussian visible units, which must not change. sigma are the deviations of v, for observations.
func OnGauss(net *rbm.Network[float32], mean, variance, sigma []float64) *GaussSource {
	return PathsToGauss(net, sigma)(mean, variance)
}

// PathsToGauss returns what makes paths to a network from independent u of given means and variances (OnGauss). They share its
// transposed couplings, and may be made and used by several goroutines at a time.
func PathsToGauss(net *rbm.Network[float32], sigma []float64) func(mean, variance []float64) *GaussSource {
	n := net.Visible()
	couplingT := make([]float32, len(net.Coupling))
	net.TransposeCoupling(couplingT)
	return func(mean, variance []float64) *GaussSource {
		if len(mean) != n || len(variance) != n || len(sigma) != n || net.VisibleKind.Bits() || !net.HiddenKind.Bits() {
			panic(fmt.Sprintf("sample: OnGauss of %s and %s units with %d means, %d variances and %d deviations of %d units", net.VisibleKind, net.HiddenKind, len(mean), len(variance), len(sigma), n))
		}
		s := &GaussSource{net: net, couplingT: couplingT, precision: make([]float32, n), linear: make([]float32, n), deviation: make([]float32, n)}
		for i, v := range variance {
			s.precision[i], s.linear[i], s.deviation[i] = float32(1/v), float32(mean[i]/v), float32(sigma[i])
		}
		return s
	}
}

// Units implements Source.
func (s *GaussSource) Units() (visible, hidden int) { return s.net.Visible(), s.net.Hidden() }

// NewVisible implements Source.
func (s *GaussSource) NewVisible(count int) *units.Reals[float32] {
	return units.NewReals[float32](s.net.Visible(), count)
}

// NewHidden implements Source.
func (s *GaussSource) NewHidden(count int) *spin.Matrix {
	return units.NewBits(s.net.Hidden(), count, s.net.HiddenKind)
}

// RandomHidden implements Source: all states are as likely.
func (s *GaussSource) RandomHidden(count int, key stream.Key) *spin.Matrix {
	return units.RandomBits(s.net.Hidden(), count, s.net.HiddenKind, key)
}

// Base implements Source.
func (s *GaussSource) Base(count int, key stream.Key) *units.Reals[float32] {
	v, c := s.NewVisible(count), s.Conditionals(count)
	c.DrawVisible(v, s.NewHidden(count), 0, key)
	return v
}

// LnZBase implements Source.
func (s *GaussSource) LnZBase() float64 {
	sum := s.net.Constant + s.net.HiddenKind.LnStates(s.net.Hidden())
	for i, a := range s.precision {
		a, b := float64(a), float64(s.linear[i])
		sum += math.Log(2*math.Pi/a)/2 + b*b/(2*a)
	}
	return sum
}

// LnZKnown implements Partial.
func (s *GaussSource) LnZKnown(dst []float64, v *units.Reals[float32], missing *spin.Matrix) {
	all := s.LnZBase()
	for a := range dst {
		dst[a] = all
	}
	for i, p := range s.precision {
		p, l := float64(p), float64(s.linear[i])
		free := math.Log(2*math.Pi/p)/2 + l*l/(2*p)
		for a, u := range v.Row(i) {
			if u := float64(u); missing.At(i, a) < 0 {
				dst[a] += (l-p*u/2)*u - free
			}
		}
	}
}

// Scattered implements Scattering: draws from the base of up to four times its deviations.
func (s *GaussSource) Scattered(count int, key stream.Key) *units.Reals[float32] {
	v := s.Base(count, key)
	for i := range v.Units() {
		mean := s.linear[i] / s.precision[i]
		row := v.Row(i)
		for a := range row {
			_, share := math.Modf((float64(a) + 0.5) / math.Phi)
			row[a] = mean + float32(4*share)*(row[a]-mean)
		}
	}
	return v
}

// Conditionals implements Source.
func (s *GaussSource) Conditionals(count int) Conditionals[float32, *units.Reals[float32], *spin.Matrix] {
	n, p := s.Units()
	return &gaussConditionals{source: s, hidden: make([]float32, p*count), scaled: make([]float32, p*count), linear: make([]float32, n*count),
		means: make([]float32, n*count), precision: make([]float32, n), shift: make([]float32, n)}
}

// gaussConditionals are those of Gaussian visible units.
type gaussConditionals struct {
	source           *GaussSource
	hidden, scaled   []float32 // hidden fields at t = 1, and at the last t
	linear, means    []float32 // linear terms of u in the last draw, visible x chains, and the means
	precision, shift []float32 // of u in the last draw; its linear term without hidden units
	observed         *units.Reals[float32]
	missing          *spin.Matrix // +1 where observed has no value; nil if it has all
	strength         float32
}

func (c *gaussConditionals) DrawHidden(h *spin.Matrix, v *units.Reals[float32], t float32, key stream.Key) {
	net := c.source.net
	units.MulAffine(c.hidden, net.Coupling, net.Hidden(), v, net.HiddenField)
	fields := c.hidden
	if t != 1 {
		fields = c.scaled
		for k, f := range c.hidden {
			fields[k] = t * f
		}
	}
	units.Draw(h, fields, net.HiddenKind, key)
}

func (c *gaussConditionals) HiddenFields() []float32 { return c.hidden }

func (c *gaussConditionals) DrawVisible(v *units.Reals[float32], h *spin.Matrix, t float32, key stream.Key) {
	s := c.source
	for i, a := range s.precision {
		c.precision[i], c.shift[i] = (1-t)*a+t, (1-t)*s.linear[i]+t*s.net.VisibleField[i]
	}
	spin.MulAffine(c.linear, s.couplingT, s.net.Visible(), h, t, c.shift)
	c.draw(v, 0, key)
}

// draw draws u with the terms of the last DrawVisible and those of an observation of a
// precision in units of v.
func (c *gaussConditionals) draw(v *units.Reals[float32], seen float32, key stream.Key) {
	chains := v.Len()
	parallel.For(v.Units(), parallel.Grain(chains*16), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			rng := key.Sub(uint64(i)).Rand()
			more := seen * c.source.deviation[i] * c.source.deviation[i]
			precision := c.precision[i] + more
			inverse, deviation := 1/precision, float32(1/math.Sqrt(float64(precision)))
			row, means := v.Row(i), c.means[i*chains:(i+1)*chains]
			var y []float32
			if more > 0 {
				y = c.observed.Row(i)
			}
			free, wide := 1/c.precision[i], float32(1/math.Sqrt(float64(c.precision[i]))) // of missing values
			for a, l := range c.linear[i*chains : (i+1)*chains] {
				if more > 0 && c.missing != nil && c.missing.At(i, a) > 0 {
					means[a] = l * free
					row[a] = means[a] + wide*float32(rng.NormFloat64())
					continue
				}
				if more > 0 {
					l += more * y[a]
				}
				means[a] = l * inverse
				row[a] = means[a] + deviation*float32(rng.NormFloat64())
			}
		}
	})
}

func (c *gaussConditionals) VisibleFields() []float32 { return c.means }

func (c *gaussConditionals) VisibleMeans(dst, fields []float32) { copy(dst, fields) }

func (c *gaussConditionals) HoldFields(fields []float32, v *units.Reals[float32], named []int) {
	for _, i := range named {
		copy(fields[i*v.Len():(i+1)*v.Len()], v.Row(i))
	}
}

// Observe implements Observing: y is (v - mean)/sigma of the observed v.
func (c *gaussConditionals) Observe(y *units.Reals[float32], missing *spin.Matrix, strength float64) {
	c.observed, c.missing, c.strength = y.Clone(), missing, float32(strength)
}

// DrawObserved implements Observing.
func (c *gaussConditionals) DrawObserved(v *units.Reals[float32], key stream.Key) {
	c.draw(v, c.strength, key)
}

func (c *gaussConditionals) AddGains(sum []float64, v *units.Reals[float32], from, to float32) {
	s, chains := c.source, v.Len()
	d := float64(to) - float64(from)
	parallel.For(chains, parallel.Grain((s.net.Visible()+10*s.net.Hidden())*2), func(lo, hi int) {
		for i, a := range s.precision {
			square, linear := d*(float64(a)-1)/2, d*(float64(s.net.VisibleField[i])-float64(s.linear[i]))
			for l, u := range v.Row(i)[lo:hi] {
				sum[lo+l] += (square*float64(u) + linear) * float64(u)
			}
		}
		minus := make([]float64, hi-lo)
		rbm.AddLogSums(sum[lo:hi], c.hidden, s.net.HiddenKind, chains, lo, to)
		rbm.AddLogSums(minus, c.hidden, s.net.HiddenKind, chains, lo, from)
		for l, x := range minus {
			sum[lo+l] -= x
		}
	})
}

func (c *gaussConditionals) LogWeights(dst []float64, v *units.Reals[float32]) {
	net := c.source.net
	for l := range dst {
		dst[l] = net.Constant
	}
	for i, b := range net.VisibleField {
		for l, u := range v.Row(i) {
			dst[l] += (float64(b) - float64(u)/2) * float64(u)
		}
	}
	rbm.AddLogSums(dst, c.hidden, net.HiddenKind, v.Len(), 0, 1)
}
