// Package sampletest holds implementations of sample.Source and of units.States to
// their contracts: hand it a source whose distribution you can enumerate.
package sampletest

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mathext"

	"bethe/rbm"
	"bethe/sample"
	"bethe/stream"
	"bethe/units"
)

// A Case is a source and what its user knows of it without it, by enumeration. Few
// units will do: all sweeps of the suite take well below a second if a layer has five.
// Gibbs chains must forget where they were in some 30 sweeps.
type Case[T rbm.Real, V units.States[V], H units.States[H]] struct {
	// New returns the source, a fresh one each time.
	New func() sample.Source[T, V, H]
	// Cells puts the joint state of each chain in one of a number of cells.
	Cells func(v V, h H) []int
	// Probabilities returns those of the cells at t, in all 1.
	Probabilities func(t float64) []float64
	// LnZ returns ln Z at t.
	LnZ func(t float64) float64
	// LogWeights returns the log-weight at t of each visible state, summed over the
	// hidden ones: its exponential adds up, or integrates, to exp(LnZ(t)).
	LogWeights func(v V, t float64) []float64
	// Values returns visible states as the numbers whose means are VisibleMeans, in
	// the order of VisibleFields: row after row, those of a unit together.
	Values func(v V) []float64
	// Observed returns the probabilities of the cells at t = 1 given that a channel of
	// the given strength made y, of one column (sample.Observing). It is not read if
	// conditionals are not Observing.
	Observed func(y V, strength float64) []float64
	// Tolerance is how far log-weights may be off: rounding of T.
	Tolerance float64
}

// What the suite draws. A chi-squared test raises a false alarm at a rate of 1e-6, a
// mean at one of 6e-7 (5 standard errors); seeds are fixed, and some 20 tests of a run
// together fail a right source at one seed in 50,000.
const (
	chains   = 3000
	sweeps   = 30
	minP     = 1e-6
	sigmas   = 5
	strength = 0.7 // of the channel
)

// ladder is what tempering runs on, and temperatures are checked at.
var ladder = []float64{0, 0.35, 0.7, 1}

// Run holds the source to its contract.
func Run[T rbm.Real, V units.States[V], H units.States[H]](t *testing.T, c Case[T, V, H]) {
	t.Run("shapes", c.shapes)
	t.Run("base", c.base)
	t.Run("equilibrium", c.equilibrium)
	t.Run("weights", c.weights)
	t.Run("means", c.means)
	t.Run("observed", c.observed)
	t.Run("annealing", c.annealing)
	t.Run("tempering", c.tempering)
	t.Run("threads", c.threads)
	t.Run("states", func(t *testing.T) {
		chains := sample.NewChains(c.New(), 60, stream.New(1))
		chains.Sweep(1)
		States(t, chains.Visible)
		States(t, chains.Hidden)
	})
}

// settled returns chains in equilibrium at t = 1.
func (c Case[T, V, H]) settled(key stream.Key) *sample.Chains[T, V, H] {
	chains := sample.NewChains(c.New(), chains, key)
	chains.Sweep(sweeps)
	return chains
}

// drawn returns states in equilibrium at at, and the conditionals they come from.
func (c Case[T, V, H]) drawn(at T, key stream.Key) (V, H, sample.Conditionals[T, V, H]) {
	source := c.New()
	layers, v, h := source.Conditionals(chains), source.NewVisible(chains), source.RandomHidden(chains, key.Sub(0))
	for k := range uint64(sweeps) {
		layers.DrawVisible(v, h, at, key.Sub(2*k+1))
		layers.DrawHidden(h, v, at, key.Sub(2*k+2))
	}
	return v, h, layers
}

