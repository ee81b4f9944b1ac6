package dual

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// A gaussCase is a machine with a Gaussian layer whose dual can be enumerated.
type gaussCase struct {
	name            string
	visible, hidden string
	n, p            int // features
	coupling        float64
	offset          float64 // of the bits; groups and colours always have some
	field           float64 // of the bits
	redrawn         bool    // whether the synapses of some units are redrawn at the least
}

// Cases of each kind, with and without offsets; the last two have units whose matched
// Gaussian is too wide.
var gaussCases = []gaussCase{
	{"spins", "gauss", "spin", 4, 5, 0.3, 0, 0.2, false},
	{"spins with offsets", "gauss", "spin", 3, 4, 0.3, 0.6, 0.2, false},
	{"groups", "gauss", "group:3", 3, 6, 0.25, 0.2, 0.3, false},
	{"groups of at most one", "gauss", "group?:2", 3, 4, 0.3, 0.2, 0.3, false},
	{"visible spins", "spin", "gauss", 6, 3, 0.25, 0.5, 0.3, false},
	{"colours", "potts:3", "gauss", 6, 2, 0.3, 0.3, 0.3, false},
	{"wide", "gauss", "spin", 3, 4, 0.55, 0, 0.1, true},
	{"wide with offsets", "gauss", "spin", 2, 4, 0.55, 0.5, 0.1, true},
}

func (c gaussCase) draw(seed uint64) (*rbm.Params, []float64) {
	rng := rand.New(rand.NewPCG(seed, uint64(c.n)))
	p := rbm.NewParams(c.n, c.p, c.coupling)
	p.VisibleKind, _ = units.ParseKind(c.visible)
	p.HiddenKind, _ = units.ParseKind(c.hidden)
	for _, layer := range []struct {
		field, offset []float64
		kind          units.Kind
	}{{p.VisibleField, p.VisibleOffset, p.VisibleKind}, {p.HiddenField, p.HiddenOffset, p.HiddenKind}} {
		for k := range layer.field {
			if !layer.kind.Bits() {
				layer.field[k] = 0.1 * rng.NormFloat64()
				continue
			}
			layer.field[k] = c.field * rng.NormFloat64()
			layer.offset[k] = c.offset * (2*rng.Float64() - 1)
			if layer.kind.OneHot() {
				layer.offset[k] = -1 + c.offset*rng.Float64()
			}
		}
	}
	mean := make([]float64, c.n*c.p)
	for k := range mean {
		mean[k] = math.Tanh(0.9 * rng.NormFloat64())
		if c.redrawn {
			mean[k] /= 4
		}
	}
	return &p, mean
}

// placeOf returns the number of a state of the bits, in the order of mixed.spread.
func placeOf(x *mixed, h *spin.Matrix, chain int) (place int) {
	size := 1
	for unit := range x.bits / x.kind.Features() {
		for choice := range x.kind.Choices() {
			if !x.kind.OneHot() {
				if int(h.At(unit, chain)) == 2*choice-1 {
					place += choice * size
				}
				continue
			}
			on := -1
			for k := range x.kind.States {
				if h.At(unit*x.kind.States+k, chain) == 1 {
					on = k
				}
			}
			if on == choice || on < 0 && choice == x.kind.States {
				place += choice * size
			}
		}
		size *= x.kind.Choices()
	}
	return place
}

// The bits of chains have the exact probabilities, and Gaussian units their exact first and second
// moments: chi-squared tests that raise a false alarm at a rate of 1e-6 each, and means at 5
// standard errors, 6e-7 each; some 60 of them at fixed seeds.
func TestGaussChainsDrawExactProbabilities(t *testing.T) {
	const chains, sweeps = 1500, 20
	for _, c := range gaussCases {
		params, mean := c.draw(3)
		sums, _, p, err := sumGauss(t.Context(), params, mean)
		if err != nil {
			t.Fatal(err)
		}
		x := sums.mixed
		source := newMoving[float64](x, nil)
		layers := source.conditionals(chains)
		u, h := source.NewVisible(chains), source.RandomHidden(chains, stream.New(1))
		wide := false
		for k := range uint64(sweeps) {
			layers.DrawVisible(u, h, 1, stream.New(2).Sub(k))
			for _, rho := range layers.rho {
				wide = wide || rho < leastRho
			}
			layers.DrawHidden(h, u, 1, stream.New(3).Sub(k))
		}
		if wide != c.redrawn {
			t.Errorf("%s: redrawn: %v", c.name, wide)
		}
		counts := make([]float64, len(p))
		for l := range chains {
			counts[placeOf(x, h, l)]++
		}
		chi2, freedom, rare, rareCount := 0.0, -1.0, 0.0, 0.0
		for k, v := range p {
			expected := v * chains
			if expected < 8 {
				rare, rareCount = rare+expected, rareCount+counts[k]
				continue
			}
			chi2 += (counts[k] - expected) * (counts[k] - expected) / expected
			freedom++
		}
		if rare > 0 {
			chi2 += (rareCount - rare) * (rareCount - rare) / rare
			freedom++
		}
		if q := mathext.GammaIncRegComp(freedom/2, chi2/2); !(q > 1e-6) {
			t.Errorf("%s: chi-squared %.1f for %g degrees of freedom", c.name, chi2, freedom)
		}
		for r := range x.reals {
			for power, want := range map[float64]float64{1: sums.first[r], 2: sums.second[r]} {
				var sum, square float64
				for _, v := range u.Row(r) {
					y := math.Pow(v, power)
					sum += y / chains
					square += y * y / chains
				}
				if e := math.Sqrt((square - sum*sum) / chains); math.Abs(sum-want) > 5*e {
					t.Errorf("%s: <u^%g> of unit %d is %.4f, not %.4f; a standard error is %.4f", c.name, power, r, sum, want, e)
				}
			}
		}
	}
}

