package learn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
	"bethe/units"
	"bethe/variational"
)

// A Recipe holds all settings of learning: what decides, with the data and the
// seed, which machine is learned. Its JSON form is what a run folder keeps under
// settings in run.json; the names there are those of the fields' tags.
//
// Start from Default, change what you want, and call Suit if you changed the
// kind of synapses, the rule or the partition term.
type Recipe struct {
	Hidden   int    `json:"hidden"`   // hidden units, of a deep machine those of its first hidden layer
	Synapses string `json:"synapses"` // binary, real, sampled or sign
	// Kinds of units (units.ParseKind); nothing for spins. Hidden counts groups, not their features.
	Units       string `json:"units,omitzero"`
	HiddenUnits string `json:"hidden_units,omitzero"`
	// How missing values are filled: nothing for mean field, or zero, with its variance.
	Fill string `json:"fill,omitzero"`

	// Learning ends at the first of these limits; 0 is no limit. If all are 0 it
	// ends after DefaultEpochs, or as many as DefaultSteps take.
	Epochs int           `json:"epochs"` // passes through the data
	Steps  int           `json:"steps"`
	Time   time.Duration `json:"-"` // of learning; in JSON "time", a text such as "10m0s"

	// Patience, if positive, has learning search at a constant rate for the best likelihood of validation data, until so many readings of
	// the meter in a row are not the best. Then it goes back to the best, and ends from there by settling: Settle is the share of
	// the steps that count.
	Patience int `json:"patience,omitzero"`

	Batch         int     `json:"batch"`          // samples per step
	Restarts      int     `json:"restarts"`       // random starts; the one with the best bound is kept
	Rule          string  `json:"rule"`           // update of the synapses: adam, bayes, bayes-momentum, clipped, hyperadam, lion or schedule-free
	Momentum      float64 `json:"momentum"`       // beta_1 of rules but bayes: the share that the average of the synapses' gradient keeps a step
	FieldMomentum float64 `json:"field_momentum"` // beta_1 of Adam for fields, coupling and units' own parameters
	ThetaDecay    float64 `json:"theta_decay"`    // of log-odds, by rule adam: a step first takes off a share of them, this times the rate; Suited: what suits the other settings
	Rare          float64 `json:"rare"`           // synapses of visible spins that have one of two values in at most this share of the samples keep random signs; Suited: what suits
	Rate          float64 `json:"rate"`           // of the synapses, at its highest; 0: what suits the other settings and the number of samples
	Beta          float64 `json:"beta"`           // coupling J = beta/sqrt(visible units), at the start if it is learned; 0: what suits the sizes

	PriorStrength float64 `json:"prior_strength"` // weight of the prior in the gradient; 1 climbs the bound
	// How the gradient is held to Prior: nothing for the divergence from it, or elastic (variational.Elastic).
	PriorForm string `json:"prior_form,omitzero"`
	// The fields of Init are believed as if this share of the samples had been seen before.
	FieldPrior  float64 `json:"field_prior,omitzero"`
	Decay       float64 `json:"decay"`                 // of real synapses, as a share of themselves in their gradient
	LabelWeight float64 `json:"label_weight,omitzero"` // weight of ln p(label) against a nat of likelihood

	Prior      string  `json:"prior,omitzero"`       // model file; its posterior is the prior of the synapses
	PriorScale float64 `json:"prior_scale,omitzero"` // what its means are multiplied by, from 0 to 1
	Init       string  `json:"init,omitzero"`        // model file that learning starts from

	RuleWeights string `json:"rule_weights,omitzero"` // rule file of hyperadam; none: the weights of this build

	Fields        bool   `json:"fields"`         // learn fields, else they stay 0
	Centre        bool   `json:"centre"`         // learn with offsets
	LearnCoupling bool   `json:"learn_coupling"` // else the coupling stays
	Undecided     string `json:"undecided"`      // synapses of the shipped machine that the data leave open: draw or sign

	Above
	Schedule
	Expectation
	Sampling
	Directed

	// Sums of the files that a run was given; Start sets them. If a recipe has the sum of a
	// prior, a first machine or a rule already, the file must have it.
	LabelsHash string `json:"labels_hash,omitzero"`
	PriorHash  string `json:"prior_hash,omitzero"`
	InitHash   string `json:"init_hash,omitzero"`
	RuleHash   string `json:"rule_hash,omitzero"`
}

