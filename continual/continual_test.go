package continual_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/continual"
	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
)

// data are samples of 8 units of four kinds, with a share of noise; kind k has the label k.
func data(name string, count int, seed uint64) learn.Data {
	rng := stream.New(seed).Rand()
	set := &dataset.Set{Name: name, Samples: spin.New(8, count), Labels: make([]int, count)}
	for a := range count {
		set.Labels[a] = a % 4
		for i := range 8 {
			s := int8(-1)
			if i/2 == a%4 != (rng.Float64() < 0.1) {
				s = 1
			}
			set.Samples.Set(i, a, s)
		}
	}
	return learn.Data{Set: set, Name: name}
}

func TestMeasure(t *testing.T) {
	m := continual.Measure([][]float64{{-1, -9, -8}, {-3, -2, -6}, {-4, -5, -1}}, -10)
	// Task 1: best -1, end -4. Task 2: best -2, end -5. Before they are learned: -9 and -6.
	if want := (continual.Measures{Forgetting: 3, Backward: -3, Forward: (1 + 4) / 2.}); m != want {
		t.Errorf("%+v, not %+v", m, want)
	}
	better := continual.Measure([][]float64{{-3, -9}, {-1, -2}}, -10)
	if better.Forgetting != -2 || better.Backward != 2 {
		t.Errorf("a task that got better: %+v", better)
	}
}

