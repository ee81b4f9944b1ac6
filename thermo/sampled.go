package thermo

import (
	"context"
	"errors"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Sampling says how a curve is sampled.
type Sampling struct {
	Most      float64 // largest inverse temperature; 0: DefaultMost
	Ensembles int     // of tempered chains; 0: DefaultEnsembles
	Sweeps    int     // of each, a third of them thrown away; 0: DefaultSweeps
	Key       stream.Key
	Progress  func(fraction float64) // may be nil
}

// LeastSweeps is the smallest number of sweeps of tempered chains.
const LeastSweeps = 12

// Defaults of Sampling.
const (
	DefaultMost      = 2
	DefaultEnsembles = 32
	DefaultSweeps    = 2000
)

const (
	curveStep        = 0.6 // of the length between rungs
	curvePilotChains = 64
	curvePilotSteps  = 1000
)

// A SampledPoint is a point with standard errors, over ensembles.
type SampledPoint struct {
	Point
	LnZError          float64 `json:"ln_z_error"`
	EnergyError       float64 `json:"energy_error"`
	EntropyError      float64 `json:"entropy_error"`
	HeatCapacityError float64 `json:"heat_capacity_error"`
}

// A SampledCurve is a curve from tempered chains between independent fair spins (beta = 0) and the
// largest inverse temperature. Points lie where the energy changes, close together at a peak of the heat capacity.
type SampledCurve struct {
	Points     []SampledPoint // rising in beta, from 0
	Length     float64        // from the first to the last temperature, in standard deviations of the log-weight
	RoundTrips float64        // of each ensemble, on average
	// Peak is where the heat capacity is highest, with the standard errors of its place and height.
	Peak                   Point
	PeakError, HeightError float64
}

// SampleCurve samples the curve of a machine: parallel tempering in the inverse temperature, ln Z by
// acceptance ratios between rungs, energies averaged over the hidden units given the visible ones. The errors are right if the
// chains are in equilibrium; see RoundTrips. The error is the context's, or of settings.
func SampleCurve(ctx context.Context, machine *rbm.Machine, s Sampling) (*SampledCurve, error) {
	if s.Most == 0 {
		s.Most = DefaultMost
	}
	if s.Ensembles == 0 {
		s.Ensembles = DefaultEnsembles
	}
	if s.Sweeps == 0 {
		s.Sweeps = DefaultSweeps
	}
	if !(s.Most > 0) || math.IsInf(s.Most, 0) || s.Ensembles < 2 || s.Sweeps < LeastSweeps {
		return nil, fmt.Errorf("a curve to beta = %v of %d ensembles and %d sweeps: beta must be positive and finite, with 2 ensembles and %d sweeps at least", s.Most, s.Ensembles, s.Sweeps, LeastSweeps)
	}
	plain, constant := machine.Plain()
	scaled := &rbm.Machine{Params: plain.Params.Clone(), Synapses: plain.Synapses}
	for k := range scaled.Links {
		scaled.Links[k].Coupling *= s.Most
	}
	for _, list := range [][]float64{scaled.VisibleField, scaled.HiddenField} {
		for k := range list {
			list[k] *= s.Most
		}
	}
	source := sample.OnMachine(scaled)
	profile, err := sample.MeasureProfile(ctx, source, sample.Measuring{Chains: curvePilotChains, Steps: curvePilotSteps, Key: s.Key.Sub(stream.CurvePilot)})
	if err != nil {
		return nil, err
	}
	ladder := profile.ExchangeLadder(curveStep)
	tempered := sample.NewTempered(source, sample.Tempering{Chains: s.Ensembles, Ladder: ladder, Key: s.Key.Sub(stream.CurveTempering)})
	g := newGathering(plain, ladder, &s)
	burn := s.Sweeps / 3
	for k := range s.Sweeps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if k == burn {
			tempered.Exchanges.Reset()
		}
		tempered.Sweep(1)
		if k >= burn {
			g.add(tempered)
		}
		if s.Progress != nil && k%16 == 0 {
			s.Progress(float64(k) / float64(s.Sweeps))
		}
	}
	curve := g.curve(tempered.Exchanges.Ratios(), constant)
	curve.Length = profile.Length()
	curve.RoundTrips = float64(tempered.Exchanges.RoundTrips) / float64(s.Ensembles)
	return curve, nil
}

