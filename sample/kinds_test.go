package sample_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/rbm"
	"bethe/sample"
	"bethe/sample/sampletest"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// bits are the states of a layer of bits of one kind, features as the spins that hold them.
type bits struct {
	states [][]float64
	place  map[int]int // of the state of given bits
}

func bitsOf(kind units.Kind, features int) bits {
	b := bits{place: map[int]int{}}
	for k := range 1 << features {
		whole := true
		for u := 0; kind.OneHot() && u < features; u += kind.States {
			on := 0
			for j := range kind.States {
				on += k >> (u + j) & 1
			}
			whole = whole && (on == 1 || on == 0 && kind.None)
		}
		if !whole {
			continue
		}
		s := make([]float64, features)
		for i := range s {
			s[i] = bit(k, i)
		}
		b.place[k] = len(b.states)
		b.states = append(b.states, s)
	}
	return b
}

// halves returns the number of a column's cell, a bit of each number: whether it is above its cut.
func halves(x *units.Reals[float32], column int, cut []float64) (k int) {
	for i, c := range cut {
		if float64(x.Row(i)[column]) > c {
			k |= 1 << i
		}
	}
	return k
}

// above returns the probability that a normal number is above its cut, if up, else below it.
func above(mean, variance, cut float64, up bool) float64 {
	x := (cut - mean) / math.Sqrt(2*variance)
	if !up {
		x = -x
	}
	return math.Erfc(x) / 2
}

// kindNetwork is a small random network of units of the given kinds.
func kindNetwork(n, p int, visible, hidden units.Kind) *rbm.Network[float64] {
	rng := rand.New(rand.NewPCG(uint64(n), uint64(p)))
	net := rbm.NewNetwork[float64](n, p)
	net.Constant, net.VisibleKind, net.HiddenKind = 0.7, visible, hidden
	for _, x := range [][]float64{net.Coupling, net.VisibleField, net.HiddenField} {
		for k := range x {
			x[k] = float64(float32(0.4 * rng.NormFloat64()))
		}
	}
	return net
}

func kindNarrowed(net *rbm.Network[float64]) *rbm.Network[float32] {
	out := narrowed[float32](net)
	out.VisibleKind, out.HiddenKind = net.VisibleKind, net.HiddenKind
	return out
}

// gaussPath is what enumeration knows of a path to Gaussian visible units.
type gaussPath struct {
	net                   *rbm.Network[float64]
	mean, variance, sigma []float64
	hidden                bits
}

// given returns the precision and the linear term of u_i at t given hidden state h, or
// those of its base.
func (g *gaussPath) given(i int, h []float64, t float64) (precision, linear float64) {
	field := g.net.VisibleField[i]
	for mu, y := range h {
		field += g.net.Coupling[mu*g.net.Visible()+i] * y
	}
	a := 1 / g.variance[i]
	return (1-t)*a + t, (1-t)*a*g.mean[i] + t*field
}

// cut parts the numbers of each unit into two halves of similar weight.
func (g *gaussPath) cut() []float64 { return []float64{0.1, -0.2} }

// cells returns ln Z and the probabilities of the cells at t, with an observation of y where
// the strength is not 0.
func (g *gaussPath) cells(t float64, y []float32, strength float64) (lnz float64, p []float64) {
	n, states := g.net.Visible(), g.hidden.states
	lnw, parts := make([]float64, len(states)), make([][]float64, len(states))
	for k, h := range states {
		lnw[k] = g.net.Constant
		for mu, x := range h {
			lnw[k] += t * g.net.HiddenField[mu] * x
		}
		parts[k] = make([]float64, 1<<n)
		for c := range parts[k] {
			parts[k][c] = 1
		}
		for i := range n {
			a, b := g.given(i, h, t)
			if strength != 0 { // exp(-strength (v - seen)²/2)
				seen := strength * g.sigma[i] * g.sigma[i]
				a, b = a+seen, b+seen*float64(y[i])
			}
			lnw[k] += math.Log(2*math.Pi/a)/2 + b*b/(2*a)
			for c := range parts[k] {
				parts[k][c] *= above(b/a, 1/a, g.cut()[i], c>>i&1 == 1)
			}
		}
	}
	for k, w := range normalised(lnw) {
		for _, q := range parts[k] {
			p = append(p, w*q)
		}
	}
	return rbm.LogSumExp(lnw), p
}

