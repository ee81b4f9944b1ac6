package variational

import (
	"math"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// TestGradientOfLabelsMissing: where values are missing a classifier sees the hidden means over the fill, and what labels add to the gradient is
// that of differences, if the fill and the variances of fields stay.
func TestGradientOfLabelsMissing(t *testing.T) {
	const n, p, m = 6, 3, 40
	rng := stream.New(21).Rand()
	samples, missing := spin.Random(n, m, rng), spin.New(n, m)
	for i := range n {
		for a := range m {
			if rng.Float64() < 0.3 {
				missing.Set(i, a, 1)
			}
		}
	}
	_, model := known(rbm.RealKind, samples)
	batch := units.NewIncomplete[float64](samples, units.Kind{}, missing)
	gradient := func(labels *head[float64]) *dual.Gradient[float64] {
		o := &Objective[float64]{Partition: &dual.Weighted[float64]{Engine: dual.Exact[float64]{}}, Hidden: NewQuadrature[float64](61), Samples: m, Synapses: rbm.RealKind, Fill: 3, head: labels}
		grad := dual.NewGradient[float64](&model.Params)
		if _, err := o.Gradient(t.Context(), grad, model, batch); err != nil {
			t.Fatal(err)
		}
		return grad
	}
	without := gradient(nil)
	h, err := newHead[float64](labelsOf(samples), m, p, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	for k := range h.weights {
		h.weights[k] = rng.NormFloat64()
	}
	h.batch = h.class
	with := gradient(h)
	theta, averages := model.Posterior.Theta, NewQuadrature[float64](61)
	variance := make([]float64, p*m) // of the fields, as they were
	for mu := range p {
		for a := range m {
			for i := range n {
				x := batch.Value(i, a)
				variance[mu*m+a] += math.Pow(model.Coupling()*theta[mu*n+i], 2) * (1 - x*x)
			}
		}
	}
	value := func() (total float64) {
		for a, own := range h.class {
			mean := make([]float64, p)
			for mu := range mean {
				field := model.HiddenField[mu]
				for i, offset := range model.VisibleOffset {
					field += model.Coupling() * theta[mu*n+i] * (batch.Value(i, a) - offset)
				}
				one, two := make([]float64, 1), make([]float64, 1)
				averages.Averages(one, two, []float64{field}, variance[mu*m+a:mu*m+a+1], 1)
				mean[mu] = one[0]
			}
			var sum, mine float64
			for c := range h.classes {
				score := h.weights[h.classes*p+c]
				for mu, v := range mean {
					if isKept(h.keptOf(mu, m), a) {
						score += h.weights[c*p+mu] * 2 * (v - model.HiddenOffset[mu])
					}
				}
				sum += math.Exp(score)
				if c == own {
					mine = score
				}
			}
			total += (mine - math.Log(sum)) / m
		}
		return total
	}
	if math.Abs(value()+h.loss) > 1e-9 {
		t.Errorf("loss %v, not %v", h.loss, -value())
	}
	check := byDifferences(t, value)
	for mu := range p {
		check("hidden field", &model.HiddenField[mu], (with.HiddenField[mu]-without.HiddenField[mu])/h.weight)
	}
	for k := range theta {
		check("synapse", &theta[k], (with.Synapse[k]-without.Synapse[k])/h.weight)
	}
	check("coupling", &model.Links[0].Coupling, (with.Coupling[0]-without.Coupling[0])/h.weight)
}
