package learn

import (
	"bethe/rbm"
	"bethe/stream"
	"bethe/variational"
)

// Names of kinds of synapses.
const (
	kindBinary  = "binary"
	kindReal    = "real"
	kindSampled = "sampled"
	kindSign    = "sign"
)

// What is shipped of synapses that the data leave open.
const (
	undecidedDraw = "draw" // from the posterior
	undecidedSign = "sign"
)

// All questions about the kind of synapses are asked here.

// kindOf tells what a kind of synapses is.
type kindOf struct {
	named     bool // it is a kind
	posterior bool // a distribution over binary synapses is learned
	real      bool // the synapses are real numbers
	as        variational.Synapses
}

var kinds = map[string]kindOf{
	kindBinary:  {named: true, posterior: true, as: variational.Posterior},
	kindReal:    {named: true, real: true, as: variational.Real},
	kindSampled: {named: true, as: variational.Sampled},
	kindSign:    {named: true, as: variational.Sign},
}

// known returns what the recipe's kind of synapses is.
func (r *Recipe) known() kindOf { return kinds[r.Synapses] }

// matrix returns what anatomy looks at, hidden x visible: posterior means, or
// real synapses.
func (r *Recipe) matrix(model *rbm.Model[float32]) []float32 {
	if r.known().real {
		return model.Posterior.Theta
	}
	mean := make([]float32, len(model.Posterior.Theta))
	model.Posterior.Mean(mean)
	return mean
}

// shipped returns what a model file holds: a machine, and the posterior it is of.
func (r *Recipe) shipped(model *rbm.Model[float32], info rbm.Info, key stream.Key) *rbm.File {
	if r.known().real {
		return rbm.RealFile(&rbm.Machine{Params: model.Params, Weights: model.Posterior.Theta}, info)
	}
	file := &rbm.File{Model: model, Info: info}
	if r.Undecided == undecidedSign {
		file.Synapses = model.Posterior.Sign()
	} else {
		file.Synapses = model.Posterior.Typical(key)
	}
	return file
}

// synapseBits returns the number of bits that the synapses of a shipped machine take.
func (r *Recipe) synapseBits(model *rbm.Model[float32]) int {
	n := model.Visible() * model.Hidden()
	if r.known().real {
		return 32 * n
	}
	return n
}

// thetaLimit is the bound on thetas, 0 for none.
func (r *Recipe) thetaLimit() float64 {
	if r.known().real {
		return 0 // they are no log-odds
	}
	return r.MaxTheta
}
