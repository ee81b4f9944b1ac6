package evaluate

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// deepMachine returns a machine of layers of the given sizes, with fields and offsets.
func deepMachine(t testing.TB, seed uint64, strength float64, sizes ...int) *rbm.Machine {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	c := &rbm.Chain{}
	for l, n := range sizes {
		layer := rbm.Layer{Field: make([]float64, n), Offset: make([]float64, n)}
		for i := range n {
			layer.Field[i], layer.Offset[i] = 0.3*rng.NormFloat64(), 0.4*math.Tanh(rng.NormFloat64())
		}
		c.Layers = append(c.Layers, layer)
		if l > 0 {
			c.Links = append(c.Links, rbm.Between{Coupling: strength / math.Sqrt(float64(sizes[l-1])), Synapses: rbm.Binary(spin.Random(sizes[l-1], n, rng))})
		}
	}
	m, err := c.Fold()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// exactTerms returns the mean ln Z~ of samples.
func exactTerms(t testing.TB, m *rbm.Machine, samples *spin.Matrix) (sum float64) {
	t.Helper()
	for a := range samples.Cols() {
		v := make([]float64, samples.Rows())
		for i := range v {
			v[i] = float64(samples.At(i, a))
		}
		w, err := m.SampleLogWeight(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		sum += w / float64(samples.Cols())
	}
	return sum
}

// drawnData returns samples of the data's layer of a machine, by chains.
func drawnData(m *rbm.Machine, count int) *spin.Matrix {
	s, err := Sample(context.Background(), m, Sampling{Count: count, Sweeps: 200, Key: stream.New(9)})
	if err != nil {
		panic(err)
	}
	return units.Rows(s.Chains.Visible, 0, m.Layers().Data())
}

// The data terms are in their order, and the clamped annealing agrees with the sum over all
// hidden states: within 4 standard errors, so that one right test of 15,000 fails, and none
// with these seeds.
func TestDataTerms(t *testing.T) {
	for seed, sizes := range [][]int{{9, 12, 11}, {6, 11, 6, 4, 7}} {
		m := deepMachine(t, uint64(seed), 1.5, sizes...)
		samples := spin.Random(sizes[0], 40, stream.New(3).Rand())
		terms, filled, err := EstimateData(t.Context(), m, samples, stream.New(1))
		if err != nil {
			t.Fatal(err)
		}
		truth := exactTerms(t, m, samples)
		if terms.Exact || terms.Bound > truth+4*terms.BoundError || math.Abs(terms.Clamped-truth) > 4*terms.ClampedError || terms.Importance > truth+4*terms.ImportanceError {
			t.Errorf("%v: %+v, truth %v", sizes, *terms, truth)
		}
		if terms.Bound > terms.Importance || terms.Importance > terms.Clamped+4*terms.ClampedError || truth-terms.Bound > 1 || terms.ClampedError > 0.05 {
			t.Errorf("%v: %+v are not in order, truth %v", sizes, *terms, truth)
		}
		if !units.Rows(filled, 0, sizes[0]).Equal(samples) || filled.Rows() != m.Visible() {
			t.Errorf("%v: filled samples are others", sizes)
		}
	}
}

// On samples drawn from the machine, annealing with the sample held and its reverse are on either side of the sum over all hidden states, and both
// within 4 standard errors and 0.02 nats.
func TestBracketData(t *testing.T) {
	m := deepMachine(t, 3, 2.5, 9, 12, 11)
	states := spin.Random(m.Visible(), 300, stream.New(3).Rand())
	d, err := BracketData(t.Context(), m, states, 50, stream.New(1))
	if err != nil {
		t.Fatal(err)
	}
	chains := sample.NewChains(sample.OnMachine(m), 300, stream.New(1).Sub(stream.DrawnChains))
	chains.StartAt(states)
	chains.Sweep(50)
	truth := exactTerms(t, m, units.Rows(chains.Visible, 0, 9))
	for name, of := range map[string]struct{ value, err float64 }{"held": {d.Clamped - truth, d.ClampedError}, "in reverse": {truth - d.Reverse, d.ReverseError}} {
		if of.value > 4*of.err || of.value < -4*of.err-0.02 || of.err > 0.02 {
			t.Errorf("%s: %v beyond the truth, standard error %v", name, of.value, of.err)
		}
	}
	if d.Bound > d.Importance || d.Importance > truth || truth-d.Bound < 0.02 {
		t.Errorf("%+v, truth %v", *d, truth)
	}
	l, err := MachineLikelihood(t.Context(), m, nil, units.Rows(states, 0, 9), Options{Key: stream.New(1), Drawn: 20})
	if err != nil || l.DataTerms.Drawn == nil || l.DataTerms.Drawn.Samples != 20 || !strings.Contains(l.Text("x"), "on 20 samples drawn") {
		t.Errorf("%+v, %v", l.DataTerms, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := BracketData(ctx, m, states, 50, 0); err == nil {
		t.Error("a context that is done is no error")
	}
}

// Annealing both ways is within three standard errors of the exact value, on a random
// machine and one that was drawn near its data.
func TestDeepLikelihood(t *testing.T) {
	for seed, sizes := range [][]int{{14, 9, 6}, {10, 6, 8, 3}} {
		m := deepMachine(t, uint64(seed+5), 1.2, sizes...)
		samples := drawnData(m, 30)
		exact, err := MachineLikelihood(t.Context(), m, nil, samples, Options{Key: stream.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		lnz, err := m.LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !exact.Exact || !exact.DataTerms.Exact || math.Abs(exact.Mean-(exactTerms(t, m, samples)-lnz)) > 1e-9 {
			t.Errorf("%v: %+v, data terms %+v", sizes, exact, exact.DataTerms)
		}
		l, err := MachineLikelihood(t.Context(), m, nil, samples, Options{Key: stream.New(2), Anneal: true, Temperatures: 500, Chains: 64, Equilibration: 400})
		if err != nil {
			t.Fatal(err)
		}
		for name, of := range map[string]struct{ value, spread float64 }{"forward": {*l.ForwardAIS, l.Spread}, "reverse": {*l.ReverseAIS, l.ReverseSpread}} {
			if off := math.Abs(of.value - exact.Mean); off > 3*of.spread/8+1e-6 || off > 0.1 {
				t.Errorf("%v: %s off by %v, standard error %v", sizes, name, off, of.spread/8)
			}
		}
		if l.Mean > *l.ForwardAIS || l.Mean > *l.ReverseAIS {
			t.Errorf("%v: quoted %v, which is not the lower one", sizes, l.Mean)
		}
	}
}

func TestDeepLikelihoodWords(t *testing.T) {
	m := deepMachine(t, 3, 1.2, 20, 12, 11)
	samples := drawnData(m, 20)
	l, err := MachineLikelihood(t.Context(), m, nil, samples, Options{Key: stream.New(1)})
	if err != nil || !l.Exact || l.DataTerms.Exact {
		t.Fatalf("%+v, %v", l, err)
	}
	if text := l.Text("x"); !strings.Contains(text, "a lower bound, with ln Z exact") || !strings.Contains(text, "annealing with the sample held") {
		t.Error(text)
	}
	if _, err := MachineLikelihood(t.Context(), m, nil, spin.New(3, 2), Options{}); err == nil || !strings.Contains(err.Error(), "samples of 3 units for a machine of 20") {
		t.Error(err)
	}
	if _, err := MachineLikelihood(t.Context(), m, nil, spin.New(20, 0), Options{}); err == nil || !strings.Contains(err.Error(), "no samples") {
		t.Error(err)
	}
}

// Of a deep machine features are those of all layers beside each other, and log-weights the sums over all hidden layers.
func TestFileOfDeepMachine(t *testing.T) {
	m := deepMachine(t, 4, 0.8, 7, 4, 3)
	file := &rbm.File{Params: m.Params, Synapses: m.Synapses}
	samples := drawnData(m, 40)
	x, count, err := FileFeatures(file, FileSamples{Bits: samples}, 1)
	if err != nil || count != 7 {
		t.Fatalf("%d features, %v", count, err)
	}
	first, second := Features(OnLayer(m, 1), samples, 1), Features(OnLayer(m, 2), samples, 1)
	for a := range 40 {
		for k, v := range append(append([]float32(nil), first[a*4:a*4+4]...), second[a*3:a*3+3]...) {
			if x[a*7+k] != v {
				t.Fatalf("feature %d of sample %d is %v, not %v", k, a, x[a*7+k], v)
			}
		}
	}
	weights, err := FileLogWeights(t.Context(), file, FileSamples{Bits: samples}, stream.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := mean(weights), exactTerms(t, m, samples); math.Abs(got-want) > 1e-9 {
		t.Errorf("mean log-weight %v, not %v", got, want)
	}
}