// gaussCase is the conformance case of Gaussian visible units.
func gaussCase(g *gaussPath) sampletest.Case[float32, *units.Reals[float32], *spin.Matrix] {
	n, p := g.net.Visible(), g.net.Hidden()
	return sampletest.Case[float32, *units.Reals[float32], *spin.Matrix]{
		New: func() sample.Source[float32, *units.Reals[float32], *spin.Matrix] {
			return sample.OnGauss(kindNarrowed(g.net), g.mean, g.variance, g.sigma)
		},
		Cells: func(v *units.Reals[float32], h *spin.Matrix) []int {
			cells := make([]int, v.Len())
			for l := range cells {
				k, ok := g.hidden.place[state(h, l)]
				if !ok {
					panic("a hidden unit is in no state of its kind")
				}
				cells[l] = k<<n | halves(v, l, g.cut())
			}
			return cells
		},
		Probabilities: func(t float64) []float64 { _, q := g.cells(t, nil, 0); return q },
		LnZ:           func(t float64) float64 { lnz, _ := g.cells(t, nil, 0); return lnz },
		LogWeights: func(v *units.Reals[float32], t float64) []float64 {
			weights := make([]float64, v.Len())
			for l := range weights {
				lnw := make([]float64, len(g.hidden.states))
				for k, h := range g.hidden.states {
					lnw[k] = g.net.Constant
					for mu := range p {
						lnw[k] += t * g.net.HiddenField[mu] * h[mu]
					}
					for i := range n {
						a, b := g.given(i, h, t)
						u := float64(v.Row(i)[l])
						lnw[k] += b*u - a*u*u/2
					}
				}
				weights[l] = rbm.LogSumExp(lnw)
			}
			return weights
		},
		Values: realValues,
		Observed: func(y *units.Reals[float32], strength float64) []float64 {
			_, q := g.cells(1, y.Values(), strength)
			return q
		},
		Tolerance: 1e-4,
	}
}

func realValues(v *units.Reals[float32]) []float64 {
	x := make([]float64, len(v.Values()))
	for k, u := range v.Values() {
		x[k] = float64(u)
	}
	return x
}

func TestGaussianSources(t *testing.T) {
	for _, c := range []struct {
		hidden units.Kind
		p      int
	}{{units.Kind{}, 2}, {units.Kind{Word: units.Group, States: 2, None: true}, 4}, {units.Kind{Word: units.Group, States: 2}, 4}} {
		t.Run(c.hidden.String(), func(t *testing.T) {
			g := &gaussPath{kindNetwork(2, c.p, units.Kind{Word: units.Gauss}, c.hidden), []float64{0.3, -0.2}, []float64{1.4, 0.9}, []float64{3, 0.2}, bitsOf(c.hidden, c.p)}
			sampletest.Run(t, gaussCase(g))
		})
	}
}

// hopfieldPath is what enumeration knows of a path to Gaussian hidden units.
type hopfieldPath struct {
	net     *rbm.Network[float64]
	base    []float64
	visible bits
}

// lnWeight returns ln w of a visible state at t with the hidden numbers integrated out, and
// their means.
func (h *hopfieldPath) lnWeight(s []float64, t float64) (lnw float64, means []float64) {
	lnw = h.net.Constant
	for i, x := range s {
		lnw += ((1-t)*h.base[i] + t*h.net.VisibleField[i]) * x
	}
	for mu, f := range h.net.HiddenField {
		for i, x := range s {
			f += h.net.Coupling[mu*len(s)+i] * x
		}
		lnw += t*t*f*f/2 + math.Log(2*math.Pi)/2
		means = append(means, t*f)
	}
	return lnw, means
}

