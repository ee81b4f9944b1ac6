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
	scores, err := baseline.Numbers(t.Context(), draw(800, false), draw(800, false), stream.New(2))
	if err != nil {
		t.Fatal(err)
	}
	full, alone := *score(t, scores, baseline.Covariance).LogLikelihood, *score(t, scores, baseline.Independent).LogLikelihood
	if want := -one - math.Log(1-0.81)/2; math.Abs(full-want) > 0.1 || math.Abs(alone+one) > 0.1 {
		t.Errorf("full covariance %.3f, not %.3f; independent %.3f, not %.3f", full, want, alone, -one)
	}
	scores, err = baseline.Numbers(t.Context(), draw(500, true), draw(500, true), stream.New(2))
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
	scores, err := baseline.Bits(t.Context(), baseline.Samples{Features: draw(3000)}, baseline.Samples{Features: draw(2000)}, units.Kind{})
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
	scores, err = baseline.Bits(t.Context(), baseline.Samples{Features: colours(300, 2)}, baseline.Samples{Features: colours(90, 3)}, kind)
	if err != nil || math.IsInf(*score(t, scores, baseline.Pairs).PseudoLikelihood, 0) {
		t.Errorf("%+v, %v", scores, err)
	}
	if _, err := baseline.Bits(t.Context(), baseline.Samples{Features: colours(3, 2)}, baseline.Samples{Features: spin.New(2, 2)}, kind); err == nil {
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
	if _, err := baseline.Beside(t.Context(), spins, set, bits, 0); err == nil {
		t.Error("numbers beside spins: no error")
	}
}

// holes returns a mask in which each unit of each sample but the first is missing with a probability.
func holes(n, m int, share float64, key stream.Key) *spin.Matrix {
	mask, rng := spin.New(n, m), key.Rand()
	for i := range n {
		for a := 1; a < m; a++ {
			if rng.Float64() < share {
				mask.Set(i, a, 1)
			}
		}
	}
	return mask
}

