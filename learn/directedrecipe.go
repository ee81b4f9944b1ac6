package learn

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"bethe/causes"
	need "bethe/internal/memory"
	"bethe/rbm"
	"bethe/setting"
	"bethe/stream"
)

// LayeredModel is the family of machines with hidden units, the default.
const LayeredModel = "rbm"

// Directed holds the settings of directed machines (package causes). Beside them count
// model, hidden (the number of causes), rule, epochs, restarts, synapses, beta and
// learn_coupling.
type Directed struct {
	Model       string  `json:"model,omitzero"`        // rbm, or nothing, mixture or tree
	Patch       string  `json:"patch,omitzero"`        // of a tree: side of its patches, 7, or width x height, 7x4
	States      int     `json:"states,omitzero"`       // of a tree: states of the group of a patch
	CounterBits int     `json:"counter_bits,omitzero"` // of rule stdp
	Homeostasis float64 `json:"homeostasis,omitzero"`  // of rule stdp: what a spike costs a cause in ln weight
}

// What settings of directed machines are if nothing is asked for.
const (
	DefaultPasses      = 40 // of rule em
	DefaultStates      = 30
	DefaultCounterBits = 8
	DefaultHomeostasis = 6.0 // chosen on training digits by bench/stdp, as causes.OnlineCoupling
	picturePatch       = 7   // of pictures
	linePatch          = 49
)

// directedSettings are the settings that directed machines have, by their JSON names.
var directedSettings = []string{"model", "hidden", "rule", "epochs", "restarts", "synapses", "beta", "learn_coupling", "patch", "states", "counter_bits", "homeostasis"}

// directed reports whether the model is a directed machine.
func (r *Recipe) directed() bool { return r.Model != "" && r.Model != LayeredModel }

// suitDirected sets the free settings to values that suit the model.
func (r *Recipe) suitDirected(free func(setting string) bool) {
	if free("rule") {
		r.Rule = causes.EM
	}
	if r.Rule == causes.STDP {
		r.LearnCoupling = false
		if free("counter_bits") {
			r.CounterBits = DefaultCounterBits
		}
		if free("homeostasis") {
			r.Homeostasis = DefaultHomeostasis
		}
	}
	if r.Model == causes.TreeModel && free("states") {
		r.States = DefaultStates
	}
	if r.Synapses == rbm.RealKind.String() {
		r.LearnCoupling = false
	}
}

// Foreign returns a *SettingError if the model does not have one of the settings that were
// asked for, by JSON names; names that are no settings of a recipe are passed over.
func (r *Recipe) Foreign(asked ...string) error {
	slices.Sort(asked)
	for _, flag := range asked {
		name := strings.TrimPrefix(flag, "no_")
		own := slices.Contains([]string{"patch", "states", "counter_bits", "homeostasis"}, name)
		switch {
		case name == settingProbe && !r.directed() && !r.spins():
			return setting.Phrase(name, "{probe} is of spins, visible and hidden: chains of other units have scouts alone")
		case name == settingThetaDecay && r.ThetaDecay > 0 && !r.directed() && !r.decays():
			return setting.Phrase(name, "{theta_decay} is of the log-odds of synapses that {rule adam} moves; real ones have {decay}")
		case name == settingRare && r.Rare > 0 && !r.directed() && !r.holdsRare():
			return setting.Phrase(name, "{rare} is of spins, visible and hidden, with synapses of one bit")
		case !r.directed() && own:
			return setting.Phrase(name, fmt.Sprintf("{%s} is of {model mixture} or {model tree}", name))
		case r.directed() && slices.Contains(recipeNames(), name) && !slices.Contains(directedSettings, name):
			return setting.Phrase(name, fmt.Sprintf("{%s} is not of {model %s}, which has {hidden}, {rule}, {epochs}, {restarts}, {synapses}, {beta}, {fixed_coupling}, {patch}, {states}, {counter_bits} and {homeostasis}", flag, r.Model))
		}
	}
	return nil
}