// A Schedule says how learning changes as it goes on. Shares are of learning,
// by the limit that ends it.
type Schedule struct {
	Fall         string  `json:"fall"`          // of the rate: linear, cosine or geometric
	FinalRate    float64 `json:"final_rate"`    // share of the rate that is left at the end
	Warmup       float64 `json:"warmup"`        // share at the start over which the rate rises from 0
	Average      float64 `json:"average"`       // share at the end over which parameters are averaged
	Settle       float64 `json:"settle"`        // share at the end in which the machine of the signs learns on
	MaxTheta     float64 `json:"max_theta"`     // bound on theta; the mean is tanh theta
	CouplingRate float64 `json:"coupling_rate"` // of ln J, as a share of the synapses' rate
	FinalSweeps  int     `json:"final_sweeps"`  // of chains a step at the end; 0: as at the start
}

// zeroFill and meanFieldFill are what Fill may be.
const (
	zeroFill      = "zero"
	meanFieldFill = "mean-field"
)

// ElasticPrior is what PriorForm may be, besides nothing.
const ElasticPrior = "elastic"

// Names of settings that Suit takes and errors name.
const (
	settingRate          = "rate"
	settingMomentum      = "momentum"
	settingFieldMomentum = "field_momentum"
	settingProbe         = "probe"
	settingSettle        = "settle"
	settingUndecided     = "undecided"
	settingThetaDecay    = "theta_decay"
	settingRare          = "rare"
)

// What settings are if nothing is asked for.
const (
	DefaultEpochs = 25   // if there is no other limit
	DefaultSteps  = 3000 // that they must come to, or there are more epochs: those of 60,000 samples in batches of 500
	DefaultSettle = 0.3  // of binary synapses learned from data
	MostBeta      = 2.8  // of couplings that follow from the sizes
	BinaryRate    = 0.02 // and of thetas that decay, the least
	RealRate      = 0.05
	DecayRate     = 0.1 // of thetas that decay, with DecaySamples; with fewer it falls by the root
	DecaySamples  = 5000
	ThetaDecay    = 0.4 // with up to DecayHidden hidden units; with more it falls as their number
	DecayHidden   = 200
	Rare          = 0.0005 // where thetas decay by default
	Suited        = -1     // of the decay of thetas and of rare units: what suits the other settings
	RealBeta      = 1      // of real synapses: the unit they are counted in
)

// of020 has what version 0.2.0 did where it had no setting. Files leave out settings at these values.
var of020 = map[string]json.Number{settingMomentum: "0.9", settingFieldMomentum: "0.9", settingProbe: "0", settingThetaDecay: "0", settingRare: "0"}

// DefaultMomentum is the momentum where nothing else was found to be better. Version 0.2.0 had no other.
const DefaultMomentum = variational.DefaultMomentum

// DefaultProbe is how many sweeps lie between probes, where chains have them.
const DefaultProbe = 25

// Default returns the recipe that reaches the README's figures: 100 hidden units
// with binary synapses, learned centred by Adam, ending by settling.
func Default() Recipe {
	r := Recipe{
		Hidden: 100, Synapses: rbm.BinaryKind.String(), Batch: 500, Restarts: 1, Rule: "adam", PriorStrength: 1, PriorScale: 1,
		Fields: true, Centre: true, LearnCoupling: true,
		Schedule:    Schedule{Fall: "linear", FinalRate: 0.02, Average: 0.15, MaxTheta: 4, CouplingRate: 0.1},
		Expectation: Expectation{Estep: "auto", Partition: annealed, Chains: 500, Sweeps: 1, Draws: 64, Scouts: 32},
	}
	r.Suit()
	return r
}

