package anatomy

import (
	"context"
	"errors"
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
		values, err := SingularValues(t.Context(), w, shape[0])
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
	values, err := SingularValues(t.Context(), []float64{0, -3, 0, 1, 0, 0}, 2)
	if err != nil || math.Abs(values[0]-3) > 1e-12 || math.Abs(values[1]-1) > 1e-12 {
		t.Errorf("%v, %v", values, err)
	}
	if _, err := SingularValues(t.Context(), []float64{1, math.NaN()}, 1); err == nil {
		t.Error("no error for NaN")
	}
}

// TestGramValues: the values from products of the matrix with itself are those of the
// decomposition, of matrices with either side longer; a context that is done ends it.
func TestGramValues(t *testing.T) {
	rng := stream.New(2).Rand()
	for _, shape := range [][2]int{{1, 700}, {700, 3}, {40, 40}, {300, 257}} {
		w := make([]float32, shape[0]*shape[1])
		for k := range w {
			w[k] = float32(rng.NormFloat64())
		}
		want, err := SingularValues(t.Context(), w, shape[0])
		got, errGram := gramValues(t.Context(), w, shape[0])
		if err != nil || errGram != nil || len(got) != len(want) {
			t.Fatalf("%v: %d and %d values, %v, %v", shape, len(got), len(want), err, errGram)
		}
		for k := range got {
			if math.Abs(got[k]-want[k]) > 1e-7*want[0] {
				t.Errorf("%v: value %d is %v, not %v", shape, k, got[k], want[k])
			}
		}
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := SingularValues(done, make([]float32, 1024*1024), 1024); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := SingularValues(t.Context(), make([]float32, 1025*1026), 1025); err == nil {
		t.Error("no error for a layer too large")
	}
}

// TestSpaced: units that are chosen are always the same, in order, from all parts.
func TestSpaced(t *testing.T) {
	if got := fmt.Sprint(Spaced(3, 64), Spaced(10, 4), Spaced(0, 4)); got != "[0 1 2] [0 2 5 7] []" {
		t.Error(got)
	}
	some := Spaced(20000, 64)
	for k, mu := range some {
		if mu != k*20000/64 {
			t.Errorf("unit %d is %d", k, mu)
		}
	}
	if got := fmt.Sprint(Chosen([]float64{1, 2, 3, 4, 5, 6}, 3, []int{0, 2})); got != "[1 2 5 6]" {
		t.Error(got)
	}
}

func TestShapes(t *testing.T) {
	for _, wrong := range []func(){
		func() { Magnetisations([]float32{1}, 0) }, func() { UnitOverlaps([]float32{1, 2, 3}, 2) },
		func() { _, _ = SingularValues(t.Context(), []float32{}, 1) }, func() { Pairs([]float64{1}, 2) },
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
