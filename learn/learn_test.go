package learn_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/runs"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// TestImports: learning needs neither the digits carried inside nor plots nor tables
// nor a command line: programs that embed it carry none of them.
func TestImports(t *testing.T) {
	text, err := exec.Command("go", "list", "-deps", "bethe/learn").Output()
	if err != nil {
		t.Fatal(err)
	}
	imports := strings.Fields(string(text))
	if !slices.Contains(imports, "bethe/variational") {
		t.Fatalf("imports %v", imports)
	}
	for _, name := range imports {
		for _, unwanted := range []string{"bethe/dataset/mnist", "bethe/figure", "bethe/dashboard", "bethe/internal/tensorboard", "bethe/cmd/", "gonum.org/v1/plot",
			"github.com/parquet-go/", "github.com/spf13/", "google.golang.org/protobuf", "net/http", "image/png", "flag"} {
			if name == strings.TrimSuffix(unwanted, "/") || strings.HasPrefix(name, unwanted) && strings.HasSuffix(unwanted, "/") || strings.HasPrefix(name, unwanted+"/") {
				t.Errorf("learn imports %s", name)
			}
		}
	}
}

// small is 200 samples of 12 units that are three bits, four times each, with noise.
func small() learn.Data {
	samples := spin.Random(12, 200, stream.New(7).Rand())
	for a := range 200 {
		for i := range 12 {
			if (a*7+i*5)%11 != 0 {
				samples.Set(i, a, int8(2*(a>>(i%3)&1)-1))
			}
		}
	}
	return learn.Data{Set: &dataset.Set{Samples: samples}, Name: "small", Binarise: "threshold"}
}

// labelled is small with a label for each sample.
func labelled() learn.Data {
	d := small()
	d.Labels = make([]int, d.Len())
	for a := range d.Labels {
		d.Labels[a] = a & 1
	}
	return d
}

// quick is a recipe that learns small in no time, by chains.
func quick(more string) learn.Recipe {
	r, _, err := learn.ParseRecipe([]byte(`{"hidden": 5, "steps": 40, "batch": 50, "estep": "chains", "chains": 20, "scouts": 3` + more + `}`))
	if err != nil {
		panic(err)
	}
	return r
}

// start starts a run that must start. It measures the bound twice, where the test does not say how often.
func start(t *testing.T, recipe learn.Recipe, job learn.Job) *learn.Run {
	t.Helper()
	if job.MeasureEvery == 0 && recipe.Steps > 0 {
		job.MeasureEvery = (recipe.Steps + 1) / 2
	}
	run, err := learn.Start(recipe, job)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	return run
}

// arrays returns the arrays of a model file but for how it was made.
func arrays(t *testing.T, file *rbm.File) []any {
	t.Helper()
	all, err := file.Arrays()
	if err != nil {
		t.Fatal(err)
	}
	var data []any
	for _, a := range all {
		data = append(data, a.Name, a.Data)
	}
	return data
}

// A diary keeps what an observer is told.
type diary struct {
	learn.Silent
	began   []learn.Beginning
	steps   []learn.Progress
	records []runs.Record
	stages  []learn.Stage
	worked  map[learn.Stage]float64
	learned []int
	after   int // steps after which stop is called
	stop    func()
	fail    error // from Recorded
}

func (d *diary) Began(b learn.Beginning) error { d.began = append(d.began, b); return nil }
func (d *diary) Stepped(p learn.Progress) {
	if d.steps = append(d.steps, p); len(d.steps) == d.after {
		d.stop()
	}
}
func (d *diary) Working(stage learn.Stage, fraction float64) {
	if d.worked == nil {
		d.worked = map[learn.Stage]float64{}
	}
	d.worked[stage] = fraction
}
func (d *diary) Ended(stage learn.Stage)                 { d.stages = append(d.stages, stage) }
func (d *diary) Recorded(r *runs.Record) error           { d.records = append(d.records, *r); return d.fail }
func (d *diary) Learned(start int, result *learn.Result) { d.learned = append(d.learned, start) }