// Suit sets rate, momentum, the decay of thetas, settle and undecided to what suits the other settings, or has Start do so, but for
// those that are named as asked for, by their JSON names. Two follow whatever is
// asked for: the coupling of real synapses is only their unit and is not learned,
// and a machine of signs is shipped with its signs.
func (r *Recipe) Suit(asked ...string) {
	free := func(setting string) bool { return !slices.Contains(asked, setting) }
	if r.directed() {
		r.suitDirected(free)
		return
	}
	r.Above.suit()
	if !r.kind().LogOdds() {
		r.LearnCoupling = false
	}
	visible, _ := r.kinds()
	for _, word := range []*string{&r.Units, &r.HiddenUnits} {
		if *word == units.Spin {
			*word = ""
		}
	}
	if !visible.Bits() {
		r.Centre = false // their means are their offsets
	}
	if free(settingRate) {
		r.Rate = 0
	}
	if free(settingSettle) {
		r.Settle = 0
		if r.settles() && !r.paper() && free(settingUndecided) {
			r.Settle = DefaultSettle
		}
	}
	r.suitSpins(free)
	switch {
	case r.kind() == rbm.SignKind || r.Settle > 0:
		r.Undecided = undecidedSign
	case free(settingUndecided):
		r.Undecided = undecidedDraw
	}
}

// suitSpins sets what was found to be best for spins, visible and hidden.
func (r *Recipe) suitSpins(free func(setting string) bool) {
	momentum, fields, probe := DefaultMomentum, DefaultMomentum, 0
	if r.spins() {
		probe = DefaultProbe
	}
	if r.spins() && !r.paper() {
		fields = 0
		if r.Rule == "adam" {
			momentum = 0
		}
	}
	if free(settingMomentum) {
		r.Momentum = momentum
	}
	if free(settingFieldMomentum) {
		r.FieldMomentum = fields
	}
	if free(settingProbe) {
		r.Probe = probe
	}
	if free(settingThetaDecay) {
		r.ThetaDecay = Suited
	}
	if free(settingRare) {
		r.Rare = Suited
	}
}

// paper reports whether the machine is the paper's: without offsets or without fields.
func (r *Recipe) paper() bool {
	visible, hidden := r.kinds()
	return !r.Centre && visible.Bits() && hidden.Bits() || !r.Fields
}

// settles reports whether the signs of a posterior can learn on.
func (r *Recipe) settles() bool {
	return !r.kind().Known() && movesKnown(r.Rule) && r.Partition != quenched
}

// suitedBeta returns the coupling, times sqrt(visible), that suits the machine.
// The more hidden units there are, the smaller is the coupling that learning ends
// at. It should not start far from there: a coupling that falls far early freezes
// the synapses.
func (r *Recipe) suitedBeta(visible int) float64 {
	if !r.kind().LogOdds() {
		return RealBeta
	}
	if of, hidden := r.kinds(); !r.spins() {
		n := float64(visible / of.Features())
		if hidden.OneHot() {
			return 0.5 * math.Sqrt(n/float64(r.Hidden)) // J = 0.5/sqrt(groups): one alone is a mixture
		}
		// E_q Z explodes where J² times the units of a layer comes near 1.
		return 0.5 * math.Sqrt(n/math.Max(n, float64(r.Hidden)))
	}
	return min(MostBeta, math.Sqrt(float64(visible)/float64(r.Hidden)))
}

// complete sets what depends on the data: on visible units and samples, and on whether learning goes on from a machine
// that the recipe does not name.
func (r *Recipe) complete(visible, samples int, goes bool) error {
	suited := r.suitedBeta(visible)
	if r.Init != "" && r.Beta != 0 && r.Beta != suited && r.kind().LogOdds() {
		return errInitBeta
	}
	if r.Beta == 0 {
		r.Beta = suited
	}
	r.completeDecay(samples, goes)
	switch limited := r.Epochs > 0 || r.Steps > 0 || r.Time > 0; {
	case limited:
	case r.Patience > 0:
		r.Steps = DefaultPatientSteps
	default:
		r.Epochs = r.defaultEpochs(samples)
	}
	return nil
}

// defaultEpochs returns the epochs of a run that is told no limit: DefaultEpochs, or as many as DefaultSteps take.
func (r *Recipe) defaultEpochs(samples int) int {
	perEpoch := max(1, samples/max(1, min(r.Batch, samples)))
	return max(DefaultEpochs, (DefaultSteps+perEpoch-1)/perEpoch)
}

var errInitBeta = setting.Phrase("beta", "{init} with {beta}: the coupling is that of the machine")

