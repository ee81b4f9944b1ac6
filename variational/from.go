package variational

import (
	"fmt"
	"math"

	"bethe/rbm"
	"bethe/spin"
)

// fromLimit is the largest |mean| that a binary synapse starts at, however large the real one was: beyond it, learning could hardly turn it back.
const fromLimit = 0.96

// fromSamples are the samples, at most, that the hidden offsets of From are means over.
const fromSamples = 2000

// From returns the model that learning samples (visible x M) starts from where
// that is an earlier machine, with binary synapses or real ones K = J w, instead
// of a random one. Of start it takes Hidden, Centre, Key and Prior, and Coupling
// as the unit of real ones.
//
// Binary synapses start at the posterior of the file with its coupling. From real
// ones they get the coupling J = sqrt(mean K^2), at which machines of ±J are as
// strongly coupled, and the means lambda = K/J, cut off at ±0.96: the sign is that
// of K, and J lambda = K where K is not larger than most. Real synapses start at K,
// of binary ones at those of the machine that the file ships.
//
// Offsets become those of these data, means of the visible units and of the
// hidden ones given them, or 0 without Centre; fields move with them so that the
// energy with the couplings K stays the same, but for a constant. Where synapses
// were cut off the fields at the mean of the data stay.
//
// It panics if shapes differ, and returns an error if the couplings are all 0 or not finite.
func From(file *rbm.File, kind rbm.Kind, start Initial, samples *spin.Matrix) (*rbm.Model[float32], error) {
	n, p := file.Visible(), file.Hidden()
	if n != samples.Rows() || p != start.Hidden {
		panic(fmt.Sprintf("variational: From a machine of %d x %d units for %d x %d", n, p, samples.Rows(), start.Hidden))
	}
	start.Fields, start.Deviation = false, 0
	model := NewModel[float32](start, samples)
	known, binary := file.Synapses.(rbm.Uncertain) // else real, or bits without a posterior
	couplings := rbm.Values(file.Synapses)
	if binary && kind.LogOdds() {
		copy(model.Posterior.Theta, known.Posterior().Theta)
		known.Posterior().Mean(couplings)
	}
	var square float64
	for k := range couplings {
		couplings[k] *= float32(file.Coupling())
		square += float64(couplings[k]) * float64(couplings[k])
	}
	if rms := math.Sqrt(square / float64(n*p)); !(rms > 0) || math.IsInf(rms, 0) {
		return nil, fmt.Errorf("the root mean square of its couplings is %v: learning cannot start from there", rms)
	} else if !binary {
		model.SetCoupling(rms)
	}
	switch {
	case !kind.LogOdds():
		model.SetCoupling(start.Coupling)
		for k, v := range couplings {
			model.Posterior.Theta[k] = v / float32(start.Coupling)
		}
	case binary:
		model.SetCoupling(file.Coupling())
	default:
		for k, v := range couplings {
			model.Posterior.Theta[k] = float32(math.Atanh(max(-fromLimit, min(fromLimit, float64(v)/model.Coupling()))))
		}
	}
	setFrom(model, &file.Params, couplings, start, samples)
	return model, nil
}

// setFrom sets the fields, and the hidden offsets, of a model that starts from
// parameters with the given couplings, hidden x visible.
func setFrom(model *rbm.Model[float32], from *rbm.Params, couplings []float32, start Initial, samples *spin.Matrix) {
	n := model.Visible()
	unit := from.Clone()
	unit.SetCoupling(1)
	plain, _ := (&rbm.Machine{Params: unit, Synapses: rbm.RealValued(n, from.Hidden(), couplings)}).Plain()
	copy(model.VisibleField, plain.VisibleField)
	copy(model.HiddenField, plain.HiddenField)
	if !start.Centre {
		return
	}
	some := samples
	if m := samples.Cols(); m > fromSamples {
		some = samples.Choose(fromSamples, start.Key.Rand())
	}
	means := plain.HiddenMeans(some)
	for mu := range model.HiddenField {
		var sum float64
		for _, v := range means[mu*some.Cols() : (mu+1)*some.Cols()] {
			sum += v
		}
		nu := sum / float64(some.Cols())
		model.HiddenOffset[mu] = nu
		for i, v := range couplings[mu*n : (mu+1)*n] {
			model.VisibleField[i] += float64(v) * nu
			model.HiddenField[mu] += float64(v) * model.VisibleOffset[i]
		}
	}
}
