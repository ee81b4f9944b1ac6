package rbm

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/stream"
)

// posteriorOf returns the posterior of a file with binary synapses.
func posteriorOf(f *File) *Posterior[float32] { return f.Synapses.(Uncertain).Posterior() }

// testFile has every kind of content; theta 0, tiny, -0 and beyond rounding too.
func testFile(prior bool) *File {
	const n, p = 4, 3
	m := &Model[float32]{randomMachine(n, p, 0.3, true, true, rand.New(rand.NewPCG(7, 8))).Params, NewPosterior[float32](n, p)}
	m.Posterior.Randomize(1, stream.New(9))
	m.HiddenField[1] = 1.0 / 3
	copy(m.Posterior.Theta[4:], []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, 20, -20})
	if prior {
		m.Posterior.PriorTheta = slices.Repeat([]float32{0.5, -3, 0}, n*p/3)
	}
	return &File{Params: m.Params, Synapses: Learned(m.Posterior.Typical(stream.New(10)), m.Posterior), Info: Info{
		Program: "bethe test", Seed: math.MaxUint64, Data: "ünïcode \"data\"", Samples: 10, Steps: 20,
		Width: 2, Height: 2, Settings: map[string]any{"rate": 0.1, "engine": "exact", "list": []any{1.0, true}},
	}}
}

func save(t testing.TB, f *File) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.npz")
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFileRoundTrip(t *testing.T) {
	for _, prior := range []bool{false, true} {
		want := testFile(prior)
		path := save(t, want)
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		want.Info.Format = FileFormat
		if !reflect.DeepEqual(got.Info, want.Info) {
			t.Errorf("info %+v, not %+v", got.Info, want.Info)
		}
		if !reflect.DeepEqual(got.Params, want.Params) {
			t.Errorf("parameters %+v, not %+v", got.Params, want.Params)
		}
		q, r := posteriorOf(want), posteriorOf(got)
		if r.Visible != q.Visible || r.Hidden != q.Hidden || (r.PriorTheta != nil) != prior || !r.Sign().Equal(q.Sign()) {
			t.Errorf("posterior %+v, not %+v", r, q)
		}
		means := func(theta []float32) []float64 {
			x := make([]float64, len(theta))
			for k, v := range theta {
				x[k] = math.Tanh(float64(v))
				if math.IsInf(float64(v), 0) || v != v {
					t.Errorf("theta %d is %v", k, v)
				}
			}
			return x
		}
		nearAll(t, "means", means(r.Theta), means(q.Theta), 1e-7)
		nearAll(t, "prior means", means(r.PriorTheta), means(q.PriorTheta), 1e-7)

		if !bytes.Equal(read(t, save(t, want)), read(t, path)) {
			t.Error("equal files have other bytes")
		}
		// What was loaded is a fixed point but for the last bit of the means.
		again, err := Load(save(t, got))
		if err != nil {
			t.Fatal(err)
		}
		nearAll(t, "means of the second file", means(posteriorOf(again).Theta), means(r.Theta), 1e-7)
	}
}