// Check returns a *SettingError if a setting is out of its range or does not go
// with another one.
func (r *Recipe) Check() error {
	if r.directed() {
		return r.checkDirected()
	}
	kind := r.kind()
	_, unknown := rbm.KindOf(r.Synapses)
	switch {
	case r.Hidden < 1:
		return setting.Phrase("hidden", "{hidden %d}: it must be at least 1", r.Hidden)
	case !(r.Beta >= 0) || math.IsInf(r.Beta, 0):
		return setting.Phrase("beta", "{beta %v}: it must be positive and finite", r.Beta)
	case r.Epochs < 0 || r.Steps < 0 || r.Time < 0:
		return setting.Phrase("steps", "{epochs}, {steps} and {time} must not be negative")
	case r.Patience < 0:
		return setting.Phrase("patience", "{patience %d}: it must not be negative", r.Patience)
	case r.Patience > 0 && r.Settle == 1:
		return setting.Phrase("patience", "{patience %d} with {settle 1}: nothing is left to search", r.Patience)
	case r.Batch < 1:
		return setting.Phrase("batch", "{batch %d}: it must be at least 1", r.Batch)
	case !(r.Rate >= 0) || math.IsInf(r.Rate, 0):
		return setting.Phrase(settingRate, "{rate %v}: it must be positive and finite", r.Rate)
	case r.Fill != "" && r.Fill != zeroFill && r.Fill != meanFieldFill:
		return setting.Errorf("fill", r.Fill, "missing values are filled by %s or %s", meanFieldFill, zeroFill)
	case r.Restarts < 1:
		return setting.Phrase("restarts", "{restarts %d}: it must be at least 1", r.Restarts)
	case unknown != nil:
		return setting.Phrase("synapses", "{synapses %q}: it is binary, real, sampled or sign", r.Synapses)
	case kind.Known() && r.Partition == quenched:
		return setting.Phrase("partition", "{synapses %s} {partition quenched}: the quenched form is that of a posterior over binary synapses", r.Synapses)
	case r.Settle > 0 && !r.settles():
		return setting.Phrase(settingSettle, "{settle} is of {synapses binary} and {partition annealed}, and not of {rule bayes}, {rule bayes-momentum} and {rule clipped}")
	case kind.Known() && !movesKnown(r.Rule):
		return setting.Phrase("rule", "{synapses %s} {rule %s}: that rule moves a posterior over binary synapses", r.Synapses, r.Rule)
	case r.Rule == hyperAdam && !kind.LogOdds():
		return setting.Phrase("rule", "{synapses %s} {rule hyperadam}: it moves log-odds, which real synapses have not", r.Synapses)
	case r.Rule != hyperAdam && r.RuleWeights != "":
		return setting.Phrase("rule_weights", "{rule_weights} are of {rule hyperadam}, not {rule %s}", r.Rule)
	case !(r.Momentum >= 0 && r.Momentum < 1):
		return setting.Phrase(settingMomentum, "{momentum %v}: it must not be negative, and below 1", r.Momentum)
	case !(r.FieldMomentum >= 0 && r.FieldMomentum < 1):
		return setting.Phrase(settingFieldMomentum, "{field_momentum %v}: it must not be negative, and below 1", r.FieldMomentum)
	case !HasMomentum(r.Rule) && r.Momentum != DefaultMomentum:
		return setting.Phrase(settingMomentum, "{momentum}: {rule %s} has none; {rule bayes-momentum} has", r.Rule)
	case !(r.Decay >= 0) || math.IsInf(r.Decay, 0):
		return setting.Phrase("decay", "{decay %v}: it must not be negative, and finite", r.Decay)
	case r.ThetaDecay != Suited && !(r.ThetaDecay >= 0) || math.IsInf(r.ThetaDecay, 0):
		return setting.Phrase(settingThetaDecay, "{theta_decay %v}: it must not be negative, and finite", r.ThetaDecay)
	case r.Rare != Suited && !(r.Rare >= 0 && r.Rare < 1):
		return setting.Phrase(settingRare, "{rare %v}: it must not be negative, and below 1", r.Rare)
	case !(r.PriorStrength >= 0) || math.IsInf(r.PriorStrength, 0):
		return setting.Phrase("prior_strength", "{prior_strength %v}: it must not be negative, and finite", r.PriorStrength)
	case r.PriorForm != "" && r.PriorForm != ElasticPrior:
		return setting.Errorf("prior_form", r.PriorForm, "a prior holds by its divergence (the default), or %s", ElasticPrior)
	case r.PriorForm != "" && r.Prior == "":
		return setting.Phrase("prior_form", "{prior_form %s} is of {prior}", r.PriorForm)
	case !(r.FieldPrior >= 0) || math.IsInf(r.FieldPrior, 0):
		return setting.Phrase("field_prior", "{field_prior %v}: it must not be negative, and finite", r.FieldPrior)
	case r.FieldPrior > 0 && r.Init == "":
		return setting.Phrase("field_prior", "{field_prior} holds fields to those of {init}")
	case !(r.LabelWeight >= 0) || math.IsInf(r.LabelWeight, 0):
		return setting.Phrase("label_weight", "{label_weight %v}: it must not be negative, and finite", r.LabelWeight)
	case r.Prior != "" && kind.Known():
		return setting.Phrase("prior", "{prior} is of {synapses binary}, not %s", r.Synapses)
	case r.Init != "" && r.Restarts > 1:
		return setting.Phrase("init", "{init} with {restarts %d}: there is one start", r.Restarts)
	case r.Init != "" && !r.Fields:
		return setting.Phrase("init", "{init} with {fields false}: the fields are part of the machine")
	case r.Decay > 0 && kind.LogOdds():
		return setting.Phrase("decay", "{decay} is of {synapses real}; others have a prior")
	case r.Partition == quenched && r.Estep == "chains":
		return setting.Phrase("estep", "{partition quenched} {estep chains}: chains give no ln Z in the random fields; use exact, bethe or tap")
	case !slices.Contains([]string{undecidedDraw, undecidedSign}, r.Undecided):
		return setting.Phrase(settingUndecided, "{undecided %q}: it is draw or sign", r.Undecided)
	case r.Partition == quenched && r.Centre:
		return setting.Phrase("centre", "{partition quenched} has no form with offsets: add {centre false}")
	}
	if _, err := r.rule(); err != nil {
		return err
	}
	if err := CheckPriorScale(r.PriorScale); err != nil {
		return err
	}
	if err := r.Schedule.check(); err != nil {
		return err
	}
	if err := r.checkAbove(); err != nil {
		return err
	}
	if err := r.checkKinds(); err != nil {
		return err
	}
	if err := r.checkSampler(); err != nil {
		return err
	}
	return r.Expectation.Check()
}

