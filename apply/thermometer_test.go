package apply

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/thermo"
)

// Samples of a machine of 20 x 18 units, whose curve is sampled, are read as its own; all spins up, as no finite temperature; and
// samples of chains that have hardly swept, as no equilibrium.
func TestReadThermometer(t *testing.T) {
	params := rbm.NewParams(20, 18, 0.18)
	rng := stream.New(1).Rand()
	for i := range params.VisibleField {
		params.VisibleField[i] = 0.2 * rng.NormFloat64()
	}
	m := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(20, 18, rng))}
	write := func(visible, hidden *spin.Matrix) string {
		var b strings.Builder
		for a := range visible.Cols() {
			for _, layer := range []*spin.Matrix{visible, hidden} {
				for u := range layer.Rows() {
					if layer.At(u, a) > 0 {
						b.WriteString("1 ")
					} else {
						b.WriteString("-1 ")
					}
				}
			}
			b.WriteString("\n")
		}
		path := filepath.Join(t.TempDir(), "samples.txt")
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := thermo.Sampling{Sweeps: 300, Key: stream.New(2)}
	chains := sample.NewChains(sample.OnMachine(m), 2000, stream.New(3))
	chains.Sweep(200)
	r, err := ReadThermometer(t.Context(), m, write(chains.Visible, chains.Hidden), s)
	if err != nil || r.Exact || r.Samples != 2000 || r.Equilibrium == nil || !*r.Equilibrium || r.Global.Beta < 0.9 || r.Global.Beta > 1.1 || !strings.Contains(r.Text(), "both agree") {
		t.Errorf("%+v %v\n%s", r, err, r.Text())
	}
	one, oneHidden := spin.New(20, 1), spin.New(18, 1)
	chains.Visible.Gather(one, []int{0})
	chains.Hidden.Gather(oneHidden, []int{0})
	if r, err = ReadThermometer(t.Context(), m, write(one, oneHidden), s); err != nil || r.Local == nil || r.Equilibrium != nil || !strings.Contains(r.Text(), "error not known") || strings.Contains(r.Text(), "both agree") {
		t.Errorf("one sample: %+v %v\n%s", r, err, r.Text())
	}
	up := spin.FromSigns(20, 1, slicesOf(20))
	upHidden := spin.FromSigns(18, 1, slicesOf(18))
	whole := &rbm.Machine{Params: rbm.NewParams(20, 18, 0.18), Synapses: rbm.Binary(spin.FromSigns(20, 18, slicesOf(360)))}
	if r, err = ReadThermometer(t.Context(), whole, write(up, upHidden), s); err != nil || r.Local != nil || r.Equilibrium != nil || !strings.Contains(r.Text(), "no finite one is the best") {
		t.Errorf("all up: %+v %v", r, err)
	}
	short := sample.NewChains(sample.OnMachine(whole), 500, stream.New(4))
	short.Sweep(1)
	if r, err = ReadThermometer(t.Context(), whole, write(short.Visible, short.Hidden), s); err != nil || r.Equilibrium != nil && *r.Equilibrium || r.Equilibrium != nil && !strings.Contains(r.Text(), "NOT in equilibrium") {
		t.Errorf("one sweep: %+v %v", r, err)
	}
	if _, err := ReadThermometer(t.Context(), m, filepath.Join(t.TempDir(), "none"), s); err == nil {
		t.Error("no file passes")
	}
}

// slicesOf returns n spins up.
func slicesOf(n int) []int8 {
	x := make([]int8, n)
	for k := range x {
		x[k] = 1
	}
	return x
}
