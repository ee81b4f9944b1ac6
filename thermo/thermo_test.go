package thermo

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"bethe/internal/contexttest"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// network returns a random network.
func network(n, p int, coupling, field float64, seed uint64) *rbm.Network[float64] {
	rng := rand.New(rand.NewPCG(seed, 1))
	net := rbm.NewNetwork[float64](n, p)
	for _, x := range []struct {
		list []float64
		by   float64
	}{{net.Coupling, coupling}, {net.VisibleField, field}, {net.HiddenField, field}} {
		for k := range x.list {
			x.list[k] = x.by * rng.NormFloat64()
		}
	}
	return net
}

// Points by the walk over the smaller layer are those of the sum over pairs of states, on either side, with a
// constant, and they obey S = beta U + ln Z and C = -beta dS/dbeta.
func TestPointAt(t *testing.T) {
	for k, size := range [][2]int{{6, 3}, {3, 6}, {4, 4}} {
		net := network(size[0], size[1], 0.8, 0.5, uint64(k))
		net.Constant = 2.5
		energy := newPairs(net).energy
		for _, beta := range []float64{0.1, 1, 3} {
			p, err := PointAt(t.Context(), net, beta)
			if err != nil {
				t.Fatal(err)
			}
			weights := make([]float64, len(energy))
			for j, e := range energy {
				weights[j] = -beta * e
			}
			lnZ := rbm.LogSumExp(weights)
			var u, square float64
			for j, e := range energy {
				q := math.Exp(weights[j] - lnZ)
				u += q * e
				square += q * e * e
			}
			for name, pair := range map[string][2]float64{"ln Z": {p.LnZ, lnZ}, "U": {p.Energy, u}, "S": {p.Entropy, beta*u + lnZ}, "C": {p.HeatCapacity, beta * beta * (square - u*u)}} {
				if math.Abs(pair[0]-pair[1]) > 1e-9 {
					t.Errorf("%v beta %v: %s is %v, not %v", size, beta, name, pair[0], pair[1])
				}
			}
			const d = 1e-4
			up, _ := PointAt(t.Context(), net, beta+d)
			down, _ := PointAt(t.Context(), net, beta-d)
			if c := -beta * (up.Entropy - down.Entropy) / (2 * d); math.Abs(c-p.HeatCapacity) > 1e-5 {
				t.Errorf("beta %v: -beta dS/dbeta is %v, and C %v", beta, c, p.HeatCapacity)
			}
		}
		ground, err := GroundEnergy(t.Context(), net)
		least := math.Inf(1)
		for _, e := range energy {
			least = min(least, e)
		}
		if err != nil || math.Abs(ground-least) > 1e-12 {
			t.Errorf("%v: ground energy %v, not %v (%v)", size, ground, least, err)
		}
	}
}

func TestPointAtRefuses(t *testing.T) {
	if _, err := PointAt(t.Context(), rbm.NewNetwork[float64](26, 26), 1); !errors.Is(err, rbm.ErrTooLarge) {
		t.Errorf("26 units: %v", err)
	}
	if _, err := GroundEnergy(t.Context(), rbm.NewNetwork[float64](26, 26)); !errors.Is(err, rbm.ErrTooLarge) {
		t.Errorf("26 units: %v", err)
	}
	net := network(40, 22, 0.1, 0, 1)
	contexttest.GivesUp(t, "a point", 3e6, func(ctx context.Context) error {
		_, err := PointAt(ctx, net, 1)
		return err
	})
}

