package rbm

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/internal/npy"
	"bethe/units"
)

// kindFile is a file of a machine of the given kinds of units. One of Gaussian visible units
// learned from columns; the second is constant.
func kindFile(t testing.TB, visible, hidden string, n, p int, seed uint64) *File {
	m := kindMachine(t, visible, hidden, n, p, seed)
	f := &File{Params: m.Params, Synapses: m.Synapses, Info: Info{Program: "bethe test", Seed: seed, Samples: 10, Steps: 20}}
	if m.VisibleKind.Bits() {
		return f
	}
	f.Scale = Scale{[]float64{0.5, 7}, []float64{2, 0}}
	f.VisibleOwn = make([]float64, 2*n)
	for i := range n {
		f.VisibleOwn[i], f.VisibleOwn[n+i] = 0.3*float64(i)-0.2, 1.5-float64(i)
		if i > 0 {
			f.Scale.Mean, f.Scale.Deviation = append(f.Scale.Mean, float64(i)), append(f.Scale.Deviation, 0.25*float64(i))
		}
	}
	return f
}

func TestFilesOfKinds(t *testing.T) {
	for k, c := range kindPairs {
		t.Run(c.visible+" "+c.hidden, func(t *testing.T) {
			want := kindFile(t, c.visible, c.hidden, c.n, c.p, uint64(k))
			path := save(t, want)
			got, err := LoadKinds(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.VisibleKind != want.VisibleKind || got.HiddenKind != want.HiddenKind || !got.Machine().Signs().Equal(want.Machine().Signs()) {
				t.Errorf("%s and %s units, synapses %v", got.VisibleKind, got.HiddenKind, got.Machine().Signs())
			}
			near(t, "coupling", got.Coupling(), want.Coupling(), 1e-15)
			nearAll(t, "visible fields", got.VisibleField, want.VisibleField, 0)
			nearAll(t, "hidden fields", got.HiddenField, want.HiddenField, 0)
			nearAll(t, "visible offsets", got.VisibleOffset, want.VisibleOffset, 1e-15)
			nearAll(t, "hidden offsets", got.HiddenOffset, want.HiddenOffset, 1e-15)
			nearAll(t, "own parameters", got.VisibleOwn, want.VisibleOwn, 1e-15)
			nearAll(t, "means of columns", got.Scale.Mean, want.Scale.Mean, 0)
			nearAll(t, "deviations of columns", got.Scale.Deviation, want.Scale.Deviation, 0)
			if again, err := want.Arrays(); err != nil || len(again) == 0 {
				t.Errorf("arrays: %v", err)
			}
			if !bytes.Equal(read(t, save(t, want)), read(t, path)) {
				t.Error("equal files have other bytes")
			}
			if _, err := Load(path); !errors.Is(err, ErrNotSpins) || !strings.Contains(err.Error(), path) {
				t.Errorf("Load: %v", err)
			}
			featuresInFile(t, want, path)
		})
	}
}

// featuresInFile holds what the file says of features 0 and 1 against the machine: ln Z of the
// arrays, read as their documentation tells, is that of the machine but for the constant
// that turns x into 2x - 1.
func featuresInFile(t *testing.T, f *File, path string) {
	t.Helper()
	a, err := npy.ReadArchive(path, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	n, p := f.Visible(), f.Hidden()
	array := func(name string, shape ...int) []float64 {
		x, err := npy.Get[float64](a, name, shape...)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	j, b, c := array("coupling")[0], array("visible_field", n), array("hidden_field", p)
	mu, nu := array("visible_offset", n), array("hidden_offset", p)
	xi, err := npy.Get[int8](a, "synapses", n, p)
	if err != nil {
		t.Fatal(err)
	}
	feature := func(k units.Kind, held float64) float64 {
		if k.OneHot() {
			return (held + 1) / 2
		}
		return held
	}
	var lnw []float64
	for _, v := range layerStates(f.VisibleKind, n) {
		for _, h := range layerStates(f.HiddenKind, p) {
			sum := v.lnWeight + h.lnWeight
			for i, s := range v.held {
				x := feature(f.VisibleKind, s)
				sum += b[i] * x
				for k, r := range h.held {
					sum += j * (x - mu[i]) * float64(xi[i*p+k]) * (feature(f.HiddenKind, r) - nu[k])
				}
			}
			for k, r := range h.held {
				sum += c[k] * feature(f.HiddenKind, r)
			}
			lnw = append(lnw, sum)
		}
	}
	want, _, _ := bruteKinds(f.Machine())
	if f.VisibleKind.OneHot() {
		for _, v := range f.VisibleField {
			want += v
		}
	}
	if f.HiddenKind.OneHot() {
		for _, v := range f.HiddenField {
			want += v
		}
	}
	near(t, "ln Z of the arrays", lnSum(lnw), want, 1e-11)
	if f.VisibleKind.Bits() {
		return
	}
	for i, sigma := range array("visible_sigma", n) {
		near(t, "sigma", sigma, math.Exp(f.VisibleOwn[i]), 1e-15)
		near(t, "mean", array("visible_mean", n)[i], f.VisibleOwn[n+i], 0)
	}
}

func TestLoadKindsStrict(t *testing.T) {
	type members = map[string]npy.Array
	numbers := func(m members, name string, x ...float64) {
		m[name] = npy.Array{Name: name, Shape: []int{len(x)}, Data: x}
	}
	meta := func(m members, from, to string) {
		text := m["meta.json"].Data.([]byte)
		if !bytes.Contains(text, []byte(from)) {
			t.Fatalf("meta.json has no %s: %s", from, text)
		}
		m["meta.json"] = npy.Array{Name: "meta.json", Data: bytes.Replace(text, []byte(from), []byte(to), 1)}
	}
	for _, c := range []struct {
		visible, hidden string
		n, p            int
		edit            func(m members)
		want            string
	}{
		{"gauss", "spin", 2, 2, func(m members) { delete(m, "visible_sigma") }, "visible_sigma"},
		{"gauss", "spin", 2, 2, func(m members) { delete(m, "visible_mean") }, "visible_mean"},
		{"gauss", "spin", 2, 2, func(m members) { delete(m, "data_mean") }, "data_mean"},
		{"gauss", "spin", 2, 2, func(m members) { delete(m, "data_deviation") }, "data_deviation"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "visible_sigma", 1, 0) }, "visible_sigma[1] is 0: it must be positive"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "visible_sigma", 1, math.Inf(1)) }, "visible_sigma[1] is +Inf"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "visible_sigma", 1, 1, 1) }, "visible_sigma"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "visible_mean", 1, math.NaN()) }, "visible_own[3] is NaN"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "data_deviation", 1, 0, -1) }, "data_deviation"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "data_mean", 1, math.NaN(), 1) }, "data_mean[1] is NaN"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "data_deviation", 1, 1, 1) }, "3 of which are no constants, for 2 Gaussian units"},
		{"gauss", "spin", 2, 2, func(m members) { numbers(m, "visible_offset", 0, 0.5) }, "visible_offset[1]"},
		{"gauss", "spin", 2, 2, func(m members) { meta(m, `"gauss"`, `"gauss:2"`) }, `"gauss:2"`},
		{"gauss", "spin", 2, 2, func(m members) { meta(m, `"units":"gauss"`, `"units":"gauss","hidden_units":"gauss"`) }, "two Gaussian layers"},
		{"gauss", "spin", 2, 2, func(m members) { meta(m, `"gauss"`, `""`) }, "is of gauss units, and these are spin"},
		{"potts:3", "group:2", 6, 2, func(m members) { numbers(m, "visible_sigma", 1, 1, 1, 1, 1, 1) }, `"visible_sigma" is of gauss units`},
		{"potts:3", "group:2", 6, 2, func(m members) { meta(m, `"potts:3"`, `"potts:4"`) }, "6 features are no whole units of potts:4"},
		{"potts:3", "group:2", 6, 2, func(m members) { meta(m, `"group:2"`, `"group:3"`) }, "2 features are no whole units of group:3"},
		{"potts:3", "group:2", 6, 2, func(m members) { meta(m, `"group:2"`, `"grp:2"`) }, `"grp:2"`},
		{"potts:3", "group:2", 6, 2, func(m members) { meta(m, `"group:2"`, `"potts:2"`) }, "potts:2 is a kind of visible units"},
		{"potts:3", "group:2", 6, 2, func(m members) { numbers(m, "hidden_offset", 0, 1.5) }, "hidden_offset[1]"},
		{"potts:3", "group:2", 6, 2, func(m members) { numbers(m, "hidden_field", 0, math.NaN()) }, "hidden_field[1]"},
	} {
		path := editedFile(t, kindFile(t, c.visible, c.hidden, c.n, c.p, 1), c.edit)
		if _, err := LoadKinds(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want one of %s", c.visible, err, c.want)
		}
	}
}

