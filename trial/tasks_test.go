package trial

import (
	"math"
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
	with, without, err := Tasks{Count: 4, Correlation: 1, Strength: 1}.Learn(t.Context(), s, l, stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	last := len(with) - 1
	if with[0] != without[0] && !(math.IsNaN(with[0].Old) && with[0].New == without[0].New) {
		t.Errorf("first set: %+v and %+v", with[0], without[0])
	}
	if with[last].New < without[last].New+0.1 || math.Abs(with[last].New-with[last].Old) > 1e-12 || math.Abs(with[last].New-with[last].First) > 1e-12 {
		t.Errorf("the same teacher four times: %+v with the prior, %+v without", with[last], without[last])
	}
	with, without, err = Tasks{Count: 3, Correlation: 0.5}.Learn(t.Context(), s, l, stream.New(3))
	if err != nil {
		t.Fatal(err)
	}
	if with[2] != without[2] || with[2].New == with[2].Old {
		t.Errorf("strength 0: %+v with the prior, %+v without", with[2], without[2])
	}
	for _, bad := range []Tasks{{Count: 0}, {Count: 2, Correlation: 2}, {Count: 2, Strength: -1}} {
		if _, _, err := bad.Learn(t.Context(), s, l, 0); err == nil {
			t.Errorf("%+v is no error", bad)
		}
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
