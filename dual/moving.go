package dual

import (
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// moving is the path to the network of moving synapses that a machine of Gaussian units u and
// bits h has as its dual: with x = t J (u - mu),
//
//	ln w_t = sum_r [ -u_r²/2 + b_r u_r ] + sum_rb ln f(lambda_rb, x_r (h_b - nu_b)) + ((1-t) base + t c).h,
//	f(lambda, a) = cosh a + lambda sinh a.
//
// The Gaussian units are its visible layer, whichever layer of the machine they are. Given u the
// bits are independent. Given the bits, u takes a step that leaves its distribution as it is: it
// is proposed from the Gaussian of the same first and second derivatives at x = 0 and taken or
// not by the exact weights (Metropolis), or, if that Gaussian is too wide, the synapses of the
// unit are drawn and u given them (redraw). DrawVisible therefore begins at the states that it is
// given.
//
// Sums of ln f over edges are series in x, whose terms are products of matrices, as far as they
// are exact to a tolerance far below the noise of any chains. Elsewhere, with tau = tanh x and s = tanh nu x,
// f = cosh x cosh nu x [(1 - lambda s) + h tau (lambda - s)] is multiplied up edge by edge.
type moving[T rbm.Real] struct {
	*mixed
	rows   []T       // lambda: reals x bits
	across []T       // its transpose
	tight  []T       // (1 - lambda²) nu: reals x bits; nil if plain
	wide   []float64 // sum over bits of (1 - lambda²)(1 + nu²), a Gaussian unit each
	tilt   []T       // -sum over bits of lambda nu, a Gaussian unit each
	base   []float64 // fields of the bits at t = 0
	*series[T]
}

// leastRho is the rho = 1 - J² sum (1 - lambda²)(h - nu)² of a unit below which its synapses are
// redrawn: the matched Gaussian has the variance 1/rho.
const leastRho = 0.05

// newMoving returns the path of a machine, whose bits have their own fields at t = 0. It takes the memory of a path that is not used any more;
// nil: there is none.
func newMoving[T rbm.Real](x *mixed, old *moving[T]) *moving[T] {
	if old == nil {
		old = &moving[T]{series: &series[T]{}}
	}
	s := &moving[T]{mixed: x, rows: sized(old.rows, len(x.lambda)), across: sized(old.across, len(x.lambda)), wide: make([]float64, x.reals), tilt: make([]T, x.reals), base: x.bitField}
	copyTo(s.rows, x.lambda)
	kernel.Transpose(s.across, x.reals, s.rows, x.bits, x.reals, x.bits)
	plain := true
	for _, nu := range x.bitOffset {
		plain = plain && nu == 0
	}
	s.series = newSeries(x, plain, s.across, old.series)
	if !plain {
		s.tight = sized(old.tight, len(x.lambda))
	}
	for r := range x.reals {
		tilt := 0.0
		for b, nu := range x.bitOffset {
			lambda := x.lambda[r*x.bits+b]
			free := (1 - lambda) * (1 + lambda)
			s.wide[r] += free * (1 + nu*nu)
			tilt -= lambda * nu
			if !plain {
				s.tight[r*x.bits+b] = T(free * nu)
			}
		}
		s.tilt[r] = T(tilt)
	}
	return s
}

// sized returns n elements of anything, those of x if there are as many.
func sized[T any](x []T, n int) []T {
	if cap(x) >= n {
		return x[:n]
	}
	return make([]T, n)
}

// leastOf returns the smallest rho of a Gaussian unit for bits of the given means.
func (x *mixed) leastOf(means []float64) float64 {
	least := 1.0
	for r := range x.reals {
		rho := 1.0
		for b, nu := range x.bitOffset {
			lambda := x.lambda[r*x.bits+b]
			rho -= x.coupling * x.coupling * (1 - lambda) * (1 + lambda) * (1 + nu*nu - 2*nu*means[b])
		}
		least = min(least, rho)
	}
	return least
}

// Units implements sample.Source.
func (s *moving[T]) Units() (visible, hidden int) { return s.reals, s.bits }

// NewVisible implements sample.Source.
func (s *moving[T]) NewVisible(count int) *units.Reals[T] { return units.NewReals[T](s.reals, count) }

// NewHidden implements sample.Source.
func (s *moving[T]) NewHidden(count int) *spin.Matrix {
	return units.NewBits(s.bits, count, s.kind)
}

// RandomHidden implements sample.Source.
func (s *moving[T]) RandomHidden(count int, key stream.Key) *spin.Matrix {
	return units.RandomBits(s.bits, count, s.kind, key)
}

// Base implements sample.Source.
func (s *moving[T]) Base(count int, key stream.Key) *units.Reals[T] {
	u, means := s.NewVisible(count), make([]T, s.reals*count)
	for r, b := range s.realField {
		for l := range count {
			means[r*count+l] = T(b)
		}
	}
	units.DrawGauss(u, means, key)
	return u
}

// LnZBase implements sample.Source.
func (s *moving[T]) LnZBase() float64 {
	sum := 0.0
	for _, b := range s.realField {
		sum += math.Log(2*math.Pi)/2 + b*b/2
	}
	for k := 0; k < s.bits; k += s.kind.Features() {
		sum += s.kind.LogSum(s.base[k:][:s.kind.Features()])
	}
	return sum
}

// Conditionals implements sample.Source.
func (s *moving[T]) Conditionals(count int) sample.Conditionals[T, *units.Reals[T], *spin.Matrix] {
	return s.conditionals(count)
}

func (s *moving[T]) conditionals(count int) *movingLayers[T] {
	c := &movingLayers[T]{moving: s, chains: count, weights: make([]float64, count), product: make([]T, max(s.reals, s.bits)*count), fields: make([]T, s.bits*count), signs: make([]T, s.bits*count)}
	for _, x := range []*[]T{&c.x, &c.tau, &c.power, &c.linear, &c.rho} {
		*x = make([]T, s.reals*count)
	}
	return c
}

// movingLayers are conditionals of a moving. They serve one goroutine.
type movingLayers[T rbm.Real] struct {
	*moving[T]
	chains        int
	x, tau        []T       // t J (u - mu) and its tanh, reals x chains
	power         []T       // of z, reals x chains; 0 in rows that are summed exactly
	product       []T       // of matrices
	linear, rho   []T       // means given the bits, and rho: reals x chains
	fields, signs []T       // bits x chains
	wild          []int     // rows that are summed exactly
	largest       float64   // |z| of the others
	weights       []float64 // of the chains, at the last t of summed
	weightsAt     float64
	weighed       bool
	weighing      bool // whether draws weigh: not before gains are asked for
	step          *movingStep[T]
}

// on returns the conditionals of another path, in the memory of c if that fits; c may be nil.
func (c *movingLayers[T]) on(source *moving[T], chains int) *movingLayers[T] {
	if c == nil || c.chains != chains || c.reals != source.reals || c.bits != source.bits {
		return source.conditionals(chains)
	}
	c.moving, c.weighed, c.weighing = source, false, false
	return c
}

// at returns the fields of the bits at t.
func (c *movingLayers[T]) at(t float64, b int) float64 {
	return (1-t)*c.base[b] + t*c.bitField[b]
}

// z returns the number that series are in.
func (c *movingLayers[T]) z() []T {
	if c.plain {
		return c.tau
	}
	return c.x
}

// set sets x and tau, and which rows are wild.
func (c *movingLayers[T]) set(u *units.Reals[T], t float64) {
	m, scale := c.chains, T(t*c.coupling)
	top := make([]float64, c.reals)
	parallel.For(c.reals, parallel.Grain(m*8), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			x := c.x[r*m : (r+1)*m]
			kernel.Affine(x, u.Row(r), scale, -scale*T(c.realOffset[r]))
			kernel.Tanh(c.tau[r*m:(r+1)*m], x)
			top[r] = largestOf(c.z()[r*m : (r+1)*m])
		}
	})
	c.wild, c.largest = c.wild[:0], 0
	for r, v := range top {
		if v > c.cap {
			c.wild = append(c.wild, r)
		} else {
			c.largest = max(c.largest, v)
		}
	}
}