// The gradient from many chains is the exact one, within 5 standard errors of the mean over groups
// of chains (6e-7 each), and the smallest rho is that of the exact term.
func TestGaussChainsGradient(t *testing.T) {
	const groups = 12
	for k, c := range gaussCases {
		params, mean := c.draw(4)
		want := NewGradient[float64](params)
		exact, err := Term(t.Context(), Gauss[float64]{}, want, params, mean)
		if err != nil {
			t.Fatal(err)
		}
		var all [][]float64
		least := 0.0
		for g := range uint64(groups) {
			got := NewGradient[float64](params)
			chains := &GaussChains[float64]{Count: 100, Sweeps: 20, Key: stream.New(g)}
			if k == 1 || k == 5 { // scouts join at the end, and have settled as well
				chains.Count, chains.Sweeps, chains.Scouts = 50, 100, 25
			}
			report, err := Term(t.Context(), chains, got, params, mean)
			if err != nil {
				t.Fatal(err)
			}
			least += report.Rho / groups
			all = append(all, slices.Concat(got.Synapse, got.VisibleField, got.HiddenField, got.Coupling))
		}
		for k, w := range slices.Concat(want.Synapse, want.VisibleField, want.HiddenField, want.Coupling) {
			var sum, square float64
			for _, x := range all {
				sum += x[k] / groups
			}
			for _, x := range all {
				square += (x[k] - sum) * (x[k] - sum) / (groups - 1)
			}
			// 12 groups: Student's t of 11 degrees of freedom is beyond 9.5 at a rate of 1e-6.
			if e := math.Sqrt(square / groups); math.Abs(sum-w) > 9.5*e+1e-12 {
				t.Errorf("%s: derivative %d is %.4f, not %.4f; a standard error is %.4f", c.name, k, sum, w, e)
			}
		}
		if math.Abs(least-exact.Rho) > 0.03 {
			t.Errorf("%s: the smallest rho is %.3f, not %.3f", c.name, least, exact.Rho)
		}
	}
}

// Annealing weighs the dual rightly: the mean weight of 1,000 chains is Z within 5 standard errors
// (6e-7), also from other fields of visible bits.
func TestGaussChainsAnneal(t *testing.T) {
	for _, c := range gaussCases {
		params, mean := c.draw(5)
		_, exact, _, err := sumGauss(t.Context(), params, mean)
		if err != nil {
			t.Fatal(err)
		}
		base := make([]float64, c.n)
		for i := range base {
			base[i] = 0.3 * math.Sin(float64(i))
		}
		z, err := (&GaussChains[float64]{}).AnnealedLnZ(t.Context(), params, mean, base, sample.Annealing{Chains: 1000, Temperatures: 8, Key: stream.New(6)})
		if err != nil {
			t.Fatal(err)
		}
		var sum, square float64
		for _, w := range z.LogWeights {
			v := math.Exp(w - exact)
			sum += v / 1000
			square += v * v / 1000
		}
		if e := math.Sqrt((square - sum*sum) / 1000); math.Abs(sum-1) > 5*e || e > 0.1 {
			t.Errorf("%s: weights over Z have the mean %.4f; a standard error is %.4f", c.name, sum, e)
		}
	}
}

