package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// stackOf returns a stack of random machines of the given sizes and couplings.
func stackOf(coupling float64, sizes ...int) Stack {
	var s Stack
	for l := range sizes[1:] {
		n, p := sizes[l], sizes[l+1]
		rng := stream.New(uint64(40 + l)).Rand()
		params := rbm.NewParams(n, p, coupling)
		for _, x := range [][]float64{params.VisibleField, params.HiddenField, params.VisibleOffset, params.HiddenOffset} {
			for k := range x {
				x[k] = 0.6 * (rng.Float64() - 0.5)
			}
		}
		s = append(s, &rbm.Machine{Params: params, Synapses: rbm.Binary(spin.Random(n, p, rng))})
	}
	return s
}

// TestStackLikelihood: bounds and importance values of a stack lie below the sum over its
// middle layer, the latter closer; small stacks are summed.
func TestStackLikelihood(t *testing.T) {
	s := stackOf(0.35, 12, 11, 5) // more than fewHidden units between
	samples := spin.Random(12, 40, stream.New(5).Rand())
	likelihood, bound, err := s.Exact(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Likelihood(t.Context(), nil, samples, Options{Key: stream.New(6)})
	if err != nil || !l.Exact || l.DataTerms == nil || l.DataTerms.Exact {
		t.Fatalf("%+v, %v", l, err)
	}
	if w, err := s.LogWeights(t.Context(), samples, stream.New(6)); err != nil || math.Abs(mean(w)-l.LogWeight) > 1e-9 {
		t.Errorf("log-weights of mean %v, not %v: %v", mean(w), l.LogWeight, err)
	}
	if _, err := s.LogWeights(t.Context(), spin.New(8, 3), 0); err == nil {
		t.Error("log-weights of samples that do not fit are no error")
	}
	d := l.DataTerms
	const most = 4 // standard errors: false alarms 6e-5 each
	if off := l.Mean - mean(bound); math.Abs(off) > most*d.BoundError || d.BoundError > 0.1 {
		t.Errorf("bound %.4f, not %.4f ± %.4f", l.Mean, mean(bound), d.BoundError)
	}
	importance := d.With(l.Mean, d.Importance)
	if importance <= l.Mean || importance > mean(likelihood)+most*d.ImportanceError {
		t.Errorf("bound %.4f, importance %.4f, truth %.4f", l.Mean, importance, mean(likelihood))
	}
	if mean(likelihood)-importance > (mean(likelihood)-l.Mean)/2 {
		t.Errorf("importance %.4f is no closer to %.4f than the bound %.4f", importance, mean(likelihood), l.Mean)
	}
	small := stackOf(0.5, 9, 4, 6)
	samples = spin.Random(9, 10, stream.New(5).Rand())
	likelihood, _, err = small.Exact(t.Context(), samples)
	if l, no := small.Likelihood(t.Context(), nil, samples, Options{Key: stream.New(6)}); no != nil || err != nil || !l.Exact || !l.DataTerms.Exact || math.Abs(l.Mean-mean(likelihood)) > 1e-10 {
		t.Errorf("%+v, not %v; %v, %v", l, mean(likelihood), no, err)
	}
	if _, err := small.Likelihood(t.Context(), nil, spin.New(8, 3), Options{}); err == nil {
		t.Error("samples that do not fit are no error")
	}
	if _, err := (Stack{small[1], small[0]}).Likelihood(t.Context(), nil, samples, Options{}); err == nil {
		t.Error("machines that do not fit are no error")
	}
}

// TestStackUpsideDown: a machine below its copy upside down has the likelihood that it has alone,
// and the bound is tight.
func TestStackUpsideDown(t *testing.T) {
	lower := stackOf(0.4, 8, 5)[0]
	file := &rbm.File{Params: lower.Params, Synapses: lower.Synapses}
	s := Stack{lower, file.UpsideDown(3).Machine()}
	samples := spin.Random(8, 20, stream.New(2).Rand())
	likelihood, bound, err := s.Exact(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := Likelihood(t.Context(), OnMachine(lower), samples, Options{})
	if err != nil || math.Abs(mean(likelihood)-alone.Mean) > 1e-9 || math.Abs(mean(bound)-alone.Mean) > 1e-9 {
		t.Errorf("%v and %v, alone %v; %v", mean(likelihood), mean(bound), alone.Mean, err)
	}
}

// TestStackSample: samples of a stack have its probabilities.
func TestStackSample(t *testing.T) {
	s := stackOf(0.5, 4, 3, 4)
	const count = 40000
	drawn, err := s.Sample(t.Context(), Sampling{Count: count, Sweeps: 30, Key: stream.New(9)})
	if err != nil {
		t.Fatal(err)
	}
	states, seen := spin.New(4, 16), make([]float64, 16)
	for k := range 16 {
		for i := range 4 {
			states.Set(i, k, int8(2*(k>>i&1)-1))
		}
	}
	for a := range count {
		k := 0
		for i := range 4 {
			k |= (int(drawn.Visible.At(i, a)) + 1) / 2 << i
		}
		seen[k]++
	}
	exact, _, err := s.Exact(t.Context(), states)
	if err != nil {
		t.Fatal(err)
	}
	chi := 0.0
	for k, l := range exact {
		want := count * math.Exp(l)
		chi += (seen[k] - want) * (seen[k] - want) / want
	}
	if chi > 44 { // of 15 degrees of freedom: false alarms 1e-4
		t.Errorf("chi squared %.1f of 15", chi)
	}
	for i := range 4 { // means are conditional ones, so their mean is that of the states
		var states, means float64
		for a := range count {
			states += float64(drawn.Visible.At(i, a)) / count
			means += float64(drawn.Means[i*count+a]) / count
		}
		if math.Abs(states-means) > 0.02 {
			t.Errorf("unit %d: mean %.3f of states, %.3f of means", i, states, means)
		}
	}
}

// TestStackLayers: features of the first layer are the lowest machine's. Given these, features of the second layer are its means.
// Draws have the features as means.
func TestStackLayers(t *testing.T) {
	s := stackOf(0.3, 7, 5, 3)
	samples := spin.Random(7, 6, stream.New(3).Rand())
	first := Features(OnMachine(s[0]), samples, 1)
	for k, v := range Features(s.Layers()[0], samples, 1) {
		if math.Abs(float64(v-first[k])) > 1e-6 {
			t.Fatalf("feature %d of layer 1: %v, not %v", k, v, first[k])
		}
	}
	net := rbm.NetworkOf[float64](s[1])
	for k, v := range Features(s.Layers()[1], samples, 1) {
		a, mu := k/3, k%3
		field := net.HiddenField[mu]
		for i := range 5 {
			field += net.Coupling[mu*5+i] * float64(first[a*5+i])
		}
		if math.Abs(float64(v)-math.Tanh(field)) > 1e-5 {
			t.Fatalf("sample %d, unit %d: %v, not %v", a, mu, v, math.Tanh(field))
		}
	}
	const draws = 4000
	same := spin.New(7, draws)
	samples.Gather(same, repeated(2, draws))
	h := s.Up(0, same, stream.New(1))
	for mu := range 5 {
		sum := 0.0
		for a := range draws {
			sum += float64(h.At(mu, a)) / draws
		}
		want := float64(first[2*5+mu])
		if off := math.Abs(sum - want); off > 4.5*math.Sqrt((1-want*want+1e-9)/draws) { // false alarms 7e-6 each
			t.Errorf("unit %d: drawn mean %.3f, not %.3f", mu, sum, want)
		}
	}
}