func (h *hopfieldPath) cells(t float64, y *spin.Matrix, strength float64) (lnz float64, p []float64) {
	lnw, means := make([]float64, len(h.visible.states)), make([][]float64, len(h.visible.states))
	for k, s := range h.visible.states {
		lnw[k], means[k] = h.lnWeight(s, t)
		for i, x := range s {
			if strength != 0 {
				lnw[k] += strength * float64(y.At(i, 0)) * x
			}
		}
	}
	for k, w := range normalised(lnw) {
		for c := range 1 << h.net.Hidden() {
			q := w
			for mu, m := range means[k] {
				q *= above(m, 1, 0, c>>mu&1 == 1)
			}
			p = append(p, q)
		}
	}
	return rbm.LogSumExp(lnw), p
}

func hopfieldCase(h *hopfieldPath) sampletest.Case[float32, *spin.Matrix, *units.Reals[float32]] {
	p := h.net.Hidden()
	return sampletest.Case[float32, *spin.Matrix, *units.Reals[float32]]{
		New: func() sample.Source[float32, *spin.Matrix, *units.Reals[float32]] {
			return sample.OnHopfield(kindNarrowed(h.net), h.base)
		},
		Cells: func(v *spin.Matrix, y *units.Reals[float32]) []int {
			cells := make([]int, v.Cols())
			for l := range cells {
				cells[l] = h.visible.place[state(v, l)]<<p | halves(y, l, make([]float64, p))
			}
			return cells
		},
		Probabilities: func(t float64) []float64 { _, q := h.cells(t, nil, 0); return q },
		LnZ:           func(t float64) float64 { lnz, _ := h.cells(t, nil, 0); return lnz },
		LogWeights: func(v *spin.Matrix, t float64) []float64 {
			weights := make([]float64, v.Cols())
			for l := range weights {
				weights[l], _ = h.lnWeight(h.visible.states[h.visible.place[state(v, l)]], t)
			}
			return weights
		},
		Values: func(v *spin.Matrix) []float64 {
			x := make([]float64, v.Rows()*v.Cols())
			spin.Values(x, v)
			return x
		},
		Observed:  func(y *spin.Matrix, strength float64) []float64 { _, q := h.cells(1, y, strength); return q },
		Tolerance: 1e-4,
	}
}

func TestHopfieldSource(t *testing.T) {
	net := kindNetwork(3, 2, units.Kind{}, units.Kind{Word: units.Gauss})
	sampletest.Run(t, hopfieldCase(&hopfieldPath{net, []float64{0.3, -0.4, 0.1}, bitsOf(units.Kind{}, 3)}))
}

// wantCounts fails unless counts of cells are those of probabilities: each within 5 standard
// errors, a false alarm in two million cells.
func wantCounts(t *testing.T, what string, cells []int, p []float64) {
	t.Helper()
	counts, n := make([]float64, len(p)), float64(len(cells))
	for _, k := range cells {
		counts[k]++
	}
	for k, q := range p {
		if e := math.Sqrt(n * q * (1 - q)); math.Abs(counts[k]-n*q) > 5*e+1 {
			t.Errorf("%s: cell %d has %v states, not %.1f ± %.1f", what, k, counts[k], n*q, e)
		}
	}
}