func (s *Schedule) check() error {
	switch {
	case !slices.Contains([]string{"linear", "cosine", "geometric"}, s.Fall):
		return setting.Phrase("fall", "{fall %q}: it is linear, cosine or geometric", s.Fall)
	case !(s.FinalRate > 0 && s.FinalRate <= 1):
		return setting.Phrase("final_rate", "{final_rate %v}: it must be positive and at most 1", s.FinalRate)
	case !(s.Warmup >= 0 && s.Warmup < 1):
		return setting.Phrase("warmup", "{warmup %v}: it must not be negative, and below 1", s.Warmup)
	case !(s.Average >= 0 && s.Average <= 1):
		return setting.Phrase("average", "{average %v}: it must lie between 0 and 1", s.Average)
	case !(s.CouplingRate >= 0 && s.CouplingRate <= 1):
		return setting.Phrase("coupling_rate", "{coupling_rate %v}: it must lie between 0 and 1", s.CouplingRate)
	case !(s.Settle >= 0 && s.Settle <= 1):
		return setting.Phrase(settingSettle, "{settle %v}: it must lie between 0 and 1", s.Settle)
	case !(s.MaxTheta > 0):
		return setting.Phrase("max_theta", "{max_theta %v}: it must be positive", s.MaxTheta)
	case math.IsInf(s.MaxTheta, 0):
		return setting.Phrase("max_theta", "{max_theta %v}: it must be finite", s.MaxTheta)
	case s.FinalSweeps < 0:
		return setting.Phrase("final_sweeps", "{final_sweeps %d}: it must be positive, or 0 for those of {sweeps}", s.FinalSweeps)
	}
	return nil
}

// recipeJSON is the JSON form.
type recipeJSON struct {
	plainRecipe
	Time     string `json:"time"`
	Extended []int  `json:"extended,omitzero"` // in the run.json of a run that was over and went on: it is no setting of another one
}

type plainRecipe Recipe

// MarshalJSON implements json.Marshaler.
func (r Recipe) MarshalJSON() ([]byte, error) {
	form := recipeJSON{plainRecipe: plainRecipe(r), Time: r.Time.String()}
	if r.Prior == "" {
		form.PriorScale = 0 // it scales nothing
		return json.Marshal(form)
	}
	return json.Marshal(struct {
		recipeJSON
		PriorScale float64 `json:"prior_scale"` // 0 forgets, and is not the default
	}{form, r.PriorScale})
}