// The members that the documentation promises to Python, in NumPy's types,
// N x P: the golden list of the members of a model file.
func TestFileMembers(t *testing.T) {
	f := testFile(true)
	path := save(t, f)
	a, err := npy.ReadArchive(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"coupling", "hidden_field", "hidden_offset", "meta.json", "posterior_mean", "prior_mean", "synapses", "visible_field", "visible_offset"}
	if got := a.Names(); !slices.Equal(got, names) {
		t.Errorf("members %q", got)
	}
	synapses, err1 := npy.Get[int8](a, "synapses", 4, 3)
	mean, err2 := npy.Get[float32](a, "posterior_mean", 4, 3)
	prior, err3 := npy.Get[float32](a, "prior_mean", 4, 3)
	b, err4 := npy.Get[float64](a, "visible_field", 4)
	c, err5 := npy.Get[float64](a, "hidden_field", 3)
	mu, err6 := npy.Get[float64](a, "visible_offset", 4)
	nu, err7 := npy.Get[float64](a, "hidden_offset", 3)
	j, err8 := npy.Get[float64](a, "coupling")
	meta, err9 := a.Bytes("meta.json")
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9); err != nil {
		t.Fatal(err)
	}
	q := posteriorOf(f)
	for i := range 4 {
		for mu := range 3 {
			theta, theta0 := q.Theta[mu*4+i], q.PriorTheta[mu*4+i]
			if mean[i*3+mu] != float32(math.Tanh(float64(theta))) || prior[i*3+mu] != float32(math.Tanh(float64(theta0))) || synapses[i*3+mu] != f.Machine().Signs().At(i, mu) {
				t.Errorf("synapse (%d, %d) is out of place", i, mu)
			}
		}
	}
	if !slices.Equal(b, f.VisibleField) || !slices.Equal(c, f.HiddenField) || !slices.Equal(mu, f.VisibleOffset) || !slices.Equal(nu, f.HiddenOffset) || j[0] != f.Coupling() {
		t.Error("parameters differ")
	}
	const golden = `{"format":1,"program":"bethe test","seed":18446744073709551615,"data":"ünïcode \"data\"","samples":10,"steps":20,"width":2,"height":2,"settings":{"engine":"exact","list":[1,true],"rate":0.1}}`
	if string(meta) != golden {
		t.Errorf("meta.json is\n%s, not\n%s", meta, golden)
	}
}

