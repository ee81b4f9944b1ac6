package evaluate_test

import (
	"errors"
	"math"
	"testing"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
	"bethe/stream"
)

// The pseudolikelihood is that of sums over all hidden states, for spins and colours below spins, groups
// and Gaussian units.
func TestPseudoLikelihood(t *testing.T) {
	for _, c := range []struct{ visible, hidden string }{{"spin", "spin"}, {"potts:3", "spin"}, {"spin", "group:2"}, {"spin", "gauss"}} {
		file, samples := machineOf(t, c.visible, c.hidden, 2, 0.4)
		machine, some := file.Machine(), spin.New(file.Visible(), 20)
		samples.Bits.Gather(some, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19})
		got, err := evaluate.PseudoLikelihood(t.Context(), machine, some)
		if err != nil {
			t.Fatal(err)
		}
		// By the log-weights of whole states, each unit in each state.
		of, kind := file.VisibleKind.Features(), file.VisibleKind
		weight := func(a int, set func(s *spin.Matrix)) float64 {
			one := spin.New(file.Visible(), 1)
			some.Gather(one, []int{a})
			set(one)
			var w []float64
			if file.HiddenKind.Bits() {
				w = evaluate.OnMachine(machine).LogWeights(one)
			} else {
				w = evaluate.OnHopfield(machine).LogWeights(one)
			}
			return w[0]
		}
		want := 0.0
		for a := range 20 {
			own := weight(a, func(*spin.Matrix) {})
			for unit := 0; unit < file.Visible(); unit += of {
				var all []float64
				for choice := range kind.Choices() {
					all = append(all, weight(a, func(s *spin.Matrix) {
						if !kind.OneHot() {
							s.Set(unit, 0, int8(2*choice-1))
							return
						}
						for k := range of {
							s.Set(unit+k, 0, -1)
						}
						s.Set(unit+choice, 0, 1)
					}))
				}
				want += (own - rbm.LogSumExp(all)) / 20
			}
		}
		if math.Abs(got-want) > 1e-4 {
			t.Errorf("%v: %.6f, not %.6f", c, got, want)
		}
	}
	file, _ := machineOf(t, "gauss", "spin", 2, 0.4)
	if _, err := evaluate.PseudoLikelihood(t.Context(), file.Machine(), spin.New(9, 3)); err == nil {
		t.Error("Gaussian units: no error")
	}
}

// Of samples with missing values it is what ObservedOf says with one value more missing; a sample that is whole has its pseudolikelihood.
func TestPseudoObserved(t *testing.T) {
	for _, c := range []struct{ visible, hidden string }{{"spin", "spin"}, {"potts:3", "spin"}, {"spin", "group:2"}, {"potts:3", "group?:2"}} {
		file, samples := machineOf(t, c.visible, c.hidden, 2, 0.6)
		const m = 6
		machine, some := file.Machine(), spin.New(file.Visible(), m)
		samples.Bits.Gather(some, []int{0, 1, 2, 3, 4, 5})
		of := file.VisibleKind.Features()
		count := file.Visible() / of
		missing := spin.Random(count, m, stream.New(9).Rand())
		for i := range count {
			missing.Set(i, 0, -1)
		}
		weights := func(missing *spin.Matrix) []float64 {
			o, err := evaluate.ObservedOf(t.Context(), machine, evaluate.Incomplete{Bits: some, Missing: missing})
			if err != nil {
				t.Fatal(err)
			}
			return o.LogWeights
		}
		own, want, first := weights(missing), 0.0, 0.0
		for i := range count {
			without := missing.Clone()
			for a := range m {
				without.Set(i, a, 1)
			}
			for a, w := range weights(without) {
				if missing.At(i, a) < 0 {
					if want += (own[a] - w) / m; a == 0 {
						first += own[a] - w
					}
				}
			}
		}
		got, err := evaluate.PseudoObserved(t.Context(), machine, evaluate.Incomplete{Bits: some, Missing: missing})
		if err != nil || math.Abs(got-want) > 1e-9 {
			t.Errorf("%v: %.9f, not %.9f: %v", c, got, want, err)
		}
		one := spin.New(file.Visible(), 1)
		some.Gather(one, []int{0})
		if whole, err := evaluate.PseudoLikelihood(t.Context(), machine, one); err != nil || math.Abs(whole-first) > 1e-9 {
			t.Errorf("%v: %.9f of a whole sample, not %.9f: %v", c, first, whole, err)
		}
		if of == 1 && file.HiddenKind.Bits() {
			narrow, err := evaluate.ObservedLogWeights(t.Context(), rbm.NetworkOf[float32](machine), evaluate.Incomplete{Bits: some, Missing: missing})
			for a, w := range narrow {
				if err != nil || math.Abs(w-own[a]) > 1e-4 {
					t.Errorf("%v: the log-weight of sample %d of a network is %v, not %v", c, a, w, own[a])
				}
			}
		}
	}
	large := &rbm.Machine{Params: rbm.NewParams(3, 17, 1), Synapses: rbm.Binary(spin.New(3, 17))}
	in := evaluate.Incomplete{Bits: spin.New(3, 2), Missing: spin.New(3, 2)}
	if _, err := evaluate.PseudoObserved(t.Context(), large, in); !errors.Is(err, rbm.ErrTooLarge) {
		t.Error(err)
	}
	if _, err := evaluate.ObservedLogWeights(t.Context(), rbm.NetworkOf[float32](large), in); !errors.Is(err, rbm.ErrTooLarge) {
		t.Error(err)
	}
}
