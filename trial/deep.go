package trial

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A Deep is planted experiments with teachers of several hidden layers. Couplings are
// J = beta/sqrt(units below), known to the student; there are no fields.
type Deep struct {
	Visible     int
	Hidden      []int     // sizes of the hidden layers, two or more
	Alpha       float64   // samples per visible unit
	Beta        []float64 // of each link
	Instances   int       // teachers
	Restarts    int       // random starts of each student
	Steps       int       // of each start
	Rate        float64   // at the start; it falls in a straight line to a tenth
	Recognition variational.Recognition
	Stage       float64 // share of learning in which upper synapses stay undecided
	Oracle      bool    // also find the Bayes optimum, of two hidden layers
	Seed        uint64
}

// Defaults of deep experiments.
const (
	DeepSteps = 800
	DeepRate  = 0.1
	DeepStage = 0.5
)

// A DeepReport is what a deep experiment found. Overlaps are of the start with the best bound:
// of each link after the units of the layer below were matched with the teacher's.
type DeepReport struct {
	Visible     int       `json:"visible"`
	Hidden      []int     `json:"hidden"`
	Alpha       float64   `json:"alpha"`
	Beta        []float64 `json:"beta"`
	Samples     int       `json:"samples"`
	Steps       int       `json:"steps"`
	Recognition string    `json:"recognition"`
	Stage       float64   `json:"stage"`
	Seed        uint64    `json:"seed"`

	Layers          []float64   `json:"overlap_layers"` // means over instances
	LayersOf        [][]float64 `json:"overlap_layers_instances"`
	Bound           float64     `json:"bound_per_sample"` // means over instances
	Bounds          []float64   `json:"bound_per_sample_instances"`
	TeacherBound    float64     `json:"teacher_bound"` // of a run that starts at the teacher
	TeacherBounds   []float64   `json:"teacher_bound_instances"`
	TeacherLayers   []float64   `json:"teacher_overlap_layers"` // where that run ends
	Shortfall       float64     `json:"bound_shortfall"`        // mean of teacher_bound minus bound, not below 0 in an instance
	SecondsLearning float64     `json:"seconds_learning"`

	// Bayes holds means over instances of the Bayes optimum, if it was asked for.
	Bayes         *planted.DeepYardstick `json:"bayes,omitempty"`
	SecondsOracle float64                `json:"seconds_oracle,omitempty"`
}

// Samples returns M = alpha N, rounded.
func (e *Deep) Samples() int { return int(math.Round(e.Alpha * float64(e.Visible))) }

// layers returns the layers of the machine.
func (e *Deep) layers() rbm.Folding { return append(rbm.Folding{e.Visible}, e.Hidden...) }

// Validate returns the *setting.Error of the first parameter out of range.
func (e *Deep) Validate() error {
	for _, n := range e.Hidden {
		if n < 1 {
			return setting.Errorf("hidden", e.Hidden, "each layer must have at least 1 unit")
		}
	}
	switch {
	case e.Visible < 1:
		return setting.Errorf("visible", e.Visible, "it must be at least 1")
	case len(e.Hidden) < 2 || len(e.Hidden) >= rbm.MaxLayers:
		return setting.Errorf("hidden", e.Hidden, "a deep teacher has 2 to %d hidden layers", rbm.MaxLayers-1)
	case len(e.Beta) != len(e.Hidden):
		return setting.Errorf("beta", e.Beta, "there must be one for each of %d links, such as 1.3,1.2", len(e.Hidden))
	case !(e.Alpha > 0) || e.Alpha*float64(e.Visible) > 1e9 || e.Samples() < 1:
		return setting.Errorf("alpha", e.Alpha, "alpha N is the number of samples, at least 1 and at most 1e9")
	case !(e.Stage >= 0 && e.Stage < 1):
		return setting.Errorf("stage", e.Stage, "it must not be negative, and below 1")
	case min(e.layers().Visible(), e.layers().Hidden()) > dual.MaxExact:
		return setting.Errorf("hidden", e.Hidden, "the smaller of both parities of layers has more than the %d units that are enumerated", dual.MaxExact)
	}
	for _, b := range e.Beta {
		if !(b > 0) || math.IsInf(b, 0) {
			return setting.Errorf("beta", b, "it must be positive and finite")
		}
	}
	if e.Oracle && len(e.Hidden) != 2 {
		return setting.Errorf("oracle", e.Oracle, "the Bayes optimum is found for one or two hidden layers, not %d", len(e.Hidden))
	}
	if e.Oracle {
		if err := planted.CheckDeep(e.Visible, e.Hidden[0], e.Hidden[1], e.Beta[0]/math.Sqrt(float64(e.Visible))); err != nil {
			return setting.Errorf("oracle", e.Oracle, "%v", err)
		}
	}
	return (&Learner{Restarts: e.Restarts, Steps: e.Steps, Rate: e.Rate}).validate(e.Instances)
}

