package evaluate_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"bethe/evaluate"
	"bethe/internal/gausstest"
	"bethe/rbm"
	"bethe/sample"
	"bethe/setting"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// gaussian returns a machine of n Gaussian visible units and p hidden spins.
func gaussian(n, p int, key stream.Key) *gausstest.Machine {
	rng := key.Rand()
	m := &gausstest.Machine{Coupling: 0.8 / math.Sqrt(float64(p))}
	for range n {
		row := make([]float64, p)
		for mu := range row {
			row[mu] = float64(2*rng.IntN(2) - 1)
		}
		m.Synapses = append(m.Synapses, row)
		m.Mean, m.Deviation = append(m.Mean, rng.NormFloat64()), append(m.Deviation, 0.5+rng.Float64())
	}
	for range p {
		m.HiddenField, m.HiddenOffset = append(m.HiddenField, 0.3*rng.NormFloat64()), append(m.HiddenOffset, 0.4*rng.NormFloat64())
	}
	return m
}

// fromMachine returns states of Gibbs chains on a machine.
func fromMachine(m *gausstest.Machine, count int, key stream.Key) *units.Reals[float64] {
	ones := make([]float64, m.Visible())
	for i := range ones {
		ones[i] = 1
	}
	chains := sample.NewChains(m.From(make([]float64, m.Visible()), ones), count, key)
	chains.Sweep(100)
	return chains.Visible
}