// largestOf returns the largest absolute value.
func largestOf[T rbm.Real](x []T) float64 {
	var top T
	for _, v := range x {
		top = max(top, v, -v)
	}
	return float64(top)
}

// first sets power to z, 0 in wild rows, and grows the series to what that needs.
func (c *movingLayers[T]) first() (terms int) {
	if terms = c.terms(c.largest); terms > leastOver && !c.weighing { // log-weights also sum over the bits
		terms = c.termsOver(c.largest, c.fourth())
	}
	c.grow(terms)
	copy(c.power, c.z())
	for _, r := range c.wild {
		clear(c.power[r*c.chains : (r+1)*c.chains])
	}
	return terms
}

// fourth returns the largest sum of z⁴ in a chain, over all rows that are not wild.
func (c *movingLayers[T]) fourth() (top float64) {
	m, z := c.chains, c.z()
	sums := make([]T, m)
	parallel.For(m, max(64, parallel.Grain(c.reals*3)), func(lo, hi int) {
		sum := sums[lo:hi]
		for r, wild := 0, 0; r < c.reals; r++ {
			if wild < len(c.wild) && c.wild[wild] == r {
				wild++
				continue
			}
			for l, v := range z[r*m+lo : r*m+hi] {
				sum[l] += v * v * v * v
			}
		}
	})
	for _, v := range sums {
		top = max(top, float64(v))
	}
	return top
}