func TestSaveKindsErrors(t *testing.T) {
	for want, edit := range map[string]func(f *File){
		"3 own parameters of 2 Gaussian units": func(f *File) { f.VisibleOwn = f.VisibleOwn[:3] },
		"2 of which are no constants":          func(f *File) { f.Scale.Mean = f.Scale.Mean[:2] },
		"data_deviation +Inf":                  func(f *File) { f.Scale.Deviation[0] = math.Inf(1) },
		"visible_own[1] is NaN":                func(f *File) { f.VisibleOwn[1] = math.NaN() },
		"visible_offset[0] is 0.5":             func(f *File) { f.VisibleOffset[0] = 0.5 },
		"visible units: 2 features":            func(f *File) { f.VisibleKind = units.Kind{Word: units.Potts, States: 3} },
		"hidden units: 2 features":             func(f *File) { f.HiddenKind = units.Kind{Word: units.Group, States: 3} },
	} {
		f := kindFile(t, "gauss", "spin", 2, 2, 1)
		edit(f)
		path := filepath.Join(t.TempDir(), "model.npz")
		if err := f.Save(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Save: %v, want %s", err, want)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: there is a file all the same", want)
		}
	}
}

// A file that is cut short is an error that names it.
func TestLoadKindsDamaged(t *testing.T) {
	content := read(t, save(t, kindFile(t, "gauss", "group?:2", 2, 4, 1)))
	path := filepath.Join(t.TempDir(), "damaged.npz")
	for _, size := range []int{0, 1, len(content) / 3, len(content) / 2, len(content) - 1} {
		if err := os.WriteFile(path, content[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadKinds(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%d of %d bytes: %v", size, len(content), err)
		}
	}
}

func TestLoadOfAnotherFamily(t *testing.T) {
	text, err := json.Marshal(map[string]any{"format": 1, "model": "mixture"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mixture.npz")
	if err := WriteArrays(path, []npy.Array{{Name: "meta.json", Data: text}}); err != nil {
		t.Fatal(err)
	}
	for _, load := range []func(string) (*File, error){Load, LoadKinds} {
		_, err := load(path)
		var family *FamilyError
		if !errors.As(err, &family) || family.Family != "mixture" || !strings.HasPrefix(err.Error(), path+": the model is a mixture") {
			t.Errorf("%v", err)
		}
	}
}

// Columns of numbers, standardised by plain formulas; a constant column is no unit.
func TestScale(t *testing.T) {
	v := units.RealsOf(3, 4, []float32{1, 2, 3, 6, 0.1, 0.1, 0.1, 0.1, -2, 2, -2, 2})
	s := ScaleOf(v, nil)
	nearAll(t, "mean", s.Mean, []float64{3, 0.1, 0}, 1e-7)
	nearAll(t, "deviation", s.Deviation, []float64{math.Sqrt(3.5), 0, 2}, 1e-12)
	nearAll(t, "kept", widenInts(s.Kept()), []float64{0, 2}, 0)
	nearAll(t, "constant", widenInts(s.Constant()), []float64{1}, 0)
	near(t, "ln deviation", s.LnDeviation(), math.Log(3.5)/2+math.Ln2, 1e-12)
	z, err := s.Standardised(v)
	if err != nil {
		t.Fatal(err)
	}
	r := 1 / math.Sqrt(3.5)
	nearAll(t, "standardised", z.Values(), []float64{-2 * r, -r, 0, 3 * r, -1, 1, -1, 1}, 1e-6)

	own := s.InUnitsOf([]float64{0.5, -0.25, 0.1, -3})
	nearAll(t, "own parameters", own, []float64{0.5 + math.Log(3.5)/2, -0.25 + math.Ln2, 3 + 0.1/r, -6}, 1e-12)

	// u of v with these parameters is that of standardised numbers with the others.
	f := &File{Params: NewParams(2, 1, 1), Scale: s}
	f.VisibleOwn = own
	u, err := f.Features(v)
	if err != nil {
		t.Fatal(err)
	}
	for a := range 4 {
		near(t, "u", float64(u.Row(0)[a]), (float64(z.Row(0)[a])-0.1)/math.Exp(0.5), 1e-6)
		near(t, "u", float64(u.Row(1)[a]), (float64(z.Row(1)[a])+3)/math.Exp(-0.25), 1e-6)
	}
	nearAll(t, "numbers", f.Numbers(u).Values(), v.Values(), 1e-6)

	other := units.NewReals[float32](2, 4)
	const want = "samples of 2 numbers for a machine that learned from 3 columns"
	if _, err := s.Standardised(other); err == nil || err.Error() != want {
		t.Errorf("Standardised: %v", err)
	}
	if _, err := f.Features(other); err == nil || err.Error() != want {
		t.Errorf("Features: %v", err)
	}
}

func widenInts(x []int) []float64 {
	y := make([]float64, len(x))
	for k, v := range x {
		y[k] = float64(v)
	}
	return y
}
