package evaluate

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"bethe/dataset/mnist"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// coupled returns a random machine with couplings of beta/sqrt(n) and fields.
func coupled(n, p int, beta float64, key stream.Key) *rbm.Machine {
	m := machine(n, p, key)
	m.SetCoupling(beta / math.Sqrt(float64(n)))
	return m
}

// A trial is an estimate of a machine whose exact likelihood is known.
type trial struct {
	name  string
	exact float64
	LogLikelihood
}

func try(t *testing.T, name string, m *rbm.Machine, samples *spin.Matrix, opt Options) trial {
	t.Helper()
	return tryAgainst(t, name, exactly(t, m, samples), m, samples, opt)
}

// exactly returns the exact likelihood of samples.
func exactly(t *testing.T, m *rbm.Machine, samples *spin.Matrix) float64 {
	t.Helper()
	exact, err := Likelihood(t.Context(), OnMachine(m), samples, Options{})
	if err != nil || !exact.Exact {
		t.Fatalf("%+v, %v", exact, err)
	}
	return exact.Mean
}

func tryAgainst(t *testing.T, name string, exact float64, m *rbm.Machine, samples *spin.Matrix, opt Options) trial {
	t.Helper()
	opt.Anneal = true
	l, err := Likelihood(t.Context(), OnMachine(m), samples, opt)
	if err != nil || l.Exact || l.Mean != min(*l.ReverseAIS, *l.Ceiling) || math.Abs(*l.Gap-(*l.ForwardAIS-*l.ReverseAIS)) > 1e-9 {
		t.Fatalf("%s: %+v, %v", name, l, err)
	}
	return trial{name, exact, l}
}

// Forward and reverse bracket the exact likelihood of random machines of four
// couplings and of machines that learned digits: it is at most the upper end of
// the forward interval and at least the lower end of the reverse one, each to
// fail once in 40 times at the nominal level. Over 63 machines, more than 12
// failures have a probability below 1e-4 at that level (binomial). Each
// estimate also lies within three widths of its interval, and RAISE below the
// exact value of data that the machine has learned.
func TestBracket(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	const limit = 12
	opt := Options{Temperatures: 200, Chains: 64, Equilibration: 200}
	var trials []trial
	for _, beta := range []float64{0.3, 1, 1.5, 2.5} {
		for k := range 15 {
			key := stream.New(uint64(k)).Sub(math.Float64bits(beta))
			n, p := 12+k, 4+k%5*3 // up to 26 x 16
			opt.Key = key.Sub(2)
			trials = append(trials, try(t, fmt.Sprintf("beta %v machine %d", beta, k), coupled(n, p, beta, key), spin.Random(n, 100, key.Sub(1).Rand()), opt))
		}
	}
	digits := mnist.Test().Samples.Choose(500, stream.New(1).Rand())
	opt.Temperatures, opt.Equilibration = 1000, 400
	for _, hidden := range []int{10, 15, 20} {
		file, err := rbm.Load(fmt.Sprintf("testdata/digits-h%d.npz", hidden))
		if err != nil {
			t.Fatal(err)
		}
		opt.Key = stream.New(uint64(hidden))
		trials = append(trials, try(t, fmt.Sprintf("digits, %d hidden", hidden), file.Machine(), digits, opt))
	}
	failures, unsteady := 0, 0
	for _, x := range trials {
		if x.exact > x.ForwardInterval[1] || x.exact < x.ReverseInterval[0] {
			failures++
			t.Logf("%s: exactly %.4f, forward %.4f %.4f, reverse %.4f %.4f", x.name, x.exact, *x.ForwardAIS, *x.ForwardInterval, *x.ReverseAIS, *x.ReverseInterval)
		}
		if !x.Equilibrium.Reached {
			unsteady++
		}
		if *x.Ceiling < x.exact || x.Mean > *x.Ceiling {
			t.Errorf("%s: ceiling %.4f, exactly %.4f, mean %.4f", x.name, *x.Ceiling, x.exact, x.Mean)
		}
		for _, e := range []struct {
			what  string
			value float64
			in    Interval
		}{{"forward", *x.ForwardAIS, *x.ForwardInterval}, {"reverse", *x.ReverseAIS, *x.ReverseInterval}, {"tempered", *x.Tempered, *x.TemperedInterval}} {
			if width := e.in[1] - e.in[0]; !(e.in[0] <= e.value && e.value <= e.in[1] && math.Abs(e.value-x.exact) < 3*width+1e-4) {
				t.Errorf("%s: %s %.4f in %.4f, exactly %.4f", x.name, e.what, e.value, e.in, x.exact)
			}
		}
		if digit := strings.HasPrefix(x.name, "digits"); digit && x.RAISEInterval[0] > x.exact {
			t.Errorf("%s: RAISE at least %.4f, exactly %.4f", x.name, x.RAISEInterval[0], x.exact)
		}
	}
	t.Logf("%d of %d machines outside their intervals, %d not in equilibrium", failures, len(trials), unsteady)
	if failures > limit || unsteady > limit {
		t.Errorf("%d of %d machines outside their intervals, %d not in equilibrium", failures, len(trials), unsteady)
	}
}

