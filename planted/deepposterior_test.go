package planted

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// deepTeacher returns synapses of two layers, and data of a machine with them.
func deepTeacher(t *testing.T, lower, upper float64, samples int, n, p, q int) (links [2]*spin.Matrix, machine *rbm.Machine, data *spin.Matrix) {
	t.Helper()
	rng := stream.New(3).Rand()
	links = [2]*spin.Matrix{spin.Random(n, p, rng), spin.Random(p, q, rng)}
	c := &rbm.Chain{Links: []rbm.Between{{Coupling: lower, Synapses: rbm.Binary(links[0])}, {Coupling: upper, Synapses: rbm.Binary(links[1])}}}
	for _, size := range []int{n, p, q} {
		c.Layers = append(c.Layers, rbm.Layer{Field: make([]float64, size), Offset: make([]float64, size)})
	}
	machine, err := c.Fold()
	if err != nil {
		t.Fatal(err)
	}
	states, err := DeepData(t.Context(), machine, samples, stream.New(8))
	if err != nil {
		t.Fatal(err)
	}
	data = spin.New(n, samples)
	for i := range n {
		for a := range samples {
			data.Set(i, a, states.At(i, a))
		}
	}
	return links, machine, data
}

// The likelihood of synapses is the sum over all states of the machine.
func TestDeepPosteriorLikelihood(t *testing.T) {
	links, machine, data := deepTeacher(t, 0.4, 0.7, 9, 6, 3, 2)
	post, err := NewDeepPosterior(data, 3, 2, 0.4, 0.7)
	if err != nil {
		t.Fatal(err)
	}
	lnz, err := machine.LnZ(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := -9 * lnz
	for a := range 9 {
		v := make([]float64, 6)
		for i := range v {
			v[i] = float64(data.At(i, a))
		}
		w, err := machine.SampleLogWeight(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		want += w
	}
	w := post.walk(links)
	if got := w.logLikelihood(w.upperRow); math.Abs(got-want) > 1e-9 {
		t.Errorf("ln P(D) %v, not %v", got, want)
	}
}

// The walk visits sets of synapses as often as the posterior says: chi squared of 64 states, false alarms 1e-4.
func TestDeepPosteriorWalk(t *testing.T) {
	links, _, data := deepTeacher(t, 0.5, 0.6, 3, 2, 2, 1)
	post, err := NewDeepPosterior(data, 2, 1, 0.5, 0.6)
	if err != nil {
		t.Fatal(err)
	}
	place := func(w *deepWalk) int { return int(w.lowerRow[0] | w.lowerRow[1]<<2 | w.upperRow[0]<<4) }
	exact := make([]float64, 64)
	for k := range exact {
		w := post.walk(links)
		w.lowerRow, w.upperRow = []uint{uint(k) & 3, uint(k) >> 2 & 3}, []uint{uint(k) >> 4}
		w.refresh()
		exact[k] = w.logLikelihood(w.upperRow)
	}
	whole := rbm.LogSumExp(exact)
	const kept = 6000
	w, rng, seen := post.walk(links), stream.New(5).Rand(), make([]float64, 64)
	for k := range 4 * kept {
		if err := w.sweep(t.Context(), 1, rng); err != nil {
			t.Fatal(err)
		}
		if k%4 == 3 {
			seen[place(w)]++
		}
	}
	chi := 0.
	for k, l := range exact {
		want := kept * math.Exp(l-whole)
		chi += (seen[k] - want) * (seen[k] - want) / want
	}
	if chi > 112 {
		t.Errorf("chi squared %.1f of 63", chi)
	}
}

// From the teacher and from random synapses the walk finds the same overlaps where data are many; units in another order and with other
// signs overlap fully.
func TestDeepYardstick(t *testing.T) {
	links, _, data := deepTeacher(t, 1.4/math.Sqrt(24), 1.2/math.Sqrt(3), 240, 24, 3, 2)
	y, err := NewDeepYardstick(t.Context(), links, 1.4/math.Sqrt(24), 1.2/math.Sqrt(3), data, Schedule{BurnIn: 40, Temperature: 3, Keep: 40}, stream.New(1))
	if err != nil {
		t.Fatal(err)
	}
	if y.FromTeacher.Overlap[0] < 0.8 || math.Abs(y.FromTeacher.Overlap[0]-y.FromRandom.Overlap[0]) > 0.1 || y.FromTeacher.SampleOverlap[0] < 0.8 ||
		math.Abs(y.FromTeacher.MeanLikelihood-y.FromRandom.MeanLikelihood) > 0.05 {
		t.Errorf("%+v", *y)
	}
	turned := [2]*spin.Matrix{spin.New(24, 3), spin.New(3, 2)}
	for nu, mu := range []int{2, 0, 1} {
		sign := int8(1 - 2*(nu%2))
		for i := range 24 {
			turned[0].Set(i, nu, sign*links[0].At(i, mu))
		}
		for k := range 2 {
			turned[1].Set(nu, 1-k, sign*links[1].At(mu, k))
		}
	}
	overlaps, aligned := MatchLayers(turned[:], links[:])
	if !slices.Equal(overlaps, []float64{1, 1}) || !aligned[0].Equal(links[0]) || !aligned[1].Equal(links[1]) {
		t.Errorf("overlaps %v", overlaps)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewDeepYardstick(ctx, links, 0.2, 0.2, data, DefaultDeepSchedule, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, of := range []struct {
		first int
		lower float64
	}{{7, 0.1}, {0, 0.1}, {6, 5}} {
		if _, err := NewDeepPosterior(data, of.first, 2, of.lower, 0.1); err == nil {
			t.Errorf("%+v is no error", of)
		}
	}
}