// A deepTrial is one teacher and what came out.
type deepTrial struct {
	*Deep
	key      stream.Key
	teacher  *rbm.Chain
	data     *spin.Matrix // visible x samples
	overlaps []float64
	bound    float64

	teacherBound    float64
	teacherOverlaps []float64
	bayes           *planted.DeepYardstick
}

// Run plants, learns and scores all instances. The error is that of Validate, the
// context's, or that of learning.
func (e *Deep) Run(ctx context.Context, progress Progress) (*DeepReport, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	trials := make([]*deepTrial, e.Instances)
	if _, err := Each("planting", e.Instances, progress, func(k int) (err error) {
		trials[k], err = e.plant(ctx, stream.New(e.Seed).Sub(uint64(k)))
		return err
	}); err != nil {
		return nil, err
	}
	r := &DeepReport{Visible: e.Visible, Hidden: e.Hidden, Alpha: e.Alpha, Beta: e.Beta, Samples: e.Samples(), Steps: e.Steps, Recognition: e.Recognition.String(), Stage: e.Stage, Seed: e.Seed,
		Layers: make([]float64, len(e.Hidden)), TeacherLayers: make([]float64, len(e.Hidden))}
	var err error
	if r.SecondsLearning, err = Each("learning", e.Instances, progress, func(k int) error { return trials[k].learn(ctx) }); err != nil {
		return nil, err
	}
	if e.Oracle {
		if err := e.yardstick(ctx, r, trials, progress); err != nil {
			return nil, err
		}
	}
	share := 1 / float64(e.Instances)
	for _, t := range trials {
		for l := range r.Layers {
			r.Layers[l] += share * t.overlaps[l]
			r.TeacherLayers[l] += share * t.teacherOverlaps[l]
		}
		r.LayersOf = append(r.LayersOf, t.overlaps)
		r.Bounds, r.TeacherBounds = append(r.Bounds, t.bound), append(r.TeacherBounds, t.teacherBound)
		r.Bound += share * t.bound
		r.TeacherBound += share * t.teacherBound
		r.Shortfall += share * max(0, t.teacherBound-t.bound)
	}
	return r, nil
}

// yardstick finds the Bayes optimum of all instances.
func (e *Deep) yardstick(ctx context.Context, r *DeepReport, trials []*deepTrial, progress Progress) (err error) {
	r.SecondsOracle, err = Each("Bayes optimum", e.Instances, progress, func(k int) (err error) {
		t := trials[k]
		trials[k].bayes, err = planted.NewDeepYardstick(ctx, [2]*spin.Matrix(t.signs()), t.teacher.Links[0].Coupling, t.teacher.Links[1].Coupling, t.data, planted.DefaultDeepSchedule, t.key.Sub(stream.TrialOracle))
		return err
	})
	if err != nil {
		return err
	}
	r.Bayes = &planted.DeepYardstick{}
	for _, of := range []func(*planted.DeepYardstick) *planted.DeepScore{func(y *planted.DeepYardstick) *planted.DeepScore { return &y.FromTeacher }, func(y *planted.DeepYardstick) *planted.DeepScore { return &y.FromRandom }} {
		sum := of(r.Bayes)
		sum.Overlap, sum.SampleOverlap = make([]float64, 2), make([]float64, 2)
		for _, t := range trials {
			one, share := of(t.bayes), 1/float64(len(trials))
			sum.MeanLikelihood += share * one.MeanLikelihood
			for l := range sum.Overlap {
				sum.Overlap[l] += share * one.Overlap[l]
				sum.SampleOverlap[l] += share * one.SampleOverlap[l]
			}
		}
	}
	return nil
}

// signs returns the teacher's synapses, link by link.
func (t *deepTrial) signs() (links []*spin.Matrix) {
	for _, l := range t.teacher.Links {
		links = append(links, l.Synapses.(rbm.Signed).Signs()) // they are binary
	}
	return links
}

// plant draws a teacher and its data.
func (e *Deep) plant(ctx context.Context, key stream.Key) (*deepTrial, error) {
	f, rng := e.layers(), key.Sub(stream.TrialTeacher).Rand()
	c := &rbm.Chain{}
	for l, n := range f {
		c.Layers = append(c.Layers, rbm.Layer{Field: make([]float64, n), Offset: make([]float64, n)})
		if l > 0 {
			c.Links = append(c.Links, rbm.Between{Coupling: e.Beta[l-1] / math.Sqrt(float64(f[l-1])), Synapses: rbm.Binary(spin.Random(f[l-1], n, rng))})
		}
	}
	machine, err := c.Fold()
	if err != nil {
		return nil, err
	}
	states, err := planted.DeepData(ctx, machine, e.Samples(), key.Sub(stream.TrialData))
	if err != nil {
		return nil, err
	}
	return &deepTrial{Deep: e, key: key, teacher: c, data: units.Rows(states, 0, e.Visible)}, nil
}

