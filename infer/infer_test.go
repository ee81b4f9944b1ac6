package infer

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"bethe/planted"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// TestOneSampleIsExact: with one sample and one hidden unit the graph is a tree.
func TestOneSampleIsExact(t *testing.T) {
	for seed := range uint64(3) {
		key := stream.New(seed)
		const n = 12
		for _, j := range []float64{0.05, 0.25, 1, 3} {
			opt := DefaultOptions(1, j, key)
			opt.Damping, opt.Tolerance, opt.PriorTheta = 0, 1e-13, randomPrior(n, 1, 0.7, key.Sub(1))
			data := spin.Random(n, 1, key.Sub(2).Rand())
			p, r := settle[float64](t, data, opt)
			mean, _, evidence, entropy := exactly(t, data, 1, j, p.prior)
			if d := furthest(r.Mean, mean); d > 1e-10 {
				t.Errorf("J = %v: means off by %v", j, d)
			}
			if math.Abs(r.Evidence-evidence) > 1e-9 {
				t.Errorf("J = %v: ln P(D) %v, not %v", j, r.Evidence, evidence)
			}
			if math.Abs(r.Entropy-entropy) > 0.05 { // its energy is an average over Gaussian fields
				t.Errorf("J = %v: entropy %v, not %v", j, r.Entropy, entropy)
			}
			if r.Growth > 1e-6 {
				t.Errorf("J = %v: a change on a tree is gone at once, but grows by %v", j, r.Growth)
			}
		}
	}
}

