package variational

import (
	"math"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/stream"
)

// A prior takes a penalty off the bound: the divergence, or its second order about the prior. The gradient must
// have the slope of that penalty by the means.
func TestPriorForms(t *testing.T) {
	const m = 60
	samples, _ := plantedSamples(8, m, stream.New(1))
	o, model := known(rbm.BinaryKind, samples)
	q := model.Posterior
	free := o.released(t, model, samples, 1)
	q.PriorTheta = make([]float64, len(q.Theta))
	rng := stream.New(2).Rand()
	for k := range q.PriorTheta {
		q.PriorTheta[k] = rng.NormFloat64()
	}
	penalty := map[PriorForm]func(mean, prior float64) float64{
		Divergence: func(mean, prior float64) float64 {
			at := math.Atanh(mean)
			return mean*(at-math.Atanh(prior)) + math.Log(1-mean*mean)/2 - math.Log(1-prior*prior)/2
		},
		Elastic: func(mean, prior float64) float64 {
			return (mean - prior) * (mean - prior) / (2 * (1 - prior*prior))
		},
	}
	for form, of := range penalty {
		o.Form = form
		for _, release := range []float64{0, -2} {
			held := o.released(t, model, samples, release)
			for k, theta := range q.Theta {
				const h = 1e-5
				mean, prior := math.Tanh(theta), math.Tanh(q.PriorTheta[k])
				want := -(1 - release) / m * (of(mean+h, prior) - of(mean-h, prior)) / (2 * h)
				if got := held[k] - free[k]; math.Abs(got-want) > 1e-7*(1+math.Abs(want)) {
					t.Fatalf("form %d, release %v, synapse %d: the prior pulls by %v, not %v", form, release, k, got, want)
				}
			}
		}
	}
}

// Fields that are believed pull as that many samples of independent units would.
func TestHeldFields(t *testing.T) {
	params := rbm.NewParams(3, 2, 0.5)
	copy(params.VisibleField, []float64{0.5, -1, 0})
	copy(params.HiddenField, []float64{0.2, -0.3})
	const weight = 2.5
	held := holdFields(&params, weight)
	params.VisibleField[0], params.HiddenField[1] = -0.4, 0.9
	grad := dual.NewGradient[float64](&params)
	held.pull(grad.VisibleField, grad.HiddenField, &params, weight)
	likelihood := func(b0, b float64) float64 { return math.Tanh(b0)*b - math.Log(2*math.Cosh(b)) } // of a sample of mean tanh b0
	const h = 1e-5
	for k, c := range []struct{ got, before, now float64 }{
		{grad.VisibleField[0], 0.5, -0.4}, {grad.VisibleField[1], -1, -1}, {grad.HiddenField[0], 0.2, 0.2}, {grad.HiddenField[1], -0.3, 0.9},
	} {
		if want := weight * (likelihood(c.before, c.now+h) - likelihood(c.before, c.now-h)) / (2 * h); math.Abs(c.got-want) > 1e-8 {
			t.Errorf("field %d: pulled by %v, not %v", k, c.got, want)
		}
	}
	if none := holdFields(&params, 0); none.visible != nil {
		t.Error("fields are held by nothing")
	}
}