// Chains in float32 are the same on any number of threads, and go on from what they kept.
func TestGaussChainsThreads(t *testing.T) {
	params, mean := gaussCases[1].draw(6)
	synapses := narrow[float32](mean)
	run := func(threads int, resumed bool) []float32 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		c := &GaussChains[float32]{Count: 60, Sweeps: 2, Key: stream.New(7)}
		grad := NewGradient[float32](params)
		for range 3 {
			if _, err := Term(t.Context(), c, grad, params, synapses); err != nil {
				t.Fatal(err)
			}
			if resumed {
				kept := c.State()
				c = &GaussChains[float32]{Count: 60, Sweeps: 2, Key: stream.New(7)}
				if err := c.Restore(params.Visible(), params.Hidden(), kept); err != nil {
					t.Fatal(err)
				}
			}
		}
		return grad.Synapse
	}
	want := run(1, false)
	if !slices.Equal(run(3, false), want) || !slices.Equal(run(2, true), want) {
		t.Error("other draws on other numbers of threads, or after a state was restored")
	}
	c := &GaussChains[float32]{Count: 60, Sweeps: 1}
	for _, s := range []State{{States: []units.Stored{{}}}, {States: []units.Stored{units.NewReals[float32](3, 60).Store(), spin.New(5, 60).Store()}}} {
		if c.Restore(3, 4, s) == nil {
			t.Errorf("a state that does not fit is taken: %+v", s)
		}
	}
	if _, _, err := (&GaussChains[float32]{}).Rows(t.Context(), NewGradient[float32](params), params, synapses); err == nil {
		t.Error("no chains: no error")
	}
}

// Chains on networks with a Gaussian layer have the exact moments, within 9.5 standard errors over 12
// groups of chains (1e-6 each). They go on from a saved state and after an undone call.
func TestRealChains(t *testing.T) {
	const groups = 12
	for _, c := range gaussCases[:6] {
		params, mean := c.draw(8)
		net := rbm.NewNetwork[float32](c.n, c.p)
		net.SetWeights(params, narrow[float32](mean))
		want := rbm.NewMoments[float32](c.n, c.p)
		if _, err := (Exact[float32]{}).Moments(t.Context(), want, net); err != nil {
			t.Fatal(err)
		}
		var all [][]float32
		for g := range uint64(groups) {
			got, engine := rbm.NewMoments[float32](c.n, c.p), &RealChains{Count: 100, Sweeps: 55, Key: stream.New(g), Scouts: 40}
			for range 2 {
				if _, err := engine.Moments(t.Context(), got, net); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, slices.Concat(got.Correlation, got.Visible, got.Hidden))
			if g > 0 {
				continue
			}
			kept := engine.State()
			next := &RealChains{Count: 100, Sweeps: 55, Key: stream.New(g), Scouts: 40}
			if err := next.Restore(c.n, c.p, kept); err != nil {
				t.Fatal(err)
			}
			var after [3]*rbm.Moments[float32]
			for k, e := range []*RealChains{engine, engine, next} {
				if k == 1 {
					engine.Undo()
				}
				after[k] = rbm.NewMoments[float32](c.n, c.p)
				if _, err := e.Moments(t.Context(), after[k], net); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(after[k].Correlation, after[0].Correlation) {
					t.Errorf("%s: other moments after a call was undone, or a state restored", c.name)
				}
			}
		}
		for k, w := range slices.Concat(want.Correlation, want.Visible, want.Hidden) {
			var sum, square float64
			for _, x := range all {
				sum += float64(x[k]) / groups
			}
			for _, x := range all {
				square += (float64(x[k]) - sum) * (float64(x[k]) - sum) / (groups - 1)
			}
			if e := math.Sqrt(square / groups); math.Abs(sum-float64(w)) > 9.5*e+1e-6 {
				t.Errorf("%s: moment %d is %.4f, not %.4f; a standard error is %.4f", c.name, k, sum, w, e)
			}
		}
		weighted := &Weighted[float64]{Engine: Exact[float64]{}}
		report, err := Term(t.Context(), weighted, NewGradient[float64](params), params, mean)
		if err != nil {
			t.Fatal(err)
		}
		z, err := weighted.AnnealedLnZ(t.Context(), params, mean, make([]float64, c.n), sample.Annealing{Chains: 1000, Temperatures: 10, Key: stream.New(9)})
		if err != nil || math.Abs(z.LnZ-report.LnZ) > 0.15 {
			t.Errorf("%s: ln Z is annealed to %.3f, exactly %.3f (%v)", c.name, z.LnZ, report.LnZ, err)
		}
	}
	wrong := &RealChains{Count: 3, Sweeps: 1}
	for _, net := range []*rbm.Network[float32]{rbm.NewNetwork[float32](2, 2)} {
		if _, err := wrong.Moments(t.Context(), rbm.NewMoments[float32](2, 2), net); err == nil {
			t.Error("a network of spins: no error")
		}
	}
}

