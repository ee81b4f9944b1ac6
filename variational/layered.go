package variational

import (
	"fmt"
	"math"
	"slices"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/rbm"
)

// A Layered is the data term of a deep machine in plain float64 loops, a sample at a time,
// with Gaussian averages by quadrature: what the objective is held against, and the only
// one for a recognition of any g and w.
//
// The odd layers, one after another, are its odd units j; the even hidden layers its even
// units k. Matrices are odd x even, row-major.
type Layered struct {
	params    *rbm.Params
	mean      []float64 // posterior means of the folded machine, hidden x visible
	data      int       // units of the data's layer
	first     int       // odd units of layer 1, which come first
	odd, even int
	coupling  []float64 // J of each pair, 0 where there is no synapse
	lambda    []float64 // posterior means, the same
	nodes     *Quadrature[float64]
}

// NewLayered returns the data term of a deep machine with the given posterior means (of
// the folded machine, hidden x visible), which may change: Set tells. It panics if the
// links are not those of layers.
func NewLayered(params *rbm.Params, mean []float64) *Layered {
	f := params.Layers()
	d := &Layered{params: params, mean: mean, data: f.Data(), first: f[1], odd: f.Hidden(), even: f.Visible() - f.Data(), nodes: NewQuadrature[float64](201)}
	checkLayered("posterior means", len(mean), f.Hidden()*f.Visible())
	d.coupling, d.lambda = make([]float64, d.odd*d.even), make([]float64, d.odd*d.even)
	d.Set()
	return d
}

func checkLayered(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("variational: %d %s of a deep machine, not %d", got, what, want))
	}
}

// Set takes the couplings and posterior means as they are now.
func (d *Layered) Set() {
	n := d.params.Visible()
	clear(d.coupling)
	clear(d.lambda)
	for _, l := range d.params.Links[1:] {
		for j := l.Hidden.From; j < l.Hidden.To; j++ {
			for i := l.Visible.From; i < l.Visible.To; i++ {
				at := j*d.even + i - d.data
				d.coupling[at], d.lambda[at] = l.Coupling, d.mean[j*n+i]
			}
		}
	}
}

// Recognised is the recognition of one sample: g, one an even unit, and w, odd x even.
type Recognised struct{ Field, Weight []float64 }

// layeredState is what follows from a sample and its recognition.
type layeredState struct {
	mean, variance []float64 // m, V: odd
	tanh, sech2    []float64 // T, R: odd
	M, S           []float64 // even
	rho, chi       []float64 // even
	a              []float64 // E[xi (h - nu)]: odd x even
}

// average returns E f of a Gaussian.
func (d *Layered) average(f func(x float64) float64, mean, variance float64) (sum float64) {
	deviation := math.Sqrt(max(0, variance))
	for k, z := range d.nodes.nodes {
		sum += d.nodes.weights[k] * f(mean+deviation*z)
	}
	return sum
}

func sech2(x float64) float64 { t := math.Tanh(x); return 1 - t*t }

// evenField and evenOffset are those of the even hidden layers.
func (d *Layered) evenField() []float64  { return d.params.VisibleField[d.data:] }
func (d *Layered) evenOffset() []float64 { return d.params.VisibleOffset[d.data:] }

// below sets the mean and the variance that the data make in the fields of the odd units.
func (d *Layered) below(s *layeredState, v []float64) {
	n, link := d.params.Visible(), d.params.Links[0]
	s.mean, s.variance = slices.Clone(d.params.HiddenField), make([]float64, d.odd)
	for j := range d.first {
		for i, x := range v {
			u, l := x-d.params.VisibleOffset[i], d.mean[j*n+i]
			s.mean[j] += link.Coupling * u * l
			s.variance[j] += link.Coupling * link.Coupling * u * u * (1 - l*l)
		}
	}
}

// state returns what follows from a sample and its recognition.
func (d *Layered) state(v []float64, r Recognised) *layeredState {
	s := &layeredState{}
	d.below(s, v)
	d.upper(s, r)
	return s
}

// upper sets all that follows from the recognition, after below.
func (d *Layered) upper(s *layeredState, r Recognised) {
	s.M, s.S = slices.Clone(r.Field), make([]float64, d.even)
	s.rho, s.chi = make([]float64, d.even), make([]float64, d.even)
	s.tanh, s.sech2 = make([]float64, d.odd), make([]float64, d.odd)
	s.a = make([]float64, d.odd*d.even)
	nu := d.evenOffset()
	for k := range d.even {
		for j := range d.odd {
			w, l := r.Weight[j*d.even+k], d.lambda[j*d.even+k]
			s.M[k] += w * l
			s.S[k] += w * w * (1 - l*l)
		}
		s.rho[k], s.chi[k] = d.average(math.Tanh, s.M[k], s.S[k]), d.average(sech2, s.M[k], s.S[k])
	}
	for j := range d.odd {
		for k := range d.even {
			at := j*d.even + k
			J, l := d.coupling[at], d.lambda[at]
			if J == 0 {
				continue
			}
			s.a[at] = l*(s.rho[k]-nu[k]) + (1-l*l)*r.Weight[at]*s.chi[k]
			s.mean[j] += J * s.a[at]
			s.variance[j] += J * J * (1 + nu[k]*nu[k] - 2*nu[k]*s.rho[k] - s.a[at]*s.a[at])
		}
		s.tanh[j], s.sech2[j] = d.average(math.Tanh, s.mean[j], s.variance[j]), d.average(sech2, s.mean[j], s.variance[j])
	}
}

