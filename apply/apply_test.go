package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/dataset/source"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/setting"
	"bethe/spin"
)

// pairs are samples of six spins: each of the first three equals the spin three places
// further on. The label is the first spin.
func pairs(n int) *dataset.Set {
	s := &dataset.Set{Samples: spin.New(6, n), Labels: make([]int, n), Width: 3, Height: 2}
	for a := range n {
		s.Labels[a] = a & 1
		for i := range 6 {
			s.Samples.Set(i, a, int8(2*(a>>(i%3)&1)-1))
		}
	}
	return s
}

// job is one on a machine whose hidden units hold pairs together, and on data of pairs.
func job(t *testing.T) Job {
	t.Helper()
	q := rbm.NewPosterior[float32](6, 3)
	for mu := range 3 {
		for i := range 6 {
			q.Theta[mu*6+i] = -20
			if i%3 == mu {
				q.Theta[mu*6+i] = 20
			}
		}
	}
	file := &rbm.File{Params: rbm.NewParams(6, 3, 0.8), Synapses: rbm.Learned(q.Sign(), q), Info: rbm.Info{Width: 3, Height: 2}}
	path := filepath.Join(t.TempDir(), "model.npz")
	if err := file.Save(path); err != nil {
		t.Fatal(err)
	}
	carried := source.Catalogue{{Name: "pairs", Train: func() *dataset.Set { return pairs(64) }, Test: func() *dataset.Set { return pairs(16) }}}
	return Job{Model: path, Data: source.Opener{Carried: carried}, Seed: 3, Progress: func(string, float64, string) {}}
}

// files are in a folder of their own.
func files(t *testing.T) Files {
	folder := t.TempDir()
	return Files{filepath.Join(folder, "x.npz"), filepath.Join(folder, "x.png")}
}

func (f *Files) holds(t *testing.T, names string) {
	t.Helper()
	a, err := npy.ReadArchive(f.Out, 1<<20)
	if err != nil || strings.Join(a.Names(), " ") != names {
		t.Errorf("%v, %v", a.Names(), err)
	}
	if b, err := os.ReadFile(f.PNG); err != nil || !strings.HasPrefix(string(b), "\x89PNG") {
		t.Errorf("no picture: %v", err)
	}
}

// wrong checks the setting that an error names.
func wrong(t *testing.T, name string, err error) {
	t.Helper()
	var e *setting.Error
	if !errors.As(err, &e) || e.Setting != name {
		t.Errorf("%s: %v", name, err)
	}
}

// TestPromises: a name that ends as another format does is refused; others are taken.
// TestOutputs: an output never replaces the model it is made from, and - is no file.
func TestOutputs(t *testing.T) {
	j := job(t)
	for _, out := range []string{j.Model, "-"} {
		s := &Sampling{Job: j, Count: 2, Sweeps: 1, Files: Files{Out: out}}
		e := &Exporting{Model: j.Model, To: "ising", Out: out, Name: "x"}
		_, first := s.Run(t.Context())
		_, second := e.Run()
		for _, err := range []error{first, second} {
			if wrong := (*setting.Error)(nil); !errors.As(err, &wrong) {
				t.Errorf("%s: %v", out, err)
			}
		}
	}
	if _, err := rbm.Load(j.Model); err != nil {
		t.Error(err)
	}
}

func TestPromises(t *testing.T) {
	for _, f := range []Files{{Out: "x.csv"}, {Out: "x.png"}, {Out: "x.NPY"}, {PNG: "x.jpg"}} {
		name := "out"
		if f.Out == "" {
			name = "png"
		}
		wrong(t, name, f.check())
	}
	for _, f := range []Files{{Out: "x.npz", PNG: "x.png"}, {Out: "/dev/stdout"}, {Out: "x.v2"}, {Out: "x"}, {PNG: "x.PNG"}} {
		if err := f.check(); err != nil {
			t.Error(err)
		}
	}
	wrong(t, "out", (&Featuring{Job: job(t), Layer: 1, Gain: 1, Out: "x.csv"}).Validate())
	for _, out := range []string{"x.svg", "x.csv"} {
		wrong(t, "out", (&Spiking{Tau: 1, Steps: 1, Sweeps: 1, Networks: 2, Noise: NeuronNoise, Out: out}).Validate())
	}
}

func Example() {
	_, err := (&Completing{Job: Job{Model: "model.npz"}, From: "mnist:test:0-9", Clamp: "top", Count: 0, Sweeps: 500, Files: Files{PNG: "completed.png"}}).Run(context.Background())
	fmt.Println(err)
	// Output: count 0 sweeps 500: both must be at least 1
}