// Changed returns the recipe for another model, rule, synapses or units than those of the file that it was read from, with
// the names of the file's settings that stay. Words are settings by their JSON names. If one of those is
// another, settings that only the file's have, and those that belong to it (limits, the coupling, a rate that goes with a decay),
// are the usual ones again. So is a decay of thetas if learning goes on from a machine (init, prior), or ends by patience.
func (r *Recipe) Changed(words map[string]string, named []string) (Recipe, []string, error) {
	to, rule, changed := *r, words["rule"], false
	for name, of := range map[string]*string{"model": &to.Model, "rule": &to.Rule, "synapses": &to.Synapses, "units": &to.Units, "hidden_units": &to.HiddenUnits} {
		if word, ok := words[name]; ok {
			*of, changed = word, true
		}
	}
	goes := cmp.Or(words["init"], words["prior"], words["patience"]) != ""
	if !changed && !goes {
		return *r, named, nil
	}
	family := to.directed() != r.directed()
	if rule == "" && !family && to.Model != causes.TreeModel {
		rule = r.Rule
	}
	other := family || to.directed() && (rule == causes.STDP) != (r.Rule == causes.STDP)
	text, err := json.Marshal(r)
	if err != nil {
		return Recipe{}, nil, err
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(text, &settings); err != nil {
		return Recipe{}, nil, err
	}
	gone := func(name string) bool {
		switch name {
		case "patch", "states":
			return to.Model != causes.TreeModel
		case "counter_bits", "homeostasis":
			return !to.directed() || rule != causes.STDP
		case "rule", "epochs", "steps", "time", "beta", "learn_coupling":
			return other
		}
		if to.directed() {
			return !slices.Contains(directedSettings, name)
		}
		switch name {
		case settingSettle, settingUndecided:
			return !to.settles()
		case settingMomentum:
			return !HasMomentum(to.Rule)
		case settingThetaDecay:
			return goes || !to.decays()
		case settingRate:
			return (goes || !to.decays()) && r.ThetaDecay > 0 && slices.Contains(named, settingThetaDecay)
		case settingRare:
			return goes || !to.holdsRare()
		case settingProbe:
			return !to.spins()
		}
		return false
	}
	for name := range settings {
		if gone(name) {
			delete(settings, name)
		}
	}
	if settings["model"], err = json.Marshal(to.Model); err != nil {
		return Recipe{}, nil, err
	}
	if text, err = json.Marshal(settings); err != nil {
		return Recipe{}, nil, err
	}
	again, _, err := ParseRecipe(text)
	return again, slices.DeleteFunc(slices.Clone(named), gone), err
}

// Limits are the settings that end learning.
func (r *Recipe) Limits() []string {
	if r.directed() {
		return []string{"epochs"}
	}
	return []string{"steps", "epochs", "time"}
}

// recipeNames returns the JSON names of all settings.
func recipeNames() []string {
	names := []string{"time"}
	var of func(t reflect.Type)
	of = func(t reflect.Type) {
		for k := range t.NumField() {
			f := t.Field(k)
			if f.Anonymous {
				of(f.Type)
				continue
			}
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
				names = append(names, name)
			}
		}
	}
	of(reflect.TypeFor[Recipe]())
	return names
}

// checkDirected is Check of a directed machine.
func (r *Recipe) checkDirected() error {
	tree, online := r.Model == causes.TreeModel, r.Rule == causes.STDP
	switch {
	case !tree && r.Model != causes.MixtureModel:
		return setting.Phrase("model", "{model %q}: it is %s, %s or %s", r.Model, LayeredModel, causes.MixtureModel, causes.TreeModel)
	case r.Hidden < 1:
		return setting.Phrase("hidden", "{hidden %d}: it must be at least 1", r.Hidden)
	case r.deep():
		return setting.Phrase("hidden", "{hidden %s}: {model %s} has one number of causes", r.Layers, r.Model)
	case r.Epochs < 0:
		return setting.Phrase("epochs", "{epochs %d}: it must be positive", r.Epochs)
	case r.Steps != 0 || r.Time != 0:
		return setting.Phrase("epochs", "{model %s} learns by whole passes: its limit is {epochs}", r.Model)
	case r.Restarts < 1:
		return setting.Phrase("restarts", "{restarts %d}: it must be at least 1", r.Restarts)
	case r.Rule != causes.EM && !online:
		return setting.Phrase("rule", "{rule %q}: of {model %s} it is %s or %s", r.Rule, r.Model, causes.EM, causes.STDP)
	case tree && online:
		return setting.Phrase("rule", "{rule %s} is of {model %s}", causes.STDP, causes.MixtureModel)
	case !(r.Beta >= 0) || math.IsInf(r.Beta, 0):
		return setting.Phrase("beta", "{beta %v}: it must be positive and finite", r.Beta)
	case r.Synapses == rbm.RealKind.String() && (tree || online):
		return setting.Phrase("synapses", "{synapses real} is of {model %s} and {rule %s}", causes.MixtureModel, causes.EM)
	case r.Synapses != rbm.RealKind.String() && r.Synapses != rbm.BinaryKind.String():
		return setting.Phrase("synapses", "{synapses %q}: of {model %s} it is binary or real", r.Synapses, r.Model)
	case tree && r.States < 1:
		return setting.Phrase("states", "{states %d}: it must be at least 1", r.States)
	case !tree && (r.Patch != "" || r.States != 0):
		return setting.Phrase("patch", "{patch} and {states} are of {model %s}", causes.TreeModel)
	case !online && (r.CounterBits != 0 || r.Homeostasis != 0):
		return setting.Phrase("rule", "{counter_bits} and {homeostasis} are of {rule %s}", causes.STDP)
	case online && (r.CounterBits < 1 || r.CounterBits > 32):
		return setting.Phrase("counter_bits", "{counter_bits %d}: it must be from 1 to 32", r.CounterBits)
	case online && !(r.Homeostasis >= 0 && r.Homeostasis <= 100):
		return setting.Phrase("homeostasis", "{homeostasis %v}: it must be from 0 to 100", r.Homeostasis)
	}
	if r.Patch != "" {
		_, _, err := parsePatch(r.Patch)
		return err
	}
	return nil
}

