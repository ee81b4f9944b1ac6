package trial

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"bethe/planted"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/variational"
)

func deepExperiment() Deep {
	return Deep{Visible: 40, Hidden: []int{3, 2}, Alpha: 10, Beta: []float64{1.3, 1.2}, Instances: 2, Restarts: 6, Steps: 200, Rate: 0.1,
		Recognition: variational.Stationary, Stage: 0.5, Seed: 5}
}

// Of a teacher most is found again, layer by layer, a start there stays there, and its bound
// is the higher one. Equal seeds give equal reports.
func TestDeepPlanted(t *testing.T) {
	e := deepExperiment()
	r, err := e.Run(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	if r.Layers[0] < 0.7 || r.Layers[1] < 0.6 || r.TeacherLayers[0] < 0.95 || r.TeacherLayers[1] < 0.95 || r.Shortfall > 0.2 || r.TeacherBound < r.Bound || r.Samples != 400 {
		t.Errorf("%+v", r)
	}
	if text := r.Text(); !strings.Contains(text, "overlap of layer 2") {
		t.Error(text)
	}
	e.Instances, e.Oracle = 1, true
	was := planted.DefaultDeepSchedule
	planted.DefaultDeepSchedule = planted.Schedule{BurnIn: 10, Temperature: 1, Keep: 5}
	defer func() { planted.DefaultDeepSchedule = was }()
	again, err := e.Run(t.Context(), quiet)
	if err != nil || !reflect.DeepEqual(again.LayersOf[0], r.LayersOf[0]) || again.Bounds[0] != r.Bounds[0] {
		t.Errorf("another report: %+v, %v", again, err)
	}
	if b := again.Bayes; b == nil || b.FromTeacher.Overlap[0] < 0.9 || !strings.Contains(again.Text(), "Bayes optimum") {
		t.Errorf("%+v", b)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Run(ctx, quiet); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Overlaps do not see what the data do not tell: units in another order and with all signs turned.
func TestDeepScore(t *testing.T) {
	e := deepExperiment()
	trial, err := e.plant(t.Context(), stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	one, two := trial.teacher.Links[0].Synapses.(rbm.Signed).Signs(), trial.teacher.Links[1].Synapses.(rbm.Signed).Signs()
	order, sign := []int{2, 0, 1}, []int8{-1, 1, -1}
	turned := &rbm.Chain{Layers: trial.teacher.Layers}
	first, second := spin.New(40, 3), spin.New(3, 2)
	for at, of := range order {
		for i := range 40 {
			first.Set(i, at, sign[at]*one.At(i, of))
		}
		for k := range 2 {
			second.Set(at, 1-k, -sign[at]*two.At(of, k))
		}
	}
	turned.Links = []rbm.Between{{Coupling: 1, Synapses: rbm.Binary(first)}, {Coupling: 1, Synapses: rbm.Binary(second)}}
	m, err := turned.Fold()
	if err != nil {
		t.Fatal(err)
	}
	theta := rbm.Values(m.Synapses)
	q := rbm.NewPosterior[float32](m.Visible(), m.Hidden())
	copy(q.Theta, theta)
	if got, err := trial.score(&rbm.Model[float32]{Params: m.Params, Posterior: q}); err != nil || got[0] != 1 || got[1] != 1 {
		t.Errorf("overlaps %v, %v", got, err)
	}
}

// Data of a deep teacher have its means: 5 standard errors of 40,000 samples.
func TestDeepData(t *testing.T) {
	for _, sizes := range []rbm.Folding{{4, 3, 2}, {2, 5, 2}} {
		c := &rbm.Chain{}
		for l, n := range sizes {
			layer := rbm.Layer{Field: make([]float64, n), Offset: make([]float64, n)}
			for i := range n {
				layer.Field[i] = 0.3 * float64(i-l)
			}
			c.Layers = append(c.Layers, layer)
			if l > 0 {
				c.Links = append(c.Links, rbm.Between{Coupling: 0.4, Synapses: rbm.Binary(spin.Random(sizes[l-1], n, stream.New(uint64(l)).Rand()))})
			}
		}
		m, err := c.Fold()
		if err != nil {
			t.Fatal(err)
		}
		moments := rbm.NewMoments[float64](m.Visible(), m.Hidden())
		if _, err := rbm.NetworkOf[float64](m).ExactMoments(t.Context(), moments); err != nil {
			t.Fatal(err)
		}
		const count = 40000
		s, err := planted.DeepData(t.Context(), m, count, stream.New(3))
		if err != nil {
			t.Fatal(err)
		}
		sums := make([]int, m.Visible())
		s.RowSums(sums)
		for i, want := range moments.Visible {
			if got := float64(sums[i]) / count; math.Abs(got-want) > 5/math.Sqrt(count) {
				t.Errorf("%v: unit %d has the mean %v, exactly %v", sizes, i, got, want)
			}
		}
	}
}

func TestDeepSettings(t *testing.T) {
	for want, change := range map[string]func(e *Deep){
		"visible": func(e *Deep) { e.Visible = 0 }, "hidden": func(e *Deep) { e.Hidden = []int{3} }, "hidden ": func(e *Deep) { e.Hidden = []int{3, 0} },
		"hidden  ": func(e *Deep) { e.Hidden = []int{30, 2} }, "beta": func(e *Deep) { e.Beta = []float64{1} }, "beta ": func(e *Deep) { e.Beta[1] = 0 },
		"alpha": func(e *Deep) { e.Alpha = 0 }, "stage": func(e *Deep) { e.Stage = 1 }, "rate": func(e *Deep) { e.Rate = 0 },
	} {
		e := deepExperiment()
		change(&e)
		_, err := e.Run(t.Context(), quiet)
		var s *setting.Error
		if !errors.As(err, &s) || s.Setting != strings.TrimSpace(want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
