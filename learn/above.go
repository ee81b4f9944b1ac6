package learn

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// An Above says what lies above the first hidden layer, of a deep machine. It is empty for a
// machine of one hidden layer.
type Above struct {
	Layers Layers `json:"layers,omitzero"` // sizes of all hidden layers, from the first on; hidden is that of the first
	// Recognition says how the even hidden layers are known given a sample: aware,
	// stationary, mean or drawn (variational.Recognition).
	Recognition string  `json:"recognition,omitzero"`
	Rounds      int     `json:"recognition_rounds,omitzero"` // a batch; 0: as many as suit
	Stage       float64 `json:"stage,omitzero"`              // share of learning, at its start, in which the upper synapses stay undecided
	// UpperCoupling says what happens to the couplings above the first link, which start at
	// 1/sqrt(units below): held (until learning settles), learned or fixed.
	UpperCoupling string `json:"upper_coupling,omitzero"`
	// Stack learns a machine for each layer, one after the other (a deep belief network), in the place of a deep machine.
	Stack bool `json:"stack,omitzero"`
	// Together is in how many steps, at the end, all machines of a stack learn at once.
	Together int `json:"together,omitzero"`
}

// What happens to the upper couplings.
const (
	couplingHeld    = "held"
	couplingLearned = "learned"
	couplingFixed   = "fixed"
)

// Layers are sizes of layers. They can be compared with ==, and their JSON form is a list.
type Layers string // separated by commas

// LayersOf returns sizes of layers.
func LayersOf(sizes []int) Layers {
	return Layers(strings.ReplaceAll(strings.Trim(fmt.Sprint(sizes), "[]"), " ", ","))
}

