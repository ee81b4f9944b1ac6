package learn

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/internal/npy"
	"bethe/rbm"
	"bethe/runs"
	"bethe/sample"
	"bethe/sampler"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// gibbs is a sampler of long chains at an inverse temperature. It fails at the calls that fail names.
type gibbs struct {
	beta  float64
	calls int
	fails map[int]error
}

func (g *gibbs) Sample(ctx context.Context, p *sampler.Problem, reads int, seed uint32) (sampler.Samples, error) {
	if err := ctx.Err(); err != nil {
		return sampler.Samples{}, err
	}
	g.calls++
	if err := g.fails[g.calls]; err != nil {
		return sampler.Samples{}, &sampler.Error{Sampler: "gibbs", Err: err}
	}
	one := *p
	one.Scale = 1
	c := sample.NewChains(sample.OnNetwork(thermo.Scaled(one.Network(), g.beta)), reads, stream.New(uint64(seed)))
	c.Sweep(30)
	return sampler.Samples{Visible: c.Visible.Clone(), Hidden: c.Hidden.Clone()}, nil
}

func (*gibbs) Close() error { return nil }

// taught returns samples of a machine of 9 x 2 units, and a short recipe.
func taught() (Recipe, Data) {
	params := rbm.NewParams(9, 2, 0.6)
	params.VisibleField[0], params.HiddenField[1] = 0.5, 0.3
	m := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(9, 2, stream.New(1).Rand()))}
	c := sample.NewChains(sample.OnMachine(m), 1000, stream.New(2))
	c.Sweep(50)
	r := Default()
	r.Hidden, r.Steps, r.Batch, r.Chains, r.Sampler, r.Synapses = 3, 120, 200, 300, "gibbs", "real"
	r.Suit()
	r.Momentum, r.FieldMomentum = DefaultMomentum, DefaultMomentum
	return r, Data{Set: &dataset.Set{Samples: c.Visible}, Name: "taught"}
}

