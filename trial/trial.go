// Package trial is one experiment with planted synapses from end to end: a
// teacher is drawn and its data with it, a student learns from the data alone,
// starting several times, and is scored against the teacher and, if asked,
// against the Bayes optimum. The verb planted runs a few of them, a sweep
// thousands.
package trial

import (
	"context"
	"math"

	"gonum.org/v1/gonum/stat"

	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// A Setup has the sizes and strengths of a planted experiment.
type Setup struct {
	Visible, Hidden int     // N, P
	Alpha           float64 // samples per visible unit: M = alpha N
	Beta            float64 // coupling J = beta/sqrt N of the teacher, known to the student
	Correlation     float64 // q between the synapses of hidden units (planted.NewTeacher)
}

// Samples returns M = alpha N, rounded.
func (s Setup) Samples() int { return int(math.Round(s.Alpha * float64(s.Visible))) }

// Coupling returns J = beta/sqrt N.
func (s Setup) Coupling() float64 { return s.Beta / math.Sqrt(float64(s.Visible)) }

// Validate returns the *setting.Error of the first parameter out of range.
func (s Setup) Validate() error {
	switch {
	case s.Visible < 1:
		return setting.Errorf("visible", s.Visible, "it must be at least 1")
	case s.Hidden < 1:
		return setting.Errorf("hidden", s.Hidden, "it must be at least 1")
	case !(s.Alpha > 0) || s.Alpha*float64(s.Visible) > 1e9 || s.Samples() < 1:
		return setting.Errorf("alpha", s.Alpha, "alpha N is the number of samples, at least 1 and at most 1e9")
	case !(s.Beta > 0) || math.IsInf(s.Beta, 0):
		return setting.Errorf("beta", s.Beta, "it must be positive and finite")
	}
	return planted.CheckCorrelation(s.Hidden, s.Correlation)
}

// A Trial is a teacher, its data and what came out. Plant makes the first two,
// Learn and BayesOptimum fill in the rest.
type Trial struct {
	Setup   Setup
	Teacher *rbm.Machine
	Data    *spin.Matrix // visible x samples

	Means []float64 // pooled posterior means, hidden x visible

	// Overlaps with the teacher, means over hidden units after the best matching.
	Overlap          float64 // of the signs of the pooled posterior means
	OverlapOfMeans   float64 // of the pooled posterior means themselves
	OverlapBestStart float64 // of the signs of the start with the best bound alone

	Bound         float64 // of the best start, in nats per sample
	BoundAnnealed float64 // the annealed one at the same posterior, where Bound is quenched

	// The Bayes-optimal overlap by Monte Carlo from the teacher, and from a random start.
	Bayes, BayesRandomStart float64

	key stream.Key
}

// Plant draws a teacher and its data, which depend on the setup and the key
// alone. The error is that of a setup that is not valid, or the context's.
func Plant(ctx context.Context, s Setup, key stream.Key) (*Trial, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	teacher, err := planted.NewTeacher(s.Visible, s.Hidden, s.Beta, s.Correlation, key.Sub(stream.TrialTeacher))
	if err != nil {
		return nil, err
	}
	return PlantTeacher(ctx, s, teacher, key)
}

// PlantTeacher draws the data of a given teacher, whose size and coupling the
// setup must tell. The error is the context's.
func PlantTeacher(ctx context.Context, s Setup, teacher *rbm.Machine, key stream.Key) (*Trial, error) {
	data, err := planted.Data(ctx, teacher, s.Samples(), key.Sub(stream.TrialData))
	if err != nil {
		return nil, err
	}
	return &Trial{Setup: s, Teacher: teacher, Data: data, key: key}, nil
}

// BayesOptimum finds the overlap that the best possible student reaches
// (planted.NewYardstick, whose errors it returns).
func (t *Trial) BayesOptimum(ctx context.Context) error {
	y, err := planted.NewYardstick(ctx, t.Teacher, t.Data, planted.DefaultSchedule, t.key.Sub(stream.TrialOracle))
	if err != nil {
		return err
	}
	t.Bayes, t.BayesRandomStart = y.FromTeacher.Overlap.Mean(), y.FromRandom.Overlap.Mean()
	return nil
}

// A Summary holds means over trials, and standard deviations between them.
type Summary struct {
	Overlap, OverlapSpread           float64
	OverlapOfMeans, OverlapBestStart float64
	Bound, BoundAnnealed             float64
	Bayes, BayesSpread               float64
	BayesRandomStart                 float64
	// BayesError is the standard error of Overlap - Bayes, from their differences in
	// each trial; NaN for a single one.
	BayesError float64
}

// Summarise returns the summary of trials, in their order.
func Summarise(trials []*Trial) Summary {
	var s Summary
	share := 1 / float64(len(trials))
	for _, t := range trials {
		s.Overlap += share * t.Overlap
		s.OverlapOfMeans += share * t.OverlapOfMeans
		s.OverlapBestStart += share * t.OverlapBestStart
		s.Bound += share * t.Bound
		s.BoundAnnealed += share * t.BoundAnnealed
		s.Bayes += share * t.Bayes
		s.BayesRandomStart += share * t.BayesRandomStart
	}
	differences := make([]float64, 0, len(trials))
	for _, t := range trials {
		differences = append(differences, t.Overlap-t.Bayes)
		s.OverlapSpread += share * (t.Overlap - s.Overlap) * (t.Overlap - s.Overlap)
		s.BayesSpread += share * (t.Bayes - s.Bayes) * (t.Bayes - s.Bayes)
	}
	s.OverlapSpread, s.BayesSpread = math.Sqrt(s.OverlapSpread), math.Sqrt(s.BayesSpread)
	s.BayesError = stat.StdErr(stat.StdDev(differences, nil), float64(len(trials)))
	return s
}