// A gathering sums energies at the rungs.
type gathering struct {
	units    int       // of both layers
	visible  []float32 // fields of the machine
	most     float64
	betas    []float64
	chains   int
	counted  int
	mean     [][]float64 // [rung][ensemble], sums of energies given the visible states, less origin
	square   [][]float64
	within   [][]float64 // sums of the variances given the visible states
	origin   []float64   // of the energies of a rung
	products [][]float32
}

func newGathering(plain *rbm.Machine, ladder []float64, s *Sampling) *gathering {
	g := &gathering{units: plain.Visible() + plain.Hidden(), most: s.Most, chains: s.Ensembles, origin: make([]float64, len(ladder))}
	for _, b := range plain.VisibleField {
		g.visible = append(g.visible, float32(b))
	}
	for _, t := range ladder {
		g.betas = append(g.betas, t*s.Most)
		g.mean, g.square, g.within = append(g.mean, make([]float64, s.Ensembles)), append(g.square, make([]float64, s.Ensembles)), append(g.within, make([]float64, s.Ensembles))
		g.products = append(g.products, make([]float32, s.Ensembles))
	}
	return g
}

// add takes the present states.
func (g *gathering) add(tempered *sample.SpinTempered[float32]) {
	parallel.For(len(g.betas), 1, func(lo, hi int) {
		for r := lo; r < hi; r++ {
			c, beta := tempered.Rung(r), g.betas[r]
			spin.Mul(g.products[r], g.visible, 1, c.Visible)
			fields := c.HiddenFields() // at the largest inverse temperature
			for l := range g.chains {
				energy, variance := -float64(g.products[r][l]), 0.0
				for k := l; k < len(fields); k += g.chains {
					f := float64(fields[k]) / g.most
					h := math.Tanh(beta * f)
					energy -= f * h
					variance += f * f * (1 - h*h)
				}
				if g.counted == 0 && l == 0 {
					g.origin[r] = energy
				}
				energy -= g.origin[r]
				g.mean[r][l] += energy
				g.square[r][l] += energy * energy
				g.within[r][l] += variance
			}
		}
	})
	g.counted++
}

// points returns the points by all ensembles but one; -1: by all.
func (g *gathering) points(ratios []sample.Ratio, constant float64, without int) []Point {
	var of []int
	for l := range g.chains {
		if l != without {
			of = append(of, l)
		}
	}
	n := float64(len(of) * g.counted)
	lnZ := float64(g.units) * math.Ln2
	points := make([]Point, len(g.betas))
	for r, beta := range g.betas {
		if r > 0 {
			lnZ += ratios[r-1].Ln(of)
		}
		var mean, square, within float64
		for _, l := range of {
			mean += g.mean[r][l] / n
			square += g.square[r][l] / n
			within += g.within[r][l] / n
		}
		p := Point{Beta: beta, LnZ: lnZ + beta*constant, Energy: g.origin[r] + mean - constant, HeatCapacity: beta * beta * (square - mean*mean + within)}
		p.Entropy = beta*p.Energy + p.LnZ
		points[r] = p
	}
	return points
}