// UnmarshalJSON implements json.Unmarshaler: it is ParseRecipe.
func (r *Recipe) UnmarshalJSON(text []byte) error {
	read, _, err := ParseRecipe(text)
	if err != nil {
		return err
	}
	*r = read
	return nil
}

// ParseRecipe reads a recipe in JSON: an object of settings, or a whole run.json,
// in which they stand under settings. It also returns the names of the settings
// that the text has; others have the values that suit those. A setting that is not
// known and a value that is not of its kind are errors; ranges are for Check.
func ParseRecipe(text []byte) (recipe Recipe, named []string, err error) {
	var run struct {
		Settings json.RawMessage `json:"settings"`
	}
	if err := json.Unmarshal(text, &run); err != nil {
		return Recipe{}, nil, fmt.Errorf("not the JSON of a recipe: %w", err)
	}
	if run.Settings != nil {
		text = run.Settings
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal(text, &settings); err != nil {
		return Recipe{}, nil, fmt.Errorf("not the JSON of a recipe: %w", err)
	}
	for name := range settings {
		if names := append(recipeNames(), "extended"); !slices.Contains(names, name) {
			slices.Sort(names)
			return Recipe{}, nil, fmt.Errorf("a recipe has no setting %q; its settings are %s", name, strings.Join(names, ", "))
		}
	}
	recipe = Default()
	form := recipeJSON{plainRecipe: plainRecipe(recipe), Time: recipe.Time.String()}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&form); err != nil {
		if kind := (*json.UnmarshalTypeError)(nil); errors.As(err, &kind) {
			name := kind.Field[strings.LastIndex(kind.Field, ".")+1:]
			return Recipe{}, nil, fmt.Errorf("not the JSON of a recipe: %s is a %s, and must be of type %v", name, kind.Value, kind.Type)
		}
		return Recipe{}, nil, fmt.Errorf("not the JSON of a recipe: %w", err)
	}
	limit, err := time.ParseDuration(form.Time)
	if err != nil {
		return Recipe{}, nil, setting.Phrase("time", `{time %q}: it is a text such as "10m" or "90s"`, form.Time)
	}
	recipe = Recipe(form.plainRecipe)
	recipe.Time = limit
	if run.Settings != nil && !recipe.directed() { // what files leave out
		for name, value := range of020 {
			if settings[name] == nil {
				settings[name] = nil
				if err := json.Unmarshal(fmt.Appendf(nil, `{%q: %s}`, name, value), (*plainRecipe)(&recipe)); err != nil {
					panic(err) // of020 is at fault
				}
			}
		}
	}
	named = slices.Sorted(maps.Keys(settings))
	recipe.Suit(named...)
	return recipe, named, nil
}

// maxRecipeBytes limits a recipe file.
const maxRecipeBytes = 1 << 20

// ReadRecipe is ParseRecipe of a file, which errors name, or of the run.json of a run folder.
func ReadRecipe(path string) (recipe Recipe, named []string, err error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, runs.InfoFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return Recipe{}, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxRecipeBytes+1))
	if err != nil {
		return Recipe{}, nil, err
	}
	if len(text) > maxRecipeBytes {
		return Recipe{}, nil, fmt.Errorf("%s: larger than %d bytes: not a recipe", path, maxRecipeBytes)
	}
	if recipe, named, err = ParseRecipe(text); err != nil {
		return Recipe{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	return recipe, named, nil
}

// settings returns the recipe as model files, run folders and labels of
// checkpoints hold it.
//
// A setting enters them only if it differs from what version 0.2.0 did: its field
// is omitted in JSON at the value that 0.2.0 knew, or here. So models of old recipes keep
// their bytes, and old checkpoints can be resumed.
func (r *Recipe) settings() map[string]any {
	text, err := json.Marshal(r)
	if err != nil {
		panic(err) // numbers that are checked, words and truths have a JSON form
	}
	var settings map[string]any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // which keeps the digits
	if err := d.Decode(&settings); err != nil {
		panic(err)
	}
	for name, value := range of020 {
		if settings[name] == value {
			delete(settings, name)
		}
	}
	if r.directed() {
		return filtered(settings)
	}
	return settings
}