func TestComplete(t *testing.T) {
	c := &Completing{Job: job(t), From: "pairs:0-7", Clamp: "top", Count: 3, Sweeps: 60, Files: files(t)}
	r, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Error > 0.35 || len(r.Samples) != 8 || r.Clamped != 3 || r.Inferred != 3 || r.Visible != 6 || r.Completions != 3 {
		t.Errorf("%+v", r)
	}
	c.holds(t, "completions given mean")
	text, err := json.Marshal(r)
	if want := `{"model":"` + c.Model + `","from":"pairs:0-7","samples":[0,1,2,3,4,5,6,7],"clamped":3,"completions":3,"sweeps":60,"error":`; err != nil || !strings.HasPrefix(string(text), want) || !strings.Contains(string(text), `,"out":"`+c.Out+`","png":"`+c.PNG+`","settled":`) {
		t.Errorf("%v: %s", err, text)
	}
	for name, change := range map[string]func(*Completing){
		"count": func(c *Completing) { c.Count = 0 }, "sweeps": func(c *Completing) { c.Sweeps = 0 }, "png": func(c *Completing) { c.PNG = c.Out },
		"from": func(c *Completing) { c.From = "pairs:64" }, "clamp": func(c *Completing) { c.Clamp = "7" },
	} {
		other := *c
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, name, err)
	}
	if r.Checked != 8 || r.RHat == nil || *r.RHat < 0.9 {
		t.Errorf("settled: %+v", r.Settling)
	}
	brief := *c
	brief.Sweeps = 2
	if r, err = brief.Run(t.Context()); err != nil || r.Settled || r.Unsettled != 8 || r.RHat != nil {
		t.Errorf("two sweeps: %+v, %v", r.Settling, err)
	}
	c.Out = filepath.Join(c.Model, "in-a-file.npz")
	if _, err := c.Run(t.Context()); err == nil {
		t.Error("a file that cannot be written is no error")
	}
	c.Model += "x"
	if _, err := c.Run(t.Context()); err == nil {
		t.Error("no model is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Job = job(t)
	if _, err := c.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestMend(t *testing.T) {
	m := &Mending{Job: job(t), Name: "pairs", Flip: 0.1, Count: 20, Chains: 2, Sweeps: 60, Files: files(t)}
	r, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples != 20 || *r.Before == 0 || *r.After > 0.5 || r.Changed == 0 {
		t.Errorf("%+v", r)
	}
	if r.Checked != 20 || r.Settled != (r.Unsettled == 0) || r.RHat == nil || *r.RHat < 0.9 {
		t.Errorf("settled: %+v", r.Settling)
	}
	m.holds(t, "mean restored seen")
	m.Noisy, m.Count, m.Files = true, 0, Files{}
	if r, err = m.Run(t.Context()); err != nil || r.Before != nil || r.After != nil || r.Samples != 64 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, other := range []Mending{{Job: m.Job, Name: "pairs", Flip: 0.1, Chains: 0, Sweeps: 1}, {Job: m.Job, Name: "pairs", Flip: 0.1, Chains: 1, Sweeps: 0}} {
		_, err := other.Run(t.Context())
		wrong(t, "count", err)
	}
	for name, change := range map[string]func(*Mending){
		"flip": func(m *Mending) { m.Flip = 0.5 }, "count": func(m *Mending) { m.Count = -1 },
		"data": func(m *Mending) { m.Name = "pairs:64" },
	} {
		other := *m
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, name, err)
	}
}

func TestSample(t *testing.T) {
	s := &Sampling{Job: job(t), Count: 10, Sweeps: 20, Clamp: "0,3", From: "pairs:5", Files: files(t)}
	r, err := s.Run(t.Context())
	if err != nil || r.Clamped != 2 || r.Rungs != 0 || r.Samples != 10 {
		t.Errorf("%+v, %v", r, err)
	}
	s.holds(t, "samples visible_mean")
	a, err := npy.ReadArchive(s.Out, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := npy.Get[int8](a, "samples", 10, 6)
	if err != nil {
		t.Fatal(err)
	}
	for k := range 10 {
		if drawn[k*6] != 1 || drawn[k*6+3] != 1 { // 5 is odd
			t.Errorf("sample %d: a unit that was held changed", k)
		}
	}
	s.Tempered = true
	if r, err = s.Run(t.Context()); err != nil || r.Rungs < 1 {
		t.Errorf("tempered: %+v, %v", r, err)
	}
	for name, change := range map[string]func(*Sampling){
		"count": func(s *Sampling) { s.Count = 0 }, "clamp": func(s *Sampling) { s.From = "" }, "integers": func(s *Sampling) { s.Integers = true },
		"png": func(s *Sampling) { s.PNG = s.Out }, "from": func(s *Sampling) { s.From = "pairs:1,2" },
	} {
		other := *s
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, name, err)
	}
	free := &Sampling{Job: s.Job, Count: 4, Sweeps: 3, Integers: true, Files: Files{Out: s.Out}}
	if r, err = free.Run(t.Context()); err != nil || r.Samples != 4 {
		t.Errorf("in integers: %+v, %v", r, err)
	}
}

// TestMemory: what no machine has memory for is an error of the setting that lowers it,
// before anything is written.
func TestMemory(t *testing.T) {
	j, out := job(t), files(t)
	const many = 1_000_000_000_000_000
	for name, run := range map[string]func() error{
		"count": func() error {
			_, err := (&Completing{Job: j, From: "pairs:0", Clamp: "top", Count: many, Sweeps: 1, Files: out}).Run(t.Context())
			return err
		},
		"chains": func() error {
			_, err := (&Mending{Job: j, Name: "pairs", Flip: 0.1, Chains: many, Sweeps: 1, Files: out}).Run(t.Context())
			return err
		},
		"count ": func() error {
			_, err := (&Sampling{Job: j, Count: many, Sweeps: 1, Integers: true, Files: Files{Out: out.Out}}).Run(t.Context())
			return err
		},
	} {
		err := run()
		wrong(t, strings.TrimSpace(name), err)
		if err == nil || !strings.Contains(err.Error(), "chains of 6 x 3 units take ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(out.Out); err == nil {
		t.Error("something was written")
	}
}

// TestFeatures: a classifier reads the label, which a hidden unit tells, off features
// and off the data.
func TestFeatures(t *testing.T) {
	f := &Featuring{Job: job(t), Name: "pairs", Gain: 1, Layer: 1, Classifier: true, Raw: true, L2: []float64{1e-3}, Out: filepath.Join(t.TempDir(), "f.npy")}
	r, err := f.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Classifier.TestError != 0 || r.Raw.TestError != 0 || r.Classifier.Features != 3 || r.Raw.Features != 6 || r.Raw.Test != "pairs:test" || r.Raw.TestSamples != 16 || r.Samples != 64 {
		t.Errorf("%+v, %+v", r.Classifier, r.Raw)
	}
	file, err := os.Open(f.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if h, err := npy.ReadHeader(file); err != nil || h.Shape[0] != 64 || h.Shape[1] != 3 {
		t.Errorf("%+v, %v", h, err)
	}
	csv := filepath.Join(t.TempDir(), "x.csv")
	if err := os.WriteFile(csv, []byte("1,-1,1,1,-1,1\n-1,1,1,-1,1,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Featuring){
		"gain": func(f *Featuring) { f.Gain = 0 }, "data": func(f *Featuring) { f.Name = "pairs:99" }, "labels": func(f *Featuring) { f.Name = csv },
		"test": func(f *Featuring) { f.Name = "pairs:test" }, "test-labels": func(f *Featuring) { f.Test = csv },
	} {
		other := *f
		change(&other)
		_, err := other.Run(t.Context())
		wrong(t, name, err)
	}
	data, test := pairs(4), pairs(4)
	if err := alike(data, test, "d", "t"); err != nil {
		t.Error(err)
	}
	data.Classes, test.Classes = []string{"ant", "bee"}, []string{"bee", "ant"}
	if err := alike(data, test, "d", "t"); err != nil || test.Labels[0] != 1 || test.Labels[1] != 0 {
		t.Errorf("%v, %v", test.Labels, err)
	}
	test.Classes = []string{"bee", "cow"}
	wrong(t, "test", alike(data, test, "d", "t"))
	test.Classes = nil
	wrong(t, "test", alike(data, test, "d", "t"))
	if l2, err := ParsePenalties("1e-4, 3"); err != nil || len(l2) != 2 || l2[1] != 3 {
		t.Errorf("%v, %v", l2, err)
	}
	for _, list := range []string{"", "0", "1,x", "1e9"} {
		_, err := ParsePenalties(list)
		wrong(t, "l2", err)
	}
}
