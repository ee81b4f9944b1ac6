package evaluate

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

// TestFeatures are the machine's hidden means.
func TestFeatures(t *testing.T) {
	m := &rbm.Machine{Params: rbm.NewParams(33, 21, 0.3), Synapses: rbm.Binary(spin.Random(33, 21, stream.New(1).Rand()))}
	m.HiddenField[3], m.VisibleOffset[5] = 0.4, -0.5
	s := spin.Random(33, 1500, stream.New(2).Rand()) // more than a block
	want := m.HiddenMeans(s)
	for k, v := range Features(OnMachine(m), s, 1) {
		if a, mu := k/21, k%21; math.Abs(float64(v)-want[mu*1500+a]) > 1e-5 {
			t.Fatalf("feature %d of sample %d is %v, not %v", mu, a, v, want[mu*1500+a])
		}
	}
}

// labelledSpins are samples of three classes, each a noisy pattern, which a
// linear classifier tells apart but for some.
func labelledSpins(count int, key stream.Key) (*spin.Matrix, []int) {
	rng := key.Rand()
	patterns := spin.Random(40, 3, stream.New(77).Rand())
	labels, columns := make([]int, count), make([]int, count)
	for a := range labels {
		columns[a] = rng.IntN(3)
		labels[a] = 10 * columns[a]
	}
	s := spin.New(40, count)
	patterns.Gather(s, columns)
	Flip(s, 0.3, key.Sub(1))
	for a := range labels {
		s.Set(7, a, 1) // a constant pixel
	}
	return s, labels
}

// TestClassifier: at the minimum the gradient of loss and penalty is nought,
// by a plain float64 version; spins as spins and as real numbers give the same;
// held-out errors choose the penalty; the test error is that of Bayes' rule
// within five standard deviations.
func TestClassifier(t *testing.T) {
	s, labels := labelledSpins(1200, stream.New(1))
	test, testLabels := labelledSpins(2000, stream.New(2))
	x := make([]float32, 40*1200)
	for a := range 1200 {
		for i := range 40 {
			x[a*40+i] = float32(s.At(i, a))
		}
	}
	const l2 = 1e-3
	one := Fitting{L2: []float64{l2}}
	bySpins, err := FitClassifier(t.Context(), SpinInputs(s), labels, one)
	if err != nil {
		t.Fatal(err)
	}
	byReals, err := FitClassifier(t.Context(), RealInputs(x, 40), labels, one)
	if err != nil {
		t.Fatal(err)
	}
	for k, w := range bySpins.Weights {
		if math.Abs(w-byReals.Weights[k]) > 0.01 {
			t.Errorf("weight %d: %v of spins, %v of reals", k, w, byReals.Weights[k])
		}
	}
	// The gradient, plainly.
	grad, biasGrad := make([]float64, 120), make([]float64, 3)
	for a, l := range labels {
		var score [3]float64
		var sum float64
		for k := range 3 {
			score[k] = bySpins.Bias[k]
			for i := range 40 {
				score[k] += bySpins.Weights[k*40+i] * float64(x[a*40+i])
			}
			sum += math.Exp(score[k])
		}
		for k := range 3 {
			d := math.Exp(score[k]) / sum / 1200
			if l == 10*k {
				d -= 1. / 1200
			}
			biasGrad[k] += d
			for i := range 40 {
				grad[k*40+i] += d * float64(x[a*40+i])
			}
		}
	}
	for k, g := range grad {
		if g += l2 * bySpins.Weights[k]; math.Abs(g) > 2e-4 {
			t.Errorf("gradient by weight %d: %v", k, g)
		}
	}
	for k, g := range biasGrad {
		if math.Abs(g) > 2e-4 {
			t.Errorf("gradient by bias %d: %v", k, g)
		}
	}
	// Bayes' rule: the nearest pattern.
	patterns := spin.Random(40, 3, stream.New(77).Rand())
	dots := make([]int32, 3*2000)
	spin.Dot(dots, patterns, test)
	bayes := 0.
	for a, l := range testLabels {
		best := 0
		for k := range 3 {
			if dots[k*2000+a] > dots[best*2000+a] {
				best = k
			}
		}
		if 10*best != l {
			bayes += 1. / 2000
		}
	}
	rate := must(bySpins.ErrorRate(t.Context(), SpinInputs(test), testLabels))
	if rate < bayes-0.03 || rate > bayes+0.04 || bayes < 0.005 {
		t.Errorf("test error %v, Bayes' rule %v", rate, bayes)
	}
	// Choice of the penalty.
	done := 0.
	chosen, err := FitClassifier(t.Context(), SpinInputs(s), labels, Fitting{L2: []float64{1e-6, 1e-2, 1e3}, HeldOut: 0.25, Key: stream.New(3), Progress: func(f float64) { done = f }})
	if err != nil || done != 1 {
		t.Fatal(err, done)
	}
	if k := slices.Index([]float64{1e-6, 1e-2, 1e3}, chosen.L2); len(chosen.HeldOut) != 3 || chosen.HeldOut[k] != slices.Min(chosen.HeldOut) || k == 2 {
		t.Errorf("penalty %v chosen by errors %v", chosen.L2, chosen.HeldOut)
	}
}

