package variational

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"bethe/dual"
	"bethe/rbm"
	"bethe/stream"
)

// rules are all of them, with rates that suit planted synapses.
var rules = map[string]Options{
	"adam": {Rule: Adam, Rate: 0.1}, "no momentum": {Rule: Adam, Rate: 0.1, Momentum: MomentumOf(0)}, "bayes": {Rule: BayesianRule, Rate: 0.05},
	"bayes, momentum": {Rule: BayesianMomentum, Rate: 0.05}, "clipped": {Rule: ClippedAdam, Rate: 0.02}, "hyperadam": {Rule: HyperAdam, Rate: 0.1, Weights: someWeights()},
	"lion": {Rule: Lion, Rate: 0.03}, "schedule-free": {Rule: ScheduleFree, Rate: 0.1},
}

// TestRules is what every rule must keep: it climbs the bound, it keeps within its limit, a spin that is turned turns its synapses and changes
// nothing else, and a checkpoint goes on to the same bytes.
func TestRules(t *testing.T) {
	samples, _ := plantedSamples(12, 90, stream.New(2))
	turned := samples.Clone()
	for a := range turned.Cols() {
		turned.Set(3, a, -samples.At(3, a))
	}
	for name, opt := range rules {
		opt.Steps, opt.FinalRate = 60, 0.2
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			learned := func(turn bool, limit float64) *Trainer[float64] {
				of := samples
				if turn {
					of = turned
				}
				model := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.3, Key: stream.New(3)}, of)
				if turn {
					for mu := range 2 {
						model.Posterior.Theta[mu*12+3] *= -1
					}
				}
				opt := opt
				opt.MaxTheta = limit
				trainer := exactTrainer(t, model, of, opt)
				if err := trainer.Run(t.Context(), nil); err != nil {
					t.Fatal(err)
				}
				return trainer
			}
			bound := func(model *rbm.Model[float64]) float64 {
				o := &Objective[float64]{Partition: &dual.Annealed[float64]{Engine: dual.Exact[float64]{}}, Hidden: Mixture[float64]{}, Samples: samples.Cols()}
				terms, _, err := o.Terms(t.Context(), model, spinsOf(model, samples))
				if err != nil {
					t.Fatal(err)
				}
				return terms.Bound()
			}
			first := NewModel[float64](Initial{Hidden: 2, Coupling: 0.4, Deviation: 0.3, Key: stream.New(3)}, samples)
			end := learned(false, 4)
			if before, after := bound(first), bound(end.Model); !(after > before+0.1) {
				t.Errorf("the bound went from %v to %v", before, after)
			}
			other := learned(true, 4)
			for k, v := range end.Model.Posterior.Theta {
				sign := 1.
				if k%12 == 3 {
					sign = -1
				}
				if math.Abs(v-sign*other.Model.Posterior.Theta[k]) > 1e-9 {
					t.Fatalf("theta %d: %v, and %v where a spin is turned", k, v, other.Model.Posterior.Theta[k])
				}
			}
			if opt.Rule != ClippedAdam {
				for k, v := range learned(false, 0.5).Model.Posterior.Theta {
					if math.Abs(v) > 0.5 {
						t.Fatalf("theta %d is %v, beyond its limit", k, v)
					}
				}
			}
			batches := opt
			batches.Steps, batches.Batch, batches.Average = 20, 30, 0.3
			whole, _ := learner(t, samples, batches)
			if err := whole.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "checkpoint.npz")
			half, chains := learner(t, samples, batches)
			_ = runUntil(t, half, 11)
			if err := SaveCheckpoint(t.Context(), path, "a run", half, chains); err != nil {
				t.Fatal(err)
			}
			resumed, chains := learner(t, samples, batches)
			if err := LoadCheckpoint(path, "a run", resumed, chains); err != nil {
				t.Fatal(err)
			}
			if err := resumed.Run(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(modelBytes(t, whole.Result()), modelBytes(t, resumed.Result())) {
				t.Error("resumed, another model")
			}
		})
	}
}

// TestRivals holds three steps against the formulas of the papers.
func TestRivals(t *testing.T) {
	grads := [][]float64{{0.3, -0.2, 0}, {-0.1, -0.4, 0.2}, {0.05, 0.1, -0.3}}
	for name, c := range map[string]struct {
		rule  optimiser[float64]
		plain func(x, g []float64, step int)
	}{
		"lion": {&lion[float64]{make([]float64, 3), 0.9}, func() func(x, g []float64, step int) {
			m := make([]float64, 3)
			return func(x, g []float64, _ int) {
				for k := range x {
					x[k] += 0.1 * sign(0.9*m[k]+0.1*g[k])
					m[k] = 0.99*m[k] + 0.01*g[k]
				}
			}
		}()},
		"bayes": {&bayesian[float64]{make([]float64, 3), 0.9}, func() func(x, g []float64, step int) {
			m := make([]float64, 3)
			return func(x, g []float64, step int) {
				for k := range x {
					m[k] = 0.9*m[k] + 0.1*g[k]
					x[k] += 0.1 * m[k] / (1 - math.Pow(0.9, float64(step)))
				}
			}
		}()},
		"schedule-free": {&scheduleFree[float64]{make([]float64, 3), make([]float64, 3), make([]float64, 3), 0.9}, func() func(x, g []float64, step int) {
			var z, mean, v []float64
			return func(x, g []float64, step int) {
				if z == nil {
					z, mean, v = append(z, x...), append(mean, x...), make([]float64, 3)
				}
				for k := range x {
					v[k] = 0.999*v[k] + 0.001*g[k]*g[k]
					z[k] += 0.1 * g[k] / (math.Sqrt(v[k]/(1-math.Pow(0.999, float64(step)))) + 1e-8)
					mean[k] += (z[k] - mean[k]) / float64(step)
					x[k] = 0.9*mean[k] + 0.1*z[k]
				}
			}
		}()},
	} {
		x, want := []float64{0.2, -0.1, 0}, []float64{0.2, -0.1, 0}
		for step, g := range grads {
			c.rule.step(x, g, move{rate: 0.1, count: step + 1, limit: 4})
			c.plain(want, g, step+1)
			for k := range x {
				if math.Abs(x[k]-want[k]) > 1e-12 {
					t.Fatal(fmt.Errorf("%s, step %d: theta %d is %v, not %v", name, step+1, k, x[k], want[k]))
				}
			}
		}
	}
}

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}
