package evaluate_test

import (
	"math"
	"testing"

	"bethe/evaluate"
	"bethe/internal/gausstest"
	"bethe/planted"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// machineOf returns a machine of 9 visible units and so many hidden units, with fields and
// offsets, and samples of it from chains.
func machineOf(t *testing.T, visible, hidden string, count int, coupling float64) (*rbm.File, evaluate.FileSamples) {
	t.Helper()
	v, err := units.ParseKind(visible)
	if err != nil {
		t.Fatal(err)
	}
	h, err := units.ParseKind(hidden)
	if err != nil {
		t.Fatal(err)
	}
	n, p := 9*v.Features(), count*h.Features()
	params := rbm.NewParams(n, p, coupling/v.Scale()/h.Scale())
	params.VisibleKind, params.HiddenKind = v, h
	rng := stream.New(5).Rand()
	for _, x := range []struct {
		field, offset []float64
		kind          units.Kind
	}{{params.VisibleField, params.VisibleOffset, v}, {params.HiddenField, params.HiddenOffset, h}} {
		for k := range x.field {
			if x.kind.Bits() {
				x.field[k], x.offset[k] = 0.2*rng.NormFloat64(), 0.3*rng.NormFloat64()/2
			}
		}
	}
	if !v.Bits() {
		params.VisibleOwn = make([]float64, 2*n)
	}
	machine := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(n, p, rng))}
	file := &rbm.File{Params: params, Synapses: machine.Synapses}
	if !v.Bits() {
		file.Scale = rbm.Scale{Mean: make([]float64, n), Deviation: make([]float64, n)}
		for k := range file.Scale.Deviation {
			file.Scale.Deviation[k] = 1
		}
	}
	if !h.Bits() {
		chains := sample.NewChains(sample.OnHopfield(rbm.NetworkOf[float32](machine), make([]float64, n)), 300, stream.New(6))
		chains.Sweep(60)
		return file, evaluate.FileSamples{Bits: chains.Visible}
	}
	data, err := planted.KindData(t.Context(), machine, 300, stream.New(6))
	if err != nil {
		t.Fatal(err)
	}
	if v.Bits() {
		return file, evaluate.FileSamples{Bits: data.(*units.Spins[float32]).Matrix()}
	}
	u := units.NewReals[float32](n, 300)
	for i := range n {
		for a := range u.Row(i) {
			u.Row(i)[a] = float32(data.(units.Valued).Value(i, a))
		}
	}
	return file, evaluate.FileSamples{Numbers: u}
}

// Annealing in both directions, tempering and RAISE come within 0.1 nats of the exact
// log-likelihood for every kind of units (fixed seeds; intervals are some 0.02 wide). In short,
// fewer draws come within 0.5.
func TestKindsAnnealedLikelihood(t *testing.T) {
	opt, limit := evaluate.Options{Anneal: true, Temperatures: 60, Chains: 24, Equilibration: 40, Key: stream.New(7)}, 0.1
	if testing.Short() {
		opt.Temperatures, opt.Chains, opt.Equilibration, limit = 10, 12, evaluate.LeastEquilibration, 0.5
	}
	for _, c := range []struct {
		visible, hidden string
		count           int
		coupling        float64
	}{{"gauss", "spin", 8, 0.25}, {"potts:3", "spin", 8, 0.4}, {"spin", "group:3", 4, 0.5}, {"spin", "group?:2", 4, 0.5}, {"gauss", "group:3", 3, 0.4}, {"potts:3", "group:2", 3, 0.6}, {"spin", "gauss", 8, 0.12}} {
		file, samples := machineOf(t, c.visible, c.hidden, c.count, c.coupling)
		exact, err := evaluate.FileLikelihood(t.Context(), file, samples, nil, evaluate.Options{})
		if err != nil || !exact.Exact {
			t.Fatalf("%v: %+v, %v", c, exact, err)
		}
		l, err := evaluate.FileLikelihood(t.Context(), file, samples, nil, opt)
		if err != nil || l.Exact {
			t.Fatalf("%v: %+v, %v", c, l, err)
		}
		for what, v := range map[string]float64{"forward": *l.ForwardAIS, "reverse": *l.ReverseAIS, "tempered": *l.Tempered} {
			if math.Abs(v-exact.Mean) > limit {
				t.Errorf("%v: %s %.4f, exactly %.4f", c, what, v, exact.Mean)
			}
		}
	}
}

