package kernel

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// wholeProduct multiplies matrices a, rows x inner, and b, inner x lanes, in each of the ways to fill factors in.
func wholeProduct[T Real](t testing.TB, a, b []T, rows, inner, lanes int, limit float64, across, byLanes bool, split int) []T {
	dst := make([]T, rows*lanes)
	if float32s, ok := any(dst).([]float32); ok {
		dst = any(append(float32s[:0], guarded[float32](t, rows*lanes)...)).([]T)
	}
	column := func(x []T, i, width, height int) []T { // i of the elements of each row; nil past the last
		if i >= height {
			return nil
		}
		return x[i*width : (i+1)*width]
	}
	turned := func(x []T, rows, cols int) []T {
		y := make([]T, len(x))
		for i := range rows {
			for j := range cols {
				y[j*rows+i] = x[i*cols+j]
			}
		}
		return y
	}
	left := NewLeft[T](rows, inner)
	if across {
		left = NewLeftAcross[T](rows, inner)
	}
	left.Limit(limit)
	if across {
		x := turned(a, rows, inner)
		for p := range (inner + 1) / 2 {
			left.SetPair(p, column(x, 2*p, rows, inner), column(x, 2*p+1, rows, inner))
		}
	} else {
		for i := range rows {
			left.SetRow(i, a[i*inner:(i+1)*inner])
		}
	}
	right := NewRight[T](inner, lanes)
	right.Limit(limit)
	if byLanes {
		x := turned(b, inner, lanes)
		var work Lanes
		for l := 0; l < lanes; l += WholeLanes {
			right.SetLanes(l, x[l*inner:], &work)
		}
	} else {
		for p := range (inner + 1) / 2 {
			right.SetPair(p, column(b, 2*p, lanes, inner), column(b, 2*p+1, lanes, inner))
		}
	}
	for lo := 0; lo < rows; lo += split {
		hi := min(rows, lo+split)
		MulWhole(dst[lo*lanes:hi*lanes], left, lo, hi, right)
	}
	return dst
}

// Products of whole numbers are near those of float64, have the same bits on every tier, however factors are filled in
// and rows are split.
func TestMulWhole(t *testing.T) {
	const limit = 1.5
	seed := uint64(0)
	for _, rows := range []int{1, 2, 5, 7, 12, 13, 31} {
		for _, inner := range []int{1, 2, 17, 100, 511, 513, 1030} {
			for _, lanes := range []int{1, 15, 16, 31, 32, 33, 70} {
				seed++
				if seed%5 > 1 && inner > 17 && rows > 2 { // enough of these
					continue
				}
				rng := testRand(seed)
				a, b := make([]float32, rows*inner), make([]float32, inner*lanes)
				for _, x := range [][]float32{a, b} {
					for k := range x {
						x[k] = float32(limit * (2*rng.Float64() - 1))
					}
				}
				if seed%3 == 0 { // sums as large as they come
					for k := range a {
						a[k] = limit
					}
					for k := range b {
						b[k] = limit
					}
				}
				wide := func(x []float32) (y []float64) {
					for _, v := range x {
						y = append(y, float64(v))
					}
					return y
				}
				exact := wholeProduct(t, wide(a), wide(b), rows, inner, lanes, limit, false, false, rows)
				var want []float32
				onTiers(t, func(t *testing.T) {
					for k := range 4 {
						got := wholeProduct(t, a, b, rows, inner, lanes, limit, k&1 > 0, k&2 > 0, max(1, rows-3*k))
						if want == nil {
							want = got
						}
						if !slices.Equal(got, want) {
							t.Fatalf("%dx%dx%d, way %d: other bits", rows, inner, lanes, k)
						}
					}
				})
				// Errors of leftTop and of rightTop, half a unit each at most.
				most := 0.52*limit*limit*float64(inner)*(1/float64(leftTop)+1/float64(rightTop)) + 1e-6
				for k, v := range want {
					if d := math.Abs(float64(v) - exact[k]); !(d <= most) {
						t.Fatalf("%dx%dx%d: element %d is %v, exactly %v", rows, inner, lanes, k, v, exact[k])
					}
				}
				for k, v := range wholeProduct(t, wide(a), wide(b), rows, inner, lanes, limit, true, true, 2) {
					if math.Abs(v-exact[k]) > 1e-12*limit*limit*float64(inner) {
						t.Fatalf("%dx%dx%d: float64 element %d is %v, not %v", rows, inner, lanes, k, v, exact[k])
					}
				}
			}
		}
	}
}

