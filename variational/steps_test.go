package variational

import (
	"context"
	"math"
	"testing"
	"time"

	"bethe/dual"
	"bethe/internal/kernel"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

func exactTrainer(t *testing.T, model *rbm.Model[float64], samples *spin.Matrix, opt Options) *Trainer[float64] {
	t.Helper()
	trainer, err := NewTrainer(model, spinsOf(model, samples), &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Mixture[float64]{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return trainer
}

// TestFieldsStayFinite: spins that never change would send fields to infinity.
func TestFieldsStayFinite(t *testing.T) {
	const n, m = 5, 6
	samples := spin.New(n, m)
	for i := range n {
		for a := range m {
			samples.Set(i, a, int8(1-2*(i%2)))
		}
	}
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.1, Fields: true, Deviation: 0.3, Key: stream.New(1)}, samples)
	if err := exactTrainer(t, model, samples, Options{Steps: 200, Rate: 2, FinalRate: 1, FieldRate: 1}).Run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	limit := math.Atanh(1-2./(m+2)) + beyond
	for i, b := range model.VisibleField {
		if sign := float64(samples.At(i, 0)); !(math.Abs(b-sign*limit) < 1e-12) {
			t.Errorf("visible field %d is %v, not %v", i, b, sign*limit)
		}
	}
	for mu, c := range model.HiddenField {
		if !(math.Abs(c) <= limit+1e-12) {
			t.Errorf("hidden field %d is %v, beyond %v", mu, c, limit)
		}
	}
}

// TestFieldsAndCoupling holds three steps of fields and coupling against Adam's formulas at several beta_1. The coupling climbs by
// its logarithm, with J d/dJ as the gradient.
func TestFieldsAndCoupling(t *testing.T) {
	samples, _ := plantedSamples(10, 60, stream.New(11))
	for _, c := range []struct {
		momentum Momentum
		first    float64
	}{{Momentum{}, 0.9}, {MomentumOf(0.35), 0.35}, {MomentumOf(0), 0}} {
		model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.5, Key: stream.New(2)}, samples)
		const rate, share, second = 0.01, 1.5, kernel.AdamSecond
		trainer := exactTrainer(t, model, samples, Options{Steps: 3, Rate: rate, FinalRate: 1, CouplingRate: share, FieldRate: 1, Momentum: MomentumOf(0.7), FieldMomentum: c.momentum})
		grad, batch := dual.NewGradient[float64](&model.Params), units.NewSpins[float64](samples)
		// all that moves, with ln J last
		state := func() []float64 {
			return append(append(append([]float64(nil), model.VisibleField...), model.HiddenField...), math.Log(model.Coupling()))
		}
		mean, square := make([]float64, len(state())), make([]float64, len(state()))
		for step := 1.0; step <= 3; step++ {
			if _, err := trainer.Objective.Gradient(context.Background(), grad, model, batch); err != nil {
				t.Fatal(err)
			}
			want := state()
			for k, g := range append(append(append([]float64(nil), grad.VisibleField...), grad.HiddenField...), model.Coupling()*grad.Coupling[0]) {
				mean[k], square[k] = c.first*mean[k]+(1-c.first)*g, second*square[k]+(1-second)*g*g
				move := rate * mean[k] / (1 - math.Pow(c.first, step)) / (math.Sqrt(square[k]/(1-math.Pow(second, step))) + 1e-8)
				if k == len(want)-1 {
					move *= share
				}
				want[k] += move
			}
			if _, err := trainer.learn(context.Background(), rate); err != nil {
				t.Fatal(err)
			}
			for k, x := range state() {
				if !(math.Abs(x-want[k]) < 1e-12) {
					t.Errorf("momentum %v, step %v: %d is %v, not %v", c.first, step, k, x, want[k])
				}
			}
		}
	}
}

