package planted

import (
	"context"
	"math"
	"math/bits"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// logLikelihood is ln P(D | xi) by the sums over states of package rbm.
func logLikelihood(t testing.TB, data, synapses *spin.Matrix, coupling float64) float64 {
	t.Helper()
	m := &rbm.Machine{Params: rbm.NewParams(synapses.Rows(), synapses.Cols(), coupling), Synapses: rbm.Binary(synapses)}
	lnz, err := m.LnZ(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sum := -float64(data.Cols()) * lnz
	for _, f := range m.FreeEnergy(data) {
		sum -= f
	}
	return sum
}

func TestLogLikelihood(t *testing.T) {
	rng := stream.New(1).Rand()
	for _, shape := range [][3]int{{1, 1, 0}, {1, 1, 3}, {7, 3, 21}, {40, 5, 101}, {31, 2, 18}} {
		n, p, m := shape[0], shape[1], shape[2]
		d, xi := spin.Random(n, m, rng), spin.Random(n, p, rng)
		const coupling = 0.3
		got, want := likelihoodOf(t, NewExactPosterior(d, p, coupling), xi), logLikelihood(t, d, xi, coupling)
		if math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
			t.Errorf("%v: %v, want %v", shape, got, want)
		}
	}
}

// The conditional distribution of a site is that of the posterior, also after
// many moves, by enumeration of the site's 2^P rows.
func TestSiteWeights(t *testing.T) {
	for _, shape := range [][3]int{{9, 1, 13}, {12, 2, 30}, {20, 3, 62}, {10, 5, 41}} {
		n, p, m := shape[0], shape[1], shape[2]
		rng := stream.New(2).Rand()
		d, xi := spin.Random(n, m, rng), spin.Random(n, p, rng)
		const coupling = 0.45
		st := stateOf(t, NewExactPosterior(d, p, coupling), xi)
		for range 5 {
			st.sweep(t.Context(), 0.3, rng)
		}
		now := st.synapses()
		if got, want := st.logLikelihood(), logLikelihood(t, d, now, coupling); math.Abs(got-want) > 1e-9 {
			t.Fatalf("%v: log-likelihood %v after sweeps, want %v", shape, got, want)
		}
		for _, i := range []int{0, n / 2, n - 1} {
			st.siteWeights(i)
			for x := range 1 << p {
				other := now.Clone()
				for mu := range p {
					other.Set(i, mu, int8(x>>mu&1))
				}
				got := st.weight[x] - st.weight[st.row[i]]
				want := logLikelihood(t, d, other, coupling) - logLikelihood(t, d, now, coupling)
				if math.Abs(got-want) > 1e-9 {
					t.Errorf("%v: site %d, row %b: %v, want %v", shape, i, x, got, want)
				}
			}
		}
	}
}

// enumerate returns the posterior probabilities of all synapses.
func enumerate(t testing.TB, post *ExactPosterior) []float64 {
	p := make([]float64, 1<<(post.visible*post.hidden))
	for k := range p {
		p[k] = likelihoodOf(t, post, fromNumber(post.visible, post.hidden, k))
	}
	lnz := rbm.LogSumExp(p)
	for k := range p {
		p[k] = math.Exp(p[k] - lnz)
	}
	return p
}

// Independent draws from the enumerated posterior are, after a sweep, still
// draws from it.
func TestSweepKeepsThePosterior(t *testing.T) {
	for _, shape := range [][3]int{{4, 2, 9}, {3, 3, 8}, {8, 1, 20}} {
		n, p, m := shape[0], shape[1], shape[2]
		key := stream.New(3)
		const coupling = 0.7
		d := spin.Random(n, m, key.Sub(0).Rand())
		post := NewExactPosterior(d, p, coupling)
		exact := enumerate(t, post)
		sums := make([]float64, len(exact))
		for k, v := range exact {
			sums[k] = math.Log(v)
		}
		cumulate(sums)
		rng := key.Sub(1).Rand()
		counts := make([]int, len(exact))
		for range 60_000 {
			st := stateOf(t, post, fromNumber(n, p, pick(sums, rng.Float64())))
			st.sweep(t.Context(), 1, rng)
			x := 0
			for i, row := range st.row {
				x |= int(row) << (i * p)
			}
			counts[x]++
		}
		checkCounts(t, counts, exact)
	}
}

// A long run finds what enumeration of all 2^12 synapses does, for quantities
// that know nothing of the order and signs of hidden units.
func TestRunAgainstEnumeration(t *testing.T) {
	const n, p, samples, coupling = 4, 3, 12, 0.5
	key := stream.New(4)
	m := teacher(t, n, p, 0, key.Sub(0))
	m.SetCoupling(coupling)
	d := data(t, m, samples, key.Sub(1))
	post := NewExactPosterior(d, p, coupling)
	run, err := post.Run(context.Background(), spin.Random(n, p, key.Sub(2).Rand()),
		Schedule{BurnIn: 100, Temperature: 2, Keep: 40_000}, key.Sub(3))
	if err != nil {
		t.Fatal(err)
	}
	first := uint(1<<p - 1)
	pair := func(x *spin.Matrix) float64 { // sum over mu of xi_{0 mu} xi_{1 mu}
		v := columnNumbers(transposed(x))
		return float64(p - 2*bits.OnesCount((uint(v[0])^uint(v[1]))&first))
	}
	overlap := func(x *spin.Matrix) float64 { return Match(x, m.Signs()).Mean() }
	var wantPair, wantOverlap, wantLog float64
	for k, prob := range enumerate(t, post) {
		x := fromNumber(n, p, k)
		wantPair += prob * pair(x)
		wantOverlap += prob * overlap(x)
		wantLog += prob * likelihoodOf(t, post, x)
	}
	// Means over batches of 400 sweeps are all but independent.
	const batch = 400
	check := func(what string, f func(k int) float64, want float64) {
		means := make([]float64, len(run.Samples)/batch)
		for k := range run.Samples {
			means[k/batch] += f(k) / batch
		}
		checkMean(t, what, means, want)
	}
	check("pair", func(k int) float64 { return pair(run.Samples[k]) }, wantPair)
	check("overlap", func(k int) float64 { return overlap(run.Samples[k]) }, wantOverlap)
	check("log-likelihood", func(k int) float64 { return run.LogLikelihood[k] }, wantLog)
}

func transposed(m *spin.Matrix) *spin.Matrix {
	t := spin.New(m.Cols(), m.Rows())
	m.Transpose(t)
	return t
}

func TestPosteriorPanics(t *testing.T) {
	d := spin.New(5, 8)
	for _, c := range []struct {
		data     *spin.Matrix
		hidden   int
		coupling float64
	}{{spin.New(0, 3), 1, 1}, {d, 0, 1}, {d, MaxTracked + 1, 1}, {d, 1, 0}, {d, 1, math.NaN()}, {d, 1, math.Inf(1)}} {
		mustPanic(t, "NewPosterior", func() { NewExactPosterior(c.data, c.hidden, c.coupling) })
	}
	post := NewExactPosterior(d, 2, 1)
	ctx := context.Background()
	mustPanic(t, "rows", func() { likelihoodOf(t, post, spin.New(4, 2)) })
	mustPanic(t, "columns", func() { likelihoodOf(t, post, spin.New(5, 1)) })
	for _, s := range []Schedule{{-1, 1, 1}, {1, 1, 0}, {1, 0.5, 1}, {1, math.NaN(), 1}} {
		mustPanic(t, "schedule", func() { post.Run(ctx, spin.New(5, 2), s, stream.New(1)) })
	}
}
