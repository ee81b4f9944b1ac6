package evolve

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/figure"
	"bethe/hyperadam"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// someDigits are 900 samples of 784 units with labels 0 to 9: a prototype for each, with units flipped.
func someDigits() *Digits {
	const samples = 900
	rng := stream.New(3).Rand()
	set := &dataset.Set{Samples: spin.New(4*side*side, samples), Labels: make([]int, samples)}
	for a := range samples {
		label := a % 10
		set.Labels[a] = label
		for i := range 4 * side * side {
			v := int8(1)
			if (i/7+label*i)%3 == 0 != (rng.Float64() < 0.1) {
				v = -1
			}
			set.Samples.Set(i, a, v)
		}
	}
	return NewDigits(set, 700)
}

// small are settings of quick generations.
func small() Settings {
	s := Default()
	s.Pairs, s.Tasks, s.Planted = 1, 2, 0.5
	return s
}

func saved(t *testing.T, l *Learner) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rule.npz")
	if err := l.File("test").Save(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func learner(t *testing.T, s Settings) *Learner {
	t.Helper()
	l, err := New(s, someDigits())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func generations(t *testing.T, l *Learner, until int) {
	t.Helper()
	for l.Generations() < until {
		if _, err := l.Generation(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestResume: a rule that is learned in one go, or stopped after a generation and on another number of threads, has
// the same bytes; one of other settings, or damaged, is refused.
func TestResume(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	runtime.GOMAXPROCS(2)
	whole := learner(t, small())
	generations(t, whole, 2)
	want := saved(t, whole)
	if other := learner(t, small()); bytes.Equal(saved(t, other), want) {
		t.Fatal("nothing is learned")
	}
	runtime.GOMAXPROCS(1)
	half := learner(t, small())
	generations(t, half, 1)
	path := filepath.Join(t.TempDir(), "rule.npz")
	if err := half.File("test").Save(path); err != nil {
		t.Fatal(err)
	}
	resumed, err := Resume(path, small(), someDigits())
	if err != nil {
		t.Fatal(err)
	}
	generations(t, resumed, 2)
	if !bytes.Equal(saved(t, resumed), want) {
		t.Error("resumed, another rule")
	}
	s := small()
	s.Sigma = 0.2
	if _, err := Resume(path, s, someDigits()); err == nil || !strings.Contains(err.Error(), `"sigma":0.2`) || !strings.Contains(err.Error(), path) {
		t.Errorf("other settings: %v", err)
	}
	f := half.File("test")
	f.More = f.More[1:]
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(path, small(), someDigits()); err == nil || !strings.Contains(err.Error(), `"mean"`) {
		t.Errorf("an array less: %v", err)
	}
	if _, err := Resume(path+"x", small(), someDigits()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestGenerationGivesUp: a generation whose context is done changes nothing.
func TestGenerationGivesUp(t *testing.T) {
	l := learner(t, small())
	before := saved(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Generation(ctx); !errors.Is(err, context.Canceled) || l.Generations() != 0 || !bytes.Equal(saved(t, l), before) {
		t.Errorf("%v, %d generations", err, l.Generations())
	}
}

// TestTasks: tasks of a key are the same again, tell rules apart, and a rule that moves wildly is worse than Adam.
func TestTasks(t *testing.T) {
	adam := hyperadam.OfVector(incumbent())
	wild := *adam
	wild.Out[4][hyperadam.Hidden] = 900 // away from 0, to the limit at once
	kinds := map[bool]bool{}
	for k := range uint64(3) {
		for _, planted := range []float64{0, 1} {
			s := small()
			s.Planted = planted
			l := learner(t, s)
			one, err := l.draw(t.Context(), stream.New(k))
			if err != nil {
				t.Fatal(err)
			}
			_, digits := one.(digitTask)
			kinds[digits] = true
			if digits != (planted == 0) {
				t.Errorf("planted %v: %T", planted, one)
			}
			if k > 0 {
				continue // one of each is enough
			}
			first, err := one.score(t.Context(), adam)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := one.score(t.Context(), adam)
			other, err := one.score(t.Context(), &wild)
			if err != nil || first != again || !(other < first) || math.IsNaN(first) || !(first < 0) {
				t.Errorf("planted %v: %v, %v, wild %v, %v", planted, first, again, other, err)
			}
		}
	}
}

// TestClimb: the mean goes uphill, the average follows.
func TestClimb(t *testing.T) {
	l := learner(t, small())
	l.gains = []float64{0}
	before := append([]float64(nil), l.mean...)
	grad := make([]float64, hyperadam.Numbers)
	grad[40], grad[50] = 1, -3
	l.climb(grad)
	if !(l.mean[40] > before[40]+0.04) || !(l.mean[50] < before[50]-0.04) || math.Abs(l.mean[45]-meanKeep*before[45]) > 1e-12 {
		t.Errorf("%v, %v, %v", l.mean[40]-before[40], l.mean[50]-before[50], l.mean[45])
	}
	if want := before[40] + averageRate*(l.mean[40]-before[40]); math.Abs(l.average[40]-want) > 1e-12 {
		t.Errorf("the average is %v, not %v", l.average[40], want)
	}
}

func TestCheck(t *testing.T) {
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Settings){
		"pairs": func(s *Settings) { s.Pairs = 0 }, "tasks": func(s *Settings) { s.Tasks = 0 }, "sigma": func(s *Settings) { s.Sigma = math.NaN() },
		"rate": func(s *Settings) { s.Rate = math.Inf(1) }, "planted": func(s *Settings) { s.Planted = 1.5 },
	} {
		s := Default()
		change(&s)
		_, err := New(s, nil)
		if wrong, ok := errors.AsType[*setting.Error](err); !ok || wrong.Setting != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestReport: the gain is that of the last ten generations, and the chart can be drawn.
func TestReport(t *testing.T) {
	l := learner(t, small())
	for k := range 12 {
		l.gains = append(l.gains, float64(k))
	}
	if r := l.Report("rule.npz", nil); r.Generations != 12 || math.Abs(r.Gain-6.5) > 1e-12 || r.Hash != l.File("").Weights.Hash() {
		t.Errorf("%+v", r)
	}
	var svg bytes.Buffer
	if err := figure.EncodeSVG(&svg, Chart(l.Gains()), figure.Light); err != nil || !strings.Contains(svg.String(), "generation") {
		t.Errorf("%v: %.200s", err, svg.String())
	}
}

// TestDigits: pixels are every second one, and classes the labels that were asked for.
func TestDigits(t *testing.T) {
	d := someDigits()
	learn, measure := d.of(1<<2 | 1<<5)
	if learn.Rows() != side*side || learn.Cols() != 140 || measure.Cols() != 40 {
		t.Errorf("%d x %d and %d", learn.Rows(), learn.Cols(), measure.Cols())
	}
	all, rest := d.of(0)
	if all.Cols() != 700 || rest.Cols() != 200 {
		t.Errorf("%d and %d", all.Cols(), rest.Cols())
	}
	m := spin.New(4*side*side, 1)
	m.Set((2*3+1)*28+2*5+1, 0, 1)
	half := halved(m)
	for i := range side * side {
		if (half.At(i, 0) > 0) != (i == 3*side+5) {
			t.Errorf("pixel %d: %d", i, half.At(i, 0))
		}
	}
}
