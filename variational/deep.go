package variational

import (
	"context"
	"math"
	"slices"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// Rounds of the recognition.
const (
	batchRounds    = 1  // of a batch, whose choice makes far more noise than more rounds take away
	learningRounds = 5  // of all samples, or with the stationary recognition
	boundRounds    = 40 // where the bound is looked at
)

// With at most fewPairs pairs of units above the first layer, the bound is computed with the
// stationary recognition. It keeps a number for each pair and sample.
const fewPairs = 1 << 13

// Deep is what learning is told of the layers above the first hidden one.
type Deep struct {
	Recognition Recognition
	Rounds      int // of the recognition of a batch; 0: as many as suit
	// Stage is the share of learning, at its start, in which the synapses above the first
	// link stay undecided: they are few and see much data each, and would decide before the
	// layer below them means anything. Then they are drawn. They must start at 0 (Initial.Undecided).
	Stage float64
	// Hold keeps the couplings above the first link until learning settles, or to the end if
	// it does not. If they are learned from the start they fall, and silence the layers above.
	Hold  bool
	Fixed bool       // keeps them to the end
	Key   stream.Key // of draws; that of the objective is of one step
}

// rounds returns the rounds of the recognition of a batch, or of all samples.
func (d *Deep) rounds(batch bool) int {
	switch {
	case d.Rounds > 0:
		return d.Rounds
	case batch && d.Recognition != Stationary:
		return batchRounds
	}
	return learningRounds
}

// recognise infers the layers above the data, for the samples of a batch. Where values are missing it also finds their fill: each move
// sees the fields of layer 1 as the layers above make them.
func (o *Objective[T]) recognise(ctx context.Context, model *rbm.Model[T], batch units.Samples[T], link *units.Link[T], how Recognition, rounds int) error {
	f, filling := batch.(units.Filling[T])
	if !filling {
		return o.recogniseOnce(ctx, model, batch, link, how, rounds)
	}
	u, field := &o.upper, model.VisibleField[:o.upper.data]
	f.Start(field)
	for k := range o.Fill {
		if err := o.recogniseOnce(ctx, model, batch, link, how, rounds); err != nil {
			return err
		}
		f.Refill(link, field, u.centred[:u.first*u.samples], u.sech2[:u.first*u.samples], moved(k))
	}
	return o.recogniseOnce(ctx, model, batch, link, how, rounds)
}

// recogniseOnce is recognise with the fill as it is.
func (o *Objective[T]) recogniseOnce(ctx context.Context, model *rbm.Model[T], batch units.Samples[T], link *units.Link[T], how Recognition, rounds int) error {
	u := &o.upper
	if err := o.look(ctx, u, link, model, batch); err != nil {
		return err
	}
	field := model.VisibleField[u.data:]
	switch {
	case how == Stationary:
		u.recogniseStationary(o.Hidden, field, 2*rounds)
	case how == Drawn && !link.Known:
		u.draw(o.Deep.Key)
		fallthrough
	default:
		u.recognise(o.Hidden, field, how, rounds)
	}
	return ctx.Err()
}

// deepGradient is Gradient of a deep machine.
func (o *Objective[T]) deepGradient(ctx context.Context, grad *dual.Gradient[T], model *rbm.Model[T], batch units.Samples[T]) (dual.Report, error) {
	if _, filling := batch.(units.Filling[T]); o.Coarse && o.Deep.Recognition != Stationary && o.head == nil && !filling {
		return o.roughGradient(ctx, grad, model, batch)
	}
	o.prepare(model, batch, o.Coarse)
	partition := o.partition
	partitionRow, report, err := o.Partition.Rows(ctx, partition, &model.Params, o.mean)
	if err != nil {
		return report, err
	}
	n, p, m, links := model.Visible(), model.Hidden(), batch.Len(), len(model.Links)
	whole := o.link(model, o.Coarse)
	u, how := &o.upper, o.Deep.Recognition
	u.prepare(model, o.mean, whole.Known, m)
	link := u.link(whole)
	if err := o.recognise(ctx, model, batch, link, how, o.Deep.rounds(o.Coarse)); err != nil {
		dual.Undo(o.Partition)
		return report, err
	}
	u.tell(&o.seen)
	if o.head != nil {
		o.classifyDeep(model)
	}
	perSample := 1 / float64(m)
	clear(grad.Coupling)
	blocks := make([][]T, links)
	for i := range u.links {
		l := &u.links[i]
		block := make([]T, l.pairs())
		if how == Stationary {
			grad.Coupling[l.number] = perSample * u.slopesStationary(block, l)
		} else {
			grad.Coupling[l.number] = perSample * u.slopes(block, l, how)
		}
		blocks[l.number] = block
	}
	coupling, partitionCoupling := make([]float64, p), make([]float64, p*links)
	tanhSum, slopeSum := make([]float64, p), make([]float64, p)
	o.upper.means(tanhSum, u.tanh, u.odd)
	err = parallel.ForContext(ctx, p, o.rows(batch), func(lo, hi int) {
		w := o.block(batch)
		defer o.work.Put(w)
		row := make([]T, n)
		first := min(hi, u.first)
		if w.Lo, w.Rows = lo, max(0, first-lo); w.Rows > 0 {
			o.correlateFirst(w, link, batch, model, coupling)
		}
		for mu := lo; mu < hi && ctx.Err() == nil; mu++ {
			partitionRow(row, partitionCoupling[mu*links:(mu+1)*links], mu)
			out := grad.Synapse[mu*n : (mu+1)*n]
			clear(out)
			if mu < first {
				copy(w.Partition, row[:u.data])
				excess := tanhSum[mu] - float64(m)*model.HiddenOffset[mu]
				slopeSum[mu] = batch.Slopes(out[:u.data], w, link, mu-lo, excess, w.SecondSum[mu-lo])
			}
			for i := range u.links {
				l := &u.links[i]
				if mu < l.hidden.From || mu >= l.hidden.To {
					continue
				}
				from, to, width := u.data+l.even.From, u.data+l.even.To, l.even.Len()
				theta := model.Posterior.Theta[mu*n+from : mu*n+to]
				for k, g := range blocks[l.number][(mu-l.hidden.From)*width:][:width] {
					out[from+k] = g*T(perSample) - row[from+k] - link.Share*theta[k]
				}
			}
			if prior := model.Posterior.PriorTheta; prior != nil && !link.Known {
				for i, v := range prior[mu*n : (mu+1)*n] {
					out[i] += link.Share * v
				}
			}
			slopeSum[mu] = kernel.Sum(out)
		}
	})
	if err != nil {
		dual.Undo(o.Partition)
		return report, err
	}
	o.finite = finite(slopeSum)
	for k, v := range partitionCoupling {
		partition.Coupling[k%links] += v
	}
	for j := range u.first {
		grad.Coupling[0] += coupling[j] * perSample / model.Links[0].Coupling
	}
	for k := range grad.Coupling {
		grad.Coupling[k] -= partition.Coupling[k]
	}
	for mu := range p {
		grad.HiddenField[mu] = tanhSum[mu]*perSample - partition.HiddenField[mu]
	}
	clear(grad.VisibleField)
	batch.Sums(grad.VisibleField[:u.data])
	u.means(grad.VisibleField[u.data:], u.rho, u.even)
	for i, sum := range grad.VisibleField {
		grad.VisibleField[i] = sum*perSample - partition.VisibleField[i]
	}
	return report, nil
}

// correlateFirst does the products of a block of units of layer 1 with the samples.
func (o *Objective[T]) correlateFirst(w *units.Block[T], link *units.Link[T], batch units.Samples[T], model *rbm.Model[T], coupling []float64) {
	u := &o.upper
	m := u.samples
	for k := range w.Rows {
		j := w.Lo + k
		at := j * m
		first, second := w.First[k*m:(k+1)*m], w.Second[k*m:(k+1)*m]
		copy(first, u.tanh[at:at+m])
		copy(second, u.sech2[at:at+m])
		if o.Deep.Recognition == Drawn && !link.Known {
			for a, z := range u.drawn[at : at+m] { // E sech^2 by parts
				second[a] = u.tanh[at+a] * z
			}
		}
		_, w.SecondSum[k], coupling[j] = kernel.FieldSums(first, second, u.below[at:at+m], u.belowVariance[at:at+m], T(model.HiddenOffset[j]), T(model.HiddenField[j]))
	}
	batch.Correlate(w, link)
}

// means sets dst to the sums of rows of states.
func (u *upper[T]) means(dst []float64, x []T, rows int) {
	m := u.samples
	parallel.For(rows, u.grain(), func(lo, hi int) {
		for k := lo; k < hi; k++ {
			dst[k] = kernel.Sum(x[k*m : (k+1)*m])
		}
	})
}

// deepValue returns the sum over samples of the bound on the data term of a deep machine.
func (o *Objective[T]) deepValue(ctx context.Context, model *rbm.Model[T], samples units.Samples[T]) (float64, error) {
	o.prepare(model, samples, false)
	whole := o.link(model, false)
	u := &o.upper
	u.prepare(model, o.mean, whole.Known, samples.Len())
	pairs := 0
	for i := range u.links {
		pairs += u.links[i].pairs()
	}
	how := Aware
	if pairs <= fewPairs {
		how = Stationary
	}
	if err := o.recognise(ctx, model, samples, u.link(whole), how, boundRounds); err != nil {
		return 0, err
	}
	return samples.Base(u.value(o.Hidden, model), model.VisibleField[:u.data], make([]float64, samples.OwnSize())), nil
}

// An above says which parameters of the layers above the first link are held in a step.
type above struct{ synapses, couplings bool }

// above tells which of them the next step holds. It first draws the upper synapses whose time has come.
func (t *Trainer[T]) above() above {
	d := &t.opt.Deep
	if !t.Model.Deep() {
		return above{}
	}
	t.Objective.Deep.Key = d.Key.Sub(uint64(t.state.step))
	h := above{couplings: d.Fixed || d.Hold && !(t.opt.Settle > 0 && t.Kind() != t.opt.Synapses)}
	if d.Stage == 0 {
		return h
	}
	if h.synapses = t.Fraction() < d.Stage && t.opt.Extended == 0; !h.synapses {
		t.decide()
	}
	return h
}

// stagedDeviation is that of the thetas of upper synapses that are drawn.
const stagedDeviation = 0.3

// decide draws the thetas above the first link if they are all 0 still.
func (t *Trainer[T]) decide() {
	f := t.Model.Layers()
	for l := 1; l < f.Depth(); l++ {
		block := make([]T, f.Synapses(l))
		rbm.Block(f, block, t.Model.Posterior.Theta, l)
		if slices.ContainsFunc(block, func(v T) bool { return v != 0 }) {
			continue
		}
		rng := t.opt.Deep.Key.Sub(stream.DeepStage).Sub(uint64(l)).Rand()
		for k := range block {
			block[k] = T(stagedDeviation * rng.NormFloat64())
		}
		rbm.SetBlock(f, t.Model.Posterior.Theta, block, l)
	}
}

// holdAbove sets the gradient of all that h holds to 0.
func (t *Trainer[T]) holdAbove(h above) {
	for l, link := range t.Model.Links {
		if l == 0 {
			continue
		}
		if h.couplings {
			t.grad.Coupling[l] = 0
		}
		for mu := link.Hidden.From; h.synapses && mu < link.Hidden.To; mu++ {
			n := t.Model.Visible()
			clear(t.grad.Synapse[mu*n+link.Visible.From : mu*n+link.Visible.To])
		}
	}
}

// moveDeepOffsets moves the offsets of all hidden layers towards their means over the
// batch, and the fields of both neighbours so that the mean energy stays.
func (t *Trainer[T]) moveDeepOffsets(rate float64) {
	params, seen, f := &t.Model.Params, &t.Objective.seen, t.Model.Layers()
	n, mean := params.Visible(), t.Objective.mean
	odd := follow[T](params.HiddenOffset, seen.odd.mean, rate)
	even := follow[T](params.VisibleOffset[f.Data():], seen.even.mean, rate)
	sums := make([]float64, n)
	for l := 1; l <= f.Depth(); l += 2 {
		at := f.Place(l)
		clear(sums)
		kernel.AddRows(sums, mean[at.From*n:at.To*n], odd[at.From:at.To])
		for k := l - 1; k < min(l+1, f.Depth()); k++ {
			link := params.Links[k]
			from, to := link.Visible.From, link.Visible.To
			for i, v := range sums[from:to] {
				params.VisibleField[from+i] += link.Coupling * v
			}
			if k == 0 {
				continue // the data's offsets stay
			}
			moves := even[from-f.Data() : to-f.Data()]
			for mu := at.From; mu < at.To; mu++ {
				params.HiddenField[mu] += link.Coupling * kernel.Dot(mean[mu*n+from:mu*n+to], moves)
			}
		}
	}
}

// follow moves offsets by a share towards the means of units, and returns by how much.
func follow[T rbm.Real](offset, mean []float64, share float64) []T {
	moves := make([]T, len(offset))
	for k, v := range mean {
		d := share * (max(-1, min(1, v)) - offset[k])
		offset[k] += d
		moves[k] = T(d)
	}
	return moves
}

// Spreads returns, of each hidden layer of a deep machine, the standard deviation over the
// samples of the last batch of the mean of a unit given the sample, as a mean over units. All are NaN
// before the first step.
func (t *Trainer[T]) Spreads() []float64 {
	seen, f := &t.Objective.seen, t.Model.Layers()
	out := make([]float64, f.Depth())
	for l := range out {
		if out[l] = math.NaN(); len(seen.odd.mean) == 0 {
			continue
		}
		each, at := seen.odd.deviation, f.Place(l+1)
		if l%2 == 1 {
			each, at.From, at.To = seen.even.deviation, at.From-f.Data(), at.To-f.Data()
		}
		var sum float64
		for _, v := range each[at.From:at.To] {
			sum += v
		}
		out[l] = sum / float64(at.Len())
	}
	return out
}

// tell sets s to the means and deviations of all units in the last batch.
func (u *upper[T]) tell(s *seen) {
	m := float64(u.samples)
	s.fit(u.odd, u.even)
	u.means(s.odd.mean, u.tanh, u.odd)
	u.means(s.even.mean, u.rho, u.even)
	for k := range s.odd.mean {
		s.odd.mean[k] /= m
		s.odd.deviation[k] = deviation(u.tanh[k*u.samples : (k+1)*u.samples])
	}
	for k := range s.even.mean {
		s.even.mean[k] /= m
		s.even.deviation[k] = deviation(u.rho[k*u.samples : (k+1)*u.samples])
	}
}

// deviation returns the standard deviation of x.
func deviation[T rbm.Real](x []T) float64 {
	var mean, square float64
	for _, v := range x {
		mean += float64(v) / float64(len(x))
	}
	for _, v := range x {
		square += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	return math.Sqrt(square)
}
