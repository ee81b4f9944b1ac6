package variational

import (
	"fmt"
	"math"
	"slices"

	"bethe/internal/kernel"
	"bethe/internal/parallel"
	"bethe/rbm"
	"bethe/stream"
	"bethe/units"
)

// A head is a linear classifier that learns beside the machine, from the hidden
// means that the machine makes of a sample:
//
//	p(class c | s) ∝ exp(weights[c].x + bias[c]), x = 0 or 2 (<tanh> - nu) at random.
//
// Half of the means of each sample are left out (dropout: Srivastava and others
// 2014): what only a few units tell of the training samples is not to count.
// What ln p of the true class gains by the mean of a hidden unit enters the
// gradient of the bound as if it were more of that unit: the machine keeps apart
// what has different labels. The head itself is no part of the machine.
type head[T rbm.Real] struct {
	classes int
	class   []int   // of each sample to learn from
	batch   []int   // of each sample of the batch
	weight  float64 // of ln p, in nats of a sample's log-likelihood

	weights, grad []T // classes x hidden, and behind them a bias of each class
	opt           adam[T]
	key           stream.Key // chooses the means that are left out in a step; one stream for each unit
	kept          []uint64   // hidden x batch / 64, one bit for each sample: whether the classifier sees the unit's mean
	scores        []T        // classes x batch: of each class, then one for the true class less its probability
	pull          []T        // hidden x batch: the gradient of ln p by the hidden means
	tanh          []T        // hidden x batch: the hidden means less nu

	loss, wrong float64 // -ln p and share of errors of the last batch
}

const (
	headRate  = 0.1  // of the weights, as a share of the synapses' rate
	headDecay = 1e-4 // share of the weights that is taken off their gradient
)

// newHead returns a head for samples with the given labels, whose classes are
// the labels that there are.
func newHead[T rbm.Real](labels []int, samples, hidden int, weight float64) (*head[T], error) {
	values := slices.Clone(labels)
	slices.Sort(values)
	values = slices.Compact(values)
	switch {
	case len(labels) != samples:
		return nil, fmt.Errorf("%d labels of %d samples", len(labels), samples)
	case len(values) < 2:
		return nil, fmt.Errorf("labels of %d classes: learning to tell them apart needs at least two", len(values))
	}
	size := len(values) * (hidden + 1)
	h := &head[T]{classes: len(values), class: make([]int, samples), weight: weight, weights: make([]T, size), grad: make([]T, size), opt: newAdam[T](size, DefaultMomentum)}
	for a, l := range labels {
		h.class[a], _ = slices.BinarySearch(values, l)
	}
	return h, nil
}

// classify computes, from a batch, the hidden means, the gradient of ln p by the
// head's weights and that by the means.
func (o *Objective[T]) classify(model *rbm.Model[T], batch units.Samples[T], link *units.Link[T]) {
	h, p, m := o.head, model.Hidden(), batch.Len()
	h.fit(p, m)
	together := o.Hidden.Together()
	parallel.For(p, o.rows(batch), func(lo, hi int) {
		w := o.block(batch)
		defer o.work.Put(w)
		w.Lo, w.Rows = lo, hi-lo
		batch.Fields(w, link)
		for k := 0; k < w.Rows; k += together {
			o.field(w, link, batch, k, &model.Params)
			o.Hidden.Averages(h.tanh[(lo+k)*m:(lo+k+together)*m], w.Second[k*m:(k+together)*m], w.Mean, w.Variance, m)
		}
		h.leaveOut(lo, hi, m, model.HiddenOffset)
	})
	h.tell(p, m)
}

// classifyDeep is classify of a deep machine, whose layers were recognised. What is classified are the means of all odd layers. It adds to
// them what ln p gains by their fields, where the states of even layers stay.
func (o *Objective[T]) classifyDeep(model *rbm.Model[T]) {
	h, u := o.head, &o.upper
	p, m := u.odd, u.samples
	h.fit(p, m)
	copy(h.tanh, u.tanh)
	parallel.For(p, u.grain(), func(lo, hi int) { h.leaveOut(lo, hi, m, model.HiddenOffset) })
	h.tell(p, m)
	parallel.For(p, u.grain(), func(lo, hi int) {
		for j := lo; j < hi; j++ {
			h.add(j, u.tanh[j*m:(j+1)*m], u.sech2[j*m:(j+1)*m], u.mean[j*m:(j+1)*m], 0)
			kernel.Affine(u.centred[j*m:(j+1)*m], u.tanh[j*m:(j+1)*m], 1, -u.nuOdd[j])
		}
	})
}