// learn learns from all starts, and from the teacher, and scores them.
func (t *deepTrial) learn(ctx context.Context) error {
	models, bounds, err := variational.Restarts(ctx, t.Restarts, func(k int) (*rbm.Model[float32], float64, error) {
		return t.start(ctx, t.key.Sub(stream.TrialStudent).Sub(uint64(k)), nil)
	})
	if err != nil {
		return err
	}
	best := variational.Best(bounds)
	t.bound = bounds[best]
	if t.overlaps, err = t.score(models[best]); err != nil {
		return err
	}
	model, bound, err := t.start(ctx, t.key.Sub(stream.TrialStudent).Sub(uint64(t.Restarts)), t.teacher)
	if err != nil {
		return err
	}
	t.teacherBound = bound
	t.teacherOverlaps, err = t.score(model)
	return err
}

// sure is the theta of the teacher's synapses where a run starts at them.
const sure = 3

// start learns from one start: random synapses, or those of a chain.
func (t *deepTrial) start(ctx context.Context, key stream.Key, at *rbm.Chain) (*rbm.Model[float32], float64, error) {
	stage := t.Stage
	if at != nil {
		stage = 0
	}
	f := t.layers()
	model := variational.NewModel[float32](variational.Initial{Hidden: f[1], Above: f[2:], Coupling: 1, Deviation: 0.3, Undecided: stage > 0, Key: key.Sub(stream.StudentThetas)}, t.data)
	for l := range model.Links {
		model.Links[l].Coupling = t.teacher.Links[l].Coupling
		if at == nil {
			continue
		}
		theta := rbm.Values(at.Links[l].Synapses)
		for k := range theta {
			theta[k] *= sure
		}
		rbm.SetBlock(f, model.Posterior.Theta, theta, l)
	}
	samples := units.NewSpins[float32](t.data)
	term := &dual.Annealed[float32]{Engine: dual.Exact[float32]{}}
	trainer, err := variational.NewTrainer(model, samples, term, variational.Mixture[float32]{}, variational.Options{
		Steps: t.Steps, Rate: t.Rate, FinalRate: 0.1, MaxTheta: 4, Key: key.Sub(stream.StudentBatches),
		Deep: variational.Deep{Recognition: t.Recognition, Stage: stage, Fixed: true, Key: key.Sub(stream.StudentDraws)},
	})
	if err != nil {
		return nil, 0, err
	}
	if err := trainer.Run(ctx, nil); err != nil {
		return nil, 0, err
	}
	terms, _, err := trainer.Objective.Terms(ctx, model, samples)
	return model, terms.Bound(), err
}

// score returns the overlap of each link of a model with the teacher. Units of the first
// hidden layer are matched by their synapses with the data; their order and signs are carried to
// the next link, whose units are matched then, and so on. The error is rbm.ErrNotBinary.
func (t *deepTrial) score(model *rbm.Model[float32]) (overlaps []float64, err error) {
	var student []*spin.Matrix
	for l, link := range rbm.Unfold(model.Machine()).Links {
		signed, ok := link.Synapses.(rbm.Signed)
		if !ok {
			return nil, fmt.Errorf("link %d: %w", l+1, rbm.ErrNotBinary)
		}
		student = append(student, signed.Signs())
	}
	overlaps, _ = planted.MatchLayers(student, t.signs())
	return overlaps, nil
}

// Text reports the experiment, in lines.
func (r *DeepReport) Text() string {
	text := fmt.Sprintf("N = %d, hidden layers %v, alpha = %g, beta = %v: %s of %d samples\n", r.Visible, r.Hidden, r.Alpha, r.Beta, counted(len(r.Bounds), "instance"), r.Samples)
	for l, q := range r.Layers {
		text += fmt.Sprintf("  overlap of layer %d   %.3f (started at the teacher: %.3f)\n", l+1, q, r.TeacherLayers[l])
	}
	text += fmt.Sprintf("  bound               %.3f nats per sample; started at the teacher %.3f; shortfall %.3f\n", r.Bound, r.TeacherBound, r.Shortfall)
	if b := r.Bayes; b != nil {
		text += fmt.Sprintf("  Bayes optimum       %.3f and %.3f, from random starts %.3f and %.3f; ln P(data | synapses) per sample %.3f and %.3f\n", b.FromTeacher.Overlap[0], b.FromTeacher.Overlap[1],
			b.FromRandom.Overlap[0], b.FromRandom.Overlap[1], b.FromTeacher.MeanLikelihood, b.FromRandom.MeanLikelihood)
	}
	return text
}
