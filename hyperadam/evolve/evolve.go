// Package evolve learns the weights of a rule (package hyperadam) by evolution strategies: in each generation it
// tries pairs of rules, the mean so far plus and minus a random step, on some tasks, and moves the mean along the
// steps by how much better one of a pair did than the other. Through hundreds of steps of persistent chains nothing
// can be differentiated.
//
// Tasks are small machines that learn digits of 14 x 14 pixels, or planted synapses (see task). What a rule is worth is the nats of
// the machine that it ends with, less those of Adam without momentum at the same task and seed.
package evolve

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"bethe/figure"
	"bethe/hyperadam"
	"bethe/internal/npy"
	"bethe/internal/parallel"
	"bethe/setting"
	"bethe/stream"
)

// Settings say how a rule is learned. Their JSON form is in the meta.json of the rule file.
type Settings struct {
	Seed    uint64  `json:"seed"`
	Pairs   int     `json:"pairs"`   // of rules that a generation tries
	Tasks   int     `json:"tasks"`   // that it tries them on
	Sigma   float64 `json:"sigma"`   // standard deviation of the random steps
	Rate    float64 `json:"rate"`    // of the mean
	Planted float64 `json:"planted"` // share of tasks with planted synapses
}

// Default returns the settings that the shipped rule was learned with.
func Default() Settings {
	return Settings{Seed: 1, Pairs: 8, Tasks: 3, Sigma: 0.1, Rate: 0.05, Planted: 0.3}
}

// Check returns a *setting.Error if a setting is out of its range.
func (s Settings) Check() error {
	switch {
	case s.Pairs < 1:
		return setting.Phrase("pairs", "{pairs %d}: there must be at least 1", s.Pairs)
	case s.Tasks < 1:
		return setting.Phrase("tasks", "{tasks %d}: there must be at least 1", s.Tasks)
	case !(s.Sigma > 0) || math.IsInf(s.Sigma, 0):
		return setting.Phrase("sigma", "{sigma %v}: it must be positive and finite", s.Sigma)
	case !(s.Rate > 0) || math.IsInf(s.Rate, 0):
		return setting.Phrase("rate", "{rate %v}: it must be positive and finite", s.Rate)
	case !(s.Planted >= 0 && s.Planted <= 1):
		return setting.Phrase("planted", "{planted %v}: it must lie between 0 and 1", s.Planted)
	}
	return nil
}

// A Learner learns a rule, a generation at a time. It is not safe for concurrent use.
type Learner struct {
	settings      Settings
	digits        *Digits
	mean, average []float64 // of the weights: of now, and of the last ten generations or so
	first, second []float64 // averages of the gradient and of its square, as Adam has them
	gains         []float64 // of each generation
}

const (
	firstKeep, secondKeep = 0.8, 0.95
	meanKeep              = 0.999 // share of the mean that each generation keeps: numbers of no use fade
	averageRate           = 0.1
	largestGain           = 20 // nats, either way: a rule that diverged must not decide alone
	firstWeights          = 0.5
)

// New returns a learner before the first generation: outputs do not depend on the features, and the rule is Adam
// without momentum. Errors are those of Check.
func New(settings Settings, digits *Digits) (*Learner, error) {
	if err := settings.Check(); err != nil {
		return nil, err
	}
	l := &Learner{settings: settings, digits: digits, mean: incumbent(), first: make([]float64, hyperadam.Numbers), second: make([]float64, hyperadam.Numbers)}
	rng := l.key().Sub(stream.RuleNet).Rand()
	for k := range hyperadam.Hidden * hyperadam.Features {
		l.mean[k] = firstWeights * rng.NormFloat64()
	}
	l.average = append([]float64(nil), l.mean...)
	return l, nil
}

// incumbent are the weights of Adam without momentum: u0 in the place of u1.
func incumbent() []float64 {
	var w hyperadam.Weights
	w.Out[1][hyperadam.Hidden] = 1
	return w.Vector()
}

func (l *Learner) key() stream.Key { return stream.New(l.settings.Seed).Sub(stream.RunRule) }

// Generations returns how many are done.
func (l *Learner) Generations() int { return len(l.gains) }

// Gains returns, for each generation, by how many nats its rules were better than Adam without momentum, as a mean
// over rules and tasks.
func (l *Learner) Gains() []float64 { return append([]float64(nil), l.gains...) }

