package hyperadam

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bethe/internal/durable"
	"bethe/internal/npy"
	"io"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rule.npz")
	want := &File{Weights: *drawn(testRand(1), 1, 1), Info: json.RawMessage(`{"seed":3}`), More: []npy.Array{{Name: "gains", Shape: []int{2}, Data: []float64{1, 2}}}}
	if err := want.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := (&File{}).Save(path); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path); err != nil || got.Weights != (Weights{}) || string(got.Info) != "{}" {
		t.Errorf("%+v, %v", got, err)
	}
}

// arrays writes an archive.
func arrays(t *testing.T, path string, list ...npy.Array) {
	t.Helper()
	if err := durable.WriteFile(path, func(w io.Writer) error { return npy.WriteArchive(w, list) }); err != nil {
		t.Fatal(err)
	}
}

// TestLoadRefuses: a file that is no rule gives an error that names the file and the problem.
func TestLoadRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bad.npz")
	in := npy.Array{Name: "in", Shape: []int{4, 9}, Data: make([]float32, 36)}
	out := npy.Array{Name: "out", Shape: []int{5, 5}, Data: make([]float32, 25)}
	nan := npy.Array{Name: "out", Shape: []int{5, 5}, Data: append(make([]float32, 24), float32(math.NaN()))}
	for want, list := range map[string][]npy.Array{
		"bethe learn-rule": {in}, "shape": {in, {Name: "out", Shape: []int{25}, Data: make([]float32, 25)}}, "finite": {in, nan},
		"JSON": {in, out, {Name: "meta.json", Data: []byte("{")}},
	} {
		arrays(t, path, list...)
		if _, err := Load(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "bad.npz") {
			t.Errorf("%s: %v", want, err)
		}
	}
	arrays(t, path, in)
	if _, err := Load(path); !errors.Is(err, ErrNotRule) {
		t.Errorf("not ErrNotRule: %v", err)
	}
	if _, err := Load(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestShipped: this build has a rule, which is not that of nothing.
func TestShipped(t *testing.T) {
	if w := Shipped(); *w == (Weights{}) || !w.finite() {
		t.Errorf("the shipped rule is %v", w)
	}
}

// FuzzLoad: a file is refused, or comes back as it is saved.
func FuzzLoad(f *testing.F) {
	f.Add(shipped)
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "rule.npz")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := Load(path)
		if err != nil {
			return
		}
		if err := file.Save(path); err != nil {
			t.Fatal(err)
		}
		if again, err := Load(path); err != nil || again.Weights.Hash() != file.Weights.Hash() {
			t.Errorf("%v: %+v", err, again)
		}
	})
}
