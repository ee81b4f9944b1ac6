package variational

import (
	"context"
	"math"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// An upper holds the layers of a deep machine above the first, and their means in the
// samples of a batch: Layered for many samples at once. The odd units are those of
// odd layers, one layer after another, and the even units those of even hidden layers.
// Matrices of states are units x samples.
type upper[T rbm.Real] struct {
	samples   int       // M of the batch
	data      int       // units of the data's layer
	first     int       // units of layer 1
	odd, even int       // units
	links     []join[T] // those above the first
	known     bool      // synapses have no variance
	nu, nuOdd []T       // offsets of the even and the odd units

	mean0, theta0 []T // of the first link: layer 1 x layer 0

	below, belowVariance []T // what the data make of the fields of the odd units, c included
	mean, variance       []T // of the fields of the odd units
	tanh, sech2          []T // E tanh, E sech^2: odd x samples
	drawn                []T // where fields of layer 1 are drawn: z over their deviation; layer 1 x samples
	centred, square      []T // T - nu and its square

	evenMean, evenVariance []T // M, S
	rho, chi               []T // E tanh, E sech^2: even x samples
	excess, excessSquare   []T // rho - nu and its square

	product, reaction []T // of either side
	totals, sums      []T // two sums of each sample
	ones              []T // as many as there are units on the larger side
	weight            []T // w of each pair and sample, where it is kept: pairs x samples
}

// A join is a link above the first.
type join[T rbm.Real] struct {
	number         int       // of the link
	hidden, even   rbm.Range // the odd and the even units
	j              float64
	lambda, square []T // posterior means and their squares, odd x even
	pair           int // its first pair
}

func (l *join[T]) pairs() int { return l.hidden.Len() * l.even.Len() }

// grain is the number of rows of states that are one piece of work.
func (u *upper[T]) grain() int { return parallel.Grain(8 * u.samples) }

// prepare takes the model, whose posterior means are mean, and batches of so many samples.
func (u *upper[T]) prepare(model *rbm.Model[T], mean []T, known bool, samples int) {
	f := model.Layers()
	n := model.Visible()
	u.data, u.first, u.odd, u.even, u.known = f.Data(), f[1], f.Hidden(), f.Visible()-f.Data(), known
	if u.samples != samples || len(u.tanh) != u.odd*samples || len(u.rho) != u.even*samples || len(u.mean0) != u.first*u.data {
		u.samples = samples
		for _, x := range []*[]T{&u.below, &u.belowVariance, &u.mean, &u.variance, &u.tanh, &u.sech2, &u.centred, &u.square} {
			*x = make([]T, u.odd*samples)
		}
		for _, x := range []*[]T{&u.evenMean, &u.evenVariance, &u.rho, &u.chi, &u.excess, &u.excessSquare} {
			*x = make([]T, u.even*samples)
		}
		u.product, u.reaction = make([]T, max(u.odd, u.even)*samples), make([]T, max(u.odd, u.even)*samples)
		u.totals, u.sums = make([]T, samples), make([]T, samples)
		u.ones = make([]T, max(u.odd, u.even))
		fill(u.ones, 1)
		u.drawn = make([]T, u.first*samples)
		u.mean0, u.theta0 = make([]T, u.first*u.data), make([]T, u.first*u.data)
		u.nu, u.nuOdd = make([]T, u.even), make([]T, u.odd)
		u.links = nil
	}
	if len(u.links) != len(model.Links)-1 {
		u.links = make([]join[T], len(model.Links)-1)
	}
	for k, v := range model.VisibleOffset[u.data:] {
		u.nu[k] = T(v)
	}
	for j, v := range model.HiddenOffset {
		u.nuOdd[j] = T(v)
	}
	for j := range u.first {
		copy(u.mean0[j*u.data:(j+1)*u.data], mean[j*n:])
		copy(u.theta0[j*u.data:(j+1)*u.data], model.Posterior.Theta[j*n:])
	}
	pair := 0
	for k := range u.links {
		is, l := model.Links[k+1], &u.links[k]
		even := rbm.Range{From: is.Visible.From - u.data, To: is.Visible.To - u.data}
		if l.hidden != is.Hidden || l.even != even || len(l.lambda) != is.Hidden.Len()*even.Len() {
			*l = join[T]{lambda: make([]T, is.Hidden.Len()*even.Len()), square: make([]T, is.Hidden.Len()*even.Len())}
		}
		l.number, l.hidden, l.even, l.j, l.pair = k+1, is.Hidden, even, is.Coupling, pair
		pair += l.pairs()
		width := even.Len()
		for j := range is.Hidden.Len() {
			row := l.lambda[j*width : (j+1)*width]
			copy(row, mean[(is.Hidden.From+j)*n+is.Visible.From:])
			for i, v := range row {
				l.square[j*width+i] = v * v
			}
		}
	}
}

// link returns what samples are told of the first link.
func (u *upper[T]) link(whole *units.Link[T]) *units.Link[T] {
	l := *whole
	l.Mean, l.Theta, l.Offset = u.mean0, u.theta0, whole.Offset[:u.data]
	return &l
}

// look sets what the data make of the fields of the odd units.
func (o *Objective[T]) look(ctx context.Context, u *upper[T], link *units.Link[T], model *rbm.Model[T], batch units.Samples[T]) error {
	m := u.samples
	for j := u.first; j < u.odd; j++ {
		fill(u.below[j*m:(j+1)*m], T(model.HiddenField[j]))
		clear(u.belowVariance[j*m : (j+1)*m])
	}
	return parallel.ForContext(ctx, u.first, o.rows(batch), func(lo, hi int) {
		w := o.block(batch)
		defer o.work.Put(w)
		w.Lo, w.Rows = lo, hi-lo
		batch.Fields(w, link)
		for k := 0; k < w.Rows && ctx.Err() == nil; k++ {
			o.field(w, link, batch, k, &model.Params)
			copy(u.below[(lo+k)*m:], w.Mean[:m])
			copy(u.belowVariance[(lo+k)*m:], w.Variance[:m])
		}
	})
}

func fill[T any](x []T, v T) {
	for k := range x {
		x[k] = v
	}
}

// draw draws the fields of layer 1, which have no variance of the data then.
func (u *upper[T]) draw(key stream.Key) {
	m := u.samples
	parallel.For(u.first, u.grain(), func(lo, hi int) {
		for j := lo; j < hi; j++ {
			drawFields(key, j, u.below[j*m:(j+1)*m], u.belowVariance[j*m:(j+1)*m], u.drawn[j*m:(j+1)*m])
		}
	})
}

// recognise finds the recognition of all samples in so many rounds, and with it the
// fields of the odd units, to second order in the couplings above the first link.
func (u *upper[T]) recognise(averages units.Hidden[T], field []float64, how Recognition, rounds int) {
	m := u.samples
	copy(u.mean, u.below)
	copy(u.variance, u.belowVariance)
	for k, b := range field {
		fill(u.rho[k*m:(k+1)*m], T(math.Tanh(b)))
		fill(u.chi[k*m:(k+1)*m], T(1-math.Tanh(b)*math.Tanh(b)))
	}
	u.averageOdd(averages)
	for r := range rounds {
		u.evenFields(field, how, r > 0)
		u.averageEven(averages)
		u.oddFields(how)
		u.averageOdd(averages)
	}
}

// averageOdd sets the averages of the odd units.
func (u *upper[T]) averageOdd(averages units.Hidden[T]) {
	m := u.samples
	parallel.For(u.odd, u.grain(), func(lo, hi int) {
		for j := lo; j < hi; j++ {
			at := j * m
			tanh, sech2 := u.tanh[at:at+m], u.sech2[at:at+m]
			averages.Averages(tanh, sech2, u.mean[at:at+m], u.variance[at:at+m], m)
			centred, square, nu := u.centred[at:at+m], u.square[at:at+m], u.nuOdd[j]
			for a, t := range tanh {
				d := t - nu
				centred[a], square[a] = d, d*d
			}
		}
	})
}

// averageEven sets the averages of the even units.
func (u *upper[T]) averageEven(averages units.Hidden[T]) {
	m := u.samples
	parallel.For(u.even, u.grain(), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			at := k * m
			averages.Averages(u.rho[at:at+m], u.chi[at:at+m], u.evenMean[at:at+m], u.evenVariance[at:at+m], m)
		}
	})
	u.centreEven()
}