// BAR on Gaussian works, where everything is known: forward gains N(m + v/2 - v, v)
// about ln Z = m, reverse ones N(m + v/2, v). Over 200 repeats the mean is off by less than 4.5
// standard errors (false alarm 1e-5), and Bennett's error is right to a fifth.
func TestBARGaussian(t *testing.T) {
	const m, v, repeats = 3.0, 1.5, 200
	rng := rand.New(rand.NewPCG(1, 2))
	var errors, told float64
	var off []float64
	for range repeats {
		var forward, reverse []float64
		for range 80 {
			forward = append(forward, m-v/2+math.Sqrt(v)*rng.NormFloat64())
		}
		for range 50 {
			reverse = append(reverse, m+v/2+math.Sqrt(v)*rng.NormFloat64())
		}
		z, se := BAR(forward, reverse)
		off = append(off, z-m)
		errors += (z - m) * (z - m) / repeats
		told += se * se / repeats
	}
	mean := sum(off) / repeats
	if math.Abs(mean) > 4.5*math.Sqrt(errors/repeats) || math.Abs(math.Sqrt(told/errors)-1) > 0.2 {
		t.Errorf("BAR is off by %.4f, its error is %.4f and Bennett's %.4f", mean, math.Sqrt(errors), math.Sqrt(told))
	}
}

// BAR and the slope of one path each way, of equal gains, of gains far apart, and of many more on one side.
func TestBAREnds(t *testing.T) {
	for _, c := range []struct {
		forward, reverse []float64
		want             float64
	}{
		{[]float64{2}, []float64{2}, 2}, {[]float64{1}, []float64{3}, 2}, {[]float64{-1e4}, []float64{1e4}, 0}, {[]float64{1e6, 1e6}, []float64{1e6}, 1e6},
	} {
		if z, se := BAR(c.forward, c.reverse); math.Abs(z-c.want) > 1e-9*max(1, c.want) || math.IsNaN(se) {
			t.Errorf("BAR(%v, %v) = %v ± %v, not %v", c.forward, c.reverse, z, se, c.want)
		}
	}
	if z, _ := BAR([]float64{math.NaN()}, []float64{1}); !math.IsNaN(z) {
		t.Errorf("BAR of NaN is %v", z)
	}
	for _, c := range [][2][]float64{{{1}, {2}}, {{1, 1}, {1, 1}}, {{1, 2}, {5, 6}}} {
		if slope, _, _ := CrooksSlope(c[0], c[1]); !math.IsNaN(slope) {
			t.Errorf("the slope of %v is %v", c, slope)
		}
	}
}

// The slope is 1 for exact paths of a machine, and not for reverse paths that start at another
// temperature. 4000 paths each way: a slope that is right is off by 4.5 errors once in 1e5.
func TestCrooksSlope(t *testing.T) {
	net := network(10, 4, 0.5, 0.3, 3)
	source := func() *sample.NetworkSource[float64] { return sample.OnNetwork(net) }
	const chains = 4000
	a := sample.Annealing{Chains: chains, Temperatures: 6, Key: stream.New(1)}
	forward, err := sample.AnnealedLnZ(t.Context(), source(), a)
	if err != nil {
		t.Fatal(err)
	}
	slopeFrom := func(at *rbm.Network[float64]) (slope, se, deviations, z float64) {
		starts, _ := samplesAt(at, 1, chains, 2)
		a.Key = stream.New(3)
		reverse, err := sample.ReverseLnZ(t.Context(), source(), starts, a)
		if err != nil {
			t.Fatal(err)
		}
		slope, se, deviations = CrooksSlope(forward.LogWeights, reverse.LogWeights)
		z, _ = BAR(forward.LogWeights, reverse.LogWeights)
		return slope, se, deviations, z
	}
	exact := Enumerate(net).LnZ
	slope, se, deviations, z := slopeFrom(net)
	if math.Abs(slope-1) > 4.5*se || math.Abs(deviations) > 4.5 || se > 0.1 || math.Abs(z-exact) > 0.1 {
		t.Errorf("equilibrium: slope %.3f ± %.3f, BAR %.3f of %.3f", slope, se, z, exact)
	}
	if slope, se, deviations, _ := slopeFrom(Scaled(net, 0.5)); math.Abs(deviations) < 6 {
		t.Errorf("starts at half the inverse temperature: slope %.3f ± %.3f, %.1f deviations", slope, se, deviations)
	}
}

