package kernel

import (
	"math"
	"slices"
	"testing"
)

// narrowProduct multiplies matrices a, rows x inner, and b, inner x lanes, as narrow factors; across: the left one is filled in across its rows.
func narrowProduct[T Real](a, b []T, rows, inner, lanes int, limit float64, across bool, split int) []T {
	left, right := NewNarrowLeft[T](rows, inner), NewNarrowRight[T](inner, lanes)
	if across {
		left = NewNarrowLeftAcross[T](rows, inner)
	}
	left.Limit(limit)
	right.Limit(limit)
	column := make([][]T, inner)
	for r := range column {
		for i := range rows {
			column[r] = append(column[r], a[i*inner+r])
		}
	}
	for q := 0; q < inner; q += 4 {
		var x, y [4][]T
		for j := range min(4, inner-q) {
			x[j], y[j] = column[q+j], b[(q+j)*lanes:(q+j+1)*lanes]
		}
		right.SetFour(q/4, y)
		if across {
			left.SetFour(q/4, x)
		}
	}
	for i := 0; i < rows && !across; i++ {
		left.SetRow(i, a[i*inner:(i+1)*inner])
	}
	dst := make([]T, rows*lanes)
	for lo := 0; lo < rows; lo += split {
		hi := min(rows, lo+split)
		MulWhole(dst[lo*lanes:hi*lanes], left, lo, hi, right)
	}
	return dst
}

// Products of narrow factors are those of the whole numbers that elements are rounded to, with the same bits on every tier, however they are
// filled in and split. In float64 nothing is rounded.
func TestMulNarrow(t *testing.T) {
	const limit = 1.25
	for seed, size := range [][3]int{{1, 1, 1}, {3, 2, 15}, {5, 3, 33}, {12, 4, 32}, {13, 17, 70}, {31, 100, 64}, {7, 511, 31}, {25, 513, 45}, {2, 1030, 40}} {
		rows, inner, lanes := size[0], size[1], size[2]
		rng := testRand(uint64(seed))
		a, b := make([]float32, rows*inner), make([]float32, inner*lanes)
		wideA, wideB := make([]float64, len(a)), make([]float64, len(b))
		for k := range a {
			a[k] = float32(limit * (2*rng.Float64() - 1))
			if seed%3 == 2 {
				a[k] = -limit // sums as large as they come
			}
			wideA[k] = float64(a[k])
		}
		for k := range b {
			b[k] = float32(limit * (2*rng.Float64() - 1))
			if seed%3 == 2 {
				b[k] = limit
			}
			wideB[k] = float64(b[k])
		}
		whole := func(x float32) float64 { return math.RoundToEven(float64(x * float32(narrowTop/limit))) }
		onTiers(t, func(t *testing.T) {
			for k, across := range []bool{false, true, true} {
				got := narrowProduct(a, b, rows, inner, lanes, limit, across, max(1, rows-2*k))
				for i := range rows {
					for l := range lanes {
						var want float32
						for from := 0; from < inner; from += 2 * wholeWords {
							sum := 0.0
							for r := from; r < min(inner, from+2*wholeWords); r++ {
								sum += whole(a[i*inner+r]) * whole(b[r*lanes+l])
							}
							unit := float32(limit / narrowTop)
							want += float32(float32(sum) * float32(unit*unit))
						}
						if got[i*lanes+l] != want {
							t.Fatalf("%v, across %v: element (%d, %d) is %v, not %v", size, across, i, l, got[i*lanes+l], want)
						}
					}
				}
			}
		})
		exact := narrowProduct(wideA, wideB, rows, inner, lanes, limit, true, rows)
		if again := narrowProduct(wideA, wideB, rows, inner, lanes, limit, false, 1); !slices.Equal(exact, again) {
			t.Errorf("%v: float64 by rows and across differ", size)
		}
		for i := range rows {
			for l := range lanes {
				var want float64
				for r := range inner {
					want += wideA[i*inner+r] * wideB[r*lanes+l]
				}
				if math.Abs(exact[i*lanes+l]-want) > 1e-12*float64(inner) {
					t.Fatalf("%v: element (%d, %d) in float64 is %v, not %v", size, i, l, exact[i*lanes+l], want)
				}
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a narrow factor and a wider one: no panic")
		}
	}()
	MulWhole(make([]float32, 4), NewNarrowLeft[float32](2, 2), 0, 2, NewRight[float32](2, 2))
}
