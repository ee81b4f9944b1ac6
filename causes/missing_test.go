package causes

import (
	"math"
	"strings"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// TestMissing: the known values of a sample have the probability of all states that agree with them, and so have causes and means, whatever
// stands in the place of missing ones.
func TestMissing(t *testing.T) {
	const n, m = 12, 9
	all := states(n)
	rng := stream.New(6).Rand()
	samples, missing := spin.Random(n, m, rng), spin.Random(n, m, rng)
	for i := range n {
		missing.Set(i, 0, 1) // nothing of it is seen
		missing.Set(i, 1, -1)
	}
	for name, machine := range machines(t) {
		each, err := machine.Infer(t.Context(), all, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := machine.Infer(t.Context(), samples, missing)
		if err != nil {
			t.Fatal(err)
		}
		means, err := machine.Fill(t.Context(), samples, missing)
		if err != nil {
			t.Fatal(err)
		}
		x, err := machine.Posteriors(t.Context(), samples, missing)
		if err != nil {
			t.Fatal(err)
		}
		for a := range m {
			var logs []float64
			var agree []int
			for s := range all.Cols() {
				same := true
				for i := range n {
					same = same && (missing.At(i, a) > 0 || all.At(i, s) == samples.At(i, a))
				}
				if same {
					logs, agree = append(logs, each.LnP[s]), append(agree, s)
				}
			}
			total := rbm.LogSumExp(logs)
			if math.Abs(got.LnP[a]-total) > 1e-9 {
				t.Errorf("%s: ln P of sample %d is %v, not %v", name, a, got.LnP[a], total)
			}
			for k := range machine.Causes() {
				want := 0.0
				for at, s := range agree {
					want += math.Exp(logs[at]-total) * each.Causes[k*all.Cols()+s]
				}
				if math.Abs(got.Causes[k*m+a]-want) > 1e-9 || float64(x[a*machine.Features()+k])-want > 1e-6 {
					t.Errorf("%s: cause %d given sample %d has %v, not %v", name, k, a, got.Causes[k*m+a], want)
				}
			}
			for i := range n {
				want := 0.0
				for at, s := range agree {
					want += math.Exp(logs[at]-total) * float64(all.At(i, s))
				}
				if math.Abs(means[i*m+a]-want) > 1e-9 {
					t.Errorf("%s: the mean of unit %d of sample %d is %v, not %v", name, i, a, means[i*m+a], want)
				}
			}
		}
		if _, err := machine.Infer(t.Context(), samples, spin.New(n, m-1)); err == nil {
			t.Errorf("%s: a mask of other samples: no error", name)
		}
	}
}

// TestLearnMissing: with missing values a pass does not lower the objective either, and the machine comes close to that of whole samples (of a tree, which
// has 24 passes, within 2 nats).
func TestLearnMissing(t *testing.T) {
	const n = 24
	samples := toy(n, 1500, 4, stream.New(11))
	rng := stream.New(12).Rand()
	missing := spin.New(n, samples.Cols())
	for i := range n {
		for a := range samples.Cols() {
			if rng.Float64() < 0.4 {
				missing.Set(i, a, 1)
			}
		}
	}
	for name, o := range toys() {
		o.Missing = missing
		if o.Rule == STDP {
			if _, err := NewLearner(samples, o); err == nil || !strings.Contains(err.Error(), "missing") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		l, err := NewLearner(samples, o)
		if err != nil {
			t.Fatal(err)
		}
		climbs(t, name, l, name == "tree")
		o.Missing = nil
		whole := learn(t, samples, o, nil, 1<<30).File(rbm.Info{}).Machine()
		best, _, err := whole.LogLikelihood(t.Context(), samples, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := l.File(rbm.Info{}).Machine().LogLikelihood(t.Context(), samples, nil)
		if err != nil {
			t.Fatal(err)
		}
		limit := 1.0
		if name == "tree" {
			limit = 2
		}
		if got < best-limit {
			t.Errorf("%s: %.3f nats of whole samples, learned with holes, and %.3f without", name, got, best)
		}
	}
}
