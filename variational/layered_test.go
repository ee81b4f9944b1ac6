package variational_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/spin"
	"bethe/variational"
)

// randomDeep returns a model of layers of the given sizes with everything that it can
// have, and samples of its data layer.
func randomDeep(sizes rbm.Folding, samples int, polar float64, rng *rand.Rand) (*rbm.Model[float64], [][]float64) {
	coupling := make([]float64, sizes.Depth())
	for l := range coupling {
		coupling[l] = 0.3 + 0.4*rng.Float64()
	}
	params := sizes.NewParams(coupling)
	for _, x := range [][]float64{params.VisibleField, params.HiddenField} {
		for k := range x {
			x[k] = 0.4 * rng.NormFloat64()
		}
	}
	for _, x := range [][]float64{params.VisibleOffset, params.HiddenOffset} {
		for k := range x {
			x[k] = 0.5 * math.Tanh(rng.NormFloat64())
		}
	}
	q := rbm.NewPosterior[float64](sizes.Visible(), sizes.Hidden())
	q.PriorTheta = make([]float64, len(q.Theta))
	for l := range coupling {
		for _, to := range []struct {
			x         []float64
			deviation float64
		}{{q.Theta, polar}, {q.PriorTheta, 0.3}} {
			block := make([]float64, sizes.Synapses(l))
			for k := range block {
				block[k] = to.deviation * rng.NormFloat64()
			}
			rbm.SetBlock(sizes, to.x, block, l)
		}
	}
	data := make([][]float64, samples)
	for a := range data {
		data[a] = make([]float64, sizes.Data())
		for i := range data[a] {
			data[a][i] = float64(2*rng.IntN(2) - 1)
		}
	}
	return &rbm.Model[float64]{Params: params, Posterior: q}, data
}

// bounds returns the bound with each recognition, all samples together.
func bounds(t *testing.T, model *rbm.Model[float64], data [][]float64) map[variational.Recognition]float64 {
	t.Helper()
	mean := make([]float64, len(model.Posterior.Theta))
	model.Posterior.Mean(mean)
	lnz, err := dual.NewNetwork(&model.Params, mean).LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := variational.NewLayered(&model.Params, mean)
	out := map[variational.Recognition]float64{}
	for _, how := range []variational.Recognition{variational.Aware, variational.Stationary, variational.Mean} {
		bound := -model.Posterior.KL() - float64(len(data))*lnz
		for _, v := range data {
			bound += d.Bound(v, d.Recognise(v, how, 60))
		}
		out[how] = bound
	}
	return out
}

// evidence returns ln of the sum over all synapses of prior and likelihood.
func evidence(t *testing.T, model *rbm.Model[float64], data [][]float64) float64 {
	t.Helper()
	f := model.Layers()
	var prior []float64
	for l := range f.Depth() {
		block := make([]float64, f.Synapses(l))
		rbm.Block(f, block, model.Posterior.PriorTheta, l)
		prior = append(prior, block...)
	}
	var terms []float64
	for s := range 1 << f.Total() {
		folded, sum := make([]float64, f.Visible()*f.Hidden()), 0.0
		xi := make([]float64, f.Total())
		for k := range xi {
			xi[k] = float64(2*(s>>k&1) - 1)
			sum -= math.Log1p(math.Exp(-2 * xi[k] * prior[k]))
		}
		for l, at := 0, 0; l < f.Depth(); l++ {
			rbm.SetBlock(f, folded, xi[at:at+f.Synapses(l)], l)
			at += f.Synapses(l)
		}
		signs := spin.New(f.Visible(), f.Hidden())
		spin.FromSigns(f.Hidden(), f.Visible(), folded).Transpose(signs)
		net := rbm.NetworkOf[float64](&rbm.Machine{Params: model.Params.Clone(), Synapses: rbm.Binary(signs)})
		lnz, err := net.LnZ(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range data {
			weight, err := net.SampleLogWeight(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			sum += weight - lnz
		}
		terms = append(terms, sum)
	}
	return rbm.LogSumExp(terms)
}

// The bound of many random machines is at most their evidence, by enumeration, whatever
// the recognition; the stationary one is the tightest, up to what Gaussian averages
// neglect.
func TestDeepBoundBelowEvidence(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	better := 0
	const machines = 24
	for k := range machines {
		sizes := []rbm.Folding{{3, 2, 1}, {2, 2, 2}, {2, 1, 2, 1}, {1, 2, 2, 1}}[k%4]
		model, data := randomDeep(sizes, 1+rng.IntN(4), 0.2+1.5*rng.Float64(), rng)
		top := evidence(t, model, data)
		all := bounds(t, model, data)
		for how, b := range all {
			if !(b <= top) {
				t.Errorf("%v, %v: bound %v above the evidence %v", sizes, how, b, top)
			}
		}
		if all[variational.Stationary] >= all[variational.Aware] && all[variational.Stationary] >= all[variational.Mean] {
			better++
		}
	}
	if better < machines*9/10 {
		t.Errorf("the stationary recognition is the tightest of %d machines in %d", better, machines)
	}
}

// At its stationary point nothing of the recognition changes the bound, so that the
// gradient at fixed g and w is that of the greatest bound: held against differences.
func TestStationaryGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for _, sizes := range []rbm.Folding{{4, 3, 2}, {3, 2, 3, 2}} {
		model, data := randomDeep(sizes, 1, 0.8, rng)
		mean := make([]float64, len(model.Posterior.Theta))
		model.Posterior.Mean(mean)
		d := variational.NewLayered(&model.Params, mean)
		best := func() float64 {
			d.Set()
			return d.Bound(data[0], d.Recognise(data[0], variational.Stationary, 200))
		}
		grad := dual.NewGradient[float64](&model.Params)
		d.AddGradient(grad, data[0], d.Recognise(data[0], variational.Stationary, 200))
		check := func(what string, x *float64, got float64) {
			const step = 1e-5
			is := *x
			*x = is + step
			up := best()
			*x = is - step
			down := best()
			*x = is
			if want := (up - down) / (2 * step); math.Abs(got-want) > 1e-7*(1+math.Abs(want)) {
				t.Errorf("%v: by %s %v, differences %v", sizes, what, got, want)
			}
		}
		n := model.Visible()
		for l, link := range model.Links {
			at := link.Hidden.From*n + link.Visible.To - 1
			check("a posterior mean", &mean[at], grad.Synapse[at])
			check("a coupling", &model.Links[l].Coupling, grad.Coupling[l])
		}
		check("a hidden field", &model.HiddenField[0], grad.HiddenField[0])
		check("a field of layer 2", &model.VisibleField[sizes[0]], grad.VisibleField[sizes[0]])
	}
}

func TestRecognitionWords(t *testing.T) {
	for _, r := range []variational.Recognition{variational.Aware, variational.Stationary, variational.Mean, variational.Drawn} {
		if is, err := variational.RecognitionOf(r.String()); err != nil || is != r {
			t.Errorf("%v: %v, %v", r, is, err)
		}
	}
	if _, err := variational.RecognitionOf("deep"); err == nil {
		t.Error("a word that is none")
	}
}