// TestMemory: a run without a folder learns the machine that one with a folder does,
// writes nothing, and tells observers the same.
func TestMemory(t *testing.T) {
	t.Chdir(t.TempDir())
	recipe, on := quick(`, "restarts": 2`), learn.Evaluation{Asked: true, Data: small(), Options: evaluate.Options{Temperatures: 50, Chains: 10}}
	var told [2]diary
	var files [2]*rbm.File
	var results [2]*learn.Result
	for k, folder := range []string{"", "run"} {
		run := start(t, recipe, learn.Job{Data: small(), Seed: 3, Program: "test", Folder: folder, MeasureEvery: 1, Evaluation: on})
		var err error
		if results[k], err = run.Run(t.Context(), &told[k]); err != nil {
			t.Fatal(err)
		}
		if files[k], err = run.File(); err != nil {
			t.Fatal(err)
		}
		if again, err := run.Run(t.Context(), &told[k]); !run.Finished() || err != nil || again != results[k] {
			t.Errorf("run again: %v", err)
		}
		if k == 0 {
			if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
				t.Errorf("in memory, and yet there are %v (%v)", entries, err)
			}
		}
	}
	if a, b := arrays(t, files[0]), arrays(t, files[1]); !slices.EqualFunc(a, b, same) {
		t.Error("without a folder another machine is learned")
	}
	if results[0].Model != "" || results[1].Model != filepath.Join("run", runs.ModelFile) || *results[0].Bound != *results[1].Bound || results[0].LogLikelihood.Mean != results[1].LogLikelihood.Mean || !results[0].LogLikelihood.Exact {
		t.Errorf("results %+v and %+v", results[0], results[1])
	}
	kept, err := runs.ReadRecords("run")
	if err != nil {
		t.Fatal(err)
	}
	for k, d := range told {
		if len(d.began) != 2 || d.began[1].Start != 1 || d.began[0].Hidden != 5 || d.began[0].Samples != 200 || !strings.HasPrefix(d.began[0].Engine, "chains") {
			t.Errorf("began %+v", d.began)
		}
		last := d.steps[len(d.steps)-1]
		if len(d.steps) != 80 || last.Step != 40 || last.Fraction != 1 || last.Start != 1 || last.Bound == nil {
			t.Errorf("%d steps, the last %+v", len(d.steps), last)
		}
		if len(d.records) != len(kept) || !slices.Equal(d.learned, []int{0, 1}) || d.records[len(d.records)-1].LogLikelihood == nil {
			t.Errorf("%d records where %d were kept; learned %v", len(d.records), len(kept), d.learned)
		}
		if want := []learn.Stage{learn.Learning, learn.Learning, learn.Annealing}; !slices.Equal(d.stages, want) {
			t.Errorf("run %d: stages %v, not %v", k, d.stages, want)
		}
	}
}

func same(a, b any) bool {
	x, err := json.Marshal(a)
	y, other := json.Marshal(b)
	return err == nil && other == nil && bytes.Equal(x, y)
}

// crayons are pictures of their own.
type crayons struct{ drawn []string }

func (c *crayons) draw(path string) error {
	c.drawn = append(c.drawn, filepath.Base(path))
	return os.WriteFile(path, []byte("drawn"), 0o644)
}
func (c *crayons) DrawData(path string, s units.Shown, _, _ int) error { return c.draw(path) }
func (c *crayons) DrawSynapses(path string, _ *rbm.File) error         { return c.draw(path) }
func (c *crayons) DrawSamples(path string, chains units.Shown, _, _ int) error {
	if len(chains.Values) == 0 || chains.Count == 0 {
		return errors.New("chains that show nothing")
	}
	return c.draw(path)
}

