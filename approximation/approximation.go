// Package approximation asks how close a machine of two Gaussian visible units and hidden spins
// comes to a density of the plane (L. Gu, L. Yang and F. Zhou, Neural Networks 154, 56, 2022), with
// real weights and with one-bit synapses, one or several for each pair of units.
//
// The log-density of such a machine is a sum of ridge functions and a quadratic,
//
//	ln p(v) = sum_i [b_i u_i - u_i²/2] + sum_mu ln 2cosh(w_mu.u + c_mu) - ln Z,   u_i = v_i / sigma_i.
//
// With one bit per pair the directions w are the diagonals of the plane, and p has no more than two
// functions of one number to be made of. R synapses per pair, which share the unit's number u, make
// the weights J (-R, -R+2, ..., R): more directions.
package approximation

import (
	"context"
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/setting"
	"bethe/stream"
)

// The grid on which densities are known.
const (
	side  = 81
	reach = 4.0 // from -reach to reach
	cell  = 2 * reach / (side - 1)
)

// A Target is a density at the points of the grid. Its sum times the area of a cell is 1.
type Target struct {
	Name string
	p    []float64
	x, y []float32
}

// Targets are the names of the densities: a ring with three lobes, and four clusters in a square
// that is not along the diagonals.
var Targets = []string{"ring", "clusters"}

// NewTarget returns a target by its name. The error is a *setting.Error.
func NewTarget(name string) (*Target, error) {
	if !slices.Contains(Targets, name) {
		return nil, setting.Errorf("target", name, "it is ring or clusters")
	}
	t := &Target{Name: name}
	total := 0.0
	for k := range side * side {
		x, y := -reach+cell*float64(k/side), -reach+cell*float64(k%side)
		var p float64
		if name == "ring" {
			r := math.Hypot(x, y) - 1.8
			p = math.Exp(-r*r/0.18) * (1 + math.Cos(3*math.Atan2(y, x))/2)
		} else {
			for c := range 4 {
				angle := (float64(c) + 0.3) * math.Pi / 2
				dx, dy := x-1.8*math.Cos(angle), y-1.8*math.Sin(angle)
				p += math.Exp(-(dx*dx + dy*dy) / 0.25)
			}
		}
		t.x, t.y, t.p = append(t.x, float32(x)), append(t.y, float32(y)), append(t.p, p)
		total += p * cell * cell
	}
	for k := range t.p {
		t.p[k] /= total
	}
	return t, nil
}

// divergence returns KL(target || q) of an unnormalised ln q, and sets share, if it is not nil, to (p - q) times
// the area of a cell.
func (t *Target) divergence(lnq, share []float64) float64 {
	top := slices.Max(lnq)
	z := 0.0
	for _, v := range lnq {
		z += math.Exp(v - top)
	}
	lnZ := top + math.Log(z*cell*cell)
	kl := 0.0
	for k, p := range t.p {
		if p > 0 {
			kl += p * (math.Log(p) - lnq[k] + lnZ)
		}
		if share != nil {
			share[k] = (p - math.Exp(lnq[k]-lnZ)) * cell * cell
		}
	}
	return kl * cell * cell
}

// Covariance returns the divergence of the Gaussian with the target's mean and covariance.
func (t *Target) Covariance() float64 {
	var m [2]float64
	var c [3]float64
	for k, p := range t.p {
		w, x, y := p*cell*cell, float64(t.x[k]), float64(t.y[k])
		m[0], m[1] = m[0]+w*x, m[1]+w*y
		c[0], c[1], c[2] = c[0]+w*x*x, c[1]+w*x*y, c[2]+w*y*y
	}
	c[0], c[1], c[2] = c[0]-m[0]*m[0], c[1]-m[0]*m[1], c[2]-m[1]*m[1]
	det := c[0]*c[2] - c[1]*c[1]
	kl := 0.0
	for k, p := range t.p {
		x, y := float64(t.x[k])-m[0], float64(t.y[k])-m[1]
		lnq := -(c[2]*x*x-2*c[1]*x*y+c[0]*y*y)/(2*det) - math.Log(det)/2 - math.Log(2*math.Pi)
		if p > 0 {
			kl += p * (math.Log(p) - lnq) * cell * cell
		}
	}
	return kl
}

