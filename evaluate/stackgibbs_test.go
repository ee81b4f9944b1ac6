package evaluate

import (
	"context"
	"errors"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// probabilities of all visible states of a stack, by sums over all hidden layers but the topmost.
func (s Stack) probabilities() []float64 {
	top := s[len(s)-1]
	above := allStates(top.Visible())
	ln := make([]float64, above.Cols())
	rbm.NetworkOf[float64](top).LogWeights(ln, above)
	for l := len(s) - 2; l >= 0; l-- {
		m := below{rbm.NetworkOf[float64](s[l])}
		states := allStates(s[l].Visible())
		next := make([]float64, states.Cols())
		for k := range next {
			v := spin.New(states.Rows(), above.Cols())
			states.Gather(v, repeated(k, above.Cols()))
			joint := m.conditional(v, above)
			for a := range joint {
				joint[a] += ln[a]
			}
			next[k] = rbm.LogSumExp(joint)
		}
		above, ln = states, next
	}
	whole, p := rbm.LogSumExp(ln), make([]float64, len(ln))
	for k, v := range ln {
		p[k] = math.Exp(v - whole)
	}
	return p
}

// agrees holds frequencies of states of the visible units against probabilities by chi squared.
func agrees(t *testing.T, states *spin.Matrix, p []float64) {
	t.Helper()
	seen := make([]float64, len(p))
	for a := range states.Cols() {
		k := 0
		for i := range states.Rows() {
			k |= (int(states.At(i, a)) + 1) / 2 << i
		}
		seen[k]++
	}
	chi, cells, count := 0., -1., float64(states.Cols())
	for k, want := range p {
		switch {
		case want == 0 && seen[k] > 0:
			t.Fatalf("state %d cannot be", k)
		case want > 0:
			chi += (seen[k] - count*want) * (seen[k] - count*want) / (count * want)
			cells++
		}
	}
	// Wilson and Hilferty: the cube root is nearly normal. False alarms 3e-5.
	if z := (math.Cbrt(chi/cells) - 1 + 2/(9*cells)) / math.Sqrt(2/(9*cells)); z > 4 {
		t.Errorf("chi squared %.1f of %.0f", chi, cells)
	}
}

// TestStackComplete: states and means of the units that are not known, and of noisy ones, are those of enumeration.
func TestStackComplete(t *testing.T) {
	s := stackOf(0.7, 5, 4, 3, 4)
	p := s.probabilities()
	sample := spin.New(5, 1)
	for i, v := range []int8{1, -1, -1, 1, 1} {
		sample.Set(i, 0, v)
	}
	all, named := allStates(5), []int{0, 3}
	const flip = 0.2
	weigh := func(weight func(k int) float64) (q []float64) {
		var sum float64
		for k, v := range p {
			q = append(q, v*weight(k))
			sum += q[k]
		}
		for k := range q {
			q[k] /= sum
		}
		return q
	}
	given := weigh(func(k int) float64 {
		for _, i := range named {
			if all.At(i, k) != sample.At(i, 0) {
				return 0
			}
		}
		return 1
	})
	noisy := weigh(func(k int) float64 {
		w := 1.
		for i := range 5 {
			if all.At(i, k) == sample.At(i, 0) {
				w *= 1 - flip
			} else {
				w *= flip
			}
		}
		return w
	})
	check := func(r *SpinRestoration, q []float64) {
		t.Helper()
		agrees(t, r.States, q)
		for i := range 5 {
			var want float64
			for k, v := range q {
				want += v * float64(all.At(i, k))
			}
			if math.Abs(float64(r.Mean[i])-want) > 0.02 { // the means of 12 sweeps of 1,500 chains: over four standard errors of independent states
				t.Errorf("unit %d: mean %.3f, not %.3f", i, r.Mean[i], want)
			}
		}
		if n, worst := r.Unsettled(); n != 0 {
			t.Errorf("R-hat %v", worst)
		}
	}
	how := Restoring{Chains: 1500, Sweeps: 18, Key: stream.New(3)}
	c, err := s.CompleteKnown(t.Context(), sample, named, how)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Free) != 3 {
		t.Errorf("free units %v", c.Free)
	}
	check(c.SpinRestoration, given)
	d, err := s.Mend(t.Context(), sample, flip, true, stream.New(4), how)
	if err != nil {
		t.Fatal(err)
	}
	check(d.SpinRestoration, noisy)
	nothing, err := s.CompleteKnown(t.Context(), sample, nil, how)
	if err != nil {
		t.Fatal(err)
	}
	check(nothing.SpinRestoration, p)
	for _, wrong := range []func() error{
		func() error { _, err := s.CompleteKnown(t.Context(), spin.New(4, 1), named, how); return err },
		func() error { _, err := s.CompleteKnown(t.Context(), sample, named, Restoring{}); return err },
		func() error { _, err := s[1:].Mend(t.Context(), sample, flip, true, 0, how); return err },
		func() error { _, err := s.Mend(t.Context(), sample, 0.6, true, 0, how); return err },
		func() error {
			_, err := Stack{s[1], s[0]}.CompleteKnown(t.Context(), spin.New(4, 1), nil, how)
			return err
		},
	} {
		if wrong() == nil {
			t.Error("no error")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.CompleteKnown(ctx, sample, named, how); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
