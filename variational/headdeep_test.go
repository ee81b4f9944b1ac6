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

// TestGradientOfLabelsDeep: what labels add to the gradient of a deep machine is that of differences, if the states of even layers, and the
// variances of fields, stay.
func TestGradientOfLabelsDeep(t *testing.T) {
	f := rbm.Folding{6, 4, 3, 2}
	rng := stream.New(21).Rand()
	params := f.NewParams([]float64{0.3, 0.5, 0.4})
	for _, x := range [][]float64{params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset} {
		for k := range x {
			x[k] = 0.6 * (rng.Float64() - 0.5)
		}
	}
	q := rbm.NewPosterior[float64](params.Visible(), params.Hidden())
	q.Randomize(1, stream.New(4))
	model := &rbm.Model[float64]{Params: params, Posterior: q}
	model.ClearUnjoined()
	samples := spin.Random(6, 50, stream.New(2).Rand())
	batch := units.NewSpins[float64](samples)
	gradient := func(labels *head[float64]) (*Objective[float64], *dual.Gradient[float64]) {
		o := &Objective[float64]{Partition: dual.TermFor(rbm.SignKind, dual.Engine[float64](dual.Exact[float64]{})), Hidden: NewQuadrature[float64](61), Samples: 50, Synapses: rbm.SignKind,
			Deep: Deep{Recognition: Aware, Rounds: 5}, head: labels}
		grad := dual.NewGradient[float64](&model.Params)
		if _, err := o.Gradient(t.Context(), grad, model, batch); err != nil {
			t.Fatal(err)
		}
		return o, grad
	}
	plain, without := gradient(nil)
	h, err := newHead[float64](labelsOf(samples), 50, params.Hidden(), 1.5)
	if err != nil {
		t.Fatal(err)
	}
	for k := range h.weights {
		h.weights[k] = rng.NormFloat64()
	}
	h.batch = h.class
	_, with := gradient(h)
	u, p := &plain.upper, params.Hidden()
	signs := make([]float64, len(q.Theta))
	spin.Values(signs, spin.FromSigns(p, params.Visible(), q.Theta))
	// The mean ln p(label) where rho and the variances of fields are those found.
	value := func() (total float64) {
		for a, own := range h.class {
			mean := make([]float64, p)
			for j := range mean {
				field := model.HiddenField[j]
				for _, link := range model.Links {
					for i := link.Visible.From; i < link.Visible.To && j >= link.Hidden.From && j < link.Hidden.To; i++ {
						var x float64
						if i < 6 {
							x = float64(samples.At(i, a))
						} else {
							x = u.rho[(i-6)*50+a]
						}
						field += link.Coupling * signs[j*params.Visible()+i] * (x - model.VisibleOffset[i])
					}
				}
				one, two := make([]float64, 1), make([]float64, 1)
				plain.Hidden.Averages(one, two, []float64{field}, u.variance[j*50+a:j*50+a+1], 1)
				mean[j] = one[0]
			}
			var sum, mine float64
			for c := range h.classes {
				score := h.weights[h.classes*p+c]
				for j, v := range mean {
					if isKept(h.keptOf(j, 50), a) {
						score += h.weights[c*p+j] * 2 * (v - model.HiddenOffset[j])
					}
				}
				sum += math.Exp(score)
				if c == own {
					mine = score
				}
			}
			total += (mine - math.Log(sum)) / 50
		}
		return total
	}
	if math.Abs(value()+h.loss) > 1e-9 {
		t.Errorf("loss %v, not %v", h.loss, -value())
	}
	check := byDifferences(t, value)
	for j := range p {
		check("hidden field", &model.HiddenField[j], (with.HiddenField[j]-without.HiddenField[j])/h.weight)
		for _, link := range model.Links {
			for i := link.Visible.From; i < link.Visible.To && j >= link.Hidden.From && j < link.Hidden.To; i++ {
				k := j*params.Visible() + i
				check("synapse", &signs[k], (with.Synapse[k]-without.Synapse[k])/h.weight)
			}
		}
	}
	for l := range model.Links {
		check("coupling", &model.Links[l].Coupling, (with.Coupling[l]-without.Coupling[l])/h.weight)
	}
}