// The source of Gaussian units weighs states as plain loops do, and exact sums agree.
func TestGaussSourceAgreesWithPlainLoops(t *testing.T) {
	plain := gaussian(5, 3, stream.New(2))
	n, p := plain.Visible(), plain.Hidden()
	params := rbm.NewParams(n, p, plain.Coupling)
	params.VisibleKind = units.Kind{Word: units.Gauss}
	params.HiddenField, params.HiddenOffset = plain.HiddenField, plain.HiddenOffset
	params.VisibleOwn = make([]float64, 2*n)
	synapses := spin.New(n, p)
	for i, row := range plain.Synapses {
		params.VisibleOwn[i], params.VisibleOwn[n+i] = math.Log(plain.Deviation[i]), plain.Mean[i]
		for mu, xi := range row {
			synapses.Set(i, mu, int8(xi))
		}
	}
	machine := &rbm.Machine{Params: params, Synapses: rbm.Binary(synapses)}
	m := evaluate.OnGauss(machine)
	a, err := plain.LnZ(t.Context())
	b, other := m.LnZ(t.Context())
	if err != nil || other != nil || math.Abs(a-b) > 1e-9 {
		t.Fatalf("ln Z %v, not %v (%v, %v)", b, a, err, other)
	}
	v := fromMachine(plain, 20, stream.New(3))
	u := units.NewReals[float32](n, v.Len())
	for i := range n {
		for k, x := range v.Row(i) {
			u.Row(i)[k] = float32((x - plain.Mean[i]) / plain.Deviation[i])
		}
	}
	weights := m.LogWeights(u)
	for k, w := range plain.LogWeights(v) {
		if math.Abs(w-weights[k]) > 1e-4*max(1, math.Abs(w)) {
			t.Errorf("sample %d has the log-weight %v, not %v", k, weights[k], w)
		}
	}
	mean, variance := []float64{0.1, 0, -0.3, 0.2, 0}, []float64{1.5, 0.8, 1, 2, 1.1}
	fast, slow := sample.OnGauss(rbm.NetworkOf[float32](machine), mean, variance, plain.Deviation), plain.From(mean, variance)
	if math.Abs(fast.LnZBase()-slow.LnZBase()) > 1e-4 {
		t.Errorf("ln Z of the base is %v, not %v", fast.LnZBase(), slow.LnZBase())
	}
	x, y := fast.Conditionals(v.Len()), slow.Conditionals(v.Len())
	x.DrawHidden(fast.NewHidden(v.Len()), u, 0.5, stream.New(1))
	y.DrawHidden(slow.NewHidden(v.Len()), v, 0.5, stream.New(1))
	gains, want := make([]float64, v.Len()), make([]float64, v.Len())
	x.AddGains(gains, u, 0.25, 0.75)
	y.AddGains(want, v, 0.25, 0.75)
	for k, w := range want {
		if math.Abs(w-gains[k]) > 1e-4*max(1, math.Abs(w)) {
			t.Errorf("sample %d gains %v, not %v", k, gains[k], w)
		}
	}
	var _ sample.Source[float64, *units.Reals[float64], *spin.Matrix] = (*gausstest.Source)(nil)
}

// What files are used for, of each kind of units: weights of samples are those of the likelihood,
// features those of the units, and chains, at random starts and at samples, give states that weigh as much as exact ones
// (4.5 standard errors of the difference of means, fixed seeds: false alarms in one of 100,000).
func TestFileUse(t *testing.T) {
	for _, c := range []struct {
		visible, hidden string
		count           int
		coupling        float64
	}{{"gauss", "spin", 8, 0.25}, {"potts:3", "spin", 8, 0.4}, {"spin", "group:3", 4, 0.5}, {"potts:3", "group:2", 3, 0.6}, {"spin", "gauss", 8, 0.12}, {"spin", "spin", 6, 0.4}} {
		file, samples := machineOf(t, c.visible, c.hidden, c.count, c.coupling)
		weights, err := evaluate.FileLogWeights(t.Context(), file, samples, 0)
		if err != nil {
			t.Fatal(err)
		}
		exact, err := evaluate.FileLikelihood(t.Context(), file, samples, nil, evaluate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		mean, variance := moments(weights)
		if math.Abs(mean-exact.LogWeight) > 1e-9 {
			t.Errorf("%v: log-weights of mean %v, not %v", c, mean, exact.LogWeight)
		}
		x, count, err := evaluate.FileFeatures(file, samples, 1)
		if err != nil || count != file.Hidden() || len(x) != 300*count {
			t.Fatalf("%v: %d features in %d numbers, %v", c, count, len(x), err)
		}
		if of := file.HiddenKind.States; of > 0 { // groups: exactly one is on
			var sum float32
			for _, v := range x[:of] {
				sum += v
			}
			if math.Abs(float64(sum)-1) > 1e-5 {
				t.Errorf("%v: the probabilities of a group add up to %v", c, sum)
			}
		}
		for k, from := range []evaluate.FileSamples{{}, samples, {}} {
			drawn, err := evaluate.DrawFile(t.Context(), file, from, evaluate.Sampling{Count: 300, Sweeps: 60, Tempered: k == 2, Key: stream.New(8)})
			if err != nil || (drawn.Temperatures > 0) != (k == 2) {
				t.Fatal(drawn, err)
			}
			if n := drawn.Means.Units(); n != file.Visible() || drawn.Means.Len() != 300 {
				t.Fatalf("%v: means of %d units", c, n)
			}
			again, err := evaluate.FileLogWeights(t.Context(), file, drawn.States, 0)
			if err != nil {
				t.Fatal(err)
			}
			m, v := moments(again)
			if math.Abs(m-mean) > 4.5*math.Sqrt((v+variance)/300) {
				t.Errorf("%v: chains weigh %v, samples %v", c, m, mean)
			}
		}
	}
}

func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, variance
}

// Samples of other units than a machine's are an error, not a panic.
func TestFileUseRefusesOtherUnits(t *testing.T) {
	gauss, numbers := machineOf(t, "gauss", "spin", 3, 0.2)
	spins, bits := machineOf(t, "spin", "spin", 3, 0.2)
	few := evaluate.FileSamples{Bits: spin.New(4, 2), Numbers: units.NewReals[float32](4, 2)}
	for k, c := range []struct {
		file    *rbm.File
		samples evaluate.FileSamples
	}{{gauss, bits}, {spins, numbers}, {gauss, few}, {spins, few}} {
		_, err1 := evaluate.FileLogWeights(t.Context(), c.file, c.samples, 0)
		_, _, err2 := evaluate.FileFeatures(c.file, c.samples, 1)
		_, err3 := evaluate.DrawFile(t.Context(), c.file, c.samples, evaluate.Sampling{Count: 1, Sweeps: 1})
		if err1 == nil || err2 == nil || err3 == nil {
			t.Errorf("%d: %v, %v, %v", k, err1, err2, err3)
		}
	}
}
