package trial

import (
	"context"
	"fmt"
	"math"

	"bethe/dual"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// A UnitsExperiment is a trial of several teachers of any kinds of units. Setup.Visible and
// Setup.Hidden are numbers of units, J = beta/sqrt(visible units) joins features.
type UnitsExperiment struct {
	Setup           Setup
	Visible, Hidden units.Kind
	Instances       int
	Restarts, Steps int
	Rate            float64
	Missing         float64 // share of the values that are missing
	Seed            uint64
}

// A UnitsReport is its result. An overlap is the mean over hidden features of the cosine
// between the synapses and those of the teacher.
type UnitsReport struct {
	Units       string  `json:"units"`
	HiddenUnits string  `json:"hidden_units"`
	Visible     int     `json:"visible"`
	Hidden      int     `json:"hidden"`
	Alpha       float64 `json:"alpha"`
	Beta        float64 `json:"beta"`
	Samples     int     `json:"samples"`
	Missing     float64 `json:"missing,omitempty"`
	Seed        uint64  `json:"seed"`
	Engine      string  `json:"engine"`
	// Of the signs of the posterior means; where hidden units are no groups, starts are pooled by their bounds.
	Overlap  float64   `json:"overlap"`
	Overlaps []float64 `json:"overlap_instances"`
	// Of the signs of the start with the best bound, and of its means themselves.
	OverlapBest  float64 `json:"overlap_best_start"`
	OverlapMeans float64 `json:"overlap_of_means"`
	// Of real weights that were learned in the same loop, from as many starts: the best by the likelihood.
	OverlapReal  float64   `json:"overlap_real"`
	OverlapsReal []float64 `json:"overlap_real_instances"`
	Bound        float64   `json:"bound_per_sample"`
	Seconds      float64   `json:"seconds_learning"`
}

// exactLimit is the largest number of states of the hidden layer, as a power of 2.
const exactLimit = 14

// Validate returns the *setting.Error of the first parameter out of range.
func (e *UnitsExperiment) Validate() error {
	if err := e.Setup.Validate(); err != nil {
		return err
	}
	if err := units.CheckPair(e.Visible, e.Hidden); err != nil {
		return setting.Errorf("units", e.Visible, "%v", err)
	}
	switch {
	case !e.Hidden.Bits():
		return setting.Errorf("hidden_units", e.Hidden, "planted data are drawn by enumeration of hidden states: they are spin, group:K or group?:K")
	case e.Setup.Correlation != 0:
		return setting.Phrase("correlation", "{correlation %v} is of spins", e.Setup.Correlation)
	case e.Hidden.LnStates(e.Setup.Hidden*e.Hidden.Features()) > exactLimit*math.Ln2+1e-9:
		return setting.Errorf("hidden", e.Setup.Hidden, "planted machines of %s and %s units are enumerated, up to 2^%d hidden states", e.Visible, e.Hidden, exactLimit)
	case !(e.Missing >= 0 && e.Missing < 1):
		return setting.Errorf("missing", e.Missing, "it is the share of the values that are missing: from 0 to less than 1")
	case !(e.Rate > 0) || math.IsInf(e.Rate, 0):
		return setting.Errorf("rate", e.Rate, "it must be positive and finite")
	}
	return setting.AtLeastOne("each must be at least 1", setting.Count{Name: "instances", Value: e.Instances},
		setting.Count{Name: "restarts", Value: e.Restarts}, setting.Count{Name: "steps", Value: e.Steps})
}

// params returns those of the teacher, which the learner knows.
func (e *UnitsExperiment) params() rbm.Params {
	p := rbm.NewParams(e.Setup.Visible*e.Visible.Features(), e.Setup.Hidden*e.Hidden.Features(), e.Setup.Coupling()/e.Visible.Scale()/e.Hidden.Scale())
	p.VisibleKind, p.HiddenKind = e.Visible, e.Hidden
	uncentred(p.VisibleOffset, e.Visible)
	uncentred(p.HiddenOffset, e.Hidden)
	if !e.Visible.Bits() {
		p.VisibleOwn = make([]float64, 2*p.Visible())
	}
	return p
}

// uncentred leaves features 0 and 1 without offsets. They are held as -1 and 1, so that is an offset of -1.
func uncentred(offset []float64, kind units.Kind) {
	if kind.OneHot() {
		for k := range offset {
			offset[k] = -1
		}
	}
}

// Run plants, learns and scores all instances. The error is that of Validate, the
// context's, or that of learning.
func (e *UnitsExperiment) Run(ctx context.Context, progress Progress) (*UnitsReport, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	s := e.Setup
	r := &UnitsReport{Units: e.Visible.String(), HiddenUnits: e.Hidden.String(), Visible: s.Visible, Hidden: s.Hidden, Alpha: s.Alpha, Beta: s.Beta,
		Samples: s.Samples(), Missing: e.Missing, Seed: e.Seed, Engine: dual.ExactName, Overlaps: make([]float64, e.Instances), OverlapsReal: make([]float64, e.Instances)}
	best, means, bounds := make([]float64, e.Instances), make([]float64, e.Instances), make([]float64, e.Instances)
	var err error
	if r.Seconds, err = Each("learning", e.Instances, progress, func(k int) error {
		o, err := e.instance(ctx, stream.New(e.Seed).Sub(uint64(k)))
		if err == nil {
			r.Overlaps[k], r.OverlapsReal[k], best[k], means[k], bounds[k] = o.signs, o.real, o.best, o.means, o.bound
		}
		return err
	}); err != nil {
		return nil, err
	}
	share := 1 / float64(e.Instances)
	for k := range e.Instances {
		r.Overlap += share * r.Overlaps[k]
		r.OverlapReal += share * r.OverlapsReal[k]
		r.OverlapBest += share * best[k]
		r.OverlapMeans += share * means[k]
		r.Bound += share * bounds[k]
	}
	return r, nil
}

// overlaps are what one instance came to.
type overlaps struct{ signs, best, means, real, bound float64 }

func (e *UnitsExperiment) instance(ctx context.Context, key stream.Key) (overlaps, error) {
	params := e.params()
	n, p := params.Visible(), params.Hidden()
	teacher := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(n, p, key.Sub(stream.TrialTeacher).Rand()))}
	data, err := planted.IncompleteData(ctx, teacher, e.Setup.Samples(), e.Missing, key.Sub(stream.TrialData))
	if err != nil {
		return overlaps{}, err
	}
	learn := func(kind rbm.Kind, label uint64) ([][]float32, []float64, error) {
		found := make([][]float32, e.Restarts)
		_, bounds, err := variational.Restarts(ctx, e.Restarts, func(k int) (*rbm.Model[float32], float64, error) {
			model, bound, err := e.start(ctx, kind, params.Clone(), data, key.Sub(label).Sub(uint64(k)))
			if err == nil {
				found[k] = make([]float32, n*p)
				kind.Write(model.Posterior.WriterTo(found[k]), 0)
			}
			return model, bound, err
		})
		return found, bounds, err
	}
	found, bounds, err := learn(rbm.BinaryKind, stream.TrialStudent)
	if err != nil {
		return overlaps{}, err
	}
	at := variational.Best(bounds)
	signs := teacher.Signs()
	o := overlaps{bound: bounds[at], best: planted.MatchKind(signsOf(found[at]), signs, e.Hidden), means: planted.MatchKind(found[at], signs, e.Hidden)}
	o.signs = o.best
	if !e.Hidden.OneHot() {
		logWeights := make([]float64, len(bounds))
		for k, b := range bounds {
			logWeights[k] = b * float64(e.Setup.Samples())
		}
		o.signs = planted.MatchKind(signsOf(planted.Pool(found, logWeights, n, p)), signs, e.Hidden)
	}
	weights, likelihoods, err := learn(rbm.RealKind, stream.TrialReal)
	if err != nil {
		return overlaps{}, err
	}
	o.real = planted.MatchKind(weights[variational.Best(likelihoods)], signs, e.Hidden)
	return o, nil
}

