package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Where levels are certain every draw is the samples; else likelihoods of draws lie around their mean.
func TestRedraw(t *testing.T) {
	const n, m = 6, 50
	params := rbm.NewParams(n, 2, 0.5)
	for i := range n {
		params.VisibleField[i] = 0.3 * float64(i)
	}
	file := &rbm.File{Params: params, Synapses: rbm.Binary(spin.Random(n, 2, stream.New(1).Rand()))}
	samples, levels := spin.Random(n, m, stream.New(2).Rand()), units.NewLevels(n, m)
	for a := range m {
		for i := range n {
			if samples.At(i, a) == 1 {
				levels.Of(a)[i] = units.White
			}
		}
	}
	l, err := MachineLikelihood(t.Context(), file.Machine(), nil, samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := Redraw(t.Context(), file, levels, &l, stream.New(3))
	if err != nil || math.Abs(r.Mean-l.Mean) > 1e-12 || r.Deviation > 1e-12 || r.Draws != redraws {
		t.Errorf("certain levels: %+v, %v; the likelihood is %v", r, err, l.Mean)
	}
	// At level p of each spin, the mean over draws is that of all states, weighted.
	const level = 100
	for a := range m {
		for i := range n {
			levels.Of(a)[i] = level
		}
	}
	want, p, machine := 0.0, level/255., OnMachine(file.Machine())
	for state := range 1 << n {
		one, weight := spin.New(n, 1), 1.0
		for i := range n {
			if state>>i&1 == 1 {
				one.Set(i, 0, 1)
				weight *= p
			} else {
				weight *= 1 - p
			}
		}
		want += weight * (machine.LogWeights(one)[0] - l.LogWeight + l.Mean)
	}
	if r, err = Redraw(t.Context(), file, levels, &l, stream.New(3)); err != nil {
		t.Fatal(err)
	}
	if d := math.Abs(r.Mean-want) / (r.Deviation / math.Sqrt(redraws)); !(d < 6) || r.Deviation == 0 { // of 9 degrees of freedom: a false alarm in 4e-4
		t.Errorf("mean %v ± %v, and of all states %v", r.Mean, r.Deviation, want)
	}
}
