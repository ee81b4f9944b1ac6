package evaluate

import (
	"math"
	"testing"

	"bethe/stream"
)

// 95 % intervals of ln of the mean of 40 log-normal weights, whose logarithms have a standard deviation
// of 0.7, hold the truth in about 95 % of 200 cases: in at least 173 and not in all (false
// alarms below 1e-4 at a true rate of 94 %).
func TestStudentisedCovers(t *testing.T) {
	const cases, sigma = 200, 0.7
	covered := 0
	for k := range cases {
		rng := stream.New(uint64(k)).Rand()
		x := make([]float64, 40)
		for l := range x {
			x[l] = sigma * rng.NormFloat64()
		}
		low, high := studentised(first(len(x)), stream.New(uint64(k)).Sub(1), func(chosen []int) (float64, float64) { return lnMeanAndError(x, chosen) })
		if !(low < high) {
			t.Fatalf("interval %v %v", low, high)
		}
		if low <= sigma*sigma/2 && sigma*sigma/2 <= high {
			covered++
		}
	}
	t.Logf("%d of %d", covered, cases)
	if covered < 173 || covered == cases {
		t.Errorf("%d of %d intervals hold the mean", covered, cases)
	}
	if low, high := studentised([]int{0, 1}, stream.New(1), func([]int) (float64, float64) { return 3, 0 }); low != 3 || high != 3 {
		t.Errorf("%v %v of a constant", low, high)
	}
}

func TestMeans(t *testing.T) {
	x := []float64{math.Log(1), math.Log(2), math.Log(4)}
	if got, want := lnMean(x), math.Log(7.0/3); math.Abs(got-want) > 1e-14 {
		t.Errorf("%v, not %v", got, want)
	}
	if got, want := lnHarmonicMean(x), -math.Log(1.75/3); math.Abs(got-want) > 1e-14 {
		t.Errorf("%v, not %v", got, want)
	}
	if got := deviation([]float64{1, 2, 6}); math.Abs(got-math.Sqrt(7)) > 1e-14 {
		t.Errorf("deviation %v", got)
	}
}

// The autocorrelation time of x' = r x + noise is (1+r)/(1-r); series that never
// mix have one as long as they are.
func TestAutocorrelation(t *testing.T) {
	const length, series, r = 3000, 40, 0.8
	rng := stream.New(1).Rand()
	x, apart := make([][]float64, length), make([][]float64, length)
	for k := range x {
		x[k], apart[k] = make([]float64, series), make([]float64, series)
		for l := range series {
			x[k][l] = rng.NormFloat64()
			if k > 0 {
				x[k][l] += r * x[k-1][l]
			}
			apart[k][l] = float64(l) + 0.1*rng.NormFloat64()
		}
	}
	if got, want := autocorrelation(x), (1+r)/(1-r); math.Abs(got/want-1) > 0.1 {
		t.Errorf("%v sweeps, not %v", got, want)
	}
	if got := autocorrelation(apart); got < length/2 {
		t.Errorf("%v sweeps of series that stay apart", got)
	}
	if got := autocorrelation([][]float64{{1, 1}, {1, 1}}); got != 1 {
		t.Errorf("%v sweeps of a constant", got)
	}
}
