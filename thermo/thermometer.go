package thermo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/spin"
)

// A Temperature is an effective inverse temperature of samples relative to a machine: samples
// of exp(-r E) have r.
type Temperature struct {
	Beta  float64 `json:"beta"`
	Error float64 `json:"error"` // standard error, if samples are independent; NaN if they are too few or too alike to tell
}

// MarshalJSON implements json.Marshaler: numbers that are not finite are null.
func (t Temperature) MarshalJSON() ([]byte, error) {
	var list struct {
		Beta  *float64 `json:"beta"`
		Error *float64 `json:"error"`
	}
	finite := func(v float64) *float64 {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	list.Beta, list.Error = finite(t.Beta), finite(t.Error)
	return json.Marshal(list)
}

// ErrNoTemperature is the error of samples that no finite inverse temperature describes best.
var ErrNoTemperature = errors.New("no finite inverse temperature is the best: no sample goes against the fields (or the machine has none)")

// MostBeta is the largest inverse temperature that a thermometer tells.
const MostBeta = 1000

// mostApart is the largest inverse temperature of couplings or fields apart.
const mostApart = 100

// Pseudolikelihood returns the inverse temperature r that maximises the pseudolikelihood
// of samples, visible x M and hidden x M, under exp(-r E): the root of sum x f - f tanh(r f)
// over all spins x in local fields f (Besag 1975). It asks each spin whether it follows its neighbours: a
// local thermometer. The error is the sandwich error over samples, NaN of fewer than three or of equal ones. Errors are ErrNoTemperature and of shapes.
func Pseudolikelihood(net *rbm.Network[float64], visible, hidden *spin.Matrix) (Temperature, error) {
	f, err := newFields(net, visible, hidden)
	if err != nil {
		return Temperature{}, err
	}
	r := [2]float64{1, 1}
	if !f.climb(&r, true) {
		return Temperature{}, ErrNoTemperature
	}
	return Temperature{r[0], f.errors(r, true)[0]}, nil
}

// Apart is Pseudolikelihood with an inverse temperature for couplings and one for fields. If hardly a sample
// goes against the fields of the couplings, no finite ones are the best: ErrNoTemperature.
func Apart(net *rbm.Network[float64], visible, hidden *spin.Matrix) (couplings, fields Temperature, err error) {
	f, err := newFields(net, visible, hidden)
	if err != nil {
		return couplings, fields, err
	}
	r := [2]float64{1, 1}
	f.climb(&r, true) // a good start, wherever it ends
	if r[0] > mostApart {
		r = [2]float64{1, 1}
	}
	if !f.climb(&r, false) {
		return couplings, fields, ErrNoTemperature
	}
	e := f.errors(r, false)
	return Temperature{r[0], e[0]}, Temperature{r[1], e[1]}, nil
}

// fields are the local fields of all spins of samples, times the spins.
type fields struct {
	coupling, own [][]float64 // [unit][sample]: by couplings, by the unit's own field
	samples       int
}

func newFields(net *rbm.Network[float64], visible, hidden *spin.Matrix) (*fields, error) {
	n, p, m := net.Visible(), net.Hidden(), visible.Cols()
	if visible.Rows() != n || hidden.Rows() != p || hidden.Cols() != m || m == 0 {
		return nil, fmt.Errorf("samples of %d x %d and %d x %d spins for a machine of %d visible and %d hidden units", visible.Rows(), m, hidden.Rows(), hidden.Cols(), n, p)
	}
	f := &fields{samples: m}
	add := func(couplings []float64, own []float64, given, of *spin.Matrix) {
		units := len(own)
		all := make([]float64, units*m)
		spin.MulAffine(all, couplings, units, given, 1, make([]float64, units))
		values := make([]float64, units*m)
		spin.Values(values, of)
		for u := range units {
			row, mine, x := all[u*m:(u+1)*m], make([]float64, m), values[u*m:(u+1)*m]
			for a, s := range x {
				row[a] *= s
				mine[a] = own[u] * s
			}
			f.coupling, f.own = append(f.coupling, row), append(f.own, mine)
		}
	}
	across := make([]float64, n*p)
	net.TransposeCoupling(across)
	add(across, net.VisibleField, hidden, visible)
	add(net.Coupling, net.HiddenField, visible, hidden)
	return f, nil
}

// A slope is the value of the logarithm of the pseudolikelihood, with its derivatives.
type slope struct {
	value float64
	g     [2]float64
	h     [3]float64 // minus the second derivatives: 00, 01, 11
}

// at returns the slope at inverse temperatures of couplings and fields. With both as
// one, g[0] and h[0] are those of the one.
func (f *fields) at(r [2]float64, both bool) (s slope) {
	const grain = 8
	parts := make([]slope, parallel.Pieces(len(f.coupling), grain))
	parallel.For(len(f.coupling), grain, func(lo, hi int) {
		s := &parts[lo/grain]
		for u := lo; u < hi; u++ {
			for a, j := range f.coupling[u] {
				b := f.own[u][a]
				x := r[0]*j + r[1]*b // the spin's field, times the spin
				// ln p = -ln(1 + exp(-2x)); 1 - tanh x = 2 q
				q := fermi(2 * x)
				if x > 0 {
					s.value -= math.Log1p(math.Exp(-2 * x))
				} else {
					s.value -= math.Log1p(math.Exp(2*x)) - 2*x
				}
				w := 4 * q * (1 - q)
				if both {
					j, b = j+b, 0
				}
				s.g[0] += 2 * q * j
				s.g[1] += 2 * q * b
				s.h[0] += w * j * j
				s.h[1] += w * j * b
				s.h[2] += w * b * b
			}
		}
	})
	for _, p := range parts {
		s.value += p.value
		for k := range s.g {
			s.g[k] += p.g[k]
		}
		for k := range s.h {
			s.h[k] += p.h[k]
		}
	}
	return s
}

// climb moves r to where the pseudolikelihood is highest, by Newton's steps that are
// halved until they rise, and reports whether there is such a place.
func (f *fields) climb(r *[2]float64, both bool) bool {
	limit := float64(mostApart)
	if both {
		limit = MostBeta
	}
	now := f.at(*r, both)
	for range 300 {
		var d [2]float64
		if both {
			if !(now.h[0] > 0) {
				return false
			}
			d[0] = now.g[0] / now.h[0]
			d[1] = d[0]
		} else {
			det := now.h[0]*now.h[2] - now.h[1]*now.h[1]
			if !(det > 1e-12*now.h[0]*now.h[2]) {
				return false
			}
			d[0] = (now.h[2]*now.g[0] - now.h[1]*now.g[1]) / det
			d[1] = (now.h[0]*now.g[1] - now.h[1]*now.g[0]) / det
		}
		for {
			size := max(math.Abs(d[0]), math.Abs(d[1]))
			next := [2]float64{r[0] + d[0], r[1] + d[1]}
			there := f.at(next, both)
			if there.value >= now.value-1e-12*math.Abs(now.value) || size < 1e-14 {
				*r, now = next, there
				break
			}
			d[0], d[1] = d[0]/2, d[1]/2
		}
		if size := max(math.Abs(r[0]), math.Abs(r[1])); size > limit || math.IsNaN(size) {
			return false
		}
		if max(math.Abs(d[0]), math.Abs(d[1])) < 1e-13*max(1, math.Abs(r[0]), math.Abs(r[1])) {
			return true
		}
	}
	return false // it rises without an end
}

// sameScores is the relative size below which the scores of samples do not differ.
const sameScores = 1e-9

// errors returns the sandwich errors at the highest place: NaN where samples are too few, or their scores, whose sum is 0
// there, do not differ in each of the temperatures.
func (f *fields) errors(r [2]float64, both bool) [2]float64 {
	g := make([][2]float64, f.samples)
	for u, js := range f.coupling {
		for a, j := range js {
			b := f.own[u][a]
			q := 2 * fermi(2*(r[0]*j+r[1]*b))
			if both {
				j, b = j+b, 0
			}
			g[a][0] += q * j
			g[a][1] += q * b
		}
	}
	var v [3]float64
	for _, x := range g {
		v[0] += x[0] * x[0]
		v[1] += x[0] * x[1]
		v[2] += x[1] * x[1]
	}
	h := f.at(r, both).h
	unknown := [2]float64{math.NaN(), math.NaN()}
	if both {
		if f.samples < 3 || !(math.Sqrt(v[0]) > sameScores*h[0]*max(1, math.Abs(r[0]))) {
			return unknown
		}
		return [2]float64{math.Sqrt(v[0]) / h[0]}
	}
	if f.samples < 4 || !(v[0]*v[2]-v[1]*v[1] > sameScores*v[0]*v[2]) {
		return unknown
	}
	det := h[0]*h[2] - h[1]*h[1]
	in := [3]float64{h[2] / det, -h[1] / det, h[0] / det} // inverse of h
	at := func(a, b float64) float64 { return math.Sqrt(max(0, a*a*v[0]+2*a*b*v[1]+b*b*v[2])) }
	return [2]float64{at(in[0], in[1]), at(in[1], in[2])}
}

// MeanEnergy returns the mean energy of samples, visible x M and hidden x M, and its standard error.
func MeanEnergy(net *rbm.Network[float64], visible, hidden *spin.Matrix) (mean, standardError float64, err error) {
	f, err := newFields(net, visible, hidden)
	if err != nil {
		return 0, 0, err
	}
	energies := make([]float64, f.samples)
	for u := range f.coupling {
		for a := range energies {
			energies[a] -= f.own[u][a]
			if u < net.Visible() {
				energies[a] -= f.coupling[u][a]
			}
		}
	}
	mean = sum(energies)/float64(f.samples) - net.Constant
	square := 0.0
	for _, e := range energies {
		square += (e - net.Constant - mean) * (e - net.Constant - mean)
	}
	n := float64(f.samples)
	return mean, math.Sqrt(square / max(1, n-1) / n), nil
}

// Likelihood returns the inverse temperature at which the mean energy of a machine is the
// given one of so many independent samples: the best by their likelihood, as the energy is all
// that it asks for. It is a global thermometer. The error is 1/sqrt(samples Var E). curve
// gives the point at an inverse temperature: PointAt, or an Interpolated curve. Errors are ErrNoTemperature and those of curve.
func Likelihood(ctx context.Context, curve Curve, mean float64, samples int) (Temperature, error) {
	low, high := 0.0, 1.0
	for {
		p, err := curve.PointAt(ctx, high)
		if err != nil {
			return Temperature{}, err
		}
		if p.Energy < mean {
			break
		}
		if low, high = high, 2*high; high > curve.Most() {
			return Temperature{}, ErrNoTemperature
		}
	}
	if low == 0 {
		// Below infinite temperature there is nothing.
		p, err := curve.PointAt(ctx, 0)
		if err != nil {
			return Temperature{}, err
		}
		if p.Energy <= mean {
			return Temperature{}, ErrNoTemperature
		}
	}
	r := low + (high-low)/2
	var p Point
	for range 100 {
		var err error
		if p, err = curve.PointAt(ctx, r); err != nil {
			return Temperature{}, err
		}
		if p.Energy > mean {
			low = r
		} else {
			high = r
		}
		next := r + (p.Energy-mean)*r*r/p.HeatCapacity // dU/dr = -C/r^2
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		done := math.Abs(next-r) <= 1e-13*r
		r = next
		if done {
			break
		}
	}
	return Temperature{r, r / math.Sqrt(float64(samples)*p.HeatCapacity)}, nil
}

// A Curve tells points of a machine at inverse temperatures.
type Curve interface {
	// PointAt returns the point at beta, from 0 to Most.
	PointAt(ctx context.Context, beta float64) (Point, error)
	Most() float64
}

// ExactCurve is the Curve of a network by enumeration: see PointAt.
type ExactCurve struct{ Net *rbm.Network[float64] }

// PointAt implements Curve.
func (c ExactCurve) PointAt(ctx context.Context, beta float64) (Point, error) {
	return PointAt(ctx, c.Net, beta)
}

// Most implements Curve.
func (ExactCurve) Most() float64 { return MostBeta }

// DataEnergy returns the mean energy of visible samples with the hidden units averaged given
// them: the mean of -b.s - sum x tanh x over hidden fields x.
func DataEnergy(net *rbm.Network[float64], samples *spin.Matrix) float64 {
	m := samples.Cols()
	f := make([]float64, net.Hidden()*m)
	net.HiddenFields(f, samples)
	along := make([]float64, m)
	spin.Mul(along, net.VisibleField, 1, samples)
	total := -sum(along)
	for _, x := range f {
		total -= x * math.Tanh(x)
	}
	return total/float64(m) - net.Constant
}

// XuOates returns the derivative of the log-likelihood by the inverse temperature beta that a sampler is
// assumed to have, if the machine's energy over beta is sent to it: (mean energy of the data - that of
// the samples)/beta^2 (Xu and Oates, Sci. Rep. 11, 2727, 2021). Their rule moves beta along it. It
// vanishes where learning is stationary, whatever beta is.
func XuOates(dataEnergy, sampleEnergy, beta float64) float64 {
	return (dataEnergy - sampleEnergy) / (beta * beta)
}

// Temperatures of samples, local and global.
type Temperatures struct {
	Local  Temperature `json:"local"`  // by pseudolikelihood
	Global Temperature `json:"global"` // by energy
}

// Both reads both thermometers.
func Both(ctx context.Context, curve Curve, net *rbm.Network[float64], visible, hidden *spin.Matrix) (t Temperatures, err error) {
	if t.Local, err = Pseudolikelihood(net, visible, hidden); err != nil {
		return t, err
	}
	mean, _, err := MeanEnergy(net, visible, hidden)
	if err != nil {
		return t, err
	}
	t.Global, err = Likelihood(ctx, curve, mean, visible.Cols())
	return t, err
}

// mostApartErrors is how many standard errors thermometers of equilibrium may differ by.
const mostApartErrors = 3

// Agree reports whether both thermometers read the same within three errors. If they do not, the samples are no
// Boltzmann samples of the machine at any temperature: the sampler is not in equilibrium, or it samples another machine.
// known is false if an error is not known: then nothing can be said.
func (t *Temperatures) Agree() (agree, known bool) {
	within := mostApartErrors * math.Hypot(t.Local.Error, t.Global.Error)
	known = !math.IsNaN(within) && !math.IsInf(within, 0)
	return known && math.Abs(t.Local.Beta-t.Global.Beta) <= within, known
}