// Sampled works keep the exact averages of Follow: mean, Jarzynski and the bound on the distance
// from equilibrium. 20000 chains, 4.5 standard errors.
func TestFollow(t *testing.T) {
	net := network(6, 3, 0.7, 0.4, 5)
	base := []float64{0.3, -0.2, 0.1, 0, 0.5, -0.4}
	ladder := []float64{0, 0.3, 0.6, 1}
	var nets []*rbm.Network[float64]
	for _, at := range ladder {
		nets = append(nets, At(net, base, at))
	}
	p := Follow(nets, nil)
	if math.Abs(p.Dissipated-p.Relaxation-p.KLEnd) > 1e-12 || p.KLEnd > p.Dissipated || p.Relaxation < 0 {
		t.Errorf("dissipated %v, relaxation %v, left %v", p.Dissipated, p.Relaxation, p.KLEnd)
	}
	const chains = 20000
	e, err := sample.AnnealedLnZ(t.Context(), sample.OnNetwork(net).From(base), sample.Annealing{Chains: chains, Ladder: ladder, Key: stream.New(4)})
	if err != nil {
		t.Fatal(err)
	}
	first := Enumerate(nets[0]).LnZ
	mean := 0.0
	for _, w := range e.LogWeights {
		mean -= (w - first) / chains
	}
	last := p.Steps[len(p.Steps)-1]
	if math.Abs(mean-last.MeanWork) > 4.5*math.Sqrt(last.WorkVariance/chains) || math.Abs(e.Effective/chains-last.EffectiveShare) > 0.02 {
		t.Errorf("mean work %.4f, exactly %.4f; share %.3f, exactly %.3f", mean, last.MeanWork, e.Effective/chains, last.EffectiveShare)
	}
}

// samplesAt draws independent pairs at an inverse temperature, exactly.
func samplesAt(net *rbm.Network[float64], beta float64, count int, seed uint64) (visible, hidden *spin.Matrix) {
	at := Scaled(net, beta)
	visible, hidden = spin.New(net.Visible(), count), spin.New(net.Hidden(), count)
	rng := stream.New(seed).Rand()
	p := Enumerate(at).Probabilities()
	for l := range count {
		k := 0
		for u := rng.Float64() - p[0]; u > 0 && k+1 < len(p); u -= p[k] {
			k++
		}
		for i := range net.Visible() {
			visible.Set(i, l, int8(spinOf(k, i)))
		}
	}
	fields := make([]float64, net.Hidden()*count)
	at.HiddenFields(fields, visible)
	spin.Draw(hidden, fields, stream.New(seed+1))
	return visible, hidden
}

// Both thermometers read the temperature of samples within 4.5 errors, and couplings and fields
// apart where these differ.
func TestThermometers(t *testing.T) {
	net := network(8, 5, 0.4, 0.4, 7)
	for _, beta := range []float64{0.4, 1, 2} {
		visible, hidden := samplesAt(net, beta, 3000, 1)
		local, err := Pseudolikelihood(net, visible, hidden)
		if err != nil {
			t.Fatal(err)
		}
		mean, se, err := MeanEnergy(net, visible, hidden)
		if err != nil || !(se > 0) {
			t.Fatal(se, err)
		}
		global, err := Likelihood(t.Context(), ExactCurve{net}, mean, 3000)
		if err != nil {
			t.Fatal(err)
		}
		couplings, fields, err := Apart(net, visible, hidden)
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range map[string]Temperature{"local": local, "global": global, "couplings": couplings, "fields": fields} {
			if math.Abs(x.Beta-beta) > 4.5*x.Error || x.Error > 0.2*beta {
				t.Errorf("%s of %v: %.3f ± %.3f", name, beta, x.Beta, x.Error)
			}
		}
	}
	uneven := Scaled(net, 1)
	for k := range uneven.Coupling {
		uneven.Coupling[k] *= 2
	}
	visible, hidden := samplesAt(uneven, 1, 3000, 2)
	couplings, fields, err := Apart(net, visible, hidden)
	if err != nil || math.Abs(couplings.Beta-2) > 4.5*couplings.Error || math.Abs(fields.Beta-1) > 4.5*fields.Error {
		t.Errorf("couplings at 2, fields at 1: %+v %+v %v", couplings, fields, err)
	}
}