// Units of colours and groups on the path of a network: cells, ln Z and log-weights by enumeration.
func TestNetworksOfColoursAndGroups(t *testing.T) {
	const chains = 4000
	for _, c := range []struct {
		visible, hidden units.Kind
		n, p            int
	}{
		{units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Group, States: 2}, 6, 2},
		{units.Kind{Word: units.Potts, States: 3}, units.Kind{}, 6, 2},
		{units.Kind{}, units.Kind{Word: units.Group, States: 2, None: true}, 3, 4},
	} {
		t.Run(c.visible.String()+" "+c.hidden.String(), func(t *testing.T) {
			p := plain{kindNetwork(c.n, c.p, c.visible, c.hidden), make([]float64, c.n)}
			for i := range p.base {
				p.base[i] = 0.3 * math.Sin(float64(i+1))
			}
			vs, hs := bitsOf(c.visible, c.n), bitsOf(c.hidden, c.p)
			pack := func(s []float64) (k int) {
				for i, x := range s {
					if x > 0 {
						k |= 1 << i
					}
				}
				return k
			}
			lnw := func(t float64) (all []float64) {
				for _, s := range vs.states {
					for _, h := range hs.states {
						all = append(all, p.lnWeight(pack(s), pack(h), t))
					}
				}
				return all
			}
			place := func(s *spin.Matrix, of bits, l int) int {
				k, ok := of.place[state(s, l)]
				if !ok {
					t.Fatal("a unit is in no state of its kind")
				}
				return k
			}
			source := sample.OnNetwork(kindNarrowed(p.net)).From(p.base)
			for k, at := range []float64{0, 0.5, 1} {
				key := stream.New(uint64(k))
				v, h, layers := source.Base(chains, key), source.RandomHidden(chains, key.Sub(1)), source.Conditionals(chains)
				for s := range uint64(30) {
					layers.DrawVisible(v, h, float32(at), key.Sub(2*s+2))
					layers.DrawHidden(h, v, float32(at), key.Sub(2*s+3))
				}
				cells := make([]int, chains)
				for l := range cells {
					cells[l] = place(v, vs, l)*len(hs.states) + place(h, hs, l)
				}
				wantCounts(t, "equilibrium", cells, normalised(lnw(at)))
				weights, gains := make([]float64, chains), make([]float64, chains)
				layers.LogWeights(weights, v)
				layers.AddGains(gains, v, 0.25, 1)
				for l := range chains {
					of := func(at float64) float64 {
						var list []float64
						for _, h := range hs.states {
							list = append(list, p.lnWeight(state(v, l), pack(h), at))
						}
						return rbm.LogSumExp(list)
					}
					if want := of(1); math.Abs(weights[l]-want) > 1e-4 || math.Abs(gains[l]-want+of(0.25)) > 1e-4 {
						t.Fatalf("log-weight %v and gain %v of a state of %v and %v", weights[l], gains[l], want, want-of(0.25))
					}
				}
			}
			if got, want := source.LnZBase(), rbm.LogSumExp(lnw(0)); math.Abs(got-want) > 1e-5 {
				t.Errorf("LnZBase %v, not %v", got, want)
			}
			z, err := sample.AnnealedLnZ(t.Context(), source, sample.Annealing{Chains: chains, Ladder: []float64{0, 0.3, 0.6, 1}, Key: stream.New(9)})
			if err != nil {
				t.Fatal(err)
			}
			want := rbm.LogSumExp(lnw(1))
			mean, square := 0.0, 0.0
			for _, w := range z.LogWeights {
				x := math.Exp(w - want)
				mean, square = mean+x/chains, square+x*x/chains
			}
			if e := math.Sqrt((square - mean*mean) / chains); math.Abs(mean-1) > 5*e {
				t.Errorf("mean weight over Z %v, a standard error is %v", mean, e)
			}
			// Means of visible units in fields are those of their own states.
			chain := sample.NewChains(source, 10, stream.New(10))
			chain.Sweep(2)
			fields, means := chain.VisibleFields(), make([]float32, 10*c.n)
			chain.VisibleMeans(means)
			for l := range 10 {
				var z float64
				sum := make([]float64, c.n)
				for _, s := range vs.states {
					w := 0.0
					for i, x := range s {
						w += float64(fields[i*10+l]) * x
					}
					z += math.Exp(w)
					for i, x := range s {
						sum[i] += math.Exp(w) * x
					}
				}
				for i, x := range sum {
					if math.Abs(float64(means[i*10+l])-x/z) > 1e-5 {
						t.Fatalf("mean %v of a feature, not %v", means[i*10+l], x/z)
					}
				}
			}
			// Half of the scattered states of one-hot units know nothing of the base, the others have
			// its fields at inverse temperatures that are spread evenly from -1 to 1.
			strong := make([]float64, c.n)
			for i, b := range p.base {
				strong[i] = 3 * b
			}
			scattered := sample.OnNetwork(kindNarrowed(p.net)).From(strong).Scattered(chains, stream.New(11))
			if c.visible.OneHot() {
				even, odd := make([]int, chains/2), make([]int, chains/2)
				for l := range even {
					even[l] = place(scattered, vs, 2*l)
					odd[l] = place(scattered, vs, 2*l+1)
				}
				uniform := make([]float64, len(vs.states))
				for k := range uniform {
					uniform[k] = 1 / float64(len(uniform))
				}
				wantCounts(t, "scattered evenly", even, uniform)
				const grid = 200
				spread := make([]float64, len(vs.states))
				for b := range grid {
					fields := make([]float64, len(vs.states))
					for k, s := range vs.states {
						for i, x := range s {
							fields[k] += ((2*float64(b)+1)/grid - 1) * 3 * p.base[i] * x
						}
					}
					for k, q := range normalised(fields) {
						spread[k] += q / grid
					}
				}
				wantCounts(t, "scattered along the base", odd, spread)
			}
		})
	}
}

