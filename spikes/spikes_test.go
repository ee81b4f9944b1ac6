package spikes

import (
	"math"
	"runtime"
	"slices"
	"testing"

	"bethe/causes"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
)

// machine is a random one, of beta 1.
func machine(n, p int, key stream.Key) *rbm.Machine {
	rng := key.Rand()
	params := rbm.NewParams(n, p, 1/math.Sqrt(float64(n)))
	for i := range params.VisibleField {
		params.VisibleField[i] = 0.3 * rng.NormFloat64()
	}
	for i := range params.HiddenField {
		params.HiddenField[i] = 0.3 * rng.NormFloat64()
	}
	return &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(n, p, rng))}
}

// equilibrium returns visible states of Gibbs chains.
func equilibrium(m *rbm.Machine, networks int) *spin.Matrix {
	chains := sample.NewChains(sample.OnMachine(m), networks, stream.New(99))
	chains.Sweep(200)
	return chains.Visible
}

// exact returns the means of all units, from 0 to 1, and <s h>, visible x hidden.
func exact(t *testing.T, m *rbm.Machine) (means, correlation []float64) {
	moments := rbm.NewMoments[float64](m.Visible(), m.Hidden())
	if _, err := rbm.NetworkOf[float64](m).ExactMoments(t.Context(), moments); err != nil {
		t.Fatal(err)
	}
	for _, v := range append(slices.Clone(moments.Visible), moments.Hidden...) {
		means = append(means, (1+v)/2)
	}
	for i := range m.Visible() {
		for mu := range m.Hidden() {
			correlation = append(correlation, moments.Correlation[mu*m.Visible()+i])
		}
	}
	return means, correlation
}

// correlating sums s h of each pair over the steps of each network.
type correlating struct {
	s, h []float32
	sums []float64 // visible x hidden x networks
}

func (c *correlating) add(l *layered) {
	n, p, networks := l.visible.on.Rows(), l.hidden.on.Rows(), l.Networks()
	c.s, c.h = make([]float32, n*networks), make([]float32, p*networks)
	spin.Values(c.s, l.visible.on)
	spin.Values(c.h, l.hidden.on)
	if c.sums == nil {
		c.sums = make([]float64, n*p*networks)
	}
	for i := range n {
		for mu := range p {
			to := c.sums[(i*p+mu)*networks : (i*p+mu+1)*networks]
			for a := range to {
				to[a] += float64(c.s[i*networks+a] * c.h[mu*networks+a])
			}
		}
	}
}

// z returns the root mean square and the largest z of sums over steps of the networks.
func z(sums, want []float64, networks int, steps float64) (rms, largest float64) {
	for k, w := range want {
		mean, variance := 0.0, 0.0
		for _, v := range sums[k*networks : (k+1)*networks] {
			mean += v / steps / float64(networks)
		}
		for _, v := range sums[k*networks : (k+1)*networks] {
			variance += (v/steps - mean) * (v/steps - mean)
		}
		e := (mean - w) / math.Sqrt(variance/float64(networks-1)/float64(networks))
		rms += e * e / float64(len(want))
		largest = max(largest, math.Abs(e))
	}
	return math.Sqrt(rms), largest
}

// TestDistribution: means decoded from spikes, and correlations of the layers, are those of the
// machine, within errors from 200 networks (rms z at most 2, the largest 5), whatever the window;
// with all neurons at once they are not.
func TestDistribution(t *testing.T) {
	m := machine(40, 8, stream.New(3))
	means, correlation := exact(t, m)
	const networks, steps = 200, 300
	start := equilibrium(m, networks)
	for _, tau := range []int{1, 2, 5, 20} {
		l := newLayered(m, start, Options{Tau: tau, Key: stream.New(uint64(tau))})
		var c correlating
		for range 2 * tau {
			l.Step()
		}
		l.Forget()
		for range steps {
			l.Step()
			c.add(l)
		}
		var d Decoding
		d.decode(l.Counts(), networks, float64(tau), steps)
		got := d.Compare(means, make([]float64, len(means)), func(int) bool { return false })
		if got.RMSZ > 2 || got.MaxZ > 5 {
			t.Errorf("tau %d: means %+v", tau, got)
		}
		if rms, largest := z(c.sums, correlation, networks, steps); rms > 2 || largest > 5 {
			t.Errorf("tau %d: correlations are off by %v standard errors, at most %v", tau, rms, largest)
		}
	}
	l := newLayered(m, start, Options{Tau: 1, Key: stream.New(7)})
	var c correlating
	for range steps {
		l.steps++
		l.layers.DrawHidden(l.hidden.candidates, l.visible.on, 1, l.key.Sub(stream.SpikesHidden).Sub(l.steps))
		l.layers.DrawVisible(l.visible.candidates, l.hidden.on, 1, l.key.Sub(stream.SpikesVisible).Sub(l.steps))
		l.hidden.step()
		l.visible.step()
		c.add(l)
	}
	if rms, largest := z(c.sums, correlation, networks, steps); rms < 4 || largest < 10 {
		t.Errorf("all at once passes for right: %v standard errors, at most %v", rms, largest)
	}
}

