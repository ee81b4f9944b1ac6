package units_test

import (
	"math"
	"testing"

	"bethe/spin"
	"bethe/stream"
	"bethe/units"
)

// New and random bits are states of their kind, random ones evenly so (5 standard errors, 6e-7 each), and
// draws follow their fields: of spins, one-hot units and Gaussian ones.
func TestBitsAndDraws(t *testing.T) {
	const columns = 4000
	for _, word := range []string{"spin", "potts:3", "group?:2"} {
		kind, err := units.ParseKind(word)
		if err != nil {
			t.Fatal(err)
		}
		n := 2 * kind.Features()
		for what, m := range map[string]*spin.Matrix{"new": units.NewBits(n, columns, kind), "random": units.RandomBits(n, columns, kind, stream.New(1))} {
			on := make([]float64, n)
			for a := range columns {
				for unit := 0; unit < n; unit += kind.Features() {
					sum := 0
					for k := range kind.Features() {
						if m.At(unit+k, a) == 1 {
							on[unit+k]++
							sum++
						}
					}
					if kind.OneHot() && (sum > 1 || sum == 0 && !kind.None) {
						t.Fatalf("%s bits of %s: %d features of a unit are on", what, word, sum)
					}
				}
			}
			p := 1 / float64(kind.Choices())
			for i, v := range on {
				if what == "random" && math.Abs(v-p*columns) > 5*math.Sqrt(p*(1-p)*columns) {
					t.Errorf("%s: feature %d is on in %g of %d columns", word, i, v, columns)
				}
			}
		}
	}
	r := units.NewReals[float64](2, columns)
	fields := make([]float64, 2*columns)
	for a := range columns {
		fields[columns+a] = 3
	}
	units.DrawGauss(r, fields, stream.New(2))
	mean, deviation := units.Moments(r)
	for i, want := range []float64{0, 3} {
		if math.Abs(mean[i]-want) > 5/math.Sqrt(columns) || math.Abs(deviation[i]-1) > 5/math.Sqrt(2*columns) {
			t.Errorf("unit %d: mean %v, deviation %v", i, mean[i], deviation[i])
		}
	}
}

// Below puts layers together, and Rows takes them apart.
func TestBelow(t *testing.T) {
	rng := stream.New(3).Rand()
	a, b := spin.Random(35, 9, rng), spin.Random(4, 9, rng)
	both := units.Below(a, b)
	if !units.Rows(both, 0, 35).Equal(a) || !units.Rows(both, 35, 39).Equal(b) {
		t.Error("other states after layers were put together and taken apart")
	}
	defer func() {
		if recover() == nil {
			t.Error("layers of other numbers of columns: no panic")
		}
	}()
	units.Below(a, spin.New(2, 3))
}

// MulAffine is a product with a shift in each row.
func TestMulAffine(t *testing.T) {
	r := units.RealsOf(2, 3, []float64{1, 2, 3, 4, 5, 6})
	dst := make([]float64, 3)
	units.MulAffine(dst, []float64{2, -1}, 1, r, []float64{10})
	for k, want := range []float64{8, 9, 10} {
		if dst[k] != want {
			t.Errorf("element %d is %v, not %v", k, dst[k], want)
		}
	}
	units.MulAffine(dst, []float64{2, -1}, 1, r, nil)
	if dst[0] != -2 {
		t.Errorf("without shift %v", dst)
	}
}