func (u *upper[T]) centreEven() {
	m := u.samples
	parallel.For(u.even, u.grain(), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			excess, square, nu := u.excess[k*m:(k+1)*m], u.excessSquare[k*m:(k+1)*m], u.nu[k]
			for a, r := range u.rho[k*m : (k+1)*m] {
				d := r - nu
				excess[a], square[a] = d, d*d
			}
		}
	})
}

// sum sets dst to the sums of the rows from lo to hi-1 of x, one per sample.
func (u *upper[T]) sum(dst, x []T, lo, hi int) {
	m := u.samples
	kernel.MulReal(dst, u.ones[:hi-lo], x[lo*m:hi*m], 1, hi-lo, m, false, false)
}

// damping is the share of a round's fields of the even units that is taken.
const damping = 0.6

// evenFields sets M and S of the even units. M is damped if it has a value.
func (u *upper[T]) evenFields(field []float64, how Recognition, damped bool) {
	m := u.samples
	share := T(1)
	if damped {
		share = damping
	}
	u.centreEven()
	old := u.excess // rho - nu of the last round
	parallel.For(u.even, u.grain(), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			row := u.evenMean[k*m : (k+1)*m]
			clear(u.evenVariance[k*m : (k+1)*m])
			for a, v := range row {
				row[a] = v + share*(T(field[k])-v)
			}
		}
	})
	if !damped {
		for k, b := range field {
			fill(u.evenMean[k*m:(k+1)*m], T(b))
		}
	}
	for i := range u.links {
		l := &u.links[i]
		h, v := l.hidden.Len(), l.even.Len()
		from := l.hidden.From * m
		size := h * m
		j1, j2 := share*T(l.j), share*T(l.j*l.j)
		kernel.MulReal(u.product, l.lambda, u.centred[from:from+size], v, h, m, true, false)
		u.sum(u.totals, u.sech2, l.hidden.From, l.hidden.To)
		if !u.known {
			kernel.MulReal(u.reaction, l.square, u.sech2[from:from+size], v, h, m, true, false)
		}
		parallel.For(v, u.grain(), func(lo, hi int) {
			for k := lo; k < hi; k++ {
				at := (l.even.From + k) * m
				mean, product, excess := u.evenMean[at:at+m], u.product[k*m:(k+1)*m], old[at:at+m]
				reaction, nu := u.totals, u.nu[l.even.From+k]
				if !u.known {
					reaction = u.reaction[k*m : (k+1)*m]
				}
				for a, p := range product {
					mean[a] += j1*p - j2*(nu*u.totals[a]+excess[a]*reaction[a])
				}
			}
		})
		if how == Mean || u.known {
			continue
		}
		u.sum(u.sums, u.square, l.hidden.From, l.hidden.To)
		kernel.MulReal(u.product, l.square, u.square[from:from+size], v, h, m, true, false)
		spread := T(l.j * l.j)
		parallel.For(v, u.grain(), func(lo, hi int) {
			for k := lo; k < hi; k++ {
				at := (l.even.From + k) * m
				variance := u.evenVariance[at : at+m]
				for a, p := range u.product[k*m : (k+1)*m] {
					variance[a] += spread * max(0, u.sums[a]-p)
				}
			}
		})
	}
}

