package causes_test

import (
	"math"
	"path/filepath"
	"testing"

	"bethe/causes"
	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A machine of one hidden group is a directed mixture: it has the same likelihoods, also from its file.
func TestOfGroup(t *testing.T) {
	const n, states = 7, 5
	rng := stream.New(1).Rand()
	p := rbm.NewParams(n, states, 0.4)
	p.HiddenKind = units.Kind{Word: units.Group, States: states}
	for _, x := range [][]float64{p.VisibleField, p.VisibleOffset, p.HiddenField, p.HiddenOffset} {
		for k := range x {
			x[k] = 0.5 * (2*rng.Float64() - 1)
		}
	}
	file := &rbm.File{Params: p, Synapses: rbm.Binary(spin.Random(n, states, rng))}
	samples := spin.Random(n, 40, rng)
	want, err := evaluate.FileLikelihood(t.Context(), file, evaluate.FileSamples{Bits: samples}, nil, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mixture, err := causes.OfGroup(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mixture.npz")
	if err := mixture.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := causes.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*causes.File{mixture, back} {
		if got, _, err := f.Machine().LogLikelihood(t.Context(), samples, nil); err != nil || math.Abs(got-want.Mean) > 1e-9 {
			t.Errorf("%v nats as a mixture, %v as a machine with a group (%v)", got, want.Mean, err)
		}
	}
	two := &rbm.File{Params: rbm.NewParams(n, 2*states, 0.4), Synapses: rbm.Binary(spin.New(n, 2*states))}
	two.HiddenKind = p.HiddenKind
	spins := &rbm.File{Params: rbm.NewParams(n, states, 0.4), Synapses: file.Synapses}
	weights := &rbm.File{Params: p, Synapses: rbm.RealValued(n, states, make([]float32, n*states))}
	for _, f := range []*rbm.File{two, spins, weights} {
		if _, err := causes.OfGroup(f); err == nil {
			t.Errorf("%v and %v units: no error", f.VisibleKind, f.HiddenKind)
		}
	}
}