// TestBayesianRuleInMiniBatches: where the data say nothing, each step takes
// thetas to theta0 by its rate's share of the way, whatever the batch. Rates
// fall linearly to their final share.
func TestBayesianRuleInMiniBatches(t *testing.T) {
	samples, _ := plantedSamples(10, 60, stream.New(12))
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 1e-9, Deviation: 0.5, Key: stream.New(3)}, samples)
	q := model.Posterior
	q.PriorTheta = make([]float64, len(q.Theta))
	want := make([]float64, len(q.Theta))
	for k, theta := range q.Theta {
		q.PriorTheta[k] = 0.3 * math.Sin(float64(k))
		want[k] = theta
	}
	rates := []float64{0.5, 0.4, 0.3, 0.2}
	var got []float64
	err := exactTrainer(t, model, samples, Options{Steps: 4, Batch: 15, Rule: BayesianRule, Rate: 0.5, FinalRate: 0.2}).
		Run(t.Context(), func(p Progress) error {
			got = append(got, p.Rate)
			return nil
		})
	if err != nil || len(got) != len(rates) {
		t.Fatalf("rates %v, %v", got, err)
	}
	for step, rate := range rates {
		if math.Abs(got[step]-rate) > 1e-12 {
			t.Errorf("rates %v, not %v", got, rates)
		}
		for k, theta0 := range q.PriorTheta {
			want[k] += rate * (theta0 - want[k])
		}
	}
	for k, theta := range q.Theta {
		if !(math.Abs(theta-want[k]) < 1e-12) {
			t.Fatalf("theta %d is %v, not %v", k, theta, want[k])
		}
	}
}

// TestElapsedIsTimeOnTheClock: what the caller does between steps counts, also while it is
// done, and a time limit is one on the clock.
func TestElapsedIsTimeOnTheClock(t *testing.T) {
	samples, _ := plantedSamples(6, 10, stream.New(13))
	model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.3, Deviation: 0.5, Key: stream.New(4)}, samples)
	trainer := exactTrainer(t, model, samples, Options{Time: 20 * time.Millisecond, Rate: 0.1, FinalRate: 1})
	began, steps := time.Now(), 0
	err := trainer.Run(t.Context(), func(Progress) error {
		steps++
		before := trainer.Elapsed()
		time.Sleep(8 * time.Millisecond)
		if during := trainer.Elapsed() - before; during < 8*time.Millisecond {
			t.Errorf("%v elapsed during 8 ms of the caller's", during)
		}
		return nil
	})
	// Steps themselves take no time here: three calls are beyond the limit.
	if all := time.Since(began); err != nil || steps > 3 || trainer.Elapsed() < 20*time.Millisecond || trainer.Elapsed() > all {
		t.Errorf("%d steps, %v elapsed of %v, %v", steps, trainer.Elapsed(), all, err)
	}
	if at := trainer.Elapsed(); at != trainer.Elapsed() {
		t.Error("time passes after learning")
	}
}

// TestCavityMomentsInFloat32WhereNewtonOvershoots: large variances need the
// bracketed solution.
func TestCavityMomentsInFloat32WhereNewtonOvershoots(t *testing.T) {
	var mean, variance []float32
	for _, v := range []float32{10, 20, 100, 300} {
		for _, m := range []float32{-250, -40, -7, -0.4, 0, 0.01, 3, 19, 25, 99} {
			mean, variance = append(mean, m), append(variance, v)
		}
	}
	tanh, sech2 := make([]float32, len(mean)), make([]float32, len(mean))
	Cavity[float32]{}.Averages(tanh, sech2, mean, variance, 0)
	for k := range mean {
		want := reaction(float64(mean[k]), float64(variance[k]))
		if !(math.Abs(float64(tanh[k])-want) < 1e-6 && math.Abs(float64(sech2[k])-(1-want*want)) < 2e-6) {
			t.Errorf("mean %v, variance %v: T = %v, not %v; R = %v", mean[k], variance[k], tanh[k], want, sech2[k])
		}
	}
}