// next multiplies power by z.
func (c *movingLayers[T]) next() { multiply(c.power, c.z()) }

// multiply multiplies each element of x by that of y.
func multiply[T rbm.Real](x, y []T) {
	parallel.For(len(x), 1<<14, func(lo, hi int) {
		y := y[lo:hi]
		for k, v := range x[lo:hi] {
			x[lo+k] = v * y[k]
		}
	})
}

// DrawHidden implements sample.Conditionals.
func (c *movingLayers[T]) DrawHidden(h *spin.Matrix, u *units.Reals[T], t T, key stream.Key) {
	c.summed(u, float64(t))
	units.Draw(h, c.fields, c.kind, key)
}

// summed sets the fields of the bits given u at t, and, if weighing, the log-weights of u summed
// over the bits.
func (c *movingLayers[T]) summed(u *units.Reals[T], t float64) {
	c.set(u, t)
	m := c.chains
	for b := range c.bits {
		field := T(c.at(t, b))
		for l := range m {
			c.fields[b*m+l] = field
		}
	}
	if c.weighing {
		c.alone(u)
	}
	terms := c.first()
	for n := 1; n <= terms; n++ {
		if n > 1 {
			c.next()
		}
		c.addTerm(n)
	}
	if len(c.wild) > 0 {
		c.addWild()
	}
	if c.weighing {
		rbm.AddLogSums(c.weights, c.fields, c.kind, m, 0, 1)
	}
	c.weighed, c.weightsAt = c.weighing, t
}

// alone sets the weights to what depends on u alone.
func (c *movingLayers[T]) alone(u *units.Reals[T]) {
	m := c.chains
	clear(c.weights)
	if c.plain {
		for r := range c.reals {
			kernel.AddLog2Cosh(c.weights, c.x[r*m:(r+1)*m])
		}
		for l, v := range c.weights {
			c.weights[l] = float64(c.bits) * (v - float64(c.reals)*math.Ln2)
		}
	}
	for r, b := range c.realField {
		for l, v := range u.Row(r) {
			c.weights[l] += (b - float64(v)/2) * float64(v)
		}
	}
}