// directeds are a mixture and a tree of few units.
func directeds(t *testing.T) map[string]*causes.Machine {
	rng := stream.New(4).Rand()
	samples := spin.Random(12, 300, rng)
	for a := range 300 {
		for i := range 12 {
			if rng.Float64() < 0.8 {
				samples.Set(i, a, int8(2*((a%3+i)%3>>1)-1))
			}
		}
	}
	list := map[string]*causes.Machine{}
	for _, model := range []string{causes.MixtureModel, causes.TreeModel} {
		l, err := causes.NewLearner(samples, causes.Options{Model: model, Rule: causes.EM, Causes: 3, States: 3, Patches: causes.Tiles(4, 3, 2, 2), Passes: 20, Coupling: 0.7, Key: stream.New(5)})
		if err != nil {
			t.Fatal(err)
		}
		for l.Done() < l.Steps() {
			if _, err := l.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		list[model] = l.File(rbm.Info{}).Machine()
	}
	return list
}

// TestDirected: the same for winner-take-all groups, also with clamped units.
func TestDirected(t *testing.T) {
	const networks = 200
	for model, m := range directeds(t) {
		means := m.CauseMeans()
		var want []float64
		for i := range 12 {
			sum := 0.0
			for z, w := range m.Weights() {
				sum += w * (1 + means[z*12+i]) / 2
			}
			want = append(want, sum)
		}
		for _, tau := range []int{1, 3, 10} {
			c := Directed(m, m.Sample(networks, stream.New(8)), Options{Tau: tau, Key: stream.New(9)})
			d, err := Run(t.Context(), c, Running{Burn: 3 * tau, Steps: 40 * tau, Most: 1000})
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Compare(want, make([]float64, 12), func(int) bool { return false }); got.RMSZ > 2 || got.MaxZ > 5 {
				t.Errorf("%s, tau %d: %+v", model, tau, got)
			}
			first := 0
			for _, p := range c.Populations() {
				for g := range p.Groups {
					sum := 0.0
					for k := range p.Size / p.Groups {
						sum += d.Means[first+g*(p.Size/p.Groups)+k]
					}
					if math.Abs(sum-1) > 1e-9 { // it spikes once in each window
						t.Errorf("%s, tau %d: group %d of %s is on %v of the time", model, tau, g, p.Name, sum)
					}
				}
				first += p.Size
			}
			if len(d.Neuron) != len(d.Time) || len(d.Neuron) == 0 || slices.Max(d.Neuron) >= int64(first) {
				t.Errorf("%s: %d spikes of neurons", model, len(d.Neuron))
			}
		}
		given := []int{0, 5}
		held := spin.Random(12, 1, stream.New(1).Rand())
		exact, drawn, err := m.Complete(t.Context(), held, given, networks, stream.New(2))
		if err != nil {
			t.Fatal(err)
		}
		var completed []float64
		for _, v := range exact {
			completed = append(completed, (1+float64(v))/2)
		}
		d, err := Run(t.Context(), Directed(m, drawn, Options{Tau: 4, Key: stream.New(3), Clamp: given}), Running{Burn: 20, Steps: 200})
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Compare(completed, make([]float64, 12), func(i int) bool { return slices.Contains(given, i) }); got.RMSZ > 2 || got.MaxZ > 5 {
			t.Errorf("%s, clamped: %+v", model, got)
		}
		if d.Means[0] != 0 || d.Means[5] != 0 {
			t.Errorf("%s: clamped neurons spike", model)
		}
	}
}

// TestIsolated: the autocorrelation time of a neuron alone is 1 + (tau - 1)(1 - p), here from the
// variance over 4,000 networks (5 standard errors).
func TestIsolated(t *testing.T) {
	params := rbm.NewParams(1, 1, 1e-9)
	params.VisibleField[0] = 0.4
	m := &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.New(1, 1))}
	p := 1 / (1 + math.Exp(-0.8))
	const networks, steps = 4000, 400
	for _, tau := range []int{1, 4, 10} {
		c := newLayered(m, equilibrium(m, networks), Options{Tau: tau, Key: stream.New(1)})
		var sums [networks]float64
		for range steps {
			c.Step()
			for a := range sums {
				if c.visible.on.At(0, a) > 0 {
					sums[a] += 1. / steps
				}
			}
		}
		variance := 0.0
		for _, v := range sums {
			variance += (v - p) * (v - p) / networks
		}
		want := 1 + float64(tau-1)*(1-p)
		got := variance * steps / (p * (1 - p))
		if math.Abs(got-want) > want*(5*math.Sqrt(2./networks)+2*float64(tau)/steps) {
			t.Errorf("tau %d: autocorrelation time %v, not %v", tau, got, want)
		}
	}
}