// Likelihoods of machines of Gaussian units, annealed from data of their own, are the
// exact ones: forward, reverse and tempered estimates lie within three widths of their
// intervals, as those of spins must, and tempered chains say that they are in
// equilibrium (a false alarm in some 10^4 changes of keys, all machines together).
func TestGaussianLikelihood(t *testing.T) {
	machines := 2
	if testing.Short() {
		machines = 1 // of the larger one only the sums are longer
	}
	for k := range machines {
		key := stream.New(uint64(k))
		m := gaussian(4+3*k, 3+2*k, key)
		samples := fromMachine(m, 200, key.Sub(1))
		exact, err := evaluate.Likelihood(t.Context(), m, samples, evaluate.Options{})
		if err != nil || !exact.Exact {
			t.Fatalf("%+v, %v", exact, err)
		}
		l, err := evaluate.Likelihood(t.Context(), m, samples, evaluate.Options{Anneal: true, Temperatures: 60, Chains: 24, Equilibration: 60, Key: key.Sub(2)})
		if err != nil || l.Exact || l.LogWeight != exact.LogWeight {
			t.Fatalf("%+v, %v", l, err)
		}
		for _, e := range []struct {
			what  string
			value float64
			in    evaluate.Interval
		}{{"forward", *l.ForwardAIS, *l.ForwardInterval}, {"reverse", *l.ReverseAIS, *l.ReverseInterval}, {"tempered", *l.Tempered, *l.TemperedInterval}} {
			if width := e.in[1] - e.in[0]; !(width > 0 && width < 1 && e.in[0] <= e.value && e.value <= e.in[1] && math.Abs(e.value-exact.Mean) < 3*width) {
				t.Errorf("machine %d: %s %.4f in %.4f, exactly %.4f", k, e.what, e.value, e.in, exact.Mean)
			}
		}
		if q := l.Equilibrium; !q.Reached || !(q.LeastExchange > 0.3) || q.RoundTrips < 1 {
			t.Errorf("machine %d: %+v", k, *q)
		}
	}
	var wrong *setting.Error
	if _, err := evaluate.Likelihood(t.Context(), gaussian(3, 2, stream.New(1)), units.NewReals[float64](3, 10), evaluate.Options{Chains: 1e15}); !errors.As(err, &wrong) || wrong.Setting != "ais_chains" {
		t.Errorf("too many chains: %v", err)
	}
	large := gaussian(3, gausstest.MaxExact+1, stream.New(9))
	if _, err := large.LnZ(t.Context()); !errors.Is(err, rbm.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
	samples := units.NewReals[float64](3, 10)
	l, err := evaluate.Likelihood(t.Context(), large, samples, evaluate.Options{Temperatures: 3, Chains: 4, Equilibration: evaluate.LeastEquilibration})
	if err != nil || l.Exact || l.ReverseAIS == nil {
		t.Errorf("a machine too large for the exact value: %+v, %v", l, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := evaluate.Likelihood(ctx, gaussian(3, 18, stream.New(1)), samples, evaluate.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("exact value, cancelled: %v", err)
	}
	if _, err := evaluate.Likelihood(t.Context(), large, units.NewReals[float64](4, 10), evaluate.Options{}); err == nil {
		t.Error("samples of another size: no error")
	}
}

// Numbers that are missing, and numbers under Gaussian noise, are restored to their
// means by enumeration, within 0.1 deviations: over six standard errors of 200 chains
// x 200 sweeps with autocorrelations of a few sweeps.
func TestGaussianRestored(t *testing.T) {
	const n, p, noise = 5, 3, 0.8
	m := gaussian(n, p, stream.New(3))
	given := fromMachine(m, 4, stream.New(4))
	named := []int{0, 3}
	r := evaluate.Restoring{Chains: 200, Sweeps: 300, Key: stream.New(5)}
	completed, err := evaluate.Complete(t.Context(), m, given, named, r)
	if err != nil {
		t.Fatal(err)
	}
	recovered, err := evaluate.Recover(t.Context(), m, given, 1/(noise*noise), r)
	if err != nil {
		t.Fatal(err)
	}
	// Gaussian machines are not Opposing: witnesses start at other random states.
	for what, restored := range map[string]*evaluate.Restoration[float64, *units.Reals[float64]]{"completed": completed, "recovered": recovered} {
		if unsettled, worst := restored.Unsettled(); unsettled != 0 || len(restored.RHat) != 4 || !(worst < 1.05) {
			t.Errorf("%s: %d samples have not settled, R-hat %v", what, unsettled, restored.RHat)
		}
	}
	// seen is v_i plus noise, of infinite variance if v_i is missing. Given seen, h has
	// weight exp(c.h) prod N(seen; m_i(h), sigma^2 + noise^2) exp(push^2/2).
	exact := func(a int, noises []float64) []float64 {
		weights, means := make([]float64, 1<<p), make([][]float64, 1<<p)
		for k := range weights {
			means[k] = make([]float64, n)
			for mu := range p {
				weights[k] += m.HiddenField[mu] * float64(2*(k>>mu&1)-1)
			}
			for i := range n {
				push := 0.0
				for mu, xi := range m.Synapses[i] {
					push += m.Coupling * xi * (float64(2*(k>>mu&1)-1) - m.HiddenOffset[mu])
				}
				s2, e2 := m.Deviation[i]*m.Deviation[i], noises[i]*noises[i]
				centre, seen := m.Mean[i]+m.Deviation[i]*push, given.Row(i)[a]
				weights[k] += push * push / 2
				means[k][i] = centre
				if !math.IsInf(e2, 1) {
					d := seen - centre
					weights[k] -= d * d / (2 * (s2 + e2))
					means[k][i] = centre + d*s2/(s2+e2)
				}
			}
		}
		z, out := rbm.LogSumExp(weights), make([]float64, n)
		for k, w := range weights {
			for i := range out {
				out[i] += math.Exp(w-z) * means[k][i]
			}
		}
		return out
	}
	missing, noisy := make([]float64, n), make([]float64, n)
	for i := range n {
		missing[i], noisy[i] = math.Inf(1), noise
	}
	for _, i := range named {
		missing[i] = 0
	}
	for a := range given.Len() {
		wantMissing, wantNoisy := exact(a, missing), exact(a, noisy)
		for i := range n {
			limit := 0.1 * m.Deviation[i]
			if got := completed.Mean[i*given.Len()+a]; math.Abs(got-wantMissing[i]) > limit {
				t.Errorf("sample %d, unit %d: completed to %v, exactly %v", a, i, got, wantMissing[i])
			}
			if got := recovered.Mean[i*given.Len()+a]; math.Abs(got-wantNoisy[i]) > limit {
				t.Errorf("sample %d, unit %d: recovered as %v, exactly %v", a, i, got, wantNoisy[i])
			}
		}
		if completed.States.Row(named[1])[a*r.Chains] != given.Row(named[1])[a] {
			t.Error("a given number has changed")
		}
	}
}

// Features of Gaussian samples are the means of the hidden spins, of more samples than a block.
func TestGaussianFeatures(t *testing.T) {
	m := gaussian(3, 2, stream.New(6))
	samples := fromMachine(m, 1500, stream.New(7))
	features := evaluate.Features(m, samples, 0.5)
	for a := range samples.Len() {
		for mu := range 2 {
			f := m.HiddenField[mu]
			for i := range 3 {
				f += m.Coupling * m.Synapses[i][mu] * (samples.Row(i)[a] - m.Mean[i]) / m.Deviation[i]
			}
			if got := float64(features[a*2+mu]); math.Abs(got-math.Tanh(0.5*f)) > 1e-6 {
				t.Fatalf("feature %d of sample %d is %v, not %v", mu, a, got, math.Tanh(0.5*f))
			}
		}
	}
}

// blind is a machine of spins that cannot do more than it must.
type blind struct {
	evaluate.Evaluated[float32, *spin.Matrix, *spin.Matrix]
}

// Machines that have no exact value are annealed though they are small.
func TestBareMachine(t *testing.T) {
	m := &rbm.Machine{Params: rbm.NewParams(6, 2, 0.3), Synapses: rbm.Binary(spin.Random(6, 2, stream.New(1).Rand()))}
	samples := spin.Random(6, 20, stream.New(2).Rand())
	exact, err := evaluate.Likelihood(t.Context(), evaluate.OnMachine(m), samples, evaluate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := evaluate.Likelihood(t.Context(), blind{evaluate.OnMachine(m)}, samples, evaluate.Options{Temperatures: 50, Chains: 30, Equilibration: 40})
	if err != nil || l.Exact || math.Abs(l.Mean-exact.Mean) > 0.05 {
		t.Errorf("%+v, exactly %v (%v)", l, exact.Mean, err)
	}
}