// oddFields sets m and V of the odd units.
func (u *upper[T]) oddFields(how Recognition) {
	m := u.samples
	copy(u.mean, u.below)
	copy(u.variance, u.belowVariance)
	for i := range u.links {
		l := &u.links[i]
		h, v := l.hidden.Len(), l.even.Len()
		from, size := l.even.From*m, v*m
		j1, j2 := T(l.j), T(l.j*l.j)
		kernel.MulReal(u.product, l.lambda, u.excess[from:from+size], h, v, m, false, false)
		u.spreads(u.totals, l)
		u.sum(u.sums, u.excessSquare, l.even.From, l.even.To)
		if !u.known {
			kernel.MulReal(u.reaction, l.square, u.excessSquare[from:from+size], h, v, m, false, false)
		}
		parallel.For(h, u.grain(), func(lo, hi int) {
			for j := lo; j < hi; j++ {
				at := (l.hidden.From + j) * m
				mean, variance, seen := u.mean[at:at+m], u.variance[at:at+m], u.sums
				if !u.known {
					seen = u.reaction[j*m : (j+1)*m]
				}
				for a, p := range u.product[j*m : (j+1)*m] {
					mean[a] += j1 * p
					variance[a] += j2 * max(0, u.totals[a]-seen[a])
				}
			}
		})
		if how == Mean || u.known {
			continue
		}
		u.sum(u.sums, u.chi, l.even.From, l.even.To)
		kernel.MulReal(u.product, l.square, u.chi[from:from+size], h, v, m, false, false)
		parallel.For(h, u.grain(), func(lo, hi int) {
			for j := lo; j < hi; j++ {
				at := (l.hidden.From + j) * m
				mean, centred := u.mean[at:at+m], u.centred[at:at+m]
				for a, p := range u.product[j*m : (j+1)*m] {
					mean[a] += j2 * centred[a] * (u.sums[a] - p)
				}
			}
		})
	}
}

