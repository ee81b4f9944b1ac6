package variational_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/units"
	"bethe/variational"
)

// incomplete draws samples with missing values of a kind.
func incomplete(kind units.Kind, count, samples int, rng *rand.Rand) units.Data[float64] {
	missing := spin.New(count, samples)
	for i := range count {
		for a := range samples {
			if rng.Float64() < 0.4 {
				missing.Set(i, a, 1)
			}
		}
	}
	if !kind.Bits() {
		v := units.NewReals[float64](count, samples)
		for k := range v.Values() {
			v.Values()[k] = rng.NormFloat64()
		}
		return units.NewIncompleteGauss(v, missing)
	}
	s := spin.New(count*kind.Features(), samples)
	for i := range count {
		for a := range samples {
			if kind.OneHot() {
				s.Set(i*kind.States+rng.IntN(kind.States), a, 1)
			} else if rng.IntN(2) > 0 {
				s.Set(i, a, 1)
			}
		}
	}
	return units.NewIncomplete[float64](s, kind, missing)
}

// At its fixed point the fill is an optimum, so that derivatives of the bound at a given fill are those of the
// bound; and each move of the fill raises the bound.
func TestBoundOfMissingValues(t *testing.T) {
	potts, gauss, group := units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Gauss}, units.Kind{Word: units.Group, States: 2}
	for _, c := range []struct{ visible, hidden units.Kind }{{units.Kind{}, units.Kind{}}, {potts, units.Kind{}}, {gauss, units.Kind{}}, {potts, group}} {
		for _, kind := range []rbm.Kind{rbm.BinaryKind, rbm.RealKind} {
			few := 3 // derivatives of few parameters, where averages take long
			if c.hidden.OneHot() {
				few = 11
			}
			rng := rand.New(rand.NewPCG(3, 3))
			const count, p, m = 3, 2, 4
			data := incomplete(c.visible, count, m, rng)
			n := data.Features()
			model := &rbm.Model[float64]{Params: rbm.NewParams(n, p, 0.35), Posterior: rbm.NewPosterior[float64](n, p)}
			model.VisibleKind, model.HiddenKind = c.visible, c.hidden
			for _, x := range [][]float64{model.VisibleField, model.HiddenField, model.VisibleOffset, model.HiddenOffset} {
				for k := range x {
					x[k] = 0.3 * rng.NormFloat64()
				}
			}
			if !c.visible.Bits() {
				clear(model.VisibleField)
				clear(model.VisibleOffset)
				model.VisibleOwn = make([]float64, 2*n)
				for k := range model.VisibleOwn {
					model.VisibleOwn[k] = 0.2 * rng.NormFloat64()
				}
			}
			for k := range model.Posterior.Theta {
				model.Posterior.Theta[k] = 0.6 * rng.NormFloat64()
			}
			var term dual.Partition[float64] = dual.TermFor(kind, dual.Engine[float64](dual.Exact[float64]{}))
			if !c.visible.Bits() && kind == rbm.BinaryKind {
				term = dual.Gauss[float64]{}
			}
			var hidden units.Hidden[float64] = variational.Mixture[float64]{}
			if c.hidden.OneHot() {
				hidden = variational.ExactGroups[float64](c.hidden)
			}
			o := &variational.Objective[float64]{Partition: term, Hidden: hidden, Samples: m, Synapses: kind}
			bound := func() float64 {
				terms, _, err := o.Terms(context.Background(), model, data)
				if err != nil {
					t.Fatal(err)
				}
				return terms.Bound()
			}
			last := math.Inf(-1)
			for _, o.Fill = range []int{0, 1, 2, 10, 25} {
				b := bound()
				if !(b > last-1e-9) {
					t.Errorf("%v: after %d moves of the fill the bound is %v, below the %v of fewer", c, o.Fill, b, last)
				}
				last = b
			}
			grad := dual.NewGradient[float64](&model.Params)
			if _, err := o.Gradient(context.Background(), grad, model, data); err != nil {
				t.Fatal(err)
			}
			byTheta := make([]float64, len(grad.Synapse))
			for k, v := range grad.Synapse {
				byTheta[k] = v
				if kind == rbm.BinaryKind {
					l := math.Tanh(model.Posterior.Theta[k])
					byTheta[k] *= 1 - l*l
				}
			}
			coupling := []float64{model.Coupling()}
			for _, x := range []struct {
				name      string
				at, slope []float64
			}{{"theta", model.Posterior.Theta, byTheta}, {"hidden field", model.HiddenField, grad.HiddenField}, {"visible field", model.VisibleField, grad.VisibleField},
				{"own", model.VisibleOwn, grad.VisibleOwn}, {"coupling", coupling, grad.Coupling}} {
				if x.name == "visible field" && !c.visible.Bits() {
					continue
				}
				for k := range x.at {
					const e = 1e-4
					if k%few > 0 {
						continue
					}
					at := x.at[k]
					value := func(v float64) float64 {
						x.at[k] = v
						model.SetCoupling(coupling[0])
						return bound()
					}
					want := (value(at+e) - value(at-e)) / (2 * e)
					value(at)
					if math.Abs(want-x.slope[k]) > 2e-5 {
						t.Errorf("%v, %v: the derivative by %s %d is %v, not %v", c, kind, x.name, k, x.slope[k], want)
					}
				}
			}
		}
	}
}

