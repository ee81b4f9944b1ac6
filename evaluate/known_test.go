package evaluate

import (
	"math"
	"testing"

	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// Annealing with the known values held finds the weights of enumeration, of each sample and from both sides (fixed seeds; six standard
// errors of a sample, and what 300 temperatures may be biased by).
func TestWeighKnown(t *testing.T) {
	potts, gauss, group := units.Kind{Word: units.Potts, States: 3}, units.Kind{Word: units.Gauss}, units.Kind{Word: units.Group, States: 2, None: true}
	for _, c := range []struct{ visible, hidden units.Kind }{{units.Kind{}, units.Kind{}}, {potts, units.Kind{}}, {gauss, units.Kind{}}, {gauss, group}, {units.Kind{}, group}, {units.Kind{}, gauss}} {
		const count, m = 4, 6
		machine := incompleteMachine(c.visible, c.hidden, count, 3)
		in := randomIncomplete(machine, count, m)
		known, err := weighKnown(t.Context(), machine, in, stream.New(3), nil)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, m)
		if c.hidden.Bits() {
			observed, err := ObservedOf(t.Context(), machine, in)
			if err != nil {
				t.Fatal(err)
			}
			copy(want, observed.LogWeights)
		} else {
			want = overMissing(machine, in)
		}
		mean := 0.0
		for a, w := range known.weights {
			mean += want[a] / m
			if e := known.terms.Error * math.Sqrt(m); !(math.Abs(w-want[a]) < 8*e+0.01) {
				t.Errorf("%v: the log-weight of sample %d is %v, not %v (error %v)", c, a, w, want[a], e)
			}
		}
		if e := known.terms.Error; !(math.Abs(known.terms.Forward-mean) < 5*e+0.005) || !(math.Abs(known.terms.Reverse-mean) < 5*e+0.005) {
			t.Errorf("%v: log-weights of %v forward and %v reverse, exactly %v (error %v)", c, known.terms.Forward, known.terms.Reverse, mean, e)
		}
		for i := range machine.Visible() {
			for a := range m {
				if in.Missing.At(i/c.visible.Features(), a) > 0 {
					continue
				}
				if in.Bits != nil && in.Bits.At(i, a) != known.drawn.Bits.At(i, a) || in.Numbers != nil && in.Numbers.Row(i)[a] != known.drawn.Numbers.Row(i)[a] {
					t.Fatalf("%v: a known value has changed", c)
				}
			}
		}
	}
}

// randomIncomplete returns samples with about half of their units missing.
func randomIncomplete(machine *rbm.Machine, count, m int) Incomplete {
	rng, of := stream.New(8).Rand(), machine.VisibleKind.Features()
	in := Incomplete{Missing: spin.Random(count, m, rng)}
	if !machine.VisibleKind.Bits() {
		in.Numbers = units.NewReals[float32](count, m)
		for k := range in.Numbers.Values() {
			in.Numbers.Values()[k] = float32(rng.NormFloat64())
		}
		return in
	}
	in.Bits = spin.New(machine.Visible(), m)
	for i := range count {
		for a := range m {
			if in.Bits.Set(i*of+rng.IntN(of), a, 1); of == 1 {
				in.Bits.Set(i, a, int8(2*rng.IntN(2)-1))
			}
		}
	}
	return in
}

// overMissing sums weights of spins over all states of the missing ones.
func overMissing(machine *rbm.Machine, in Incomplete) []float64 {
	n, m := in.Bits.Rows(), in.Bits.Cols()
	sums := make([]float64, m)
	for a := range m {
		states := spin.New(n, 1<<n)
		for k := range states.Cols() {
			for i := range n {
				states.Set(i, k, int8(2*(k>>i&1)-1))
			}
		}
		var some []float64
		for k, w := range OnHopfield(machine).LogWeights(states) {
			fits := true
			for i := range n {
				fits = fits && (in.Missing.At(i, a) > 0 || states.At(i, k) == in.Bits.At(i, a))
			}
			if fits {
				some = append(some, w)
			}
		}
		sums[a] = rbm.LogSumExp(some)
	}
	return sums
}