func (c Case[T, V, H]) shapes(t *testing.T) {
	source := c.New()
	n, p := source.Units()
	shape := func(what string, units, length, want int) {
		t.Helper()
		if units != want || length != 7 {
			t.Errorf("%s: %d units in %d columns, not %d in 7", what, units, length, want)
		}
	}
	v, h := source.NewVisible(7), source.NewHidden(7)
	shape("NewVisible", v.Units(), v.Len(), n)
	shape("NewHidden", h.Units(), h.Len(), p)
	start, base := source.RandomHidden(7, stream.New(1)), source.Base(7, stream.New(1))
	shape("Start", start.Units(), start.Len(), p)
	shape("Base", base.Units(), base.Len(), n)
	if scattering, ok := source.(sample.Scattering[V]); ok {
		s := scattering.Scattered(7, stream.New(1))
		shape("Scattered", s.Units(), s.Len(), n)
	}
	// The fields of hidden units are those at t = 1 whatever was drawn.
	layers := source.Conditionals(7)
	layers.DrawHidden(h, base, 0.3, stream.New(2))
	fields := slices.Clone(layers.HiddenFields())
	layers.DrawHidden(h, base, 1, stream.New(3))
	if !slices.Equal(fields, layers.HiddenFields()) || len(fields) == 0 || len(fields)%7 != 0 {
		t.Errorf("hidden fields %v after a draw at 0.3, %v after one at 1", fields, layers.HiddenFields())
	}
	layers.DrawVisible(v, h, 1, stream.New(4))
	if len(layers.VisibleFields()) != len(c.Values(v)) {
		t.Errorf("%d visible fields and %d values", len(layers.VisibleFields()), len(c.Values(v)))
	}
}

// wantCells is a chi-squared test of joint states, rare cells pooled.
func wantCells(t *testing.T, what string, cells []int, probabilities []float64) {
	t.Helper()
	counts := make([]float64, len(probabilities))
	for _, k := range cells {
		counts[k]++
	}
	chi2, freedom := 0.0, -1
	var rare, rareCount float64
	add := func(expected, count float64) {
		chi2 += (count - expected) * (count - expected) / expected
		freedom++
	}
	for k, p := range probabilities {
		switch e := p * float64(len(cells)); {
		case e == 0 && counts[k] > 0:
			t.Errorf("%s: %g chains in the impossible cell %d", what, counts[k], k)
		case e < 8:
			rare, rareCount = rare+e, rareCount+counts[k]
		default:
			add(e, counts[k])
		}
	}
	if rare > 0 {
		add(max(rare, 1e-9), rareCount)
	}
	if freedom < 1 {
		t.Fatalf("%s: one cell holds all states", what)
	}
	if p := mathext.GammaIncRegComp(float64(freedom)/2, chi2/2); !(p > minP) {
		t.Errorf("%s: chi-squared %.1f for %d degrees of freedom, p = %.2g", what, chi2, freedom, p)
	}
}

// wantMean fails unless the mean of x is want but for chance.
func wantMean(t *testing.T, what string, x []float64, want float64) {
	t.Helper()
	n := float64(len(x))
	var mean, square float64
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / (n - 1)
	}
	if e := math.Sqrt(square / n); !(math.Abs(mean-want) <= sigmas*e+1e-9*(1+math.Abs(want))) {
		t.Errorf("%s: %.6g, not %.6g; a standard error is %.2g", what, mean, want, e)
	}
}

func (c Case[T, V, H]) base(t *testing.T) {
	source := c.New()
	v, h := source.Base(chains, stream.New(11)), source.NewHidden(chains)
	source.Conditionals(chains).DrawHidden(h, v, 0, stream.New(12))
	wantCells(t, "base", c.Cells(v, h), c.Probabilities(0))
	if got, want := source.LnZBase(), c.LnZ(0); !(math.Abs(got-want) <= c.Tolerance) {
		t.Errorf("LnZBase %v, not %v", got, want)
	}
}

func (c Case[T, V, H]) equilibrium(t *testing.T) {
	for k, at := range ladder {
		v, h, _ := c.drawn(T(at), stream.New(21).Sub(uint64(k)))
		wantCells(t, "equilibrium", c.Cells(v, h), c.Probabilities(float64(T(at))))
	}
}

