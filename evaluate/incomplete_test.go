package evaluate

import (
	"errors"
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// incompleteMachine draws a machine of kinds of units.
func incompleteMachine(visible, hidden units.Kind, count, groups int) *rbm.Machine {
	n, p := count*visible.Features(), groups*hidden.Features()
	rng := stream.New(5).Rand()
	m := &rbm.Machine{Params: rbm.NewParams(n, p, 0.5), Synapses: rbm.Binary(spin.Random(n, p, rng))}
	m.VisibleKind, m.HiddenKind = visible, hidden
	for _, x := range [][]float64{m.VisibleField, m.HiddenField, m.VisibleOffset, m.HiddenOffset} {
		for k := range x {
			x[k] = 0.3 * rng.NormFloat64()
		}
	}
	if !visible.Bits() {
		clear(m.VisibleField)
		clear(m.VisibleOffset)
		m.VisibleOwn = make([]float64, 2*n)
	}
	return m
}

// Weights and means given what was observed are sums over all that is missing.
func TestObservedOfBits(t *testing.T) {
	potts, group := units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Group, States: 2, None: true}
	for _, c := range []struct{ visible, hidden units.Kind }{{units.Kind{}, units.Kind{}}, {potts, units.Kind{}}, {potts, group}, {units.Kind{}, group}} {
		const count, m = 4, 5
		machine := incompleteMachine(c.visible, c.hidden, count, 3)
		n, of := machine.Visible(), c.visible.Features()
		samples, missing := spin.New(n, m), spin.New(count, m)
		rng := stream.New(8).Rand()
		for i := range count {
			for a := range m {
				if rng.IntN(2) > 0 {
					missing.Set(i, a, 1)
				}
				if samples.Set(i*of+rng.IntN(of), a, 1); of == 1 {
					samples.Set(i, a, int8(2*rng.IntN(2)-1))
				}
			}
		}
		got, err := ObservedOf(t.Context(), machine, Incomplete{Bits: samples, Missing: missing})
		if err != nil {
			t.Fatal(err)
		}
		choices := c.visible.Choices()
		for a := range m {
			states := spin.New(n, int(math.Pow(float64(choices), count)))
			var fits []int
			for k := range states.Cols() {
				fit := true
				for i, left := 0, k; i < count; i, left = i+1, left/choices {
					on := left % choices
					if of == 1 {
						states.Set(i, k, int8(2*on-1))
					} else {
						states.Set(i*of+on, k, 1)
					}
					for f := range of {
						fit = fit && (missing.At(i, a) > 0 || states.At(i*of+f, k) == samples.At(i*of+f, a))
					}
				}
				if fit {
					fits = append(fits, k)
				}
			}
			weights := OnMachine(machine).LogWeights(states)
			var some []float64
			for _, k := range fits {
				some = append(some, weights[k])
			}
			total := rbm.LogSumExp(some)
			if math.Abs(got.LogWeights[a]-total) > 1e-9 {
				t.Errorf("%v: the log-weight of sample %d is %v, not %v", c, a, got.LogWeights[a], total)
			}
			for i := range n {
				mean := 0.0
				for at, k := range fits {
					mean += math.Exp(some[at]-total) * float64(states.At(i, k))
				}
				if math.Abs(got.Mean[i*m+a]-mean) > 1e-9 {
					t.Errorf("%v: the mean of feature %d of sample %d is %v, not %v", c, i, a, got.Mean[i*m+a], mean)
				}
			}
		}
	}
}

// Of numbers: against integrals over one that is missing.
func TestObservedOfNumbers(t *testing.T) {
	const n, m = 3, 2
	machine := incompleteMachine(units.Kind{Word: units.Gauss}, units.Kind{}, n, 3)
	u := units.RealsOf(n, m, []float32{0.5, -1, 0.2, 2, -0.7, 0.1})
	missing := spin.New(n, m)
	missing.Set(1, 0, 1)
	got, err := ObservedOf(t.Context(), machine, Incomplete{Numbers: u, Missing: missing})
	if err != nil {
		t.Fatal(err)
	}
	want := OnGauss(machine).LogWeights(u)
	if math.Abs(got.LogWeights[1]-want[1]) > 1e-6 {
		t.Errorf("the log-weight of a complete sample is %v, not %v", got.LogWeights[1], want[1])
	}
	const step = 0.05
	var sum, mean float64
	for x := -12.0; x <= 12; x += step {
		one := units.RealsOf(n, 1, []float32{0.5, float32(x), -0.7})
		w := math.Exp(OnGauss(machine).LogWeights(one)[0]) * step
		sum += w
		mean += w * x
	}
	if math.Abs(got.LogWeights[0]-math.Log(sum)) > 1e-6 || math.Abs(got.Mean[1*m]-mean/sum) > 1e-5 {
		t.Errorf("log-weight %v and mean %v of what is missing, not %v and %v", got.LogWeights[0], got.Mean[1*m], math.Log(sum), mean/sum)
	}
	if _, err := ObservedOf(t.Context(), incompleteMachine(units.Kind{}, units.Kind{Word: units.Gauss}, 3, 2), Incomplete{Bits: spin.New(3, 1), Missing: spin.New(3, 1)}); !errors.Is(err, rbm.ErrTooLarge) {
		t.Errorf("Gaussian hidden units: %v", err)
	}
}

// Chains that hold what was observed find the means of enumeration (fixed seed; errors of some 0.02).
func TestFillByChains(t *testing.T) {
	machine := incompleteMachine(units.Kind{}, units.Kind{}, 6, 3)
	samples, missing := spin.Random(6, 4, stream.New(2).Rand()), spin.Random(6, 4, stream.New(3).Rand())
	in := Incomplete{Bits: samples, Missing: missing}
	exact, err := Fill(t.Context(), machine, in, Restoring{})
	if err != nil || !exact.Exact {
		t.Fatal(exact, err)
	}
	_, _, seen := in.seen(machine.VisibleKind)
	m := OnMachine(machine)
	f, err := fillByChains(t.Context(), m, m, samples, missing, seen.Mean, Restoring{Chains: 200, Sweeps: 200, Key: stream.New(4)})
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range exact.Mean {
		if math.Abs(f.Mean[k]-v) > 0.05 || missing.At(k/4, k%4) < 0 && f.Mean[k] != float64(samples.At(k/4, k%4)) {
			t.Errorf("mean %d is %v by chains, exactly %v", k, f.Mean[k], v)
		}
	}
	for k, v := range exact.Features {
		if math.Abs(float64(f.Features[k]-v)) > 0.25 {
			t.Errorf("feature %d is %v by chains, exactly %v", k, f.Features[k], v)
		}
	}
}
