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
	}
	return nil
}

// A TaskScore is what a student knows after one set of a sequence.
type TaskScore struct {
	New   float64 // overlap with the teacher of this set
	Old   float64 // mean overlap with the teachers of earlier sets; NaN for the first
	First float64 // overlap with the first teacher
}

// Learn learns the sets of a sequence twice: with the posterior of each set as the
// prior of the next, and without, and returns the scores after each set. The error
// is the context's, that of learning or that of invalid parameters.
func (s Tasks) Learn(ctx context.Context, setup Setup, l *Learner, key stream.Key) (with, without []TaskScore, err error) {
	if err := s.Validate(); err != nil {
		return nil, nil, err
	}
	if err := setup.Validate(); err != nil {
		return nil, nil, err
	}
	teacher, err := planted.NewTeacher(setup.Visible, setup.Hidden, setup.Beta, setup.Correlation, key.Sub(stream.SequenceTeacher))
	if err != nil {
		return nil, nil, err
	}
	var teachers []*rbm.Machine
	student := *l
	for k := range s.Count {
		task := key.Sub(stream.SequenceTask).Sub(uint64(k))
		if k > 0 {
			teacher = planted.Successor(teacher, s.Correlation, task.Sub(stream.TrialTeacher))
		}
		teachers = append(teachers, teacher)
		t, err := PlantTeacher(ctx, setup, teacher, task)
		if err != nil {
			return nil, nil, err
		}
		if err := t.Learn(ctx, l); err != nil {
			return nil, nil, err
		}
		without = append(without, score(t, teachers))
		if k > 0 { // the first set has nothing before it
			if err := t.Learn(ctx, &student); err != nil {
				return nil, nil, err
			}
		}
		with = append(with, score(t, teachers))
		student.Prior = t.posterior().AsPrior(s.Strength)
	}
	return with, without, nil
}

// score compares a student with the teachers so far.
func score(t *Trial, teachers []*rbm.Machine) TaskScore {
	n, p := t.Setup.Visible, t.Setup.Hidden
	signs := spin.New(n, p)
	spin.FromSigns(p, n, t.Means).Transpose(signs)
	last := len(teachers) - 1
	s := TaskScore{New: planted.Match(signs, teachers[last].Signs()).Mean(), First: planted.Match(signs, teachers[0].Signs()).Mean(), Old: math.NaN()}
	if last > 0 {
		s.Old = 0
		for _, teacher := range teachers[:last] {
			s.Old += planted.Match(signs, teacher.Signs()).Mean() / float64(last)
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