// More temperatures shrink the gap between forward and reverse, both spreads, and
// the distance of RAISE, which starts at data, below the truth.
func TestGapShrinks(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	const machines = 6
	file, err := rbm.Load("testdata/digits-h15.npz")
	if err != nil {
		t.Fatal(err)
	}
	m := file.Machine()
	digits := mnist.Test().Samples.Choose(200, stream.New(1).Rand())
	exact := exactly(t, m, digits)
	var last [4]float64
	for step, temperatures := range []int{3, 30, 300} {
		var now [4]float64
		for k := range machines {
			x := tryAgainst(t, "digits", exact, m, digits, Options{Temperatures: temperatures, Chains: 16, Equilibration: 100, Key: stream.New(uint64(k))})
			for j, v := range []float64{*x.Gap, x.Spread, x.ReverseSpread, x.exact - *x.RAISE} {
				now[j] += v / machines
			}
		}
		if step == 0 && now[0] < 1 {
			t.Errorf("gap %v with %d temperatures: forward is not optimistic and reverse not pessimistic", now[0], temperatures)
		}
		for j, what := range []string{"gap", "spread", "reverse spread", "slack of RAISE"} {
			if step > 0 && !(now[j] < 0.7*last[j]) {
				t.Errorf("%d temperatures: %s %.3f, with a tenth of them %.3f", temperatures, what, now[j], last[j])
			}
		}
		last = now
	}
	if math.Abs(last[0]) > 0.3 {
		t.Errorf("gap %v at last", last[0])
	}
}

// Too few sweeps are told, and enough of them.
func TestEquilibriumIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	file, err := rbm.Load("testdata/digits-h15.npz")
	if err != nil {
		t.Fatal(err)
	}
	m := file.Machine()
	digits := mnist.Test().Samples.Choose(200, stream.New(1).Rand())
	exact := exactly(t, m, digits)
	for _, c := range []struct {
		sweeps int
		want   bool
	}{{LeastEquilibration, false}, {2000, true}} {
		x := tryAgainst(t, "digits", exact, m, digits, Options{Temperatures: 300, Chains: 64, Equilibration: c.sweeps, Key: stream.New(2)})
		q := x.Equilibrium
		if q.Reached != c.want || q.Sweeps != c.sweeps || q.Ensembles != 64 || q.Temperatures < 5 || !(q.LeastExchange > 0.2 && q.LeastExchange < 1 && q.Length > 3) {
			t.Errorf("%d sweeps: %+v", c.sweeps, q)
		}
	}
}

// A machine with real synapses is estimated as well.
func TestRealMachine(t *testing.T) {
	m := coupled(15, 6, 1, stream.New(1))
	weights := make([]float32, 15*6)
	rng := stream.New(2).Rand()
	for k := range weights {
		weights[k] = float32(1.5 * rng.NormFloat64())
	}
	m.Synapses = rbm.RealValued(15, 6, weights)
	x := try(t, "real", m, spin.Random(15, 50, stream.New(3).Rand()), Options{Temperatures: 300, Chains: 64, Equilibration: 200, Key: stream.New(4)})
	for _, v := range []float64{*x.ForwardAIS, *x.ReverseAIS, *x.Tempered, *x.RAISE} {
		if math.Abs(v-x.exact) > 0.2 {
			t.Errorf("%.3f, exactly %.3f", v, x.exact)
		}
	}
}

// Threads do not matter, the key does.
func TestLikelihoodDeterminism(t *testing.T) {
	m := coupled(70, 40, 1, stream.New(1))
	samples := spin.Random(70, 300, stream.New(2).Rand())
	run := func(threads int, seed uint64) LogLikelihood {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		last := 0.0
		l, err := Likelihood(t.Context(), OnMachine(m), samples, Options{Temperatures: 50, Chains: 70, Equilibration: 40, Key: stream.New(seed), Progress: func(f float64) {
			if f < last || f > 1 {
				t.Errorf("progress %v after %v", f, last)
			}
			last = f
		}})
		if err != nil || last < 0.9 {
			t.Fatalf("%v, progress %v", err, last)
		}
		return l
	}
	want := run(1, 3)
	if !reflect.DeepEqual(run(2, 3), want) || !reflect.DeepEqual(run(5, 3), want) {
		t.Error("other threads, another estimate")
	}
	if reflect.DeepEqual(run(2, 4), want) {
		t.Error("other key, same estimate")
	}
}

// A machine may hold a state, far from data and from independent spins, that
// outweighs all others and that annealing does not find. Once a tempered chain
// meets it, here as it starts there, the likelihood is no longer believed.
func TestHeavyStateIsTold(t *testing.T) {
	const n, p = 60, 40
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 1), Synapses: rbm.Binary(spin.New(n, p))}
	for i := range n {
		for mu := range p {
			m.Signs().Set(i, mu, 1)
		}
	}
	for i := range m.VisibleField { // up is heavier by exp(2 n b) = exp(600)
		m.VisibleField[i] = 5
	}
	for _, ups := range []int{40, 0} { // with none among the samples, only chains that start far from them meet it
		samples := spin.New(n, 100) // the others are all down, where fields balance all but a little of the couplings
		for a := range ups {
			for i := range n {
				samples.Set(i, a, 1)
			}
		}
		l, err := Likelihood(t.Context(), OnMachine(m), samples, Options{Anneal: true, Temperatures: 2, Chains: 4, Equilibration: LeastEquilibration, Key: stream.New(1)})
		if err != nil {
			t.Fatal(err)
		}
		exact := -float64(100-ups) / 100 * 600 // of the samples that are all down
		if math.Abs(*l.Ceiling-exact) > 1 || l.Mean > *l.Ceiling || l.Equilibrium.Reached {
			t.Errorf("%d samples up: ceiling %v, exactly about %v: %+v", ups, *l.Ceiling, exact, l)
		}
	}
}