// The product is a sum of products: by plain loops, once.
func TestMulWholePlain(t *testing.T) {
	a, b := []float64{1, 2, 3, 4, 5, 6}, []float64{0.5, 1, -1, 2, 0.25, 0}
	got := wholeProduct(t, a, b, 2, 3, 2, 6, false, false, 2)
	if want := []float64{1*0.5 - 2 + 3*0.25, 1 + 4, 4*0.5 - 5 + 6*0.25, 4 + 10}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func checkJoins(t *testing.T, seed uint64, n int) {
	rng := testRand(seed)
	row := func() []float32 { return fill(guarded[float32](t, n), rng, 1) }
	clone := slices.Clone[[]float32]
	equal := func(name string, got, want []float32) {
		t.Helper()
		for i := range want {
			if !same(got[i], want[i]) {
				t.Fatalf("%s: element %d of %d is %v, want %v", name, i, n, got[i], want[i])
			}
		}
	}
	sums := func(name string, got, want [3]float64) {
		t.Helper()
		for i := range want {
			if !sameSum(got[i], want[i]) {
				t.Fatalf("%s of %d: sum %d is %v, want %v", name, n, i, got[i], want[i])
			}
		}
	}
	x, y := row(), row()
	sums("dot", [3]float64{Dot(x, y)}, [3]float64{dot(x, y)})

	s := SampleSums[float32]{row(), row(), row()}
	r, q, h := clone(s.Sech2), clone(s.Square), clone(s.Shift)
	want := make([]float32, n)
	var got [3]float64
	var other [3]float64
	other[0], other[1], other[2] = centre(want, x, y, r, q, h, 0.3)
	got[0], got[1], got[2] = Centre(x, x, y, s, 0.3)
	sums("centre", got, other)
	for _, v := range [][2][]float32{{x, want}, {s.Sech2, r}, {s.Square, q}, {s.Shift, h}} {
		equal("centre", v[0], v[1])
	}

	mean, variance := row(), row()
	wantMean, wantVariance := make([]float32, n), make([]float32, n)
	j := Join[float32]{row(), row(), row(), row(), row(), row(), row()}
	JoinFields(mean, variance, j, JoinScales[float32]{0.3, -0.7, 0.2, 1.1})
	joinFields(wantMean, wantVariance, j.Mean, j.Variance, j.Product, j.State, j.By, j.Spread, j.Square, 0.3, -0.7, 0.2, 1.1)
	equal("means", mean, wantMean)
	equal("variances", variance, wantVariance)

	g := JoinRow[float32]{row(), row(), row(), row(), row(), row()}
	grad := row()
	got[0], got[1], got[2] = JoinGradient(grad, g, JoinSlopes[float32]{0.3, 0.7, -0.2, 1.1})
	other[0], other[1], other[2] = joinGradient(want, g.Product, g.Mean, g.First, g.Second, g.Partition, g.Theta, 0.3, 0.7, -0.2, 1.1)
	equal("gradient", grad, want)
	sums("gradient", got, other)
}

func TestJoins(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for n := range 70 {
			t.Run(fmt.Sprint(n), func(t *testing.T) { checkJoins(t, uint64(n), n) })
		}
		t.Run("1000", func(t *testing.T) { checkJoins(t, 5, 1000) })
	})
}