// One call on a machine of the size of MNIST.
func BenchmarkGaussChains(b *testing.B) {
	for _, c := range []gaussCase{{"visible", "gauss", "spin", 784, 100, 0.018, 0, 0, false}, {"hidden", "spin", "gauss", 784, 100, 0.018, 0.9, 0, false}} {
		b.Run(c.name, func(b *testing.B) {
			params, mean := c.draw(1)
			synapses, grad := narrow[float32](mean), NewGradient[float32](params)
			engine := &GaussChains[float32]{Count: 100, Sweeps: 1, Key: stream.New(1)}
			for b.Loop() {
				if _, err := Term(b.Context(), engine, grad, params, synapses); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*784*100*100), "ns/synapse/chain")
		})
	}
}

// Sums by series and by products edge by edge are those of plain loops over edges, at small u and
// where all or some units are beyond the series: fields, log-weights and derivatives.
func TestMovingSumsAgreeWithPlainLoops(t *testing.T) {
	const chains = 5
	for _, c := range gaussCases {
		for _, size := range []float64{0.3, 3, 9} {
			params, mean := c.draw(7)
			x, err := newMixed(params, mean)
			if err != nil {
				t.Fatal(err)
			}
			source := newMoving[float64](x, nil)
			layers := source.conditionals(chains)
			rng := rand.New(rand.NewPCG(8, 0))
			u := source.NewVisible(chains)
			for k := range u.Values() {
				u.Values()[k] = size * rng.NormFloat64()
				if k == 0 {
					u.Values()[k] = 8 // one row is always beyond
				}
			}
			weights := make([]float64, chains)
			layers.LogWeights(weights, u)
			layers.DrawHidden(source.NewHidden(chains), u, 1, stream.New(1))
			sums := layers.average(u)
			slopes := make([]float64, len(sums.synapse))
			for l := range chains {
				fields, want := make([]float64, x.bits), 0.0
				for r := range x.reals {
					v := u.Row(r)[l]
					want += (x.realField[r] - v/2) * v
				}
				for b, nu := range x.bitOffset {
					fields[b] = x.bitField[b]
					for r := range x.reals {
						a, lambda := x.coupling*(u.Row(r)[l]-x.realOffset[r]), x.lambda[r*x.bits+b]
						up, down := kernel.EdgeLog(lambda, a*(1-nu)), kernel.EdgeLog(lambda, a*(-1-nu))
						fields[b] += (up - down) / 2
						want += (up + down) / 2
					}
					if got := layers.HiddenFields()[b*chains+l]; math.Abs(got-fields[b]) > 1e-6 {
						t.Fatalf("%s, u of %g: field %d is %.8f, not %.8f", c.name, size, b, got, fields[b])
					}
				}
				means := make([]float64, x.bits)
				for k := 0; k < x.bits; k += x.kind.Features() {
					want += x.kind.LogSum(fields[k:][:x.kind.Features()])
					x.kind.Means(means[k:][:x.kind.Features()], fields[k:][:x.kind.Features()])
				}
				if math.Abs(weights[l]-want) > 1e-6*max(1, math.Abs(want)) {
					t.Errorf("%s, u of %g: log-weight %.8f, not %.8f", c.name, size, weights[l], want)
				}
				for b, nu := range x.bitOffset {
					for r := range x.reals {
						a, lambda := x.coupling*(u.Row(r)[l]-x.realOffset[r]), x.lambda[r*x.bits+b]
						up, _ := kernel.EdgeSlope(lambda, a*(1-nu))
						down, _ := kernel.EdgeSlope(lambda, a*(-1-nu))
						slopes[b*x.reals+r] += ((1+means[b])*up + (1-means[b])*down) / 2 / chains
					}
				}
			}
			for k, want := range slopes {
				if math.Abs(sums.synapse[k]-want) > 1e-6*max(1, math.Abs(want)) {
					t.Errorf("%s, u of %g: derivative %d is %.8f, not %.8f", c.name, size, k, sums.synapse[k], want)
				}
			}
		}
	}
}

// A Gaussian unit that a coupling sends far out would take nodes without end: it is an error that names the unit.
func TestWideGaussianUnits(t *testing.T) {
	params, mean := gaussCases[0].draw(1)
	if _, err := (Gauss[float64]{}).SecondMoments(t.Context(), params, mean); err != nil {
		t.Fatal(err)
	}
	for _, coupling := range []float64{1e13, math.Inf(1)} {
		params.SetCoupling(coupling)
		if _, err := (Gauss[float64]{}).SecondMoments(t.Context(), params, mean); err == nil || !strings.Contains(err.Error(), "unit 0, a Gaussian one, reaches") {
			t.Errorf("a coupling of %v: %v", coupling, err)
		}
	}
}