// A Machine says what approximates.
type Machine struct {
	Hidden int
	Copies int // synapses per pair of units; 0 for a real weight
}

// String is the kind of the synapses in words.
func (m Machine) String() string {
	switch m.Copies {
	case 0:
		return "real weights"
	case 1:
		return "1 bit a pair"
	}
	return fmt.Sprintf("%d bits a pair", m.Copies)
}

// Fit returns the smallest divergence of so many starts, each of so many steps. The error is the
// context's.
func Fit(ctx context.Context, t *Target, m Machine, starts, steps int, key stream.Key) (float64, error) {
	all := make([]float64, starts)
	err := parallel.ForContext(ctx, starts, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			all[k] = newFit(t, m, k%2 == 1, key.Sub(uint64(k))).run(ctx, steps)
		}
	})
	return slices.Min(all), err
}

// A fit is a machine while it learns.
type fit struct {
	*Target
	Machine
	theta       []float64 // hidden x 2 x copies: synapses are the signs, or weights
	c           []float64
	j           []float64 // ln J
	sigma, b    []float64 // ln sigma, and b: of both units
	held        bool      // synapses are
	lnq, share  []float64
	field, tanh []float32
	best        float64
}

func newFit(t *Target, m Machine, small bool, key stream.Key) *fit {
	rng, copies := key.Rand(), max(1, m.Copies)
	f := &fit{Target: t, Machine: m, theta: make([]float64, m.Hidden*2*copies), c: make([]float64, m.Hidden), j: []float64{0}, sigma: make([]float64, 2), b: make([]float64, 2),
		lnq: make([]float64, len(t.p)), share: make([]float64, len(t.p)), field: make([]float32, len(t.p)), tanh: make([]float32, len(t.p)), best: math.Inf(1)}
	// Of every other start the sum of squares of the weights is below 1: above, the fields outgrow the
	// quadratic and the density may leave the grid; below, weights may die out.
	size := 1.5
	if small {
		size = 0.7
	}
	size /= math.Sqrt(float64(m.Hidden))
	for k := range f.theta {
		f.theta[k] = min(0.5, size) * rng.NormFloat64()
	}
	for k := range f.c {
		f.c[k] = 0.5 * rng.NormFloat64()
	}
	if m.Copies > 0 {
		f.j[0] = math.Log(size / math.Sqrt(float64(copies)))
	}
	return f
}

// weights returns w of a hidden unit.
func (f *fit) weights(mu int) (w [2]float64) {
	if f.Copies == 0 {
		return [2]float64{f.theta[2*mu], f.theta[2*mu+1]}
	}
	for i := range w {
		for _, v := range f.theta[(2*mu+i)*f.Copies:][:f.Copies] {
			w[i] += math.Copysign(1, v)
		}
		w[i] *= math.Exp(f.j[0])
	}
	return w
}

// setField sets the fields of a hidden unit at all points.
func (f *fit) setField(w [2]float64, c float64) {
	a, b := float32(w[0]*math.Exp(-f.sigma[0])), float32(w[1]*math.Exp(-f.sigma[1]))
	for k, x := range f.x {
		f.field[k] = a*x + b*f.y[k] + float32(c)
	}
}

// set sets ln q and returns the divergence.
func (f *fit) set() float64 {
	s0, s1 := math.Exp(-f.sigma[0]), math.Exp(-f.sigma[1])
	for k := range f.lnq {
		u, v := float64(f.x[k])*s0, float64(f.y[k])*s1
		f.lnq[k] = f.b[0]*u + f.b[1]*v - (u*u+v*v)/2
	}
	for mu, c := range f.c {
		f.setField(f.weights(mu), c)
		kernel.AddLog2Cosh(f.lnq, f.field)
	}
	kl := f.divergence(f.lnq, f.share)
	f.best = min(f.best, kl)
	return kl
}

