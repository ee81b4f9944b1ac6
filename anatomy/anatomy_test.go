package anatomy

import (
	"fmt"
	"math"
	"testing"

	"bethe/stream"
)

func TestMagnetisations(t *testing.T) {
	got := Magnetisations([]float32{-1, -0.6, -0.5, 0, 0.2, 0.99, 1, 1.5, float32(math.NaN())}, 4)
	if fmt.Sprint(got) != "[2 1 2 3]" {
		t.Errorf("%v", got)
	}
}

func TestOverlaps(t *testing.T) {
	got := UnitOverlaps([]float64{1, 1, 0, 2, -2, 0, 3, 3, 3, 0, 0, 0}, 4)
	want := []float64{1, 0, 2 / math.Sqrt(6), 0, 0, 1, 0, 0, 2 / math.Sqrt(6), 0, 1, 0, 0, 0, 0, 1}
	for k := range want {
		if math.Abs(got[k]-want[k]) > 1e-12 {
			t.Errorf("overlap %d is %v, not %v", k, got[k], want[k])
		}
	}
	mean, largest := Pairs(got, 4)
	if math.Abs(mean-2/math.Sqrt(6)/6) > 1e-12 || math.Abs(largest-2/math.Sqrt(6)) > 1e-12 {
		t.Errorf("mean %v, largest %v", mean, largest)
	}
	if mean, largest := Pairs([]float64{1}, 1); mean != 0 || largest != 0 {
		t.Errorf("one unit: %v, %v", mean, largest)
	}
}

// TestSingularValues: their squares sum to that of all entries, they fall, and
// those of a diagonal matrix are known.
func TestSingularValues(t *testing.T) {
	rng := stream.New(1).Rand()
	for _, shape := range [][2]int{{1, 1}, {3, 7}, {7, 3}, {20, 20}} {
		w := make([]float32, shape[0]*shape[1])
		sum := 0.0
		for k := range w {
			w[k] = float32(rng.NormFloat64())
			sum += float64(w[k]) * float64(w[k])
		}
		values, err := SingularValues(w, shape[0])
		if err != nil || len(values) != min(shape[0], shape[1]) {
			t.Fatalf("%v: %d values, %v", shape, len(values), err)
		}
		for k, v := range values {
			sum -= v * v
			if v < 0 || k > 0 && v > values[k-1] {
				t.Errorf("%v: values %v", shape, values)
			}
		}
		if math.Abs(sum) > 1e-9 {
			t.Errorf("%v: sum of squares off by %v", shape, sum)
		}
	}
	values, err := SingularValues([]float64{0, -3, 0, 1, 0, 0}, 2)
	if err != nil || math.Abs(values[0]-3) > 1e-12 || math.Abs(values[1]-1) > 1e-12 {
		t.Errorf("%v, %v", values, err)
	}
	if _, err := SingularValues([]float64{1, math.NaN()}, 1); err == nil {
		t.Error("no error for NaN")
	}
}

func TestShapes(t *testing.T) {
	for _, wrong := range []func(){
		func() { Magnetisations([]float32{1}, 0) }, func() { UnitOverlaps([]float32{1, 2, 3}, 2) },
		func() { _, _ = SingularValues([]float32{}, 1) }, func() { Pairs([]float64{1}, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			wrong()
		}()
	}
}

func ExampleUnitOverlaps() {
	twoUnits := []float64{1, 1, -1, -1 /* */, 1, 1, 1, -1}
	fmt.Println(UnitOverlaps(twoUnits, 2))
	// Output: [1 0.5 0.5 1]
}
