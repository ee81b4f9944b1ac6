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
// of the noise that small batches and chains leave in a single step. Its posterior
// is as Shown has it. It shares no storage with Model.
func (t *Trainer[T]) Result() *rbm.Model[T] {
	model := t.Model.Clone()
	t.state.average.set(model)
	t.polarise(model)
	return model
}

// Shown returns the model as it is after a step, to look at. That is Model, but where signs learn on by thetas that decay: these
// thetas stay small however sure the signs are, and are no log-odds of a posterior. There it is a copy whose posterior is
// polarised: each theta has its sign, and the same size.
func (t *Trainer[T]) Shown() *rbm.Model[T] {
	if !t.polarises() {
		return t.Model
	}
	model := t.Model.Clone()
	t.polarise(model)
	return model
}

// polarised is the size of thetas of such a posterior, unless MaxTheta is less: a sign is wrong with probability 0.0003.
const polarised = 4

// polarises reports whether signs of a posterior learn on by thetas that decay.
func (t *Trainer[T]) polarises() bool {
	return t.opt.ThetaDecay > 0 && !t.opt.Synapses.Known() && t.Kind().Known()
}

// polarise gives each theta its sign and the same size, where polarises says so.
func (t *Trainer[T]) polarise(model *rbm.Model[T]) {
	if !t.polarises() {
		return
	}
	size := float64(polarised)
	if t.opt.MaxTheta > 0 {
		size = min(size, t.opt.MaxTheta)
	}
	for k, theta := range model.Posterior.Theta {
		model.Posterior.Theta[k] = T(math.Copysign(size, float64(theta)))
	}
}
