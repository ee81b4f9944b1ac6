package dual

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"bethe/rbm"
)

// TestWeighted: the term is ln Z of the machine with real synapses, and its
// gradient is that of differences.
func TestWeighted(t *testing.T) {
	const n, p, step = 5, 3, 1e-5
	rng := rand.New(rand.NewPCG(1, 2))
	params := rbm.NewParams(n, p, 0.4)
	params.Links = []rbm.Link{{Coupling: 0.4, Visible: rbm.Range{To: 3}, Hidden: rbm.Range{To: p}}, {Coupling: 0.7, Visible: rbm.Range{From: 3, To: n}, Hidden: rbm.Range{From: 1, To: 3}}}
	for i := range n {
		params.VisibleField[i], params.VisibleOffset[i] = rng.NormFloat64(), 2*rng.Float64()-1
	}
	for mu := range p {
		params.HiddenField[mu], params.HiddenOffset[mu] = rng.NormFloat64(), 2*rng.Float64()-1
	}
	w := make([]float64, n*p)
	for k := range w {
		w[k] = float64(float32(rng.NormFloat64()))
	}
	term := &Weighted[float64]{Engine: Exact[float64]{}}
	scratch := NewGradient[float64](&params)
	lnZ := func() float64 {
		report, err := Term(context.Background(), term, scratch, &params, w)
		if err != nil {
			t.Fatal(err)
		}
		return report.LnZ
	}
	single := make([]float32, n*p)
	for k, v := range w {
		single[k] = float32(v)
	}
	machine := &rbm.Machine{Params: params, Synapses: rbm.RealValued(n, p, single)}
	exact, err := machine.LnZ(context.Background())
	if err != nil || math.Abs(lnZ()-exact) > 1e-12 {
		t.Errorf("ln Z %v, not %v (%v)", lnZ(), exact, err)
	}
	grad := NewGradient[float64](&params)
	if _, err := Term(context.Background(), term, grad, &params, w); err != nil {
		t.Fatal(err)
	}
	check := func(name string, k int, x *float64, got float64) {
		before := *x
		*x = before + step
		up := lnZ()
		*x = before - step
		down := lnZ()
		*x = before
		if want := (up - down) / (2 * step); math.Abs(got-want) > 1e-8 {
			t.Errorf("%s[%d]: gradient %v, by differences %v", name, k, got, want)
		}
	}
	for k := range w {
		check("synapse", k, &w[k], grad.Synapse[k])
	}
	for i := range n {
		check("visible field", i, &params.VisibleField[i], grad.VisibleField[i])
	}
	for mu := range p {
		check("hidden field", mu, &params.HiddenField[mu], grad.HiddenField[mu])
	}
	for k := range params.Links {
		check("coupling", k, &params.Links[k].Coupling, grad.Coupling[k])
	}
}
