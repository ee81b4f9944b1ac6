package rbm

import (
	"fmt"

	"bethe/spin"
)

// A Chain is a deep machine with known synapses as people write it down: layers
// 0, 1, ..., L of spins x, where layer 0 is the data, synapses ±1 between
// neighbours, and one coupling per link,
//
//	-E = sum_l J_l sum (x^l_i - mu^l_i) xi^l_ij (x^{l+1}_j - mu^{l+1}_j) + sum_l b^l.x^l
//
// (R. Salakhutdinov and G. Hinton, Deep Boltzmann machines, 2009, with binary
// synapses). Fold makes a machine of two layers of it, which all else works on.
type Chain struct {
	Layers []Layer
	Links  []Between // link l joins layers l and l+1
}

// A Layer is the parameters of the units of a layer.
type Layer struct {
	Field, Offset []float64 // b and mu in [-1, 1], one per unit
}

// A Between is the synapses between two layers.
type Between struct {
	Coupling float64
	Synapses Synapses // lower layer x upper layer, as visible x hidden
}

// Sizes returns the sizes of the layers.
func (c *Chain) Sizes() Folding {
	f := make(Folding, len(c.Layers))
	for l := range c.Layers {
		f[l] = len(c.Layers[l].Field)
	}
	return f
}

// Validate returns an error that names the first layer or link that is out of its range
// or does not fit the others.
func (c *Chain) Validate() error {
	if len(c.Layers) < 2 || len(c.Links) != len(c.Layers)-1 {
		return fmt.Errorf("a chain of %d layers and %d links: there must be 2 layers or more, and a link between neighbours", len(c.Layers), len(c.Links))
	}
	for l, layer := range c.Layers {
		if len(layer.Field) == 0 || len(layer.Offset) != len(layer.Field) {
			return fmt.Errorf("layer %d has %d fields and %d offsets: there must be as many, at least 1", l, len(layer.Field), len(layer.Offset))
		}
	}
	for l, link := range c.Links {
		if lower, upper := link.Synapses.Size(); lower != len(c.Layers[l].Field) || upper != len(c.Layers[l+1].Field) {
			return fmt.Errorf("link %d has %d x %d synapses between layers of %d and %d units", l, lower, upper, len(c.Layers[l].Field), len(c.Layers[l+1].Field))
		}
	}
	params, _ := c.params()
	return params.Validate()
}

// params returns the parameters of the folded machine.
func (c *Chain) params() (Params, Folding) {
	f := c.Sizes()
	couplings := make([]float64, len(c.Links))
	for l, link := range c.Links {
		couplings[l] = link.Coupling
	}
	params := f.NewParams(couplings)
	for l, layer := range c.Layers {
		copy(params.Field(l), layer.Field)
		copy(params.Offset(l), layer.Offset)
	}
	return params, f
}

// Fold returns the machine of two layers that the chain is: its visible units are those
// of even layers, the data's first, its hidden units those of odd layers. The synapses
// know their posterior if those of all links do, and are bits if all are. Synapses
// that are not there have the mean 0. The error is that of Validate.
func (c *Chain) Fold() (*Machine, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if len(c.Links) == 1 {
		params, _ := c.params()
		return &Machine{params, c.Links[0].Synapses}, nil
	}
	params, f := c.params()
	n, p := f.Visible(), f.Hidden()
	values := make([]float32, n*p)
	q := NewPosterior[float32](n, p)
	signed, certain, prior := true, true, false
	for l, link := range c.Links {
		_, isSigned := link.Synapses.(Signed)
		u, isUncertain := link.Synapses.(Uncertain)
		signed, certain = signed && isSigned, certain && isUncertain
		SetBlock(f, values, Values(link.Synapses), l)
		if isUncertain {
			SetBlock(f, q.Theta, u.Posterior().Theta, l)
			prior = prior || u.Posterior().PriorTheta != nil
		}
	}
	m := &Machine{Params: params}
	if !signed {
		m.Synapses = RealValued(n, p, values)
		return m, nil
	}
	signs := transposed(spin.FromSigns(p, n, values))
	if !certain {
		m.Synapses = Binary(signs)
		return m, nil
	}
	if prior {
		q.PriorTheta = make([]float32, n*p)
		for l, link := range c.Links {
			if theta := link.Synapses.(Uncertain).Posterior().PriorTheta; theta != nil {
				SetBlock(f, q.PriorTheta, theta, l)
			}
		}
	}
	m.Synapses = Learned(signs, q)
	return m, nil
}

// Unfold returns the layers and links of a machine: those that fold into it, or its two
// layers. It shares no storage with the machine. It panics if the links are not those of layers.
func Unfold(m *Machine) *Chain {
	f := m.Layers()
	c := &Chain{}
	for l := range f {
		c.Layers = append(c.Layers, Layer{append([]float64(nil), m.Field(l)...), append([]float64(nil), m.Offset(l)...)})
	}
	for l, link := range m.Links {
		c.Links = append(c.Links, Between{link.Coupling, f.Between(m.Synapses, l)})
	}
	return c
}

// Between returns the synapses of link l of a folded machine, lower layer x upper layer.
func (f Folding) Between(s Synapses, l int) Synapses {
	if f.Depth() == 1 {
		return s.Clone()
	}
	lower, upper := f[l], f[l+1]
	block := func(x []float32) []float32 {
		y := make([]float32, lower*upper)
		Block(f, y, x, l)
		return y
	}
	values := block(Values(s))
	if _, signed := s.(Signed); !signed {
		return RealValued(lower, upper, values)
	}
	signs := transposed(spin.FromSigns(upper, lower, values))
	u, ok := s.(Uncertain)
	if !ok {
		return Binary(signs)
	}
	q := &Posterior[float32]{Visible: lower, Hidden: upper, Theta: block(u.Posterior().Theta)}
	if prior := u.Posterior().PriorTheta; prior != nil {
		q.PriorTheta = block(prior)
	}
	return Learned(signs, q)
}

// Below returns the file of the machine of the data's layer and the first hidden one alone.
func (f *File) Below() *File {
	if !f.Deep() {
		return f
	}
	m := f.Machine().Below()
	info := f.Info
	info.Format, info.Layers = FileFormat, nil
	return &File{Params: m.Params, Synapses: m.Synapses, Info: info}
}

// Below returns the machine of the data's layer and the first hidden one alone, with
// its fields and offsets: of a chain of two layers the machine itself.
func (m *Machine) Below() *Machine {
	if !m.Deep() {
		return m
	}
	f := m.Layers()
	params := NewParams(f[0], f[1], m.Links[0].Coupling)
	for l, to := range [][]float64{params.VisibleField, params.HiddenField} {
		copy(to, m.Field(l))
	}
	for l, to := range [][]float64{params.VisibleOffset, params.HiddenOffset} {
		copy(to, m.Offset(l))
	}
	return &Machine{params, f.Between(m.Synapses, 0)}
}
