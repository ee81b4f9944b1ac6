package rbm

import (
	"archive/zip"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"bethe/internal/npy"
)

// A machine whose energies lose all digits is neither read nor written.
func TestSums(t *testing.T) {
	at := func(name string, k int, v float64) func(map[string]npy.Array) {
		return func(m map[string]npy.Array) { m[name].Data.([]float64)[k] = v }
	}
	for _, c := range []struct {
		name string
		k    int
		v    float64
		part string // of the error, "" if there is none
	}{
		{"coupling", 0, 1e308, "energies reach +Inf, beyond 4.4e+12, where sums lose the digits that likelihoods are made of; the largest parameter is coupling, 1e+308"},
		{"visible_field", 1, 1e308, "energies reach 1e+308, beyond 4.4e+12, where sums lose the digits that likelihoods are made of; the largest parameter is visible_field[1], 1e+308"},
		{"hidden_field", 2, -1e30, "the largest parameter is hidden_field[2], 1e+30"},
		{"visible_field", 0, 1e12, ""},
		{"coupling", 0, 1e3, ""},
	} {
		path := edited(t, at(c.name, c.k, c.v))
		f, err := Load(path)
		if c.part == "" {
			if err != nil {
				t.Errorf("%s = %v: %v", c.name, c.v, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.part) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s = %v: %v, %v", c.name, c.v, f, err)
		}
	}
	file := testFile(false)
	file.HiddenField[0] = 1e30
	if err := file.Save(filepath.Join(t.TempDir(), "m.npz")); err == nil || !strings.Contains(err.Error(), "not written: energies reach 1e+30") {
		t.Error(err)
	}
	real := realFile()
	bound := real.Sum()
	// The bound holds for states of all signs, and is not far above them.
	machine, worst := real.Machine(), 0.0
	n, p := machine.Visible(), machine.Hidden()
	for k := range 1 << (n + p) {
		worst = max(worst, math.Abs(machine.lnWeight(state(k, n), state(k>>n, p))))
	}
	if !(bound >= worst) || bound > 10*worst {
		t.Errorf("bound %v, largest energy %v", bound, worst)
	}
	real.Synapses.(realValued).w[0] = 1e30
	if err := real.Save(filepath.Join(t.TempDir(), "m.npz")); err == nil || !strings.Contains(err.Error(), "energies reach") {
		t.Error(err)
	}
}

// A model file of few bytes whose text would be gigabytes of values is refused in
// little memory.
func TestLoadTextBomb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bomb.npz")
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("meta.json")
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte("{},"), 1<<18)
	for _, text := range [][]byte{[]byte(`{"format":1,"settings":{"a":[`), block, block, block, block, []byte("1]}}")} {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = Load(path)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "meta.json") || !strings.Contains(err.Error(), "limit") {
		t.Error(err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes of memory", used)
	}
}
