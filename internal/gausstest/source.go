package gausstest

import (
	"context"
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A Machine has N Gaussian visible units, P hidden spins and known synapses ±1. With
// u_i = (v_i - mu_i) / sigma_i the density of its states is proportional to
//
//	exp( -sum u_i^2 / 2 - sum ln sigma_i + J sum u_i xi_{i mu} (h_mu - nu_mu) + sum c_mu h_mu ),
//
// so that v_i given h is normal with mean mu_i + sigma_i J sum xi (h - nu) and
// deviation sigma_i, and Z does not know mu and sigma.
type Machine struct {
	Coupling        float64     // J
	Synapses        [][]float64 // xi, a row of P a visible unit
	Mean, Deviation []float64   // mu, sigma
	HiddenField     []float64   // c
	HiddenOffset    []float64   // nu
}

// Visible and Hidden return the numbers of units.
func (m *Machine) Visible() int { return len(m.Mean) }
func (m *Machine) Hidden() int  { return len(m.HiddenField) }

// MaxExact is the largest number of hidden units whose states are enumerated.
const MaxExact = 20

// LnZ implements evaluate.Exact: (N/2) ln 2 pi + ln sum_h exp(c.h + J^2/2 sum_i (xi_i.(h - nu))^2).
func (m *Machine) LnZ(ctx context.Context) (float64, error) {
	p := m.Hidden()
	if p > MaxExact {
		return 0, fmt.Errorf("%w: %d hidden units and the limit is %d", rbm.ErrTooLarge, p, MaxExact)
	}
	exponents := make([]float64, 1<<p)
	h := make([]float64, p)
	for k := range exponents {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		for mu := range h {
			h[mu] = float64(2*(k>>mu&1) - 1)
			exponents[k] += m.HiddenField[mu] * h[mu]
		}
		for i := range m.Mean {
			push := m.push(i, h)
			exponents[k] += push * push / 2
		}
	}
	return float64(m.Visible())/2*math.Log(2*math.Pi) + rbm.LogSumExp(exponents), nil
}

// push returns J sum xi_{i mu} (h_mu - nu_mu), the mean of u_i.
func (m *Machine) push(i int, h []float64) float64 {
	sum := 0.0
	for mu, xi := range m.Synapses[i] {
		sum += xi * (h[mu] - m.HiddenOffset[mu])
	}
	return m.Coupling * sum
}

// field returns c_mu + J sum_i u_i xi_{i mu} for a column of visible states.
func (m *Machine) field(mu int, v *units.Reals[float64], column int) float64 {
	sum := m.HiddenField[mu]
	for i := range m.Mean {
		sum += m.Coupling * m.scaled(v, i, column) * m.Synapses[i][mu]
	}
	return sum
}

// scaled returns u of a unit.
func (m *Machine) scaled(v *units.Reals[float64], i, column int) float64 {
	return (v.Row(i)[column] - m.Mean[i]) / m.Deviation[i]
}

// LogWeights implements evaluate.Evaluated: ln of the density, summed over h, of each
// column, short of ln Z.
func (m *Machine) LogWeights(samples *units.Reals[float64]) []float64 {
	weights := make([]float64, samples.Len())
	path := newPath(m)
	fields := make([]float64, m.Hidden())
	for l := range weights {
		for mu := range fields {
			fields[mu] = m.field(mu, samples, l)
		}
		weights[l] = path.logWeight(samples, l, fields, 1)
	}
	return weights
}

// HiddenMeans implements evaluate.Featuring.
func (m *Machine) HiddenMeans(dst []float32, samples *units.Reals[float64], gain float64) {
	for mu := range m.Hidden() {
		for l := range samples.Len() {
			dst[mu*samples.Len()+l] = float32(math.Tanh(gain * m.field(mu, samples, l)))
		}
	}
}

// Source implements evaluate.Evaluated. The base has the means and variances of the
// samples, the latter as if there were two more of a squared distance of sigma^2.
func (m *Machine) Source(like *units.Reals[float64]) sample.Source[float64, *units.Reals[float64], *spin.Matrix] {
	mean, variance := make([]float64, m.Visible()), make([]float64, m.Visible())
	count := float64(like.Len())
	for i := range mean {
		square := 0.0
		for l := range like.Len() {
			u := m.scaled(like, i, l)
			mean[i] += u / count
			square += u * u
		}
		variance[i] = (square - count*mean[i]*mean[i] + 2) / (count + 2)
	}
	return m.From(mean, variance)
}

// From returns the path to m from independent u of the given means and variances.
func (m *Machine) From(mean, variance []float64) *Source {
	s := &Source{newPath(m)}
	for i, v := range variance {
		s.precision[i], s.linear[i] = 1/v, mean[i]/v
	}
	return s
}

// A path is the family
//
//	ln w_t = sum_i [ -((1-t) a_i + t) u_i^2 / 2 + (1-t) b_i u_i - ln sigma_i ]
//	         + t [ J sum u xi (h - nu) + c.h ].
type path struct {
	machine   *Machine
	precision []float64 // a
	linear    []float64 // b
	offset    []float64 // J sum_mu xi nu
	lnSigma   float64   // sum_i
}

// newPath returns the path from u that are all 0.
func newPath(m *Machine) *path {
	n := m.Visible()
	w := &path{m, make([]float64, n), make([]float64, n), make([]float64, n), 0}
	for i, sigma := range m.Deviation {
		w.lnSigma += math.Log(sigma)
		for mu, xi := range m.Synapses[i] {
			w.offset[i] += m.Coupling * xi * m.HiddenOffset[mu]
		}
	}
	return w
}

// logWeight returns ln w_t of a column with the given fields of the hidden units at
// t = 1, summed over h.
func (w *path) logWeight(v *units.Reals[float64], column int, fields []float64, t float64) float64 {
	m, sum := w.machine, -w.lnSigma
	for i := range m.Mean {
		u := m.scaled(v, i, column)
		sum += -((1-t)*w.precision[i]+t)*u*u/2 + ((1-t)*w.linear[i]-t*w.offset[i])*u
	}
	for _, f := range fields {
		f = math.Abs(t * f)
		sum += f + math.Log1p(math.Exp(-2*f))
	}
	return sum
}

// A Source is a sample.Source on the path to a machine.
type Source struct{ *path }

// Units implements sample.Source.
func (s *Source) Units() (visible, hidden int) { return s.machine.Visible(), s.machine.Hidden() }

// NewVisible implements sample.Source.
func (s *Source) NewVisible(count int) *units.Reals[float64] {
	return units.NewReals[float64](s.machine.Visible(), count)
}

// NewHidden implements sample.Source.
func (s *Source) NewHidden(count int) *spin.Matrix { return spin.New(s.machine.Hidden(), count) }

// RandomHidden implements sample.Source: fair spins.
func (s *Source) RandomHidden(count int, key stream.Key) *spin.Matrix {
	return spin.Random(s.machine.Hidden(), count, key.Rand())
}

// Base implements sample.Source.
func (s *Source) Base(count int, key stream.Key) *units.Reals[float64] {
	v, c := s.NewVisible(count), s.Conditionals(count)
	c.DrawVisible(v, s.NewHidden(count), 0, key)
	return v
}

// LnZBase implements sample.Source.
func (s *Source) LnZBase() float64 {
	sum := float64(s.machine.Hidden()) * math.Ln2
	for i, a := range s.precision {
		sum += math.Log(2*math.Pi/a)/2 + s.linear[i]*s.linear[i]/(2*a)
	}
	return sum
}

// Conditionals implements sample.Source.
func (s *Source) Conditionals(count int) sample.Conditionals[float64, *units.Reals[float64], *spin.Matrix] {
	n, p := s.Units()
	return &conditionals{path: s.path, hidden: make([]float64, p*count), column: make([]float64, p), visible: make([]float64, n*count),
		precision: make([]float64, n), linear: make([]float64, n*count)}
}

type conditionals struct {
	path            *path
	hidden, visible []float64 // fields; of visible units the means of v
	column          []float64 // scratch: hidden fields of a chain
	// Of the last draw: the precision of each u, and the linear term (visible x chains).
	precision, linear []float64
	observed          *units.Reals[float64]
	missing           *spin.Matrix // of observed; nil if none is
	strength          float64
}

func (c *conditionals) DrawHidden(h *spin.Matrix, v *units.Reals[float64], t float64, key stream.Key) {
	chains := v.Len()
	for l := range chains {
		rng := key.Sub(uint64(l)).Rand()
		for mu := range h.Rows() {
			f := c.path.machine.field(mu, v, l)
			c.hidden[mu*chains+l] = f
			s := int8(-1)
			if rng.Float64() < 1/(1+math.Exp(-2*t*f)) {
				s = 1
			}
			h.Set(mu, l, s)
		}
	}
}

func (c *conditionals) HiddenFields() []float64 { return c.hidden }

func (c *conditionals) DrawVisible(v *units.Reals[float64], h *spin.Matrix, t float64, key stream.Key) {
	m, chains := c.path.machine, v.Len()
	state := make([]float64, h.Rows())
	for i := range m.Mean {
		c.precision[i] = (1-t)*c.path.precision[i] + t
	}
	for l := range chains {
		for mu := range state {
			state[mu] = float64(h.At(mu, l))
		}
		for i := range m.Mean {
			c.linear[i*chains+l] = (1-t)*c.path.linear[i] + t*m.push(i, state)
		}
	}
	c.draw(v, func(int, int) (precision, linear float64) { return 0, 0 }, key)
}

// draw draws u with the terms of the last DrawVisible and others.
func (c *conditionals) draw(v *units.Reals[float64], more func(i, l int) (precision, linear float64), key stream.Key) {
	m, chains := c.path.machine, v.Len()
	for l := range chains {
		rng := key.Sub(uint64(l)).Rand()
		for i := range m.Mean {
			precision, linear := more(i, l)
			precision, linear = precision+c.precision[i], linear+c.linear[i*chains+l]
			c.visible[i*chains+l] = m.Mean[i] + m.Deviation[i]*linear/precision
			v.Row(i)[l] = c.visible[i*chains+l] + m.Deviation[i]*rng.NormFloat64()/math.Sqrt(precision)
		}
	}
}

func (c *conditionals) VisibleFields() []float64 { return c.visible }

func (c *conditionals) VisibleMeans(dst, fields []float64) { copy(dst, fields) }

func (c *conditionals) HoldFields(fields []float64, v *units.Reals[float64], named []int) {
	for _, i := range named {
		copy(fields[i*v.Len():(i+1)*v.Len()], v.Row(i))
	}
}

// Observe implements sample.Observing.
func (c *conditionals) Observe(y *units.Reals[float64], missing *spin.Matrix, strength float64) {
	c.observed, c.missing, c.strength = y.Clone(), missing, strength
}

// DrawObserved implements sample.Observing.
func (c *conditionals) DrawObserved(v *units.Reals[float64], key stream.Key) {
	m := c.path.machine
	c.draw(v, func(i, l int) (precision, linear float64) {
		if c.missing != nil && c.missing.At(i, l) > 0 {
			return 0, 0
		}
		precision = c.strength * m.Deviation[i] * m.Deviation[i]
		return precision, precision * m.scaled(c.observed, i, l)
	}, key)
}

// fields returns the hidden fields of a chain.
func (c *conditionals) fields(l, chains int) []float64 {
	for mu := range c.column {
		c.column[mu] = c.hidden[mu*chains+l]
	}
	return c.column
}

func (c *conditionals) AddGains(sum []float64, v *units.Reals[float64], from, to float64) {
	for l := range sum {
		fields := c.fields(l, v.Len())
		sum[l] += c.path.logWeight(v, l, fields, to) - c.path.logWeight(v, l, fields, from)
	}
}

func (c *conditionals) LogWeights(dst []float64, v *units.Reals[float64]) {
	for l := range dst {
		dst[l] = c.path.logWeight(v, l, c.fields(l, v.Len()), 1)
	}
}