// A sampler at 0.4 teaches as well as the exact engine, because its temperature is followed; believed to be at 1 it
// teaches worse. What it read is in the result and in the records.
func TestSampler(t *testing.T) {
	likelihood := func(edit func(r *Recipe), s sampler.Sampler) (float64, *Result) {
		t.Helper()
		recipe, data := taught()
		edit(&recipe)
		run, err := Start(recipe, Job{Data: data, Seed: 3, Sampler: s, MeasureEvery: 20})
		if err != nil {
			t.Fatal(err)
		}
		result, err := run.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		file, err := run.File()
		if err != nil {
			t.Fatal(err)
		}
		m := file.Machine()
		lnz, err := m.LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mean := 0.0
		for _, f := range m.FreeEnergy(data.Samples) {
			mean -= (f + lnz) / float64(data.Len())
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		return mean, result
	}
	exact, result := likelihood(func(r *Recipe) { r.Sampler = "" }, nil)
	if result.Sampler != nil {
		t.Errorf("no sampler, but %+v", result.Sampler)
	}
	auto, result := likelihood(func(*Recipe) {}, &gibbs{beta: 0.4})
	s := result.Sampler
	if s == nil || math.Abs(float64(s.Beta)-0.4) > 0.05 || s.Global == nil || s.Equilibrium == nil {
		t.Fatalf("read %+v", s)
	}
	blind, _ := likelihood(func(r *Recipe) { r.SamplerBeta = "1" }, &gibbs{beta: 0.4})
	if math.Abs(auto-exact) > 0.03 || blind > auto-0.1 {
		t.Errorf("exact %.3f, auto %.3f, believed to be at 1 %.3f", exact, auto, blind)
	}
}

// A run whose sampler fails at one call or another leaves a checkpoint, and goes on to the bytes of a run that nothing disturbed.
func TestSamplerFails(t *testing.T) {
	train := func(folder string, s sampler.Sampler) error {
		recipe, data := taught()
		recipe.Steps = 30
		run, err := Start(recipe, Job{Data: data, Seed: 3, Sampler: s, Folder: folder, Resume: true, MeasureEvery: 15})
		if err != nil {
			t.Fatal(err)
		}
		_, err = run.Run(t.Context())
		return errors.Join(err, run.Close())
	}
	whole, broken := t.TempDir(), t.TempDir()
	if err := train(whole, &gibbs{beta: 2}); err != nil {
		t.Fatal(err)
	}
	against := t.TempDir()
	err := train(against, &gibbs{beta: -1})
	if failed := (*SamplerError)(nil); !errors.As(err, &failed) || failed.Step < 9 || !strings.Contains(err.Error(), "sampler gibbs: 10 calls in a row its samples are against the problem") {
		t.Errorf("the wrong sign: %v", err)
	}
	if _, err := os.Stat(filepath.Join(against, runs.CheckpointFile)); err != nil {
		t.Error(err)
	}
	cause := errors.New("the cooling failed")
	for k, at := range []int{1, 7, 3, 12} {
		err := train(broken, &gibbs{beta: 2, fails: map[int]error{at: cause}})
		var failed *SamplerError
		if !errors.As(err, &failed) || !errors.Is(err, cause) {
			t.Fatalf("call %d: %v", at, err)
		}
		if want := []int{0, 6, 8, 19}[k]; failed.Step != want {
			t.Errorf("call %d: after step %d, not %d", at, failed.Step, want)
		}
	}
	if err := train(broken, &gibbs{beta: 2}); err != nil {
		t.Fatal(err)
	}
	var models [2]*npy.Archive
	for k, folder := range []string{whole, broken} {
		var err error
		if models[k], err = npy.ReadArchive(filepath.Join(folder, runs.ModelFile), 1<<20); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range models[0].Names() {
		if a, b := models[0].Array(name), models[1].Array(name); !equalArrays(a, b) {
			t.Errorf("%s differs", name)
		}
	}
	if _, err := os.Stat(filepath.Join(broken, runs.ModelFile)); err != nil {
		t.Error(err)
	}
}

func equalArrays(a, b npy.Array) bool {
	switch x := a.Data.(type) {
	case []float64:
		return same(x, b.Data)
	case []float32:
		return same(x, b.Data)
	case []int8:
		return same(x, b.Data)
	}
	return true
}

func same[E comparable](x []E, y any) bool {
	z, ok := y.([]E)
	if !ok || len(x) != len(z) {
		return false
	}
	for k := range x {
		if x[k] != z[k] {
			return false
		}
	}
	return true
}

// Fields stay within so many couplings.
func TestMaxField(t *testing.T) {
	recipe, data := taught()
	recipe.Sampler, recipe.Centre, recipe.MaxField, recipe.Steps = "", false, 0.5, 60
	recipe.Suit()
	run, err := Start(recipe, Job{Data: data, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	file, err := run.File()
	if err != nil {
		t.Fatal(err)
	}
	top := 0.0
	for _, list := range [][]float64{file.Params.VisibleField, file.Params.HiddenField} {
		for _, v := range list {
			top = max(top, math.Abs(v))
		}
	}
	if limit := 0.5 * file.Params.Coupling(); top > 1.1*limit || top < 0.5*limit { // averages of the last steps
		t.Errorf("the largest field is %v, and half the coupling %v", top, limit)
	}
}

func TestSamplingRefuses(t *testing.T) {
	for name, edit := range map[string]func(r *Recipe){
		"sampler_bits":    func(r *Recipe) { r.SamplerBits = 1 },
		"sampler_h_range": func(r *Recipe) { r.SamplerHRange = -1 },
		"sampler_j_range": func(r *Recipe) { r.SamplerJRange = math.Inf(1) },
		"sampler_gauges":  func(r *Recipe) { r.SamplerGauges = 1000 },
		"sampler_beta":    func(r *Recipe) { r.SamplerBeta = "warm" },
		"estep":           func(r *Recipe) { r.Estep = "exact" },
		"max_field":       func(r *Recipe) { r.MaxField = math.NaN() },
		"sampler":         func(r *Recipe) { r.Sampler, r.SamplerBits = "", 8 },
		"sampler_dir":     func(r *Recipe) { r.Sampler = FolderSampler },
	} {
		recipe, data := taught()
		edit(&recipe)
		_, err := Start(recipe, Job{Data: data})
		var wrong *setting.Error
		if !errors.As(err, &wrong) || wrong.Setting != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, word := range []string{"", "auto", "xu-oates", "xu-oates:0.1", "2.5"} {
		recipe, _ := taught()
		recipe.SamplerBeta = word
		if err := recipe.Check(); err != nil {
			t.Errorf("%q: %v", word, err)
		}
	}
}

// Settings of samplers that would have no effect are refused, and a folder names the sampler.
func TestTravel(t *testing.T) {
	for _, c := range []struct {
		sampler, folder string
		asked, wrong    string
	}{
		{"prog", "d", "sampler sampler_dir", "sampler_dir"},
		{"", "", "sampler", "sampler"},
		{"", "d", "sampler sampler_dir", "sampler"},
		{"", "", "sampler_dir", "sampler_dir"},
		{"", "", "hidden sampler_format", "sampler_format"},
		{"", "", "sampler_protocol", "sampler_protocol"},
		{"", "", "sampler_timeout", "sampler_timeout"},
		{"prog", "", "sampler scouts", "scouts"},
		{"", "d", "sampler_dir sweeps", "sweeps"},
		{"prog", "", "final_sweeps", "final_sweeps"},
		{"prog", "", "sampler sampler_format sampler_timeout sampler_protocol chains", ""},
		{"", "d", "sampler_dir sampler_format", ""},
		{FolderSampler, "d", "sampler_dir", ""},
		{"", "", "scouts sweeps final_sweeps", ""},
	} {
		r := Recipe{Sampling: Sampling{Sampler: c.sampler}}
		err := r.Travel(sampler.Transport{Folder: c.folder}, strings.Fields(c.asked)...)
		var wrong *setting.Error
		if errors.As(err, &wrong) != (c.wrong != "") || wrong != nil && wrong.Setting != c.wrong {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil && (r.Sampler == FolderSampler) != (c.folder != "") {
			t.Errorf("%+v: the sampler is %q", c, r.Sampler)
		}
	}
}