// If values are missing, models are fitted to the known ones: independent units by formula, pairs still know their neighbours, and whatever
// stands in the holes changes nothing. A mask without holes gives what no mask gives.
func TestBitsWithHoles(t *testing.T) {
	rng := stream.New(5).Rand()
	const n, m = 6, 1500
	train, test := spin.New(n, m), spin.New(n, m)
	for _, s := range []*spin.Matrix{train, test} {
		for a := range m {
			for i := range n / 2 {
				v := int8(1)
				if rng.Float64() < 0.3 {
					v = -1
				}
				s.Set(i, a, v)
				s.Set(i+n/2, a, v)
			}
		}
	}
	fit := func(train, test baseline.Samples) []baseline.Score {
		t.Helper()
		scores, err := baseline.Bits(t.Context(), train, test, units.Kind{})
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	same := func(name string, a, b []baseline.Score) {
		t.Helper()
		for k := range a {
			if *a[k].PseudoLikelihood != *b[k].PseudoLikelihood {
				t.Errorf("%s: %v, not %v", name, *a[k].PseudoLikelihood, *b[k].PseudoLikelihood)
			}
		}
	}
	none := spin.New(n, m)
	same("no holes", fit(baseline.Samples{Features: train, Missing: none}, baseline.Samples{Features: test, Missing: none}), fit(baseline.Samples{Features: train}, baseline.Samples{Features: test}))
	gone, goneTest := holes(n, m, 0.3, stream.New(6)), holes(n, m, 0.3, stream.New(7))
	scores := fit(baseline.Samples{Features: train, Missing: gone}, baseline.Samples{Features: test, Missing: goneTest})
	turned, turnedTest := train.Clone(), test.Clone()
	want := 0.0
	for i := range n {
		up, seen := 0.0, 0.0
		for a := range m {
			if gone.At(i, a) > 0 {
				turned.Set(i, a, -train.At(i, a))
				continue
			}
			seen++
			up += float64(1+train.At(i, a)) / 2
		}
		for a := range m {
			if goneTest.At(i, a) > 0 {
				turnedTest.Set(i, a, -test.At(i, a))
				continue
			}
			p := (up + 0.5) / (seen + 1)
			if test.At(i, a) < 0 {
				p = 1 - p
			}
			want += math.Log(p) / m
		}
	}
	same("other values in the holes", fit(baseline.Samples{Features: turned, Missing: gone}, baseline.Samples{Features: turnedTest, Missing: goneTest}), scores)
	alone, pairs := *score(t, scores, baseline.Independent).LogLikelihood, *score(t, scores, baseline.Pairs).PseudoLikelihood
	if math.Abs(alone-want) > 1e-9 {
		t.Errorf("independent units: %v, not %v", alone, want)
	}
	// Of six units 0.7 are seen; the partner of 0.7 of these is seen too and tells all (but for the penalty), others have their entropy.
	entropy := -0.7*math.Log(0.7) - 0.3*math.Log(0.3)
	if best := -0.7 * n * 0.3 * entropy; !(pairs < best+0.15 && pairs > best-0.5 && pairs > alone+1) {
		t.Errorf("pairs: %v, where %v is the best and independent units have %v", pairs, best, alone)
	}
}

// Gaussian models of known values: correlated normal numbers with holes have the same covariance, and the density of known values is a
// marginal of it; mixtures find their clusters.
func TestNumbersWithHoles(t *testing.T) {
	rng := stream.New(8).Rand()
	const m = 500
	draw := func(clusters bool) *dataset.Set {
		x := units.NewReals[float32](2, m)
		for a := range m {
			u, v := rng.NormFloat64(), rng.NormFloat64()
			x.Row(0)[a], x.Row(1)[a] = float32(u), float32(0.9*u+math.Sqrt(1-0.81)*v)
			if clusters {
				at := 4 * float64(1-2*(a%2))
				x.Row(0)[a], x.Row(1)[a] = float32(u+at), float32(v+at)
			}
		}
		set, err := dataset.FromNumbers("x", x, units.Kind{Word: units.Gauss})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	p := rbm.NewParams(2, 2, 0.1)
	p.VisibleKind, p.VisibleOwn = units.Kind{Word: units.Gauss}, make([]float64, 4)
	file := &rbm.File{Params: p, Synapses: rbm.Binary(spin.New(2, 2)), Scale: rbm.Scale{Mean: make([]float64, 2), Deviation: []float64{1, 1}}}
	fit := func(train, test *dataset.Set) []baseline.Score {
		t.Helper()
		scores, err := baseline.Beside(t.Context(), file, train, test, stream.New(1))
		if err != nil {
			t.Fatal(err)
		}
		return scores
	}
	train, test := draw(false), draw(false)
	plain := fit(train, test)
	train.Missing, test.Missing = spin.New(2, m), spin.New(2, m)
	for k, s := range fit(train, test) {
		if math.Abs(*s.LogLikelihood-*plain[k].LogLikelihood) > 1e-12 {
			t.Errorf("no holes: %s has %v, not %v", s.Model, *s.LogLikelihood, *plain[k].LogLikelihood)
		}
	}
	train.Missing, test.Missing = holes(2, m, 0.3, stream.New(2)), holes(2, m, 0.3, stream.New(3))
	one := (1 + math.Log(2*math.Pi)) / 2 // of a standard normal number
	var both, single float64
	for a := range m {
		switch x, y := test.Missing.At(0, a) > 0, test.Missing.At(1, a) > 0; {
		case x != y:
			single++
		case !x:
			both++
		}
	}
	scores := fit(train, test)
	alone := -(2*both + single) / m * one
	full := alone - both/m*math.Log(1-0.81)/2
	if got := *score(t, scores, baseline.Covariance).LogLikelihood; math.Abs(got-full) > 0.06 {
		t.Errorf("full covariance %v, not %v", got, full)
	}
	if got := *score(t, scores, baseline.Independent).LogLikelihood; math.Abs(got-alone) > 0.06 {
		t.Errorf("independent numbers %v, not %v", got, alone)
	}
	train, test = draw(true), draw(true)
	train.Missing, test.Missing = holes(2, m, 0.3, stream.New(2)), holes(2, m, 0.3, stream.New(3))
	seen := 0.0
	for a := range m {
		if test.Missing.At(0, a) < 0 || test.Missing.At(1, a) < 0 {
			seen++
		}
	}
	if got, want := *score(t, fit(train, test), baseline.Mixture).LogLikelihood, alone-seen/m*math.Ln2; math.Abs(got-want) > 0.08 {
		t.Errorf("mixture %v, not %v", got, want)
	}
}

// A deep machine stands beside models of its data's layer, without a pseudolikelihood of its own; other data are refused by their sizes.
func TestBesideDeep(t *testing.T) {
	f := rbm.Folding{3, 2, 2}
	params := f.NewParams([]float64{0.3, 0.3})
	deep := &rbm.File{Params: params, Synapses: rbm.Binary(spin.New(params.Visible(), params.Hidden()))}
	set := &dataset.Set{Samples: spin.Random(3, 40, stream.New(1).Rand())}
	scores, err := baseline.Beside(t.Context(), deep, set, set, 0)
	if err != nil || len(scores) != 2 {
		t.Errorf("%+v, %v", scores, err)
	}
	other := &dataset.Set{Samples: spin.Random(5, 40, stream.New(1).Rand())}
	if _, err := baseline.Beside(t.Context(), deep, other, set, 0); err == nil || !strings.Contains(err.Error(), "of 5 and 3 units for a machine of 3") {
		t.Error(err)
	}
}
