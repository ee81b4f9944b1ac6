package apply

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// A machine that is enumerated and one that is not: peak, files, words and JSON.
func TestThermodynamics(t *testing.T) {
	for _, hidden := range []int{4, 21} {
		folder := t.TempDir()
		params := rbm.NewParams(22, hidden, 0.3)
		params.VisibleField[0], params.HiddenField[1] = 0.4, -0.3
		file := &rbm.File{Params: params, Synapses: rbm.Binary(spin.Random(22, hidden, stream.New(1).Rand()))}
		model := filepath.Join(folder, "m.npz")
		if err := file.Save(model); err != nil {
			t.Fatal(err)
		}
		x := Thermodynamics{Job: Job{Model: model, Seed: 1, Progress: func(string, float64, string) {}}, Sweeps: 300, Temperatures: 20, Chains: 100, Out: filepath.Join(folder, "figs")}
		if hidden == 4 {
			x.Most = 1000 // a coarse curve: the points in words do not come from it
		}
		r, err := x.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		exact, err := file.Machine().LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if r.Exact != (hidden == 4) || math.Abs(r.Way.LnZ-exact) > 0.5 || !(r.Peak.HeatCapacity > 0) || (r.Ground != nil) != r.Exact {
			t.Errorf("%d hidden: %+v, ln Z %.3f of %.3f", hidden, r.Peak, r.Way.LnZ, exact)
		}
		if at := r.At[1]; at.Beta != 1 || r.Exact && math.Abs(at.LnZ-exact) > 1e-9 || math.Abs(at.LnZ-exact) > 1 {
			t.Errorf("%d hidden: %+v, ln Z %.3f", hidden, at, exact)
		}
		for _, part := range []string{"heat capacity: highest at beta", "works cross at", "Crooks", "sweeps h, s, h"} {
			if !strings.Contains(r.Text(), part) {
				t.Errorf("%q is not in\n%s", part, r.Text())
			}
		}
		if len(r.Files) != 3 {
			t.Errorf("files %q", r.Files)
		}
		for _, f := range r.Files {
			if info, err := os.Stat(f); err != nil || info.Size() < 100 {
				t.Errorf("%s: %v", f, err)
			}
		}
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	}
	x := Thermodynamics{Job: Job{Model: "none.npz", Progress: func(string, float64, string) {}}}
	if _, err := x.Run(t.Context()); err == nil {
		t.Error("no model passes")
	}
}
