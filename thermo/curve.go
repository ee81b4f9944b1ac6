package thermo

import (
	"context"
	"fmt"
	"math"

	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/units"
)

// PointAt returns the point of a network at inverse temperature beta, exactly: by a walk over the
// states of the smaller layer, of at most rbm.MaxExact units. The network's constant is part
// of the energy. The error wraps rbm.ErrTooLarge, or is the context's.
func PointAt(ctx context.Context, net *rbm.Network[float64], beta float64) (Point, error) {
	w, err := newWalk(net)
	if err != nil {
		return Point{}, err
	}
	w.beta = beta
	piece := min(1<<w.small, 1<<10)
	parts := make([]moments, parallel.Pieces(1<<w.small, piece))
	err = units.WalkStates(ctx, w.small, piece, 4*w.large, func(lo, _ int) units.Visitor {
		return &curveWalker{walk: w, sums: &parts[lo/piece]}
	})
	if err != nil {
		return Point{}, err
	}
	return w.point(parts), nil
}

// GroundEnergy returns the lowest energy of a network, as PointAt.
func GroundEnergy(ctx context.Context, net *rbm.Network[float64]) (float64, error) {
	w, err := newWalk(net)
	if err != nil {
		return 0, err
	}
	w.ground = true
	piece := min(1<<w.small, 1<<10)
	parts := make([]moments, parallel.Pieces(1<<w.small, piece))
	err = units.WalkStates(ctx, w.small, piece, w.large, func(lo, _ int) units.Visitor {
		return &curveWalker{walk: w, sums: &parts[lo/piece]}
	})
	least := math.Inf(1)
	for _, p := range parts {
		least = min(least, p.least)
	}
	return least - net.Constant, err
}

// A walk is one over the states of the smaller layer of a network.
type walk struct {
	net                    *rbm.Network[float64]
	small, large           int
	smallField, largeField []float64
	coupling               []float64 // small x large
	beta                   float64
	ground                 bool // only the lowest energy is asked for
}

func newWalk(net *rbm.Network[float64]) (*walk, error) {
	if n := min(net.Visible(), net.Hidden()); n > rbm.MaxExact {
		return nil, fmt.Errorf("%w: the smaller layer has %d units and the limit is %d", rbm.ErrTooLarge, n, rbm.MaxExact)
	}
	w := &walk{net: net, small: net.Hidden(), large: net.Visible(), smallField: net.HiddenField, largeField: net.VisibleField, coupling: net.Coupling}
	if net.Visible() < net.Hidden() {
		w.small, w.large, w.smallField, w.largeField = w.large, w.small, w.largeField, w.smallField
		w.coupling = make([]float64, len(net.Coupling))
		net.TransposeCoupling(w.coupling)
	}
	return w, nil
}

// moments are sums over states with weights relative to exp(top).
type moments struct {
	top, sum, mean, square, within float64
	least                          float64 // lowest energy
	any                            bool
}

// scale makes top the reference.
func (m *moments) scale(top float64) {
	if !m.any {
		m.top, m.any = top, true
		return
	}
	if top > m.top {
		r := math.Exp(m.top - top)
		m.top, m.sum, m.mean, m.square, m.within = top, m.sum*r, m.mean*r, m.square*r, m.within*r
	}
}

// point sums up over the pieces.
func (w *walk) point(parts []moments) Point {
	top := math.Inf(-1)
	for _, p := range parts {
		top = max(top, p.top)
	}
	var sum, mean float64
	for _, p := range parts {
		r := math.Exp(p.top - top)
		sum += p.sum * r
		mean += p.mean * r
	}
	mean /= sum
	variance := 0.0
	for _, p := range parts {
		if p.sum == 0 {
			continue
		}
		own := p.mean / p.sum
		variance += (p.square - p.sum*own*own + p.within + p.sum*(own-mean)*(own-mean)) * math.Exp(p.top-top)
	}
	c := w.net.Constant
	lnZ := top + math.Log(sum) + w.beta*c
	energy := mean - c
	return Point{Beta: w.beta, LnZ: lnZ, Energy: energy, Entropy: w.beta*energy + lnZ, HeatCapacity: w.beta * w.beta * variance / sum}
}

// A curveWalker gathers the moments of a piece.
type curveWalker struct {
	*walk
	energy float64 // of the small layer's fields
	fields []float64
	sums   *moments
}