// Sizes returns them.
func (l Layers) Sizes() (sizes []int) {
	for word := range strings.SplitSeq(string(l), ",") {
		if n, err := strconv.Atoi(word); err == nil {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

// MarshalJSON implements json.Marshaler.
func (l Layers) MarshalJSON() ([]byte, error) { return []byte("[" + string(l) + "]"), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (l *Layers) UnmarshalJSON(text []byte) error {
	var sizes []int
	if err := json.Unmarshal(text, &sizes); err != nil {
		return err
	}
	*l = LayersOf(sizes)
	return nil
}

// deep reports whether there is more than one hidden layer.
func (a *Above) deep() bool { return len(a.Layers.Sizes()) > 1 }

// suit sets what a deep machine has if nothing else is asked for.
func (a *Above) suit() {
	if !a.deep() || a.Stack {
		return
	}
	if a.Recognition == "" {
		a.Recognition = variational.Aware.String()
	}
	if a.UpperCoupling == "" {
		a.UpperCoupling = couplingHeld
	}
}

// SetLayers makes the hidden layers those of the given sizes, from the first on.
func (r *Recipe) SetLayers(sizes []int) {
	if r.Hidden = sizes[0]; len(sizes) == 1 {
		r.Above = Above{Stack: r.Stack, Together: r.Together}
		return
	}
	r.Layers = LayersOf(sizes)
}

// folding returns the layers of the machine.
func (r *Recipe) folding(visible int) rbm.Folding {
	if !r.deep() {
		return rbm.Folding{visible, r.Hidden}
	}
	return append(rbm.Folding{visible}, r.Layers.Sizes()...)
}

// size returns the numbers of visible and hidden features of the machine of two sides.
func (r *Recipe) size(visible int) (even, odd int) {
	if !r.deep() {
		return visible, r.features()
	}
	f := r.folding(visible)
	return f.Visible(), f.Hidden()
}

// HiddenWords returns the sizes of the hidden layers as folder names have them, such as 500-500.
func (r *Recipe) HiddenWords() string {
	if !r.deep() {
		return fmt.Sprint(r.Hidden)
	}
	return strings.ReplaceAll(string(r.Layers), ",", "-")
}

// checkAbove returns a *SettingError if what lies above the first hidden layer is out of its
// range, or does not go with another setting.
func (r *Recipe) checkAbove() error {
	_, unknown := variational.RecognitionOf(r.Recognition)
	sizes := r.Layers.Sizes()
	switch {
	case r.Together != 0 && !r.Stack:
		return setting.Phrase("together", "{together} is of {stack}, whose machines are learned one after the other before")
	case r.Stack:
		if err := r.checkStack(); err != nil {
			return err
		}
	case len(sizes) == 0 && (r.Recognition != "" || r.Rounds != 0 || r.Stage != 0 || r.UpperCoupling != ""):
		return setting.Phrase("hidden", "{recognition}, {recognition_rounds}, {stage} and {upper_coupling} are of deep machines: give more layers, such as {hidden 500,500}")
	case len(sizes) == 0:
		return nil
	}
	switch {
	case len(sizes) == 1 || len(sizes) >= rbm.MaxLayers:
		return setting.Phrase("hidden", "{layers %v}: a deep machine has 2 to %d hidden layers", r.Layers, rbm.MaxLayers-1)
	case slices.Min(sizes) < 1:
		return setting.Phrase("hidden", "{hidden %s}: each layer must have at least 1 unit", strings.ReplaceAll(r.HiddenWords(), "-", ","))
	case sizes[0] != r.Hidden:
		return setting.Phrase("hidden", "{hidden %d} and {layers %v}: hidden is the size of the first of them", r.Hidden, r.Layers)
	case r.Recognition != "" && unknown != nil:
		return setting.Phrase("recognition", "{recognition %q}: it is aware, stationary, mean or drawn", r.Recognition)
	case r.Rounds < 0:
		return setting.Phrase("recognition_rounds", "{recognition_rounds %d}: it must not be negative", r.Rounds)
	case !(r.Stage >= 0 && r.Stage < 1):
		return setting.Phrase("stage", "{stage %v}: it must not be negative, and below 1", r.Stage)
	case r.UpperCoupling != "" && !slices.Contains([]string{couplingHeld, couplingLearned, couplingFixed}, r.UpperCoupling):
		return setting.Phrase("upper_coupling", "{upper_coupling %q}: it is held, learned or fixed", r.UpperCoupling)
	case r.Partition == quenched:
		return setting.Phrase("partition", "{partition quenched} is of machines of one hidden layer")
	case !r.spins():
		return setting.Phrase("units", "{units} and {hidden_units} are of machines of one hidden layer: those of deep machines are spins")
	case r.Prior != "" || r.Init != "":
		return setting.Phrase("hidden", "{prior} and {init} are of machines of one hidden layer")
	}
	return nil
}

// deepOptions returns what learning is told of the layers above.
func (r *Recipe) deepOptions(key stream.Key) variational.Deep {
	if !r.deep() {
		return variational.Deep{}
	}
	how, _ := variational.RecognitionOf(r.Recognition) // checked before
	return variational.Deep{Recognition: how, Rounds: r.Rounds, Stage: r.Stage, Hold: r.UpperCoupling != couplingLearned, Fixed: r.UpperCoupling == couplingFixed, Key: key}
}

// startStates returns states of all even layers: samples, and below them random spins.
func (r *Recipe) startStates(samples *spin.Matrix, key stream.Key) *spin.Matrix {
	if !r.deep() {
		return samples
	}
	return units.Below(samples, spin.Random(r.folding(samples.Rows()).Visible()-samples.Rows(), samples.Cols(), key.Rand()))
}

// layerRecords tells how the hidden layers of a deep machine stand, after a step; nil of
// others.
func layerRecords(model *rbm.Model[float32], trainer *variational.Trainer[float32], odds bool) []runs.Layer {
	if !model.Deep() {
		return nil
	}
	f, spread := model.Layers(), trainer.Spreads()
	var out []runs.Layer
	for l := range f.Depth() {
		theta := make([]float32, f.Synapses(l))
		rbm.Block(f, theta, model.Posterior.Theta, l)
		q := &rbm.Posterior[float32]{Visible: f[l], Hidden: f[l+1], Theta: theta}
		out = append(out, layerRecord(q, model.Links[l].Coupling, spread[l], odds))
	}
	return out
}

// layerRecord says how the synapses below a layer are, and how its units vary.
func layerRecord(q *rbm.Posterior[float32], coupling, spread float64, odds bool) runs.Layer {
	layer := runs.Layer{Coupling: runs.Number(coupling), Polarised: runs.Number(math.NaN()), Mean: runs.Number(math.NaN()), Spread: runs.Number(spread)}
	if odds {
		var size float64
		for _, v := range q.Theta {
			size += math.Abs(math.Tanh(float64(v)))
		}
		layer.Polarised, layer.Mean = runs.Number(q.Polarised(polarisedAt)), runs.Number(size/float64(len(q.Theta)))
	}
	return layer
}
