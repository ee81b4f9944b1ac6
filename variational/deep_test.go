package variational_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
	"bethe/variational"
)

// deepObjective returns an objective of a deep model, and its data as samples.
func deepObjective(model *rbm.Model[float64], data [][]float64, how variational.Recognition) (*variational.Objective[float64], *units.Spins[float64]) {
	samples := spin.New(model.Layers().Data(), len(data))
	for a, v := range data {
		for i, x := range v {
			samples.Set(i, a, int8(x))
		}
	}
	return &variational.Objective[float64]{Partition: &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Hidden: variational.NewQuadrature[float64](101),
		Samples: len(data), Deep: variational.Deep{Recognition: how, Rounds: 60, Key: stream.New(3)}}, units.NewSpins[float64](samples)
}

// plainGradient is the gradient of the bound in nats per sample, by plain loops.
func plainGradient(t *testing.T, model *rbm.Model[float64], data [][]float64, how variational.Recognition) (*dual.Gradient[float64], float64) {
	t.Helper()
	mean := make([]float64, len(model.Posterior.Theta))
	model.Posterior.Mean(mean)
	term, grad := dual.NewGradient[float64](&model.Params), dual.NewGradient[float64](&model.Params)
	report, err := dual.Term(t.Context(), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, term, &model.Params, mean)
	if err != nil {
		t.Fatal(err)
	}
	d := variational.NewLayered(&model.Params, mean)
	m := float64(len(data))
	bound := -model.Posterior.KL()/m - report.LnZ
	for _, v := range data {
		bound += d.AddGradient(grad, v, d.Recognise(v, how, 200)) / m
	}
	for k := range grad.Synapse {
		grad.Synapse[k] = grad.Synapse[k]/m - term.Synapse[k] - (model.Posterior.Theta[k]-model.Posterior.PriorTheta[k])/m
	}
	for _, v := range [][2][]float64{{grad.VisibleField, term.VisibleField}, {grad.HiddenField, term.HiddenField}, {grad.Coupling, term.Coupling}} {
		for k := range v[0] {
			v[0][k] = v[0][k]/m - v[1][k]
		}
	}
	return grad, bound
}

// joined returns the elements of a folded matrix that belong to links, link after link.
func joined(f rbm.Folding, x []float64) (out []float64) {
	for l := range f.Depth() {
		block := make([]float64, f.Synapses(l))
		rbm.Block(f, block, x, l)
		out = append(out, block...)
	}
	return out
}

// far returns the largest difference between two gradients.
func far(f rbm.Folding, a, b *dual.Gradient[float64]) (worst float64) {
	for _, v := range [][2][]float64{{joined(f, a.Synapse), joined(f, b.Synapse)}, {a.VisibleField, b.VisibleField}, {a.HiddenField, b.HiddenField}, {a.Coupling, b.Coupling}} {
		for k, x := range v[0] {
			worst = max(worst, math.Abs(x-v[1][k]))
		}
	}
	return worst
}

// scaleUpper makes the couplings above the first link so many times as strong.
func scaleUpper(model *rbm.Model[float64], by float64) {
	for l := range model.Links[1:] {
		model.Links[l+1].Coupling *= by
	}
}

// The objective is held against plain loops: with the stationary recognition to the
// accuracy of quadrature, with ordinary mean field exactly, and with aware fields, which
// are of second order in the upper couplings, up to what falls with their third power.
func TestDeepGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, sizes := range []rbm.Folding{{6, 4, 3}, {5, 3, 4, 2}, {4, 3, 2, 3, 2}} {
		model, data := randomDeep(sizes, 7, 0.9, rng)
		o, samples := deepObjective(model, data, variational.Stationary)
		got := dual.NewGradient[float64](&model.Params)
		if _, err := o.Gradient(t.Context(), got, model, samples); err != nil {
			t.Fatal(err)
		}
		want, bound := plainGradient(t, model, data, variational.Stationary)
		if off := far(sizes, got, want); off > 1e-7 {
			t.Errorf("%v: stationary gradient off by %.2g", sizes, off)
		}
		terms, _, err := o.Terms(t.Context(), model, samples)
		if err != nil || math.Abs(terms.Bound()-bound) > 1e-7 {
			t.Errorf("%v: bound %v, plain loops %v: %v", sizes, terms.Bound(), bound, err)
		}
		for _, how := range []variational.Recognition{variational.Aware, variational.Mean} {
			var off [2]float64
			for k := range off {
				scaled := model.Clone()
				scaleUpper(scaled, []float64{0.4, 0.1}[k])
				o, samples := deepObjective(scaled, data, how)
				if _, err := o.Gradient(t.Context(), got, scaled, samples); err != nil {
					t.Fatal(err)
				}
				want, _ := plainGradient(t, scaled, data, how)
				off[k] = far(sizes, got, want)
			}
			// Derivatives by J have one order less: a factor of 4 a power, 16 of the second.
			limit := [2]float64{0.05, off[0] / 10}
			if how == variational.Mean { // where the second order is all there is
				limit = [2]float64{1e-9, 1e-9}
			}
			if off[0] > limit[0] || off[1] > limit[1] {
				t.Errorf("%v, %v: off by %.2g, and by %.2g at a quarter of the couplings", sizes, how, off[0], off[1])
			}
		}
	}
}

// Drawn fields give the gradient of a bound that is tighter: over many draws its mean is
// near that of aware fields where the first layer is known, and it is the same where nothing is drawn.
func TestDrawnFields(t *testing.T) {
	model, data := randomDeep(rbm.Folding{6, 4, 3}, 5, 0.9, rand.New(rand.NewPCG(3, 5)))
	first := model.Layers()[1] * model.Visible()
	for k := range first {
		if k%model.Visible() < 6 {
			model.Posterior.Theta[k] = math.Copysign(30, model.Posterior.Theta[k])
		}
	}
	model.Posterior.PriorTheta = nil
	var grads [2]*dual.Gradient[float64]
	for k, how := range []variational.Recognition{variational.Aware, variational.Drawn} {
		o, samples := deepObjective(model, data, how)
		grads[k] = dual.NewGradient[float64](&model.Params)
		if _, err := o.Gradient(t.Context(), grads[k], model, samples); err != nil {
			t.Fatal(err)
		}
	}
	clear(grads[0].Synapse[:first])
	clear(grads[1].Synapse[:first])
	if off := far(model.Layers(), grads[0], grads[1]); off > 1e-6 {
		t.Errorf("off by %v where nothing is left to draw", off)
	}
}
