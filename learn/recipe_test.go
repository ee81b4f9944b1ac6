package learn

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"bethe/dataset"
	"bethe/dual"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// recipeOf reads a recipe that must be right.
func recipeOf(t *testing.T, text string) Recipe {
	t.Helper()
	r, _, err := ParseRecipe([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	return r
}

// Settings that are not given suit the machine: the first coupling, and whether the
// signs settle. Those of the paper's machine do not.
func TestSuit(t *testing.T) {
	for _, c := range []struct {
		recipe                  string
		coupling, beta          float64 // one of them, for 784 visible units
		settle, rate            float64
		learnCoupling, withSign bool
	}{
		{`{"hidden": 500}`, 1 / math.Sqrt(500), 0, DefaultSettle, DecayRate, true, true},
		{`{"hidden": 2000, "beta": 0.7}`, 0, 0.7, DefaultSettle, DecayRate, true, true},
		{`{"hidden": 10}`, 0, MostBeta, DefaultSettle, DecayRate, true, true},
		{`{"hidden": 10, "theta_decay": 0}`, 0, MostBeta, DefaultSettle, BinaryRate, true, true},
		{`{"hidden": 10, "settle": 0}`, 0, MostBeta, 0, BinaryRate, true, false},
		{`{"hidden": 10, "undecided": "draw"}`, 0, MostBeta, 0, BinaryRate, true, false},
		{`{"fields": false, "centre": false, "learn_coupling": false, "beta": 1}`, 0, 1, 0, BinaryRate, false, false},
		{`{"rule": "bayes"}`, 0, MostBeta, 0, BinaryRate, true, false},
		{`{"synapses": "real"}`, 0, RealBeta, 0, RealRate, false, false},
		{`{"synapses": "real", "rate": 0.3}`, 0, RealBeta, 0, 0.3, false, false},
		{`{"synapses": "sign", "hidden": 400}`, 0.05, 0, 0, BinaryRate, true, true},
	} {
		r := recipeOf(t, c.recipe)
		if err := r.complete(784, 60000, false); err != nil {
			t.Fatal(err)
		}
		want := c.beta
		if c.coupling > 0 {
			want = c.coupling * 28
		}
		if math.Abs(r.Beta-want) > 1e-12 || r.Settle != c.settle || r.Rate != c.rate || r.LearnCoupling != c.learnCoupling || (r.Undecided == "sign") != c.withSign || r.Epochs != DefaultEpochs {
			t.Errorf("%s: %+v", c.recipe, r)
		}
	}
	// The same in Go.
	r := Default()
	r.Synapses = "real"
	r.Suit()
	if want := recipeOf(t, `{"synapses": "real"}`); r != want {
		t.Errorf("%+v, not %+v", r, want)
	}
	r.Rate = 0.7
	r.Suit("rate")
	if r.Rate != 0.7 {
		t.Errorf("a rate that was asked for became %v", r.Rate)
	}
}

// settingsOf020 are the settings that version 0.2.0 wrote to models, run folders
// and labels of checkpoints by default. Any other may be there only if it is not at
// what 0.2.0 did: else models change their bytes and checkpoints are refused.
var settingsOf020 = []string{"average", "batch", "beta", "centre", "chains", "coupling_rate", "decay", "draws", "epochs", "estep", "fall", "fields", "final_rate", "final_sweeps",
	"hidden", "learn_coupling", "max_theta", "partition", "prior_strength", "rate", "restarts", "rule", "scouts", "settle", "steps", "sweeps", "synapses", "time", "undecided", "warmup"}

func TestSettingsOf020(t *testing.T) {
	r := Default()
	r.Momentum, r.FieldMomentum, r.Probe = DefaultMomentum, DefaultMomentum, 0
	if err := r.complete(784, 60000, false); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range r.settings() {
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, settingsOf020) {
		t.Errorf("settings %v, not %v", names, settingsOf020)
	}
	text, err := json.Marshal(r.settings())
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"average":0.15,"batch":500,"beta":2.8,"centre":true,"chains":500,"coupling_rate":0.1,"decay":0,"draws":64,"epochs":25,"estep":"auto","fall":"linear","fields":true,` +
		`"final_rate":0.02,"final_sweeps":0,"hidden":100,"learn_coupling":true,"max_theta":4,"partition":"annealed","prior_strength":1,"rate":0.02,"restarts":1,"rule":"adam","scouts":32,` +
		`"settle":0.3,"steps":0,"sweeps":1,"synapses":"binary","time":"0s","undecided":"sign","warmup":0}`
	if string(text) != want {
		t.Errorf("settings\n%s\nnot\n%s", text, want)
	}
}

// TestRecipeJSON: every recipe comes back from its JSON, also from a run.json; what
// is no recipe is refused.
func TestRecipeJSON(t *testing.T) {
	other := Default()
	other.Time, other.Prior, other.PriorScale, other.Init, other.LabelWeight, other.Beta = 90*time.Second, "a.npz", 0.25, "b.npz", 3, 1.25
	other.PriorHash, other.InitHash, other.LabelsHash = "1", "2", "3"
	other.Rule, other.RuleWeights, other.RuleHash = hyperAdam, "c.npz", "4"
	real := Default()
	real.Synapses = "real"
	real.Suit()
	without, with := Default(), Default()
	without.Momentum, without.FieldMomentum, without.Probe = 0, 0, DefaultProbe // whichever are the defaults
	with.Momentum, with.FieldMomentum, with.Probe = DefaultMomentum, DefaultMomentum, 0
	for _, r := range []Recipe{Default(), other, real, without, with} {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{string(text), `{"verb": "train", "seed": 3, "settings": ` + string(text) + `}`} {
			var back Recipe
			if err := json.Unmarshal([]byte(form), &back); err != nil || back != r {
				t.Errorf("%s: %v, %+v", form, err, back)
			}
		}
	}
	// Files leave momentum and probes of 0.2.0 out.
	for _, r := range []Recipe{without, with} {
		back, named, err := ParseRecipe([]byte(`{"settings": ` + mustJSON(t, r.settings()) + `}`))
		if err != nil || back != r {
			t.Errorf("%v, %+v", err, back)
		}
		for _, name := range []string{"momentum", "field_momentum", "probe"} {
			if _, there := r.settings()[name]; there != (r.Momentum == 0) || !slices.Contains(named, name) {
				t.Errorf("%s in files: %v; named: %v", name, there, named)
			}
		}
	}
	// A run.json of a directed machine has no momentum, and none is asked for then.
	mixture := Default()
	mixture.Model = "mixture"
	mixture.Suit("model")
	if back, named, err := ParseRecipe([]byte(`{"settings": ` + mustJSON(t, mixture.settings()) + `}`)); err != nil || back.Foreign(named...) != nil {
		t.Errorf("%v, %v", err, back.Foreign(named...))
	}
	// Each field can be told: none is left out of the JSON form.
	fields := 0
	for f := range visible(reflect.TypeFor[Recipe]()) {
		fields++
		if tag := f.Tag.Get("json"); tag == "" || tag == "-" && f.Name != "Time" {
			t.Errorf("field %s has no name in JSON", f.Name)
		}
	}
	if fields < 30 {
		t.Errorf("%d fields", fields)
	}
	for text, want := range map[string]string{
		`{"hiden": 3}`: "hiden", `{"hidden": "three"}`: "hidden is a string, and must be of type int", `[]`: "JSON", `{"hidden": 3`: "JSON", `{"time": 3}`: "time is a number, and must be of type string", `{"time": "soon"}`: "soon", `{"settings": {"stop": 1}}`: "stop", ``: "JSON",
	} {
		if _, _, err := ParseRecipe([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// visible lists the fields of a struct with those of structs embedded in it.
func visible(of reflect.Type) func(yield func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for _, f := range reflect.VisibleFields(of) {
			if !f.Anonymous && !yield(f) {
				return
			}
		}
	}
}

// TestSettingError: an error names settings by their JSON names, or in the words
// of the caller.
func TestSettingError(t *testing.T) {
	for text, want := range map[string][3]string{
		`{"hidden": 0}`:                             {"hidden", "hidden 0: it must be at least 1", "<hidden|0>: it must be at least 1"},
		`{"rule": "{x} %d"}`:                        {"rule", `rule "{x} %d": it is hyperadam, adam, bayes, bayes-momentum, clipped, lion or schedule-free`, `<rule|"{x} %d">: it is hyperadam, adam, bayes, bayes-momentum, clipped, lion or schedule-free`},
		`{"partition": "quenched"}`:                 {"centre", "partition quenched has no form with offsets: add centre false", "<partition|quenched> has no form with offsets: add <centre|false>"},
		`{"synapses": "real", "settle": 0.5}`:       {"settle", "settle is of synapses binary and partition annealed, and not of rule bayes, rule bayes-momentum and rule clipped", "<settle|> is of <synapses|binary> and <partition|annealed>, and not of <rule|bayes>, <rule|bayes-momentum> and <rule|clipped>"},
		`{"max_theta": -1}`:                         {"max_theta", "max_theta -1: it must be positive", "<max_theta|-1>: it must be positive"},
		`{"prior": "a.npz", "prior_scale": 1.5}`:    {"prior_scale", "prior_scale 1.5: it must lie between 0 and 1", "<prior_scale|1.5>: it must lie between 0 and 1"},
		`{"prior": "a.npz", "synapses": "sign"}`:    {"prior", "prior is of synapses binary, not sign", "<prior|> is of <synapses|binary>, not sign"},
		`{"rule": "hyperadam", "synapses": "real"}`: {"rule", "synapses real rule hyperadam: it moves log-odds, which real synapses have not", "<synapses|real> <rule|hyperadam>: it moves log-odds, which real synapses have not"},
		`{"rule_weights": "rule.npz"}`:              {"rule_weights", "rule_weights are of rule hyperadam, not rule adam", "<rule_weights|> are of <rule|hyperadam>, not <rule|adam>"},
		`{"momentum": 1}`:                           {"momentum", "momentum 1: it must not be negative, and below 1", "<momentum|1>: it must not be negative, and below 1"},
		`{"theta_decay": -2}`:                       {"theta_decay", "theta_decay -2: it must not be negative, and finite", "<theta_decay|-2>: it must not be negative, and finite"},
		`{"momentum": 0.5, "rule": "bayes"}`:        {"momentum", "momentum: rule bayes has none; rule bayes-momentum has", "<momentum|>: <rule|bayes> has none; <rule|bayes-momentum> has"},
		`{"chains": 0}`:                             {"chains", "chains 0: it must be at least 1", "<chains|0>: it must be at least 1"},
	} {
		r, _, err := ParseRecipe([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var e *SettingError
		if !errors.As(r.Check(), &e) {
			t.Errorf("%s: %v", text, r.Check())
			continue
		}
		words := e.Words(func(setting, value string) string { return "<" + setting + "|" + value + ">" })
		if e.Setting != want[0] || e.Error() != want[1] || words != want[2] {
			t.Errorf("%s: %q: %q, %q", text, e.Setting, e, words)
		}
	}
}

// FuzzRecipe: a text is no recipe, or one that comes back from its JSON.
func FuzzRecipe(f *testing.F) {
	for _, text := range []string{`{}`, `{"hidden": 3, "time": "1m"}`, `{"settings": {"synapses": "real"}}`, `{"prior": "x", "prior_scale": 0.5}`, `null`, `{"hidden": 1e3}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, _, err := ParseRecipe(text)
		if err != nil || r.Check() != nil {
			return
		}
		again, _, err := ParseRecipe([]byte(mustJSON(t, r)))
		if r.Prior == "" {
			r.PriorScale, again.PriorScale = 1, 1 // it scales nothing
		}
		if err != nil || again != r {
			t.Errorf("%s: %v\n%+v\n%+v", text, err, r, again)
		}
	})
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDefaultEpochs: 25, or as many as 3,000 steps take.
func TestDefaultEpochs(t *testing.T) {
	for samples, want := range map[int]int{60000: 25, 1_000_000: 25, 59_000: 26, 1000: 1500, 300: 3000, 1: 3000} {
		r := Default()
		r.Hidden = 5
		if err := r.complete(784, samples, false); err != nil || r.Epochs != want {
			t.Errorf("%d samples: %d epochs, %v", samples, r.Epochs, err)
		}
	}
}

// TestSpinsSuited: machines of spins learn with probes and without momentum, others with that of 0.2.0; what was asked for stays.
func TestSpinsSuited(t *testing.T) {
	for text, want := range map[string]struct {
		momentum, fields float64
		probe            int
		decay, rare      float64
	}{
		`{}`:                                   {0, 0, 25, 0.4, 0.0005},
		`{"hidden": 200}`:                      {0, 0, 25, 0.4, 0.0005},
		`{"hidden": 500}`:                      {0, 0, 25, 0.16, 0.0005},
		`{"hidden": 500, "layers": [500, 20]}`: {0, 0, 25, 0, 0},
		`{"settle": 0}`:                        {0, 0, 25, 0, 0},
		`{"patience": 3}`:                      {0, 0, 25, 0, 0},
		`{"init": "a.npz"}`:                    {0, 0, 25, 0, 0},
		`{"prior": "a.npz"}`:                   {0, 0, 25, 0, 0},
		`{"theta_decay": 0}`:                   {0, 0, 25, 0, 0},
		`{"momentum": 0.9}`:                    {0.9, 0, 25, 0, 0},
		`{"synapses": "real"}`:                 {0, 0, 25, 0, 0},
		`{"centre": false}`:                    {0.9, 0.9, 25, 0, 0},
		`{"rule": "hyperadam"}`:                {0.9, 0, 25, 0, 0},
		`{"units": "gauss"}`:                   {0.9, 0.9, 0, 0, 0},
		`{"hidden_units": "gauss"}`:            {0.9, 0.9, 0, 0, 0},
		`{"theta_decay": 0.1, "rare": 0.01}`:   {0, 0, 25, 0.1, 0.01},
		`{"momentum": 0.5, "field_momentum": 0.25, "probe": 3}`: {0.5, 0.25, 3, 0, 0},
		`{"verb": "train", "settings": {"hidden": 9}}`:          {0.9, 0.9, 0, 0, 0}, // an old file
	} {
		r := recipeOf(t, text)
		if err := r.complete(784, 60000, false); err != nil {
			t.Fatal(err)
		}
		if r.Momentum != want.momentum || r.FieldMomentum != want.fields || r.Probe != want.probe || r.ThetaDecay != want.decay || r.Rare != want.rare {
			t.Errorf("%s: momentum %v, of fields %v, probe %d, decay of thetas %v, rare %v", text, r.Momentum, r.FieldMomentum, r.Probe, r.ThetaDecay, r.Rare)
		}
	}
	r := recipeOf(t, `{"units": "potts:3"}`)
	if err := r.Foreign("probe"); err == nil || !strings.Contains(err.Error(), "probe is of spins") {
		t.Errorf("probes of colours: %v", err)
	}
	for text, want := range map[string]string{`{"theta_decay": 1, "rule": "lion"}`: "theta_decay is of", `{"theta_decay": 1, "synapses": "real"}`: "theta_decay is of", `{"rare": 0.1, "synapses": "real"}`: "rare is of spins", `{"rare": 0.1, "units": "gauss"}`: "rare is of spins"} {
		r := recipeOf(t, text)
		if err := r.Foreign(strings.Fields(want)[0]); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSettingsReachTheLearner: what a recipe says of probes, momentum and the decay of thetas is what engine and trainer have.
func TestSettingsReachTheLearner(t *testing.T) {
	for _, more := range []string{``, `, "layers": [30, 5]`} {
		r := recipeOf(t, `{"hidden": 30, "steps": 1, "chains": 8, "probe": 7, "momentum": 0.25, "field_momentum": 0.5, "theta_decay": 0.125, "rare": 0.25`+more+`}`)
		run, err := Start(r, Job{Data: Data{Set: &dataset.Set{Samples: spin.Random(40, 50, stream.New(1).Rand())}, Name: "random"}, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLearner(run, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if chains, ok := l.engine.(*dual.Chains[float32]); !ok || chains.Probe != 7 {
			t.Errorf("%s: engine %T %+v", more, l.engine, l.engine)
		}
		if opt := run.options(stream.New(1)); opt.Momentum != variational.MomentumOf(0.25) || opt.FieldMomentum != variational.MomentumOf(0.5) || opt.ThetaDecay != 0.125 || opt.Rare != 0.25 {
			t.Errorf("%s: momentum %v, of fields %v, decay of thetas %v", more, opt.Momentum, opt.FieldMomentum, opt.ThetaDecay)
		}
	}
}