// parsePatch reads 7 or 7x4.
func parsePatch(text string) (width, height int, err error) {
	w, h, two := strings.Cut(text, "x")
	if !two {
		h = w
	}
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	if err1 != nil || err2 != nil || width < 1 || height < 1 || width > 1<<20 || height > 1<<20 {
		return 0, 0, setting.Phrase("patch", "{patch %q}: it is the side of a patch, such as 7, or its width and height, such as 7x4", text)
	}
	return width, height, nil
}

// completeDirected sets what depends on the data.
func (r *Recipe) completeDirected(d *Data) error {
	if r.Beta == 0 && r.Synapses == rbm.BinaryKind.String() {
		j := causes.DefaultCoupling
		if r.Rule == causes.STDP {
			j = causes.OnlineCoupling
		}
		r.Beta = j * math.Sqrt(float64(d.Visible()))
	}
	r.Batch = d.Len() // samples per step
	if r.Epochs == 0 {
		r.Epochs = DefaultPasses
		if r.Rule == causes.STDP {
			r.Epochs = 1
		}
	}
	if r.Rule == causes.STDP {
		r.Batch = min(causes.OnlineStep, d.Len())
	}
	if r.Model == causes.TreeModel && r.Patch == "" {
		r.Patch = strconv.Itoa(linePatch) + "x1"
		if d.Width > 0 {
			r.Patch = strconv.Itoa(picturePatch)
		}
	}
	return nil
}

// patches returns the visible units of each group of a tree.
func (r *Recipe) patches(d *Data) [][]int {
	if r.Model != causes.TreeModel {
		return nil
	}
	width, height, err := parsePatch(r.Patch)
	if err != nil {
		panic(err) // Check has looked at it
	}
	w, h := d.Width, d.Height
	if w == 0 { // no picture: a line
		w, h, width, height = d.Visible(), 1, width*height, 1
	}
	return causes.Tiles(w, h, width, height)
}

// options returns those of learning.
func (r *Recipe) options(d *Data, key stream.Key) causes.Options {
	return causes.Options{Model: r.Model, Rule: r.Rule, Causes: r.Hidden, Patches: r.patches(d), States: r.States, Passes: r.Epochs, Real: r.Synapses == rbm.RealKind.String(),
		Coupling: r.Beta / math.Sqrt(float64(d.Visible())), FixedCoupling: !r.LearnCoupling, CounterBits: r.CounterBits, Homeostasis: r.Homeostasis, Key: key, Missing: d.Missing}
}

// columns returns the number of synapses of a visible unit: hidden units, causes, or states
// of its group.
func (r *Recipe) columns() int {
	if r.Model == causes.TreeModel {
		return r.States
	}
	return r.Hidden
}

// directedBound returns the kind of value that learning climbs.
func (r *Recipe) directedBound() BoundKind {
	if r.Synapses == rbm.RealKind.String() {
		return ExactLikelihood
	}
	return TrueBound
}

// checkDirectedMemory returns a *SettingError if learning takes more memory than there is.
func (r *Run) checkDirectedMemory() error {
	f, d := &r.recipe, &r.job.Data
	synapses := float64(d.Visible()) * float64(f.columns())
	upper := 0.0
	if f.Model == causes.TreeModel {
		upper = float64(len(f.patches(d))) * float64(f.States) * float64(f.Hidden)
	}
	const perSynapse, perUpper = 60, 60 // bytes, about: thetas, priors, counts, fields, file
	bytes := perSynapse*synapses + perUpper*upper + float64(d.Visible())*float64(d.Len())/2
	if err := need.Check("the synapses of so many causes", "hidden", f.Hidden, bytes); err != nil {
		return setting.Errorf("hidden", strconv.Itoa(f.Hidden), "%v", err)
	}
	return nil
}

// filtered returns the settings that directed machines have.
func filtered(settings map[string]any) map[string]any {
	settings = maps.Clone(settings)
	maps.DeleteFunc(settings, func(name string, _ any) bool { return !slices.Contains(directedSettings, name) })
	return settings
}

// FolderOf names the run folder as FolderOf does, with the model in the name unless it is
// the usual one.
func (r *Recipe) FolderOf(data string, seed uint64, resume bool) string {
	kind := "h"
	switch {
	case r.directed():
		kind = r.Model
	case r.Stack:
		kind = rbm.StackModel
	}
	return folderOf(data, kind+r.HiddenWords(), seed, resume)
}
