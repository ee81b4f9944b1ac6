package trial

import (
	"context"
	"math"

	"bethe/stream"
)

// A TasksReport is what several sequences of sets found.
type TasksReport struct {
	Visible     int     `json:"visible"`
	Hidden      int     `json:"hidden"`
	Alpha       float64 `json:"alpha"` // of each set
	Beta        float64 `json:"beta"`
	Correlation float64 `json:"task_correlation"` // of the synapses of consecutive teachers
	Strength    float64 `json:"prior_scale"`
	// PriorStrength is how often the divergence from the prior counts, if not once; LaterAlpha the density of the sets after the first, if another.
	PriorStrength float64    `json:"prior_strength,omitzero"`
	LaterAlpha    float64    `json:"task_alpha,omitzero"`
	Instances     int        `json:"instances"`
	Seed          uint64     `json:"seed"`
	Tasks         []TaskMean `json:"tasks"` // after each set
	// Forgetting, in overlaps, over all sets but the last: the best that a student ever had with a teacher less that at the end, a mean over teachers and
	// sequences; none of one set.
	Forgetting        *float64 `json:"forgetting,omitempty"`
	ForgettingTuned   *float64 `json:"forgetting_fine_tuned,omitempty"`
	ForgettingWithout *float64 `json:"forgetting_without_prior,omitempty"`
	Seconds           float64  `json:"seconds"`
}

// A TaskMean holds overlaps, means over sequences, after a set was learned: with
// its teacher, and with those of earlier sets.
type TaskMean struct {
	Task int `json:"task"`
	// Tuned: learning of each set began at the posterior of the set before, without a prior.
	NewTuned     float64  `json:"new_overlap_fine_tuned"`
	FirstTuned   float64  `json:"first_overlap_fine_tuned"`
	New          float64  `json:"new_overlap"`
	Old          *float64 `json:"old_overlap,omitempty"`
	First        float64  `json:"first_overlap"` // with the teacher of the first set
	NewWithout   float64  `json:"new_overlap_without_prior"`
	OldWithout   *float64 `json:"old_overlap_without_prior,omitempty"`
	FirstWithout float64  `json:"first_overlap_without_prior"`
}

// Run learns so many sequences, with teachers of their own, as Learn does. The error
// is that of Learn, or a *setting.Error.
func (s Tasks) Run(ctx context.Context, setup Setup, l *Learner, instances int, seed uint64, progress Progress) (*TasksReport, error) {
	if err := l.validate(instances); err != nil {
		return nil, err
	}
	r := &TasksReport{Visible: setup.Visible, Hidden: setup.Hidden, Alpha: setup.Alpha, Beta: setup.Beta, Correlation: s.Correlation, Strength: s.Strength, Instances: instances, Seed: seed}
	if s.Release != 0 {
		r.PriorStrength = 1 - s.Release
	}
	r.LaterAlpha = s.Alpha
	with, tuned, without := make([][]TaskScore, instances), make([][]TaskScore, instances), make([][]TaskScore, instances)
	var err error
	r.Seconds, err = Each("tasks", instances, progress, func(k int) error {
		scores, err := s.Learn(ctx, setup, l, stream.New(seed).Sub(uint64(k)))
		if err == nil {
			with[k], tuned[k], without[k] = scores.With, scores.Tuned, scores.Without
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	mean := func(scores [][]TaskScore, task int) (m TaskScore) {
		share := 1 / float64(len(scores))
		for _, x := range scores {
			m.New += share * x[task].New
			m.Old += share * x[task].Old
			m.First += share * x[task].First
		}
		return m
	}
	for task := range s.Count {
		a, b, c := mean(with, task), mean(without, task), mean(tuned, task)
		m := TaskMean{Task: task + 1, New: a.New, First: a.First, NewWithout: b.New, FirstWithout: b.First, NewTuned: c.New, FirstTuned: c.First}
		if !math.IsNaN(a.Old) {
			m.Old, m.OldWithout = &a.Old, &b.Old
		}
		r.Tasks = append(r.Tasks, m)
	}
	if s.Count > 1 {
		r.Forgetting, r.ForgettingTuned, r.ForgettingWithout = forgetting(with), forgetting(tuned), forgetting(without)
	}
	return r, nil
}

// forgetting returns the mean over teachers and sequences.
func forgetting(scores [][]TaskScore) *float64 {
	var sum float64
	for _, sequence := range scores {
		last := len(sequence) - 1
		for j, end := range sequence[last].Of[:last] {
			best := math.Inf(-1)
			for _, s := range sequence[j:last] {
				best = max(best, s.Of[j])
			}
			sum += (best - end) / float64(last*len(scores))
		}
	}
	return &sum
}
