package evaluate

import (
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// meanFieldSamples is how many samples find their mean field at once.
const meanFieldSamples = 16

// meanField returns M, the fields of r, samples x even, of samples whose data make the fields of the odd units that are in field,
// samples x odd.
func (c *clamped) meanField(field []float32, m int) []float32 {
	mean := make([]float32, m*c.even)
	parallel.For(m, meanFieldSamples, func(lo, hi int) {
		c.meanFieldOf(mean[lo*c.even:hi*c.even], field[lo*c.odd:hi*c.odd], hi-lo)
	})
	return mean
}

// meanFieldOf is meanField of m samples.
func (c *clamped) meanFieldOf(mean, field []float32, m int) {
	space := make([]float32, 4*m*(c.even+c.odd))
	rows := func(units int) (x []float32) {
		x, space = space[:m*units], space[m*units:]
		return x
	}
	rho, free, product, reaction := rows(c.even), rows(c.even), rows(c.even), rows(c.even)
	tanh, sech2, odd, variance := rows(c.odd), rows(c.odd), rows(c.odd), rows(c.odd)
	for a := range m {
		copy(mean[a*c.even:(a+1)*c.even], c.evenField)
	}
	for range meanFieldRounds {
		kernel.Tanh(rho, mean)
		for k, r := range rho {
			free[k] = 1 - r*r
		}
		c.couplings.toOdd(odd, variance, rho, free, m)
		for j, f := range field {
			odd[j] += f
			variance[j] = max(0, variance[j])
		}
		kernel.GaussMoments(tanh, sech2, odd, variance)
		c.couplings.toEven(product, reaction, tanh, sech2, m)
		for a := range m {
			at := a * c.even
			mean, rho, product, reaction := mean[at:at+c.even], rho[at:], product[at:], reaction[at:]
			for k, f := range c.evenField {
				mean[k] += (f + product[k] - reaction[k]*rho[k] - mean[k]) / 2
			}
		}
	}
}

// upperCouplings are the couplings above the first link as factors of products: with means of units, and their squares with variances,
// samples x units.
type upperCouplings interface {
	// toOdd sets mean and variance, samples x odd, to the products with what even units have.
	toOdd(mean, variance, rho, free []float32, m int)
	// toEven sets mean and variance, samples x even, to the products with what odd units have.
	toEven(mean, variance, tanh, sech2 []float32, m int)
}

// newUpperCouplings takes those of a deep machine, odd x even.
func newUpperCouplings(machine *rbm.Machine, couplings []float32, odd, even int) upperCouplings {
	signed, ok := machine.Synapses.(rbm.Signed)
	if !ok {
		r := &realCouplings{odd: odd, even: even, of: couplings, across: make([]float32, odd*even), square: make([]float32, odd*even), squareAcross: make([]float32, odd*even)}
		for k, v := range couplings {
			r.square[k] = v * v
		}
		kernel.Transpose(r.across, odd, couplings, even, odd, even)
		kernel.Transpose(r.squareAcross, odd, r.square, even, odd, even)
		return r
	}
	b := &signCouplings{odd: odd, even: even}
	for _, l := range machine.Links[1:] {
		s := signLink{odd: l.Hidden, even: rbm.Range{From: l.Visible.From - machine.Layers().Data(), To: l.Visible.To - machine.Layers().Data()}, coupling: float32(l.Coupling)}
		signs := columns(signed.Signs(), l.Hidden.From, l.Hidden.To)
		s.toOdd, s.toEven = spin.New(s.even.Len(), s.odd.Len()), spin.New(s.odd.Len(), s.even.Len())
		for k := range s.even.Len() {
			for j := range s.odd.Len() {
				s.toOdd.Set(k, j, signs.At(l.Visible.From+k, j))
			}
		}
		s.toOdd.Transpose(s.toEven)
		b.links = append(b.links, s)
	}
	return b
}

// realCouplings are any real numbers.
type realCouplings struct {
	odd, even            int
	of, square           []float32 // odd x even
	across, squareAcross []float32 // even x odd
}

func (r *realCouplings) toOdd(mean, variance, rho, free []float32, m int) {
	kernel.MulReal(mean, rho, r.across, m, r.even, r.odd, false, false)
	kernel.MulReal(variance, free, r.squareAcross, m, r.even, r.odd, false, false)
}

func (r *realCouplings) toEven(mean, variance, tanh, sech2 []float32, m int) {
	kernel.MulReal(mean, tanh, r.of, m, r.odd, r.even, false, false)
	kernel.MulReal(variance, sech2, r.square, m, r.odd, r.even, false, false)
}

// signCouplings are bits, times the coupling of each link: the squares are all the same.
type signCouplings struct {
	odd, even int
	links     []signLink
}

type signLink struct {
	odd, even     rbm.Range
	coupling      float32
	toOdd, toEven *spin.Matrix // even x odd, odd x even
}

func (s *signCouplings) toOdd(mean, variance, rho, free []float32, m int) {
	clear(mean)
	clear(variance)
	for _, l := range s.links {
		l.add(mean, variance, rho, free, m, s.odd, s.even, l.odd, l.even, l.toOdd)
	}
}

func (s *signCouplings) toEven(mean, variance, tanh, sech2 []float32, m int) {
	clear(mean)
	clear(variance)
	for _, l := range s.links {
		l.add(mean, variance, tanh, sech2, m, s.even, s.odd, l.even, l.odd, l.toEven)
	}
}

// add adds the products of the rows of from units with signs (from x to) to those of width units.
func (l *signLink) add(mean, variance, means, variances []float32, m, width, fromWidth int, to, from rbm.Range, signs *spin.Matrix) {
	some := means
	if from.Len() < fromWidth {
		some = make([]float32, m*from.Len())
		for a := range m {
			copy(some[a*from.Len():], means[a*fromWidth+from.From:a*fromWidth+from.To])
		}
	}
	product := make([]float32, m*to.Len())
	spin.Mul(product, some, m, signs)
	for a := range m {
		square := l.coupling * l.coupling * float32(kernel.Sum(variances[a*fromWidth+from.From:a*fromWidth+from.To]))
		mean, variance := mean[a*width+to.From:a*width+to.To], variance[a*width+to.From:a*width+to.To]
		for k, v := range product[a*to.Len() : (a+1)*to.Len()] {
			mean[k] += l.coupling * v
			variance[k] += square
		}
	}
}

// hiddenFields returns the fields of all hidden units given samples by mean field: those of odd and of even layers, samples x units each.
func (c *clamped) hiddenFields(samples *spin.Matrix) (odd, even []float32) {
	m := samples.Cols()
	across, field := make([]float32, c.odd*m), make([]float32, c.odd*m)
	spin.MulAffine(across, c.below, c.odd, samples, 1, c.oddField)
	kernel.Transpose(field, c.odd, across, m, c.odd, m)
	even = c.meanField(field, m)
	odd = across
	rho, variance := make([]float32, m*c.even), make([]float32, m*c.odd)
	kernel.Tanh(rho, even)
	c.couplings.toOdd(odd, variance, rho, rho, m)
	for k, f := range field {
		odd[k] += f
	}
	return odd, even
}

// features returns those of all hidden layers beside each other, samples x units.
func (c *clamped) features(samples *spin.Matrix, gain float64) []float32 {
	const block = 1 << 10 // samples at a time, so that fields take little memory
	width, m := c.odd+c.even, samples.Cols()
	x := make([]float32, m*width)
	for lo := 0; lo < m; lo += block {
		part := columns(samples, lo, min(m, lo+block))
		odd, even := c.hiddenFields(part)
		for a := range part.Cols() {
			row := x[(lo+a)*width : (lo+a+1)*width]
			for l := range c.layers[1:] {
				copy(row, c.ofLayer(l+1, odd, even, a))
				row = row[c.layers[l+1]:]
			}
		}
	}
	kernel.Affine(x, x, float32(gain), 0)
	kernel.Tanh(x, x)
	return x
}

// ofLayer returns what hidden layer l has of sample a in odd or in even.
func (c *clamped) ofLayer(l int, odd, even []float32, a int) []float32 {
	at := c.layers.Place(l)
	if l%2 == 0 {
		return even[a*c.even+at.From-c.data : a*c.even+at.To-c.data]
	}
	return odd[a*c.odd+at.From : a*c.odd+at.To]
}

// OnLayer returns what features are the means of hidden layer l of a machine, from 1: given the
// sample, of a deep machine by mean field over all hidden layers.
func OnLayer(machine *rbm.Machine, l int) Featuring[*spin.Matrix] {
	if !machine.Deep() {
		return OnMachine(machine)
	}
	return deepLayer{newClamped(machine), l}
}

// A deepLayer is a hidden layer of a deep machine.
type deepLayer struct {
	*clamped
	number int
}

// Hidden implements Featuring.
func (d deepLayer) Hidden() int { return d.layers[d.number] }

// HiddenMeans implements Featuring.
func (d deepLayer) HiddenMeans(dst []float32, samples *spin.Matrix, gain float64) {
	odd, even := d.hiddenFields(samples)
	for a := range samples.Cols() {
		for k, f := range d.ofLayer(d.number, odd, even, a) {
			dst[k*samples.Cols()+a] = f
		}
	}
	kernel.Affine(dst, dst, float32(gain), 0)
	kernel.Tanh(dst, dst)
}
