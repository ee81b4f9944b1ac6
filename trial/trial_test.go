package trial

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"bethe/stream"
)

var easy = Setup{Visible: 40, Hidden: 2, Alpha: 8, Beta: 1}

func learned(t *testing.T, s Setup, l *Learner, key stream.Key) *Trial {
	t.Helper()
	x, err := Plant(t.Context(), s, key)
	if err == nil {
		err = x.Learn(t.Context(), l)
	}
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// A student with plenty of data comes close to the teacher and to the Bayes
// optimum, and depends on its key but not on threads.
func TestTrial(t *testing.T) {
	l := DefaultLearner(easy, 3)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	x := learned(t, easy, l, stream.New(3))
	if err := x.BayesOptimum(t.Context()); err != nil {
		t.Fatal(err)
	}
	if x.Overlap < 0.75 || math.Abs(x.Overlap-x.Bayes) > 0.1 || math.Abs(x.Bayes-x.BayesRandomStart) > 0.1 || !(x.Bound < 0 && x.Bound > -40*math.Ln2-2) {
		t.Errorf("overlap %v, Bayes-optimal %v and %v, bound %v", x.Overlap, x.Bayes, x.BayesRandomStart, x.Bound)
	}
	runtime.GOMAXPROCS(3)
	if y := learned(t, easy, l, stream.New(3)); y.Overlap != x.Overlap || y.Bound != x.Bound || y.OverlapOfMeans != x.OverlapOfMeans || y.OverlapBestStart != x.OverlapBestStart {
		t.Errorf("another number of threads: %+v, not %+v", y, x)
	}
	if y := learned(t, easy, l, stream.New(4)); y.Bound == x.Bound {
		t.Error("the key does not matter")
	}
	quenched := *l
	quenched.Draws = 16
	if y := learned(t, easy, &quenched, stream.New(3)); y.Bound == y.BoundAnnealed || math.Abs(y.Bound-y.BoundAnnealed) > 0.1 || x.BoundAnnealed != 0 {
		t.Errorf("quenched bound %v, annealed %v at the same posterior", y.Bound, y.BoundAnnealed)
	}
}

func TestSummarise(t *testing.T) {
	s := Summarise([]*Trial{{Overlap: 0.5, Bound: -3, Bayes: 0.6}, {Overlap: 0.7, Bound: -1, Bayes: 1}})
	if math.Abs(s.Overlap-0.6) > 1e-15 || math.Abs(s.OverlapSpread-0.1) > 1e-15 || s.Bound != -2 || math.Abs(s.BayesSpread-0.2) > 1e-15 || math.Abs(s.BayesError-0.1) > 1e-15 {
		t.Errorf("%+v", s)
	}
	if one := Summarise([]*Trial{{Overlap: 0.5}}); !math.IsNaN(one.BayesError) || one.Overlap != 0.5 {
		t.Errorf("of one trial: %+v", one)
	}
}

func TestErrors(t *testing.T) {
	for want, change := range map[string]func(s *Setup){
		"visible 0":        func(s *Setup) { s.Visible = 0 },
		"hidden -1":        func(s *Setup) { s.Hidden = -1 },
		"alpha NaN":        func(s *Setup) { s.Alpha = math.NaN() },
		"alpha 0.01":       func(s *Setup) { s.Alpha = 0.01 },
		"alpha 1e+09":      func(s *Setup) { s.Alpha = 1e9 },
		"beta 0":           func(s *Setup) { s.Beta = 0 },
		"beta +Inf":        func(s *Setup) { s.Beta = math.Inf(1) },
		"correlation -1.5": func(s *Setup) { s.Correlation = -1.5 },
	} {
		s := easy
		change(&s)
		if _, err := Plant(t.Context(), s, 0); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v", want, err)
		}
	}
	x, err := Plant(t.Context(), easy, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Plant(ctx, easy, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("planting: %v", err)
	}
	if err := x.Learn(ctx, DefaultLearner(easy, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("learning: %v", err)
	}
	if err := x.BayesOptimum(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Bayes optimum: %v", err)
	}
}