// Begin implements units.Visitor.
func (w *curveWalker) Begin(spins []float64) {
	w.fields = append([]float64(nil), w.largeField...)
	w.sums.least = math.Inf(1)
	for u, s := range spins {
		w.energy += s * w.smallField[u]
		w.turn(u, s)
	}
}

// Flip implements units.Visitor.
func (w *curveWalker) Flip(u int, spin float64) {
	w.energy += 2 * spin * w.smallField[u]
	w.turn(u, 2*spin)
}

func (w *curveWalker) turn(u int, by float64) {
	for j, k := range w.coupling[u*w.large : (u+1)*w.large] {
		w.fields[j] += by * k
	}
}

// Visit implements units.Visitor.
func (w *curveWalker) Visit(int, []float64, int) {
	m := w.sums
	if w.ground {
		e := -w.energy
		for _, f := range w.fields {
			e -= math.Abs(f)
		}
		m.least = min(m.least, e)
		return
	}
	mean, variance, lnWeight := w.given()
	m.scale(lnWeight)
	p := math.Exp(lnWeight - m.top)
	m.sum += p
	m.mean += p * mean
	m.square += p * mean * mean
	m.within += p * variance
}

// given returns the mean and the variance of the energy given the small layer, and the
// logarithm of its weight: with one exponential for each unit of the large layer.
func (w *curveWalker) given() (mean, variance, lnWeight float64) {
	beta := w.beta
	mean, lnWeight = -w.energy, beta*w.energy
	for _, f := range w.fields {
		x := math.Abs(f)
		e := math.Exp(-2 * beta * x)
		h := (1 - e) / (1 + e)
		mean -= x * h
		variance += x * x * (1 - h*h)
		lnWeight += beta*x + math.Log1p(e)
	}
	return mean, variance, lnWeight
}

// Peak returns the point where the heat capacity of a network is highest between two inverse temperatures,
// exactly, to a relative error of about 1e-8 in beta. Points are known
// points of the curve, rising in beta; the search starts around the highest. The error is that of PointAt.
func Peak(ctx context.Context, net *rbm.Network[float64], points []Point) (Point, error) {
	if len(points) == 0 {
		panic("thermo: the peak of no points")
	}
	best := 0
	for k, p := range points {
		if p.HeatCapacity > points[best].HeatCapacity {
			best = k
		}
	}
	low, high := math.Log(points[max(0, best-1)].Beta), math.Log(points[min(len(points)-1, best+1)].Beta)
	top := points[best]
	at := func(x float64) (Point, error) {
		p, err := PointAt(ctx, net, math.Exp(x))
		if err == nil && p.HeatCapacity > top.HeatCapacity {
			top = p
		}
		return p, err
	}
	const golden = 1 / math.Phi
	a, b := high-golden*(high-low), low+golden*(high-low)
	pa, err := at(a)
	if err != nil {
		return top, err
	}
	pb, err := at(b)
	for err == nil && high-low > 3e-4 {
		if pa.HeatCapacity > pb.HeatCapacity {
			high, b, pb = b, a, pa
			a = high - golden*(high-low)
			pa, err = at(a)
		} else {
			low, a, pa = a, b, pb
			b = low + golden*(high-low)
			pb, err = at(b)
		}
	}
	if err != nil {
		return top, err
	}
	// Newton's steps to where the slope is 0, by central differences of fourth order.
	x := math.Log(top.Beta)
	for range 3 {
		const h = 2e-3
		var c [4]Point
		for k, d := range []float64{-2 * h, -h, h, 2 * h} {
			if c[k], err = PointAt(ctx, net, math.Exp(x+d)); err != nil {
				return top, err
			}
		}
		mid, err := PointAt(ctx, net, math.Exp(x))
		if err != nil {
			return top, err
		}
		first := (c[0].HeatCapacity - 8*c[1].HeatCapacity + 8*c[2].HeatCapacity - c[3].HeatCapacity) / (12 * h)
		second := (-c[0].HeatCapacity + 16*c[1].HeatCapacity - 30*mid.HeatCapacity + 16*c[2].HeatCapacity - c[3].HeatCapacity) / (12 * h * h)
		step := -first / second
		if !(second < 0) || math.Abs(step) > 2e-3 {
			break
		}
		x += step
		if math.Abs(step) < 1e-9 {
			break
		}
	}
	p, err := PointAt(ctx, net, math.Exp(x))
	if err == nil && p.HeatCapacity >= top.HeatCapacity*(1-1e-12) {
		top = p
	}
	return top, err
}