// TestFewSamples: of fewer samples than features the classifier is that of the plain fit, also where
// samples are the same.
func TestFewSamples(t *testing.T) {
	s, labels := labelledSpins(30, stream.New(1))
	for i := range 40 {
		s.Set(i, 1, s.At(i, 0))
	}
	labels[1] = labels[0]
	in := SpinInputs(s)
	f := Fitting{L2: []float64{1e-2, 1e-1}, HeldOut: 0.2, Key: stream.New(3)}
	got, ok, err := fitSpanned(t.Context(), in, labels, f)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	// The same samples ten times over, with as many features as before, are fitted plainly.
	more, moreLabels := make([]int, 300), make([]int, 300)
	for k := range more {
		more[k] = k % 30
		moreLabels[k] = labels[k%30]
	}
	many := spin.New(40, 300)
	s.Gather(many, more)
	want, err := FitClassifier(t.Context(), SpinInputs(many), moreLabels, Fitting{L2: []float64{got.L2}})
	if err != nil {
		t.Fatal(err)
	}
	for k, w := range want.Weights {
		if math.Abs(w-got.Weights[k]) > 2e-3 {
			t.Errorf("weight %d is %v, not %v", k, got.Weights[k], w)
		}
	}
	for k, b := range want.Bias {
		if math.Abs(b-got.Bias[k]) > 2e-3 {
			t.Errorf("bias %d is %v, not %v", k, got.Bias[k], b)
		}
	}
	through := must(FitClassifier(t.Context(), in, labels, f))
	if !slices.Equal(through.Weights, got.Weights) || len(got.HeldOut) != 2 {
		t.Error("FitClassifier fits few samples otherwise")
	}
}

func TestClassifierErrors(t *testing.T) {
	s, labels := labelledSpins(50, stream.New(1))
	same := make([]int, 50)
	for name, fit := range map[string]func(context.Context) error{
		"labels missing": func(ctx context.Context) error {
			_, err := FitClassifier(ctx, SpinInputs(s), labels[1:], Fitting{L2: []float64{1}})
			return err
		},
		"one class": func(ctx context.Context) error {
			_, err := FitClassifier(ctx, SpinInputs(s), same, Fitting{L2: []float64{1}})
			return err
		},
		"no penalty": func(ctx context.Context) error {
			_, err := FitClassifier(ctx, SpinInputs(s), labels, Fitting{})
			return err
		},
		"a negative one": func(ctx context.Context) error {
			_, err := FitClassifier(ctx, SpinInputs(s), labels, Fitting{L2: []float64{-1}})
			return err
		},
		"nothing held out": func(ctx context.Context) error {
			_, err := FitClassifier(ctx, SpinInputs(s), labels, Fitting{L2: []float64{1, 2}})
			return err
		},
	} {
		if fit(t.Context()) == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FitClassifier(ctx, SpinInputs(s), labels, Fitting{L2: []float64{1}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