func TestPermuted(t *testing.T) {
	train, test := data("train", 300, 1), data("test", 40, 2)
	tasks, err := continual.Permuted(train, test, 3, 5)
	if err != nil || len(tasks) != 3 || !tasks[0].Train.Samples.Equal(train.Samples) {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	sums := func(d learn.Data) []int {
		out := make([]int, d.Visible())
		d.Samples.RowSums(out)
		return out
	}
	// The order is found by units that agree in all samples, and is that of the test data.
	order := func(d learn.Data, of learn.Data) []int {
		var found []int
		for i := range d.Visible() {
			for j := range d.Visible() {
				same := true
				for a := range d.Len() {
					same = same && d.Samples.At(i, a) == of.Samples.At(j, a)
				}
				if same {
					found = append(found, j)
				}
			}
		}
		return found
	}
	first, second := order(tasks[1].Train, train), order(tasks[2].Train, train)
	if len(first) != 8 || len(second) != 8 || equal(first, second) || equal(sums(tasks[1].Train), sums(train)) {
		t.Fatalf("orders %v and %v", first, second)
	}
	for i, j := range first {
		for a := range test.Len() {
			if tasks[1].Test.Samples.At(i, a) != test.Samples.At(j, a) {
				t.Fatalf("test data have another order")
			}
		}
	}
	again, _ := continual.Permuted(train, test, 3, 5)
	other, _ := continual.Permuted(train, test, 3, 6)
	if !again[1].Train.Samples.Equal(tasks[1].Train.Samples) || other[1].Train.Samples.Equal(tasks[1].Train.Samples) {
		t.Error("the seed does not decide the order")
	}
}

func equal(a, b []int) bool {
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	return true
}

func TestSplit(t *testing.T) {
	train, test := data("train", 400, 1), data("test", 40, 2)
	tasks, err := continual.Split(train, test, 2, 0, 1)
	if err != nil || tasks[0].Name != "labels 0 1" || tasks[1].Name != "labels 2 3" {
		t.Fatalf("%v, %v", tasks, err)
	}
	for k, task := range tasks {
		for _, d := range []learn.Data{task.Train, task.Test} {
			for _, l := range d.Labels {
				if l/2 != k {
					t.Fatalf("task %d has a sample of %d", k+1, l)
				}
			}
		}
		if task.Train.Len() != 200 || task.Test.Len() != 20 {
			t.Errorf("task %d of %d samples, measured with %d", k+1, task.Train.Len(), task.Test.Len())
		}
	}
	mixed, err := continual.Split(train, test, 2, 0.5, 1)
	if err != nil {
		t.Fatal(err)
	}
	foreign := 0
	for _, l := range mixed[0].Train.Labels {
		foreign += l / 2
	}
	// Half of the task is spread over both, and half of that stays at home: a quarter is foreign, to four standard deviations.
	if share := float64(foreign) / float64(mixed[0].Train.Len()); math.Abs(share-0.25) > 4*math.Sqrt(0.25*0.75/200) || mixed[0].Train.Len()+mixed[1].Train.Len() != 400 {
		t.Errorf("a share of %v is of other labels", share)
	}
	if n := mixed[0].Test.Len(); n != 20 {
		t.Errorf("measured with %d samples", n)
	}
}

// recipe is a quick one.
func recipe() learn.Recipe {
	r := continual.DefaultRecipe()
	r.Hidden, r.Steps, r.Batch, r.Chains, r.Scouts = 3, 60, 40, 40, 0
	return r
}

func sequence(t *testing.T, folder string, words ...string) *continual.Sequence {
	t.Helper()
	tasks, err := continual.Permuted(data("train", 200, 1), data("test", 50, 2), 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	methods, err := continual.Methods(words, continual.DefaultPriors)
	if err != nil {
		t.Fatal(err)
	}
	return &continual.Sequence{Tasks: tasks, Methods: methods, Recipe: recipe(), Seed: 3, Folder: folder, Program: "test"}
}

func silent(string, float64, string) {}

func TestRun(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := sequence(t, folder, "fine-tune", "prior:1e6", "replay", "joint")
	r, err := s.Run(t.Context(), silent)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range r.Methods {
		for i, row := range l.Nats {
			file, err := rbm.Load(l.Machines[i].Model)
			if err != nil {
				t.Fatal(err)
			}
			if of := file.Info.Settings; r.Rate != learn.BinaryRate || fmt.Sprint(of["rate"]) != "0.02" || of["theta_decay"] != nil {
				t.Errorf("%s: rate %v, settings %v", l.Method, r.Rate, of)
			}
			for j, got := range row {
				want, err := evaluate.MachineLikelihood(t.Context(), file.Machine(), nil, s.Tasks[j].Test.Samples, evaluate.Options{})
				if err != nil || math.Abs(got-want.Mean) > 1e-9 || !l.Machines[i].Settled {
					t.Errorf("%s, task %d after row %d: %v, not %v (%v)", l.Method, j+1, i, got, want.Mean, err)
				}
			}
		}
		if l.Method != "joint" && len(l.Nats) != 2 || l.Method == "joint" && (len(l.Nats) != 1 || l.Measures != nil || l.Machines[0].Steps != 120) {
			t.Errorf("%s: %d rows, %d steps", l.Method, len(l.Nats), l.Machines[0].Steps)
		}
	}
	if tune, firm := r.Methods[0].Forgetting, r.Methods[1].Forgetting; !(firm < tune/5) {
		t.Errorf("forgetting %v without a prior, %v with a firm one", tune, firm)
	}
	if text := r.Text(); !strings.Contains(text, "fine-tune\n") || !strings.Contains(text, "forgetting") || strings.Count(text, "  after ") != 7 {
		t.Errorf("text:\n%s", text)
	}
	report, err := os.ReadFile(filepath.Join(folder, continual.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	// Again: nothing is learned, and the report has the same bytes.
	if _, err := s.Run(t.Context(), func(stage string, _ float64, _ string) { t.Errorf("%s again", stage) }); err != nil {
		t.Fatal(err)
	}
	if again, _ := os.ReadFile(filepath.Join(folder, continual.ReportFile)); !bytes.Equal(report, again) {
		t.Error("another report")
	}
}

// A sequence that is interrupted in its second task goes on to the same machine.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	whole, err := sequence(t, t.TempDir(), "ewc:5").Run(t.Context(), silent)
	if err != nil {
		t.Fatal(err)
	}
	s := sequence(t, t.TempDir(), "ewc:5")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err = s.Run(ctx, func(stage string, _ float64, _ string) {
		if strings.HasPrefix(stage, "ewc") {
			cancel()
		}
	}); !errors.As(err, new(*learn.InterruptedError)) {
		t.Fatalf("interrupted: %v", err)
	}
	r, err := s.Run(t.Context(), silent)
	if err != nil {
		t.Fatal(err)
	}
	for k, x := range r.Methods[0].Nats[1] {
		if x != whole.Methods[0].Nats[1][k] {
			t.Errorf("task %d: %v, and %v without a break", k+1, x, whole.Methods[0].Nats[1][k])
		}
	}
}

func TestErrors(t *testing.T) {
	read := func(name string) (learn.Data, error) {
		d := data(name, 40, 1)
		if strings.Contains(name, "bare") {
			d.Labels = nil
		}
		return d, nil
	}
	none := func(string) (string, bool) { return "", false }
	open := func(word string, names, tests []string, share float64) error {
		_, err := continual.Open(read, word, names, tests, share, 1, none)
		return err
	}
	run := func(change func(s *continual.Sequence)) error {
		s := sequence(t, t.TempDir(), "fine-tune")
		change(s)
		_, err := s.Run(t.Context(), silent)
		return err
	}
	methods := func(priors continual.Priors, words ...string) error {
		_, err := continual.Methods(words, priors)
		return err
	}
	usual := continual.DefaultPriors
	for _, c := range []struct {
		err        error
		name, text string
	}{
		{open("shuffled:2", []string{"a"}, nil, 0), "tasks", "shuffled:2"}, {open("permuted", []string{"a"}, nil, 0), "tasks", "permuted:2"},
		{open("permuted:1", []string{"a"}, nil, 0), "tasks", "at least 2"}, {open("split:5", []string{"a"}, nil, 0), "tasks", "5 tasks of 4 labels"},
		{open("split:2", []string{"bare"}, nil, 0), "tasks", "bare"}, {open("mixed:2", []string{"a"}, nil, 1), "mix", "less than 1"},
		{open("split:2", []string{"a", "b"}, nil, 0), "tasks", "not of 2"}, {open("files", []string{"a", "b"}, []string{"c"}, 0), "test", "1 sets"},
		{methods(usual), "methods", "at least one"}, {methods(usual, "elastic"), "methods", "fine-tune, prior"}, {methods(usual, "prior:-1"), "methods", "prior:-1"},
		{methods(usual, "replay:3"), "methods", "no strength"}, {methods(usual, "replay", "replay"), "methods", "twice"},
		{methods(continual.Priors{Scale: 2}, "prior"), "prior_scale", "between 0 and 1"}, {methods(continual.Priors{Fields: -1}, "prior"), "field_prior", "negative"},
		{run(func(s *continual.Sequence) { s.Tasks = s.Tasks[:1] }), "data", "at least two"}, {run(func(s *continual.Sequence) { s.Recipe.Init = "x" }), "recipe", "themselves"},
		{run(func(s *continual.Sequence) { s.Recipe.Synapses = "sign" }), "recipe", "binary"}, {run(func(s *continual.Sequence) { s.Recipe.Steps = 0 }), "steps", "not a time"},
		{run(func(s *continual.Sequence) {
			s.Tasks[1].Test = learn.Data{Set: s.Tasks[1].Test.Subset(nil), Name: "empty"}
		}), "data", "empty"},
		{run(func(s *continual.Sequence) {
			s.Tasks[1].Train = learn.Data{Set: &dataset.Set{Samples: spin.New(7, 9)}, Name: "narrow"}
		}), "data", "narrow has samples of 7"},
	} {
		var wrong *setting.Error
		if !errors.As(c.err, &wrong) || wrong.Setting != c.name || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%s, %q: %v", c.name, c.text, c.err)
		}
	}
	if tasks, err := continual.Open(read, "files", []string{"a", "b"}, nil, 0, 1, func(name string) (string, bool) { return name + ":test", name == "a" }); err != nil || tasks[0].Test.Name != "a:test" || tasks[1].Test.Name != "b" {
		t.Errorf("files: %v, %v", tasks, err)
	}
}
