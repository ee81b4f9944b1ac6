package evaluate_test

import (
	"math"
	"testing"

	"bethe/evaluate"
	"bethe/rbm"
	"bethe/spin"
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