// One sample, two, or many equal ones tell a temperature without an error, and do not agree with anything; in JSON the error is null. A
// sample that differs among them makes it known.
func TestErrorUnknown(t *testing.T) {
	net := network(8, 5, 0.4, 0.4, 7)
	visible, hidden := samplesAt(net, 0.5, 40, 4)
	pick := func(of ...int) (v, h *spin.Matrix) {
		v, h = spin.New(8, len(of)), spin.New(5, len(of))
		for a, k := range of {
			for i := range 8 {
				v.Set(i, a, visible.At(i, k))
			}
			for u := range 5 {
				h.Set(u, a, hidden.At(u, k))
			}
		}
		return v, h
	}
	for _, c := range []struct {
		of    []int
		known bool
	}{{[]int{3}, false}, {[]int{3, 4}, false}, {[]int{3, 3, 3, 3, 3, 3}, false}, {[]int{3, 4, 5, 6, 7, 8}, true}, {[]int{3, 3, 3, 3, 4, 5}, true}} {
		v, h := pick(c.of...)
		local, err := Pseudolikelihood(net, v, h)
		if err != nil {
			t.Fatal(c.of, err)
		}
		text, err := json.Marshal(local)
		if err != nil || math.IsNaN(local.Error) == c.known || strings.Contains(string(text), `"error":null`) == c.known || c.known && local.Error <= 0 {
			t.Errorf("%v: %+v, %s, %v", c.of, local, text, err)
		}
		agree, known := (&Temperatures{Local: local, Global: Temperature{local.Beta, 0.1}}).Agree()
		if known != c.known || agree != c.known {
			t.Errorf("%v: they agree: %v, known: %v", c.of, agree, known)
		}
		couplings, fields, err := Apart(net, v, h)
		if err == nil && (math.IsNaN(couplings.Error) == c.known || math.IsNaN(fields.Error) == c.known) {
			t.Errorf("%v: %+v %+v", c.of, couplings, fields)
		}
	}
}

// What no temperature describes is an error, and so are shapes that do not fit.
func TestThermometersRefuse(t *testing.T) {
	net := network(4, 3, 1, 0.5, 9)
	up, down := spin.FromSigns(4, 1, []int8{1, 1, 1, 1}), spin.FromSigns(3, 1, []int8{-1, -1, -1})
	if _, err := Pseudolikelihood(rbm.NewNetwork[float64](4, 3), up, down); !errors.Is(err, ErrNoTemperature) {
		t.Errorf("a machine without energy: %v", err)
	}
	if _, _, err := Apart(rbm.NewNetwork[float64](4, 3), up, down); !errors.Is(err, ErrNoTemperature) {
		t.Errorf("a machine without energy, two temperatures: %v", err)
	}
	if _, err := Pseudolikelihood(net, up, up); err == nil {
		t.Error("hidden states of 4 units for 3 pass")
	}
	if _, _, err := MeanEnergy(net, down, up); err == nil {
		t.Error("layers the wrong way round pass")
	}
	ground, _ := GroundEnergy(t.Context(), net)
	if _, err := Likelihood(t.Context(), ExactCurve{net}, ground-1, 10); !errors.Is(err, ErrNoTemperature) {
		t.Errorf("an energy below the ground: %v", err)
	}
	if _, err := Likelihood(t.Context(), ExactCurve{net}, 100, 10); !errors.Is(err, ErrNoTemperature) {
		t.Errorf("an energy above that of infinite temperature: %v", err)
	}
}

// Blocks of draws keep the average of the heat theorem, palindromic sweeps every pair of states.
func TestHeat(t *testing.T) {
	net := network(3, 2, 0.9, 0.4, 11)
	if Asymmetry(net, Blocks) < 1e-3 || Asymmetry(net, Palindromic) > 1e-14 {
		t.Errorf("asymmetry %v and %v", Asymmetry(net, Blocks), Asymmetry(net, Palindromic))
	}
	for _, order := range []Sweeping{Blocks, Palindromic} {
		x := ExchangeHeat(net, 0.5, 1.5, 2, order)
		if math.Abs(x.MeanExp-1) > 1e-12 || x.EntropyProduction < 0 || (x.Violation > 1e-10) != (order == Blocks) {
			t.Errorf("order %d: %+v", order, x)
		}
	}
}

