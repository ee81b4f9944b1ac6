package variational

import (
	"context"
	"math"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// roughLook sets what the data make of the fields of the odd units, and the averages that follow.
func (o *Objective[T]) roughLook(ctx context.Context, u *rough[T], link *units.Link[T], model *rbm.Model[T], batch units.Samples[T]) error {
	m := u.samples
	for i := range u.odds {
		l := &u.odds[i]
		field := model.HiddenField[l.units.From:l.units.To]
		err := parallel.ForContext(ctx, l.units.Len(), roughRows, func(lo, hi int) {
			w, s := o.block(batch), u.space()
			defer o.work.Put(w)
			defer u.work.Put(s)
			sums := l.part(lo)
			for from := lo; from < hi && ctx.Err() == nil; from += o.rows(batch) {
				w.Lo, w.Rows = 0, min(o.rows(batch), hi-from)
				first := link
				if i == 0 {
					first = s.firstRows(link, o.mean, from, w.Rows, model.Visible())
					batch.Fields(w, first)
				}
				for k := range w.Rows {
					j := from + k
					mean, variance := l.row(l.below, j), l.row(l.belowVariance, j)
					if i == 0 {
						batch.Field(w, first, k, mean, variance, field[j])
					} else {
						fill(mean, T(field[j]))
						clear(variance)
					}
					if u.how == Drawn && i == 0 {
						drawFields(o.Deep.Key, j, mean, variance, l.row(l.drawn, j))
					}
					o.Hidden.Averages(s.tanh[:m], s.sech2[:m], mean, []T{T(kernel.Sum(variance) / float64(m))}, m)
					l.take(j, l.row(l.centred, j), s.tanh[:m], s.sech2[:m], sums)
				}
			}
			l.pairs(l.centred[lo*m:], lo, hi)
		})
		if err != nil {
			return err
		}
		l.total()
	}
	return nil
}

// drawFields draws the fields of a unit of layer 1, which have no variance of the data then.
func drawFields[T rbm.Real](key stream.Key, unit int, mean, variance, drawn []T) {
	rng := key.Sub(uint64(unit)).Rand()
	for a, v := range variance {
		z, deviation := rng.NormFloat64(), math.Sqrt(float64(v))
		mean[a] += T(deviation * z)
		drawn[a], variance[a] = 0, 0
		if deviation > 0 {
			drawn[a] = T(z / deviation)
		}
	}
}

// lookAtEven sets the averages of the even units in a round. The fields are damped but for the first one.
func (u *rough[T]) lookAtEven(ctx context.Context, averages units.Hidden[T], field []float64, round int) error {
	m, share := u.samples, T(1)
	if round > 0 {
		share = damping
	}
	for i := range u.evens {
		l := &u.evens[i]
		err := parallel.ForContext(ctx, l.units.Len(), roughRows, func(lo, hi int) {
			s := u.space()
			defer u.work.Put(s)
			begin := func(k int) (mean, variance []T) { // of the field of unit k
				b := T(field[l.units.From+k])
				if round == 0 {
					kernel.Affine(s.state, u.zeros, 0, b)
				} else {
					kernel.Affine(s.state, l.row(l.mean, k), 1-share, share*b)
				}
				return s.state, u.zeros
			}
			for n, at := range l.links {
				link := &u.links[at]
				kernel.MulWhole(s.products[n], link.byEven, lo, hi, u.odds[link.odd].states)
			}
			sums := l.part(lo)
			for k := lo; k < hi; k++ {
				fromMean, fromVariance := begin(k)
				for n, at := range l.links {
					link := &u.links[at]
					odd, q := &u.odds[link.odd], link.ofEven[k]
					if round == 0 {
						kernel.Affine(s.reaction, u.zeros, 0, l.nu[k]+q*(T(math.Tanh(field[l.units.From+k]))-l.nu[k]))
					} else {
						kernel.Affine(s.reaction, l.row(l.centred, k), q, l.nu[k])
					}
					by := kernel.JoinScales[T]{Coupling: share * T(link.j), Reaction: -share * T(link.j*link.j)}
					if u.how != Mean {
						by.Free = T(link.j*link.j) * (1 - q)
					}
					kernel.JoinFields(s.mean, s.variance, kernel.Join[T]{Mean: fromMean, Variance: fromVariance, Product: s.rows(s.products[n], k-lo), State: s.reaction,
						By: odd.sums.Sech2, Spread: odd.sums.Square, Square: odd.sums.Square}, by)
					fromMean, fromVariance = s.mean, s.variance
				}
				tanh, sech2 := s.rows(s.tanh, k-lo), s.sech2[:m]
				averages.Averages(tanh, sech2, s.mean, []T{T(kernel.Sum(s.variance) / float64(m))}, m)
				l.take(k, tanh, tanh, sech2, sums)
				if l.mean != nil {
					copy(l.row(l.mean, k), s.mean)
					copy(l.row(l.centred, k), tanh)
				}
			}
			l.pairs(s.tanh, lo, hi)
			l.across.SetLanes(lo, s.tanh, &s.lanes)
		})
		if err != nil {
			return err
		}
		l.total()
		var constant T
		for _, v := range l.nu {
			constant += 1 + v*v
		}
		kernel.Affine(l.free, l.sums.Shift, -2, constant)
	}
	return nil
}

// oddRows sets the averages of the units lo to hi-1 of an odd layer, which the even layers tell: tanh and
// sech2 of the work space.
func (u *rough[T]) oddRows(s *roughWork[T], averages units.Hidden[T], odd, lo, hi int) {
	m, l := u.samples, &u.odds[odd]
	for n, at := range l.links {
		link := &u.links[at]
		kernel.MulWhole(s.products[n], link.byOdd, lo, hi, u.evens[link.even].states)
	}
	for j := lo; j < hi; j++ {
		fromMean, fromVariance := l.row(l.below, j), l.row(l.belowVariance, j)
		for n, at := range l.links {
			link := &u.links[at]
			even, square, q := &u.evens[link.even], T(link.j*link.j), link.ofOdd[j]
			by := kernel.JoinScales[T]{Coupling: T(link.j), Free: square, Taken: square * q}
			if u.how != Mean {
				by.Reaction = square * (1 - q)
			}
			kernel.JoinFields(s.mean, s.variance, kernel.Join[T]{Mean: fromMean, Variance: fromVariance, Product: s.rows(s.products[n], j-lo), State: l.row(l.centred, j),
				By: even.sums.Sech2, Spread: even.free, Square: even.sums.Square}, by)
			fromMean, fromVariance = s.mean, s.variance
		}
		averages.Averages(s.rows(s.tanh, j-lo), s.rows(s.sech2, j-lo), s.mean, s.variance, m)
	}
}

// lookAtOdd sets the averages of the odd units between two rounds.
func (u *rough[T]) lookAtOdd(ctx context.Context, averages units.Hidden[T]) error {
	m := u.samples
	for i := range u.odds {
		l := &u.odds[i]
		err := parallel.ForContext(ctx, l.units.Len(), roughRows, func(lo, hi int) {
			s := u.space()
			defer u.work.Put(s)
			u.oddRows(s, averages, i, lo, hi)
			sums := l.part(lo)
			for j := lo; j < hi; j++ {
				row := (j - lo) * m
				l.take(j, l.row(l.centred, j), s.tanh[row:row+m], s.sech2[row:row+m], sums)
			}
			l.pairs(l.centred[lo*m:], lo, hi)
		})
		if err != nil {
			return err
		}
		l.total()
	}
	return nil
}

// roughGradient is Gradient of a deep machine from a batch.
func (o *Objective[T]) roughGradient(ctx context.Context, grad *dual.Gradient[T], model *rbm.Model[T], batch units.Samples[T]) (dual.Report, error) {
	o.prepare(model, batch, true)
	partition := o.partition
	partitionRow, report, err := o.Partition.Rows(ctx, partition, &model.Params, o.mean)
	if err != nil {
		return report, err
	}
	link := o.link(model, true)
	u, rounds := &o.rough, o.Deep.rounds(true)
	u.prepare(model, o.mean, o.Deep.Recognition, link.Known, rounds, batch.Len())
	link.Offset = link.Offset[:u.data]
	field := model.VisibleField[u.data:]
	err = o.roughLook(ctx, u, link, model, batch)
	for r := 0; r < rounds && err == nil; r++ {
		if r > 0 {
			err = u.lookAtOdd(ctx, o.Hidden)
		}
		if err == nil {
			err = u.lookAtEven(ctx, o.Hidden, field, r)
		}
	}
	if err == nil {
		err = o.roughSlopes(ctx, grad, model, batch, link, partitionRow)
	}
	if err != nil {
		dual.Undo(o.Partition)
		return report, err
	}
	perSample := 1 / float64(batch.Len())
	for i := range u.odds {
		for j, sum := range u.odds[i].tanh {
			mu := u.odds[i].units.From + j
			grad.HiddenField[mu] = sum*perSample - partition.HiddenField[mu]
		}
	}
	clear(grad.VisibleField)
	batch.Sums(grad.VisibleField[:u.data])
	for i := range u.evens {
		copy(grad.VisibleField[u.data+u.evens[i].units.From:], u.evens[i].tanh)
	}
	for i, sum := range grad.VisibleField {
		grad.VisibleField[i] = sum*perSample - partition.VisibleField[i]
	}
	u.tell(&o.seen)
	return report, nil
}

// firstRows returns the link to some units of layer 1, whose rows of the matrix of the folded machine it copies.
func (s *roughWork[T]) firstRows(link *units.Link[T], mean []T, from, rows, n int) *units.Link[T] {
	l := *link
	data := len(l.Offset)
	if len(s.first) < rows*data {
		s.first = make([]T, rows*data)
	}
	l.Mean = s.first[:rows*data]
	for k := range rows {
		at := (from + k) * n
		copy(l.Mean[k*data:(k+1)*data], mean[at:])
	}
	return &l
}

// roughSlopes sets the last averages of the odd units, and the gradient by synapses and couplings.
func (o *Objective[T]) roughSlopes(ctx context.Context, grad *dual.Gradient[T], model *rbm.Model[T], batch units.Samples[T], link *units.Link[T], partitionRow dual.Row[T]) error {
	u, theta := &o.rough, model.Posterior.Theta
	n, p, m, links := model.Visible(), model.Hidden(), u.samples, len(model.Links)
	perSample := 1 / float64(m)
	coupling, partitionCoupling, sums := make([]float64, p*links), make([]float64, p*links), make([]float64, p)
	prior := model.Posterior.PriorTheta
	for i := range u.odds {
		l := &u.odds[i]
		err := parallel.ForContext(ctx, l.units.Len(), roughRows, func(lo, hi int) {
			w, s := o.block(batch), u.space()
			defer o.work.Put(w)
			defer u.work.Put(s)
			u.oddRows(s, o.Hidden, i, lo, hi)
			part := l.part(lo)
			for j := lo; j < hi; j++ {
				tanh, sech2 := s.rows(s.tanh, j-lo), s.rows(s.sech2, j-lo)
				l.take(j, tanh, tanh, sech2, part)
				l.rows.SetRow(j, tanh)
				for _, at := range l.links {
					coupling[(l.units.From+j)*links+at+1] = u.links[at].j * perSample * kernel.Dot(u.evens[u.links[at].even].free, sech2)
				}
				if i == 0 && u.how == Drawn { // E sech^2 by parts
					for a, z := range l.row(l.drawn, j) {
						sech2[a] = (tanh[a] + l.nu[j]) * z
					}
				}
			}
			for _, at := range l.links {
				even := &u.evens[u.links[at].even]
				kernel.MulWhole(s.above[roughRows*even.units.From:], l.rows, lo, hi, even.across)
			}
			for from := lo; from < hi && ctx.Err() == nil; from += o.rows(batch) {
				b, rows := *w, min(o.rows(batch), hi-from)
				if i == 0 {
					b.Lo, b.Rows = 0, rows
					b.First, b.Second = s.tanh[(from-lo)*m:(from-lo+rows)*m], s.sech2[(from-lo)*m:(from-lo+rows)*m]
					batch.Correlate(&b, link)
				}
				for k := range rows {
					j := from + k
					mu := l.units.From + j
					row, out := s.partition, grad.Synapse[mu*n:(mu+1)*n]
					partitionRow(row, partitionCoupling[mu*links:(mu+1)*links], mu)
					if links > 2 {
						clear(out)
					}
					if i == 0 {
						tanh, sech2 := b.First[k*m:(k+1)*m], b.Second[k*m:(k+1)*m]
						centred, second := l.tanh[j]-float64(m)*float64(l.nu[j]), l.sech2[j]
						if u.how == Drawn {
							second = kernel.Sum(sech2)
						}
						below, variance := l.row(l.below, j), l.row(l.belowVariance, j)
						coupling[mu*links] = perSample / model.Links[0].Coupling *
							(kernel.Dot(tanh, below) - centred*model.HiddenField[mu] + kernel.Dot(sech2, variance))
						b.Partition = row[:u.data]
						b.Lo = -k // row k of the block is the one that the link begins with
						own := *link
						own.Mean, own.Theta = o.mean[mu*n:], theta[mu*n:]
						sums[mu] = batch.Slopes(out[:u.data], &b, &own, k, centred, second)
					}
					for _, at := range l.links {
						sum, c := u.slopes(&u.links[at], s, j, j-lo, out, row, o.mean[mu*n:(mu+1)*n], theta[mu*n:(mu+1)*n], link.Share)
						sums[mu] += sum
						coupling[mu*links+at+1] += c
					}
					if prior != nil && !link.Known {
						for q, v := range prior[mu*n : (mu+1)*n] {
							out[q] += link.Share * v
						}
						sums[mu] = kernel.Sum(out)
					}
				}
			}
		})
		if err != nil {
			return err
		}
		l.total()
	}
	o.finite = finite(sums)
	clear(grad.Coupling)
	for k, c := range coupling {
		grad.Coupling[k%links] += c - partitionCoupling[k]
	}
	for k, c := range o.partition.Coupling {
		grad.Coupling[k] -= c
	}
	return nil
}

// slopes sets the gradient by the synapses of an odd unit, row at of the work space, with an even layer, and returns its
// sum and what follows for the coupling.
func (u *rough[T]) slopes(link *roughLink[T], s *roughWork[T], j, at int, out, partition, mean, theta []T, share T) (sum, byCoupling float64) {
	odd, even, width := &u.odds[link.odd], &u.evens[link.even], link.width
	from, to, square := link.from, link.from+width, link.j*link.j
	by := kernel.JoinSlopes[T]{Slope: T(link.j / float64(u.samples)), First: T(square) * odd.spread[j], Share: share}
	var aware float64
	if u.how != Mean {
		by.Second = T(square) * odd.square[j]
		aware = link.j * float64(odd.square[j]) * kernel.Sum(even.spread)
	}
	sum, direct, curved := kernel.JoinGradient(out[from:to], kernel.JoinRow[T]{
		Product: s.above[roughRows*even.units.From+at*width:][:width], Mean: mean[from:to],
		First: even.square, Second: even.spread, Partition: partition[from:to], Theta: theta[from:to],
	}, by)
	return sum, direct/float64(u.samples) - curved/link.j + aware
}

// A seen has statistics of the hidden units of a deep machine in the last batch: the mean over samples of a unit's
// mean, and its standard deviation.
type seen struct {
	odd, even struct{ mean, deviation []float64 }
}

// tell sets s to the means and deviations of all units in the batch.
func (u *rough[T]) tell(s *seen) {
	tell := func(mean, deviation []float64, l *roughLayer[T]) {
		m := float64(u.samples)
		for k, sum := range l.tanh {
			mean[k] = sum / m
			off := mean[k] - float64(l.nu[k])
			deviation[k] = math.Sqrt(max(0, float64(l.square[k])-off*off))
		}
	}
	odd, even := u.odds[len(u.odds)-1].units.To, u.evens[len(u.evens)-1].units.To
	s.fit(odd, even)
	for i := range u.odds {
		at := u.odds[i].units
		tell(s.odd.mean[at.From:at.To], s.odd.deviation[at.From:at.To], &u.odds[i].roughLayer)
	}
	for i := range u.evens {
		at := u.evens[i].units
		tell(s.even.mean[at.From:at.To], s.even.deviation[at.From:at.To], &u.evens[i].roughLayer)
	}
}

// fit makes room for so many units.
func (s *seen) fit(odd, even int) {
	if len(s.odd.mean) != odd || len(s.even.mean) != even {
		s.odd.mean, s.odd.deviation = make([]float64, odd), make([]float64, odd)
		s.even.mean, s.even.deviation = make([]float64, even), make([]float64, even)
	}
}