func (c Case[T, V, H]) weights(t *testing.T) {
	v, _, layers := c.drawn(0.6, stream.New(31))
	got := make([]float64, chains)
	for l := range got {
		got[l] = math.NaN() // LogWeights sets
	}
	layers.LogWeights(got, v)
	near := func(what string, got, want []float64) {
		t.Helper()
		for l := range want {
			if !(math.Abs(got[l]-want[l]) <= c.Tolerance) {
				t.Fatalf("%s of state %d: %v, not %v", what, l, got[l], want[l])
			}
		}
	}
	near("log-weight", got, c.LogWeights(v, 1))
	for _, step := range [][2]T{{0, 0.25}, {0.25, 1}, {1, 0.5}, {0.5, 0}} { // AddGains adds
		layers.AddGains(got, v, step[0], step[1])
	}
	near("log-weight and gains around", got, c.LogWeights(v, 1))
	layers.AddGains(got, v, 1, 0.5)
	near("log-weight at 0.5", got, c.LogWeights(v, 0.5))
}

func (c Case[T, V, H]) means(t *testing.T) {
	settled := c.settled(stream.New(41))
	values, means := c.Values(settled.Visible), make([]T, len(settled.VisibleFields()))
	settled.VisibleMeans(means)
	n := len(values) / chains
	for i := range n {
		x := make([]float64, chains)
		for l := range x {
			x[l] = values[i*chains+l] - float64(means[i*chains+l])
		}
		wantMean(t, "states less their means", x, 0)
	}
	// Units that are held stay, and so do their means.
	held := settled.Visible.Clone()
	settled.Clamp([]int{1}, held)
	settled.Sweep(2)
	settled.VisibleMeans(means)
	together := held.Clone()
	together.CopyUnits(settled.Visible, []int{1})
	if together.Hash() != held.Hash() {
		t.Error("a held unit has changed")
	}
	if settled.Visible.Hash() == held.Hash() {
		t.Error("no unit has changed beside a held one")
	}
	each := n / settled.Visible.Units() * chains // numbers of a unit
	for k, v := range c.Values(settled.Visible)[each : 2*each] {
		if mean := float64(means[each+k]); !(math.Abs(mean-v) <= 1e-6*(1+math.Abs(v))) {
			t.Fatalf("the mean of a held unit is %v and its state %v", mean, v)
		}
	}
}

func (c Case[T, V, H]) observed(t *testing.T) {
	source := c.New()
	if _, ok := source.Conditionals(1).(sample.Observing[V]); !ok {
		if err := sample.NewChains(source, 1, stream.New(1)).Observe(source.NewVisible(1), 1); err == nil {
			t.Error("chains that cannot observe give no error")
		}
		return
	}
	y := source.Base(1, stream.New(51))
	each := y.Blank(chains)
	y.Gather(each, make([]int, chains))
	seeing := sample.NewChains(source, chains, stream.New(52))
	if err := seeing.Observe(each, strength); err != nil {
		t.Fatal(err)
	}
	seeing.Sweep(sweeps)
	wantCells(t, "observed", c.Cells(seeing.Visible, seeing.Hidden), c.Observed(y, strength))
	values, means := c.Values(seeing.Visible), make([]T, len(seeing.VisibleFields()))
	seeing.VisibleMeans(means)
	for i := range len(values) / chains {
		x := make([]float64, chains)
		for l := range x {
			x[l] = values[i*chains+l] - float64(means[i*chains+l])
		}
		wantMean(t, "observed states less their means", x, 0)
	}
}

func (c Case[T, V, H]) annealing(t *testing.T) {
	source, exact := c.New(), c.LnZ(1)
	starts := c.settled(stream.New(61)).Visible
	hash := starts.Hash()
	for _, at := range [][]float64{{0, 1}, {0, 0.2, 0.5, 0.8, 1}} {
		forward, err := sample.AnnealedLnZ(t.Context(), source, sample.Annealing{Chains: chains, Ladder: at, Key: stream.New(62)})
		if err != nil {
			t.Fatal(err)
		}
		reverse, err := sample.ReverseLnZ(t.Context(), source, starts, sample.Annealing{Ladder: at, Key: stream.New(63)})
		if err != nil {
			t.Fatal(err)
		}
		up, down := make([]float64, chains), make([]float64, chains)
		for l := range chains {
			up[l], down[l] = math.Exp(forward.LogWeights[l]-exact), math.Exp(exact-reverse.LogWeights[l])
		}
		wantMean(t, "mean weight over Z", up, 1)
		wantMean(t, "mean inverse weight times Z", down, 1)
	}
	if starts.Hash() != hash {
		t.Error("annealing in reverse changes its starts")
	}
}