// Recognise returns the recognition of a sample (±1 each) after so many rounds of damped
// iteration. Drawn is not of one sample: it panics.
func (d *Layered) Recognise(v []float64, how Recognition, rounds int) Recognised {
	if how == Drawn {
		panic("variational: Recognise of drawn fields")
	}
	r := Recognised{slices.Clone(d.evenField()), make([]float64, d.odd*d.even)}
	nu, nuOdd := d.evenOffset(), d.params.HiddenOffset
	next := make([]float64, d.odd*d.even)
	for range rounds {
		s := d.state(v, r)
		for k := range d.even {
			M, reaction, weighted := d.evenField()[k], 0.0, 0.0
			for j := range d.odd {
				at := j*d.even + k
				J := d.coupling[at]
				q := J*(s.tanh[j]-nuOdd[j]) - J*J*s.sech2[j]*s.a[at]
				M += q * d.lambda[at]
				reaction += J * J * s.sech2[j]
				switch how {
				case Aware:
					next[at] = J * (s.tanh[j] - nuOdd[j])
				case Stationary:
					next[at] = q
				}
				r.Weight[at] = (r.Weight[at] + next[at]) / 2
				weighted += r.Weight[at] * d.lambda[at]
			}
			M -= nu[k] * reaction
			r.Field[k] = (r.Field[k] + M - weighted) / 2
		}
	}
	return r
}

// Bound returns the lower bound on E_q ln Z~ of a sample with a recognition, in nats.
func (d *Layered) Bound(v []float64, r Recognised) float64 { return d.bound(v, d.state(v, r)) }

func (d *Layered) bound(v []float64, s *layeredState) (sum float64) {
	for i, x := range v {
		sum += d.params.VisibleField[i] * x
	}
	for k, b := range d.evenField() {
		sum += b*s.rho[k] + d.average(entropy, s.M[k], s.S[k])
	}
	for j, nu := range d.params.HiddenOffset {
		sum += d.average(kernel.Log2Cosh, s.mean[j], s.variance[j]) - nu*(s.mean[j]-d.params.HiddenField[j])
	}
	return sum
}

// entropy is that of a spin in the field x.
func entropy(x float64) float64 { return kernel.Log2Cosh(x) - x*math.Tanh(x) }

// AddGradient adds to grad the derivatives of Bound at fixed g and w, by the posterior
// means and all parameters, and returns Bound. Where the recognition is stationary
// they are those of the greatest bound.
func (d *Layered) AddGradient(grad *dual.Gradient[float64], v []float64, r Recognised) float64 {
	s := d.state(v, r)
	n, links := d.params.Visible(), d.params.Links
	nu, nuOdd := d.evenOffset(), d.params.HiddenOffset
	Q := make([]float64, d.odd*d.even)
	for j := range d.odd {
		for k := range d.even {
			at := j*d.even + k
			J := d.coupling[at]
			Q[at] = J*(s.tanh[j]-nuOdd[j]) - J*J*s.sech2[j]*s.a[at]
		}
	}
	byM, byS := make([]float64, d.even), make([]float64, d.even)
	for k, b := range d.evenField() {
		G, X := b, 0.0
		for j := range d.odd {
			at := j*d.even + k
			J, l := d.coupling[at], d.lambda[at]
			G += Q[at]*l - nu[k]*J*J*s.sech2[j]
			X += Q[at] * (1 - l*l) * r.Weight[at]
		}
		first := d.average(func(x float64) float64 { return -2 * math.Tanh(x) * sech2(x) }, s.M[k], s.S[k])
		second := d.average(func(x float64) float64 { y := sech2(x); return 4*y - 6*y*y }, s.M[k], s.S[k])
		M, S, chi := s.M[k], s.S[k], s.chi[k]
		byM[k] = -M*chi - S*first + G*chi + X*first
		byS[k] = (-chi - M*first - S*second + G*first + X*second) / 2
	}
	J := links[0].Coupling
	for j := range d.first {
		D := s.tanh[j] - nuOdd[j]
		for i, x := range v {
			u, l := x-d.params.VisibleOffset[i], d.mean[j*n+i]
			grad.Synapse[j*n+i] += J*u*D - J*J*l*u*u*s.sech2[j]
			grad.Coupling[0] += u*l*D + J*u*u*(1-l*l)*s.sech2[j]
		}
	}
	for number, link := range links[1:] {
		for j := link.Hidden.From; j < link.Hidden.To; j++ {
			D := s.tanh[j] - nuOdd[j]
			for i := link.Visible.From; i < link.Visible.To; i++ {
				k := i - d.data
				at := j*d.even + k
				w, l := r.Weight[at], d.lambda[at]
				grad.Synapse[j*n+i] += w*byM[k] - 2*l*w*w*byS[k] + Q[at]*(s.rho[k]-nu[k]-2*l*w*s.chi[k])
				grad.Coupling[number+1] += D*s.a[at] + link.Coupling*s.sech2[j]*(1+nu[k]*nu[k]-2*nu[k]*s.rho[k]-s.a[at]*s.a[at])
			}
		}
	}
	for i, x := range v {
		grad.VisibleField[i] += x
	}
	for k, x := range s.rho {
		grad.VisibleField[d.data+k] += x
	}
	for j, x := range s.tanh {
		grad.HiddenField[j] += x
	}
	return d.bound(v, s)
}
