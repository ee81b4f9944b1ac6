package trial

import (
	"context"
	"math"

	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// Tasks is a sequence of planted sets, one after the other: the teacher of each
// has the synapses of the one before, each reversed with probability
// (1-Correlation)/2, and the same coupling. A student that learns one set no longer
// sees those before (continual learning: C. Li, Z. Huang, W. Zou and H. Huang,
// Phys. Rev. E 108, 014309).
type Tasks struct {
	Count       int     // of sets, at least 1
	Correlation float64 // of the synapses of consecutive teachers, from -1 to 1
	// Strength of the posterior of a set as the prior of the next
	// (rbm.Posterior.AsPrior), from 0 to 1. Where the correlation is not negative, a
	// strength equal to it is that of a student who knows it.
	Strength float64
	// Release is the share of the divergence from that prior that is left out, less than 1 (Learner.Release).
	Release float64
	// Alpha is the density of the data of all sets but the first; 0: as of the first.
	Alpha float64
}

// Validate returns the *setting.Error of the first parameter out of range; the
// strength is the setting prior-scale.
func (s Tasks) Validate() error {
	switch {
	case s.Count < 1:
		return setting.Errorf("tasks", s.Count, "it must be at least 1")
	case !(s.Correlation >= -1 && s.Correlation <= 1):
		return setting.Errorf("task-correlation", s.Correlation, "it must lie between -1 and 1")
	case !(s.Strength >= 0 && s.Strength <= 1):
		return setting.Errorf("prior-scale", s.Strength, "it must lie between 0 and 1")
	case !(s.Release < 1) || math.IsInf(s.Release, 0):
		return setting.Errorf("prior-strength", 1-s.Release, "it must be positive and finite")
	case !(s.Alpha >= 0):
		return setting.Errorf("task-alpha", s.Alpha, "it must not be negative")
	}
	return nil
}

// A TaskScore is what a student knows after one set of a sequence.
type TaskScore struct {
	New   float64 // overlap with the teacher of this set
	Old   float64 // mean overlap with the teachers of earlier sets; NaN for the first
	First float64 // overlap with the first teacher
	// Of are the overlaps with all teachers so far, in their order.
	Of []float64
}

// A Sequel holds the scores after each set of a sequence, in three ways.
type Sequel struct {
	With    []TaskScore // the posterior of each set was the prior of the next
	Tuned   []TaskScore // it was where the next began, without a prior
	Without []TaskScore // each set was learned anew
}

// Learn learns the sets of a sequence in three ways and returns the scores after each set. The error
// is the context's, or tells why learning failed or which parameters are invalid.
func (s Tasks) Learn(ctx context.Context, setup Setup, l *Learner, key stream.Key) (*Sequel, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	later := setup
	if s.Alpha > 0 {
		later.Alpha = s.Alpha
	}
	for _, x := range []Setup{setup, later} {
		if err := x.Validate(); err != nil {
			return nil, err
		}
	}
	teacher, err := planted.NewTeacher(setup.Visible, setup.Hidden, setup.Beta, setup.Correlation, key.Sub(stream.SequenceTeacher))
	if err != nil {
		return nil, err
	}
	var teachers []*rbm.Machine
	var out Sequel
	held, tuned := *l, *l
	held.Release, tuned.Restarts = s.Release, 1
	ways := []struct {
		learner *Learner
		scores  *[]TaskScore
	}{{l, &out.Without}, {&held, &out.With}, {&tuned, &out.Tuned}}
	for k := range s.Count {
		task := key.Sub(stream.SequenceTask).Sub(uint64(k))
		if k > 0 {
			teacher, setup = planted.Successor(teacher, s.Correlation, task.Sub(stream.TrialTeacher)), later
		}
		teachers = append(teachers, teacher)
		t, err := PlantTeacher(ctx, setup, teacher, task)
		if err != nil {
			return nil, err
		}
		for way, w := range ways {
			if k > 0 || way == 0 { // the first set has nothing before it
				if err := t.Learn(ctx, w.learner); err != nil {
					return nil, err
				}
			}
			*w.scores = append(*w.scores, score(t, teachers))
			switch w.learner {
			case &held:
				held.Prior = t.posterior().AsPrior(s.Strength)
			case &tuned:
				tuned.Start = t.posterior().Theta
			}
		}
	}
	return &out, nil
}

// score compares a student with the teachers so far.
func score(t *Trial, teachers []*rbm.Machine) TaskScore {
	n, p := t.Setup.Visible, t.Setup.Hidden
	signs := spin.New(n, p)
	spin.FromSigns(p, n, t.Means).Transpose(signs)
	last := len(teachers) - 1
	s := TaskScore{Old: math.NaN()}
	for _, teacher := range teachers {
		s.Of = append(s.Of, planted.Match(signs, teacher.Signs()).Mean())
	}
	s.New, s.First = s.Of[last], s.Of[0]
	if last > 0 {
		s.Old = 0
		for _, overlap := range s.Of[:last] {
			s.Old += overlap / float64(last)
		}
	}
	return s
}

// posterior returns what the student knows as a posterior.
func (t *Trial) posterior() *rbm.Posterior[float32] {
	const limit = 1 - 1e-7 // where float32 rounds to 1
	q := rbm.NewPosterior[float32](t.Setup.Visible, t.Setup.Hidden)
	for k, m := range t.Means {
		q.Theta[k] = float32(math.Atanh(max(-limit, min(limit, m))))
	}
	return q
}