func signsOf[T rbm.Real](x []T) []T {
	y := make([]T, len(x))
	for k, v := range x {
		y[k] = 1
		if v < 0 {
			y[k] = -1
		}
	}
	return y
}

// start learns from one random start, with the coupling of the teacher, and returns the
// model and its bound.
func (e *UnitsExperiment) start(ctx context.Context, kind rbm.Kind, params rbm.Params, data units.Data[float32], key stream.Key) (*rbm.Model[float32], float64, error) {
	model := &rbm.Model[float32]{Params: params, Posterior: rbm.NewPosterior[float32](params.Visible(), params.Hidden())}
	model.Posterior.Randomize(0.1, key.Sub(stream.StudentThetas))
	own, ok := data.Batch(nil, all(data.Len())).(units.Data[float32]) // starts run at once, and prepare their samples
	if !ok {
		return nil, 0, fmt.Errorf("batches of %s samples are no data themselves", data.Kind())
	}
	var term dual.Partition[float32] = dual.Gauss[float32]{}
	if kind == rbm.RealKind || e.Visible.Bits() {
		term = dual.TermFor(kind, dual.Engine[float32](dual.Exact[float32]{}))
	}
	hidden := variational.HiddenOf[float32](e.Hidden)
	trainer, err := variational.NewTrainer(model, own, term, hidden, variational.Options{
		Steps: e.Steps, Synapses: kind, Rate: e.Rate, FinalRate: 0.02, Fill: variational.DefaultFill, Key: key.Sub(stream.StudentBatches)})
	if err != nil {
		return nil, 0, fmt.Errorf("planted machines of %s and %s units: %w", e.Visible, e.Hidden, err)
	}
	if err := trainer.Run(ctx, nil); err != nil {
		return nil, 0, err
	}
	terms, _, err := trainer.Objective.EstimateTerms(ctx, model, own, sample.Annealing{})
	return model, terms.Bound(), err
}

// all returns 0 ... n-1.
func all(n int) []int {
	list := make([]int, n)
	for k := range list {
		list[k] = k
	}
	return list
}
