package sampletest_test

import (
	"math"
	"testing"

	"bethe/sample"
	"bethe/sample/sampletest"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// states are colours 0, 1, 2, kept as numbers, and hidden spins.
type colours = units.Reals[float64]

// A potts source has visible units of several colours, each of which has a field of its
// own, and a base in which all are equally likely. It can do no more than it must.
type potts struct {
	coupling [][]float64 // of unit and colour, n*q+k, and hidden unit
	field    []float64   // of the hidden units
}

const q = 3

func (s *potts) Units() (visible, hidden int) { return len(s.coupling) / q, len(s.field) }
func (s *potts) NewVisible(count int) *colours {
	return units.NewReals[float64](len(s.coupling)/q, count)
}
func (s *potts) NewHidden(count int) *spin.Matrix { return spin.New(len(s.field), count) }
func (s *potts) LnZBase() float64 {
	n, p := s.Units()
	return float64(n)*math.Log(q) + float64(p)*math.Ln2
}

func (s *potts) RandomHidden(count int, key stream.Key) *spin.Matrix {
	return spin.Random(len(s.field), count, key.Rand())
}

func (s *potts) Base(count int, key stream.Key) *colours {
	v, rng := s.NewVisible(count), key.Rand()
	for k := range v.Values() {
		v.Values()[k] = float64(rng.IntN(q))
	}
	return v
}

func (s *potts) Conditionals(count int) sample.Conditionals[float64, *colours, *spin.Matrix] {
	return &conditionals{s, make([]float64, len(s.field)*count), make([]float64, len(s.coupling)*count)}
}

// hiddenField returns the field of a hidden unit at t = 1.
func (s *potts) hiddenField(mu int, v *colours, column int) float64 {
	f := s.field[mu]
	for i := range v.Units() {
		f += s.coupling[i*q+int(v.Row(i)[column])][mu]
	}
	return f
}

func (s *potts) logWeight(v *colours, column int, t float64) float64 {
	sum := 0.0
	for mu := range s.field {
		sum += math.Log(2 * math.Cosh(t*s.hiddenField(mu, v, column)))
	}
	return sum
}

type conditionals struct {
	source          *potts
	hidden, visible []float64
}

func (c *conditionals) HiddenFields() []float64  { return c.hidden }
func (c *conditionals) VisibleFields() []float64 { return c.visible }

func (c *conditionals) DrawHidden(h *spin.Matrix, v *colours, t float64, key stream.Key) {
	for l := range v.Len() {
		rng := key.Sub(uint64(l)).Rand()
		for mu := range c.source.field {
			f := c.source.hiddenField(mu, v, l)
			c.hidden[mu*v.Len()+l] = f
			h.Set(mu, l, int8(math.Copysign(1, 1/(1+math.Exp(-2*t*f))-rng.Float64())))
		}
	}
}

func (c *conditionals) DrawVisible(v *colours, h *spin.Matrix, t float64, key stream.Key) {
	for l := range v.Len() {
		for k, row := range c.source.coupling {
			f := 0.0
			for mu, w := range row {
				f += t * w * float64(h.At(mu, l))
			}
			c.visible[k*v.Len()+l] = f
		}
		rng := key.Sub(uint64(l)).Rand()
		for i := range v.Units() {
			u, k := rng.Float64(), 0
			for ; k < q-1; k++ {
				if u -= share(c.visible, i, k, l, v.Len()); u < 0 {
					break
				}
			}
			v.Row(i)[l] = float64(k)
		}
	}
}

// share returns the probability of colour k of a unit in fields, units*q x columns.
func share(fields []float64, unit, k, column, columns int) float64 {
	sum := 0.0
	for other := range q {
		sum += math.Exp(fields[(unit*q+other)*columns+column] - fields[(unit*q+k)*columns+column])
	}
	return 1 / sum
}

func (c *conditionals) VisibleMeans(dst, fields []float64) {
	columns := len(fields) / len(c.source.coupling)
	for k := range dst {
		row := k / columns
		dst[k] = share(fields, row/q, row%q, k%columns, columns)
	}
}

func (c *conditionals) HoldFields(fields []float64, v *colours, named []int) {
	const held = 100
	for _, i := range named {
		for l, colour := range v.Row(i) {
			for k := range q {
				fields[(i*q+k)*v.Len()+l] = 0
			}
			fields[(i*q+int(colour))*v.Len()+l] = held
		}
	}
}

func (c *conditionals) AddGains(sum []float64, v *colours, from, to float64) {
	for l := range sum {
		sum[l] += c.source.logWeight(v, l, to) - c.source.logWeight(v, l, from)
	}
}

func (c *conditionals) LogWeights(dst []float64, v *colours) {
	for l := range dst {
		dst[l] = c.source.logWeight(v, l, 1)
	}
}

// Units of three colours, which have three fields each, keep the contract too: so it
// asks for nothing that only units with one number can do.
func TestColours(t *testing.T) {
	s := &potts{field: []float64{0.2, -0.1}}
	for _, x := range [][2]float64{{0.5, -0.5}, {0.5, 0.5}, {-0.5, 0.5}, {-0.5, -0.5}, {0.5, -0.5}, {0.5, 0.5}} {
		s.coupling = append(s.coupling, x[:])
	}
	const cells = q * q * 4
	// exponent returns that of a joint state: two colours and two spins.
	exponent := func(cell int, t float64) float64 {
		e := 0.0
		for mu := range 2 {
			h := float64(2*(cell/(q*q)>>mu&1) - 1)
			e += t * h * (s.field[mu] + s.coupling[cell%q][mu] + s.coupling[q+cell/q%q][mu])
		}
		return e
	}
	lnZ := func(t float64) float64 {
		sum := 0.0
		for k := range cells {
			sum += math.Exp(exponent(k, t))
		}
		return math.Log(sum)
	}
	cell := func(v *colours, l int) int { return int(v.Row(0)[l]) + q*int(v.Row(1)[l]) }
	sampletest.Run(t, sampletest.Case[float64, *colours, *spin.Matrix]{
		New: func() sample.Source[float64, *colours, *spin.Matrix] { return s },
		Cells: func(v *colours, h *spin.Matrix) []int {
			out := make([]int, v.Len())
			for l := range out {
				out[l] = cell(v, l) + q*q*(int(h.At(0, l)+1)/2+int(h.At(1, l)+1))
			}
			return out
		},
		Probabilities: func(t float64) []float64 {
			p, z := make([]float64, cells), lnZ(t)
			for k := range p {
				p[k] = math.Exp(exponent(k, t) - z)
			}
			return p
		},
		LnZ: lnZ,
		LogWeights: func(v *colours, t float64) []float64 {
			out := make([]float64, v.Len())
			for l := range out {
				sum := 0.0
				for h := range 4 {
					sum += math.Exp(exponent(cell(v, l)+q*q*h, t))
				}
				out[l] = math.Log(sum)
			}
			return out
		},
		Values: func(v *colours) []float64 {
			out := make([]float64, len(s.coupling)*v.Len())
			for i := range v.Units() {
				for l, colour := range v.Row(i) {
					out[(i*q+int(colour))*v.Len()+l] = 1
				}
			}
			return out
		},
		Tolerance: 1e-10,
	})
}