// TestResume: a run that is interrupted tells where, and goes on to the same machine;
// a finished one returns its result at once. A run of other settings is refused, and
// so is a second one in a folder.
func TestResume(t *testing.T) {
	whole := start(t, quick(""), learn.Job{Data: small(), Seed: 3})
	if _, err := whole.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := whole.File()
	if err != nil {
		t.Fatal(err)
	}
	pictures := &crayons{}
	job := learn.Job{Data: small(), Seed: 3, Folder: filepath.Join(t.TempDir(), "run"), Resume: true, Checkpoints: learn.Interval{Steps: 7}, Pictures: pictures}
	ctx, cancel := context.WithCancel(t.Context())
	first := &diary{after: 25, stop: cancel}
	run := start(t, quick(""), job)
	if other, err := learn.Start(quick(""), job); err == nil {
		t.Error("a second run in the folder")
		_ = other.Close()
	}
	_, err = run.Run(ctx, first)
	var interrupted *learn.InterruptedError
	if !errors.As(err, &interrupted) || interrupted.Step != 25 || interrupted.Over || interrupted.Folder != job.Folder || !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	for want, wrong := range map[string]learn.Recipe{"rate was 0.02 and is 0.03": quick(`, "rate": 0.03`), "label_weight was not set and is 1": quick(`, "sweeps": 2, "label_weight": 1`)} {
		on := job
		on.Data.Set = labelled().Set
		other, err := learn.Start(wrong, on)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = other.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another run: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "chains") {
			t.Errorf("other settings: %v", err)
		}
		_ = other.Close()
	}
	second := &diary{}
	run = start(t, quick(""), job)
	if run.Finished() {
		t.Error("finished before the end")
	}
	if _, err := run.File(); err == nil {
		t.Error("a file before the end")
	}
	result, err := run.Run(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if b := second.began[0]; !b.Resumed || b.Step != 25 || second.steps[0].Step != 26 || second.worked[learn.Drawing] != 1 {
		t.Errorf("resumed %+v, first step %+v", b, second.steps[0])
	}
	got, err := rbm.Load(result.Model)
	if err != nil {
		t.Fatal(err)
	}
	got.Info, want.Info = rbm.Info{}, rbm.Info{}
	loaded, err := roundTrip(want, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(arrays(t, got), arrays(t, loaded), same) {
		t.Error("a resumed run learned another machine")
	}
	for _, name := range []string{runs.DataFile, runs.SynapsesFile, runs.SamplesFile} {
		if !slices.Contains(pictures.drawn, name) {
			t.Errorf("drawn %v, not %s", pictures.drawn, name)
		}
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, quick(""), job)
	if r, err := again.Run(t.Context()); !again.Finished() || err != nil || *r.Bound != *result.Bound {
		t.Errorf("finished: %v, %v", again.Finished(), err)
	}
	if f, err := again.File(); err != nil || f.Info.Steps != 40 {
		t.Errorf("the file of a finished run: %v", err)
	}
	_ = again.Close()
	job.Resume = false
	var setting *learn.SettingError
	if _, err := learn.Start(quick(""), job); !errors.As(err, &setting) || setting.Setting != "out" {
		t.Errorf("a folder that is taken: %v", err)
	}
	job.Resume, job.Seed = true, 4
	if _, err := learn.Start(quick(""), job); !errors.As(err, &setting) || !strings.Contains(err.Error(), "the result of another run: seed was 3 and is 4\n") {
		t.Errorf("another seed: %v", err)
	}
}

// roundTrip saves a file and loads it.
func roundTrip(f *rbm.File, folder string) (*rbm.File, error) {
	path := filepath.Join(folder, "m.npz")
	if err := f.Save(path); err != nil {
		return nil, err
	}
	g, err := rbm.Load(path)
	if err == nil {
		g.Info = rbm.Info{}
	}
	return g, err
}

// TestRunJSON: the run.json that a run leaves is its recipe: it learns the same
// machine again.
func TestRunJSON(t *testing.T) {
	folder := t.TempDir()
	model := filepath.Join(folder, "first", runs.ModelFile)
	for name, recipe := range map[string]learn.Recipe{"first": quick(""), "real": quick(`, "synapses": "real"`)} {
		if _, err := start(t, recipe, learn.Job{Data: small(), Seed: 3, Folder: filepath.Join(folder, name)}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for name, recipe := range map[string]learn.Recipe{
		"first-again": quick(""), "prior": quick(`, "prior": "` + filepath.ToSlash(model) + `", "prior_scale": 0.5`), "init": quick(`, "init": "` + filepath.ToSlash(model) + `"`),
		"held": quick(`, "init": "` + filepath.ToSlash(model) + `", "prior": "` + filepath.ToSlash(model) + `", "prior_strength": 3, "prior_form": "elastic", "field_prior": 2`),
	} {
		out := filepath.Join(folder, name)
		run := start(t, recipe, learn.Job{Data: small(), Seed: 3, Folder: out})
		if _, err := run.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(out, runs.InfoFile))
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := learn.ParseRecipe(text)
		if err != nil {
			t.Fatal(err)
		}
		if again != run.Recipe() {
			t.Errorf("%s: %+v in run.json, not %+v", name, again, run.Recipe())
		}
		same := start(t, again, learn.Job{Data: small(), Seed: 3})
		if _, err := same.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a, b := must(run.File()), must(same.File())
		if !slices.EqualFunc(arrays(t, a), arrays(t, b), func(x, y any) bool { return bytes.Equal(must(json.Marshal(x)), must(json.Marshal(y))) }) {
			t.Errorf("%s: the recipe of run.json learns another machine", name)
		}
		// The file of the prior or the first machine must be the one that it was.
		if name == "first-again" {
			continue
		}
		again.PriorHash, again.InitHash = strings.Repeat("0", len(again.PriorHash)), strings.Repeat("0", len(again.InitHash))
		var setting *learn.SettingError
		if _, err := learn.Start(again, learn.Job{Data: small()}); !errors.As(err, &setting) || setting.Setting != name && name != "held" {
			t.Errorf("%s: another file: %v", name, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestStart: what does not go is told before anything is learned or written.
func TestStart(t *testing.T) {
	one := small()
	one.Labels = make([]int, 200)
	bad := quick("")
	bad.Hidden = 0
	narrow := learn.Data{Set: &dataset.Set{Samples: spin.New(3, 5)}, Name: "narrow"}
	for want, c := range map[string]struct {
		recipe learn.Recipe
		job    learn.Job
	}{
		"hidden 0":                      {bad, learn.Job{Data: small()}},
		"no samples":                    {quick(""), learn.Job{}},
		"measure_every -1":              {quick(""), learn.Job{Data: small(), MeasureEvery: -1}},
		"no samples to evaluate":        {quick(""), learn.Job{Data: small(), Evaluation: learn.Evaluation{Asked: true}}},
		"samples of 3 units":            {quick(""), learn.Job{Data: small(), Evaluation: learn.Evaluation{Asked: true, Data: narrow}}},
		"to validate a machine of 12":   {quick(""), learn.Job{Data: small(), Validation: narrow}},
		"1 chains":                      {quick(""), learn.Job{Data: small(), Evaluation: learn.Evaluation{Asked: true, Data: small(), Options: evaluate.Options{Chains: 1}}}},
		"hidden 10000000000: ":          {quick(`, "hidden": 10000000000`), learn.Job{Data: small()}},
		"chains 1000000000000: ":        {quick(`, "chains": 1000000000000`), learn.Job{Data: small()}},
		"ais_chains 1000000000000000: ": {quick(""), learn.Job{Data: small(), Evaluation: learn.Evaluation{Asked: true, Data: small(), Options: evaluate.Options{Chains: 1e15}}}},
		"has no labels":                 {quick(`, "label_weight": 1`), learn.Job{Data: small()}},
		"are all 0":                     {quick(`, "label_weight": 1`), learn.Job{Data: one}},
		"missing.npz":                   {quick(`, "prior": "missing.npz"`), learn.Job{Data: small()}},
		"absent.npz":                    {quick(`, "init": "absent.npz"`), learn.Job{Data: small()}},
		"init with beta":                {quick(`, "init": "absent.npz", "beta": 1`), learn.Job{Data: small()}},
		"init with restarts":            {quick(`, "init": "absent.npz", "restarts": 2`), learn.Job{Data: small()}},
	} {
		c.job.Folder = filepath.Join(t.TempDir(), "run")
		if _, err := learn.Start(c.recipe, c.job); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "--") {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := os.Stat(c.job.Folder); err == nil {
			t.Errorf("%s: a folder was made", want)
		}
	}
}

// TestObserverEnds: an error of an observer ends the run and is returned.
func TestObserverEnds(t *testing.T) {
	fail := errors.New("the disk of the diary is full")
	d := &diary{fail: fail}
	if _, err := start(t, quick(""), learn.Job{Data: small()}).Run(t.Context(), d); !errors.Is(err, fail) || len(d.records) != 1 {
		t.Errorf("%v after %d records", err, len(d.records))
	}
	// In memory there is nothing to go on from, which is said.
	ctx, cancel := context.WithCancel(t.Context())
	d = &diary{after: 3, stop: cancel}
	_, err := start(t, quick(""), learn.Job{Data: small()}).Run(ctx, d)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after step 3") || !strings.Contains(err.Error(), "nothing was kept") {
		t.Errorf("interrupted in memory: %v", err)
	}
	if math.IsNaN(d.steps[0].Polarised) {
		t.Error("the share of decided synapses is not known")
	}
}

// TestFolderOf: a folder that holds something is not taken again, but to resume.
func TestFolderOf(t *testing.T) {
	t.Chdir(t.TempDir())
	first := filepath.Join("runs", "mnist-h100-s1")
	if err := os.MkdirAll(filepath.Join(first, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if a, b := learn.FolderOf("mnist", 100, 1, true), learn.FolderOf("mnist", 100, 1, false); a != first || b != first+"-2" {
		t.Errorf("%s, %s", a, b)
	}
}