// curve sums up, with errors by leaving out an ensemble at a time (the jackknife).
func (g *gathering) curve(ratios []sample.Ratio, constant float64) *SampledCurve {
	all := g.points(ratios, constant, -1)
	c := &SampledCurve{Peak: peakOf(all)}
	for _, p := range all {
		c.Points = append(c.Points, SampledPoint{Point: p})
	}
	share := float64(g.chains-1) / float64(g.chains)
	for l := range g.chains {
		less := g.points(ratios, constant, l)
		for r, p := range less {
			at := &c.Points[r]
			at.LnZError += share * (p.LnZ - at.LnZ) * (p.LnZ - at.LnZ)
			at.EnergyError += share * (p.Energy - at.Energy) * (p.Energy - at.Energy)
			at.EntropyError += share * (p.Entropy - at.Entropy) * (p.Entropy - at.Entropy)
			at.HeatCapacityError += share * (p.HeatCapacity - at.HeatCapacity) * (p.HeatCapacity - at.HeatCapacity)
		}
		peak := peakOf(less)
		c.PeakError += share * (peak.Beta - c.Peak.Beta) * (peak.Beta - c.Peak.Beta)
		c.HeightError += share * (peak.HeatCapacity - c.Peak.HeatCapacity) * (peak.HeatCapacity - c.Peak.HeatCapacity)
	}
	c.PeakError, c.HeightError = math.Sqrt(c.PeakError), math.Sqrt(c.HeightError)
	for r := range c.Points {
		p := &c.Points[r]
		p.LnZError, p.EnergyError, p.EntropyError, p.HeatCapacityError = math.Sqrt(p.LnZError), math.Sqrt(p.EnergyError), math.Sqrt(p.EntropyError), math.Sqrt(p.HeatCapacityError)
	}
	return c
}

// peakOf returns the top of the parabola, in ln beta, through the highest point and its neighbours, or the highest point at an end.
func peakOf(points []Point) Point {
	k := 0
	for r, p := range points {
		if p.HeatCapacity > points[k].HeatCapacity {
			k = r
		}
	}
	if k < 2 || k+1 == len(points) { // beta = 0 has no logarithm
		return points[k]
	}
	var x, y [3]float64
	for j := range x {
		x[j], y[j] = math.Log(points[k-1+j].Beta), points[k-1+j].HeatCapacity
	}
	d1, d2 := (y[1]-y[0])/(x[1]-x[0]), (y[2]-y[1])/(x[2]-x[1])
	bend := (d2 - d1) / (x[2] - x[0])
	if !(bend < 0) {
		return points[k]
	}
	top := (x[0]+x[1])/2 - d1/(2*bend)
	p := Interpolated(points).at(math.Exp(top))
	p.HeatCapacity = y[0] + d1*(top-x[0]) + bend*(top-x[0])*(top-x[1])
	return p
}

// Interpolated is a Curve between known points, rising in beta: cubic, with the slopes of ln Z and of the energy that the points have.
type Interpolated []Point

// Curve returns the sampled points as a Curve.
func (c *SampledCurve) Curve() Interpolated {
	var list Interpolated
	for _, p := range c.Points {
		list = append(list, p.Point)
	}
	return list
}

// Most implements Curve.
func (c Interpolated) Most() float64 { return c[len(c)-1].Beta }

// ErrBeyond is the error of a point beyond what an Interpolated curve knows.
var ErrBeyond = errors.New("the inverse temperature is beyond the curve that was sampled")

// PointAt implements Curve.
func (c Interpolated) PointAt(_ context.Context, beta float64) (Point, error) {
	if !(beta >= c[0].Beta && beta <= c.Most()) {
		return Point{}, fmt.Errorf("%w: %v is not within %v and %v", ErrBeyond, beta, c[0].Beta, c.Most())
	}
	return c.at(beta), nil
}

func (c Interpolated) at(beta float64) Point {
	k := 1
	for k < len(c)-1 && c[k].Beta < beta {
		k++
	}
	a, b := &c[k-1], &c[k]
	h := b.Beta - a.Beta
	t := (beta - a.Beta) / h
	cubic := func(y0, s0, y1, s1 float64) float64 {
		return (1+2*t)*(1-t)*(1-t)*y0 + t*(1-t)*(1-t)*h*s0 + t*t*(3-2*t)*y1 - t*t*(1-t)*h*s1
	}
	fluctuation := func(p *Point) float64 { // Var E
		if p.Beta == 0 {
			return (a.Energy - b.Energy) / h
		}
		return p.HeatCapacity / (p.Beta * p.Beta)
	}
	va, vb := fluctuation(a), fluctuation(b)
	p := Point{Beta: beta, LnZ: cubic(a.LnZ, -a.Energy, b.LnZ, -b.Energy), Energy: cubic(a.Energy, -va, b.Energy, -vb), HeatCapacity: beta * beta * ((1-t)*va + t*vb)}
	p.Entropy = beta*p.Energy + p.LnZ
	return p
}