// Rows that are summed by halves give what float64 does, to within float32.
func TestLongJoins(t *testing.T) {
	const n = 3*shortRow + 5
	rng := testRand(1)
	var x [7][]float32
	var y [7][]float64
	for k := range x {
		x[k], y[k] = make([]float32, n), make([]float64, n)
		for i := range x[k] {
			x[k][i] = rng.Float32()
			y[k][i] = float64(x[k][i])
		}
	}
	wantSums := SampleSums[float64]{slices.Clone(y[0]), slices.Clone(y[1]), slices.Clone(y[2])}
	var want, got [7]float64
	want[0] = dot(y[0], y[1])
	want[1], want[2], want[3] = centre(make([]float64, n), y[3], y[4], wantSums.Sech2, wantSums.Square, wantSums.Shift, 0.25)
	want[4], want[5], want[6] = joinGradient(make([]float64, n), y[0], y[1], y[2], y[3], y[4], y[5], 0.5, 0.25, 0.125, 2)
	onTiers(t, func(t *testing.T) {
		s := SampleSums[float32]{slices.Clone(x[0]), slices.Clone(x[1]), slices.Clone(x[2])}
		got[0] = Dot(x[0], x[1])
		got[1], got[2], got[3] = Centre(make([]float32, n), x[3], x[4], s, 0.25)
		got[4], got[5], got[6] = JoinGradient(make([]float32, n), JoinRow[float32]{x[0], x[1], x[2], x[3], x[4], x[5]}, JoinSlopes[float32]{0.5, 0.25, 0.125, 2})
		for k := range want {
			if math.Abs(got[k]-want[k]) > 3e-7*n {
				t.Errorf("sum %d is %v, want %v", k, got[k], want[k])
			}
		}
		for i, v := range wantSums.Square {
			if math.Abs(float64(s.Square[i])-v) > 1e-6 {
				t.Fatalf("sum over units of sample %d is %v, want %v", i, s.Square[i], v)
			}
		}
	})
}

func BenchmarkMulWhole(b *testing.B) {
	const n = 500
	rng := testRand(1)
	x, y, dst := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
	for k := range x {
		x[k], y[k] = 2*rng.Float32()-1, 2*rng.Float32()-1
	}
	benchTiers(b, func(b *testing.B) {
		left, right := NewLeft[float32](n, n), NewRight[float32](n, n)
		left.Limit(1)
		right.Limit(1)
		b.Run("fill", func(b *testing.B) {
			for b.Loop() {
				for i := range n {
					left.SetRow(i, x[i*n:(i+1)*n])
				}
				for p := range n / 2 {
					right.SetPair(p, y[2*p*n:(2*p+1)*n], y[(2*p+1)*n:(2*p+2)*n])
				}
			}
		})
		for _, together := range []int{8, 16, 24, 32, n} {
			b.Run(fmt.Sprintf("rows=%d", together), func(b *testing.B) {
				for b.Loop() {
					for lo := 0; lo < n; lo += together {
						hi := min(n, lo+together)
						MulWhole(dst[lo*n:hi*n], left, lo, hi, right)
					}
				}
			})
		}
	})
}

// Mix has the bits of plain loops on every tier.
func TestMix(t *testing.T) {
	for _, n := range []int{1, 15, 16, 33, 500} {
		rng := testRand(uint64(n))
		var x [3][]float32
		for k := range x {
			x[k] = fill(guarded[float32](t, n), rng, 1)
		}
		want := make([]float32, n)
		mix(want, x[0], x[1], x[2], 0.3, -1.7)
		onTiers(t, func(t *testing.T) {
			got := guarded[float32](t, n)
			Mix(got, x[0], x[1], x[2], 0.3, -1.7)
			if !slices.Equal(got, want) {
				t.Errorf("%d elements: other bits", n)
			}
		})
	}
}
