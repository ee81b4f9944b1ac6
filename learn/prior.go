package learn

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
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
	file, err := rbm.Load(path)
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
	if path := r.recipe.Init; path != "" {
		return r.loadInitFile(path)
	}
	file, name := r.job.Init, "the first machine"
	if file == nil {
		return nil
	}
	as := r.recipe
	if as.Init = name; as.Check() != nil {
		return as.Check()
	}
	return r.setInit(file, name)
}

func (r *Run) loadInitFile(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fmt.Errorf("%s: a folder: name the model file in it, such as %s", path, runs.ModelFile)
	}
	file, err := rbm.Load(path)
	if err != nil {
		return err
	}
	return r.setInit(file, path)
}

// setInit makes a machine, which errors call name, the one that learning starts from.
func (r *Run) setInit(file *rbm.File, name string) error {
	visible, hidden := r.job.Data.Visible(), r.recipe.Hidden
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

// setSum sets the sum of what was loaded. If the recipe has one it must be that.
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