// addTerm adds term n of the series, in which power is z^n.
func (c *movingLayers[T]) addTerm(n int) {
	m := c.chains
	if c.signed[n] == nil && c.weighing { // no bit matters
		for r, v := range c.free[n] {
			for l, p := range c.power[r*m : (r+1)*m] {
				c.weights[l] += float64(v * p)
			}
		}
	}
	if c.signed[n] == nil {
		return
	}
	product := c.product[:c.bits*m]
	units.MulAffine(product, c.cols[n], c.bits, units.RealsOf(c.reals, m, c.power), nil)
	parallel.For(c.bits, parallel.Grain(m*2), func(lo, hi int) {
		for b := lo; b < hi; b++ {
			_, odd := powersOf(c.nu[b], n)
			fields := c.fields[b*m : (b+1)*m]
			for l, v := range product[b*m : (b+1)*m] {
				fields[l] += T(odd) * v
			}
		}
	})
	if !c.weighing {
		return
	}
	for b, nu := range c.nu {
		if even, _ := powersOf(nu, n); even != 0 {
			for l, v := range product[b*m : (b+1)*m] {
				c.weights[l] += even * float64(v)
			}
		}
	}
}

// addWild adds what wild rows add to fields and weights.
func (c *movingLayers[T]) addWild() {
	m := c.chains
	logs := make([]float64, c.bits*m)
	parallel.For(c.bits, 4, func(lo, hi int) {
		w := newFactors[T](m)
		for b := lo; b < hi; b++ {
			w.start(c.weighing)
			for _, r := range c.wild {
				w.shift(c.x[r*m:(r+1)*m], T(c.bitOffset[b]))
				w.both(c.across[b*c.reals+r], c.tau[r*m:(r+1)*m])
			}
			w.end()
			for l, odds := range w.odds {
				c.fields[b*m+l] += T(odds) / 2
			}
			copy(logs[b*m:], w.weight)
		}
	})
	if !c.weighing {
		return
	}
	if !c.plain {
		cosh := make([]float64, m)
		for _, r := range c.wild {
			kernel.AddLog2Cosh(cosh, c.x[r*m:(r+1)*m])
		}
		for l, v := range cosh {
			c.weights[l] += float64(c.bits) * (v - float64(len(c.wild))*math.Ln2)
		}
	}
	for k := 0; k < len(logs); k += m {
		for l, v := range logs[k : k+m] {
			c.weights[l] += v
		}
	}
}

// HiddenFields implements sample.Conditionals: those of the last DrawHidden.
func (c *movingLayers[T]) HiddenFields() []T { return c.fields }

// AddGains implements sample.Conditionals.
func (c *movingLayers[T]) AddGains(sum []float64, u *units.Reals[T], from, to T) {
	c.weighing = true
	for _, end := range [2]struct{ t, sign float64 }{{float64(to), 1}, {float64(from), -1}} { // the last draw was at to
		if !c.weighed || c.weightsAt != end.t {
			c.summed(u, end.t)
		}
		for l, v := range c.weights {
			sum[l] += end.sign * v
		}
	}
}

// LogWeights implements sample.Conditionals.
func (c *movingLayers[T]) LogWeights(dst []float64, u *units.Reals[T]) {
	c.weighing = true
	c.summed(u, 1)
	copy(dst, c.weights)
}

// VisibleFields implements sample.Conditionals: the means of the matched Gaussians.
func (c *movingLayers[T]) VisibleFields() []T { return c.linear }

// VisibleMeans implements sample.Conditionals.
func (c *movingLayers[T]) VisibleMeans(dst, fields []T) { copy(dst, fields) }

// HoldFields implements sample.Conditionals.
func (c *movingLayers[T]) HoldFields(fields []T, u *units.Reals[T], named []int) {
	for _, r := range named {
		copy(fields[r*c.chains:(r+1)*c.chains], u.Row(r))
	}
}
