package baseline_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"bethe/baseline"
	"bethe/dataset"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// score returns that of a model.
func score(t *testing.T, scores []baseline.Score, model string) baseline.Score {
	t.Helper()
	for _, s := range scores {
		if s.Model == model {
			return s
		}
	}
	t.Fatalf("no %s in %+v", model, scores)
	return baseline.Score{}
}

// Of correlated normal numbers the full covariance comes close to their entropy; of two clusters
// the mixture does. Independent Gaussians give neither.
func TestNumbers(t *testing.T) {
	rng := stream.New(1).Rand()
	draw := func(m int, clusters bool) *units.Reals[float32] {
		x := units.NewReals[float32](2, m)
		for a := range m {
			u, v := rng.NormFloat64(), rng.NormFloat64()
			if clusters {
				at := 4 * float64(1-2*(a%2))
				x.Row(0)[a], x.Row(1)[a] = float32(u+at), float32(v+at)
				continue
			}
			x.Row(0)[a], x.Row(1)[a] = float32(u), float32(0.9*u+math.Sqrt(1-0.81)*v)
		}
		return x
	}
	one := 1 + math.Log(2*math.Pi) // of two independent standard normal numbers
	scores, err := baseline.Numbers(t.Context(), draw(2000, false), draw(2000, false), stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	full, alone := *score(t, scores, baseline.Covariance).LogLikelihood, *score(t, scores, baseline.Independent).LogLikelihood
	if want := -one - math.Log(1-0.81)/2; math.Abs(full-want) > 0.1 || math.Abs(alone+one) > 0.1 {
		t.Errorf("full covariance %.3f, not %.3f; independent %.3f, not %.3f", full, want, alone, -one)
	}
	scores, err = baseline.Numbers(t.Context(), draw(1000, true), draw(1000, true), stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	mixed := score(t, scores, baseline.Mixture)
	if math.Abs(*mixed.LogLikelihood+one+math.Ln2) > 0.1 || mixed.Components < 2 || *score(t, scores, baseline.Covariance).LogLikelihood > *mixed.LogLikelihood-0.3 {
		t.Errorf("%+v", scores)
	}
	if _, err := baseline.Numbers(t.Context(), draw(1, true), draw(3, true), 0); err == nil {
		t.Error("a single sample: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := baseline.Numbers(ctx, draw(100, true), draw(3, true), 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Of a chain of spins the pairs come close to the true conditionals, and independent units do not; of colours
// that copy each other likewise. A constant unit and a colour that is new in the test samples do not end it.
func TestBits(t *testing.T) {
	rng := stream.New(3).Rand()
	const n = 6
	draw := func(m int) *spin.Matrix {
		s := spin.New(n, m)
		for a := range m {
			last := int8(1)
			for i := range n - 1 {
				if rng.Float64() < 0.2 {
					last = -last
				}
				s.Set(i, a, last)
			}
			s.Set(n-1, a, 1)
		}
		return s
	}
	scores, err := baseline.Bits(t.Context(), draw(3000), draw(2000), units.Kind{})
	if err != nil {
		t.Fatal(err)
	}
	// Ends of the chain know one neighbour (the first is pinned by its start), others two.
	entropy := func(p float64) float64 { return -p*math.Log(p) - (1-p)*math.Log(1-p) }
	ends := entropy(0.2)
	same := 0.64 + 0.04 // chance that both neighbours agree
	middle := same*entropy(0.04/same) + (1-same)*math.Ln2
	want := -(ends + 3*middle + 0.68*entropy(0.04/0.68) + 0.32*math.Ln2)
	pairs, alone := *score(t, scores, baseline.Pairs).PseudoLikelihood, *score(t, scores, baseline.Independent).PseudoLikelihood
	if math.Abs(pairs-want) > 0.12 || alone > want-0.5 {
		t.Errorf("pairs %.3f, not %.3f; independent %.3f", pairs, want, alone)
	}
	kind := units.Kind{Word: units.Potts, States: 3}
	colours := func(m, most int) *spin.Matrix {
		s := spin.New(9, m)
		for a := range m {
			c := rng.IntN(most)
			for u := range 3 {
				s.Set(3*u+c, a, 1)
			}
		}
		return s
	}
	scores, err = baseline.Bits(t.Context(), colours(300, 2), colours(90, 3), kind)
	if err != nil || math.IsInf(*score(t, scores, baseline.Pairs).PseudoLikelihood, 0) {
		t.Errorf("%+v, %v", scores, err)
	}
	if _, err := baseline.Bits(t.Context(), colours(3, 2), spin.New(2, 2), kind); err == nil {
		t.Error("other units: no error")
	}
}

// Beside measures in the units of the machine's scale, and takes the machine's own pseudolikelihood.
func TestBeside(t *testing.T) {
	rng := stream.New(4).Rand()
	numbers := units.NewReals[float32](3, 200)
	for k := range numbers.Values() {
		numbers.Values()[k] = float32(50 + 10*rng.NormFloat64())
	}
	set, err := dataset.FromNumbers("x", numbers, units.Kind{Word: units.Gauss})
	if err != nil {
		t.Fatal(err)
	}
	p := rbm.NewParams(3, 2, 0.1)
	p.VisibleKind = units.Kind{Word: units.Gauss}
	p.VisibleOwn = make([]float64, 6)
	file := &rbm.File{Params: p, Synapses: rbm.Binary(spin.New(3, 2)), Scale: rbm.ScaleOf(numbers, nil)}
	scores, err := baseline.Beside(t.Context(), file, set, set, 0)
	if err != nil {
		t.Fatal(err)
	}
	if v := *score(t, scores, baseline.Independent).LogLikelihood; math.Abs(v+1.5*(1+math.Log(2*math.Pi))) > 0.01 {
		t.Errorf("independent %.3f in units of the deviations", v)
	}
	bits := &dataset.Set{Samples: spin.Random(3, 50, rng)}
	spins := &rbm.File{Params: rbm.NewParams(3, 2, 0.1), Synapses: file.Synapses}
	scores, err = baseline.Beside(t.Context(), spins, bits, bits, 0)
	if err != nil {
		t.Fatal(err)
	}
	if v := *score(t, scores, baseline.Machine).PseudoLikelihood; math.Abs(v+3*math.Ln2) > 0.1 {
		t.Errorf("the machine's pseudolikelihood is %.3f", v)
	}
	if text := baseline.Text(scores); strings.Count(text, "\n") != 4 || !strings.Contains(text, "this machine") {
		t.Error(text)
	}
	holes := &dataset.Set{Samples: bits.Samples, Missing: spin.Random(3, 50, rng)}
	if _, err := baseline.Beside(t.Context(), spins, bits, holes, 0); err == nil {
		t.Error("missing values: no error")
	}
	if _, err := baseline.Beside(t.Context(), spins, set, bits, 0); err == nil {
		t.Error("numbers beside spins: no error")
	}
}
