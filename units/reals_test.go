package units_test

import (
	"math"
	"testing"

	"bethe/internal/kernel"
	"bethe/sample/sampletest"
	"bethe/stream"
	"bethe/units"
)

func random[T kernel.Real](n, m int) *units.Reals[T] {
	r := units.NewReals[T](n, m)
	rng := stream.New(1).Rand()
	for k := range r.Values() {
		r.Values()[k] = T(rng.NormFloat64())
	}
	return r
}

func TestStates(t *testing.T) {
	sampletest.States(t, random[float64](2, 8))
	sampletest.States(t, random[float64](61, 40))
	sampletest.States(t, random[float32](3, 130))
}

func TestReals(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6}
	r := units.RealsOf(2, 3, values)
	if row := r.Row(1); len(row) != 3 || row[2] != 6 {
		t.Errorf("row %v", row)
	}
	was := r.Hash()
	for want, s := range map[string]units.Stored{
		"states as []float32, not []float64":               {Shape: []int{2, 3}, Data: make([]float32, 6)},
		"6 values of shape [3 2] for 2 units in 3 columns": {Shape: []int{3, 2}, Data: values},
		"5 values of shape [2 3] for 2 units in 3 columns": {Shape: []int{2, 3}, Data: values[:5]},
		"unit 1 is NaN in column 0":                        {Shape: []int{2, 3}, Data: []float64{1, 2, 3, math.NaN(), 5, 6}},
		"unit 0 is +Inf in column 2":                       {Shape: []int{2, 3}, Data: []float64{1, 2, math.Inf(1), 4, 5, 6}},
	} {
		if err := r.Load(s); err == nil || err.Error() != want || r.Hash() != was {
			t.Errorf("error %v, not %q", err, want)
		}
	}
	if units.RealsOf(3, 2, values).Hash() == was {
		t.Error("another shape, the same hash")
	}
	for want, f := range map[string]func(){
		"units: -1 units in 2 columns":                               func() { units.NewReals[float32](-1, 2) },
		"units: 6 values of 2 units in 2 columns":                    func() { units.RealsOf(2, 2, values) },
		"units: Gather of 1 columns of 2 units with states of 2 x 2": func() { r.Gather(units.NewReals[float64](2, 2), []int{0}) },
		"units: Put of column 3 of 3":                                func() { r.Put(units.NewReals[float64](2, 1), []int{3}) },
		"units: Swap of states of 2 x 3 and 2 x 2":                   func() { r.Swap(units.NewReals[float64](2, 2), nil) },
		"units: CopyUnits of unit 2 of 2":                            func() { r.CopyUnits(r.Clone(), []int{2}) },
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %q, not %q", got, want)
				}
			}()
			f()
		}()
	}
}