// gradient returns the derivatives of minus the divergence at the last set, in the order of parameters.
func (f *fit) gradient() [][]float64 {
	theta, byC, byJ, bySigma, byB := make([]float64, len(f.theta)), make([]float64, len(f.c)), make([]float64, 1), make([]float64, 2), make([]float64, 2)
	s := [2]float64{math.Exp(-f.sigma[0]), math.Exp(-f.sigma[1])}
	for k, d := range f.share {
		u, v := float64(f.x[k])*s[0], float64(f.y[k])*s[1]
		byB[0], byB[1] = byB[0]+d*u, byB[1]+d*v
		bySigma[0], bySigma[1] = bySigma[0]+d*(u*u-f.b[0]*u), bySigma[1]+d*(v*v-f.b[1]*v)
	}
	for mu, c := range f.c {
		w := f.weights(mu)
		f.setField(w, c)
		kernel.Tanh(f.tanh, f.field)
		var g [2]float64
		for k, t := range f.tanh {
			d := f.share[k] * float64(t)
			byC[mu] += d
			g[0] += d * float64(f.x[k])
			g[1] += d * float64(f.y[k])
		}
		for i := range g {
			g[i] *= s[i]
			bySigma[i] -= w[i] * g[i]
			byJ[0] += w[i] * g[i]
			if f.Copies == 0 {
				theta[2*mu+i] = g[i]
				continue
			}
			for r := range f.Copies { // straight through the sign
				theta[(2*mu+i)*f.Copies+r] = g[i] * math.Exp(f.j[0])
			}
		}
	}
	if f.held {
		clear(theta)
	}
	if f.Copies == 0 {
		byJ[0] = 0
	}
	return [][]float64{theta, byC, byJ, bySigma, byB}
}

// climb takes steps by Adam at a falling rate.
func (f *fit) climb(ctx context.Context, steps int, rate float64) {
	parameters := [][]float64{f.theta, f.c, f.j, f.sigma, f.b}
	first, second := make([][]float64, len(parameters)), make([][]float64, len(parameters))
	for k, x := range parameters {
		first[k], second[k] = make([]float64, len(x)), make([]float64, len(x))
	}
	for step := range steps {
		if ctx.Err() != nil {
			return
		}
		f.set()
		n := float64(step + 1)
		by := rate * min(1, 2*(1-float64(step)/float64(steps))+0.02) / (1 - math.Pow(0.9, n))
		grow := 1 / (1 - math.Pow(0.99, n))
		for k, g := range f.gradient() {
			for i, v := range g {
				first[k][i] += 0.1 * (v - first[k][i])
				second[k][i] += 0.01 * (v*v - second[k][i])
				parameters[k][i] += by * first[k][i] / (math.Sqrt(second[k][i]*grow) + 1e-10)
			}
		}
		for k, v := range f.theta {
			if f.Copies > 0 {
				f.theta[k] = max(-1.5, min(1.5, v))
			}
		}
		for i, v := range f.sigma {
			f.sigma[i] = max(-3, min(1, v))
		}
	}
	f.set()
}

// turn turns single synapses as long as the divergence falls, at most some rounds over all.
func (f *fit) turn(ctx context.Context) (turned bool) {
	const rounds = 3
	now := f.set()
	without, with := make([]float64, len(f.lnq)), make([]float64, len(f.lnq))
	for range rounds {
		some := false
		for k := range f.theta {
			if ctx.Err() != nil {
				return turned
			}
			mu := k / (2 * f.Copies)
			clear(without)
			f.setField(f.weights(mu), f.c[mu])
			kernel.AddLog2Cosh(without, f.field)
			for i, v := range f.lnq {
				without[i] = v - without[i]
			}
			copy(with, without)
			f.theta[k] = -f.theta[k]
			f.setField(f.weights(mu), f.c[mu])
			kernel.AddLog2Cosh(with, f.field)
			if kl := f.divergence(with, nil); kl < now {
				now, some = kl, true
				copy(f.lnq, with)
				continue
			}
			f.theta[k] = -f.theta[k]
		}
		turned = turned || some
		if !some {
			break
		}
	}
	return turned
}

// run learns, and returns the smallest divergence that it met.
func (f *fit) run(ctx context.Context, steps int) float64 {
	const rate = 0.05
	f.climb(ctx, steps, rate)
	if f.Copies == 0 {
		return f.best
	}
	for f.held = true; f.turn(ctx); {
		before := f.best
		f.climb(ctx, (steps+3)/4, rate/2)
		if !(f.best < before-1e-4) {
			break
		}
	}
	return f.best
}