// fit makes room for p hidden units and m samples.
func (h *head[T]) fit(p, m int) {
	if len(h.pull) != p*m {
		h.scores, h.pull, h.tanh = make([]T, h.classes*m), make([]T, p*m), make([]T, p*m)
		h.kept = make([]uint64, p*words(m))
	}
}

// leaveOut picks the means that the classifier sees of hidden units lo to hi-1: a random half.
func (h *head[T]) leaveOut(lo, hi, m int, offset []float64) {
	for mu := lo; mu < hi; mu++ {
		row := h.tanh[mu*m : (mu+1)*m]
		kernel.Affine(row, row, 2, T(-2*offset[mu]))
		kept, rng := h.keptOf(mu, m), h.key.Sub(uint64(mu)).Rand()
		for w := range kept {
			kept[w] = rng.Uint64()
		}
		for a := range row {
			if !isKept(kept, a) {
				row[a] = 0
			}
		}
	}
}

// tell classifies, and sets the gradients of ln p by the weights and by the means.
func (h *head[T]) tell(p, m int) {
	weights, bias := h.weights[:h.classes*p], h.weights[h.classes*p:]
	kernel.MulReal(h.scores, weights, h.tanh, h.classes, p, m, false, false)
	for c, b := range bias {
		row := h.scores[c*m : (c+1)*m]
		kernel.Affine(row, row, 1, b)
	}
	h.compare(h.batch)

	perSample := 1 / T(m)
	kernel.MulReal(h.grad[:h.classes*p], h.scores, h.tanh, h.classes, m, p, false, true)
	for k, w := range weights {
		h.grad[k] = h.grad[k]*perSample - headDecay*w
	}
	for c := range bias {
		h.grad[h.classes*p+c] = T(kernel.Sum(h.scores[c*m:(c+1)*m])) * perSample
	}
	kernel.MulReal(h.pull, weights, h.scores, p, h.classes, m, true, false)
}

// add adds the classifier's part to tanh of hidden unit mu, so that it becomes the derivative of the whole objective by the mean field
// of each sample: weight <sech^2> d ln p / d<tanh>. It
// returns the sums of these terms and of their products with field - shift.
func (h *head[T]) add(mu int, tanh, sech2, field []T, shift float64) (sum, slope float64) {
	m, weight := len(tanh), T(2*h.weight)
	kept := h.keptOf(mu, m)
	for a, pull := range h.pull[mu*m : (mu+1)*m] {
		if !isKept(kept, a) {
			continue
		}
		gain := weight * sech2[a] * pull
		tanh[a] += gain
		sum += float64(gain)
		slope += float64(gain) * (float64(field[a]) - shift)
	}
	return sum, slope
}

// words is how many hold a bit of each of m samples.
func words(m int) int { return (m + 63) / 64 }

// keptOf returns the bits of hidden unit mu in a batch of m samples.
func (h *head[T]) keptOf(mu, m int) []uint64 { return h.kept[mu*words(m) : (mu+1)*words(m)] }

func isKept(kept []uint64, a int) bool { return kept[a/64]>>(a%64)&1 == 1 }

// compare puts, in the place of the scores of each sample, 1 for its class and
// 0 for others less the probabilities, and notes the loss and the errors.
func (h *head[T]) compare(class []int) {
	m := len(class)
	h.loss, h.wrong = 0, 0
	chance := make([]float64, h.classes)
	for a, own := range class {
		best := 0
		for c := range chance {
			chance[c] = float64(h.scores[c*m+a])
			if chance[c] > chance[best] {
				best = c
			}
		}
		if best != own {
			h.wrong++
		}
		top, sum := chance[best], 0.
		h.loss -= chance[own] - top
		for c, v := range chance {
			chance[c] = math.Exp(v - top)
			sum += chance[c]
		}
		h.loss += math.Log(sum)
		for c, v := range chance {
			h.scores[c*m+a] = T(-v / sum)
		}
		h.scores[own*m+a] = T(1 - chance[own]/sum)
	}
	h.loss /= float64(m)
	h.wrong /= float64(m)
}

// step moves the weights uphill; count is the number of steps with this one.
func (h *head[T]) step(rate float64, count int) {
	h.opt.step(h.weights, h.grad, move{rate: headRate * rate, count: count, limit: math.Inf(1)})
}
