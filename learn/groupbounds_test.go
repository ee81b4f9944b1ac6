package learn_test

import (
	"math"
	"strings"
	"testing"

	"bethe/dataset"
	"bethe/evaluate"
	"bethe/learn"
	"bethe/rbm"
	"bethe/sample"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Jensen's bound lies below the mean log-likelihood over all synapses, by enumeration, and what learning
// takes lies close to it, of spins and of Gaussian visible units; other machines have no such bounds.
func TestGroupBounds(t *testing.T) {
	const n, p = 3, 2
	for _, word := range []string{"spin", "gauss"} {
		rng := stream.New(3).Rand()
		visible, _ := units.ParseKind(word)
		params := rbm.NewParams(n, p, 0.4)
		params.VisibleKind, params.HiddenKind = visible, units.Kind{Word: units.Group, States: p}
		for k := range params.HiddenOffset {
			params.HiddenOffset[k], params.HiddenField[k] = -1+0.5*rng.Float64(), 0.3*rng.NormFloat64()
		}
		set := &dataset.Set{Kind: visible, Samples: spin.Random(n, 40, rng)}
		q := rbm.NewPosterior[float32](n, p)
		for k := range q.Theta {
			q.Theta[k] = float32(rng.NormFloat64())
		}
		file := &rbm.File{Params: params, Synapses: rbm.Learned(q.Sign(), q)}
		if !visible.Bits() {
			numbers := units.NewReals[float32](n, 40)
			for k := range numbers.Values() {
				numbers.Values()[k] = float32(5 + 2*rng.NormFloat64())
			}
			set.Reals, file.Scale = numbers, rbm.ScaleOf(numbers, nil)
			file.VisibleOwn = file.Scale.InUnitsOf(make([]float64, 2*n))
		}
		want := 0.0
		for xi := range 1 << (n * p) {
			synapses, chance := spin.New(n, p), 1.0
			for mu := range p {
				for i := range n {
					s := int8(2*(xi>>(mu*n+i)&1) - 1)
					synapses.Set(i, mu, s)
					chance *= (1 + float64(s)*math.Tanh(float64(q.Theta[mu*n+i]))) / 2
				}
			}
			one := &rbm.File{Params: file.Params, Synapses: rbm.Binary(synapses), Scale: file.Scale}
			l, err := evaluate.FileLikelihood(t.Context(), one, evaluate.FileSamples{Bits: set.Samples, Numbers: set.Reals}, nil, evaluate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			want += chance * l.Mean
		}
		g, err := learn.BoundGroups(t.Context(), file, set, sample.Annealing{})
		if err != nil {
			t.Fatal(err)
		}
		if !(g.Jensen < want+1e-5 && g.Jensen > want-0.6 && math.Abs(g.Learned-want) < 0.3) || !strings.Contains(g.Text(), "a true lower bound") {
			t.Errorf("%s: Jensen %.4f, learned %.4f, mean over synapses %.4f, %q", word, g.Jensen, g.Learned, want, g.Text())
		}
		spins := &rbm.File{Params: rbm.NewParams(n, p, 0.4), Synapses: file.Synapses}
		if g, err := learn.BoundGroups(t.Context(), spins, set, sample.Annealing{}); g != nil || err != nil {
			t.Errorf("a machine of spins: %+v, %v", g, err)
		}
	}
}
