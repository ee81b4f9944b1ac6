package trial

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/runs"
	"bethe/setting"
)

// stages notes what progress tells.
type stages struct {
	names []string
	last  float64
}

func (s *stages) tell(stage string, fraction float64, _ string) {
	if fraction == 0 {
		s.names = append(s.names, stage)
	}
	s.last = fraction
}

func quiet(string, float64, string) {}

// TestExperiment: the report has what the trials found, in order, and the stages are told.
func TestExperiment(t *testing.T) {
	s := Setup{Visible: 20, Hidden: 2, Alpha: 4, Beta: 1}
	l := DefaultLearner(s, 2)
	l.Steps = 40
	e := &Experiment{Setup: s, Instances: 3, Learner: l, Oracle: true, Engine: "exact", Seed: 5}
	var told stages
	r, err := e.Run(t.Context(), told.tell)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(told.names, ","); got != "planting,learning,Bayes optimum" || told.last != 1 {
		t.Errorf("stages %s, %v", got, told.last)
	}
	if r.Overlap != r.Summary.Overlap || len(r.Overlaps) != 3 || r.Overlaps[1] != r.Trials[1].Overlap || r.BayesInstances[2] != r.Trials[2].Bayes || *r.Bayes != r.Summary.Bayes || *r.BayesError != r.Summary.BayesError || r.BoundAnnealed != nil || r.Samples != 80 {
		t.Errorf("%+v", r)
	}
	l.Draws, l.Polish, e.Oracle, e.Instances = 8, 0, false, 1
	if r, err = e.Run(t.Context(), quiet); err != nil || r.BoundAnnealed == nil || r.Bayes != nil || r.BayesError != nil {
		t.Errorf("quenched: %+v, %v", r, err)
	}
	// Teachers are drawn from the prior, where there is one.
	l.Draws = 0
	e.Prior = rbm.NewPosterior[float32](20, 2)
	for k := range e.Prior.Theta {
		e.Prior.Theta[k] = 9
	}
	if r, err = e.Run(t.Context(), quiet); err != nil || r.Trials[0].Teacher.Signs().At(7, 1) != 1 || r.Overlap < 0.99 {
		t.Errorf("of a sure prior: overlap %v, %v", r.Overlap, err)
	}
	for name, change := range map[string]func(e *Experiment, l *Learner){
		"visible": func(e *Experiment, _ *Learner) { e.Setup.Visible = 0 }, "instances": func(e *Experiment, _ *Learner) { e.Instances = 0 }, "restarts": func(_ *Experiment, l *Learner) { l.Restarts = 0 },
		"steps": func(_ *Experiment, l *Learner) { l.Steps = 0 }, "rate": func(_ *Experiment, l *Learner) { l.Rate = math.Inf(1) }, "polish": func(_ *Experiment, l *Learner) { l.Polish = -1 },
		"oracle": func(e *Experiment, _ *Learner) { e.Oracle = true }, "correlation": func(e *Experiment, _ *Learner) { e.Setup.Correlation = 0.5 },
		"hidden": func(e *Experiment, _ *Learner) { e.Setup.Hidden, e.Oracle = 50, true },
	} {
		other, learner := *e, *l
		other.Learner = &learner
		change(&other, &learner)
		var wrong *setting.Error
		if _, err := other.Run(t.Context(), quiet); !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEach(t *testing.T) {
	second, third := errors.New("second"), errors.New("third")
	var told stages
	if _, err := Each("x", 4, told.tell, func(k int) error { return []error{nil, second, third, nil}[k] }); err != second || told.last != 1 {
		t.Errorf("%v, %v", err, told.last)
	}
}

func TestTasksRun(t *testing.T) {
	s := Setup{Visible: 20, Hidden: 2, Alpha: 3, Beta: 1}
	l := DefaultLearner(s, 1)
	l.Steps = 20
	r, err := Tasks{Count: 2, Correlation: 1, Strength: 1}.Run(t.Context(), s, l, 2, 3, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Tasks) != 2 || r.Tasks[0].Old != nil || r.Tasks[0].New != r.Tasks[0].NewWithout || r.Tasks[1].Old == nil || math.Abs(*r.Tasks[1].Old-r.Tasks[1].New) > 1e-12 || r.Tasks[1].Task != 2 {
		t.Errorf("%+v", r.Tasks)
	}
	if _, err := (Tasks{Count: 1}).Run(t.Context(), s, l, 0, 3, quiet); err == nil {
		t.Error("no sequence is no error")
	}
}

// TestMessages: far above the transition messages settle at the Bayes optimum.
func TestMessages(t *testing.T) {
	e := DefaultMessages()
	e.Setup.Visible, e.Alphas, e.Instances, e.Starts, e.Oracle, e.Seed = 60, []float64{6}, 2, 2, true, 5
	r := e.Report()
	for p, err := range e.Points(t.Context(), quiet) {
		if err != nil {
			t.Fatal(err)
		}
		r.Points = append(r.Points, p)
	}
	p := r.Points[0]
	if len(r.Points) != 1 || r.Transition != 1 || p.Samples != 360 || p.Settled != 2 || math.Abs(p.Overlap-*p.Bayes) > 0.1 || *p.MarginalBy > *p.MarginalAt || *p.MarginalBy > 0.2 || *p.OverlapLarge < 0.9 || p.Growth > p.GrowthMax {
		t.Errorf("%+v", p)
	}
	for name, change := range map[string]func(e *Messages){
		"hidden": func(e *Messages) { e.Setup.Hidden = 3 }, "alpha": func(e *Messages) { e.Alphas = []float64{1, -2} }, "beta": func(e *Messages) { e.Setup.Beta = 99 }, "damping": func(e *Messages) { e.Damping = 1 },
		"instances": func(e *Messages) { e.Instances = 0 }, "restarts": func(e *Messages) { e.Starts = 0 }, "iterations": func(e *Messages) { e.Iterations = 0 },
		"tolerance": func(e *Messages) { e.Tolerance = math.NaN() }, "correlation": func(e *Messages) { e.Setup.Correlation = 2 },
	} {
		other := e
		change(&other)
		for _, err := range other.Points(t.Context(), quiet) {
			if wrong := (*setting.Error)(nil); !errors.As(err, &wrong) || wrong.Setting != name {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	e.Alphas = nil
	if e.Validate() == nil {
		t.Error("no density is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e.Alphas = []float64{1}
	for _, err := range e.Points(ctx, quiet) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestFollow: the folder is of a run, with records, the model and the report; it is not
// written over.
func TestFollow(t *testing.T) {
	s := Setup{Visible: 20, Hidden: 2, Alpha: 4, Beta: 1}
	l := DefaultLearner(s, 1)
	l.Steps = 30
	r, err := (&Experiment{Setup: s, Instances: 1, Learner: l, Engine: "exact", Seed: 5}).Run(t.Context(), quiet)
	if err != nil {
		t.Fatal(err)
	}
	drawn := ""
	f := Following{Folder: filepath.Join(t.TempDir(), "run"), Program: "test", Progress: quiet, Draw: func(path string, file *rbm.File) error {
		drawn = path
		return nil
	}}
	if err := f.Follow(t.Context(), r.Trials[0], l, r); err != nil {
		t.Fatal(err)
	}
	found, err := runs.Find(f.Folder)
	if err != nil || len(found) != 1 || !found[0].Finished || found[0].Info.Verb != "planted" || found[0].Info.Seed != 5 || filepath.Base(drawn) != runs.SynapsesFile {
		t.Errorf("%+v, %v", found, err)
	}
	records, err := runs.ReadRecords(f.Folder)
	if err != nil || len(records) != 31 || records[30].Fraction != 1 || len(records[30].SingularValues) != 2 || len(records[3].TeacherOverlaps) != 2 || records[0].Bound.By != "exact" {
		t.Errorf("%d records, %v", len(records), err)
	}
	if file, err := rbm.Load(filepath.Join(f.Folder, runs.ModelFile)); err != nil || file.Info.Steps != 30 || file.Info.Samples != 80 {
		t.Errorf("%v", err)
	}
	var saved Report
	if text, err := os.ReadFile(filepath.Join(f.Folder, runs.ResultFile)); err != nil || json.Unmarshal(text, &saved) != nil || saved.Overlap != r.Overlap {
		t.Errorf("%v: %s", err, text)
	}
	var held *FolderError
	if err := f.Follow(t.Context(), r.Trials[0], l, r); !errors.As(err, &held) || held.File != runs.MetricsFile && held.File != runs.ModelFile {
		t.Errorf("the same folder again: %v", err)
	}
}
