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