// Generation learns from one more, and returns its gain. It depends on the settings and on how many there were, not
// on the number of threads. If the context is done its error is returned, and nothing has changed.
func (l *Learner) Generation(ctx context.Context) (gain float64, err error) {
	s := l.settings
	key := l.key().Sub(stream.RuleGenerations).Sub(uint64(len(l.gains)))
	tasks := make([]task, s.Tasks)
	for k := range tasks {
		if tasks[k], err = l.draw(ctx, key.Sub(stream.GenerationTasks).Sub(uint64(k))); err != nil {
			return 0, err
		}
	}
	// Rule 0 is the incumbent, 2k+1 and 2k+2 are pair k.
	rules, steps := [][]float64{incumbent()}, make([][]float64, s.Pairs)
	for k := range steps {
		rng := key.Sub(stream.GenerationPairs).Sub(uint64(k)).Rand()
		plus, minus := make([]float64, hyperadam.Numbers), make([]float64, hyperadam.Numbers)
		steps[k] = make([]float64, hyperadam.Numbers)
		for i, x := range l.mean {
			e := rng.NormFloat64()
			steps[k][i], plus[i], minus[i] = e, x+s.Sigma*e, x-s.Sigma*e
		}
		rules = append(rules, plus, minus)
	}
	scores := make([]float64, len(rules)*len(tasks))
	errs := make([]error, len(scores))
	parallel.For(len(scores), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			if errs[k] = ctx.Err(); errs[k] == nil {
				scores[k], errs[k] = tasks[k%len(tasks)].score(ctx, hyperadam.OfVector(rules[k/len(tasks)]))
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	worth := func(rule int) (sum float64) {
		for k := range tasks {
			sum += max(-largestGain, min(largestGain, scores[rule*len(tasks)+k]-scores[k]))
		}
		return sum / float64(len(tasks))
	}
	grad := make([]float64, hyperadam.Numbers)
	for k, step := range steps {
		plus, minus := worth(2*k+1), worth(2*k+2)
		gain += (plus + minus) / float64(2*s.Pairs)
		for i, e := range step {
			grad[i] += (plus - minus) / 2 * e / (s.Sigma * float64(s.Pairs))
		}
	}
	l.gains = append(l.gains, gain)
	l.climb(grad)
	return gain, nil
}

// climb moves the mean along a gradient.
func (l *Learner) climb(grad []float64) {
	count := float64(len(l.gains))
	for k, g := range grad {
		l.first[k] = firstKeep*l.first[k] + (1-firstKeep)*g
		l.second[k] = secondKeep*l.second[k] + (1-secondKeep)*g*g
		const epsilon = 1e-3
		l.mean[k] += l.settings.Rate * l.first[k] / (1 - math.Pow(firstKeep, count)) / (math.Sqrt(l.second[k]/(1-math.Pow(secondKeep, count))) + epsilon)
		l.mean[k] *= meanKeep
		l.average[k] += averageRate * (l.mean[k] - l.average[k])
	}
}

// meta is the meta.json of a rule file that a learner wrote.
type meta struct {
	Program     string `json:"program"`
	Generations int    `json:"generations"`
	Settings
}

// File returns the rule file as it is now: the average of the weights, and all that learning goes on from.
func (l *Learner) File(program string) *hyperadam.File {
	info, err := json.Marshal(meta{program, len(l.gains), l.settings})
	if err != nil {
		panic(err) // numbers that are checked have a JSON form
	}
	f := &hyperadam.File{Weights: *hyperadam.OfVector(l.average), Info: info}
	for _, x := range l.arrays() {
		f.More = append(f.More, npy.Array{Name: x.name, Shape: []int{len(*x.x)}, Data: *x.x})
	}
	return f
}

type namedArray struct {
	name string
	x    *[]float64
}

func (l *Learner) arrays() []namedArray {
	return []namedArray{{"mean", &l.mean}, {"average", &l.average}, {"first", &l.first}, {"second", &l.second}, {"gains", &l.gains}}
}

// Resume returns the learner that wrote a rule file. The settings must be those that it has; errors name the file and
// what differs.
func Resume(path string, settings Settings, digits *Digits) (*Learner, error) {
	f, err := hyperadam.Load(path)
	if err != nil {
		return nil, err
	}
	var m meta
	if err := json.Unmarshal(f.Info, &m); err != nil {
		return nil, fmt.Errorf("%s: meta.json: %w", path, err)
	}
	if m.Settings != settings {
		was, _ := json.Marshal(m.Settings)
		is, _ := json.Marshal(settings)
		return nil, fmt.Errorf("%s: a rule that was learned with %s, not with %s: go on with the settings it was made with, or choose another file", path, was, is)
	}
	l, err := New(settings, digits)
	if err != nil {
		return nil, err
	}
	arrays := map[string]npy.Array{}
	for _, a := range f.More {
		arrays[a.Name] = a
	}
	for _, to := range l.arrays() {
		x, ok := arrays[to.name].Data.([]float64)
		if length := len(*to.x); !ok || to.name != "gains" && len(x) != length || to.name == "gains" && len(x) != m.Generations || !finite(x) {
			return nil, fmt.Errorf("%s: array %q is missing or not %d finite numbers: learning cannot go on from here", path, to.name, hyperadam.Numbers)
		}
		*to.x = x
	}
	return l, nil
}

func finite(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// Chart draws the gains of generations, and their smoothed course.
func Chart(gains []float64) figure.Chart {
	x, smooth := make([]float64, len(gains)), make([]float64, len(gains))
	var sum, weight float64
	for k, g := range gains {
		sum, weight = 0.9*sum+0.1*g, 0.9*weight+0.1
		x[k], smooth[k] = float64(k+1), sum/weight
	}
	return &figure.Curves{
		Title: "A rule that is learned", Note: "nats of its machines less those of Adam without momentum, mean over the rules of a generation",
		X: figure.Axis{Label: "generation"}, Y: figure.Axis{Label: "gain", Unit: "nats"},
		Series: []figure.Series{{Name: "a generation", X: x, Y: gains, Points: true}, {Name: "smoothed", X: x, Y: smooth}},
	}
}

// A Report says what a rule is, for a command to print.
type Report struct {
	Rule        string    `json:"rule"` // its file
	Hash        string    `json:"rule_hash"`
	Generations int       `json:"generations"`
	Gain        float64   `json:"gain"` // mean of the last ten generations, or of all, in nats
	Gains       []float64 `json:"gains"`
	Files       []string  `json:"figures"`
	Settings    Settings  `json:"settings"`
}

// Report returns that of the rule as it is now, of at least one generation, in a file and with figures that are named.
func (l *Learner) Report(file string, figures []string) Report {
	r := Report{Rule: file, Hash: hyperadam.OfVector(l.average).Hash(), Generations: len(l.gains), Gains: l.Gains(), Files: figures, Settings: l.settings}
	last := r.Gains[max(0, len(r.Gains)-10):]
	for _, g := range last {
		r.Gain += g / float64(len(last))
	}
	return r
}
