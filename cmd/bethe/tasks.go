package main

import (
	"context"
	"math"

	"bethe/stream"
	"bethe/trial"
)

// tasksReport is the JSON object of planted --tasks.
type tasksReport struct {
	Visible     int        `json:"visible"`
	Hidden      int        `json:"hidden"`
	Alpha       float64    `json:"alpha"` // of each set
	Beta        float64    `json:"beta"`
	Correlation float64    `json:"task_correlation"` // of the synapses of consecutive teachers
	Strength    float64    `json:"prior_scale"`
	Instances   int        `json:"instances"`
	Seed        uint64     `json:"seed"`
	Tasks       []taskMean `json:"tasks"` // after each set
	Seconds     float64    `json:"seconds"`
}

// taskMean holds overlaps, means over instances, after a set was learned: with
// its teacher, and with those of earlier sets.
type taskMean struct {
	Task         int      `json:"task"`
	New          float64  `json:"new_overlap"`
	Old          *float64 `json:"old_overlap,omitempty"`
	First        float64  `json:"first_overlap"` // with the teacher of the first set
	NewWithout   float64  `json:"new_overlap_without_prior"`
	OldWithout   *float64 `json:"old_overlap_without_prior,omitempty"`
	FirstWithout float64  `json:"first_overlap_without_prior"`
}

// plantedTasks learns sequences of sets.
func (c *console) plantedTasks(ctx context.Context, f *plantedFlags) error {
	learner, err := f.learner()
	if err != nil {
		return err
	}
	s := f.sequence()
	r := tasksReport{Visible: f.visible, Hidden: f.hidden, Alpha: f.alpha, Beta: f.beta, Correlation: s.Correlation, Strength: s.Strength, Instances: f.instances, Seed: c.seed}
	with, without := make([][]trial.TaskScore, f.instances), make([][]trial.TaskScore, f.instances)
	r.Seconds, err = c.each("tasks", f.instances, func(k int) (err error) {
		with[k], without[k], err = s.Learn(ctx, f.setup(), learner, stream.New(c.seed).Sub(uint64(k)))
		return err
	})
	if err != nil {
		return err
	}
	mean := func(scores [][]trial.TaskScore, task int) (m trial.TaskScore) {
		share := 1 / float64(len(scores))
		for _, x := range scores {
			m.New += share * x[task].New
			m.Old += share * x[task].Old
			m.First += share * x[task].First
		}
		return m
	}
	for task := range f.tasks {
		a, b := mean(with, task), mean(without, task)
		m := taskMean{Task: task + 1, New: a.New, First: a.First, NewWithout: b.New, FirstWithout: b.First}
		if !math.IsNaN(a.Old) {
			m.Old, m.OldWithout = &a.Old, &b.Old
		}
		r.Tasks = append(r.Tasks, m)
	}
	c.printf("N = %d, P = %d, alpha = %g a set, beta = %g, consecutive teachers correlated by %g, posterior times %g as the next prior: %d sequences\n",
		r.Visible, r.Hidden, r.Alpha, r.Beta, r.Correlation, r.Strength, r.Instances)
	c.printf("            with prior                    without\n  set     new     old   first        new     old   first\n")
	for _, m := range r.Tasks {
		if m.Old == nil {
			c.printf("%5d   %.3f       -   %.3f      %.3f       -   %.3f\n", m.Task, m.New, m.First, m.NewWithout, m.FirstWithout)
			continue
		}
		c.printf("%5d   %.3f   %.3f   %.3f      %.3f   %.3f   %.3f\n", m.Task, m.New, *m.Old, m.First, m.NewWithout, *m.OldWithout, m.FirstWithout)
	}
	return c.object(r)
}
