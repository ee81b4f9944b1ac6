package trial

import (
	"math"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

// The posterior of a set helps with the next where teachers are the same, and
// a prior of strength 0 is none.
func TestTasks(t *testing.T) {
	s := Setup{Visible: 50, Hidden: 2, Alpha: 3, Beta: 1}
	l := DefaultLearner(s, 3)
	out, err := Tasks{Count: 4, Correlation: 1, Strength: 1}.Learn(t.Context(), s, l, stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	with, without := out.With, out.Without
	last := len(with) - 1
	if !math.IsNaN(with[0].Old) || with[0].New != without[0].New || with[0].New != out.Tuned[0].New {
		t.Errorf("first set: %+v and %+v", with[0], without[0])
	}
	if with[last].New < without[last].New+0.1 || math.Abs(with[last].New-with[last].Old) > 1e-12 || math.Abs(with[last].New-with[last].First) > 1e-12 {
		t.Errorf("the same teacher four times: %+v with the prior, %+v without", with[last], without[last])
	}
	if out, err = (Tasks{Count: 3, Correlation: 0.5}).Learn(t.Context(), s, l, stream.New(3)); err != nil {
		t.Fatal(err)
	}
	if with, without = out.With, out.Without; !slices.Equal(with[2].Of, without[2].Of) || with[2].New == with[2].Old {
		t.Errorf("strength 0: %+v with the prior, %+v without", with[2], without[2])
	}
	for _, bad := range []Tasks{{Count: 0}, {Count: 2, Correlation: 2}, {Count: 2, Strength: -1}, {Count: 2, Release: 1}, {Count: 2, Alpha: -1}} {
		if _, err := bad.Learn(t.Context(), s, l, 0); err == nil {
			t.Errorf("%+v is no error", bad)
		}
	}
}

// The more a prior counts, the less is forgotten and the less is learned; where learning begins matters little.
func TestForgetting(t *testing.T) {
	s := Setup{Visible: 50, Hidden: 1, Alpha: 5, Beta: 1}
	run := func(release float64) *TasksReport {
		r, err := Tasks{Count: 2, Correlation: 0.5, Strength: 1, Release: release, Alpha: 4}.Run(t.Context(), s, DefaultLearner(s, 2), 4, 2, quiet)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	weak, once, strong := run(0.9), run(0), run(-4)
	if !(*strong.Forgetting < *once.Forgetting && *once.Forgetting < *weak.Forgetting && *once.Forgetting < *once.ForgettingTuned/2) {
		t.Errorf("forgetting %v, %v and %v with a prior, %v fine-tuned", *weak.Forgetting, *once.Forgetting, *strong.Forgetting, *once.ForgettingTuned)
	}
	if a, b := once.Tasks[1], strong.Tasks[1]; !(b.New < a.New && b.First > a.First) || math.Abs(a.NewTuned-a.NewWithout) > 0.1 {
		t.Errorf("after the second: %+v, and of a prior that counts five times %+v", a, b)
	}
	if want := once.Tasks[0].First - once.Tasks[1].First; math.Abs(*once.Forgetting-want) > 1e-12 || strong.PriorStrength != 5 || once.LaterAlpha != 4 {
		t.Errorf("forgetting %v, not %v; strength %v, density %v", *once.Forgetting, want, strong.PriorStrength, once.LaterAlpha)
	}
}

// A strong prior decides where there are hardly any data, on every path: the
// bound, the steps of the cavity method, each rule.
func TestPriorDecides(t *testing.T) {
	s := Setup{Visible: 50, Hidden: 2, Alpha: 0.1, Beta: 1}
	x, err := Plant(t.Context(), s, stream.New(5))
	if err != nil {
		t.Fatal(err)
	}
	q := rbm.NewPosterior[float32](s.Visible, s.Hidden)
	other := spin.Random(s.Hidden, s.Visible, stream.New(6).Rand())
	spin.Values(q.Theta, other)
	for k := range q.Theta {
		q.Theta[k] *= 3
	}
	for _, rule := range []variational.Rule{variational.Adam, variational.BayesianRule, variational.ClippedAdam} {
		for _, draws := range []int{0, 16} {
			l := DefaultLearner(s, 2)
			l.Prior, l.Draws, l.Rule = q.AsPrior(1), draws, rule
			if err := x.Learn(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			signs := spin.FromSigns(s.Hidden, s.Visible, x.Means)
			if !signs.Equal(other) {
				t.Errorf("rule %v, %d draws: the signs are not the prior's", rule, draws)
			}
			free := DefaultLearner(s, 2)
			free.Rule = rule
			if err := x.Learn(t.Context(), free); err != nil {
				t.Fatal(err)
			}
			if spin.FromSigns(s.Hidden, s.Visible, x.Means).Equal(other) {
				t.Error("so they are without the prior")
			}
		}
	}
}