// The bound of a deep machine where values are missing: each move of the fill raises it, at its fixed point derivatives at a given fill are
// its derivatives, and it is below the likelihood of the known values, where synapses are known. Without holes it is that of whole samples.
func TestDeepBoundOfMissingValues(t *testing.T) {
	const n = 4
	sizes := rbm.Folding{n, 2, 2}
	model, data := randomDeep(sizes, 3, 0.8, rand.New(rand.NewPCG(6, 5)))
	model.Posterior.PriorTheta = nil
	o, whole := deepObjective(model, data, variational.Stationary)
	o.Hidden = variational.NewQuadrature[float64](61)
	samples := spin.New(n, len(data))
	for a, v := range data {
		for i, x := range v {
			samples.Set(i, a, int8(x))
		}
	}
	bound := func(of units.Data[float64]) float64 {
		t.Helper()
		terms, _, err := o.Terms(t.Context(), model, of)
		if err != nil {
			t.Fatal(err)
		}
		return terms.Bound()
	}
	seen := units.NewIncomplete[float64](samples, units.Kind{}, spin.New(n, len(data)))
	for _, o.Fill = range []int{0, 2} {
		if b, want := bound(seen), bound(whole); math.Abs(b-want) > 1e-9 {
			t.Errorf("nothing is missing: %v, not %v", b, want)
		}
	}
	missing := spin.New(n, len(data))
	for _, at := range [][2]int{{0, 0}, {2, 0}, {3, 1}, {0, 2}, {1, 2}, {2, 2}, {3, 2}} {
		missing.Set(at[0], at[1], 1)
	}
	holes := units.NewIncomplete[float64](samples, units.Kind{}, missing)
	last := math.Inf(-1)
	for _, o.Fill = range []int{0, 1, 3, 20} {
		b := bound(holes)
		if !(b > last-1e-9) {
			t.Errorf("after %d moves of the fill the bound is %v, below the %v of fewer", o.Fill, b, last)
		}
		last = b
	}
	grad := dual.NewGradient[float64](&model.Params)
	if _, err := o.Gradient(t.Context(), grad, model, holes); err != nil {
		t.Fatal(err)
	}
	check := func(name string, x *float64, got float64) {
		t.Helper()
		const e = 1e-4
		at := *x
		*x = at + e
		up := bound(holes)
		*x = at - e
		want := (up - bound(holes)) / (2 * e)
		*x = at
		if math.Abs(want-got) > 3e-5 {
			t.Errorf("the derivative by %s is %v, not %v", name, got, want)
		}
	}
	for l, link := range model.Links {
		check("coupling", &model.Links[l].Coupling, grad.Coupling[l])
		k := link.Hidden.From*model.Visible() + link.Visible.From
		lambda := math.Tanh(model.Posterior.Theta[k])
		check("theta", &model.Posterior.Theta[k], grad.Synapse[k]*(1-lambda*lambda))
	}
	check("visible field", &model.VisibleField[0], grad.VisibleField[0])
	check("even field", &model.VisibleField[n], grad.VisibleField[n])
	check("hidden field", &model.HiddenField[1], grad.HiddenField[1])

	// Known synapses: enumeration of hidden and missing units.
	o.Synapses, o.Partition = rbm.SignKind, dual.TermFor(rbm.SignKind, dual.Engine[float64](dual.Exact[float64]{}))
	signs := spin.New(model.Visible(), model.Hidden())
	spin.FromSigns(model.Hidden(), model.Visible(), model.Posterior.Theta).Transpose(signs)
	net := rbm.NetworkOf[float64](&rbm.Machine{Params: model.Params.Clone(), Synapses: rbm.Binary(signs)})
	lnZ, err := net.LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exact := 0.0
	for a, v := range data {
		var logs []float64
		for s := range 1 << n {
			x, fits := make([]float64, n), true
			for i := range x {
				x[i] = float64(2*(s>>i&1) - 1)
				fits = fits && (missing.At(i, a) > 0 || x[i] == v[i])
			}
			if fits {
				w, err := net.SampleLogWeight(t.Context(), x)
				if err != nil {
					t.Fatal(err)
				}
				logs = append(logs, w)
			}
		}
		exact += (rbm.LogSumExp(logs) - lnZ) / float64(len(data))
	}
	for _, o.Deep.Recognition = range []variational.Recognition{variational.Stationary, variational.Aware, variational.Drawn} {
		if b := bound(holes); !(b < exact+1e-6 && b > exact-0.5) {
			t.Errorf("the bound is %v where the likelihood of what is seen is %v", b, exact)
		}
	}
}