// Scattered numbers lie around the mean of the base, with a mean square of 16/3 of its variance:
// the mean of the square of 4 times a number that is spread evenly between 0 and 1.
func TestScatteredNumbers(t *testing.T) {
	const count = 20000
	mean, variance := []float64{2, -1}, []float64{0.25, 4}
	source := sample.OnGauss(kindNarrowed(kindNetwork(2, 2, units.Kind{Word: units.Gauss}, units.Kind{})), mean, variance, []float64{1, 1})
	v := source.Scattered(count, stream.New(3))
	for i := range mean {
		sum, square, fourth := 0.0, 0.0, 0.0
		for _, u := range v.Row(i) {
			d := (float64(u) - mean[i]) / math.Sqrt(variance[i])
			sum, square, fourth = sum+d/count, square+d*d/count, fourth+d*d*d*d/count
		}
		if e := math.Sqrt(square / count); math.Abs(sum) > 5*e {
			t.Errorf("mean %v ± %v deviations from that of the base", sum, e)
		}
		if e := math.Sqrt((fourth - square*square) / count); math.Abs(square-16./3) > 5*e {
			t.Errorf("mean square %v ± %v, not 16/3", square, e)
		}
	}
}

func TestSourcesOfOtherKindsPanic(t *testing.T) {
	gauss, spins := units.Kind{Word: units.Gauss}, units.Kind{}
	for want, run := range map[string]func(){
		"sample: OnGauss of spin and spin units with 2 means, 2 variances and 2 deviations of 2 units": func() {
			sample.OnGauss(kindNarrowed(kindNetwork(2, 2, spins, spins)), make([]float64, 2), make([]float64, 2), make([]float64, 2))
		},
		"sample: OnGauss of gauss and spin units with 2 means, 1 variances and 2 deviations of 2 units": func() {
			sample.OnGauss(kindNarrowed(kindNetwork(2, 2, gauss, spins)), make([]float64, 2), make([]float64, 1), make([]float64, 2))
		},
		"sample: OnHopfield of spin and spin units": func() {
			sample.OnHopfield(kindNarrowed(kindNetwork(2, 2, spins, spins)), make([]float64, 2))
		},
		"sample: 1 base fields for 2 visible units": func() {
			sample.OnHopfield(kindNarrowed(kindNetwork(2, 2, spins, gauss)), make([]float64, 1))
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, not %s", got, want)
				}
			}()
			run()
		}()
	}
}
