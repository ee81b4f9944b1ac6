package learn

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/spin"
	"bethe/variational"
)

// CheckPriorScale returns a *SettingError if a prior cannot be scaled by that.
func CheckPriorScale(scale float64) error {
	if !(scale >= 0 && scale <= 1) {
		return setting.Phrase("prior_scale", "{prior_scale %v}: it must lie between 0 and 1", scale)
	}
	return nil
}

// LoadPrior returns the posterior of a model file as the prior of visible x
// hidden synapses, its means multiplied by scale. Errors are those of rbm.Load and
// of a posterior that is none or has another shape.
func LoadPrior(path string, scale float64, visible, hidden int) (*rbm.Posterior[float32], error) {
	file, err := rbm.Load(runs.Model(path))
	if err != nil {
		return nil, err
	}
	known, ok := file.Synapses.(rbm.Uncertain)
	if !ok {
		return nil, fmt.Errorf("%s: a machine with real synapses: a prior is a distribution over binary ones", path)
	}
	q := known.Posterior()
	if q.Visible != visible || q.Hidden != hidden {
		return nil, fmt.Errorf("%s: a posterior of %d x %d synapses, where the prior is of %d x %d", path, q.Visible, q.Hidden, visible, hidden)
	}
	return &rbm.Posterior[float32]{Visible: visible, Hidden: hidden, Theta: q.AsPrior(scale)}, nil
}

// loadPrior loads the prior of the recipe, if it names one, and sets its sum.
func (r *Run) loadPrior() error {
	if r.recipe.Prior == "" {
		return nil
	}
	prior, err := LoadPrior(r.recipe.Prior, r.recipe.PriorScale, r.visible(), r.recipe.features())
	if err != nil {
		return err
	}
	r.prior = prior.Theta
	return setSum(&r.recipe.PriorHash, "prior", r.recipe.Prior, hashOf(prior.Theta))
}

// loadInit loads the machine that learning starts from, if the recipe or the job has
// one, and sets its sum.
func (r *Run) loadInit() error {
	as := r.recipe
	same := as.deep() || !as.spins() || r.job.Data.Missing != nil
	if path := as.Init; path != "" {
		if !same {
			return r.loadInitFile(path)
		}
		file, err := rbm.LoadKinds(runs.Model(path))
		if err != nil {
			return err
		}
		return r.setSameInit(file, path)
	}
	file, name := r.job.Init, "the first machine"
	if file == nil {
		return nil
	}
	if same {
		return r.setSameInit(file, name)
	}
	if as.Init = name; as.Check() != nil {
		return as.Check()
	}
	return r.setInit(file, name)
}

// setSameInit makes a machine the one that learning starts from that is deep, of other units than spins, or to learn from data
// with missing values: it must be of the same kind in all.
func (r *Run) setSameInit(file *rbm.File, name string) error {
	as := r.recipe
	as.Init, as.Above, as.Units, as.HiddenUnits = name, Above{}, "", ""
	if err := as.Check(); err != nil {
		return err
	}
	visible, hidden := r.recipe.kinds()
	want := rbm.Folding{r.visible(), r.recipe.features()}
	if r.recipe.deep() {
		want = r.recipe.folding(r.visible())
	}
	if file.VisibleKind != visible || file.HiddenKind != hidden || !slices.Equal(file.Layers(), want) {
		return fmt.Errorf("%s: a machine of %s and %s units in layers of %v features, where learning is of %s and %s units in layers of %v", name, file.VisibleKind, file.HiddenKind, file.Layers(), visible, hidden, want)
	}
	thetas := rbm.Values(file.Synapses)
	switch known, uncertain := file.Synapses.(rbm.Uncertain); {
	case r.recipe.kind().LogOdds() && !uncertain, !r.recipe.kind().LogOdds() && uncertain:
		return fmt.Errorf("%s: its synapses are not %s, as those of learning are", name, r.recipe.Synapses)
	case uncertain:
		copy(thetas, known.Posterior().Theta)
	}
	params := file.Params.Clone()
	if !visible.Bits() {
		if !slices.Equal(file.Scale.Kept(), r.scale.Kept()) {
			return fmt.Errorf("%s: it learned from other columns that vary than these data have", name)
		}
		params.VisibleOwn = r.scale.InUnitsOfDeviations(params.VisibleOwn)
	}
	r.begin = sameMachine{r.begin, params, thetas}
	return setSum(&r.recipe.InitHash, "init", name, hashOf(thetas, params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset, params.VisibleOwn, params.Couplings()))
}

// sameMachine starts at a machine of the same kind as the one that would start.
type sameMachine struct {
	beginning
	params rbm.Params
	thetas []float32
}

func (m sameMachine) model(kind rbm.Kind, start variational.Initial, samples *spin.Matrix) (*rbm.Model[float32], error) {
	model, err := m.beginning.model(kind, start, samples)
	if err != nil {
		return nil, err
	}
	model.Params = m.params.Clone()
	copy(model.Posterior.Theta, m.thetas)
	return model, nil
}

func (r *Run) loadInitFile(path string) error {
	file, err := rbm.Load(runs.Model(path))
	if err != nil {
		return err
	}
	return r.setInit(file, path)
}

// setInit makes a machine, which errors call name, the one that learning starts from.
func (r *Run) setInit(file *rbm.File, name string) error {
	visible, hidden := r.job.Data.Visible(), r.recipe.Hidden
	if !file.Spins() || file.Layers().Depth() > 1 {
		return fmt.Errorf("%s: a machine of %s and %s units in layers of %v features, where learning is of spins with one hidden layer", name, file.VisibleKind, file.HiddenKind, file.Layers())
	}
	if n, p := file.Visible(), file.Hidden(); n != visible || p != hidden {
		return fmt.Errorf("%s: a machine of %d x %d units, where learning is of %d x %d (samples have %d units, the recipe has %d hidden ones)", name, n, p, visible, hidden, visible, hidden)
	}
	arrays, err := file.Arrays()
	if err != nil {
		return err
	}
	var data []any
	for _, a := range arrays {
		if a.Name != "meta.json" { // how it was made
			data = append(data, a.Data)
		}
	}
	r.begin = fromMachine{file, name}
	return setSum(&r.recipe.InitHash, "init", name, hashOf(data...))
}

// setSum sets the sum of a loaded file. If the recipe has a sum already, the two must agree.
func setSum(sum *string, name, path, found string) error {
	if *sum != "" && *sum != found {
		return setting.Phrase(name, "{"+name+"}: %s is another one now than the recipe was made with: its sum is %s, not %s; leave out {"+name+"_hash} if it is meant", path, found, *sum)
	}
	*sum = found
	return nil
}

// hashOf tells arrays of numbers apart.
func hashOf(arrays ...any) string {
	hash := fnv.New64a()
	for _, a := range arrays {
		_ = binary.Write(hash, binary.LittleEndian, a) // a hash takes all
	}
	return fmt.Sprintf("%016x", hash.Sum64())
}

// hashLabels tells labels from others.
func hashLabels(labels []int) string {
	wide := make([]uint64, len(labels))
	for k, l := range labels {
		wide[k] = uint64(l)
	}
	return hashOf(wide)
}