// TestMessagesOfTwoUnits: what a sample sends to a site is the sum over the synapses
// of all other sites of cosh(J xi_1.s) cosh(J xi_2.s), weighed with what they sent.
func TestMessagesOfTwoUnits(t *testing.T) {
	const n, j = 6, 0.6
	rng := stream.New(1).Rand()
	data := spin.Random(n, 1, rng)
	opt := DefaultOptions(2, j, stream.New(2))
	opt.PriorTheta = randomPrior(n, 2, 0.7, stream.New(3))
	opt.Damping = 0
	p, err := New[float64](data, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n { // any messages from Z^-M and from the sample itself
		p.state.field[2*n+i] = 0.3 * rng.NormFloat64()
	}
	p.rule.site(p, p.state)
	row := [][]float64{make([]float64, n), make([]float64, n), make([]float64, n)}
	before := make([][4]float64, n) // what sites send
	for i := range n {
		row[0][i], row[1][i], row[2][i] = 0.2*(2*rng.Float64()-1), 0.2*(2*rng.Float64()-1), 0.1*(2*rng.Float64()-1)
		for k := range 4 {
			before[i][k] = p.state.b[k][i] / (1 + row[0][i]*first[k] + row[1][i]*second[k] + row[2][i]*first[k]*second[k])
		}
	}
	lnW := p.rule.sample(p, p.state, 0, row, p.work[0], 0)
	sums := make([][4]float64, n)
	var total, norm float64
	for all := range 1 << (2 * n) {
		var x, y float64
		w := 1.0
		for i := range n {
			k := all >> (2 * i) & 3
			s := float64(data.At(i, 0))
			x += s * first[k]
			y += s * second[k]
			w *= before[i][k]
		}
		norm += w
		w *= math.Cosh(j*x) * math.Cosh(j*y)
		total += w
		for i := range n {
			k := all >> (2 * i) & 3
			sums[i][k] += w / before[i][k]
		}
	}
	for i := range n {
		var z float64
		for _, v := range sums[i] {
			z += v / 4
		}
		for k, v := range sums[i] {
			if got := 1 + row[0][i]*first[k] + row[1][i]*second[k] + row[2][i]*first[k]*second[k]; math.Abs(got-v/z) > 1e-12 {
				t.Errorf("site %d, state %d: message %v, not %v", i, k, got, v/z)
			}
		}
	}
	if want := math.Log(total/norm) - 2*n*math.Log(math.Cosh(j)) + 2*math.Ln2; math.Abs(lnW-want) > 1e-12 {
		t.Errorf("ln W %v, not %v", lnW, want)
	}
}

// TestOverlapFactor against all overlaps of a few sites, weak and so strong that
// the overlap moves where it was hardly ever before.
func TestOverlapFactor(t *testing.T) {
	for _, c := range []struct {
		samples  int
		j, drift float64
	}{{3, 0.3, 0}, {40, 0.5, 0.5}, {3000, 0.8, 1.5}, {200, 0.05, -3}} {
		const n = 10
		rng := stream.New(4).Rand()
		q := make([]float64, n)
		for i := range q {
			q[i] = math.Tanh(c.drift + rng.NormFloat64())
		}
		q[3] = 1 // pinned
		lnw := make([]float64, 1<<n)
		up := make([][2]float64, n)
		weigh := func(all int) (lnP, energy float64) {
			r := 0.0
			for i, v := range q {
				x := float64(1 - 2*(all>>i&1))
				r += x
				lnP += math.Log((1 + v*x) / 2)
			}
			return lnP, -float64(c.samples) * math.Log(math.Cosh(kappa(c.j)*r))
		}
		var energy float64
		for all := range lnw {
			lnP, e := weigh(all)
			lnw[all] = lnP + e
		}
		lnZ := rbm.LogSumExp(lnw)
		for all, v := range lnw {
			w := math.Exp(v - lnZ)
			if w == 0 {
				continue
			}
			_, e := weigh(all)
			energy += w * e
			for i := range up {
				up[i][all>>i&1] += w
			}
		}
		f, err := newOverlapFactor(t.Context(), q, c.samples, c.j)
		if err != nil {
			t.Fatal(err)
		}
		fields := make([]float64, n)
		if err := f.fields(t.Context(), fields); err != nil {
			t.Fatal(err)
		}
		for i, v := range q {
			if i == 3 {
				continue
			}
			if want := math.Log(up[i][0]/up[i][1])/2 - math.Atanh(v); math.Abs(fields[i]-want) > 1e-8*max(1, math.Abs(want)) {
				t.Errorf("%+v: field %v on site %d, not %v", c, fields[i], i, want)
			}
		}
		z, e := f.terms()
		if math.Abs(z-lnZ) > 1e-9*math.Abs(lnZ) || math.Abs(e-energy) > 1e-9*math.Abs(energy) {
			t.Errorf("%+v: ln Z %v, energy %v, not %v, %v", c, z, e, lnZ, energy)
		}
	}
}

// TestOneSampleOfTwoUnits: the factor of one sample and its 1/Z share all sites, so
// messages through them are no longer exact; at N = 16 they are to 0.02.
func TestOneSampleOfTwoUnits(t *testing.T) {
	worst := 0.0
	for seed := range uint64(4) {
		const n = 16
		for _, beta := range []float64{0.5, 1, 1.5} {
			key := stream.New(seed)
			opt := DefaultOptions(2, beta/math.Sqrt(n), key)
			opt.Tolerance, opt.PriorTheta = 1e-10, randomPrior(n, 2, 0.7, key.Sub(1))
			data := spin.Random(n, 1, key.Sub(2).Rand())
			p, r := settle[float64](t, data, opt)
			mean, pair, evidence := oneSample(data, opt.Coupling, p.prior)
			d := max(furthest(r.Mean, mean), furthest(r.Pair, pair))
			worst = max(worst, d)
			if d > 0.02 || math.Abs(r.Evidence-evidence) > 0.05 {
				t.Errorf("beta = %v, seed %d: means off by %v, ln P(D) by %v", beta, seed, d, r.Evidence-evidence)
			}
		}
	}
	t.Logf("means off by at most %.4f", worst)
}

// oneSample is exactly for two hidden units and one sample, by the joint
// distribution of xi_1.s, xi_2.s and xi_1.xi_2 instead of all synapses.
func oneSample(data *spin.Matrix, j float64, prior [][]float64) (mean, pair []float64, evidence float64) {
	n := data.Rows()
	type sums struct{ a, b, r int }
	// weight returns the sum over synapses of all sites but one, which is in state k.
	weight := func(one, k int) float64 {
		dist := map[sums]float64{{}: 1}
		for i := range n {
			next := map[sums]float64{}
			for state := range 4 {
				if i == one && state != k {
					continue
				}
				p := math.Exp(prior[0][i]*first[state]+prior[1][i]*second[state]) / (4 * math.Cosh(prior[0][i]) * math.Cosh(prior[1][i]))
				s, x, y := int(data.At(i, 0)), int(first[state]), int(second[state])
				for v, w := range dist {
					next[sums{v.a + s*x, v.b + s*y, v.r + x*y}] += p * w
				}
			}
			dist = next
		}
		var total float64
		for v, w := range dist {
			total += w * math.Cosh(j*float64(v.a)) * math.Cosh(j*float64(v.b)) / math.Cosh(kappa(j)*float64(v.r))
		}
		return total
	}
	mean, pair = make([]float64, 2*n), make([]float64, n)
	var total float64
	for i := range n {
		total = 0
		var w [4]float64
		for k := range w {
			w[k] = weight(i, k)
			total += w[k]
		}
		for k, v := range w {
			mean[i] += v / total * first[k]
			mean[n+i] += v / total * second[k]
			pair[i] += v / total * first[k] * second[k]
		}
	}
	return mean, pair, math.Log(total) - float64(n)*(math.Ln2+kappa(j))
}

// TestSmallMachines: loops make messages approximate. The limits are twice what
// was found over these seeds.
func TestSmallMachines(t *testing.T) {
	for _, c := range []struct {
		hidden, n, m                    int
		mean, worst, evidence, entropyD float64
	}{{1, 14, 7, 0.04, 0.13, 0.08, 0.1}, {1, 14, 14, 0.15, 0.85, 0.2, 0.22}, {2, 8, 4, 0.045, 0.19, 0.11, 0.16}} {
		var mean, worst, evidence, entropy float64
		const seeds = 6
		for seed := range uint64(seeds) {
			key := stream.New(seed)
			opt := DefaultOptions(c.hidden, 1/math.Sqrt(float64(c.n)), key)
			opt.Tolerance, opt.PriorTheta = 1e-9, randomPrior(c.n, c.hidden, 0.7, key.Sub(1))
			_, data := planting(t, c.n, c.hidden, float64(c.m)/float64(c.n), key)
			p, r := settle[float64](t, data, opt)
			exactMean, pair, exactEvidence, exactEntropy := exactly(t, data, c.hidden, opt.Coupling, p.prior)
			for k, v := range r.Mean {
				mean += math.Abs(v-exactMean[k]) / float64(seeds*len(r.Mean))
			}
			worst = max(worst, furthest(r.Mean, exactMean), furthest(r.Pair, pair))
			evidence += math.Abs(r.Evidence-exactEvidence) / seeds
			entropy += math.Abs(r.Entropy-exactEntropy) / seeds
		}
		t.Logf("P = %d, N = %d, M = %d: means off by %.3f, at most %.3f; ln P(D) by %.3f, entropy by %.3f", c.hidden, c.n, c.m, mean, worst, evidence, entropy)
		if mean > c.mean || worst > c.worst || evidence > c.evidence || entropy > c.entropyD {
			t.Errorf("%+v: means off by %v, at most %v; ln P(D) by %v, entropy by %v", c, mean, worst, evidence, entropy)
		}
	}
}

// planting returns a teacher and its data.
func planting(t *testing.T, n, hidden int, alpha float64, key stream.Key) (*rbm.Machine, *spin.Matrix) {
	t.Helper()
	teacher, err := planted.NewTeacher(n, hidden, 1, 0, key.Sub(1))
	if err != nil {
		t.Fatal(err)
	}
	data, err := planted.Data(t.Context(), teacher, int(alpha*float64(n)), key.Sub(2))
	if err != nil {
		t.Fatal(err)
	}
	return teacher, data
}

// TestMonteCarlo: at N = 100 means agree with those of a long walk through the
// posterior about as well as two walks do with each other, 0.02.
func TestMonteCarlo(t *testing.T) {
	if testing.Short() {
		t.Skip("statistics over many draws: they run without the race detector")
	}
	for hidden := 1; hidden <= 2; hidden++ {
		const n, alpha = 100, 5
		key := stream.New(uint64(hidden))
		teacher, data := planting(t, n, hidden, alpha, key)
		_, r := settle[float32](t, data, DefaultOptions(hidden, teacher.Coupling(), key.Sub(3)))
		y, err := planted.NewYardstick(t.Context(), teacher, data, planted.Schedule{BurnIn: 200, Temperature: 3, Keep: 1500}, key.Sub(4))
		if err != nil {
			t.Fatal(err)
		}
		mine, walk := planted.MatchMean(r.Mean, teacher.Signs()), planted.MatchMean(y.FromTeacher.Mean, teacher.Signs())
		ordered := mine.Ordered(r.Mean)
		var square float64
		for k, v := range walk.Ordered(y.FromTeacher.Mean) {
			square += (v - ordered[k]) * (v - ordered[k]) / float64(n*hidden)
		}
		t.Logf("P = %d: means differ by %.3f (root mean square); overlaps %.3f and %.3f", hidden, math.Sqrt(square), mine.Mean(), walk.Mean())
		if math.Sqrt(square) > 0.05 || !(r.Growth < 1) {
			t.Errorf("P = %d: means differ by %v (root mean square); growth %v", hidden, math.Sqrt(square), r.Growth)
		}
	}
}

// TestTransition: without a pinned synapse means vanish below alpha = beta^-4;
// far above it the overlap is that of infinitely many units, and so is, in both
// phases, that of machines of finite size near enough.
func TestTransition(t *testing.T) {
	for _, c := range []struct{ alpha, low, high float64 }{{0.3, 0, 1e-3}, {4, 0.7, 0.95}} {
		teacher, data := planting(t, 300, 1, c.alpha, stream.New(9))
		opt := DefaultOptions(1, teacher.Coupling(), stream.New(10))
		_, r := settle[float32](t, data, opt)
		var square float64
		for _, m := range r.Mean {
			square += m * m / float64(len(r.Mean))
		}
		large := LargeLimit(c.alpha, 1)
		if square < c.low*c.low || square > c.high*c.high || math.Abs(square-large.MeanSquare) > 0.1 {
			t.Errorf("alpha = %v: mean square %v, in infinite machines %v", c.alpha, square, large.MeanSquare)
		}
	}
	// Learning takes longest near the transition.
	if below, at, above := LargeLimit(0.4, 1).Iterations, LargeLimit(1.02, 1).Iterations, LargeLimit(4, 1).Iterations; at < 3*below || at < 3*above {
		t.Errorf("iterations %d, %d, %d", below, at, above)
	}
	if at := LargeLimit(0.26, 1.4); at.Overlap > 0.02 {
		t.Errorf("beta = 1.4, alpha just below the transition: %+v", at)
	}
	if at := LargeLimit(0.36, 1.4); at.Overlap < 0.2 {
		t.Errorf("beta = 1.4, alpha above the transition: %+v", at)
	}
}

// TestSameBytes whatever the threads; float32 does as float64 does.
func TestSameBytes(t *testing.T) {
	for hidden := 1; hidden <= 2; hidden++ {
		teacher, data := planting(t, 60, hidden, 5, stream.New(20))
		opt := DefaultOptions(hidden, teacher.Coupling(), stream.New(21))
		_, want := settle[float32](t, data, opt)
		_, double := settle[float64](t, data, opt)
		if d := furthest(want.Mean, double.Mean); d > 1e-3 || math.Abs(want.Entropy-double.Entropy) > 0.05 || math.Abs(want.Evidence-double.Evidence) > 0.05 || math.Abs(want.Growth-double.Growth) > 0.02 {
			t.Errorf("float32 %v, %v, %v, float64 %v, %v, %v; means off by %v", want.Entropy, want.Evidence, want.Growth, double.Entropy, double.Evidence, double.Growth, d)
		}
		for _, threads := range []int{1, 3} {
			before := runtime.GOMAXPROCS(threads)
			_, r := settle[float32](t, data, opt)
			runtime.GOMAXPROCS(before)
			if furthest(r.Mean, want.Mean) != 0 || r.Entropy != want.Entropy || r.Evidence != want.Evidence || r.Growth != want.Growth {
				t.Errorf("%d threads: another result", threads)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	data := spin.New(4, 3)
	for want, change := range map[string]func(o *Options){
		"3 hidden units": func(o *Options) { o.Hidden = 3 },
		"coupling 5":     func(o *Options) { o.Coupling = 5 },
		"coupling 0":     func(o *Options) { o.Coupling = 0 },
		"damping 1":      func(o *Options) { o.Damping = 1 },
		"tolerance 0":    func(o *Options) { o.Tolerance = 0 },
		"prior":          func(o *Options) { o.PriorTheta = []float64{0, math.NaN(), 0, 0} },
	} {
		opt := DefaultOptions(1, 0.5, 0)
		change(&opt)
		if _, err := New[float32](data, opt); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	p, err := New[float32](data, DefaultOptions(2, 0.5, 0))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Run(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for what, f := range map[string]func(){
		"no samples": func() { _, _ = New[float32](spin.New(4, 0), DefaultOptions(1, 0.5, 0)) },
		"prior of 3 thetas": func() {
			o := DefaultOptions(1, 0.5, 0)
			o.PriorTheta = make([]float64, 3)
			_, _ = New[float32](data, o)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", what)
				}
			}()
			f()
		}()
	}
}
