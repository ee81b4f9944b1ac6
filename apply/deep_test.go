package apply

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/exchange"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// deepJob is one on a deep machine whose first layer holds pairs together, and whose second
// sees little of it.
func deepJob(t *testing.T) (Job, *rbm.Machine) {
	t.Helper()
	j := job(t)
	lower, err := rbm.Load(j.Model)
	if err != nil {
		t.Fatal(err)
	}
	c := rbm.Unfold(lower.Machine())
	c.Layers = append(c.Layers, rbm.Layer{Field: make([]float64, 2), Offset: make([]float64, 2)})
	c.Links = append(c.Links, rbm.Between{Coupling: 0.1, Synapses: rbm.Binary(spin.Random(3, 2, stream.New(1).Rand()))})
	m, err := c.Fold()
	if err != nil {
		t.Fatal(err)
	}
	file := &rbm.File{Params: m.Params, Synapses: m.Synapses, Info: rbm.Info{Width: 3, Height: 2}}
	j.Model = filepath.Join(t.TempDir(), "deep.npz")
	if err := file.Save(j.Model); err != nil {
		t.Fatal(err)
	}
	return j, m
}

// A deep machine completes, mends, samples and makes features as a machine of one hidden
// layer does: nothing outside depends on its upper layers.
func TestDeepMachine(t *testing.T) {
	j, m := deepJob(t)
	c := &Completing{Job: j, From: "pairs:0-7", Clamp: "top", Count: 3, Sweeps: 60, Files: files(t)}
	r, err := c.Run(t.Context())
	if err != nil || r.Error > 0.35 || r.Visible != 6 || r.Inferred != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	c.holds(t, "completions given mean")
	d := &Mending{Job: j, Name: "pairs", Flip: 0.1, Count: 20, Chains: 2, Sweeps: 60, Files: files(t)}
	mended, err := d.Run(t.Context())
	if err != nil || *mended.Before == 0 || *mended.After > 0.5 {
		t.Fatalf("%+v, %v", mended, err)
	}
	d.holds(t, "mean restored seen")
	for _, tempered := range []bool{false, true} {
		s := &Sampling{Job: j, Count: 10, Sweeps: 20, Clamp: "0,3", From: "pairs:5", Tempered: tempered, Files: files(t)}
		if drawn, err := s.Run(t.Context()); err != nil || drawn.Clamped != 2 {
			t.Fatalf("%+v, %v", drawn, err)
		}
		s.holds(t, "samples visible_mean")
	}
	for layer, size := range map[int]int{1: 3, 2: 2} {
		f := &Featuring{Job: j, Name: "pairs", Gain: 1, Layer: layer, Out: filepath.Join(t.TempDir(), "f.npy")}
		if r, err := f.Run(t.Context()); err != nil || r.Features != size {
			t.Errorf("layer %d: %+v, %v", layer, r, err)
		}
	}
	_, err = (&Featuring{Job: j, Name: "pairs", Gain: 1, Layer: 3, Out: "x.npy"}).Run(t.Context())
	wrong(t, "layer", err)
	_, err = (&Featuring{Job: j, Name: "pairs", Gain: 1, Layer: 0, Out: "x.npy"}).Run(t.Context())
	wrong(t, "layer", err)
	integers := &Sampling{Job: j, Count: 5, Sweeps: 20, Integers: true, Files: Files{Out: files(t).Out}}
	if r, err := integers.Run(t.Context()); err != nil || r.Samples != 5 {
		t.Errorf("in integers: %+v, %v", r, err)
	}
	if info, err := os.Stat(integers.Out); err != nil || info.Size() == 0 {
		t.Errorf("no samples: %v", err)
	}
	var ising bytes.Buffer
	if err := exchange.WriteIsing(&ising, m); err != nil {
		t.Fatal(err)
	}
	// 11 fields, 6 x 3 + 3 x 2 couplings, and comments
	if text := ising.String(); !strings.Contains(text, "# layer 1: spins 8 to 10") || !strings.Contains(text, "# layer 2: spins 6 to 7") || strings.Count(text, "\n") != 3+3+11+24 {
		t.Error(text)
	}
}