// spreads sets dst to the sums of 1 + nu^2 - 2 nu rho over the even units of a link, one per sample.
func (u *upper[T]) spreads(dst []T, l *join[T]) {
	m := u.samples
	nu := u.nu[l.even.From:l.even.To]
	kernel.MulReal(dst, nu, u.rho[l.even.From*m:l.even.To*m], 1, len(nu), m, false, false)
	var constant T
	for _, v := range nu {
		constant += 1 + v*v
	}
	for a, v := range dst {
		dst[a] = constant - 2*v
	}
}

// slopes sets grad to the derivatives of the data term by the posterior means of a link,
// odd x even, and returns that by its coupling: sums over the samples.
func (u *upper[T]) slopes(grad []T, l *join[T], how Recognition) (byCoupling float64) {
	m := u.samples
	h, v := l.hidden.Len(), l.even.Len()
	odd := func(x []T) []T { return x[l.hidden.From*m : l.hidden.To*m] }
	even := func(x []T) []T { return x[l.even.From*m : l.even.To*m] }
	second := make([]T, h*v)
	kernel.MulReal(grad, odd(u.centred), even(u.excess), h, m, v, false, true)
	kernel.MulReal(second, odd(u.sech2), even(u.excessSquare), h, m, v, false, true)
	aware := how != Mean
	var third []T
	if aware {
		third = make([]T, h*v)
		kernel.MulReal(third, odd(u.square), even(u.chi), h, m, v, false, true)
	}
	u.spreads(u.totals, l)
	u.sum(u.sums, u.sech2, l.hidden.From, l.hidden.To)
	var flat float64
	for a, v := range u.totals {
		flat += float64(v) * float64(u.sums[a])
	}
	parts := make([]float64, h)
	j := T(l.j)
	parallel.For(h, parallel.Grain(4*v), func(lo, hi int) {
		for row := lo; row < hi; row++ {
			g, s, lambda := grad[row*v:(row+1)*v], second[row*v:(row+1)*v], l.lambda[row*v:(row+1)*v]
			var byFirst, bySecond float64
			for k, p := range g {
				q, w := s[k], lambda[k]
				byFirst += float64(w * p)
				bySecond -= float64(w * w * q)
				if aware {
					c := third[row*v+k]
					q += c
					bySecond += float64((1 - w*w) * c)
				}
				g[k] = j*p - j*j*w*q
			}
			parts[row] = byFirst + l.j*bySecond
		}
	})
	byCoupling = l.j * flat
	for _, p := range parts {
		byCoupling += p
	}
	return byCoupling
}

// value returns the sum over the samples of the bound on the data term, but for the base
// of the data.
func (u *upper[T]) value(averages units.Hidden[T], model *rbm.Model[T]) (sum float64) {
	m := u.samples
	parts := make([]float64, u.odd+u.even)
	parallel.For(u.odd, u.grain(), func(lo, hi int) {
		for j := lo; j < hi; j++ {
			mean := u.mean[j*m : (j+1)*m]
			parts[j] = averages.Value(mean, u.variance[j*m:(j+1)*m], m) - model.HiddenOffset[j]*(kernel.Sum(mean)-float64(m)*model.HiddenField[j])
		}
	})
	parallel.For(u.even, u.grain(), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			at := k * m
			mean, variance, rho, chi := u.evenMean[at:at+m], u.evenVariance[at:at+m], u.rho[at:at+m], u.chi[at:at+m]
			part := averages.Value(mean, variance, m) + model.VisibleField[u.data+k]*kernel.Sum(rho)
			for a, r := range rho {
				part -= float64(mean[a]*r) + float64(variance[a]*chi[a])
			}
			parts[u.odd+k] = part
		}
	})
	for _, p := range parts {
		sum += p
	}
	return sum
}
