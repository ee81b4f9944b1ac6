package learn

import (
	"bethe/rbm"
	"bethe/stream"
)

// Rules for synapses that the data leave open: their value in the shipped machine.
const (
	undecidedDraw = "draw" // from the posterior
	undecidedSign = "sign"
)

// kind returns the kind of the recipe's synapses. One that is not known is told by
// Check; until then it counts as binary.
func (r *Recipe) kind() rbm.Kind {
	kind, err := rbm.KindOf(r.Synapses)
	if err != nil {
		return rbm.BinaryKind
	}
	return kind
}

// matrixOf returns the matrix that anatomy measures, hidden x visible: posterior means,
// or thetas if they are no log-odds, of the first link.
func matrixOf(r *Recipe, model *rbm.Model[float32]) []float32 {
	values := model.Posterior.Theta
	if r.kind().LogOdds() {
		values = make([]float32, len(model.Posterior.Theta))
		model.Posterior.Mean(values)
	}
	if !model.Deep() {
		return values
	}
	first := make([]float32, model.Layers().Synapses(0))
	rbm.Block(model.Layers(), first, values, 0)
	return first
}

// shippedAs returns the content of a model file: a machine and its posterior.
func shippedAs(r *Recipe, model *rbm.Model[float32], info rbm.Info, key stream.Key) *rbm.File {
	return &rbm.File{Params: model.Params, Synapses: r.kind().Ship(model.Posterior, r.Undecided == undecidedDraw, key), Info: info}
}

// synapseBits returns the number of bits that the synapses of a shipped machine take.
func synapseBits(r *Recipe, model *rbm.Model[float32]) int {
	return model.Layers().Total() * r.kind().Ship(model.Posterior, false, 0).Bits()
}

// thetaLimit is the bound on thetas, 0 for none.
func (r *Recipe) thetaLimit() float64 {
	if !r.kind().LogOdds() {
		return 0
	}
	return r.MaxTheta
}

// ships returns the file of a model after so many steps: of real numbers, in their own units.
func (r *Run) ships(model *rbm.Model[float32], step int, key stream.Key) *rbm.File {
	file := shippedAs(&r.recipe, model, r.info(step), key)
	if !model.VisibleKind.Bits() {
		file.Params = model.Params.Clone()
		file.VisibleOwn, file.Scale = r.scale.InUnitsOf(model.VisibleOwn), r.scale.Scale
	}
	return file
}