// The mean score is the slope of ln Z, lengths agree with many steps, and the joint path is the longer.
func TestScore(t *testing.T) {
	net, base := network(5, 3, 0.8, 0.5, 12), []float64{0.1, 0.2, -0.3, 0, 0.4}
	const d = 1e-5
	for _, at := range []float64{0.2, 0.7} {
		s := ScoreAt(net, base, at)
		if slope := (ScoreAt(net, base, at+d).LnZ - ScoreAt(net, base, at-d).LnZ) / (2 * d); math.Abs(slope-s.Mean) > 1e-7 || s.Joint < s.Marginal {
			t.Errorf("t %v: slope of ln Z %v, mean score %v; variances %v, %v", at, slope, s.Mean, s.Marginal, s.Joint)
		}
	}
	m, j := Lengths(net, base, 60)
	m2, j2 := Lengths(net, base, 601)
	if math.Abs(m-m2) > 1e-5 || math.Abs(j-j2) > 1e-5 || j < m {
		t.Errorf("lengths %v, %v and %v, %v", m, j, m2, j2)
	}
}

// All paths of a protocol obey Crooks, and their averages are those of Follow.
func TestPaths(t *testing.T) {
	net, base := network(3, 2, 0.8, 0.5, 13), []float64{0.4, -0.1, 0.2}
	nets := []*rbm.Network[float64]{At(net, base, 0), At(net, base, 0.5), At(net, base, 1)}
	follow := Follow(nets, nil)
	var f, r, mean float64
	for _, p := range Paths(nets) {
		f, r, mean = f+p.Forward, r+p.Reverse, mean+p.Forward*p.Work
		if math.Abs(p.Forward*math.Exp(-p.Work)-math.Exp(follow.LnZRatio)*p.Reverse) > 1e-12 {
			t.Fatalf("a path breaks Crooks: %+v", p)
		}
	}
	if math.Abs(f-1)+math.Abs(r-1) > 1e-12 || math.Abs(mean-follow.Steps[1].MeanWork) > 1e-12 {
		t.Errorf("probabilities %v, %v; mean work %v, not %v", f, r, mean, follow.Steps[1].MeanWork)
	}
}

// The rule of Xu and Oates: energies of data with averaged hidden units.
func TestXuOates(t *testing.T) {
	net := network(4, 3, 0.6, 0.5, 14)
	s := spin.FromSigns(4, 2, []int8{1, -1, -1, 1, 1, 1, -1, -1})
	want := 0.0
	for a := range 2 {
		k := 0
		for i := range 4 {
			k |= int(s.At(i, a)+1) / 2 << i
		}
		e := Enumeration{net: net}
		for i, b := range net.VisibleField {
			want -= b * spinOf(k, i) / 2
		}
		for mu := range net.HiddenField {
			f := e.hiddenField(mu, k)
			want -= f * math.Tanh(f) / 2
		}
	}
	if got := DataEnergy(net, s); math.Abs(got-want) > 1e-12 || math.Abs(XuOates(got, got-4, 2)-1) > 1e-12 {
		t.Errorf("energy %v, not %v", got, want)
	}
}

func TestPeak(t *testing.T) {
	net := network(6, 3, 0.8, 0.5, 15)
	var known []Point
	for _, beta := range []float64{0.1, 0.3, 0.6, 1, 1.5, 2.5, 5} {
		p, err := PointAt(t.Context(), net, beta)
		if err != nil {
			t.Fatal(err)
		}
		known = append(known, p)
	}
	peak, err := Peak(t.Context(), net, known)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []float64{0.99, 0.9999, 1.0001, 1.01} {
		if p, _ := PointAt(t.Context(), net, peak.Beta*by); p.HeatCapacity >= peak.HeatCapacity {
			t.Errorf("%v at beta %v, and %v at the peak %v", p.HeatCapacity, p.Beta, peak.HeatCapacity, peak.Beta)
		}
	}
}
