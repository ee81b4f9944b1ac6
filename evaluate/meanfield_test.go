package evaluate

import (
	"math"
	"slices"
	"testing"

	"bethe/internal/kernel"
	"bethe/rbm"
)

// Products with bits are those with the real couplings, of two and of four hidden layers, and mean fields are the same for a sample alone and
// among others, and of a machine whose synapses are the same real numbers.
func TestMeanFieldOfSigns(t *testing.T) {
	for seed, sizes := range [][]int{{30, 17, 40}, {12, 9, 20, 7, 5}} {
		m := deepMachine(t, uint64(seed), 1.2, sizes...)
		signs := newClamped(m)
		w := make([]float32, m.Visible()*m.Hidden())
		copy(w, rbm.Values(m.Synapses))
		real := newClamped(&rbm.Machine{Params: m.Params, Synapses: rbm.RealValued(m.Visible(), m.Hidden(), w)})
		if _, ok := signs.couplings.(*signCouplings); !ok {
			t.Fatalf("%T", signs.couplings)
		}
		if _, ok := real.couplings.(*realCouplings); !ok {
			t.Fatalf("%T", real.couplings)
		}
		const samples = 35
		data := drawnData(m, samples)
		x, y := signs.features(data, 0.7), real.features(data, 0.7)
		for k, v := range x {
			if math.Abs(float64(v-y[k])) > 2e-6 {
				t.Fatalf("%v: feature %d is %v by bits and %v by real numbers", sizes, k, v, y[k])
			}
		}
		width := signs.odd + signs.even
		for _, a := range []int{0, 20, 34} {
			if one := signs.features(columns(data, a, a+1), 0.7); !slices.EqualFunc(one, x[a*width:(a+1)*width], func(p, q float32) bool { return math.Abs(float64(p-q)) < 1e-6 }) {
				t.Errorf("%v: sample %d alone has other features", sizes, a)
			}
		}
		// The fields of odd units are those of the data and of the means of the even ones.
		odd, even := signs.hiddenFields(data)
		rho := make([]float32, len(even))
		kernel.Tanh(rho, even)
		for a := range samples {
			for j := range signs.odd {
				want := float64(signs.oddField[j])
				for i, c := range signs.below[j*signs.data : (j+1)*signs.data] {
					want += float64(c) * float64(data.At(i, a))
				}
				for k, c := range signs.above[j*signs.even : (j+1)*signs.even] {
					want += float64(c * rho[a*signs.even+k])
				}
				if got := float64(odd[a*signs.odd+j]); math.Abs(got-want) > 1e-5 {
					t.Fatalf("%v: the field of odd unit %d is %v, not %v", sizes, j, got, want)
				}
			}
		}
	}
}