func (c Case[T, V, H]) tempering(t *testing.T) {
	e := sample.NewTempered(c.New(), sample.Tempering{Chains: chains, Ladder: ladder, Key: stream.New(71)})
	e.Sweep(sweeps)
	e.Exchanges.Reset()
	e.Sweep(sweeps)
	for k, at := range ladder {
		wantCells(t, "tempered", c.Cells(e.Rung(k).Visible, e.Rung(k).Hidden), c.Probabilities(float64(T(at))))
	}
	for k, rate := range e.Exchanges.Rates() {
		if !(rate > 0 && rate <= 1) {
			t.Errorf("pair %d exchanges at a rate of %v", k, rate)
		}
	}
	if e.Exchanges.RoundTrips == 0 {
		t.Error("no state has travelled the ladder up and down")
	}
	const groups = 20
	estimates := make([]float64, groups)
	for g := range estimates {
		estimates[g] = e.LnZ(seq(chains)[g*chains/groups : (g+1)*chains/groups])
	}
	wantMean(t, "ln Z by exchanges", estimates, c.LnZ(1))
	weights := make([]float64, chains)
	e.LogWeights(weights)
	for l, want := range c.LogWeights(e.Top().Visible, 1) {
		if !(math.Abs(weights[l]-want) <= c.Tolerance) {
			t.Fatalf("log-weight %v of a state at the top, not %v", weights[l], want)
		}
	}
}

// threads: draws depend on the key and the number of sweeps alone.
func (c Case[T, V, H]) threads(t *testing.T) {
	const count = 150
	run := func(threads int, seed uint64, sweeps ...int) []uint64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		key, source := stream.New(seed), c.New()
		one := sample.NewChains(source, count, key.Sub(0))
		many := sample.NewTempered(source, sample.Tempering{Chains: count, Ladder: ladder, Key: key.Sub(1)})
		for _, k := range sweeps {
			one.Sweep(k)
			many.Sweep(k)
		}
		list := []uint64{one.Visible.Hash(), one.Hidden.Hash()}
		for k := range ladder {
			list = append(list, many.Rung(k).Visible.Hash(), many.Rung(k).Hidden.Hash())
		}
		z, err := sample.AnnealedLnZ(t.Context(), source, sample.Annealing{Chains: count, Temperatures: 5, Key: key.Sub(2)})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range z.LogWeights {
			list = append(list, math.Float64bits(w))
		}
		return list
	}
	want := run(1, 81, 6)
	if !slices.Equal(run(2, 81, 6), want) || !slices.Equal(run(5, 81, 2, 0, 4), want) {
		t.Error("other draws on other numbers of threads")
	}
	if slices.Equal(run(1, 82, 6)[:2], want[:2]) {
		t.Error("the same draws of another key")
	}
	// Chains go on from their hidden states and the number of sweeps.
	whole, half := sample.NewChains(c.New(), count, stream.New(83)), sample.NewChains(c.New(), count, stream.New(83))
	whole.Sweep(5)
	half.Sweep(2)
	resumed := sample.NewChains(c.New(), count, stream.New(83))
	resumed.Sweeps = half.Sweeps
	if err := resumed.Hidden.Load(half.Hidden.Store()); err != nil {
		t.Fatal(err)
	}
	resumed.Sweep(3)
	if resumed.Visible.Hash() != whole.Visible.Hash() || resumed.Hidden.Hash() != whole.Hidden.Hash() {
		t.Error("chains that go on from stored states differ")
	}
}
