package variational

import (
	"math"
	"slices"

	"bethe/internal/parallel"
	"bethe/rbm"
)

// averageEvery is the number of steps between those that enter the average.
const averageEvery = 5

// running is the average of a model over steps, as kept in checkpoints.
type running[T rbm.Real] struct {
	count   int // models in the average; 0: none yet, and nothing below
	theta   []T
	vectors [][]float64 // of parameters, in their order
}

// parameters lists the parameters that are averaged besides the thetas. The first is
// a copy of the couplings.
func parameters(p *rbm.Params) [][]float64 {
	list := [][]float64{p.Couplings(), p.VisibleField, p.HiddenField, p.VisibleOffset, p.HiddenOffset}
	if len(p.VisibleOwn) > 0 {
		list = append(list, p.VisibleOwn)
	}
	return list
}

// setCouplings sets J of each link.
func setCouplings(p *rbm.Params, j []float64) {
	for k, v := range j {
		p.Links[k].Coupling = v
	}
}

// add takes a model in.
func (r *running[T]) add(model *rbm.Model[T]) {
	r.count++
	if r.count == 1 {
		r.theta = slices.Clone(model.Posterior.Theta)
		for _, x := range parameters(&model.Params) {
			r.vectors = append(r.vectors, slices.Clone(x))
		}
		return
	}
	const grain = 1 << 13
	share := 1 / T(r.count)
	parallel.For(len(r.theta), grain, func(lo, hi int) {
		mean, theta := r.theta[lo:hi], model.Posterior.Theta[lo:hi]
		for k, v := range theta {
			mean[k] += share * (v - mean[k])
		}
	})
	for k, x := range parameters(&model.Params) {
		for i, v := range x {
			r.vectors[k][i] += (v - r.vectors[k][i]) / float64(r.count)
		}
	}
}

// set makes model the average, if there is one.
func (r *running[T]) set(model *rbm.Model[T]) {
	if r.count == 0 {
		return
	}
	copy(model.Posterior.Theta, r.theta)
	for k, x := range parameters(&model.Params) {
		copy(x, r.vectors[k])
	}
	setCouplings(&model.Params, r.vectors[0])
}

// Result returns what has been learned so far: the model, or, where the options
// ask for it, the average of its parameters over the last steps, which has less
// of the noise that small batches and chains leave in a single step. It shares
// no storage with Model.
func (t *Trainer[T]) Result() *rbm.Model[T] {
	model := t.Model.Clone()
	t.state.average.set(model)
	return model
}

// polarised is the size of thetas of a polarised posterior: a sign is wrong with probability 0.0003.
const polarised = 4

// Polarised returns the model whose bound tells how far learning has come: the given one, or, where signs of a posterior learn on by thetas
// that decay, a copy in which each theta has its sign and one large size. Thetas that decay stay small however sure their
// signs are, and draws from them would be other machines than the one that learns.
func (t *Trainer[T]) Polarised(model *rbm.Model[T]) *rbm.Model[T] {
	if t.opt.ThetaDecay == 0 || t.opt.Synapses.Known() || !t.Kind().Known() {
		return model
	}
	model = model.Clone()
	for k, theta := range model.Posterior.Theta {
		model.Posterior.Theta[k] = T(math.Copysign(polarised, float64(theta)))
	}
	return model
}