// TestThreads: any number of threads gives the same spikes.
func TestThreads(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	m, tree := machine(70, 40, stream.New(5)), directeds(t)[causes.TreeModel]
	run := func(threads int) [][]int32 {
		runtime.GOMAXPROCS(threads)
		var all [][]int32
		for _, c := range []Circuit{Layered(m, equilibrium(m, 64), Options{Tau: 3, Key: stream.New(1), Clamp: []int{3, 4}}), Directed(tree, tree.Sample(64, stream.New(2)), Options{Tau: 3, Key: stream.New(1)})} {
			for range 30 {
				c.Step()
			}
			all = append(all, slices.Clone(c.Counts()))
		}
		return all
	}
	one, three := run(1), run(3)
	for k := range one {
		if !slices.Equal(one[k], three[k]) {
			t.Errorf("circuit %d: other spikes", k)
		}
	}
}

// TestNoisy: flipping synapses alone give nearly the machine's means, and chains that do not
// approximate (Gibbs) come closer.
func TestNoisy(t *testing.T) {
	m := machine(40, 8, stream.New(3))
	means, _ := exact(t, m)
	start := equilibrium(m, 200)
	c, err := Noisy(m, start, Options{Key: stream.New(2)})
	if err != nil {
		t.Fatal(err)
	}
	d, err := Run(t.Context(), c, Running{Burn: 20, Steps: 300})
	if err != nil {
		t.Fatal(err)
	}
	none := make([]float64, len(means))
	got := d.Compare(means, none, func(int) bool { return false })
	if got.RMS > 0.02 || got.Max > 0.06 || got.RMS < 2*got.Expected {
		t.Errorf("%+v", got)
	}
	g, err := Run(t.Context(), Layered(m, start, Options{Tau: 1, Key: stream.New(2)}), Running{Burn: 20, Steps: 300})
	if err != nil || g.Compare(means, none, func(int) bool { return false }).RMS > got.RMS/2 {
		t.Errorf("Gibbs is no better: %v", err)
	}
	real := &rbm.Machine{Params: m.Params, Synapses: rbm.RealValued(40, 8, make([]float32, 320))}
	if _, err := Noisy(real, start, Options{}); err == nil {
		t.Error("real synapses that flip are no error")
	}
	// The distribution of the number of flips has its mean.
	for _, n := range []int{16, 784} {
		j := 2 / math.Sqrt(float64(n))
		flips := binomial(n, FlipChance(j, n))
		sum, mean := 0.0, 0.0
		for k, f := range flips {
			mean += float64(k) * (f - sum)
			sum = f
		}
		if math.Abs(mean-float64(n)*FlipChance(j, n)) > 1e-9 {
			t.Errorf("%v flips of %d on average, not %v", mean, n, float64(n)*FlipChance(j, n))
		}
	}
}

func BenchmarkSteps(b *testing.B) {
	m := machine(784, 500, stream.New(5))
	c := Layered(m, equilibrium(m, 100), Options{Tau: 10, Key: stream.New(1)})
	for b.Loop() {
		c.Step()
	}
}