func TestSaveErrors(t *testing.T) {
	nan := math.NaN()
	for part, damage := range map[string]func(f *File){
		"not written: coupling is NaN":                          func(f *File) { f.SetCoupling(nan) },
		"not written: visible_offset has 3 elements":            func(f *File) { f.VisibleOffset = f.VisibleOffset[:3] },
		"not written: posterior_mean is not a number somewhere": func(f *File) { posteriorOf(f).Theta[3] = float32(nan) },
		"not written: prior_mean is not a number somewhere":     func(f *File) { posteriorOf(f).PriorTheta[3] = float32(nan) },
		"not written: json: unsupported value: NaN":             func(f *File) { f.Info.Settings["rate"] = nan },
	} {
		old := testFile(true)
		path := save(t, old)
		before := read(t, path)
		f := testFile(true)
		damage(f)
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), path+": "+part) {
			t.Errorf("error %v does not say %q", err, part)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Errorf("%s: the old file changed", part)
		}
	}
	if err := testFile(true).Save(filepath.Join(t.TempDir(), "none", "model.npz")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// edited writes the test file's members, changed by edit, as an archive.
func edited(t testing.TB, edit func(members map[string]npy.Array)) string {
	t.Helper()
	return editedFile(t, testFile(true), edit)
}

func editedFile(t testing.TB, file *File, edit func(members map[string]npy.Array)) string {
	t.Helper()
	a, err := npy.ReadArchive(save(t, file), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	members := map[string]npy.Array{}
	for _, name := range a.Names() {
		members[name] = a.Array(name)
	}
	edit(members)
	path := filepath.Join(t.TempDir(), "edited.npz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	arrays := slices.SortedFunc(maps.Values(members), func(a, b npy.Array) int { return strings.Compare(a.Name, b.Name) })
	if err := npy.WriteArchive(f, arrays); err != nil {
		t.Fatal(err)
	}
	return path
}

// realFile is a file with real synapses.
func realFile() *File {
	m := realMachine(randomMachine(4, 3, 0.3, true, true, rand.New(rand.NewPCG(7, 8))), rand.New(rand.NewPCG(1, 2)))
	return &File{m.Params, m.Synapses, Info{Program: "bethe test", Seed: 3, Samples: 10, Steps: 20}, Scale{}}
}

// Real synapses come back bit for bit, N x P in the file, and equal machines
// give equal bytes.
func TestRealFile(t *testing.T) {
	want := realFile()
	path := save(t, want)
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Machine(), want.Machine()) || got.Info.Synapses != "real" {
		t.Errorf("machine %+v, not %+v; info %+v", got.Machine(), want.Machine(), got.Info)
	}
	if !bytes.Equal(read(t, save(t, got)), read(t, path)) {
		t.Error("saved again, other bytes")
	}
	a, err := npy.ReadArchive(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"coupling", "hidden_field", "hidden_offset", "meta.json", "visible_field", "visible_offset", "weights"}
	if got := a.Names(); !slices.Equal(got, names) {
		t.Errorf("members %q", got)
	}
	w, err := npy.Get[float32](a, "weights", 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range w {
		if v != Values(want.Synapses)[k%3*4+k/3] {
			t.Errorf("weight %d is out of place", k)
		}
	}
	want.Synapses.(realValued).w[5] = float32(math.Inf(1))
	if err := want.Save(path); err == nil || !strings.Contains(err.Error(), "weights[1, 1] is +Inf") {
		t.Errorf("an infinite weight: %v", err)
	}
}

func TestLoadStrict(t *testing.T) {
	type edit = func(members map[string]npy.Array)
	set := func(name string, shape []int, data any) edit {
		return func(m map[string]npy.Array) { m[name] = npy.Array{Name: name, Shape: shape, Data: data} }
	}
	meta := func(old, new string) edit {
		return func(m map[string]npy.Array) {
			text := string(m["meta.json"].Data.([]byte))
			if !strings.Contains(text, old) {
				t.Fatalf("meta.json does not hold %q", old)
			}
			m["meta.json"] = npy.Array{Name: "meta.json", Data: []byte(strings.Replace(text, old, new, 1))}
		}
	}
	float32At := func(name string, k int, v float64) edit {
		return func(m map[string]npy.Array) { m[name].Data.([]float32)[k] = float32(v) }
	}
	float64At := func(name string, k int, v float64) edit {
		return func(m map[string]npy.Array) { m[name].Data.([]float64)[k] = v }
	}
	type c struct {
		name string
		edit edit
		part string // of the error
	}
	cases := []c{
		{"nothing", func(map[string]npy.Array) {}, ""},
		{"no prior", func(m map[string]npy.Array) { delete(m, "prior_mean") }, ""},
		{"format", meta(`"format":1`, `"format":3`), `format 3 of model files is not known here, only up to 2: use the program that wrote it ("bethe test")`},
		{"new format", meta(`"format":1`, `"format":3,"news":1`), `format 3 of model files is not known here`},
		{"no format", meta(`"format":1,`, ``), `format 0 of model files`},
		{"unknown key", meta(`"seed":`, `"sead":1,"seed":`), `meta.json: json: unknown field "sead"`},
		{"wrong type", meta(`"seed":`, `"seed":"a","seed":`), `meta.json: json: cannot unmarshal string`},
		{"negative seed", meta(`"seed":`, `"seed":-1,"seed":`), `meta.json: json: cannot unmarshal number -1`},
		{"more text", meta(`{"format"`, `{"format":1} {"format"`), `meta.json: invalid character`},
		{"no JSON", set("meta.json", nil, []byte("format 1")), `meta.json: invalid character`},
		{"empty meta", set("meta.json", nil, []byte{}), `meta.json: unexpected end`},
		{"meta an array", set("meta.json", []int{1}, []int8{1}), `there is no member "meta.json": not a model file`},
		{"unknown array", set("prior", []int{1}, []int8{1}), `a model file has no array "prior"`},
		{"unknown member", set("readme.txt", nil, []byte("hello")), `a model file has no array "readme.txt"`},
		{"flat synapses", set("synapses", []int{12}, make([]int8, 12)), `array "synapses" has shape [12], not visible x hidden`},
		{"no units", func(m map[string]npy.Array) {
			for _, name := range []string{"synapses", "posterior_mean", "prior_mean", "visible_field", "visible_offset"} {
				x := m[name]
				x.Shape = append([]int{0}, x.Shape[1:]...)
				x.Data = map[bool]any{true: []int8{}, false: []float32{}}[name == "synapses"]
				if len(x.Shape) == 1 {
					x.Data = []float64{}
				}
				m[name] = x
			}
		}, "a machine of 0 visible and 3 hidden units: both must be at least 1"},
		{"decided synapse not the sign", func(m map[string]npy.Array) { m["synapses"].Data.([]int8)[2] *= -1 }, "synapses[0, 2] is"},
		{"synapse 0", func(m map[string]npy.Array) { m["synapses"].Data.([]int8)[7] = 0 }, "synapses[2, 1] is 0: it must be 1 or -1"},
		{"synapse 3", func(m map[string]npy.Array) { m["synapses"].Data.([]int8)[0] *= 3 }, "synapses[0, 0] is"},
		{"synapses transposed", func(m map[string]npy.Array) {
			x := m["synapses"]
			x.Shape = []int{3, 4}
			m["synapses"] = x
		}, `array "visible_field" has shape [4], not [3]`},
	}
	float64s := []string{"visible_field", "hidden_field", "visible_offset", "hidden_offset", "coupling"}
	for _, name := range float64s {
		cases = append(cases,
			c{name + " NaN", float64At(name, 0, math.NaN()), name},
			c{name + " infinite", float64At(name, 0, math.Inf(-1)), name},
			c{name + " of another type", func(m map[string]npy.Array) {
				x := m[name]
				x.Data = make([]float32, len(x.Data.([]float64)))
				m[name] = x
			}, `array "` + name + `" holds elements of []float32, not []float64`})
	}
	cases = append(cases,
		c{"coupling -1", float64At("coupling", 0, -1), "coupling is -1: it must be positive"},
		c{"visible_offset 1.1", float64At("visible_offset", 3, 1.1), "visible_offset[3] is 1.1: it must lie between -1 and 1"},
		c{"coupling a vector", set("coupling", []int{1}, []float64{1}), `array "coupling" has shape [1], not []`})
	for _, name := range []string{"posterior_mean", "prior_mean"} {
		for _, v := range []float64{math.NaN(), 1.0001, -1.0001, math.Inf(1)} {
			cases = append(cases, c{name + " out of range", float32At(name, 7, v), name + "[2, 1] is"})
		}
		cases = append(cases, c{name + " of another type", set(name, []int{4, 3}, make([]float64, 12)), `array "` + name + `" holds elements of []float64, not []float32`})
	}
	for _, name := range []string{"synapses", "posterior_mean", "visible_field", "hidden_field", "visible_offset", "hidden_offset", "coupling", "meta.json"} {
		cases = append(cases, c{"no " + name, func(m map[string]npy.Array) { delete(m, name) }, name + `"`})
	}
	for _, name := range []string{"synapses", "posterior_mean", "prior_mean", "visible_field", "hidden_field", "visible_offset", "hidden_offset"} {
		cases = append(cases, c{name + " of another shape", func(m map[string]npy.Array) {
			x := m[name]
			x.Shape = append([]int{1}, x.Shape...)
			m[name] = x
		}, `array "` + name + `" has shape`})
	}
	cases = append(cases,
		c{"both kinds", set("weights", []int{4, 3}, make([]float32, 12)), `arrays "synapses" and "weights" do not go together`},
		c{"real without weights", meta(`"seed":`, `"synapses":"real","seed":`), `arrays "weights" and "synapses" do not go together`},
		c{"another kind", meta(`"seed":`, `"synapses":"rational","seed":`), `synapses of the kind "rational" are not known here`})
	realCases := []c{
		{"nothing", func(map[string]npy.Array) {}, ""},
		{"no weights", func(m map[string]npy.Array) { delete(m, "weights") }, `array "weights" has shape [], not visible x hidden`},
		{"weight NaN", float32At("weights", 4, math.NaN()), "weights[1, 1] is NaN: it must be finite"},
		{"weights of another type", set("weights", []int{4, 3}, make([]float64, 12)), `array "weights" holds elements of []float64, not []float32`},
		{"a posterior beside weights", set("posterior_mean", []int{4, 3}, make([]float32, 12)), `arrays "weights" and "posterior_mean" do not go together`},
		{"not said to be real", meta(`,"synapses":"real"`, ``), `arrays "synapses" and "weights" do not go together`},
	}
	for k, c := range append(cases, realCases...) {
		file := testFile(true)
		if k >= len(cases) {
			file = realFile()
		}
		path := editedFile(t, file, c.edit)
		_, err := Load(path)
		switch {
		case c.part == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.part != "" && (err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.Contains(err.Error(), c.part)):
			t.Errorf("%s: error %v does not name the file and say %q", c.name, err, c.part)
		}
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A file cut short anywhere is an error; one with a bit flipped is an error or
// reads as it was.
func TestLoadDamaged(t *testing.T) {
	path := save(t, testFile(true))
	whole := read(t, path)
	want, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	load := func(content []byte) (*File, error) {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return Load(path)
	}
	for n := 0; n < len(whole); n += 3 {
		if _, err := load(whole[:n]); err == nil || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%d bytes of %d: %v", n, len(whole), err)
		}
	}
	for k := range whole {
		content := bytes.Clone(whole)
		content[k] ^= 1 << (k % 8)
		if f, err := load(content); err == nil && !reflect.DeepEqual(f, want) {
			t.Errorf("byte %d, bit %d flipped: read as another model", k, k%8)
		}
	}
}

// Whatever Load takes, Save writes and Load reads again as the same machine.
func FuzzLoad(f *testing.F) {
	f.Add(read(f, save(f, testFile(true))))
	f.Add(read(f, save(f, testFile(false))))
	f.Add(read(f, save(f, realFile())))
	for _, edit := range []func(map[string]npy.Array){
		func(m map[string]npy.Array) { delete(m, "coupling") },
		func(m map[string]npy.Array) { m["posterior_mean"].Data.([]float32)[0] = -1 },
	} {
		f.Add(read(f, edited(f, edit)))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "fuzz.npz")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		first, err := Load(path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("%v does not name the file", err)
			}
			return
		}
		if err := first.Params.Validate(); err != nil {
			t.Fatal(err)
		}
		second, err := Load(save(t, first))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first.Params, second.Params) || !reflect.DeepEqual(Values(first.Synapses), Values(second.Synapses)) {
			t.Error("saved and loaded, the model differs")
		}
	})
}

// TestDecode: Decode undoes Arrays, and is as strict as Load.
func TestDecode(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	q := NewPosterior[float32](5, 3)
	for k := range q.Theta {
		q.Theta[k] = float32(rng.NormFloat64())
	}
	f := &File{Params: NewParams(5, 3, 0.4), Synapses: Learned(q.Sign(), q), Info: Info{Seed: 3}}
	arrays, err := f.Arrays()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Decode("a name", arrays)
	if err != nil {
		t.Fatal(err)
	}
	if !read.Machine().Signs().Equal(f.Machine().Signs()) || read.Coupling() != 0.4 || read.Info.Seed != 3 {
		t.Errorf("another machine: %+v", read)
	}
	path := t.TempDir() + "/m.npz"
	if err := WriteArrays(path, arrays); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][]npy.Array{arrays[1:], arrays[:4], append(slices.Clone(arrays), npy.Array{Name: "more", Shape: []int{1}, Data: []float64{1}})} {
		if _, err := Decode("a name", wrong); err == nil || !strings.Contains(err.Error(), "a name") {
			t.Errorf("%d arrays: %v", len(wrong), err)
		}
	}
}
