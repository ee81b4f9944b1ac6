package evaluate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// Machines whose likelihood was once wrong without a warning, or right with one. An estimate
// that is off by more than a nat is doubted, and one of the measured modes gives the truth.
func TestCases(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	for _, c := range []struct {
		name        string
		wrong, good bool // the estimates are off by more than a nat; the verdict is good
		doubts      []Doubt
	}{
		{"entropic", true, false, []Doubt{ApartDoubt}},
		{"curie-weiss", true, false, []Doubt{ApartDoubt, StartsDoubt}},
		{"all-up", false, true, nil},
		{"mirrored", false, true, nil},
	} {
		file, err := rbm.Load("testdata/cases/" + c.name + ".npz")
		if err != nil {
			t.Fatal(err)
		}
		set, err := dataset.Read("testdata/cases/"+c.name+".data.npy", dataset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		opt := Options{Temperatures: 300, Chains: 128, Equilibration: 100, Key: stream.New(1)}
		x := try(t, c.name, file.Machine(), set.Samples, opt)
		q := x.Equilibrium
		if off := math.Abs(x.Mean - x.exact); (off > 1) != c.wrong || q.Reached != c.good || q.Reached != (len(q.Reasons) == 0) {
			t.Errorf("%s: %.3f, exactly %.3f, reached %v: %+v", c.name, x.Mean, x.exact, q.Reached, q.Reasons)
		}
		for _, d := range c.doubts {
			if !slices.ContainsFunc(q.Reasons, func(r Reason) bool { return r.Doubt == d }) {
				t.Errorf("%s: no doubt %q among %+v", c.name, d, q.Reasons)
			}
		}
		if c.wrong {
			least := math.Inf(1)
			for _, f := range q.Apart.Found {
				least = min(least, f.Likelihood)
			}
			if math.Abs(least-x.exact) > 0.5 {
				t.Errorf("%s: measured modes leave %.3f, exactly %.3f", c.name, least, x.exact)
			}
		}
		text := x.Text("data")
		if bare := strings.Contains(text, NoDisagreement); bare != c.good || strings.Contains(text, "NOT to be relied on") == c.good || strings.Contains(text, "WRONG") {
			t.Errorf("%s: %s", c.name, text)
		}
		t.Logf("%s: exactly %.3f\n%s", c.name, x.exact, text)
	}
}

// Evidence gives the same verdict again, and doubts that there is reason for.
func TestJudge(t *testing.T) {
	m := coupled(30, 8, 1, stream.New(1))
	x := try(t, "coupled", m, spin.Random(30, 50, stream.New(2).Rand()), Options{Temperatures: 200, Chains: 64, Equilibration: 200, Key: stream.New(3)})
	l := x.LogLikelihood
	if !l.Equilibrium.Reached {
		t.Fatalf("%+v", l.Equilibrium)
	}
	for _, c := range []struct {
		doubt Doubt
		spoil func(l *LogLikelihood, e *Evidence)
	}{
		{ReversedDoubt, func(l *LogLikelihood, _ *Evidence) { *l.ForwardAIS = *l.ReverseAIS - 0.5 }},
		{GapDoubt, func(l *LogLikelihood, _ *Evidence) { *l.ForwardAIS = *l.ReverseAIS + 1.5 }},
		{TemperedDoubt, func(l *LogLikelihood, _ *Evidence) { *l.Tempered = *l.ReverseAIS + 1.5 }},
		{EffectiveDoubt, func(l *LogLikelihood, _ *Evidence) { l.ReverseEffective = 9 }},
		{TripsDoubt, func(l *LogLikelihood, _ *Evidence) { l.Equilibrium.RoundTrips = 0.5 }},
		{SlowDoubt, func(_ *LogLikelihood, e *Evidence) { e.Autocorrelation = 150 }},
		{CeilingDoubt, func(l *LogLikelihood, _ *Evidence) { *l.Ceiling = *l.ReverseAIS - 1 }},
		{CeilingDoubt, func(l *LogLikelihood, _ *Evidence) { l.Equilibrium.Search.Ceiling = *l.ReverseAIS - 1 }},
		{LimitDoubt, func(l *LogLikelihood, e *Evidence) { e.LogWeight += 100 }},
		{UnknownDoubt, func(_ *LogLikelihood, e *Evidence) { e.Unmeasured = 1 }},
		{ApartDoubt, func(_ *LogLikelihood, e *Evidence) {
			e.Modes = []Mode{{Ensembles: []int{3}, Forward: []float64{e.reference() + 2, e.reference() + 2}, Reverse: []float64{e.reference() + 2, e.reference() + 2}}}
		}},
		{LightDoubt, func(_ *LogLikelihood, e *Evidence) {
			e.Modes = []Mode{{Ensembles: first(40), Reverse: []float64{e.reference() - 9}}}
		}},
		{StartsDoubt, func(_ *LogLikelihood, e *Evidence) {
			for k := range e.Ratios {
				for l := range 32 {
					e.Ratios[k].Up[l] *= 1.2
				}
			}
		}},
		// One ensemble far from data that weighs more than all others moves their mean ln Z
		// by less than its error.
		{StartsDoubt, func(_ *LogLikelihood, e *Evidence) {
			for k := range e.Ratios {
				e.Ratios[k].Up[63] *= math.Exp(5 / float64(len(e.Ratios)))
			}
		}},
		{"", func(*LogLikelihood, *Evidence) {}},
	} {
		now, evidence, search, equilibrium := l, *l.Evidence, *l.Equilibrium.Search, *l.Equilibrium
		for _, v := range []**float64{&now.ForwardAIS, &now.ReverseAIS, &now.Tempered, &now.Ceiling} {
			copied := **v
			*v = &copied
		}
		evidence.Ratios = slices.Clone(evidence.Ratios)
		for k := range evidence.Ratios {
			evidence.Ratios[k].Up = slices.Clone(evidence.Ratios[k].Up)
		}
		now.Evidence, now.Equilibrium = &evidence, &equilibrium
		equilibrium.Search = &search
		c.spoil(&now, &evidence)
		evidence.Judge(&now, 0, stream.New(3))
		if has := slices.ContainsFunc(now.Equilibrium.Reasons, func(r Reason) bool { return r.Doubt == c.doubt }); has != (c.doubt != "") || now.Equilibrium.Reached == has {
			t.Errorf("%q: %+v", c.doubt, now.Equilibrium.Reasons)
		}
		if c.doubt == "" && (*now.ReverseInterval != *l.ReverseInterval || *now.TemperedInterval != *l.TemperedInterval) {
			t.Errorf("intervals %v %v, before %v %v", now.ReverseInterval, now.TemperedInterval, l.ReverseInterval, l.TemperedInterval)
		}
	}
}

// Temperatures between which no exchange is possible give numbers, not NaN.
func TestNoExchange(t *testing.T) {
	e := &Evidence{Ratios: []sample.Ratio{{Up: []float64{0, 0}, Down: []float64{1, 2}}}}
	if value, se := e.lnZAndError([]int{0, 1}); math.IsNaN(value) || math.IsInf(value, 0) || math.IsNaN(se) || se == 0 {
		t.Errorf("%v ± %v", value, se)
	}
}

// Ensembles in states that weigh little are left out of reverse and tempered, and the weight of the
// states is added. States that weigh more stay.
func TestLeaveOut(t *testing.T) {
	const n = 10
	ratio := sample.Ratio{Up: slices.Repeat([]float64{1}, n), Down: slices.Repeat([]float64{1}, n)}
	ratio.Up[2], ratio.Up[3] = 1e9, 1e9 // these tell nonsense
	e := &Evidence{LogWeight: -5, Forward: make([]float64, n), Reverse: make([]float64, n), RAISE: make([]float64, n), Ratios: []sample.Ratio{ratio},
		Modes: []Mode{{Ensembles: []int{2}, Reverse: []float64{-4}}, {Ensembles: []int{3}, Reverse: []float64{-5}}, {Ensembles: []int{4}, Reverse: []float64{-0.5}}, {Searched: []int{1}, Reverse: []float64{-9}}}}
	e.Reverse[2], e.Reverse[3] = 50, 60
	if light := e.light(); !slices.Equal(light, []int{2, 3}) {
		t.Fatalf("light: %v", light)
	}
	forward, reverse, tempered, ceiling, gap := -5.0, e.LogWeight-lnHarmonicMean(e.Reverse), e.LogWeight-e.LnZ(first(n)), 0.0, 0.0
	l := LogLikelihood{ForwardAIS: &forward, ReverseAIS: &reverse, Tempered: &tempered, Ceiling: &ceiling, Gap: &gap, Equilibrium: &Equilibrium{}}
	if reverse > -5.2 || tempered > -20 {
		t.Fatalf("with all: %v and %v", reverse, tempered)
	}
	e.leaveOut(&l)
	if want := -5 - math.Log1p(math.Exp(-4)+math.Exp(-5)); math.Abs(reverse-want) > 1e-9 || math.Abs(tempered-want) > 1e-9 || l.Mean != reverse || gap != forward-reverse {
		t.Errorf("without: %v, %v and %v, not %v", reverse, tempered, l.Mean, want)
	}
	if math.Abs(l.ReverseEffective-(n-2)) > 1e-9 || l.ReverseSpread > 1e-9 {
		t.Errorf("%v effective chains of %d, spread %v", l.ReverseEffective, n-2, l.ReverseSpread)
	}
	if _, in, _, _ := e.Intervals(stream.New(1)); in[0] > reverse || in[1] < -5 {
		t.Errorf("the interval %v does not reach from without to with the light states", in)
	}
}

// An ensemble stands apart from 3 nats on, the one of largest excess first.
func TestApart(t *testing.T) {
	ratio := sample.Ratio{}
	for _, z := range []float64{0, 2.9, 3.1, 0, 0, 0} {
		ratio.Up, ratio.Down = append(ratio.Up, math.Exp(z)), append(ratio.Down, 1)
	}
	e := &Evidence{Reverse: []float64{0, 0}, Ratios: []sample.Ratio{ratio}, Searched: []float64{2.9, 8, 3.1}}
	if z := e.reference(); z != 0 {
		t.Fatalf("reference %v", z)
	}
	list, rest := e.apart()
	var columns, ensembles []int
	searched := 0
	for _, s := range list {
		columns, ensembles = append(columns, s.column), append(ensembles, s.ensemble)
		if s.searched {
			searched++
		}
	}
	if len(list) != 3 || list[0].excess != 8 || searched != 2 || !slices.Equal(rest, []int{0, 1, 3, 4, 5}) || columns[0] != 7 || ensembles[0] != 1 ||
		!slices.Contains(columns, 2) || !slices.Contains(columns, 8) {
		t.Errorf("%+v stand apart, and %v do not", list, rest)
	}
}

// RAISE that lies above reverse and tempered is withdrawn.
func TestRAISEWithdrawn(t *testing.T) {
	m := coupled(20, 6, 2.5, stream.New(4))
	samples := spin.Random(20, 50, stream.New(5).Rand())
	few := try(t, "few", m, samples, Options{Temperatures: 3, Chains: 64, Equilibration: 200, Key: stream.New(3)})
	if withdrawn := *few.RAISE > max(few.ReverseInterval[1], few.TemperedInterval[1]); !withdrawn || !few.RAISEWithdrawn || !strings.Contains(few.Text("x"), "withdrawn") {
		t.Errorf("raise %.3f, reverse %.3f, tempered %.3f, withdrawn %v", *few.RAISE, *few.ReverseAIS, *few.Tempered, few.RAISEWithdrawn)
	}
}

// A machine without fields does not tell samples from mirror images; offsets are fields.
func TestMirror(t *testing.T) {
	m := &rbm.Machine{Params: rbm.NewParams(5, 3, 0.4), Synapses: rbm.Binary(spin.Random(5, 3, stream.New(1).Rand()))}
	s := spin.Random(5, 7, stream.New(2).Rand())
	both, ok := OnMachine(m).Mirror(s)
	if !ok || both.Cols() != 14 {
		t.Fatalf("mirrored %v", ok)
	}
	w := OnMachine(m).LogWeights(both)
	for a := range 7 {
		if math.Abs(w[a]-w[a+7]) > 1e-9 || both.At(2, a) != -both.At(2, a+7) || both.At(2, a) != s.At(2, a) {
			t.Errorf("sample %d: %v and %v", a, w[a], w[a+7])
		}
	}
	m.HiddenOffset[0] = 0.5
	if _, ok := OnMachine(m).Mirror(s); ok {
		t.Error("a machine with offsets is said to be symmetric")
	}
}
